"""Draws the areas of the city: new ones, borders with the neighbours moving along, and the end of one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import shapely
from sqlalchemy import Connection, select

from db.engine import settings
from db.engine.bus import handles
from db.engine.unit_of_work import UnitOfWork
from db.kernel.command import Reach, command
from db.kernel.language import N_, _
from db.kernel.refusal import Refused, refuse_all
from db.kernel.text import one_line
from db.people.tables import unit as unit_table
from db.registers import topology
from db.registers.codes import KIND_LABELS, KINDS, area_code_fault, parent_of
from db.registers.reshaping import reshaped
from db.registers.tables import area, component

EDIT = "registers.edit"

_ABOVE = {
    "cell": (("patrol_id", "patrol"), ("parent_id", "community")),
    "community": (("parent_id", "district"),),
}
"""Which areas are made of those of a kind: when a cell changes hands, its community does."""
_INSIDE = {"district": (("parent_id", "community"),), "community": (("parent_id", "cell"),),
           "patrol": (("patrol_id", "cell"),)}  # fmt: skip
_LEAST_M2 = 1.0


class DrawnArea(NamedTuple):
    """An area as a person draws it; the outline as GeoJSON text of a polygon in WGS-84 degrees.

    With ``kind`` and ``code`` of an area that is there, an empty outline keeps the one it has.
    """

    kind: str
    code: str
    name: str
    outline: str = ""
    name_en: str = ""
    unit_id: int | None = None
    visits_per_day: float | None = None
    patrol_code: str = ""


Drawn = tuple[str, str, str, str, str, int | None, float | None, str]
"""A ``DrawnArea`` as the journal gives it back."""


@command("registers.put_areas", permission=EDIT, label=N_("Draw areas"), reach=Reach.SERVER)
@dataclass(frozen=True)
class PutAreas:
    """Add areas, or change name, unit and plan of those that bear the code already.

    Each element is a ``DrawnArea``. New ground must be free: what another area of the kind claims is refused.
    """

    areas: tuple[Drawn, ...]


@command("registers.reshape_areas", permission=EDIT, label=N_("Move borders of areas"), reach=Reach.SERVER)
@dataclass(frozen=True)
class ReshapeAreas:
    """Give areas other outlines: pairs of id and GeoJSON text of a polygon in WGS-84 degrees.

    With ``keep_topology`` the neighbours move along, and so do the areas that these are part of; what would
    leave a gap or claim ground twice is refused. Without it, each outline is taken as it is drawn.
    """

    outlines: tuple[tuple[int, str], ...]
    keep_topology: bool = True


@command(
    "registers.end_areas", permission=EDIT, label=N_("Take areas out of the register"), reach=Reach.SERVER
)
@dataclass(frozen=True)
class EndAreas:
    """Areas that exist no longer: not drawn any more, but cases of their time still name them."""

    area_ids: tuple[int, ...]


@handles(PutAreas)
def _put(command: PutAreas, unit: UnitOfWork) -> tuple[int, ...]:
    """Ids in the order of the areas."""
    county = county_code(unit.connection)
    drawn = [DrawnArea(*each) for each in command.areas]
    refuse_all([fault for each in drawn if (fault := _fault(each, county, unit.connection)) is not None])
    known = _by_code(unit.connection, drawn)
    new_ids = iter(unit.new_ids(len(drawn)))
    rows: list[dict[str, Any]] = []
    changes: dict[int, dict[str, Any]] = {}
    for each in sorted(drawn, key=lambda one: KINDS.index(one.kind)):
        values: dict[str, Any] = {
            "name": one_line(each.name, 100),
            "name_en": one_line(each.name_en, 100),
            "unit_id": each.unit_id,
            "visits_per_day": each.visits_per_day,
        }
        there = known.get((each.kind, each.code))
        if there is not None:
            if each.outline:
                raise Refused(
                    "code_taken",
                    N_("There is an area with the code {given} already; move its border instead."),
                    given=each.code,
                )
            changes[there] = values | {"ended_on": None}
            continue
        row_id = next(new_ids)
        known[each.kind, each.code] = row_id
        outline = read_outline(each.outline)
        _demand_free(unit.connection, each, outline)
        above = parent_of(each.kind, each.code)
        rows.append(
            {
                "id": row_id,
                "kind": each.kind,
                "code": each.code,
                "parent_id": known.get(above) if above else None,
                "patrol_id": known.get(("patrol", each.patrol_code)) if each.patrol_code else None,
                **values,
                **facts_of(outline),
            }
        )
    unit.insert(area, rows)
    unit.update(area, changes)
    return tuple(known[each.kind, each.code] for each in drawn)


@handles(ReshapeAreas)
def _reshape(command: ReshapeAreas, unit: UnitOfWork) -> tuple[int, ...]:
    """The ids of all areas whose outline changed."""
    wanted = {area_id: read_outline(text) for area_id, text in command.outlines}
    found = unit.rows(area, list(wanted))
    kinds = {row["kind"] for row in found.values()}
    if len(found) < len(wanted) or len(kinds) != 1:
        raise Refused("no_such_area", N_("Choose areas of one kind that are still there."))
    kind = kinds.pop()
    if not command.keep_topology:
        unit.update(area, {area_id: facts_of(outline) for area_id, outline in wanted.items()})
        return tuple(wanted)
    tiling = _Tiling.of(unit.connection, kind)
    _demand_children_inside(unit.connection, kind, wanted)
    changes = reshaped(tiling.outlines, wanted)
    _demand_clean(tiling, changes)
    everything = dict(changes)
    _follow(unit.connection, kind, tiling, changes, everything)
    _demand_in_city(unit.connection, everything)
    unit.update(area, {area_id: facts_of(outline) for area_id, outline in everything.items()})
    if kind == "cell":
        _move_components(unit, tiling, changes)
    return tuple(everything)


@handles(EndAreas)
def _end(command: EndAreas, unit: UnitOfWork) -> int:
    rows = unit.rows(area, command.area_ids)
    if len(rows) < len(set(command.area_ids)):
        raise Refused("no_such_area", N_("There is no such area any more."))
    c = area.c
    inside = unit.connection.execute(
        select(c.name)
        .where(
            c.parent_id.in_(list(rows)) | c.patrol_id.in_(list(rows)),
            c.ended_on.is_(None),
            c.id.not_in(list(rows)),
        )
        .limit(1)
    ).scalar()
    if inside is not None:
        raise Refused(
            "has_areas", N_("There are areas inside it, such as {name}; end those first."), name=inside
        )
    today = unit.now.astimezone(settings.zone_of(unit.connection)).date()
    unit.update(area, {area_id: {"ended_on": today} for area_id in rows})
    return len(rows)


@dataclass(frozen=True)
class _Tiling:
    """All areas of one kind that have an outline."""

    names: dict[int, str]
    above: dict[int, dict[str, int | None]]
    outlines: dict[int, shapely.Geometry] = field(repr=False)

    @classmethod
    def of(cls, connection: Connection, kind: str) -> _Tiling:
        c = area.c
        rows = connection.execute(
            select(c.id, c.name, c.parent_id, c.patrol_id, c.outline).where(
                c.kind == kind, c.outline.is_not(None), c.ended_on.is_(None)
            )
        ).all()
        return cls(
            {row.id: row.name for row in rows},
            {row.id: {"parent_id": row.parent_id, "patrol_id": row.patrol_id} for row in rows},
            dict(zip((row.id for row in rows), shapely.from_wkb([row.outline for row in rows]), strict=True)),
        )


def county_code(connection: Connection) -> str:
    """The six digits that all codes of the city begin with; "" while the city has no such code."""
    found = connection.execute(
        select(area.c.code).where(area.c.kind == "city", area.c.ended_on.is_(None)).order_by(area.c.id)
    ).scalar()
    return found if found is not None and len(found) == 6 and found.isdigit() else ""


def read_outline(text: str) -> shapely.Geometry:
    """The polygon of a GeoJSON text. Raises ``Refused("bad_outline")``."""
    try:
        shape = shapely.force_2d(shapely.from_geojson(text))
    except (shapely.GEOSException, TypeError) as error:
        raise Refused("bad_outline", N_("This is not an outline.")) from error
    if shape is None or shape.geom_type not in {"Polygon", "MultiPolygon"} or shape.is_empty:
        raise Refused("bad_outline", N_("This is not an outline."))
    if not shapely.is_valid(shape):
        raise Refused(
            "bad_outline",
            N_("The outline crosses itself ({reason})."),
            reason=shapely.is_valid_reason(shape),
        )
    if topology.square_metres(shape) < _LEAST_M2:
        raise Refused("bad_outline", N_("The outline is smaller than one square metre."))
    return shape


def facts_of(outline: shapely.Geometry) -> dict[str, Any]:
    """The columns that follow from an outline: itself, a point on it, its size."""
    lon, lat = shapely.get_coordinates(shapely.point_on_surface(outline))[0].tolist()
    return {
        "outline": shapely.to_wkb(outline),
        "lon": round(lon, 6),
        "lat": round(lat, 6),
        "square_metres": round(topology.square_metres(outline), 1),
    }


def _fault(each: DrawnArea, county: str, connection: Connection) -> Refused | None:
    if each.kind not in KINDS:
        return Refused("unknown_kind", N_("There is no kind of area “{kind}”."), kind=each.kind)
    if not each.name.strip():
        return Refused("name_missing", N_("A name is needed."))
    if each.visits_per_day is not None and not 0 <= each.visits_per_day <= 100:
        return Refused("bad_plan", N_("0 to 100 visits a day can be planned."))
    if each.unit_id is not None:
        found = select(unit_table.c.id).where(unit_table.c.id == each.unit_id, unit_table.c.active)
        if not connection.execute(found).first():
            return Refused("no_such_unit", N_("There is no such unit, or it is no longer active."))
    return area_code_fault(each.kind, each.code, "" if each.kind == "city" else county)


def _by_code(connection: Connection, drawn: Sequence[DrawnArea]) -> dict[tuple[str, str], int]:
    """Ids of the areas named, of their parents and of their patrol areas."""
    wanted = {(each.kind, each.code) for each in drawn}
    wanted |= {above for each in drawn if (above := parent_of(each.kind, each.code)) is not None}
    wanted |= {("patrol", each.patrol_code) for each in drawn if each.patrol_code}
    rows = connection.execute(
        select(area.c.id, area.c.kind, area.c.code).where(area.c.code.in_({code for _kind, code in wanted}))
    )
    return {(row.kind, row.code): row.id for row in rows if (row.kind, row.code) in wanted}


def _demand_free(connection: Connection, each: DrawnArea, outline: shapely.Geometry) -> None:
    tiling = _Tiling.of(connection, each.kind)
    near = _touched(tiling.outlines, outline)
    found = topology.check({0: outline, **near})
    clash = next((one for one in found.overlaps if one.first == 0), None)
    if clash is not None:
        raise Refused(
            "overlap",
            N_("{kind} {name} claims {size} m² of this already."),
            kind=_(KIND_LABELS[each.kind]),
            name=tiling.names[clash.second],
            size=f"{clash.square_metres:,.0f}",
        )


def _touched(outlines: topology.Outlines, ground: shapely.Geometry) -> dict[int, shapely.Geometry]:
    ids = list(outlines)
    shapes = np.array([outlines[i] for i in ids], dtype=object)
    return {i: outlines[i] for i, hit in zip(ids, shapely.intersects(shapes, ground), strict=True) if hit}


def _demand_children_inside(connection: Connection, kind: str, wanted: dict[int, shapely.Geometry]) -> None:
    """The border of what is made of smaller areas follows theirs; it cannot run through one of them."""
    for column, child in _INSIDE.get(kind, ()):
        c = area.c
        rows = connection.execute(
            select(c.id, c.name, c[column].label("parent"), c.outline).where(
                c.kind == child, c[column].in_(list(wanted)), c.outline.is_not(None), c.ended_on.is_(None)
            )
        ).all()
        outlines = {row.id: shapely.from_wkb(row.outline) for row in rows}
        crossing = [
            each
            for each in topology.crossings(outlines, {row.id: row.parent for row in rows}, wanted)
            if not each.is_sliver
        ]
        if crossing:
            names = {row.id: row.name for row in rows}
            raise Refused(
                "crosses_areas",
                N_(
                    "This border would cut off {count} areas inside, such as {name}. "
                    "Move their borders; this one follows."
                ),
                count=len(crossing),
                name=names[crossing[0].area_id],
            )


def _demand_clean(tiling: _Tiling, changes: dict[int, shapely.Geometry]) -> None:
    """Refuse when the new outlines leave ground to nobody or claim it twice, and they did not before."""
    ground = shapely.union_all([*changes.values(), *(tiling.outlines[i] for i in changes)])
    near = _touched(tiling.outlines, ground)
    before = topology.check(near)
    after = topology.check({**near, **changes}, shapely.union_all(list(near.values())))
    if after.gaps:
        gap = after.gaps[0]
        raise Refused(
            "gap",
            N_("That would leave {size} m² to no area, beside {names}."),
            size=f"{gap.square_metres:,.1f}",
            names=_(", ").join(tiling.names[i] for i in gap.beside[:3]),
        )
    known = {(each.first, each.second): each.square_metres for each in before.overlaps}
    for each in after.overlaps:
        if each.square_metres > known.get((each.first, each.second), 0.0) + _LEAST_M2 / 100:
            raise Refused(
                "overlap",
                N_("That would give {size} m² to {first} and to {second}."),
                size=f"{each.square_metres:,.1f}",
                first=tiling.names[each.first],
                second=tiling.names[each.second],
            )


def _follow(
    connection: Connection,
    kind: str,
    tiling: _Tiling,
    changes: dict[int, shapely.Geometry],
    everything: dict[int, shapely.Geometry],
) -> None:
    """Move the borders of what the changed areas are part of, where ground went from one to another."""
    for column, above in _ABOVE.get(kind, ()):
        whole = _Tiling.of(connection, above)
        followed: dict[int, shapely.Geometry] = {}
        for area_id, outline in changes.items():
            parent = tiling.above[area_id][column]
            if parent not in whole.outlines:
                continue
            taken = topology.without_rounding(shapely.difference(outline, tiling.outlines[area_id]))
            if taken.is_empty:
                continue
            # Once for whoever loses it, once for who gains it; within one parent both cancel out.
            for other in _touched(whole.outlines, taken):
                mine = followed.get(other, whole.outlines[other])
                if other == parent:
                    followed[other] = shapely.union(mine, taken)
                else:
                    followed[other] = shapely.difference(mine, taken)
        moved = {
            i: tidy
            for i, outline in followed.items()
            if not shapely.equals(tidy := topology.without_rounding(outline), whole.outlines[i])
        }
        everything |= moved
        _follow(connection, above, whole, moved, everything)


def _demand_in_city(connection: Connection, outlines: dict[int, shapely.Geometry]) -> None:
    found = connection.execute(
        select(area.c.id, area.c.outline).where(
            area.c.kind == "city", area.c.outline.is_not(None), area.c.ended_on.is_(None)
        )
    ).first()
    if found is None or found.id in outlines:
        return
    beyond = topology.crossings(outlines, dict.fromkeys(outlines, 0), {0: shapely.from_wkb(found.outline)})
    # Borders drawn along the city's own may lie a hand off it.
    if any(not each.is_sliver for each in beyond):
        raise Refused("outside_city", N_("That would reach beyond the border of the city."))


def _move_components(unit: UnitOfWork, tiling: _Tiling, changes: dict[int, shapely.Geometry]) -> None:
    """Components on ground that changed hands get the cell in which they lie now."""
    turned = shapely.union_all(
        [shapely.symmetric_difference(outline, tiling.outlines[i]) for i, outline in changes.items()]
    )
    if turned.is_empty:
        return
    west, south, east, north = turned.bounds
    c = component.c
    rows = unit.connection.execute(
        select(c.id, c.cell_id, c.lon, c.lat).where(c.lon.between(west, east), c.lat.between(south, north))
    ).all()
    updates = {}
    for row in _in(turned, rows):
        point = shapely.Point(row.lon, row.lat)
        now = next((i for i, outline in sorted(changes.items()) if shapely.intersects(outline, point)), None)
        if now is not None and now != row.cell_id:
            updates[row.id] = {"cell_id": now}
    unit.update(component, updates)


def _in(ground: shapely.Geometry, rows: Sequence[Any]) -> Iterable[Any]:
    if not rows:
        return ()
    hit = shapely.intersects_xy(ground, [row.lon for row in rows], [row.lat for row in rows])
    return (row for row, inside in zip(rows, hit, strict=True) if inside)
