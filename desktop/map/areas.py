"""The areas of the city as something to count in: sizes, who is in them, and the colours of a measure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import shapely

from db.cases.rules import Light
from db.kernel.geo import EARTH_METRES
from db.kernel.language import N_, _, language, ngettext_
from db.live.board import Board
from db.live.directory import Directory
from db.registers.queries import BaseMap, Shapes
from desktop.core.words import number
from desktop.map.classes import METHOD_LABELS, NO_DATA, ZERO, Classes, Method, classify

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Bounds = tuple[float, float, float, float]

LEVELS = ("district", "community", "patrol", "cell")
PART_OF = {"district": "districts", "community": "communities", "patrol": "patrols", "cell": "cells"}
"""The part of the filter that an area of each level sets."""
BELOW = {"district": "community", "community": "cell", "patrol": "cell"}
"""What a click on an area of a level opens."""
LEVEL_LABELS = {
    "district": N_("Districts"),
    "community": N_("Communities"),
    "patrol": N_("Patrol areas"),  # zh: 责任网格
    "cell": N_("Cells"),
}
FEW = 10
"""A share of fewer cases than this says more about chance than about the area."""


@dataclass(frozen=True, eq=False)
class Layer:
    """The areas of one level in the order of their ids, with what does not change from case to case."""

    level: str
    ids: Ints
    codes: tuple[str, ...]
    parents: Ints
    """The area above each, 0 = none."""
    square_km: Floats
    boxes: Floats
    """West, south, east, north of each."""
    tree: shapely.STRtree
    places: dict[int, int] = field(repr=False)
    """Id → place in the arrays."""

    def __len__(self) -> int:
        return len(self.ids)

    def bounds(self, area_id: int) -> Bounds | None:
        """West, south, east, north of an area; None when it has no outline."""
        place = self.places.get(area_id)
        if place is None:
            return None
        west, south, east, north = self.boxes[place].tolist()
        return west, south, east, north

    def holding(self, lon: Floats, lat: Floats) -> Ints:
        """The place of the area that holds each point, -1 for none and for NaN; the first one on a border."""
        found = np.full(len(lon), -1, np.int64)
        if len(self.tree.geometries) and len(lon):
            point, area = self.tree.query(shapely.points(lon, lat), predicate="intersects")
            order = np.argsort(-area, kind="stable")
            found[point[order]] = area[order]
        return found


def layers_of(source: BaseMap, directory: Directory) -> dict[str, Layer]:
    """The levels of the base map; areas that the directory does not know are left out of none of them."""
    shapes = {
        "district": source.districts,
        "community": source.communities,
        "patrol": source.patrols,
        "cell": source.cells,
    }
    return {level: _layer(level, each, source.origin, directory) for level, each in shapes.items()}


def _layer(level: str, shapes: Shapes, origin: tuple[float, float], directory: Directory) -> Layer:
    rings = [
        shapely.linearrings(shapes.points[shapes.rings[i] : shapes.rings[i + 1]].astype(np.float64) + origin)
        for i in range(len(shapes.rings) - 1)
    ]
    # Outer rings and holes alike: what lies in an odd number of them lies in the area.
    outlines = np.array(
        [_surface(rings[shapes.offsets[i] : shapes.offsets[i + 1]]) for i in range(len(shapes))],
        dtype=object,
    )
    entries = [directory.areas.get(int(key)) for key in shapes.ids]
    narrow = np.cos(np.radians(origin[1]))
    per_degree = np.radians(1.0) * EARTH_METRES / 1000
    return Layer(
        level,
        np.asarray(shapes.ids, np.int64),
        tuple(entry.code if entry else str(key) for entry, key in zip(entries, shapes.ids, strict=True)),
        np.array([(entry.parent_id or 0) if entry else 0 for entry in entries], np.int64),
        np.asarray(shapely.area(outlines), np.float64) * narrow * per_degree**2,
        np.asarray(shapely.bounds(outlines), np.float64).reshape(-1, 4),
        shapely.STRtree(outlines),
        {int(key): place for place, key in enumerate(shapes.ids)},
    )


def _surface(rings: list[shapely.LinearRing]) -> shapely.Geometry:
    if len(rings) == 1:
        return shapely.Polygon(rings[0])
    surface: shapely.Geometry = shapely.Polygon()
    for ring in rings:
        surface = shapely.symmetric_difference(surface, shapely.Polygon(ring))
    return surface


@dataclass(frozen=True, eq=False)
class Counts:
    """What there is in each area of a layer, one entry an area."""

    open: Floats
    overdue: Floats
    soon: Floats
    running: Floats
    """Open cases whose disposal clock runs or has run: what can be overdue at all."""
    square_km: Floats
    collectors: Floats
    """Collectors who are in the area now; NaN when nobody's position is known at all."""
    extra: Mapping[str, Floats] = field(default_factory=dict)
    """What other registers know, by name: the patrol plan and its fact."""


def counts_of(board: Board, layer: Layer, extra: Mapping[str, Floats] | None = None) -> Counts:
    """Count the open cases under the filter by area; the parts of the filter that name areas of this level
    or of a lower one are left out, so that the neighbours can still be chosen (about 1 ms at 100,000)."""
    store = board.store
    below = LEVELS[LEVELS.index(layer.level) :]
    chosen = board.lens.match.without(*(PART_OF[level] for level in below)) & store.is_open
    codes = store.codes[layer.level]
    at = np.array([layer.places.get(int(key), len(layer)) for key in codes.ids], np.int64)
    column = getattr(store, layer.level)[chosen]
    lights = store.light[chosen]
    by_code = np.bincount(column.astype(np.int64) * 4 + lights, minlength=4 * len(codes)).reshape(-1, 4)
    by_area = np.zeros((len(layer) + 1, 4))
    np.add.at(by_area, at, by_code[: len(at)])
    by_area = by_area[:-1]
    people = board.people
    if len(people):
        inside = layer.holding(people.lon, people.lat)
        collectors = np.bincount(inside[inside >= 0], minlength=len(layer)).astype(np.float64)
    else:
        collectors = np.full(len(layer), np.nan)
    whole = by_area.sum(axis=1)
    return Counts(
        whole,
        by_area[:, Light.OVER],
        by_area[:, Light.SOON],
        whole - by_area[:, Light.NO_CLOCK],
        layer.square_km,
        collectors,
        extra or {},
    )


def _ratio(above: Floats, below: Floats) -> Floats:
    """Above ÷ below; nothing is known where there is nothing to divide by."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(below > 0, above / below, np.nan)


@dataclass(frozen=True)
class Measure:
    """One thing by which areas can be coloured. ``of`` gives NaN where nothing is known."""

    id: str
    title: str
    of: Callable[[Counts], Floats]
    is_count: bool = False
    is_share: bool = False
    base: Callable[[Counts], Floats] | None = None
    """How many cases a share rests on."""
    needs: str = ""
    """The ``Counts.extra`` without which it cannot be shown."""


MEASURES = {
    measure.id: measure
    for measure in (
        Measure("open", N_("Open cases"), lambda c: c.open, is_count=True),
        Measure("overdue", N_("Overdue cases"), lambda c: c.overdue, is_count=True),
        Measure("soon", N_("Cases due soon"), lambda c: c.soon, is_count=True),
        Measure(
            "overdue_share",
            N_("Overdue share of cases with a clock"),
            lambda c: _ratio(c.overdue, c.running),
            is_share=True,
            base=lambda c: c.running,
        ),
        Measure("open_per_km2", N_("Open cases per km²"), lambda c: _ratio(c.open, c.square_km)),
        Measure("overdue_per_km2", N_("Overdue cases per km²"), lambda c: _ratio(c.overdue, c.square_km)),
        # Where there is nobody there is no number: not zero and not infinity.
        Measure("open_per_collector", N_("Open cases per collector"), lambda c: _ratio(c.open, c.collectors)),
        Measure(
            "patrol",
            N_("Patrol visits made of those planned"),
            lambda c: _ratio(c.extra["visited"], c.extra["planned"]),
            is_share=True,
            needs="planned",
        ),
    )
}
"""All measures in the order of the menu; a new one is one line here."""


class Step(NamedTuple):
    """One line of the legend: the colour's number (0 = none), its range in words, how many areas."""

    code: int
    words: str
    areas: int


@dataclass(frozen=True, eq=False)
class Choropleth:
    """A level in colours: class and smallness of each area of the layer, and what the legend says."""

    level: str
    measure: str
    classes: Classes
    values: Floats
    few: Mask
    """Shares that rest on fewer than ``FEW`` cases: drawn hatched."""
    steps: tuple[Step, ...]
    title: str
    notes: tuple[str, ...]

    def plain(self) -> dict[str, object]:
        """What the page is told."""
        return {
            "level": self.level,
            "classes": self.classes.of.tolist(),
            "few": np.flatnonzero(self.few).tolist(),
            "title": self.title,
            "steps": [list(step) for step in self.steps],
            "notes": list(self.notes),
        }


def choropleth(
    layer: Layer, counts: Counts, measure: Measure, method: Method, inside: Mask | None = None
) -> Choropleth:
    """Colour the areas of a layer by a measure; areas that are not ``inside`` are not in question."""
    values = np.asarray(measure.of(counts), np.float64).copy()
    if inside is not None:
        values[~inside] = np.nan
    classes = classify(values, method)
    few = np.zeros(len(layer), bool)
    if measure.base is not None:
        few = ~np.isnan(values) & (measure.base(counts) < FEW)
    return Choropleth(
        layer.level,
        measure.id,
        classes,
        values,
        few,
        _steps(classes, measure, inside),
        f"{_(measure.title)} · {_(LEVEL_LABELS[layer.level])}",
        _notes(method, few, measure),
    )


def inside_of(
    layers: Mapping[str, Layer], level: str, districts: Collection[int], communities: Collection[int]
) -> Mask:
    """Which areas of a level lie in the chosen districts and communities; empty ones choose all."""
    layer = layers[level]
    inside = np.ones(len(layer), bool)
    if level == "cell" and communities:
        inside &= np.isin(layer.parents, list(communities))
    if districts and level != "district":
        above = layer.parents
        if level in ("cell", "patrol"):
            middle = layers["community"]
            lookup = {int(key): int(parent) for key, parent in zip(middle.ids, middle.parents, strict=True)}
            above = np.array([lookup.get(int(key), int(key)) for key in layer.parents], np.int64)
        inside &= np.isin(above, list(districts))
    if level == "patrol" and communities:
        inside &= np.isin(layer.parents, list(communities))
    return inside


def value_words(value: float, measure: Measure) -> str:
    """A value as the legend and the card say it."""
    if np.isnan(value):
        return _("no data")
    if measure.is_share:
        return f"{value * 100:.1f} %"
    if measure.is_count:
        return number(int(value))
    return number(round(value)) if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.2g}"


def _steps(classes: Classes, measure: Measure, inside: Mask | None) -> tuple[Step, ...]:
    steps = []
    for code, (low, high) in reversed(list(enumerate(classes.ranges, start=ZERO + 1))):
        ends = (value_words(low, measure), value_words(high, measure))
        words = ends[0] if ends[0] == ends[1] else _("{low} to {high}").format(low=ends[0], high=ends[1])
        steps.append(Step(code, words, classes.size(code)))
    if classes.size(ZERO):
        steps.append(Step(ZERO, "0", classes.size(ZERO)))
    unknown = classes.of == NO_DATA
    missing = int(np.count_nonzero(unknown if inside is None else unknown & inside))
    if missing:
        steps.append(Step(NO_DATA, _("no data"), missing))
    return tuple(steps)


def _notes(method: Method, few: Mask, measure: Measure) -> tuple[str, ...]:
    notes = [_(METHOD_LABELS[method])]
    count = int(np.count_nonzero(few))
    if count:
        words = ngettext_(
            "Hatched: {count} area with fewer than {few} cases, where chance decides",
            "Hatched: {count} areas with fewer than {few} cases, where chance decides",
            count,
        )
        notes.append(words.format(count=number(count), few=FEW))
    return tuple(notes)


def area_label(directory: Directory, area_id: int) -> str:
    """What an area is called, in the reader's language."""
    entry = directory.areas.get(area_id)
    return entry.label(language()) if entry else ""
