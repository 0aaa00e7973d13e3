"""Patrols: when collectors work, how often each cell was passed against the plan, and which visits are still
due.

A visit begins when somebody comes and nobody was there for ``patrol.apart_minutes``: who stands about all day
has been there once (DOMAIN 5, no. 42: visits done, longest gap).
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
    at, lon, lat = _points(connection, begins, ends)
    cell = locator_of(connection).locate_many(lon, lat).cell_id
    inside = cell > 0
    slot = {int(i): place for place, i in enumerate(ids)}
    where = np.array([slot.get(i, -1) for i in cell[inside].tolist()], dtype=np.int64)
    known = where >= 0
    visits, last, gap = _visits(
        where[known],
        at[inside][known],
        len(ids),
        _apart_ms(connection),
        (worked or (begins, ends))[0],
        min(to_ms(now), (worked or (begins, ends))[1]),
    )
    return Density(day, ids, plan, visits, last, gap)


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
    at, lon, lat = _points(connection, begins, ends)
    scale = np.radians(1.0) * EARTH_METRES
    narrow = np.cos(np.radians(places[0].lat))
    tree = shapely.STRtree(shapely.points(lon * scale * narrow, lat * scale))
    spots = shapely.points([row.lon * scale * narrow for row in places], [row.lat * scale for row in places])
    place, point = tree.query(spots, predicate="dwithin", distance=[row.radius for row in places])
    visits, last, _gap = _visits(place, at[point], len(places), _apart_ms(connection), begins, ends)
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


def _points(connection: Connection, begins: int, ends: int) -> tuple[Ints, Floats, Floats]:
    """All places of a time by moment. Without names: density asks how often, never who."""
    at = type_coerce(track.c.at, BigInteger)
    rows = connection.execute(
        select(at, track.c.lon, track.c.lat).where(at >= begins, at < ends).order_by(at)
    ).all()
    found = np.array([tuple(row) for row in rows], dtype=np.float64).reshape(-1, 3)
    return found[:, 0].astype(np.int64), found[:, 1], found[:, 2]


def _visits(
    where: Ints, at: Ints, count: int, apart_ms: int, begins: int, ends: int
) -> tuple[Ints, Ints, Ints]:
    """Visits, last moment (0 = none) and longest gap of each of ``count`` places.

    ``where`` names the place of each moment in ``at``; a visit is new when nobody was there for ``apart_ms``.
    """
    visits = np.zeros(count, dtype=np.int64)
    last = np.zeros(count, dtype=np.int64)
    gap = np.full(count, max(0, ends - begins), dtype=np.int64)
    if not len(where):
        return visits, last, gap
    order = np.lexsort([at, where])
    where, at = where[order], at[order]
    first = np.concatenate([[True], where[1:] != where[:-1]])
    since = np.where(first, at - begins, np.concatenate([[0], np.diff(at)]))
    np.add.at(visits, where[first | (since > apart_ms)], 1)
    np.maximum.at(last, where, at)
    gap[np.unique(where)] = 0
    np.maximum.at(gap, where, since)
    seen = last > 0
    gap[seen] = np.maximum(gap[seen], np.maximum(0, ends - last[seen]))
    return visits, last, gap
