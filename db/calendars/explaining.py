"""How a due time came about: the windows that were counted, and why a day was off, line by line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from db.calendars.rules import WorkingCalendar
from db.kernel.clock import from_ms

_SATURDAY = 5


class Why(StrEnum):
    """What a line says beside its times."""

    COUNTED = "counted"
    SWAP_DAY = "swap_day"
    """Counted, although it is a weekend day."""
    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    OUTSIDE = "outside"
    """A working day, but the clock began after its hours or ended before them."""


@dataclass(frozen=True)
class Line:
    """A stretch that was counted, or a day on which nothing was (then both moments are 0)."""

    day: date
    why: Why
    begins_ms: int = 0
    ends_ms: int = 0
    name: str = ""

    @property
    def minutes(self) -> float:
        return (self.ends_ms - self.begins_ms) / 60_000


def explain(
    calendar: WorkingCalendar,
    start_ms: int,
    due_ms: int,
    at_work: bool,
    names: Mapping[date, str] | None = None,
) -> list[Line]:
    """Every day from start to due in order; the minutes add up to what was counted.

    ``at_work``: only working windows count, else every hour of the day. ``names``: of holidays and swap days.
    """
    names = names or {}
    day = from_ms(start_ms).astimezone(calendar.zone).date()
    last = from_ms(due_ms).astimezone(calendar.zone).date()
    lines: list[Line] = []
    while day <= last:
        lines.extend(_lines_of(calendar, day, start_ms, due_ms, at_work, names.get(day, "")))
        day += timedelta(days=1)
    return lines


def _lines_of(
    calendar: WorkingCalendar, day: date, start_ms: int, due_ms: int, at_work: bool, name: str
) -> list[Line]:
    if not at_work:
        stretches, why = [calendar.whole_day(day)], Why.COUNTED
    elif not calendar.is_workday(day):
        weekend = day.weekday() >= _SATURDAY and not name
        return [Line(day, Why.WEEKEND if weekend else Why.HOLIDAY, name=name)]
    else:
        stretches = calendar.stretches(day)
        why = Why.SWAP_DAY if day.weekday() >= _SATURDAY else Why.COUNTED
    clipped = [(max(begins, start_ms), min(ends, due_ms)) for begins, ends in stretches]
    note = name if why is Why.SWAP_DAY else ""
    counted = [Line(day, why, begins, ends, note) for begins, ends in clipped if begins < ends]
    if counted or not at_work:
        return counted
    return [Line(day, Why.OUTSIDE)]
