"""Builds the working calendar from the rows that a bureau keeps, and tells what is missing in them."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Connection, select

from db.calendars.rules import Window, WorkingCalendar, WorkingDay
from db.calendars.tables import calendar_day, calendar_year, working_day_rule, working_window
from db.engine import settings

MONTHS_AHEAD = 3
"""How far ahead a missing year is worth a warning; holidays are published in the November before."""


def load_calendar(connection: Connection, rule: WorkingDay | None = None) -> WorkingCalendar:
    """The calendar of this database, in the zone of its city; ``rule`` overrides what a working day is."""
    years = [row.year for row in connection.execute(select(calendar_year.c.year))]
    days = {
        row.day: row.kind == "workday"
        for row in connection.execute(select(calendar_day.c.day, calendar_day.c.kind))
    }
    windows = [
        Window(row.begins, row.ends, row.valid_from, row.valid_to, row.season_from, row.season_to)
        for row in connection.execute(select(working_window))
    ]
    rules = [
        (row.valid_from, WorkingDay(row.rule))
        for row in connection.execute(select(working_day_rule.c.valid_from, working_day_rule.c.rule))
    ]
    return WorkingCalendar(
        years,
        days,
        windows,
        settings.zone_of(connection).key,
        rules if rule is None else [(date.min, rule)],
    )


def day_names(connection: Connection) -> dict[date, str]:
    """What the days are called that differ from Monday to Friday (春节, 春节调休)."""
    return {row.day: row.name for row in connection.execute(select(calendar_day.c.day, calendar_day.c.name))}


def missing_years(connection: Connection, now: datetime, months: int = MONTHS_AHEAD) -> list[int]:
    """The years from today to so many months ahead whose calendar is not there; for the status strip."""
    today = now.astimezone(settings.zone_of(connection)).date()
    last = today.year + (today.month - 1 + months) // 12
    known = set(connection.execute(select(calendar_year.c.year)).scalars())
    return [year for year in range(today.year, last + 1) if year not in known]
