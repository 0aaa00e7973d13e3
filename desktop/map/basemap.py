"""The ground the cases lie on: outline, districts, roads, water, parks and cells, as the page draws them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from desktop.map.mercator import project

LonLat = tuple[float, float]
Line = Sequence[LonLat]
Bounds = tuple[float, float, float, float]
Grade = Literal["main", "side", "lane"]

# Shapes travel as pixels of this zoom from the middle of the map: short numbers, exact to some centimetres.
LOCAL_ZOOM = 14


class Area(NamedTuple):
    """A district or community; a click on its name reports `code`."""

    code: str
    name: str
    rings: Sequence[Line]
    label: LonLat


class Road(NamedTuple):
    """One line of one grade; the name may be empty."""

    name: str
    grade: Grade
    line: Line


class Shape(NamedTuple):
    """A named surface: lake, river bed, park."""

    name: str
    rings: Sequence[Line]


class Stream(NamedTuple):
    """Water known only as a line."""

    name: str
    line: Line


def _no_rings() -> npt.NDArray[np.float32]:
    return np.empty((0, 2), np.float32)


def _no_offsets() -> npt.NDArray[np.int32]:
    return np.zeros(1, np.int32)


@dataclass(frozen=True, kw_only=True)
class BaseMap:
    """Plain geometry in WGS-84 degrees, lon before lat; rings need not be closed.

    Cells are one array of corners, `cell_rings` [n, 2], cut by `cell_offsets` [cells + 1].
    """

    bounds: Bounds  # west, south, east, north
    outline: Sequence[Line] = ()
    districts: Sequence[Area] = ()
    communities: Sequence[Area] = ()
    patrols: Sequence[Area] = ()
    roads: Sequence[Road] = ()
    waters: Sequence[Shape] = ()
    streams: Sequence[Stream] = ()
    parks: Sequence[Shape] = ()
    cell_rings: npt.NDArray[np.floating] = field(default_factory=_no_rings)
    cell_offsets: npt.NDArray[np.integer] = field(default_factory=_no_offsets)
    attribution: str = ""

    @property
    def cells(self) -> int:
        """How many cells there are."""
        return max(0, len(self.cell_offsets) - 1)


class _Plane:
    """Local pixels around the middle of the bounds."""

    def __init__(self, bounds: Bounds) -> None:
        west, south, east, north = bounds
        x, y = project([(west + east) / 2], [(south + north) / 2])
        self.origin = (float(x[0]), float(y[0]))
        self.scale = 256.0 * 2**LOCAL_ZOOM

    def place(self, line: Iterable[LonLat]) -> npt.NDArray[np.float64]:
        points = np.asarray(line, np.float64).reshape(-1, 2)
        x, y = project(points[:, 0], points[:, 1])
        return np.column_stack([(x - self.origin[0]) * self.scale, (y - self.origin[1]) * self.scale])

    def flat(self, line: Iterable[LonLat]) -> list[float]:
        return self.place(line).round(2).ravel().tolist()

    def rings(self, rings: Iterable[Line]) -> list[list[float]]:
        return [self.flat(ring) for ring in rings]


def encode_shapes(base: BaseMap) -> bytes:
    """Give the page everything but the cells, as JSON in local pixels."""
    plane = _Plane(base.bounds)

    def area(each: Area) -> dict[str, object]:
        return {
            "code": each.code,
            "name": each.name,
            "rings": plane.rings(each.rings),
            "label": plane.flat([each.label]),
        }

    return json.dumps(
        {
            "origin": plane.origin,
            "zoom": LOCAL_ZOOM,
            "bounds": base.bounds,
            "attribution": base.attribution,
            "outline": plane.rings(base.outline),
            "districts": [area(each) for each in base.districts],
            "communities": [area(each) for each in base.communities],
            "patrols": [area(each) for each in base.patrols],
            "roads": [
                {"name": each.name, "grade": each.grade, "line": plane.flat(each.line)} for each in base.roads
            ],
            "waters": [{"name": each.name, "rings": plane.rings(each.rings)} for each in base.waters],
            "streams": [{"name": each.name, "line": plane.flat(each.line)} for each in base.streams],
            "parks": [{"name": each.name, "rings": plane.rings(each.rings)} for each in base.parks],
            "cells": base.cells,
        },
        ensure_ascii=False,
        separators=(",", ":"),
    ).encode()


def encode_cells(base: BaseMap) -> bytes:
    """Give the page the cells: int32 offsets[cells + 1], then float32 x, y of each corner in local pixels."""
    corners = _Plane(base.bounds).place(base.cell_rings)
    return np.asarray(base.cell_offsets, np.int32).tobytes() + corners.astype(np.float32).tobytes()
