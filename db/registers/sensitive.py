"""Sensitive places: schools, hospitals, markets that are to be looked at so many times a day (DOMAIN 5, no.
43).
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from db.engine import settings
from db.engine.bus import handles
from db.engine.unit_of_work import UnitOfWork
from db.kernel.command import Reach, command
from db.kernel.geo import on_earth
from db.kernel.language import N_
from db.kernel.refusal import Refused, refuse_all
from db.kernel.text import one_line
from db.registers.tables import sensitive

KINDS = {
    "school": N_("School"),
    "hospital": N_("Hospital"),
    "market": N_("Market"),
    "station": N_("Station"),
    "government": N_("Public office"),
    "scenic": N_("Scenic spot"),
}


@dataclass(frozen=True)
class SensitivePlace:
    """A place with its radius in metres and the visits it wants in a day."""

    id: int
    kind: str
    name: str
    name_en: str
    lon: float
    lat: float
    radius: float
    visits_per_day: int


@command(
    "registers.put_sensitive",
    permission="registers.edit",
    label=N_("Put sensitive place"),
    reach=Reach.SERVER,
)
@dataclass(frozen=True)
class PutSensitivePlace:
    """Add a sensitive place, or change the one with this id."""

    kind: str
    name: str
    lon: float
    lat: float
    radius: float = 150.0
    visits_per_day: int = 2
    name_en: str = ""
    place_id: int | None = None


@command(
    "registers.end_sensitive",
    permission="registers.edit",
    label=N_("End sensitive place"),
    reach=Reach.SERVER,
)
@dataclass(frozen=True)
class EndSensitivePlace:
    """It is not to be watched any more; what was seen there stays."""

    place_id: int


def sensitive_places(connection: Connection) -> list[SensitivePlace]:
    """All that are watched, by id."""
    s = sensitive.c
    rows = connection.execute(
        select(s.id, s.kind, s.name, s.name_en, s.lon, s.lat, s.radius, s.visits_per_day)
        .where(s.ended_on.is_(None))
        .order_by(s.id)
    )
    return [SensitivePlace(*row) for row in rows]


def sensitive_faults(
    kind: str, name: str, lon: float, lat: float, radius: float, visits_per_day: int
) -> list[Refused]:
    """Everything that is wrong with a sensitive place."""
    faults = []
    if kind not in KINDS:
        faults.append(Refused("unknown_kind", N_("There is no kind “{kind}”."), kind=kind))
    if not name.strip():
        faults.append(Refused("name_missing", N_("A name is needed.")))
    if not on_earth(lon, lat):
        faults.append(Refused("not_on_earth", N_("{lon}, {lat} is not a place on earth."), lon=lon, lat=lat))
    if not 10.0 <= radius <= 2000.0:
        faults.append(Refused("bad_radius", N_("The radius must be 10 to 2,000 metres.")))
    if not 0 <= visits_per_day <= 48:
        faults.append(Refused("bad_plan", N_("0 to 48 visits a day can be planned.")))
    return faults


@handles(PutSensitivePlace)
def _put(command: PutSensitivePlace, unit: UnitOfWork) -> int:
    values = {
        "kind": command.kind,
        "name": one_line(command.name, 120),
        "name_en": one_line(command.name_en, 120),
        "lon": command.lon,
        "lat": command.lat,
        "radius": command.radius,
        "visits_per_day": command.visits_per_day,
    }
    refuse_all(
        sensitive_faults(
            command.kind, command.name, command.lon, command.lat, command.radius, command.visits_per_day
        )
    )
    if command.place_id is None:
        row_id = unit.new_id()
        unit.insert(sensitive, [{"id": row_id, **values}])
        return row_id
    unit.update(sensitive, {command.place_id: {**values, "ended_on": None}})
    return command.place_id


@handles(EndSensitivePlace)
def _end(command: EndSensitivePlace, unit: UnitOfWork) -> None:
    today = unit.now.astimezone(settings.zone_of(unit.connection)).date()
    unit.update(sensitive, {command.place_id: {"ended_on": today}})
