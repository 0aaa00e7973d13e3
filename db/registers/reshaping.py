"""Moves the border of areas so that their neighbours move with it: no gap opens and nothing is claimed twice.

Pure. A vertex that moved moves in every neighbour that has it; ground that is still claimed twice goes to the
area that was drawn, ground that was given up to the neighbour with the longest border on it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import shapely

from db.registers.topology import Outlines, polygons_of, without_rounding

_SAME_VERTEX = 9
"""Decimal places of a degree that tell vertices apart: a tenth of a millimetre."""
_SAME_LINE = 1e-9

Vertices = Mapping[tuple[float, float], tuple[float, float]]


def reshaped(outlines: Outlines, wanted: Outlines) -> dict[int, shapely.Geometry]:
    """The outlines that change when those of ``wanted`` are drawn anew, these among them.

    ``outlines`` are all areas of the kind as they stand, ``wanted`` valid polygons by id. What cannot be
    given to any neighbour is left as it is: ``topology.check`` then finds the gap.
    """
    before = {i: outlines[i] for i in wanted}
    ground = shapely.union_all([*before.values(), *wanted.values()])
    ids = [i for i in outlines if i not in wanted]
    shapes = np.array([outlines[i] for i in ids], dtype=object)
    near = [i for i, touched in zip(ids, shapely.intersects(shapes, ground), strict=True) if touched]
    moved: dict[tuple[float, float], tuple[float, float]] = {}
    for area_id, outline in wanted.items():
        moved.update(moved_vertices(before[area_id], outline))
    drawn = shapely.union_all(list(wanted.values()))
    after = dict(wanted)
    for area_id in near:
        after[area_id] = shapely.difference(_with_moved(outlines[area_id], moved), drawn)
    _give_away(outlines, wanted, near, after)
    result = {}
    for area_id, outline in after.items():
        tidy = without_rounding(outline)
        if area_id in wanted or not shapely.equals_exact(tidy, outlines[area_id], _SAME_LINE, normalize=True):
            result[area_id] = tidy
    return result


def moved_vertices(before: shapely.Geometry, after: shapely.Geometry) -> Vertices:
    """Which vertex of an outline went where; nothing when vertices came, went or stand in another order."""
    old, new = shapely.get_coordinates(before), shapely.get_coordinates(after)
    if len(old) != len(new):
        return {}
    differs = np.flatnonzero(np.abs(old - new).max(axis=1) > _SAME_LINE)
    # More than half of them elsewhere is another drawing, not a moved corner.
    if differs.size * 2 > len(old):
        return {}
    return {_key(*old[i].tolist()): (float(new[i][0]), float(new[i][1])) for i in differs.tolist()}


def _key(x: float, y: float) -> tuple[float, float]:
    return round(x, _SAME_VERTEX), round(y, _SAME_VERTEX)


def _with_moved(outline: shapely.Geometry, moved: Vertices) -> shapely.Geometry:
    if not moved:
        return outline

    def move(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.array([moved.get(_key(x, y), (x, y)) for x, y in points.tolist()])

    shape = shapely.transform(outline, move)
    return shape if shapely.is_valid(shape) else outline


def _give_away(
    outlines: Outlines, wanted: Outlines, near: list[int], after: dict[int, shapely.Geometry]
) -> None:
    """Hand ground that nobody claims any more to the neighbour with the longest border on it."""
    if not near:
        return
    old = shapely.union_all([outlines[i] for i in (*wanted, *near)])
    left = without_rounding(shapely.difference(old, shapely.union_all(list(after.values()))))
    outside = shapely.boundary(old)
    for part in polygons_of(left):
        rim = shapely.boundary(part)
        shares = {i: float(shapely.intersection(rim, shapely.boundary(after[i])).length) for i in near}
        heir = max(shares, key=lambda i: shares[i])
        # A border that was drawn back from where no neighbour is leaves a gap, and that is to be said.
        if shares[heir] > float(shapely.intersection(rim, outside).length):
            after[heir] = shapely.union(after[heir], part)
