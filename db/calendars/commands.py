"""What a bureau changes in its calendar: days, years, working hours, and what one working day is.

Every change is journaled and can be undone. Due times that stand are never touched: a case keeps the moment
that was worked out when its clock began.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, time, timedelta

from sqlalchemy import select

from db.calendars.holidays import SOURCE, NamedDay, published_days
from db.calendars.rules import Window, WorkingDay, demand_orderly
from db.calendars.tables import calendar_day, calendar_year, working_day_rule, working_window
from db.engine.bus import handles
from db.engine.unit_of_work import UnitOfWork
from db.kernel.command import Reach, command
from db.kernel.language import N_
from db.kernel.refusal import Refused
from db.kernel.text import one_line

FIRST_YEAR, LAST_YEAR = 1990, 2100
_STRETCH = re.compile(r"(\d{1,2}):(\d{2})\s*[-–—~至]\s*(\d{1,2}):(\d{2})")
# 2000 is a leap year: every day of a season can be tried on it.
_LEAP = 2000


@command(
    "calendar.set_day", permission="reference.load", label=N_("Set a day of the calendar"), reach=Reach.SERVER
)
@dataclass(frozen=True)
class SetDay:
    """Make a day (ISO date) a ``holiday``, a ``workday``, or (``None``) again what its weekday says."""

    day: str
    kind: str | None
    name: str = ""


@command(
    "calendar.load_year",
    permission="reference.load",
    label=N_("Load the calendar of a year"),
    reach=Reach.SERVER,
)
@dataclass(frozen=True)
class LoadYear:
    """Make a year known: with the published holidays, or, when ``source`` names a notice, with the days that
    were entered by hand and no others.
    """

    year: int
    source: str = ""


@command(
    "calendar.set_windows", permission="reference.load", label=N_("Set the working hours"), reach=Reach.SERVER
)
@dataclass(frozen=True)
class SetWindows:
    """The office's hours from a day on (ISO date); those before stay as they were.

    ``hours`` such as ``("08:00-12:00", "14:00-18:00")``; ``seasons`` such as
    ``(("06-01", "09-30", ("08:00-12:00", "14:30-18:30")),)`` come back every year and take the place of
    ``hours`` on their days.
    """

    valid_from: str
    hours: tuple[str, ...]
    seasons: tuple[tuple[str, str, tuple[str, ...]], ...] = ()


@command(
    "calendar.set_working_day_rule",
    permission="reference.load",
    label=N_("Set what a working day is"),
    reach=Reach.SERVER,
)
@dataclass(frozen=True)
class SetWorkingDayRule:
    """One working day as ``hours`` or to the ``same_time`` of the next, for clocks that begin from then."""

    rule: str
    valid_from: str


@handles(SetDay)
def set_day(command: SetDay, unit: UnitOfWork) -> None:
    """Write, change or take away the row of one day."""
    day = _date(command.day)
    if command.kind not in (None, "holiday", "workday"):
        raise Refused("no_such_kind", N_("A day is a holiday, a working day, or neither."))
    wanted = [] if command.kind is None else [NamedDay(day, command.kind, one_line(command.name, 60))]
    _put_days(unit, day, day, wanted)


@handles(LoadYear)
def load_year(command: LoadYear, unit: UnitOfWork) -> int:
    """Returns how many days of the year differ from Monday to Friday."""
    if not FIRST_YEAR <= command.year <= LAST_YEAR:
        raise Refused("no_such_year", N_("{year} is not a year of this calendar."), year=command.year)
    first, last = date(command.year, 1, 1), date(command.year, 12, 31)
    source = one_line(command.source, 120)
    if not source:
        _put_days(unit, first, last, published_days(command.year))
    row = unit.connection.execute(select(calendar_year).where(calendar_year.c.year == command.year)).first()
    if row is None:
        unit.insert(calendar_year, [{"id": unit.new_id(), "year": command.year, "source": source or SOURCE}])
    else:
        unit.update(calendar_year, {row.id: {"source": source or SOURCE}})
    return len(
        unit.connection.execute(
            select(calendar_day.c.id).where(calendar_day.c.day >= first, calendar_day.c.day <= last)
        ).all()
    )


@handles(SetWindows)
def set_windows(command: SetWindows, unit: UnitOfWork) -> int:
    """End the windows in force and write the new ones; returns how many there are now."""
    valid_from = _date(command.valid_from)
    windows = [_window(hours, valid_from) for hours in command.hours]
    if not windows:
        raise Refused("no_hours", N_("The office needs at least one window in which it works."))
    for begins, ends, season in command.seasons:
        if not season:
            raise Refused("no_hours", N_("The office needs at least one window in which it works."))
        dates = (_month_day(begins), _month_day(ends))
        windows += [_window(hours, valid_from, *dates) for hours in season]
    _demand_orderly(windows)
    eve = valid_from - timedelta(days=1)
    standing = unit.connection.execute(select(working_window)).all()
    unit.delete(working_window, [row.id for row in standing if row.valid_from >= valid_from])
    unit.update(
        working_window,
        {
            row.id: {"valid_to": eve}
            for row in standing
            if row.valid_from < valid_from and (row.valid_to is None or row.valid_to > eve)
        },
    )
    unit.insert(
        working_window,
        [
            {
                "id": row_id,
                "valid_from": window.valid_from,
                "begins": window.begins,
                "ends": window.ends,
                "season_from": window.season_from,
                "season_to": window.season_to,
            }
            for row_id, window in zip(unit.new_ids(len(windows)), windows, strict=True)
        ],
    )
    return len(windows)


@handles(SetWorkingDayRule)
def set_working_day_rule(command: SetWorkingDayRule, unit: UnitOfWork) -> None:
    """One row for each day from which a rule holds."""
    valid_from = _date(command.valid_from)
    if command.rule not in {rule.value for rule in WorkingDay}:
        raise Refused("no_such_rule", N_("A working day is counted by “hours” or to the “same_time”."))
    standing = unit.connection.execute(
        select(working_day_rule).where(working_day_rule.c.valid_from == valid_from)
    ).first()
    if standing is not None:
        unit.update(working_day_rule, {standing.id: {"rule": command.rule}})
    else:
        row = {"id": unit.new_id(), "valid_from": valid_from, "rule": command.rule}
        unit.insert(working_day_rule, [row])


def _put_days(unit: UnitOfWork, first: date, last: date, wanted: list[NamedDay]) -> None:
    """Let the rows from one day to another be these and no others."""
    standing = {
        row.day: row
        for row in unit.connection.execute(
            select(calendar_day).where(calendar_day.c.day >= first, calendar_day.c.day <= last)
        )
    }
    days = {named.day for named in wanted}
    unit.delete(calendar_day, [row.id for day, row in standing.items() if day not in days])
    unit.update(
        calendar_day,
        {
            standing[named.day].id: {"kind": named.kind, "name": named.name}
            for named in wanted
            if named.day in standing
        },
    )
    unit.insert(
        calendar_day,
        [
            {"id": unit.new_id(), "day": named.day, "kind": named.kind, "name": named.name}
            for named in wanted
            if named.day not in standing
        ],
    )


def _date(text: str) -> date:
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        day = date.min
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise Refused("no_date", N_("“{text}” is not a date such as 2026-05-01."), text=one_line(text, 40))
    return day


def _month_day(text: str) -> str:
    try:
        day = date.fromisoformat(f"{_LEAP}-{text.strip()}")
    except ValueError as error:
        message = N_("“{text}” is not a day of the year such as 06-01.")
        raise Refused("no_date", message, text=one_line(text, 40)) from error
    return f"{day:%m-%d}"


def _window(
    hours: str, valid_from: date, season_from: str | None = None, season_to: str | None = None
) -> Window:
    found = _STRETCH.fullmatch(hours.strip())
    try:
        if found is None:
            raise ValueError(hours)
        first, first_minute, last, last_minute = (int(part) for part in found.groups())
        begins, ends = time(first, first_minute), time(last % 24, last_minute)
        if last > 24 or (last == 24 and last_minute):
            raise ValueError(hours)
    except ValueError as error:
        message = N_("“{text}” are not hours such as 08:00-12:00.")
        raise Refused("no_hours", message, text=one_line(hours, 40)) from error
    return Window(begins, ends, valid_from, None, season_from, season_to)


def _demand_orderly(windows: list[Window]) -> None:
    """Refuse windows that overlap on any day of a year."""
    day = date(_LEAP, 1, 1)
    timeless = [Window(w.begins, w.ends, season_from=w.season_from, season_to=w.season_to) for w in windows]
    try:
        while day.year == _LEAP:
            demand_orderly(timeless, day)
            day += timedelta(days=1)
    except ValueError as error:
        message = N_("The hours of {day} overlap or end before they begin.")
        raise Refused("hours_overlap", message, day=f"{day:%m-%d}") from error
