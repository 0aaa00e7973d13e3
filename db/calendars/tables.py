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
    Column("ends", Time, nullable=False),
    version_column(),
)
