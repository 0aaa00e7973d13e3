"""The tool in hand: what the page is to let draw, and what becomes of the drawing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, Signal

from db.kernel.geo import EARTH_METRES
from db.kernel.language import N_, _
from db.live.shapes import Ring, inside
from db.registers.datum import written
from desktop.core.context import Context
from desktop.map.view import MapView

HINTS = {
    "lasso": N_(
        "Draw round the cases with the button held, or set corners: arrows and Space. "
        "Enter selects, Ctrl+Enter adds, Esc leaves"
    ),
    "radius": N_("Middle, then edge: mouse, or arrows and Space. Esc leaves"),
    "measure": N_("Click, or arrows and Space; Backspace takes back, Enter ends, Esc leaves"),
    "place": N_("Click where it belongs, or arrows and Space. Esc leaves"),
    "outline": N_(
        "Click corner by corner, or arrows and Space; near a border the corner snaps. Enter ends, Esc leaves"
    ),
    "reshape": N_(
        "Drag corners, click the line for a new one, Delete removes; Tab and Space take one, arrows move it. "
        "Enter ends, Esc leaves"
    ),
}
"""What the hint line says while a tool is in hand; its keys are the page's own."""
_CORNERS = 72
"""Of the ring that stands for a circle."""


class Tools(QObject):
    """At most one tool is in hand. What selects cases is carried out here, all else is told."""

    changed = Signal()
    """Another tool, or none."""
    placed = Signal(float, float)
    """A place was picked: lon, lat."""
    outlined = Signal(list)
    """A new area was drawn: corners as (lon, lat)."""
    reshaped = Signal(list)
    """The border of an area was moved."""

    def __init__(self, view: MapView, context: Context, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._view = view
        self._context = context
        self.kind = ""
        self.frame = ""
        """The frame in which coordinates under the pointer are told, "" for none."""
        self.shape: Ring = ()
        """What was drawn last to select with."""
        self.at: tuple[float, float] | None = None
        """Where the pointer was last, while coordinates are told."""
        view.put("tool", None)
        view.add_layers({"coordinates": False})
        self._wire()

    def _wire(self) -> None:
        hear = self._view.hear
        hear("shape_drawn", self._on_shape)
        hear("circle_drawn", self._on_circle)
        hear("place_picked", self._on_place)
        hear("outline_drawn", lambda value: self._done(self.outlined, value))
        hear("outline_reshaped", lambda value: self._done(self.reshaped, value))
        hear("tool_left", lambda _value: self.leave())
        hear("wandered", self._on_wandered)

    def take(self, kind: str, *, level: str = "cell", points: Sequence[tuple[float, float]] = ()) -> None:
        """Take a tool of ``HINTS`` into the hand; the same one again is put away. KeyError if unknown.

        ``level`` is the kind of areas whose borders it snaps to, ``points`` the corners to begin with.
        """
        if kind == self.kind:
            self.leave()
            return
        value = {"kind": kind, "hint": _(HINTS[kind]), "level": level, "points": list(points)}
        self.kind = kind
        self._view.put("tool", value)
        self._view.web.setFocus()
        self.changed.emit()

    def leave(self) -> bool:
        """Put the tool away; False when there was none."""
        if not self.kind:
            return False
        self.kind = ""
        self._view.put("tool", None)
        self.changed.emit()
        return True

    def tell_coordinates(self, frame: str) -> None:
        """Tell where the pointer is in a frame of ``FRAMES``; "" tells nothing."""
        self.frame = frame
        self._view.set_layers({"coordinates": bool(frame)})
        if not frame:
            self.at = None
            self._view.order("say_where", "")
        self.changed.emit()

    def coordinates(self) -> str:
        """Where the pointer was last, as it is told; "" when nothing is told."""
        return written(*self.at, self.frame) if self.at and self.frame else ""

    def narrow(self) -> bool:
        """Let the filter take what was drawn last, so that every pane shows only that; False without one."""
        if not self.shape:
            return False
        self._context.set_filter(replace(self._context.filter, shape=self.shape))
        return True

    def _on_shape(self, value: dict[str, Any]) -> None:
        self.shape = tuple((float(lon), float(lat)) for lon, lat in value["ring"])
        self._select(value["more"])

    def _on_circle(self, value: dict[str, Any]) -> None:
        lon, lat = value["ring"][0]
        self.shape = circle(lon, lat, value["metres"])
        self._select(value["more"])

    def _select(self, more: bool) -> None:
        board = self._context.board
        store = board.store
        found = inside(self.shape, store.lon, store.lat) & board.lens.mask
        self.leave()
        self._context.pick(frozenset(store.id[found].tolist()), "add" if more else "replace")

    def _on_place(self, value: dict[str, Any]) -> None:
        lon, lat = value["ring"][0]
        self.leave()
        self.placed.emit(lon, lat)

    def _done(self, signal: Any, value: dict[str, Any]) -> None:
        self.leave()
        signal.emit([(float(lon), float(lat)) for lon, lat in value["ring"]])

    def _on_wandered(self, value: list[float]) -> None:
        self.at = (value[0], value[1])
        self._view.order("say_where", f"{self.frame}  {self.coordinates()}" if self.frame else "")


def circle(lon: float, lat: float, metres: float) -> Ring:
    """The ring of all places so many metres off, on the sphere of ``db.kernel.geo``."""
    bearing = np.linspace(0.0, 2.0 * np.pi, _CORNERS, endpoint=False)
    phi, reach = np.radians(lat), metres / EARTH_METRES
    sine = np.sin(phi) * np.cos(reach) + np.cos(phi) * np.sin(reach) * np.cos(bearing)
    east = np.arctan2(np.sin(bearing) * np.sin(reach) * np.cos(phi), np.cos(reach) - np.sin(phi) * sine)
    lons, lats = lon + np.degrees(east), np.degrees(np.arcsin(sine))
    return tuple(zip(lons.tolist(), lats.tolist(), strict=True))
