"""The office's clock a second time, as naively as can be: minute by minute, in local time, nothing clever.

It shares no code with ``db.calendars.rules``. Moments are local datetimes on whole minutes; pauses hold
from their first minute up to, not including, their last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

MINUTE = timedelta(minutes=1)
Pause = tuple[datetime, datetime]


@dataclass(frozen=True)
class Hours:
    """Minutes of the day from one (inclusive) to another (exclusive), and when they hold."""

    begins: int
    ends: int
    valid_from: date = date(1900, 1, 1)
    valid_to: date = date(2200, 1, 1)
    season: tuple[tuple[int, int], tuple[int, int]] | None = None
    """First and last (month, day), both included."""

    def holds(self, day: date) -> bool:
        if not self.valid_from <= day <= self.valid_to:
            return False
        if self.season is None:
            return True
        first, last = self.season
        # Walk the season from its first day on until its last, over New Year if need be.
        walk = date(2000, *first)
        while (walk.month, walk.day) != (day.month, day.day):
            if (walk.month, walk.day) == last:
                return False
            walk += timedelta(days=1)
        return True


@dataclass
class Office:
    """Days that differ from Monday to Friday (True: worked) and the hours of a day."""

    days: dict[date, bool]
    hours: Sequence[Hours]
    same_time: bool = False
    _open: dict[date, frozenset[int]] = field(default_factory=dict)

    def open_minutes(self, day: date) -> frozenset[int]:
        """The minutes of a day in which the office works."""
        if day not in self._open:
            self._open[day] = self._look_up(day)
        return self._open[day]

    def works(self, minute: datetime) -> bool:
        return minute.hour * 60 + minute.minute in self.open_minutes(minute.date())

    def due(
        self, start: datetime, limits: Sequence[tuple[int, str]], pauses: Sequence[Pause] = ()
    ) -> datetime:
        """When all limits have gone one after the other; those of one unit are added up first."""
        units = list(dict.fromkeys(unit for _amount, unit in limits))
        at = start
        for unit in units:
            at = self._one(at, sum(amount for amount, name in limits if name == unit), unit, pauses)
        return at

    def _one(self, start: datetime, amount: int, unit: str, pauses: Sequence[Pause]) -> datetime:
        if amount == 0:
            return start
        if unit == "working_day" and self.same_time:
            due, since = self._same_time_later(start, amount), start
            for begins, ends in sorted(pauses):
                paused = max(begins, since)
                if paused < ends and paused < due:
                    due = max(due, self._walk(ends, self._working_minutes(paused, due), True, []))
                    since = ends
            return due
        minutes = {
            "urgent_hour": 60,
            "urgent_day": 1440,
            "natural_day": 1440,
            "working_hour": 60,
            "working_day": 8 * 60,
        }[unit]
        return self._walk(start, amount * minutes, unit.startswith("working"), pauses)

    def _walk(self, start: datetime, minutes: int, at_work: bool, pauses: Sequence[Pause]) -> datetime:
        at, left = start, minutes
        while left:
            paused = any(begins <= at < ends for begins, ends in pauses)
            if not paused and (not at_work or self.works(at)):
                left -= 1
            at += MINUTE
        return at

    def _same_time_later(self, start: datetime, days: int) -> datetime:
        begun = start
        while not self.works(begun):
            begun += MINUTE
        day, left = begun.date(), days
        while left:
            day += timedelta(days=1)
            if self.open_minutes(day):
                left -= 1
        return datetime.combine(day, begun.time())

    def _working_minutes(self, start: datetime, end: datetime) -> int:
        count, at = 0, start
        while at < end:
            count += self.works(at)
            at += MINUTE
        return count

    def _look_up(self, day: date) -> frozenset[int]:
        worked = self.days[day] if day in self.days else day.isoweekday() <= 5
        if not worked:
            return frozenset()
        of_season = [hours for hours in self.hours if hours.season is not None and hours.holds(day)]
        others = [hours for hours in self.hours if hours.season is None and hours.holds(day)]
        return frozenset(
            minute for hours in of_season or others for minute in range(hours.begins, hours.ends)
        )
