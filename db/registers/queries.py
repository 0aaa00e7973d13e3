"""Reading the registers as plain values: code lists, areas, named places and the base map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from sqlalchemy import Connection, select

from db.kernel.geo import Point, box_around, metres_between
from db.registers.tables import area, category, component, condition, place, road, water


@dataclass(frozen=True)
class CategoryValue:
    """A class of components or matters as screens know it."""

    id: int
    standard: str
    kind: str
    code: str
    major: str
    major_name: str
    major_name_en: str
    name: str
    name_en: str
    successor_id: int | None


@dataclass(frozen=True)
class ConditionValue:
    """A filing condition with its limit; the unit is one of ``db.calendars.rules.LimitUnit``."""

    id: int
    category_id: int
    ordinal: int
    text: str
    text_en: str
    closing: str
    limit_amount: int
    limit_unit: str


@dataclass(frozen=True)
class AreaValue:
    """An area without its outline."""

    id: int
    kind: str
    code: str
    name: str
    name_en: str
    parent_id: int | None
    patrol_id: int | None
    lon: float
    lat: float
    square_metres: float | None
    unit_id: int | None


@dataclass(frozen=True)
class PlaceValue:
    """A named place of the gazetteer."""

    id: int
    kind: str
    name: str
    name_en: str
    lon: float
    lat: float


@dataclass(frozen=True)
class ComponentNear:
    """A component of the city and how far it is from where one asked, in metres."""

    id: int
    code: str
    category_id: int
    name: str
    name_en: str
    state: str
    unit_id: int | None
    lon: float
    lat: float
    metres: float


@dataclass(frozen=True)
class Shapes:
    """Many outlines or lines in one array.

    Shape ``i`` consists of rings ``offsets[i]`` to ``offsets[i + 1]``; ring ``j`` of the points
    ``rings[j]`` to
    ``rings[j + 1]``; ``points`` is (n, 2) float32, lon and lat in WGS-84 degrees less ``BaseMap.origin``,
    which keeps
    the float32 good to a few millimetres. ``ids`` names the shapes; ``labels``, ``labels_en`` and
    ``grades`` go with them.
    """

    ids: npt.NDArray[np.int64]
    offsets: npt.NDArray[np.int32]
    rings: npt.NDArray[np.int32]
    points: npt.NDArray[np.float32]
    labels: tuple[str, ...]
    labels_en: tuple[str, ...]
    grades: tuple[str, ...]
    anchors: npt.NDArray[np.float64]
    """Where a label goes: (n, 2) lon and lat in full precision."""

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class BaseMap:
    """The quiet shapes below the cases. ``grades``: main, side, lane; river, lake, park."""

    origin: tuple[float, float]
    bounds: tuple[float, float, float, float]
    """West, south, east, north of the city's outline."""
    outline: Shapes
    districts: Shapes
    communities: Shapes
    patrols: Shapes
    cells: Shapes
    roads: Shapes
    waters: Shapes


def categories(connection: Connection, standard: str | None = None) -> list[CategoryValue]:
    """All classes by standard, kind and code, or those of one standard."""
    c = category.c
    query = select(
        c.id,
        c.standard,
        c.kind,
        c.code,
        c.major,
        c.major_name,
        c.major_name_en,
        c.name,
        c.name_en,
        c.successor_id,
    ).order_by(c.standard.desc(), c.kind, c.code)
    if standard is not None:
        query = query.where(c.standard == standard)
    return [CategoryValue(**row) for row in connection.execute(query).mappings()]


def conditions(connection: Connection, category_id: int) -> list[ConditionValue]:
    """The filing conditions of a class that are in force, in their order."""
    c = condition.c
    rows = connection.execute(
        select(c.id, c.category_id, c.ordinal, c.text, c.text_en, c.closing, c.limit_amount, c.limit_unit)
        .where(c.category_id == category_id, c.valid_to.is_(None))
        .order_by(c.ordinal)
    )
    return [ConditionValue(*row) for row in rows]


def areas(connection: Connection, kind: str) -> list[AreaValue]:
    """The areas of one kind (city, district, community, patrol, cell) by code."""
    c = area.c
    rows = connection.execute(
        select(
            c.id,
            c.kind,
            c.code,
            c.name,
            c.name_en,
            c.parent_id,
            c.patrol_id,
            c.lon,
            c.lat,
            c.square_metres,
            c.unit_id,
        )
        .where(c.kind == kind, c.ended_on.is_(None))
        .order_by(c.code)
    )
    return [AreaValue(*row) for row in rows]


def outlines(connection: Connection, kind: str) -> dict[int, shapely.Geometry]:
    """The outlines of the areas of one kind by id, to the last digit: for who moves or checks borders."""
    c = area.c
    rows = connection.execute(
        select(c.id, c.outline)
        .where(c.kind == kind, c.outline.is_not(None), c.ended_on.is_(None))
        .order_by(c.id)
    ).all()
    shapes = shapely.from_wkb([row.outline for row in rows]).tolist()
    return dict(zip((row.id for row in rows), shapes, strict=True))


def components_near(
    connection: Connection,
    at: Point,
    radius_m: float = 50.0,
    *,
    category_id: int | None = None,
    limit: int = 12,
) -> list[ComponentNear]:
    """The components within a radius: those of the class first, then the nearest; under 10 ms of 230,000."""
    west, south, east, north = box_around(at, radius_m)
    c, k = component.c, category.c
    rows = connection.execute(
        select(c.id, c.code, c.category_id, k.name, k.name_en, c.state, c.unit_id, c.lon, c.lat)
        .join(category, k.id == c.category_id)
        .where(c.lon.between(west, east), c.lat.between(south, north), c.state != "removed")
    )
    found = [ComponentNear(*row, metres=metres_between(at, (row.lon, row.lat))) for row in rows]
    found = [each for each in found if each.metres <= radius_m]
    found.sort(key=lambda each: (each.category_id != category_id, each.metres, each.code))
    return found[:limit]


def find_places(connection: Connection, words: str, limit: int = 20) -> list[PlaceValue]:
    """Places whose name holds ``words``; those that begin with it first, then the shorter ones."""
    wanted = words.strip()
    if not wanted:
        return []
    c = place.c
    escaped = wanted.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    rows = connection.execute(
        select(c.id, c.kind, c.name, c.name_en, c.lon, c.lat)
        .where(
            c.name.like(f"%{escaped}%", escape="\\") | c.name_en.ilike(f"%{escaped}%", escape="\\"),
            c.ended_on.is_(None),
        )
        .limit(400)
    )
    found = [PlaceValue(*row) for row in rows]
    found.sort(key=lambda p: (not p.name.startswith(wanted), p.kind == "door", len(p.name), p.name))
    return found[:limit]


def base_map(connection: Connection) -> BaseMap:
    """All shapes of the base map; under 150 ms for a city of 3,600 cells."""
    c = area.c
    rows = connection.execute(
        select(c.id, c.kind, c.name, c.name_en, c.outline, c.lon, c.lat)
        .where(c.outline.is_not(None), c.ended_on.is_(None))
        .order_by(c.code)
    ).all()
    by_kind: dict[str, list[Sequence[object]]] = {}
    for row in rows:
        by_kind.setdefault(row.kind, []).append(
            (row.id, row.name, row.name_en, "", row.outline, (row.lon, row.lat))
        )
    r, w = road.c, water.c
    by_kind["road"] = [
        (*row, None)
        for row in connection.execute(
            select(r.id, r.name, r.name_en, r.grade, r.line).where(r.ended_on.is_(None)).order_by(r.id)
        )
    ]
    by_kind["water"] = [
        (*row, None)
        for row in connection.execute(
            select(w.id, w.name, w.name_en, w.kind, w.outline).where(w.ended_on.is_(None)).order_by(w.id)
        )
    ]
    return _assemble(by_kind)


def _assemble(by_kind: Mapping[str, list[Sequence[object]]]) -> BaseMap:
    geometries = {kind: shapely.from_wkb([row[4] for row in rows]) for kind, rows in by_kind.items()}
    whole = geometries.get("city", geometries.get("cell"))
    if whole is None or not len(whole):
        bounds = (0.0, 0.0, 0.0, 0.0)
    else:
        west, south, east, north = shapely.total_bounds(whole).tolist()
        bounds = (west, south, east, north)
    origin = ((bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2)

    def shapes(kind: str) -> Shapes:
        rows = by_kind.get(kind, [])
        return _shapes(rows, geometries.get(kind, np.empty(0, dtype=object)), origin)

    return BaseMap(
        origin,
        bounds,
        shapes("city"),
        shapes("district"),
        shapes("community"),
        shapes("patrol"),
        shapes("cell"),
        shapes("road"),
        shapes("water"),
    )


def _shapes(
    rows: list[Sequence[object]], geometries: npt.NDArray[np.object_], origin: tuple[float, float]
) -> Shapes:
    count = len(rows)
    if count and shapely.get_dimensions(geometries[0]) == 1:
        lines, owner = shapely.get_parts(geometries, return_index=True)
        points, ring_of = shapely.get_coordinates(lines, return_index=True)
        per_shape = np.bincount(owner, minlength=count)
        ring_count = len(lines)
    else:
        parts, part_owner = shapely.get_parts(geometries, return_index=True)
        rings, ring_part = shapely.get_rings(parts, return_index=True)
        points, ring_of = shapely.get_coordinates(rings, return_index=True)
        per_shape = np.bincount(part_owner[ring_part], minlength=count)
        ring_count = len(rings)
    anchors = np.array(
        [row[5] if row[5] is not None else (np.nan, np.nan) for row in rows], dtype=np.float64
    ).reshape(count, 2)
    loose = np.flatnonzero(np.isnan(anchors[:, 0]))
    if loose.size:
        own = geometries[loose]
        middle = shapely.point_on_surface(own)
        # The middle of a line's length lies better than the middle of its box.
        single = shapely.get_type_id(own) == 1
        middle[single] = shapely.line_interpolate_point(own[single], 0.5, normalized=True)
        anchors[loose] = shapely.get_coordinates(middle)
    return Shapes(
        ids=np.array([row[0] for row in rows], dtype=np.int64),
        offsets=np.concatenate([[0], np.cumsum(per_shape)]).astype(np.int32),
        rings=np.concatenate([[0], np.cumsum(np.bincount(ring_of, minlength=ring_count))]).astype(np.int32),
        points=(points - np.array(origin)).astype(np.float32),
        labels=tuple(str(row[1]) for row in rows),
        labels_en=tuple(str(row[2]) for row in rows),
        grades=tuple(str(row[3]) for row in rows),
        anchors=anchors,
    )
