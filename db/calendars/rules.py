"""Limits and the office's clock: when is something due, and how much working time lies between two moments.

Pure: a ``WorkingCalendar`` is built from plain days and windows and knows nothing of databases.
Rules and test vectors: DOMAIN 1.7 and 1.8 (local table of 运城; the units of GB/T 30428.8).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from db.kernel.clock import from_ms, to_ms
from db.kernel.language import N_
from db.kernel.refusal import Refused

Ms = npt.NDArray[np.int64]
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
    """A stretch of the day in which the office works, between two dates (inclusive; ``None`` = for good)."""

    begins: time
    ends: time
    valid_from: date = date.min
    valid_to: date | None = None

    def holds_on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


class WorkingCalendar:
    """Working time of known years as sorted intervals, so that a due time is two binary searches.

    ``days`` maps a date to True (worked: 调休) or False (off); other days are Monday to Friday. Years
    that are not in ``years`` are missing: asking for working time there is refused, never guessed.
    """

    def __init__(
        self,
        years: Sequence[int],
        days: Mapping[date, bool],
        windows: Sequence[Window],
        zone: str = "Asia/Shanghai",
    ) -> None:
        self.zone = ZoneInfo(zone)
        self.years = tuple(sorted(years))
        begins: list[int] = []
        ends: list[int] = []
        for year in self.years:
            day = date(year, 1, 1)
            while day.year == year:
                if days.get(day, day.weekday() < 5):
                    for window in sorted(windows, key=lambda w: w.begins):
                        if window.holds_on(day):
                            begins.append(self._ms(day, window.begins))
                            ends.append(self._ms(day, window.ends))
                day += timedelta(days=1)
        self._begins: Ms = np.array(begins, dtype=np.int64)
        self._ends: Ms = np.array(ends, dtype=np.int64)
        if (self._begins[1:] < self._ends[:-1]).any():
            raise ValueError("two working windows of one day overlap")
        # Working time gone before each interval; one more entry for the total.
        self._gone: Ms = np.concatenate([[0], np.cumsum(self._ends - self._begins)]).astype(np.int64)

    def _ms(self, day: date, at: time) -> int:
        return to_ms(datetime.combine(day, at, self.zone))

    def known(self, moment_ms: int) -> bool:
        """Whether the calendar of that moment's year is there."""
        return from_ms(moment_ms).astimezone(self.zone).year in self.years

    def worked(self, moments: Ms) -> Ms:
        """Working milliseconds from the first known day up to each moment."""
        if not len(self._begins):
            return np.zeros(len(moments), dtype=np.int64)
        index = np.searchsorted(self._begins, moments, side="right") - 1
        inside = np.clip(index, 0, None)
        within = np.minimum(moments, self._ends[inside]) - self._begins[inside]
        return np.where(index < 0, 0, self._gone[inside] + within)

    def at_worked(self, worked: Ms) -> Ms:
        """The first moment at which so much working time has gone; the inverse of ``worked``."""
        index = np.clip(np.searchsorted(self._gone, worked, side="left") - 1, 0, len(self._begins) - 1)
        return self._begins[index] + (worked - self._gone[index])

    def due(self, start_ms: int, limit: Limit, share: float = 1.0) -> int:
        """When ``share`` of ``limit`` has gone since ``start_ms``; milliseconds since 1970 UTC.

        Raises ``Refused("calendar_missing")`` when the years in between are not all known.
        """
        allowed = np.array([round(limit.length_ms * share)])
        return int(self._after(np.array([start_ms]), allowed, np.array([limit.at_work]))[0])

    def due_many(
        self,
        start_ms: Ms,
        amounts: npt.NDArray[np.int64],
        units: Sequence[str] | npt.NDArray[np.str_],
    ) -> tuple[Ms, Ms]:
        """Due and amber moments of many cases at once: ``(due_at, soon_at)``, arrays of the same length."""
        names = np.asarray(units)
        length = np.zeros(len(start_ms), dtype=np.int64)
        at_work = np.zeros(len(start_ms), dtype=bool)
        for unit in LimitUnit:
            chosen = names == unit.value
            length[chosen] = amounts[chosen] * Limit(1, unit).length_ms
            at_work |= chosen & (unit in _RUNS_AT_WORK)
        soon = np.round(length * SOON_SHARE).astype(np.int64)
        return self._after(start_ms, length, at_work), self._after(start_ms, soon, at_work)

    def _after(self, start_ms: Ms, allowed: Ms, at_work: npt.NDArray[np.bool_]) -> Ms:
        """When ``allowed`` milliseconds have gone, by the office's clock where ``at_work``."""
        due = start_ms + allowed
        if at_work.any():
            start = start_ms[at_work]
            self._demand(int(start.min()), int(start.max()))
            worked = self.worked(start) + allowed[at_work]
            if int(worked.max()) > int(self._gone[-1]):
                raise _missing(self.years[-1] + 1)
            # Nothing allowed outside working hours is due at once, not at the end of the hours before.
            due[at_work] = np.maximum(self.at_worked(worked), start)
            self._demand(int(start.min()), int(due[at_work].max()))
        return due

    def _demand(self, first_ms: int, last_ms: int) -> None:
        """Refuse when a year from the first moment to the last is missing, also one in between."""
        first, last = (from_ms(moment).astimezone(self.zone).year for moment in (first_ms, last_ms))
        for year in range(first, last + 1):
            if year not in self.years:
                raise _missing(year)


def _missing(year: int) -> Refused:
    return Refused(
        "calendar_missing",
        N_("The working calendar of {year} is missing; load it before cases can be timed."),
        year=year,
    )
