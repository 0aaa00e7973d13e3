"""Shapes laid over the ground for a while: faults of the grid, hours, sensitive places, previews."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import shapely

from desktop.map.tools import circle
from desktop.map.view import MapView


@dataclass(frozen=True)
class Look:
    """How a kind of shape is drawn: tokens of the palette, "" for none. ``words`` stand in the legend."""

    stroke: str
    fill: str = ""
    hatch: str = ""
    dash: bool = False
    words: str = ""


class Overlays:
    """Groups of shapes by name; laying a group again replaces it."""

    def __init__(self, view: MapView) -> None:
        self._view = view
        self._groups: dict[str, list[dict[str, Any]]] = {}
        self._looks: dict[str, list[Look]] = {}
        self._send()

    def lay(self, group: str, shapes: Iterable[tuple[shapely.Geometry, Look, str]]) -> None:
        """Draw shapes with their look and the words on them; none takes the group away."""
        laid = [(rings_of(shape), look, words) for shape, look, words in shapes]
        self._groups[group] = [
            {"rings": rings, **_plain(look), "words": words} for rings, look, words in laid
        ]
        self._looks[group] = list(dict.fromkeys(look for _rings, look, _words in laid if look.words))
        self._send()

    def has(self, group: str) -> bool:
        """Whether a group is drawn."""
        return bool(self._groups.get(group))

    def _send(self) -> None:
        looks = [look for group in self._looks.values() for look in group]
        shapes = [shape for group in self._groups.values() for shape in group]
        legend = [{**_plain(look), "words": look.words} for look in looks]
        self._view.put("overlays", {"shapes": shapes, "legend": legend})


def disc(lon: float, lat: float, metres: float) -> shapely.Geometry:
    """All places within so many metres."""
    return shapely.Polygon(circle(lon, lat, metres))


def rings_of(shape: shapely.Geometry) -> list[Sequence[Sequence[float]]]:
    """Outer rings and holes of whatever polygons a shape is made of."""
    polygons = [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon"]
    rings = shapely.get_rings(polygons)
    return [shapely.get_coordinates(ring).tolist() for ring in rings]


def _plain(look: Look) -> dict[str, Any]:
    return {"stroke": look.stroke, "fill": look.fill, "hatch": look.hatch, "dash": look.dash}
