"""Builds the working calendar from the rows that a bureau keeps, and tells what is missing in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

from sqlalchemy import Connection, select

from db.calendars.holidays import NamedDay
from db.calendars.rules import Window, WorkingCalendar, WorkingDay
from db.calendars.tables import calendar_day, calendar_year, working_day_rule, working_window
from db.engine import settings

MONTHS_AHEAD = 3
"""How far ahead a missing year is worth a warning; holidays are published in the November before."""


@dataclass(frozen=True)
class CalendarPage:
    """What a bureau sees of one year of its calendar."""

    year: int
    source: str
    """Where its days are from; "" when the year is missing."""
    days: dict[date, NamedDay]
    """The days that differ from Monday to Friday."""
    windows: tuple[Window, ...]
    """Those in force on some day of the year or later, in order."""
    rules: tuple[tuple[date, WorkingDay], ...]
    """From when on which rule for one working day holds; before the first, so many hours."""

    def is_worked(self, day: date) -> bool:
        """Whether the office works on a day of the year."""
        named = self.days.get(day)
        return day.weekday() < 5 if named is None else named.kind == "workday"

    def rule_on(self, day: date) -> WorkingDay:
        """What a working day is for a clock that begins on a day."""
        holding = [rule for valid_from, rule in self.rules if valid_from <= day]
        return holding[-1] if holding else WorkingDay.HOURS


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
    return _calendar(
        tuple(years),
        tuple(days.items()),
        tuple(windows),
        settings.zone_of(connection).key,
        tuple(rules if rule is None else [(date.min, rule)]),
    )


@lru_cache(maxsize=8)
def _calendar(
    years: tuple[int, ...],
    days: tuple[tuple[date, bool], ...],
    windows: tuple[Window, ...],
    zone: str,
    rules: tuple[tuple[date, WorkingDay], ...],
) -> WorkingCalendar:
    """Of the same rows the same calendar: laying out its intervals takes longer than reading them."""
    return WorkingCalendar(years, dict(days), windows, zone, rules)


def calendar_page(connection: Connection, year: int) -> CalendarPage:
    """One year as it stands, missing or not."""
    first, last = date(year, 1, 1), date(year, 12, 31)
    source = connection.execute(select(calendar_year.c.source).where(calendar_year.c.year == year)).scalar()
    days = connection.execute(
        select(calendar_day).where(calendar_day.c.day >= first, calendar_day.c.day <= last)
    )
    windows = [
        Window(row.begins, row.ends, row.valid_from, row.valid_to, row.season_from, row.season_to)
        for row in connection.execute(select(working_window))
        if row.valid_to is None or row.valid_to >= first
    ]
    rules = connection.execute(select(working_day_rule).order_by(working_day_rule.c.valid_from))
    return CalendarPage(
        year,
        source or "",
        {row.day: NamedDay(row.day, row.kind, row.name) for row in days},
        tuple(sorted(windows, key=lambda one: (one.valid_from, one.season_from or "", one.begins))),
        tuple((row.valid_from, WorkingDay(row.rule)) for row in rules),
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
