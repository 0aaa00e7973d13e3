"""Where collectors and vehicles are and were: newest places, tracks, who is near, who looked at what.

Positions of people are sensitive (个人信息保护法 arts 28–32, DOMAIN 6.5): they are taken in working hours
only, kept for as long as a setting says, and every look at somebody's track is written down with its reason.
Positions are telemetry: the journal has none of them, so that what is erased is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import BigInteger, Connection, delete, func, select, type_coerce

from db.engine import settings
from db.engine.bus import handles
from db.engine.connections import Database
from db.engine.unit_of_work import UnitOfWork
from db.kernel.actor import Actor
from db.kernel.clock import from_ms, to_ms
from db.kernel.command import Reach, command
from db.kernel.geo import Point, metres_between, on_earth
from db.kernel.language import N_
from db.kernel.refusal import Refused
from db.kernel.text import one_line
from db.people.tables import person, position, track, track_view, vehicle, vehicle_position

SEE_TRACKS = "people.track"
PURPOSE = N_(
    "Places of collectors are taken in working hours only, to send the nearest one and to see whether the "
    "planned patrols are made. They are erased after {days} days. Whoever looks at a track gives a reason, "
    "and that look is written down."
)
"""The notice beside everything that shows tracks; ``kept_days`` fills it."""

STALE_MINUTES, LOST_MINUTES = "track.stale_minutes", "track.lost_minutes"
DAYS, STEP_SECONDS = "track.days", "track.step_seconds"
DEFAULTS = {STALE_MINUTES: 2, LOST_MINUTES: 15, DAYS: 30, STEP_SECONDS: 15}
"""The settings and what holds when a bureau has put none."""
LEAST_REASON = 2
_MINUTE_MS = 60_000
_DAY_MS = 24 * 60 * _MINUTE_MS

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
AtWork = Callable[[Ints], npt.NDArray[np.bool_]]
"""Tells of moments (milliseconds since 1970 UTC) whether collectors work then:
``db.registers.patrols.at_work``.
"""


class Signal(IntEnum):
    """How old the newest place is; the numbers are what the live layers carry."""

    ONLINE = 0
    STALE = 1
    LOST = 2


SIGNAL_LABELS = {
    Signal.ONLINE: N_("Online"),  # zh: 在线
    Signal.STALE: N_("Stale"),  # zh: 信号延迟
    Signal.LOST: N_("Lost"),  # zh: 失联
}


@dataclass(frozen=True)
class Thresholds:
    """From which age of a place its signal is stale, and lost."""

    stale_ms: int = DEFAULTS[STALE_MINUTES] * _MINUTE_MS
    lost_ms: int = DEFAULTS[LOST_MINUTES] * _MINUTE_MS

    def signals(self, at_ms: Ints, now_ms: int) -> npt.NDArray[np.uint8]:
        """The signal of each newest place; 0 in ``at_ms`` (never) is lost."""
        age = now_ms - at_ms
        return (age > self.stale_ms).astype(np.uint8) + (age > self.lost_ms).astype(np.uint8)

    def signal(self, at: datetime, now: datetime) -> Signal:
        """The same for one place."""
        return Signal(int(self.signals(np.array([to_ms(at)]), to_ms(now))[0]))


@dataclass(frozen=True)
class Fix:
    """A place (WGS-84 degrees) of a person or a vehicle at a moment, as its device tells it."""

    id: int
    at: datetime
    lon: float
    lat: float


@dataclass(frozen=True)
class Track:
    """The way of one person: arrays of the same length, moments in milliseconds since 1970 UTC, ascending."""

    person_id: int
    at: Ints
    lon: Floats
    lat: Floats

    def __len__(self) -> int:
        return len(self.at)


@dataclass(frozen=True)
class NearPerson:
    """A collector, how far he is, and how fresh that is."""

    id: int
    name: str
    unit_id: int
    lon: float
    lat: float
    at: datetime
    metres: float
    signal: Signal


@dataclass(frozen=True)
class VehicleValue:
    """A vehicle with its newest place; ``at_ms`` 0 and NaN while it has told none."""

    id: int
    code: str
    name: str
    kind: str
    unit_id: int
    lon: float
    lat: float
    at_ms: int


@command("people.view_track", permission=SEE_TRACKS, label=N_("View track"), lasting=True, reach=Reach.SERVER)
@dataclass(frozen=True)
class ViewTrack:
    """Show where one person was in a time; who looked, at what and why is kept, and cannot be undone."""

    person_id: int
    begins_at: datetime
    ends_at: datetime
    reason: str


@command(
    "people.clean_tracks",
    permission="people.manage",
    label=N_("Erase old tracks"),
    lasting=True,
    reach=Reach.SERVER,
)
@dataclass(frozen=True)
class CleanTracks:
    """Erase what is older than ``track.days``."""


# Taking positions.


def record_people(unit: UnitOfWork, fixes: Sequence[Fix], at_work: AtWork) -> int:
    """Take the places of collectors; those outside of working hours are dropped. Returns how many were kept.

    The newest place of each is overwritten; of the track, one point stays for each step of
    ``track.step_seconds``. A fix that is older than the newest one known adds to the track only.
    """
    fixes = [fix for fix in fixes if on_earth(fix.lon, fix.lat) and fix.at <= unit.now + timedelta(minutes=5)]
    if not fixes:
        return 0
    moments = np.array([to_ms(fix.at) for fix in fixes], dtype=np.int64)
    kept = [fix for fix, works in zip(fixes, at_work(moments).tolist(), strict=True) if works]
    step = int(settings.get(unit.connection, STEP_SECONDS, DEFAULTS[STEP_SECONDS])) * 1000
    rows = [{"person_id": fix.id, "at": fix.at, "lon": fix.lon, "lat": fix.lat} for fix in kept]
    unit.telemetry(track, [{**row, "at": _slot(fix.at, step)} for fix, row in zip(kept, rows, strict=True)])
    unit.telemetry(position, _newest(unit.connection, position, "person_id", rows))
    return len(kept)


def record_vehicles(unit: UnitOfWork, fixes: Sequence[Fix]) -> int:
    """Take the places of vehicles; no track of them is kept. Returns how many were kept."""
    rows = [
        {"vehicle_id": fix.id, "at": fix.at, "lon": fix.lon, "lat": fix.lat}
        for fix in fixes
        if on_earth(fix.lon, fix.lat)
    ]
    unit.telemetry(vehicle_position, _newest(unit.connection, vehicle_position, "vehicle_id", rows))
    return len(rows)


def _slot(at: datetime, step_ms: int) -> datetime:
    moment = to_ms(at)
    return from_ms(moment - moment % step_ms)


def _newest(connection: Connection, table: Any, key: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The newest row of each key that is newer than what stands; devices hand in late what they could not
    send.
    """
    latest: dict[int, dict[str, Any]] = {}
    for row in rows:
        if row[key] not in latest or latest[row[key]]["at"] <= row["at"]:
            latest[row[key]] = row
    if not latest:
        return []
    oldest = min(row["at"] for row in latest.values())
    standing = {
        found[0]: found.at
        for found in connection.execute(select(table.c[key], table.c.at).where(table.c.at > oldest))
    }
    return [row for i, row in latest.items() if i not in standing or standing[i] < row["at"]]


# Looking.


def thresholds(connection: Connection) -> Thresholds:
    """When a signal is stale and lost, by the settings of this bureau."""
    stale, lost = (
        int(settings.get(connection, key, DEFAULTS[key]) * _MINUTE_MS)
        for key in (STALE_MINUTES, LOST_MINUTES)
    )
    return Thresholds(stale, max(stale, lost))


def kept_days(connection: Connection) -> int:
    """For how many days tracks are kept."""
    return int(settings.get(connection, DAYS, DEFAULTS[DAYS]))


def nearest(
    connection: Connection,
    lon: float,
    lat: float,
    now: datetime,
    limit: int = 8,
    *,
    posts: tuple[str, ...] = ("collector",),
) -> list[NearPerson]:
    """The people nearest to a point: whoever is lost comes last, however near he was."""
    limits = thresholds(connection)
    rows = connection.execute(
        select(person.c.id, person.c.name, person.c.unit_id, position.c.lon, position.c.lat, position.c.at)
        .join(person, person.c.id == position.c.person_id)
        .where(person.c.active, person.c.post.in_(posts))
    )
    here: Point = (lon, lat)
    found = [
        NearPerson(*row, metres_between(here, (row.lon, row.lat)), limits.signal(row.at, now)) for row in rows
    ]
    found.sort(key=lambda each: (each.signal is Signal.LOST, each.metres, each.id))
    return found[:limit]


def vehicles(connection: Connection) -> list[VehicleValue]:
    """All active vehicles with their newest places, by number plate."""
    v, p = vehicle.c, vehicle_position.c
    at = type_coerce(p.at, BigInteger)
    rows = connection.execute(
        select(v.id, v.code, v.name, v.kind, v.unit_id, p.lon, p.lat, at.label("at_ms"))
        .join_from(vehicle, vehicle_position, p.vehicle_id == v.id, isouter=True)
        .where(v.active)
        .order_by(v.code)
    )
    return [
        VehicleValue(
            row.id,
            row.code,
            row.name,
            row.kind,
            row.unit_id,
            np.nan if row.lon is None else row.lon,
            np.nan if row.lat is None else row.lat,
            row.at_ms or 0,
        )
        for row in rows
    ]


@handles(ViewTrack)
def _view(command: ViewTrack, unit: UnitOfWork) -> Track:
    reason = one_line(command.reason, 400)
    if len(reason) < LEAST_REASON:
        raise Refused("needed", N_("A reason is required."), what="reason")
    if command.ends_at <= command.begins_at:
        raise Refused("bad_time", N_("The time must end after it begins."))
    if not unit.connection.execute(select(person.c.id).where(person.c.id == command.person_id)).first():
        raise Refused("no_such_person", N_("There is no such person."))
    unit.insert(
        track_view,
        [
            {
                "id": unit.new_id(),
                "person_id": command.person_id,
                "begins_at": command.begins_at,
                "ends_at": command.ends_at,
                "viewer_id": unit.actor.account_id,
                "viewer_name": unit.actor.name,
                "reason": reason,
                "at": unit.now,
            }
        ],
    )
    return _track(unit.connection, command.person_id, command.begins_at, command.ends_at)


def trails(connection: Connection, actor: Actor, now: datetime, minutes: int = 10) -> list[Track]:
    """The last minutes of everybody who is out: the tail behind a mark on the map, not a track to look
    through.

    Empty for who may not see tracks; at most 30 minutes, so that it never becomes the day of a person.
    """
    if not actor.may(SEE_TRACKS):
        return []
    since = to_ms(now) - min(minutes, 30) * _MINUTE_MS
    at = type_coerce(track.c.at, BigInteger)
    rows = connection.execute(
        select(track.c.person_id, at, track.c.lon, track.c.lat)
        .where(at >= since)
        .order_by(track.c.person_id, at)
    ).all()
    if not rows:
        return []
    who, moments, lon, lat = (np.array(column) for column in zip(*rows, strict=True))
    ends = np.flatnonzero(np.diff(who)) + 1
    parts = (np.split(each, ends) for each in (who, moments, lon, lat))
    return [Track(int(ids[0]), *rest) for ids, *rest in zip(*parts, strict=True)]


def _track(connection: Connection, person_id: int, begins_at: datetime, ends_at: datetime) -> Track:
    at = type_coerce(track.c.at, BigInteger)
    rows = connection.execute(
        select(at, track.c.lon, track.c.lat)
        .where(track.c.person_id == person_id, at >= to_ms(begins_at), at < to_ms(ends_at))
        .order_by(at)
    ).all()
    moments, lon, lat = zip(*rows, strict=True) if rows else ((), (), ())
    return Track(
        person_id,
        np.array(moments, dtype=np.int64),
        np.array(lon, dtype=np.float64),
        np.array(lat, dtype=np.float64),
    )


@dataclass(frozen=True)
class TrackLook:
    """Somebody looked at a track."""

    person_id: int
    person_name: str
    begins_at: datetime
    ends_at: datetime
    viewer_name: str
    reason: str
    at: datetime


def track_looks(
    connection: Connection, *, person_id: int | None = None, viewer_id: int | None = None
) -> list[TrackLook]:
    """Who looked at the tracks of a person, or at whose tracks somebody looked; the newest first."""
    v = track_view.c
    query = select(
        v.person_id, person.c.name, v.begins_at, v.ends_at, v.viewer_name, v.reason, v.at
    ).join_from(track_view, person, person.c.id == v.person_id)
    if person_id is not None:
        query = query.where(v.person_id == person_id)
    if viewer_id is not None:
        query = query.where(v.viewer_id == viewer_id)
    return [TrackLook(*row) for row in connection.execute(query.order_by(v.at.desc(), v.id.desc()))]


# Forgetting.


@handles(CleanTracks)
def _clean(command: CleanTracks, unit: UnitOfWork) -> int:
    now_ms = to_ms(unit.now)
    before = now_ms - kept_days(unit.connection) * _DAY_MS
    at = type_coerce(track.c.at, BigInteger)
    gone = unit.connection.execute(select(func.count()).where(at < before)).scalar_one()
    unit.connection.execute(delete(track).where(at < before))
    # A place of yesterday says where somebody lives as well as a track does.
    unit.connection.execute(delete(position).where(type_coerce(position.c.at, BigInteger) < before))
    return int(gone)


def has_old_tracks(database: Database) -> bool:
    """Whether there is something to erase: asked at start, so that a start writes nothing without need."""
    with database.read() as connection:
        before = to_ms(database.clock.now()) - kept_days(connection) * _DAY_MS
        at = type_coerce(track.c.at, BigInteger)
        return connection.execute(select(track.c.person_id).where(at < before).limit(1)).first() is not None
