"""Turns the base map as the registers give it into the one that the page draws, in the reader's language."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from db.registers.queries import BaseMap as RegisterMap
from db.registers.queries import Shapes
from desktop.map.basemap import Area, BaseMap, Line, Road, Shape


def ground(source: RegisterMap, language: str, attribution: str, codes: dict[int, str]) -> BaseMap:
    """The base map to draw; ``codes`` names the areas by id (a click on a name reports the code)."""
    origin = np.asarray(source.origin, dtype=np.float64)

    def rings(shapes: Shapes, index: int) -> Iterator[Line]:
        for ring in range(int(shapes.offsets[index]), int(shapes.offsets[index + 1])):
            corners = shapes.points[int(shapes.rings[ring]) : int(shapes.rings[ring + 1])]
            yield [(float(x), float(y)) for x, y in corners.astype(np.float64) + origin]

    def name(shapes: Shapes, index: int) -> str:
        return (language == "en" and shapes.labels_en[index]) or shapes.labels[index]

    def areas(shapes: Shapes) -> list[Area]:
        return [
            Area(
                codes.get(int(shapes.ids[i]), ""),
                name(shapes, i),
                list(rings(shapes, i)),
                (float(shapes.anchors[i, 0]), float(shapes.anchors[i, 1])),
            )
            for i in range(len(shapes))
        ]

    roads = source.roads
    waters = source.waters
    cells = source.cells
    return BaseMap(
        bounds=source.bounds,
        outline=[line for i in range(len(source.outline)) for line in rings(source.outline, i)],
        districts=areas(source.districts),
        communities=areas(source.communities),
        patrols=areas(source.patrols),
        roads=[
            Road(name(roads, i), roads.grades[i], line)  # type: ignore[arg-type]
            for i in range(len(roads))
            for line in rings(roads, i)
        ],
        waters=[
            Shape(name(waters, i), list(rings(waters, i)))
            for i in range(len(waters))
            if waters.grades[i] != "park"
        ],
        parks=[
            Shape(name(waters, i), list(rings(waters, i)))
            for i in range(len(waters))
            if waters.grades[i] == "park"
        ],
        cell_rings=cells.points.astype(np.float64) + origin,
        cell_offsets=cells.rings,
        attribution=attribution,
    )
