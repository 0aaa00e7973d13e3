"""Colours the areas by a measure, and walks down and up through them: district, community, cell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from db.kernel.language import N_, _, language
from db.live.board import News
from db.live.filters import Filter
from db.registers.queries import BaseMap
from desktop.core.context import Context
from desktop.core.words import number
from desktop.map.areas import (
    BELOW,
    LEVELS,
    MEASURES,
    PART_OF,
    Choropleth,
    Counts,
    Floats,
    Layer,
    area_label,
    choropleth,
    counts_of,
    inside_of,
    layers_of,
    value_words,
)
from desktop.map.classes import NO_DATA, Method
from desktop.map.view import MapView

# The eye cannot follow colours that turn faster, and each turn draws the ground anew.
EVERY_MS = 1000
_AREA_PARTS = tuple(PART_OF[level] for level in LEVELS)


class Shading(QObject):
    """Which measure is shown for which level. Where one stands are the filter's districts and communities."""

    changed = Signal()
    """Another measure, level or way of dividing, or none at all."""

    def __init__(self, view: MapView, context: Context, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._view = view
        self._context = context
        self._layers: dict[str, Layer] = {}
        self._extra: Mapping[str, Mapping[str, Floats]] = {}
        self._shown: Choropleth | None = None
        self._counts: Counts | None = None
        self._sent: object = None
        self._marked = -1
        self.measure = ""
        """The id of a measure, "" for none."""
        self.method = Method.NATURAL
        self.level = "district"
        self._beat = QTimer(self)
        self._beat.setSingleShot(True)
        self._beat.setInterval(EVERY_MS)
        self._wire()

    def _wire(self) -> None:
        self._beat.timeout.connect(self.refresh)
        self._context.news.connect(self._on_news)
        self._context.filter_changed.connect(self.refresh)
        self._view.hear("area_pointed", self._on_pointed)
        self._view.hear("area_entered", lambda value: self.enter(value["place"], more=value["more"]))
        self._view.hear("area_stepped", self.step)
        self._view.hear("area_left", lambda _value: self.leave())
        self._view.hear("area_climbed", self.climb)

    # What is shown

    def set_ground(self, source: BaseMap) -> None:
        """Take the outlines of the areas; the page must have got them before."""
        self._layers = layers_of(source, self._context.board.store.directory)
        # What was known of the former areas fits them only.
        self._extra = {}
        self._sent = None
        self.refresh()

    def set_extra(self, extra: Mapping[str, Mapping[str, Floats]]) -> None:
        """Take what other registers know of the areas: level → name → one number an area of the layer."""
        self._extra = extra
        self.refresh()

    def layer(self, level: str) -> Layer | None:
        """The areas of a level; None before there is a base map."""
        return self._layers.get(level)

    def knows(self, measure: str) -> bool:
        """Whether there is what a measure needs, at any level."""
        needs = MEASURES[measure].needs
        return not needs or any(needs in known for known in self._extra.values())

    def show(self, measure: str) -> None:
        """Colour by a measure of ``MEASURES``; "" takes the colours away. KeyError for an unknown one."""
        if measure:
            needs = MEASURES[measure].needs
            if needs and needs not in self._extra.get(self.level, {}):
                self.level = next(level for level in LEVELS if needs in self._extra.get(level, {}))
        if bool(measure) != bool(self.measure):
            # Marks of every case hide the colours under them; who wants both switches them on again.
            self._view.set_layers({"cases": not measure})
        self.measure = measure
        self._again()

    def set_method(self, method: Method) -> None:
        """Divide the values in another way."""
        self.method = method
        self._again()

    def set_level(self, level: str) -> None:
        """Colour the areas of another level; where one stands stays."""
        self.level = level
        self._again()

    @property
    def shown(self) -> Choropleth | None:
        """What is on the map now."""
        return self._shown

    def refresh(self) -> None:
        """Count anew, and tell the page when that changes a colour or a word."""
        self._beat.stop()
        self._shown = self._counts = None
        layer = self._layers.get(self.level)
        plain: object = None
        if self.measure and layer is not None and len(layer):
            chosen = self._context.filter
            self._counts = counts_of(self._context.board, layer, self._extra.get(self.level))
            measure = MEASURES[self.measure]
            if not measure.needs or measure.needs in self._counts.extra:
                inside = inside_of(self._layers, self.level, chosen.districts, chosen.communities)
                self._shown = choropleth(layer, self._counts, measure, self.method, inside)
                held = getattr(chosen, PART_OF[self.level])
                places = [layer.places[key] for key in held if key in layer.places]
                plain = {**self._shown.plain(), "chosen": sorted(places), "crumbs": self._crumbs()}
        if plain != self._sent:
            self._sent = plain
            self._view.put("areas", plain)

    def _again(self) -> None:
        self._mark(-1)
        self.refresh()
        self.changed.emit()

    def _on_news(self, news: News) -> None:
        if self.measure and not self._beat.isActive() and (news.people_changed or not news.applied.is_empty):
            self._beat.start()

    # Down and up

    def enter(self, place: int, *, more: bool = False) -> None:
        """Go into an area: the filter takes it and the level below is coloured. ``more`` only adds it."""
        layer = self._layers.get(self.level)
        if layer is None or not 0 <= place < len(layer):
            return
        area_id = int(layer.ids[place])
        part = PART_OF[self.level]
        chosen = self._context.filter
        if more or self.level not in BELOW:
            held = frozenset({area_id})
            lowest = replace(chosen, **{part: getattr(chosen, part) ^ held if more else held})
            # A second click on the only cell chosen lets go of it.
            self._context.set_filter(chosen.without(part) if not more and lowest == chosen else lowest)
            return
        below = {PART_OF[level]: frozenset[int]() for level in LEVELS[LEVELS.index(self.level) + 1 :]}
        self.level = BELOW[self.level]
        self._mark(-1)
        self._context.set_filter(replace(chosen, **{**below, part: frozenset({area_id})}))
        if bounds := layer.bounds(area_id):
            self._view.fit(bounds)
        self.refresh()
        self.changed.emit()

    def leave(self) -> bool:
        """One step up: the lowest area that was gone into is left; False when one is at the top."""
        chosen = self._context.filter
        level = next((each for each in reversed(LEVELS) if getattr(chosen, PART_OF[each])), None)
        if not self.measure or level is None:
            return False
        self.level = level
        self._mark(-1)
        upper = chosen.without(PART_OF[level])
        self._context.set_filter(upper)
        self._look_at(upper)
        self.refresh()
        self.changed.emit()
        return True

    def climb(self, depth: int) -> None:
        """Go up to a place of the breadcrumb: 0 is the city, 1 the district."""
        chosen = self._context.filter
        kept = ("districts",) if depth else ()
        for part in _AREA_PARTS:
            if part not in kept:
                chosen = chosen.without(part)
        self.level = LEVELS[depth]
        self._mark(-1)
        self._context.set_filter(chosen)
        self._look_at(chosen)
        self.refresh()
        self.changed.emit()

    def step(self, way: int) -> None:
        """Mark the next area, the highest value first; ``way`` is 1 or -1."""
        layer, shown = self._layers.get(self.level), self._shown
        if layer is None or shown is None:
            return
        values = np.where(shown.classes.of == NO_DATA, -1.0, shown.values)
        order = np.argsort(-np.nan_to_num(values, nan=-1.0), kind="stable")
        order = order[: int(np.count_nonzero(shown.classes.of != NO_DATA))]
        if not len(order):
            return
        at = np.flatnonzero(order == self._marked)
        place = int(order[(int(at[0]) + way) % len(order)]) if len(at) else int(order[0 if way > 0 else -1])
        self._mark(place)
        west, south, east, north = layer.boxes[place].tolist()
        self._view.go_to((west + east) / 2, (south + north) / 2)

    def _look_at(self, chosen: Filter) -> None:
        for level in ("community", "district"):
            held = getattr(chosen, PART_OF[level])
            if len(held) == 1 and (bounds := self._layers[level].bounds(next(iter(held)))):
                self._view.fit(bounds)
                return
        self._view.fit()

    def _crumbs(self) -> list[str]:
        """The city and the areas that were gone into, as far as there is one of each."""
        directory, chosen = self._context.board.directory, self._context.filter
        crumbs = [self._context.city.label(language()) or _("City")]
        if chosen.communities and not chosen.districts and len(chosen.communities) == 1:
            entry = directory.areas.get(next(iter(chosen.communities)))
            crumbs.append(area_label(directory, (entry and entry.parent_id) or 0))
        for part in ("districts", "communities"):
            held = getattr(chosen, part)
            if len(held) == 1:
                crumbs.append(area_label(directory, next(iter(held))))
            elif held:
                crumbs.append(_("{count} areas").format(count=number(len(held))))
        return crumbs

    # What is pointed at

    def _on_pointed(self, place: int) -> None:
        self._mark(place)

    def _mark(self, place: int) -> None:
        self._marked = place
        self._view.order("mark_area", {"place": place, "words": self._words(place)})

    def _words(self, place: int) -> str:
        layer, shown, counts = self._layers.get(self.level), self._shown, self._counts
        if layer is None or shown is None or counts is None or not 0 <= place < len(layer):
            return ""
        directory = self._context.board.directory
        measure = MEASURES[self.measure]
        head = area_label(directory, int(layer.ids[place])) or layer.codes[place]
        lines: list[Any] = [f"{head}  {value_words(float(shown.values[place]), measure)}"]
        facts = _("{open} open, {overdue} overdue · {km2} km²")
        lines.append(
            facts.format(
                open=number(int(counts.open[place])),
                overdue=number(int(counts.overdue[place])),
                km2=f"{counts.square_km[place]:.2f}",
            )
        )
        if shown.few[place]:
            lines.append(_("Too few cases to judge by"))
        return "\n".join(lines)


HINT = N_("Click an area to go in, Backspace to come out, [ and ] from one to the next")
"""What the hint line says while areas are coloured."""
