"""Finds the cell in which a point lies, and with it patrol area, community and district."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from sqlalchemy import Connection, func, select

from db.engine import settings
from db.people.tables import unit
from db.registers.tables import area

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Whereabouts:
    """The areas that hold a point; ``None`` where there is none."""

    district_id: int | None = None
    community_id: int | None = None
    patrol_id: int | None = None
    cell_id: int | None = None


NOWHERE = Whereabouts()


@dataclass(frozen=True)
class ManyWhereabouts:
    """The same for many points at once: int64 arrays, 0 where there is none."""

    district_id: Ints
    community_id: Ints
    patrol_id: Ints
    cell_id: Ints


class Locator:
    """An index over the outlines of cells and districts; built once, read from any thread.

    A point outside every cell (country roads, villages) still gets its district. On a border the lower
    index wins, so
    that the answer never depends on the order in which a tree was walked.
    """

    def __init__(self, connection: Connection) -> None:
        rows = connection.execute(
            select(area.c.id, area.c.kind, area.c.parent_id, area.c.patrol_id, area.c.outline)
            .where(area.c.kind.in_(("cell", "district", "community")), area.c.ended_on.is_(None))
            .order_by(area.c.id)
        ).all()
        cells = [row for row in rows if row.kind == "cell" and row.outline is not None]
        districts = [row for row in rows if row.kind == "district" and row.outline is not None]
        above = {row.id: row.parent_id for row in rows if row.kind == "community"}
        self._cells = shapely.STRtree(shapely.from_wkb([row.outline for row in cells]))
        self._districts = shapely.STRtree(shapely.from_wkb([row.outline for row in districts]))
        # One more entry, 0, for "none": index -1 finds it.
        self._cell_ids = _ids([row.id for row in cells])
        self._patrol_ids = _ids([row.patrol_id for row in cells])
        self._community_ids = _ids([row.parent_id for row in cells])
        self._cell_districts = _ids([above.get(row.parent_id) for row in cells])
        self._district_ids = _ids([row.id for row in districts])

    def locate(self, lon: float | None, lat: float | None) -> Whereabouts:
        """Where a point (WGS-84 degrees) lies; nowhere when it has no position."""
        if lon is None or lat is None:
            return NOWHERE
        found = self.locate_many(np.array([lon]), np.array([lat]))
        return Whereabouts(
            *(
                int(ids[0]) or None
                for ids in (found.district_id, found.community_id, found.patrol_id, found.cell_id)
            )
        )

    def locate_many(self, lon: Floats, lat: Floats) -> ManyWhereabouts:
        """Where many points lie; NaN is nowhere."""
        points = shapely.points(lon, lat)
        cell = _first(self._cells, points)
        district = self._cell_districts[cell]
        outside = np.flatnonzero(district == 0)
        if outside.size:
            district[outside] = self._district_ids[_first(self._districts, points[outside])]
        return ManyWhereabouts(
            district, self._community_ids[cell], self._patrol_ids[cell], self._cell_ids[cell]
        )


def unit_of(connection: Connection, where: Whereabouts) -> int | None:
    """The unit that answers for a place: that of its smallest area that has one (which is still active)."""
    nearest = (where.cell_id, where.patrol_id, where.community_id, where.district_id)
    query = select(area.c.id, area.c.unit_id).join_from(area, unit, unit.c.id == area.c.unit_id)
    wanted = [area_id for area_id in nearest if area_id is not None]
    rows = connection.execute(query.where(area.c.id.in_(wanted), unit.c.active))
    found = {row.id: row.unit_id for row in rows}
    return next((found[area_id] for area_id in wanted if area_id in found), None)


def city_ground(connection: Connection) -> shapely.Geometry | None:
    """What lies in the city: its outline, else the box of its bounds; ``None`` when neither is known."""
    found = connection.execute(
        select(area.c.outline)
        .where(area.c.kind == "city", area.c.outline.is_not(None), area.c.ended_on.is_(None))
        .order_by(area.c.id)
    ).scalar()
    if found is not None:
        return shapely.from_wkb(found)
    bounds = settings.get(connection, "city.bounds")
    return shapely.box(*bounds) if bounds else None


def _ids(values: list[int | None]) -> Ints:
    return np.array([value or 0 for value in values] + [0], dtype=np.int64)


def _first(tree: shapely.STRtree, points: npt.NDArray[np.object_]) -> Ints:
    """The lowest index of a polygon that holds each point, -1 where there is none."""
    found = np.full(len(points), -1, dtype=np.int64)
    if len(tree.geometries):
        point, polygon = tree.query(points, predicate="intersects")
        order = np.argsort(-polygon, kind="stable")
        found[point[order]] = polygon[order]
    return found


_kept: tuple[tuple[str, int, int], Locator] | None = None
_keeping = threading.Lock()
_MARK = select(
    func.count(), func.coalesce(func.sum(area.c.version), 0), func.coalesce(func.max(area.c.id), 0)
)


def locator_of(connection: Connection) -> Locator:
    """The locator of this database, built anew only when its areas have changed."""
    global _kept
    count, versions, newest = connection.execute(_MARK).one()
    mark = (f"{connection.engine.url}|{newest}", int(count), int(versions))
    with _keeping:
        if _kept is None or _kept[0] != mark:
            _kept = (mark, Locator(connection))
        return _kept[1]
