"""Whether the areas of one kind tile the ground: gaps, overlaps, slivers, and cells that cross a border.

Pure: outlines in WGS-84 degrees in, findings with square metres out (DOMAIN 5, no. 8: zero gaps). Degrees
become metres by the scale of the middle of all outlines, which over a county is true to a thousandth.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from db.kernel.geo import EARTH_METRES

SLIVER_M = 1.0
"""What is narrower than this was hardly meant: borders drawn twice, not snapped."""
ROUNDING_M = 0.002
"""What is narrower than this is the rounding of coordinates (1e-9 degrees are a tenth of a millimetre)."""

Outlines = Mapping[int, shapely.Geometry]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Overlap:
    """Ground that two areas claim."""

    first: int
    second: int
    outline: shapely.Geometry
    square_metres: float
    is_sliver: bool


@dataclass(frozen=True)
class Gap:
    """Ground that no area claims, and the areas around it."""

    beside: tuple[int, ...]
    outline: shapely.Geometry
    square_metres: float
    is_sliver: bool


@dataclass(frozen=True)
class Crossing:
    """An area that lies partly outside of the one that it belongs to."""

    area_id: int
    parent_id: int
    outside: shapely.Geometry
    square_metres: float
    is_sliver: bool


@dataclass(frozen=True)
class Findings:
    """What is wrong with a tiling; the largest first."""

    gaps: tuple[Gap, ...] = ()
    overlaps: tuple[Overlap, ...] = ()

    @property
    def slivers(self) -> tuple[Gap | Overlap, ...]:
        """The gaps and overlaps that are narrower than ``SLIVER_M``."""
        both: list[Gap | Overlap] = [*self.gaps, *self.overlaps]
        return tuple(each for each in both if each.is_sliver)

    @property
    def is_clean(self) -> bool:
        return not self.gaps and not self.overlaps


@dataclass(frozen=True)
class _Plane:
    """Degrees as metres from a point and back."""

    lon: float
    lat: float
    east: float
    north: float

    def metres(self, shapes: Any) -> Any:
        return shapely.transform(shapes, lambda at: (at - (self.lon, self.lat)) * (self.east, self.north))

    def degrees(self, shapes: Any) -> Any:
        return shapely.transform(shapes, lambda at: at / (self.east, self.north) + (self.lon, self.lat))


def check(outlines: Outlines, whole: shapely.Geometry | None = None) -> Findings:
    """Gaps and overlaps of areas of one kind by id.

    With ``whole`` everything of it that no area claims is a gap; without it only what is enclosed by areas.
    Areas must be valid polygons; 3,600 cells take about half a second.
    """
    ids = np.fromiter(outlines, dtype=np.int64, count=len(outlines))
    if not ids.size:
        return Findings()
    degrees = np.array(list(outlines.values()), dtype=object)
    plane = _plane_of(degrees)
    shapes = plane.metres(degrees)
    tree = shapely.STRtree(shapes)
    claimed = shapely.union_all(shapes)
    if whole is None:
        # A hole is a gap also when it is the only thing that is wrong: fill the outer rings and look.
        parts = shapely.get_parts(claimed)
        filled = shapely.union_all(shapely.polygons(shapely.get_exterior_ring(parts)))
    else:
        filled = plane.metres(whole)
    left = polygons_of(shapely.difference(filled, claimed))
    gaps = [
        Gap(
            tuple(sorted(ids[tree.query(part, predicate="dwithin", distance=ROUNDING_M)].tolist())),
            plane.degrees(part),
            float(part.area),
            width(part) < SLIVER_M,
        )
        for part in left
        if width(part) >= ROUNDING_M
    ]
    overlaps = _overlaps(tree, shapes, ids, plane)
    return Findings(
        tuple(sorted(gaps, key=lambda gap: -gap.square_metres)),
        tuple(sorted(overlaps, key=lambda overlap: -overlap.square_metres)),
    )


def crossings(outlines: Outlines, parents: Mapping[int, int], whole: Outlines) -> list[Crossing]:
    """The areas that lie partly outside of their parent's outline (``whole``, by id); the largest part first.

    An area whose parent is unknown or has no outline is passed over.
    """
    ids = [i for i in outlines if parents.get(i) in whole]
    if not ids:
        return []
    degrees = np.array([outlines[i] for i in ids], dtype=object)
    plane = _plane_of(degrees)
    around = {i: plane.metres(shape) for i, shape in whole.items()}
    outside = shapely.difference(
        plane.metres(degrees), np.array([around[parents[i]] for i in ids], dtype=object)
    )
    found = []
    for area_id, rest, original in zip(ids, outside.tolist(), degrees.tolist(), strict=True):
        parts = [part for part in polygons_of(rest) if width(part) >= ROUNDING_M]
        if parts and not original.is_empty:
            left = shapely.multipolygons(parts)
            widest = max(width(part) for part in parts)
            found.append(
                Crossing(area_id, parents[area_id], plane.degrees(left), float(left.area), widest < SLIVER_M)
            )
    return sorted(found, key=lambda crossing: -crossing.square_metres)


def square_metres(outline: shapely.Geometry) -> float:
    """The size of an outline in degrees."""
    if outline.is_empty:
        return 0.0
    return float(_plane_of(np.array([outline], dtype=object)).metres(outline).area)


def without_rounding(outline: shapely.Geometry) -> shapely.Geometry:
    """The polygons of an outline in degrees without the threads that reckoning leaves behind."""
    if outline.is_empty:
        return outline
    plane = _plane_of(np.array([outline], dtype=object))
    wide = [part for part in polygons_of(outline) if width(plane.metres(part)) >= ROUNDING_M]
    if not wide:
        return shapely.Polygon()
    return wide[0] if len(wide) == 1 else shapely.multipolygons(wide)


def polygons_of(shape: shapely.Geometry) -> list[shapely.Polygon]:
    """The polygons of whatever an operation has left: lines and points have no ground."""
    flat: Sequence[shapely.Geometry] = shapely.get_parts(shape).tolist()
    nested = (inner for part in flat for inner in shapely.get_parts(part).tolist())
    return [part for part in nested if part.geom_type == "Polygon" and not part.is_empty]


def width(part: shapely.Polygon) -> float:
    """How wide a strip of this area and circumference is, in metres; of a square, half of its side."""
    around = float(part.length)
    return 2.0 * float(part.area) / around if around else 0.0


def _overlaps(tree: shapely.STRtree, shapes: Any, ids: Any, plane: _Plane) -> list[Overlap]:
    one, other = tree.query(shapes, predicate="intersects")
    pairs = one < other
    one, other = one[pairs], other[pairs]
    # Neighbours that only touch are nearly all there are; telling them apart is cheaper than cutting them.
    share = ~shapely.touches(shapes[one], shapes[other])
    one, other = one[share], other[share]
    found = []
    for a, b, common in zip(one, other, shapely.intersection(shapes[one], shapes[other]), strict=True):
        parts = [part for part in polygons_of(common) if width(part) >= ROUNDING_M]
        if parts:
            both = parts[0] if len(parts) == 1 else shapely.multipolygons(parts)
            first, second = sorted((int(ids[a]), int(ids[b])))
            widest = max(width(part) for part in parts)
            found.append(Overlap(first, second, plane.degrees(both), float(both.area), widest < SLIVER_M))
    return found


def _plane_of(shapes: Any) -> _Plane:
    west, south, east, north = shapely.total_bounds(shapes).tolist()
    lat = (south + north) / 2.0
    metres = math.radians(1.0) * EARTH_METRES
    return _Plane((west + east) / 2.0, lat, metres * math.cos(math.radians(lat)), metres)
