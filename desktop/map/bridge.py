"""What the page may call: the one object on the web channel."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass

from PySide6.QtCore import QObject, Signal, Slot

MOST_ROWS = 200
"""Nobody reads further down a list on a map."""


@dataclass(frozen=True)
class HoverCard:
    """What the card beside a point says, as plain text; `tone` is the style that colours the time left."""

    title: str
    remaining: str = ""
    tone: int = 0
    lines: tuple[str, ...] = ()


def list_row(layer: str, slot: int, card: HoverCard, note: str = "") -> dict[str, object]:
    """A row of the page's list: what the card says in one line; ``note`` stands instead of the time left."""
    return {
        "layer": layer,
        "slot": slot,
        "title": " · ".join((card.title, *card.lines[:1])),
        "note": note or card.remaining,
        "tone": -1 if note else card.tone,
    }


class PageBridge(QObject):
    """Small messages both ways; bulk goes over the scheme.

    `rung` tells the page which sections exist at which generation (JSON); what it lacks it fetches.
    """

    rung = Signal(str)
    ordered = Signal(str, str)  # name, value as JSON: what a layer is to do at once

    greeted = Signal()
    picked = Signal(str, list, str)  # layer, slots, mode
    opened = Signal(str, int)  # layer, slot
    hovered = Signal(str, int)  # layer, slot or -1
    area_picked = Signal(str, str)  # kind, code
    pointed = Signal(float, float)  # lon, lat
    view_changed = Signal(float, float, float, bool, int)  # lon, lat, zoom, by hand, goal it followed
    drawn = Signal(int, float)  # generation, milliseconds of the redraw
    violated = Signal(str)
    told = Signal(str, object)  # name, value: what a layer or a tool has to say

    def __init__(
        self,
        card: Callable[[str, int], HoverCard | None],
        labels: Callable[[str, list[int]], list[str]],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._card = card
        self._labels = labels

    @Slot()
    def greet(self) -> None:
        self.greeted.emit()

    @Slot(str, str, str)
    def pick(self, layer: str, slots: str, mode: str) -> None:
        self.picked.emit(layer, json.loads(slots), mode)

    @Slot(str, int)
    def open(self, layer: str, slot: int) -> None:
        self.opened.emit(layer, slot)

    @Slot(str, int)
    def hover(self, layer: str, slot: int) -> None:
        self.hovered.emit(layer, slot)

    @Slot(str, int, result=str)
    def card(self, layer: str, slot: int) -> str:
        """Answer with the card of a point as JSON, "null" when there is nothing to say."""
        card = self._card(layer, slot)
        return json.dumps(asdict(card) if card else None, ensure_ascii=False)

    @Slot(str, str, result=str)
    def rows(self, layer: str, slots: str) -> str:
        """Answer with the rows of a list of points as JSON; those with nothing to say are left out."""
        cards = ((slot, self._card(layer, slot)) for slot in json.loads(slots)[:MOST_ROWS])
        rows = [list_row(layer, slot, card) for slot, card in cards if card is not None]
        return json.dumps(rows, ensure_ascii=False)

    @Slot(str, str, result=str)
    def labels(self, layer: str, slots: str) -> str:
        """Answer with the words beside each of these marks as JSON, "" where there are none."""
        return json.dumps(self._labels(layer, json.loads(slots)), ensure_ascii=False)

    @Slot(str, str)
    def pick_area(self, kind: str, code: str) -> None:
        self.area_picked.emit(kind, code)

    @Slot(float, float)
    def point(self, lon: float, lat: float) -> None:
        self.pointed.emit(lon, lat)

    @Slot(float, float, float, bool, int)
    def move(self, lon: float, lat: float, zoom: float, by_hand: bool, goal: int) -> None:
        self.view_changed.emit(lon, lat, zoom, by_hand, goal)

    @Slot(int, float)
    def draw(self, generation: int, milliseconds: float) -> None:
        self.drawn.emit(generation, milliseconds)

    @Slot(str, str)
    def tell(self, name: str, value: str) -> None:
        self.told.emit(name, json.loads(value))

    @Slot(str)
    def violate(self, url: str) -> None:
        self.violated.emit(url)
