"""Puts cases where they belong on the map: the areas follow, the history says who moved them, from where and
why.
"""

from __future__ import annotations

from dataclasses import dataclass

import shapely

from db.cases.commands.moving import CaseRow, Ids, Plan, moves, plan_remark
from db.cases.tables import case
from db.engine.unit_of_work import Reading
from db.kernel.command import command
from db.kernel.geo import on_earth
from db.kernel.language import N_
from db.kernel.refusal import Refused
from db.kernel.text import one_line
from db.registers.locating import city_ground, locator_of

LEAST_REASON = 2
"""Characters: 误点 is a reason, a single letter is not."""


@command("case.place", permission="case.place", label=N_("Move cases on the map"))
@dataclass(frozen=True)
class MoveCases:
    """These cases lie at another point (WGS-84 degrees) than was thought.

    District, community, patrol area and cell become those of the new point. State, unit and clock stay: who
    answers for it there is for a dispatcher to decide.
    """

    case_ids: Ids
    lon: float
    lat: float
    reason: str
    versions: Ids = ()
    leave_out: bool = False


@moves(MoveCases)
def _move(command: MoveCases, view: Reading) -> Plan:
    reason = one_line(command.reason, 400)
    if len(reason) < LEAST_REASON:
        raise Refused("needed", N_("A reason is required."), what="reason")
    if not on_earth(command.lon, command.lat):
        raise Refused(
            "not_on_earth", N_("{lon}, {lat} is not a place on earth."), lon=command.lon, lat=command.lat
        )
    city = city_ground(view.connection)
    if city is not None and not shapely.intersects_xy(city, command.lon, command.lat):
        raise Refused("outside_city", N_("This point lies outside of the city."))
    where = locator_of(view.connection).locate(command.lon, command.lat)
    place = {
        "lon": command.lon,
        "lat": command.lat,
        "district_id": where.district_id,
        "community_id": where.community_id,
        "patrol_id": where.patrol_id,
        "cell_id": where.cell_id,
    }

    def moved(row: CaseRow) -> CaseRow:
        if (row["lon"], row["lat"]) == (command.lon, command.lat):
            raise Refused("there_already", N_("It lies there already."))
        return place

    return plan_remark(view, "place", command, moved, _note(command, view, reason))


def _note(command: MoveCases, view: Reading, reason: str) -> str:
    """The reason; with one case also from where to where, in figures that need no translation."""
    row = view.rows(case, command.case_ids).get(command.case_ids[0]) if len(command.case_ids) == 1 else None
    if row is None or row["lon"] is None:
        return reason
    return f"{reason} ({row['lon']:.6f}, {row['lat']:.6f} → {command.lon:.6f}, {command.lat:.6f})"
