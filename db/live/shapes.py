"""Which of a million points lie in a drawn shape, while it is being drawn.

A grid laid over the shape knows of each cell whether it lies inside, outside or on the line; only the points
in cells on the line are asked one by one.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import shapely

from db.live.columns import Float64, Mask, UInt8

Ring = tuple[tuple[float, float], ...]
"""Corners as longitude and latitude in degrees; it closes by itself. Where its line crosses itself, even and
odd decide."""

_CELLS = 256
_FEW = 2_000
_SLIVER = 1e-9
"""Degrees: a tenth of a millimetre. A grid over something as narrow would tell nothing."""
_OUTSIDE, _INSIDE, _ON_LINE = 0, 1, 2


def inside(ring: Ring, lon: Float64, lat: Float64) -> Mask:
    """Whether each point lies in the shape; a point without a position lies in none."""
    found = np.zeros(len(lon), dtype=bool)
    if len(ring) < 3:
        return found
    west, south, east, north = _bounds(ring)
    near = np.flatnonzero((lon >= west) & (lon <= east) & (lat >= south) & (lat <= north))
    if not len(near):
        return found
    x, y = lon[near], lat[near]
    if len(near) < _FEW or min(east - west, north - south) < _SLIVER:
        found[near] = shapely.contains_xy(_polygon(ring), x, y)
        return found
    across, up = _CELLS / (east - west), _CELLS / (north - south)
    columns = np.minimum(((x - west) * across).astype(np.int32), _CELLS - 1)
    rows = np.minimum(((y - south) * up).astype(np.int32), _CELLS - 1)
    cells = _grid(ring)[rows * _CELLS + columns]
    found[near[cells == _INSIDE]] = True
    asked = np.flatnonzero(cells == _ON_LINE)
    found[near[asked]] = shapely.contains_xy(_polygon(ring), x[asked], y[asked])
    return found


def _bounds(ring: Ring) -> tuple[float, float, float, float]:
    corners = np.array(ring)
    (west, south), (east, north) = corners.min(axis=0), corners.max(axis=0)
    return float(west), float(south), float(east), float(north)


@lru_cache(maxsize=8)
def _polygon(ring: Ring) -> Any:
    polygon = shapely.Polygon(ring)
    shapely.prepare(polygon)
    return polygon


@lru_cache(maxsize=8)
def _grid(ring: Ring) -> UInt8:
    """Each cell of a square grid over the shape, row by row from the south-west."""
    on_line = np.zeros((_CELLS + 2, _CELLS + 2), dtype=bool)
    west, south, east, north = _bounds(ring)
    corners = (np.array([*ring, ring[0]]) - (west, south)) / (east - west, north - south) * _CELLS
    steps = np.ceil(np.abs(np.diff(corners, axis=0)).max(axis=1)).astype(np.int64) + 1
    edge = np.repeat(np.arange(len(steps)), steps)
    share = (np.arange(len(edge)) - np.repeat(np.cumsum(steps) - steps, steps)) / steps[edge]
    along = corners[edge] + share[:, None] * np.diff(corners, axis=0)[edge]
    places = np.clip(along.astype(np.int64), 0, _CELLS - 1)
    # Steps are shorter than a cell, so the line goes through no cell but these and their neighbours.
    for right in range(3):
        for upward in range(3):
            on_line[places[:, 1] + upward, places[:, 0] + right] = True
    crossed = on_line[1:-1, 1:-1]
    # Cells between two crossed ones in a row lie on one side of the line: one of them answers for all.
    begins = ~crossed
    begins[:, 1:] &= crossed[:, :-1]
    rows, columns = np.nonzero(begins)
    x = west + (columns + 0.5) * (east - west) / _CELLS
    y = south + (rows + 0.5) * (north - south) / _CELLS
    answers = np.append(shapely.contains_xy(_polygon(ring), x, y), False).astype(np.uint8)
    run = np.cumsum(begins.ravel()) - 1
    cells: UInt8 = np.where(crossed.ravel(), np.uint8(_ON_LINE), answers[run])
    return cells
