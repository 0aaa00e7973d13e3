"""Limits and the office's clock: when is something due, and how much working time lies between two moments.

Pure: a ``WorkingCalendar`` is built from plain days and windows and knows nothing of databases.
Rules and test vectors: DOMAIN 1.7 and 1.8 (local table of 运城; the units of GB/T 30428.8).

What begins outside the office's hours begins, for the working units, when the office opens next. What ends
with a window is due at that window's end, not when the next one begins.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from db.kernel.clock import from_ms, to_ms
from db.kernel.language import N_
from db.kernel.refusal import Refused

Ms = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Pauses = Sequence[tuple[int, int]]
"""Stretches in which the clock stands still: from and to, milliseconds since 1970 UTC."""
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
WORKING_DAY_HOURS = 8
"""One 工作日 as working hours (DOMAIN 1.7)."""
SOON_SHARE = 0.8
"""The light turns amber when this share of the limit has gone (DOMAIN 2.5)."""


class LimitUnit(StrEnum):
    """The five units in which the standards give a limit."""

    URGENT_HOUR = "urgent_hour"
    URGENT_DAY = "urgent_day"
    WORKING_HOUR = "working_hour"
    WORKING_DAY = "working_day"
    NATURAL_DAY = "natural_day"


_RUNS_ALWAYS = {LimitUnit.URGENT_HOUR: HOUR_MS, LimitUnit.URGENT_DAY: DAY_MS, LimitUnit.NATURAL_DAY: DAY_MS}
_RUNS_AT_WORK = {LimitUnit.WORKING_HOUR: HOUR_MS, LimitUnit.WORKING_DAY: WORKING_DAY_HOURS * HOUR_MS}
UNIT_LABELS = {
    LimitUnit.URGENT_HOUR: N_("urgent hours"),  # zh: 紧急工作时
    LimitUnit.URGENT_DAY: N_("urgent days"),  # zh: 紧急工作日
    LimitUnit.WORKING_HOUR: N_("working hours"),  # zh: 工作时
    LimitUnit.WORKING_DAY: N_("working days"),  # zh: 工作日
    LimitUnit.NATURAL_DAY: N_("calendar days"),  # zh: 自然日
}


class WorkingDay(StrEnum):
    """What 1 工作日 is: so many working hours, or until the same clock time of the next working day."""

    HOURS = "hours"
    SAME_TIME = "same_time"


WORKING_DAY_LABELS = {
    WorkingDay.HOURS: N_("8 working hours"),  # zh: 8 个工作时
    WorkingDay.SAME_TIME: N_("same time on the next working day"),  # zh: 下一工作日同一时刻
}


@dataclass(frozen=True)
class Limit:
    """A number with its unit; the two never travel apart (PEERS 9.3)."""

    amount: int
    unit: LimitUnit

    @property
    def at_work(self) -> bool:
        """Whether it counts working time only."""
        return self.unit in _RUNS_AT_WORK

    @property
    def length_ms(self) -> int:
        """How much time of its own clock it allows, in milliseconds."""
        return self.amount * (_RUNS_AT_WORK.get(self.unit) or _RUNS_ALWAYS[self.unit])


@dataclass(frozen=True)
class Window:
    """A stretch of the day in which the office works, between two dates (inclusive; ``None`` = for good).

    ``season_from`` and ``season_to`` ("MM-DD", inclusive, may reach over New Year) make it come back every
    year. On a day of a season only windows with a season count, so a season lists its whole day. ``ends`` at
    00:00 is the end of the day.
    """

    begins: time
    ends: time
    valid_from: date = date.min
    valid_to: date | None = None
    season_from: str | None = None
    season_to: str | None = None

    @property
    def seasonal(self) -> bool:
        return self.season_from is not None and self.season_to is not None

    def holds_on(self, day: date) -> bool:
        """Whether it is in force on a day and, if it has a season, the day lies in it."""
        if day < self.valid_from or (self.valid_to is not None and self.valid_to < day):
            return False
        if self.season_from is None or self.season_to is None:
            return True
        today = f"{day:%m-%d}"
        if self.season_from <= self.season_to:
            return self.season_from <= today <= self.season_to
        return today >= self.season_from or today <= self.season_to

    @property
    def minutes(self) -> tuple[int, int]:
        """Begin and end in minutes after midnight; the end of the day is 1440."""
        begins, ends = (at.hour * 60 + at.minute for at in (self.begins, self.ends))
        return begins, ends or 24 * 60


def windows_on(windows: Sequence[Window], day: date) -> list[Window]:
    """The windows of one day in order; those of a season take the place of all others."""
    holding = [window for window in windows if window.holds_on(day)]
    seasonal = [window for window in holding if window.seasonal]
    return sorted(seasonal or holding, key=lambda window: window.begins)


def demand_orderly(windows: Sequence[Window], day: date) -> None:
    """Raise ``ValueError`` when a window of that day ends before it begins, or two of them overlap."""
    stretches = [window.minutes for window in windows_on(windows, day)]
    if any(ends <= begins for begins, ends in stretches):
        raise ValueError("a working window ends before it begins")
    if any(later[0] < earlier[1] for earlier, later in pairwise(stretches)):
        raise ValueError("two working windows of one day overlap")


@dataclass(frozen=True)
class _Hole:
    """A stretch in which nothing can be timed: a year that is missing, or a working day without windows."""

    begins: int
    ends: int
    day: date | None = None


_LONG_AGO = -(2**62)
_NEVER = 2**62


class WorkingCalendar:
    """Working time of known years as sorted intervals, so that a due time is two binary searches.

    ``days`` maps a date to True (worked: 调休) or False (off); other days are Monday to Friday. Years
    that are not in ``years`` are missing: asking for working time there is refused, never guessed, and so is
    a working day on which no window is in force. ``working_days`` lists from when on which rule for one
    working day holds; a clock keeps the rule of the day on which it began.
    """

    def __init__(
        self,
        years: Sequence[int],
        days: Mapping[date, bool],
        windows: Sequence[Window],
        zone: str = "Asia/Shanghai",
        working_days: Sequence[tuple[date, WorkingDay]] = (),
    ) -> None:
        self.zone = ZoneInfo(zone)
        self.years = tuple(sorted(set(years)))
        self._days = dict(days)
        self._windows = tuple(windows)
        # Windows that were seen together on a day, and their minutes.
        self._orderly: dict[tuple[Window, ...], list[tuple[int, int]]] = {}
        begins: list[int] = []
        ends: list[int] = []
        opened: list[int] = []
        holes: list[_Hole] = []
        known_to = _LONG_AGO
        for year in self.years:
            first, last = self._midnight(date(year, 1, 1)), self._midnight(date(year + 1, 1, 1))
            if first > known_to:
                holes.append(_Hole(known_to, first))
            known_to = last
            for day in _days_of(year):
                if not self.is_workday(day):
                    continue
                stretches = self.stretches(day)
                if not stretches:
                    holes.append(_Hole(*self.whole_day(day), day))
                    continue
                opened.append(self._midnight(day))
                begins.extend(begin for begin, _end in stretches)
                ends.extend(end for _begin, end in stretches)
        if self.years:
            holes.append(_Hole(known_to, _NEVER))
        self._holes = tuple(holes)
        self._hole_begins: Ms = np.array([hole.begins for hole in holes], dtype=np.int64)
        self._hole_ends: Ms = np.array([hole.ends for hole in holes], dtype=np.int64)
        self._begins: Ms = np.array(begins, dtype=np.int64)
        self._ends: Ms = np.array(ends, dtype=np.int64)
        # Midnights of the days on which the office opens.
        self._opened: Ms = np.array(opened, dtype=np.int64)
        # Working time gone before each interval; one more entry for the total.
        self._gone: Ms = np.concatenate([[0], np.cumsum(self._ends - self._begins)]).astype(np.int64)
        changes = sorted(working_days)
        self._rule_from: Ms = np.array([self._midnight(day) for day, _rule in changes], dtype=np.int64)
        # Before the first change a working day is so many hours.
        self._rule_same_time: Flags = np.array(
            [False, *(rule is WorkingDay.SAME_TIME for _day, rule in changes)], dtype=bool
        )

    def is_workday(self, day: date) -> bool:
        """Whether the office works on a day of a known year: swap days, holidays, else Monday to Friday."""
        return self._days.get(day, day.weekday() < 5)

    def stretches(self, day: date) -> list[tuple[int, int]]:
        """The windows in force on a day, worked or not, as milliseconds since 1970 UTC.

        Raises ``ValueError`` when they overlap.
        """
        holding = tuple(windows_on(self._windows, day))
        if holding not in self._orderly:
            demand_orderly(holding, day)
            self._orderly[holding] = [window.minutes for window in holding]
        return [(self._at(day, begins), self._at(day, ends)) for begins, ends in self._orderly[holding]]

    def whole_day(self, day: date) -> tuple[int, int]:
        """From midnight to midnight, as milliseconds since 1970 UTC."""
        return self._midnight(day), self._midnight(day + timedelta(days=1))

    def known(self, moment_ms: int) -> bool:
        """Whether the calendar of that moment's year is there."""
        return self._year(moment_ms) in self.years

    def rule_at(self, moment_ms: int) -> WorkingDay:
        """What a working day is for a clock that begins at that moment."""
        same = self._same_time(np.array([moment_ms]))[0]
        return WorkingDay.SAME_TIME if same else WorkingDay.HOURS

    def worked(self, moments: Ms) -> Ms:
        """Working milliseconds from the first known day up to each moment; what is missing counts nothing."""
        if not len(self._begins):
            return np.zeros(len(moments), dtype=np.int64)
        index = np.searchsorted(self._begins, moments, side="right") - 1
        inside = np.clip(index, 0, None)
        within = np.minimum(moments, self._ends[inside]) - self._begins[inside]
        return np.where(index < 0, 0, self._gone[inside] + within)

    def at_worked(self, worked: Ms) -> Ms:
        """The first moment at which so much working time has gone; the inverse of ``worked``.

        Raises ``Refused`` when the office never works.
        """
        if not len(self._begins):
            first = self._midnight(date(self.years[0], 1, 1)) if self.years else 0
            self._demand(np.array([first]), np.array([_NEVER]))
        index = np.clip(np.searchsorted(self._gone, worked, side="left") - 1, 0, len(self._begins) - 1)
        return self._begins[index] + (worked - self._gone[index])

    def worked_between(self, start_ms: int, end_ms: int) -> int:
        """Working milliseconds from one moment to a later one.

        Raises ``Refused`` (``calendar_missing``, ``windows_missing``) when a day in between is not known.
        """
        ends = np.array([start_ms, end_ms])
        self._demand(ends[:1], ends[1:])
        worked = self.worked(ends)
        return int(worked[1] - worked[0])

    def due(self, start_ms: int, limit: Limit, share: float = 1.0) -> int:
        """When ``share`` of ``limit`` has gone since ``start_ms``; milliseconds since 1970 UTC.

        Raises ``Refused("calendar_missing")`` when the years in between are not all known, and
        ``Refused("windows_missing")`` when a working day in between has no windows.
        """
        amounts, units = np.array([limit.amount]), [limit.unit.value]
        return int(self._ends_at(np.array([start_ms]), amounts, units, share)[0])

    def soon(self, start_ms: int, limit: Limit) -> int:
        """When the light turns amber; refuses like ``due``."""
        return self.due(start_ms, limit, SOON_SHARE)

    def due_many(
        self,
        start_ms: Ms,
        amounts: npt.NDArray[np.int64],
        units: Sequence[str] | npt.NDArray[np.str_],
    ) -> tuple[Ms, Ms]:
        """Due and amber moments of many cases at once: ``(due_at, soon_at)``, arrays of the same length."""
        return (
            self._ends_at(start_ms, amounts, units, 1.0),
            self._ends_at(start_ms, amounts, units, SOON_SHARE),
        )

    def due_with_pauses(
        self,
        start_ms: int,
        limit: Limit,
        pauses: Pauses = (),
        extra: Sequence[Limit] = (),
        share: float = 1.0,
    ) -> int:
        """When ``share`` of a limit with its postponements (``extra``) has gone, pauses not counted.

        Pauses may touch, overlap and come in any order; one that still lasts must be given an end. A limit
        until the same clock time moves on by the working time that falls into a pause.
        Refuses like ``due``; a day that is not known may lie in a pause.
        """
        still = _in_order(pauses)
        same_time = self.rule_at(start_ms) is WorkingDay.SAME_TIME
        at = start_ms
        for part in _gathered([limit, *extra]):
            at = self._run_out(at, part, still, same_time)
        if share == 1.0:
            return at
        allowed = self._running(start_ms, at, still, limit.at_work)
        return self._forward(start_ms, round(allowed * share), still, limit.at_work)

    def running(self, start_ms: int, end_ms: int, limit: Limit, pauses: Pauses = ()) -> int:
        """Milliseconds by the clock of ``limit`` from one moment to a later one, pauses not counted."""
        return self._running(start_ms, end_ms, _in_order(pauses), limit.at_work)

    def _ends_at(
        self,
        start_ms: Ms,
        amounts: npt.NDArray[np.int64],
        units: Sequence[str] | npt.NDArray[np.str_],
        share: float,
    ) -> Ms:
        names = np.asarray(units)
        length = np.zeros(len(start_ms), dtype=np.int64)
        at_work = np.zeros(len(start_ms), dtype=bool)
        for unit in LimitUnit:
            chosen = names == unit.value
            length[chosen] = amounts[chosen] * Limit(1, unit).length_ms
            at_work |= chosen & (unit in _RUNS_AT_WORK)
        due = start_ms + np.round(length * share).astype(np.int64)
        by_day = (names == LimitUnit.WORKING_DAY.value) & (amounts > 0) & self._same_time(start_ms)
        by_hour = at_work & ~by_day
        if by_hour.any():
            due[by_hour] = self._after(start_ms[by_hour], due[by_hour] - start_ms[by_hour])
        if by_day.any():
            start = start_ms[by_day]
            ends = self._days_after(start, amounts[by_day])
            if share != 1.0:
                allowed = self.worked(ends) - self.worked(start)
                ends = self._after(start, np.round(allowed * share).astype(np.int64))
            due[by_day] = ends
        return due

    def _after(self, start: Ms, allowed: Ms) -> Ms:
        """When so many working milliseconds have gone."""
        if not len(self._begins):
            self._demand(start, np.full(len(start), _NEVER))
        worked = self.worked(start) + allowed
        # Nothing allowed outside working hours is due at once, not at the end of the hours before.
        due = np.maximum(self.at_worked(np.minimum(worked, self._gone[-1])), start)
        due[worked > self._gone[-1]] = _NEVER
        self._demand(start, due)
        return due

    def _days_after(self, start: Ms, days: npt.NDArray[np.int64]) -> Ms:
        """The same clock time so many working days later; outside the hours the office's opening counts."""
        if not len(self._begins):
            self._demand(start, np.full(len(start), _NEVER))
        index = np.searchsorted(self._ends, start, side="right")
        begun = np.maximum(start, self._begins[np.minimum(index, len(self._begins) - 1)])
        day = np.searchsorted(self._opened, begun, side="right") - 1
        later = day + days
        there = (index < len(self._begins)) & (later < len(self._opened))
        target = self._opened[np.minimum(later, len(self._opened) - 1)]
        due = np.where(there, target + begun - self._opened[day], np.int64(_NEVER))
        self._demand(start, due)
        return due

    def _run_out(self, start_ms: int, limit: Limit, still: Pauses, same_time: bool) -> int:
        """When a limit has gone by its own clock, standing still in the pauses."""
        if not (limit.unit is LimitUnit.WORKING_DAY and same_time and limit.amount):
            return self._forward(start_ms, limit.length_ms, still, limit.at_work)
        due = int(self._days_after(np.array([start_ms]), np.array([limit.amount]))[0])
        at = start_ms
        for begins, ends in still:
            if ends <= at:
                continue
            paused = max(begins, at)
            if due <= paused:
                break
            # The same clock time may lie after the hours: no pause of no working time brings it forward.
            due = max(due, self._forward(ends, self.worked_between(paused, due), (), True))
            at = ends
        return due

    def _forward(self, start_ms: int, length: int, still: Pauses, at_work: bool) -> int:
        at = start_ms
        for begins, ends in still:
            if ends <= at:
                continue
            runs = self._lapse(at, begins, at_work) if begins > at else 0
            if length <= runs:
                break
            length -= runs
            at = ends
        if not at_work:
            return at + length
        return int(self._after(np.array([at]), np.array([length]))[0])

    def _running(self, start_ms: int, end_ms: int, still: Pauses, at_work: bool) -> int:
        total, at = 0, start_ms
        for begins, ends in still:
            if ends <= at or begins >= end_ms:
                continue
            total += self._lapse(at, begins, at_work) if begins > at else 0
            at = ends
        return total + (self._lapse(at, end_ms, at_work) if end_ms > at else 0)

    def _lapse(self, start_ms: int, end_ms: int, at_work: bool) -> int:
        return self.worked_between(start_ms, end_ms) if at_work else end_ms - start_ms

    def _same_time(self, moments: Ms) -> Flags:
        return self._rule_same_time[np.searchsorted(self._rule_from, moments, side="right")]

    def _demand(self, starts: Ms, ends: Ms) -> None:
        """Refuse when a year or day from a start to its end is not known, also one in between."""
        if not self._holes:
            raise _missing(self._year(int(starts[0])))
        # The first hole that ends after the start; when that one is not reached, none is.
        index = np.searchsorted(self._hole_ends, starts, side="right")
        begins = self._hole_begins[index]
        fallen = (begins < ends) | (begins <= starts)
        if fallen.any():
            place = int(np.argmax(fallen))
            self._refuse(int(starts[place]), int(index[place]))

    def _refuse(self, start_ms: int, index: int) -> None:
        """Say what is missing: the hole's day without windows, or its first year that is needed."""
        hole = self._holes[index]
        if hole.day is not None:
            raise Refused(
                "windows_missing",
                N_("No working hours are set for {day}; set them before cases can be timed."),
                day=hole.day.isoformat(),
            )
        raise _missing(self._year(max(hole.begins, start_ms)))

    def _year(self, moment_ms: int) -> int:
        return from_ms(moment_ms).astimezone(self.zone).year

    def _midnight(self, day: date) -> int:
        return to_ms(datetime.combine(day, time(), self.zone))

    def _at(self, day: date, minutes: int) -> int:
        if minutes == 24 * 60:
            return self._midnight(day + timedelta(days=1))
        return to_ms(datetime.combine(day, time(minutes // 60, minutes % 60), self.zone))


def _days_of(year: int) -> Iterator[date]:
    day = date(year, 1, 1)
    while day.year == year:
        yield day
        day += timedelta(days=1)


def _in_order(pauses: Pauses) -> list[tuple[int, int]]:
    """Pauses as they begin, empty ones left out; they may overlap."""
    return sorted((begins, ends) for begins, ends in pauses if begins < ends)


def _gathered(limits: Sequence[Limit]) -> list[Limit]:
    """Limits of the same unit added up, in the order in which the units come first."""
    amounts: dict[LimitUnit, int] = {}
    for limit in limits:
        amounts[limit.unit] = amounts.get(limit.unit, 0) + limit.amount
    return [Limit(amount, unit) for unit, amount in amounts.items()]


def _missing(year: int) -> Refused:
    return Refused(
        "calendar_missing",
        N_("The working calendar of {year} is missing; load it before cases can be timed."),
        year=year,
    )
