"""Patrols: when collectors work, how often each cell was passed against the plan, and which visits are still
due.

A visit is somebody's coming, at least ``patrol.apart_minutes`` after the last one that counted: who stands
about all day has been there once, and who turns round at the corner every minute has not been there sixty
times (DOMAIN 5, no. 42: visits done, longest gap).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import numpy.typing as npt
import shapely
from sqlalchemy import BigInteger, Connection, select, type_coerce

from db.calendars.queries import load_calendar
from db.engine import settings
from db.kernel.clock import to_ms
from db.kernel.geo import EARTH_METRES
from db.people.tables import track
from db.people.tracking import AtWork, Floats, Ints
from db.registers.locating import locator_of
from db.registers.tables import area, sensitive

SHIFTS = "track.shifts"
"""The setting with the hours in which collectors work, as [["06:00", "14:00"], …], every day; else the
calendar's.
"""
APART = "patrol.apart_minutes"
APART_MINUTES = 30
_DAY_MS = 86_400_000


@dataclass(frozen=True)
class Density:
    """Plan and fact of one day by cell: arrays of the same length."""

    day: date
    cell_id: Ints
    plan: Floats
    """Visits planned; NaN where there is no plan, 0 on a day off."""
    visits: Ints
    last_at: Ints
    """When somebody was last there, in milliseconds since 1970 UTC; 0 = not on this day."""
    longest_gap_ms: Ints
    """The longest time without anybody, from the beginning of work to now or to its end."""

    @property
    def percent_done(self) -> float:
        """Planned visits that were made, in percent; NaN without a plan."""
        planned = np.nan_to_num(self.plan)
        total = float(planned.sum())
        return 100.0 * float(np.minimum(self.visits, planned).sum()) / total if total else float("nan")


@dataclass(frozen=True)
class SensitiveVisits:
    """A sensitive place on one day: visits due and made."""

    id: int
    kind: str
    name: str
    name_en: str
    lon: float
    lat: float
    radius: float
    planned: int
    visits: int
    last_at_ms: int

    @property
    def due(self) -> int:
        """Visits that are still to be made today."""
        return max(0, self.planned - self.visits)


def at_work(connection: Connection) -> AtWork:
    """Tells of moments whether collectors work then: the shifts of the setting, else the working calendar."""
    shifts = settings.get(connection, SHIFTS)
    if shifts is None:
        calendar = load_calendar(connection)
        # Working time goes on over the millisecond exactly when the office works in it.
        return lambda moments: calendar.worked(moments + 1) > calendar.worked(moments)
    zone = settings.zone_of(connection)
    stretches = [(_minutes(begins), _minutes(ends)) for begins, ends in shifts]

    def works(moments: Ints) -> npt.NDArray[np.bool_]:
        local = [datetime.fromtimestamp(moment / 1000, zone) for moment in moments.tolist()]
        minutes = np.array([at.hour * 60 + at.minute for at in local])
        inside = np.zeros(len(minutes), dtype=bool)
        for begins, ends in stretches:
            if begins < ends:
                inside |= (begins <= minutes) & (minutes < ends)
            else:
                inside |= (begins <= minutes) | (minutes < ends)
        return inside

    return works


def density(connection: Connection, day: date, now: datetime) -> Density:
    """How often each cell was passed on a day (of the city), against ``area.visits_per_day``."""
    begins, ends = _day(connection, day)
    c = area.c
    cells = connection.execute(
        select(c.id, c.visits_per_day).where(c.kind == "cell", c.ended_on.is_(None)).order_by(c.code)
    ).all()
    ids = np.array([row.id for row in cells], dtype=np.int64)
    plan = np.array([np.nan if row.visits_per_day is None else row.visits_per_day for row in cells])
    worked = _worked_of(connection, day, begins, ends)
    if worked is None:
        plan[~np.isnan(plan)] = 0.0
    points = _points(connection, begins, ends)
    cell = locator_of(connection).locate_many(points.lon, points.lat).cell_id
    slot = {int(i): place for place, i in enumerate(ids)}
    where = np.array([slot.get(i, -1) for i in cell.tolist()], dtype=np.int64)
    inside = np.flatnonzero(where >= 0)
    first, last = worked or (begins, ends)
    visits, last_at, gap = _visits(
        points, where[inside], inside, len(ids), _apart_ms(connection), first, min(to_ms(now), last)
    )
    return Density(day, ids, plan, visits, last_at, gap)


def sensitive_visits(connection: Connection, day: date) -> list[SensitiveVisits]:
    """Every sensitive place with the visits of a day; who is within its radius is there. Most due first."""
    begins, ends = _day(connection, day)
    s = sensitive.c
    places = connection.execute(
        select(s.id, s.kind, s.name, s.name_en, s.lon, s.lat, s.radius, s.visits_per_day)
        .where(s.ended_on.is_(None))
        .order_by(s.id)
    ).all()
    if not places:
        return []
    points = _points(connection, begins, ends)
    scale = np.radians(1.0) * EARTH_METRES
    narrow = np.cos(np.radians(places[0].lat))
    tree = shapely.STRtree(shapely.points(points.lon * scale * narrow, points.lat * scale))
    spots = shapely.points([row.lon * scale * narrow for row in places], [row.lat * scale for row in places])
    place, point = tree.query(spots, predicate="dwithin", distance=[row.radius for row in places])
    visits, last, _gap = _visits(points, place, point, len(places), _apart_ms(connection), begins, ends)
    found = [
        SensitiveVisits(*row, visits=int(many), last_at_ms=int(newest))
        for row, many, newest in zip(places, visits, last, strict=True)
    ]
    return sorted(found, key=lambda each: (-each.due, each.name))


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


def _day(connection: Connection, day: date) -> tuple[int, int]:
    midnight = datetime(day.year, day.month, day.day, tzinfo=settings.zone_of(connection))
    begins = to_ms(midnight)
    return begins, begins + _DAY_MS


def _worked_of(connection: Connection, day: date, begins: int, ends: int) -> tuple[int, int] | None:
    """From the first to the last minute of work on a day; ``None`` when nobody works."""
    minutes = np.arange(begins, ends, 60_000, dtype=np.int64)
    works = np.flatnonzero(at_work(connection)(minutes))
    return (int(minutes[works[0]]), int(minutes[works[-1]]) + 60_000) if works.size else None


def _apart_ms(connection: Connection) -> int:
    return int(settings.get(connection, APART, APART_MINUTES)) * 60_000


@dataclass(frozen=True)
class _Points:
    """All places of a time, person by person and each by moment. They leave this module as counts only:
    density asks how often, never who.
    """

    person: Ints
    at: Ints
    lon: Floats
    lat: Floats


def _points(connection: Connection, begins: int, ends: int) -> _Points:
    at = type_coerce(track.c.at, BigInteger)
    rows = connection.execute(
        select(track.c.person_id, at, track.c.lon, track.c.lat)
        .where(at >= begins, at < ends)
        .order_by(track.c.person_id, at)
    ).all()
    person, moments, lon, lat = zip(*rows, strict=True) if rows else ((), (), (), ())
    return _Points(
        np.array(person, dtype=np.int64),
        np.array(moments, dtype=np.int64),
        np.array(lon, dtype=np.float64),
        np.array(lat, dtype=np.float64),
    )


def _visits(
    points: _Points, where: Ints, point: Ints, count: int, apart_ms: int, begins: int, ends: int
) -> tuple[Ints, Ints, Ints]:
    """Visits, last moment (0 = none) and longest gap of each of ``count`` places.

    ``where`` names the place in which the point of the index ``point`` lies; a point may lie in several.
    """
    visits = np.zeros(count, dtype=np.int64)
    last = np.zeros(count, dtype=np.int64)
    gap = np.full(count, max(0, ends - begins), dtype=np.int64)
    if not len(where):
        return visits, last, gap
    order = np.lexsort([point, where])
    where, point = where[order], point[order]
    at, person = points.at[point], points.person[point]
    # Somebody comes when his point before this one was elsewhere, or long ago.
    comes = np.ones(len(where), dtype=bool)
    comes[1:] = (
        (where[1:] != where[:-1])
        | (person[1:] != person[:-1])
        | (point[1:] != point[:-1] + 1)
        | (np.diff(at) > apart_ms)
    )
    counted = np.full(count, begins - apart_ms, dtype=np.int64)
    arrivals = np.flatnonzero(comes)
    for i in arrivals[np.argsort(at[arrivals], kind="stable")].tolist():
        if at[i] - counted[where[i]] >= apart_ms:
            counted[where[i]] = at[i]
            visits[where[i]] += 1
    by_moment = np.lexsort([at, where])
    where, at = where[by_moment], at[by_moment]
    first = np.concatenate([[True], where[1:] != where[:-1]])
    since = np.where(first, at - begins, np.concatenate([[0], np.diff(at)]))
    np.maximum.at(last, where, at)
    gap[np.unique(where)] = 0
    np.maximum.at(gap, where, since)
    seen = last > 0
    gap[seen] = np.maximum(gap[seen], np.maximum(0, ends - last[seen]))
    return visits, last, gap
