"""What is usual at this hour: days of the same kind in the last eight weeks, and yesterday at this time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
from sqlalchemy import BigInteger, Connection, func, select, type_coerce
from sqlalchemy.sql.elements import ColumnElement

from db.calendars.queries import load_calendar
from db.calendars.rules import WorkingCalendar
from db.cases.queries import CLOSINGS
from db.cases.tables import case as cases
from db.engine.connections import Database
from db.live.columns import Float64, Int64, Mask
from db.live.days import day_of, midnight

WEEKS = 8
HOURS = 24
HOUR_MS = 3_600_000


@dataclass(frozen=True, eq=False)
class Band:
    """For each hour of the day (24 values): the 10th, the 50th and the 90th of a hundred usual days."""

    low: Float64
    middle: Float64
    high: Float64

    def so_far(self, share: float, hour: int) -> float:
        """The middle count from midnight until ``share`` of ``hour`` has gone."""
        return float(self.middle[:hour].sum() + share * self.middle[hour])


@dataclass(frozen=True, eq=False)
class Usual:
    """The usual of one day. ``days`` is how many days of its kind were found; 0 = nothing to compare with."""

    day: date
    is_workday: bool
    days: int
    arrivals: Band
    closings: Band
    day_start_ms: int
    yesterday_start_ms: int
    reported_yesterday: Int64
    """Moments at which cases arrived yesterday, ascending."""
    closed_yesterday: Int64
    """Moments of yesterday's closings, ascending."""
    ended_yesterday: Int64
    """Moments at which cases of yesterday reached any end, refused and void ones too, ascending."""

    def arrived_by(self, now_ms: int) -> int:
        """How many cases had arrived yesterday by this time of day."""
        return self._by(self.reported_yesterday, now_ms)

    def closed_by(self, now_ms: int) -> int:
        """How many cases had been closed yesterday by this time of day."""
        return self._by(self.closed_yesterday, now_ms)

    def open_at(self, now_ms: int, open_now: int, arrived_today: int, ended_today: int) -> int:
        """How many cases were open yesterday at this time: without what came since, with what ended since."""
        arrived_since = len(self.reported_yesterday) - self.arrived_by(now_ms) + arrived_today
        ended_since = len(self.ended_yesterday) - self._by(self.ended_yesterday, now_ms) + ended_today
        return open_now - arrived_since + ended_since

    def _by(self, moments: Int64, now_ms: int) -> int:
        then = self.yesterday_start_ms + (now_ms - self.day_start_ms)
        return int(np.searchsorted(moments, then, side="right"))


class UsualDays:
    """Keeps the usual of a day once it has been read; for worker threads, as reading takes up to a second."""

    def __init__(self, database: Database, zone: ZoneInfo) -> None:
        self.database = database
        self.zone = zone
        self._kept: Usual | None = None

    def of(self, now_ms: int) -> Usual:
        """The usual for the local day of a moment; raises ``Unavailable``."""
        day = day_of(now_ms, self.zone)
        kept = self._kept
        if kept is None or kept.day != day:
            with self.database.read() as connection:
                kept = load_usual(connection, day, self.zone, load_calendar(connection))
            self._kept = kept
        return kept


def load_usual(connection: Connection, day: date, zone: ZoneInfo, calendar: WorkingCalendar) -> Usual:
    """Read the eight weeks before ``day``; two walks along an index, whatever the size of the table."""
    first = day - timedelta(weeks=WEEKS)
    past = [first + timedelta(days=i) for i in range(7 * WEEKS)]
    is_workday = _is_workday(day, zone, calendar)
    yesterday = day - timedelta(days=1)
    begins, ends = midnight(yesterday, zone), midnight(day, zone)
    reported = type_coerce(cases.c.reported_at, BigInteger)
    closed = type_coerce(cases.c.closed_at, BigInteger)
    is_closing = cases.c.state.in_(sorted(CLOSINGS))
    arrivals = _by_day_and_hour(connection, reported, None, past, zone)
    closings = _by_day_and_hour(connection, closed, is_closing, past, zone)
    # A day before the first entry is no day without cases: the database had not begun.
    begun = np.cumsum((arrivals + closings).sum(axis=1)) > 0
    same = begun & np.array([_is_workday(one, zone, calendar) == is_workday for one in past])
    return Usual(
        day=day,
        is_workday=is_workday,
        days=int(np.count_nonzero(same)),
        arrivals=_band(arrivals, same),
        closings=_band(closings, same),
        day_start_ms=ends,
        yesterday_start_ms=begins,
        reported_yesterday=_moments(connection, reported, None, begins, ends),
        closed_yesterday=_moments(connection, closed, is_closing, begins, ends),
        ended_yesterday=_moments(connection, closed, None, begins, ends),
    )


def _by_day_and_hour(
    connection: Connection,
    moment: ColumnElement[int],
    wanted: ColumnElement[bool] | None,
    days: list[date],
    zone: ZoneInfo,
) -> npt.NDArray[np.int64]:
    """Counts per day (line) and hour since its midnight (column)."""
    starts = np.array([midnight(day, zone) for day in [*days, days[-1] + timedelta(days=1)]])
    begins, ends = int(starts[0]), int(starts[-1])
    # Hours counted from the first midnight are the clock's hours, as long as no clock is set to another time.
    hour = ((moment - begins) // HOUR_MS).label("hour")
    statement = select(hour, func.count()).where(moment >= begins, moment < ends).group_by(hour)
    if wanted is not None:
        statement = statement.where(wanted)
    counts = np.zeros((len(days), HOURS), dtype=np.int64)
    for place, count in connection.execute(statement):
        at = begins + int(place) * HOUR_MS
        line = int(np.searchsorted(starts, at, side="right")) - 1
        counts[line, min((at - int(starts[line])) // HOUR_MS, HOURS - 1)] += count
    return counts


def _moments(
    connection: Connection,
    moment: ColumnElement[int],
    wanted: ColumnElement[bool] | None,
    begins: int,
    ends: int,
) -> Int64:
    statement = select(moment).where(moment >= begins, moment < ends).order_by(moment)
    if wanted is not None:
        statement = statement.where(wanted)
    return np.array(connection.execute(statement).scalars().all(), dtype=np.int64)


def _band(counts: Int64, same: Mask) -> Band:
    if not same.any():
        nothing = np.zeros(HOURS)
        return Band(nothing, nothing, nothing)
    low, middle, high = np.percentile(counts[same], [10, 50, 90], axis=0)
    return Band(low, middle, high)


def _is_workday(day: date, zone: ZoneInfo, calendar: WorkingCalendar) -> bool:
    """Whether the office works on a day. No due time hangs on it, so an unknown year goes by its weekdays."""
    if day.year not in calendar.years:
        return day.weekday() < 5
    edges = np.array([midnight(day, zone), midnight(day + timedelta(days=1), zone)])
    worked = calendar.worked(edges)
    return bool(worked[1] > worked[0])
