"""The map as a widget: Python holds what is to be seen, the page draws it and reports what the hand does."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QColor, QPalette, QResizeEvent
from PySide6.QtWebChannel import QWebChannel
from PySide6.QtWidgets import QLabel, QWidget

from desktop.map.basemap import BaseMap, Bounds, encode_cells, encode_shapes
from desktop.map.bridge import HoverCard, PageBridge
from desktop.map.mercator import unproject
from desktop.map.page import PAGE, serve_page
from desktop.map.points import PointColumns
from desktop.widgets.webview import LocalView, Provider, Reply

CASES = "cases"
COMPONENTS = "components"
PEOPLE = "people"
VEHICLES = "vehicles"

# What `words` must hold; the caller translates.
WORDS = (
    "loading",
    "returning",
    "returning_often",
    "no_ground",
    "no_points",
    "on_time",
    "soon",
    "over",
    "no_clock",
    "person",
    "person_stale",
    "person_lost",
    "vehicle",
    "vehicle_stale",
    "vehicle_lost",
    "utility",
    "traffic",
    "sanitation",
    "greenery",
    "other_component",
    "unsound",
    "component",
    "components_closer",
    "at_one_place",
    "density",
    "metres",
    "kilometres",
)

# What `palette` must hold.
TOKENS = (
    "ground",
    "pane",
    "pressed",
    "line",
    "text1",
    "text2",
    "text3",
    "accent",
    "on_time",
    "soon",
    "over",
    "no_clock",
    "land",
    "road",
    "side_road",
    "water",
    "park",
    "density1",
    "density2",
    "density3",
    "density4",
    "density5",
    "ramp0",
    "ramp1",
    "ramp2",
    "ramp3",
    "ramp4",
    "ramp5",
)

# A mark may have a stronger colour than the word of the same meaning; without one it takes the word's.
MARKS = {
    "on_time_fill": "on_time",
    "soon_fill": "soon",
    "over_fill": "over",
    "no_clock_fill": "no_clock",
    "collector": "accent",
    "component": "text3",
    "heat": "over",
}

# The switches of `set_layers`; all are on at first but the heat of the cells and that of the cases.
LAYERS = (
    "cases",
    "components",
    "people",
    "vehicles",
    "districts",
    "communities",
    "roads",
    "names",
    "water",
    "parks",
    "cells",
    "heat",
    "density",
    "labels",
    "legend",
)
OFTEN = 3
"""A page that dies so often within a minute is waited for, and the pane says so."""
OFF_AT_FIRST = frozenset({"heat", "density"})

CardProvider = Callable[[int], HoverCard | None]
LabelProvider = Callable[[list[int]], list[str]]


class View(NamedTuple):
    """Where the map looks: the middle in degrees and Leaflet's zoom."""

    lon: float
    lat: float
    zoom: float
    by_hand: bool = True


class MapView(QWidget):
    """The map pane's drawing: ground, cases and people.

    Every setter files its value under a section with a new generation and rings the page once per turn of
    the event loop; the page fetches the sections it lacks. So a slow page skips what is already out of date,
    and a page that was reborn fetches everything. Setters return the generation, which `drawn` names once it
    is on screen.
    """

    ready = Signal()
    picked = Signal(list, str)  # slots of cases; "replace", "toggle" or "add"
    opened = Signal(int)  # slot of a case
    hovered = Signal(int)  # slot of a case, -1 when the pointer is over none
    mark_picked = Signal(str, int)  # layer and slot of a person, a vehicle, a component
    area_picked = Signal(str, str)  # "district" or "community", code
    pointed = Signal(float, float)  # right click: lon, lat
    view_changed = Signal(tuple)  # a View
    drawn = Signal(int)  # the generation now on screen

    def __init__(
        self, palette: Mapping[str, str], words: Mapping[str, str], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._generation = 0
        self._sections: dict[str, int] = {}
        self._values: dict[str, Any] = {}
        self._points = {layer: PointColumns() for layer in (CASES, COMPONENTS, PEOPLE, VEHICLES)}
        self._cards: dict[str, CardProvider] = {}
        self._label_makers: dict[str, LabelProvider] = {}
        self._listeners: dict[str, list[Callable[[Any], None]]] = {}
        self._base: BaseMap | None = None
        self._view: View | None = None
        self._awaits_first_fit = True
        self._greeted = False
        self._state = "loading"
        self._deaths = self._wait_s = 0
        self.paint_ms = 0.0
        self._build()
        self._wire()
        self.set_words(words)
        self.set_palette(palette)
        self.set_layers({})
        self.web.open(PAGE)

    def _build(self) -> None:
        self.web = LocalView(self)
        serve_page(self.web.site)
        self._bridge = PageBridge(self._card, self._labels, self)
        self._channel = QWebChannel(self)
        self._channel.registerObject("room", self._bridge)
        self.web.page().setWebChannel(self._channel)
        self.setFocusProxy(self.web)
        self._cover = QLabel(self)
        self._cover.setTextFormat(Qt.TextFormat.PlainText)
        self._cover.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._cover.setAutoFillBackground(True)
        self._ring = QTimer(self)
        self._ring.setSingleShot(True)
        self._ring.setInterval(0)

    def _wire(self) -> None:
        self.web.site.serve("points", self._points_reply)
        self._ring.timeout.connect(self._on_ring)
        self.web.died.connect(self._on_died)
        bridge = self._bridge
        bridge.greeted.connect(self._on_greeted)
        bridge.drawn.connect(self._on_drawn)
        bridge.picked.connect(self._on_picked)
        bridge.opened.connect(self._on_opened)
        bridge.hovered.connect(self._on_hovered)
        bridge.area_picked.connect(self.area_picked)
        bridge.pointed.connect(self.pointed)
        bridge.view_changed.connect(self._on_view_changed)
        bridge.violated.connect(self.web.refuse)
        bridge.told.connect(self._on_told)

    # For the parts of the map that live in files of their own

    def put(self, section: str, value: object) -> int:
        """File what the page's section of this name takes: bytes as they are, all else as JSON."""
        if section not in self._values:
            self.web.site.serve(f"state/{section}", self._provider(section))
        self._values[section] = value
        return self._next(section)

    def order(self, name: str, value: object = None) -> None:
        """Have the page's layers that know this order carry it out now; a page that is away does not."""
        self._bridge.ordered.emit(name, json.dumps(value))

    def hear(self, name: str, listener: Callable[[Any], None]) -> None:
        """Call ``listener`` with the value whenever the page tells something by this name."""
        self._listeners.setdefault(name, []).append(listener)

    def add_words(self, words: Mapping[str, str]) -> int:
        """Give the page more words than `WORDS`, or other ones."""
        return self.put("words", {**self._values["words"], **words})

    def add_layers(self, layers: Mapping[str, bool]) -> int:
        """Bring switches of one's own, each with whether it is on at first."""
        return self.put("layers", {**layers, **self._values["layers"]})

    # What is to be seen

    def set_base(self, base: BaseMap) -> int:
        """Lay the ground; the first one is fitted into the window unless the map was moved by hand."""
        is_first = self._base is None
        self._base = base
        self.put("base", encode_shapes(base))
        self.put("heat", b"")
        generation = self.put("cells", encode_cells(base))
        if is_first and (self._view is None or not self._view.by_hand):
            generation = self.fit(base.bounds)
        return generation

    def set_points(
        self, layer: str, lon: npt.ArrayLike, lat: npt.ArrayLike, style: npt.ArrayLike, visible: npt.ArrayLike
    ) -> int:
        """Replace a layer: WGS-84 degrees, NaN = not drawn; the index is the slot.

        Styles of cases: 0 on time, 1 soon, 2 over, 3 no clock; of people and vehicles: 0 online, 1 stale,
        2 lost; of components: 0 utility, 1 traffic, 2 sanitation, 3 greenery, 4 other, +5 when unsound.
        """
        generation = self._next(f"points/{layer}")
        self._points[layer].replace(generation, lon, lat, style, visible)
        if self._awaits_first_fit and len(self._points[layer]):
            self.fit()
        return self._generation

    def patch_points(
        self,
        layer: str,
        slots: npt.ArrayLike,
        lon: npt.ArrayLike,
        lat: npt.ArrayLike,
        style: npt.ArrayLike,
        visible: npt.ArrayLike,
    ) -> int:
        """Overwrite some slots; those beyond the end are appended."""
        generation = self._next(f"points/{layer}")
        self._points[layer].patch(generation, slots, lon, lat, style, visible)
        return generation

    def set_visible(self, mask: npt.ArrayLike, layer: str = CASES) -> int:
        """Show just these slots of a layer, e.g. those the filter lets through."""
        generation = self._next(f"points/{layer}")
        self._points[layer].show(generation, mask)
        return generation

    def set_selected(self, slots: npt.ArrayLike) -> int:
        """Ring these cases and lift them above all others."""
        return self.put("selected", np.asarray(slots, np.int32).tobytes())

    def set_heat(self, strength: npt.ArrayLike) -> int:
        """Tint the cells of the base map by `strength` f[cells], 0 to 1. ValueError when there are others."""
        values = np.asarray(strength, np.float32)
        if len(values) != (self._base.cells if self._base else 0):
            raise ValueError(f"{len(values)} values for the cells of the base map")
        return self.put("heat", values.tobytes())

    def set_hover_text(self, provider: CardProvider, layer: str = CASES) -> None:
        """Ask `provider(slot)` what the card beside a point says; None shows no card."""
        self._cards[layer] = provider

    def set_labels(self, provider: LabelProvider, layer: str = CASES) -> None:
        """Ask `provider(slots)` what stands beside the marks at high zoom; "" = nothing."""
        self._label_makers[layer] = provider

    def set_palette(self, palette: Mapping[str, str]) -> int:
        """Take the colours of `TOKENS` and `MARKS`; KeyError when a token is missing."""
        colours = {token: palette[token] for token in TOKENS}
        for mark, word in MARKS.items():
            colours[mark] = palette.get(mark, palette[word])
        shades = QPalette(self._cover.palette())
        shades.setColor(QPalette.ColorRole.Window, QColor(colours["land"]))
        shades.setColor(QPalette.ColorRole.WindowText, QColor(colours["text2"]))
        self._cover.setPalette(shades)
        self.web.page().setBackgroundColor(QColor(colours["land"]))
        return self.put("palette", colours)

    def set_words(self, words: Mapping[str, str]) -> int:
        """Take the words of `WORDS`; KeyError when one is missing."""
        kept = self._values.get("words", {})
        generation = self.put("words", {**kept, **{word: words[word] for word in WORDS}})
        self._say_state()
        return generation

    def set_layers(self, layers: Mapping[str, bool]) -> int:
        """Switch layers on and off, those of `LAYERS` and those added; KeyError for an unknown one."""
        at_first = {layer: layer not in OFF_AT_FIRST for layer in LAYERS}
        shown: dict[str, bool] = self._values.get("layers") or at_first
        unknown = set(layers) - set(shown)
        if unknown:
            raise KeyError(f"no such layer: {sorted(unknown)}")
        return self.put("layers", {**shown, **layers})

    def set_scale(self, factor: float) -> None:
        """Draw everything larger or smaller, for a wall or a dense screen; 1 = as designed."""
        self.web.setZoomFactor(factor)

    def layers(self) -> dict[str, bool]:
        """Which layers are switched on."""
        return dict(self._values["layers"])

    # Where the map looks

    def fit(self, bounds: Bounds | None = None) -> int:
        """Show these bounds (west, south, east, north), or all there is."""
        self._awaits_first_fit = False
        return self.put("view", {"bounds": bounds or self._extent()})

    def go_to(self, lon: float, lat: float, zoom: float | None = None) -> int:
        """Move there; without a zoom the present one stays."""
        self._awaits_first_fit = False
        return self.put("view", {"center": (lon, lat), "zoom": zoom, "by_hand": True, "smooth": True})

    def view(self) -> View | None:
        """Where the map looks now; None before the page has first drawn."""
        return self._view

    def restore_view(self, view: View | tuple[float, ...]) -> int:
        """Go back to what `view()` gave, at once."""
        lon, lat, zoom, *by_hand = view
        self._awaits_first_fit = False
        self._view = View(lon, lat, zoom, bool(by_hand[0]) if by_hand else True)
        return self.put("view", _as_goal(self._view))

    @property
    def generation(self) -> int:
        """The newest generation there is; `drawn` follows it."""
        return self._generation

    # The road to the page

    def _next(self, section: str) -> int:
        self._generation += 1
        self._sections[section] = self._generation
        self._ring.start()
        return self._generation

    def _provider(self, section: str) -> Provider:
        def provide(_query: dict[str, str]) -> Reply:
            value = self._values[section]
            if isinstance(value, bytes):
                return Reply(value, "application/octet-stream")
            return Reply(json.dumps(value, ensure_ascii=False).encode(), "application/json")

        return provide

    def _points_reply(self, query: dict[str, str]) -> Reply:
        layer, since = query["layer"], int(query["since"])
        now = self._sections[f"points/{layer}"]
        return Reply(self._points[layer].since(since, now), "application/octet-stream")

    def _card(self, layer: str, slot: int) -> HoverCard | None:
        provider = self._cards.get(layer)
        return provider(slot) if provider else None

    def _labels(self, layer: str, slots: list[int]) -> list[str]:
        provider = self._label_makers.get(layer)
        return provider(slots) if provider else [""] * len(slots)

    def _extent(self) -> Bounds | None:
        if self._base is not None:
            return self._base.bounds
        boxes = [box for columns in self._points.values() if (box := columns.extent())]
        if not boxes:
            return None
        left, top = (min(box[side] for box in boxes) for side in (0, 1))
        right, bottom = (max(box[side] for box in boxes) for side in (2, 3))
        west, north = unproject(left, top)
        east, south = unproject(right, bottom)
        return west, south, east, north

    def _on_ring(self) -> None:
        if self._greeted:
            self._bridge.rung.emit(json.dumps(self._sections))

    def _on_greeted(self) -> None:
        self._greeted = True
        self._ring.start()

    def _on_drawn(self, generation: int, milliseconds: float) -> None:
        self.paint_ms = milliseconds
        if self._cover.isVisible():
            self._cover.hide()
            self.ready.emit()
        self.drawn.emit(generation)

    def _on_died(self, deaths: int, wait_ms: int) -> None:
        self._greeted = False
        self._deaths, self._wait_s = deaths, round(wait_ms / 1000)
        if self._view is not None:
            self.put("view", _as_goal(self._view))
        self._state = "returning" if deaths < OFTEN else "returning_often"
        self._say_state()
        self._cover.show()
        self._cover.raise_()

    def _say_state(self) -> None:
        words: str = self._values["words"][self._state]
        self._cover.setText(
            words.replace("{count}", str(self._deaths)).replace("{seconds}", str(self._wait_s))
        )

    def _on_view_changed(self, lon: float, lat: float, zoom: float, by_hand: bool, goal: int) -> None:
        # A report that left the page before it knew the newest goal says nothing about where we are going.
        if goal >= self._sections.get("view", 0):
            self._view = View(lon, lat, zoom, by_hand)
            self.view_changed.emit(self._view)

    def _on_picked(self, layer: str, slots: list[int], mode: str) -> None:
        if layer == CASES:
            self.picked.emit(slots, mode)
        else:
            self.mark_picked.emit(layer, slots[0])

    def _on_opened(self, layer: str, slot: int) -> None:
        if layer == CASES:
            self.opened.emit(slot)
        else:
            self.mark_picked.emit(layer, slot)

    def _on_told(self, name: str, value: object) -> None:
        for listener in self._listeners.get(name, ()):
            listener(value)

    def _on_hovered(self, layer: str, slot: int) -> None:
        self.hovered.emit(slot if layer == CASES else -1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.web.resize(self.size())
        self._cover.resize(self.size())


def _as_goal(view: View) -> dict[str, object]:
    return {"center": (view.lon, view.lat), "zoom": view.zoom, "by_hand": view.by_hand, "smooth": False}
