"""The office's time: holidays, swap days and working windows, as rows that a bureau may edit."""

from __future__ import annotations

from sqlalchemy import Column, Date, Integer, String, Table, Time

from db.engine.columns import id_column, version_column
from db.engine.tables import metadata

calendar_day = Table(
    "calendar_day",
    metadata,
    id_column(),
    Column("day", Date, nullable=False, unique=True),
    # holiday: a weekday off; workday: a weekend day worked (调休).
    Column("kind", String(8), nullable=False),
    Column("name", String(60), nullable=False, server_default=""),
    version_column(),
)

# A year is known when it stands here, holidays or not; a year that does not is shown as missing (DOMAIN 1.8).
calendar_year = Table(
    "calendar_year",
    metadata,
    id_column(),
    Column("year", Integer, nullable=False, unique=True),
    Column("source", String(120), nullable=False),
    version_column(),
)

working_window = Table(
    "working_window",
    metadata,
    id_column(),
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date),
    Column("begins", Time, nullable=False),
    # 00:00 is the end of the day.
    Column("ends", Time, nullable=False),
    # "MM-DD" to "MM-DD" of every year, both included; null: all the year, but not on days of a season.
    Column("season_from", String(5)),
    Column("season_to", String(5)),
    version_column(),
)

# What 1 工作日 is, by the day on which a clock begins: hours | same_time. None: hours. A row and not a
# setting, so that a change is journaled and can be undone, and clocks that run keep the rule they began with.
working_day_rule = Table(
    "working_day_rule",
    metadata,
    id_column(),
    Column("valid_from", Date, nullable=False, unique=True),
    Column("rule", String(12), nullable=False),
    version_column(),
)
