"""Ways to look into the page of a map and to touch it, and a small invented ground."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from typing import Any, cast

import numpy as np
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QColor, QMouseEvent
from PySide6.QtWidgets import QApplication

from db.kernel.resources import resource
from desktop.map.basemap import Area, BaseMap, Road
from desktop.map.view import MapView

GROUND = BaseMap(
    bounds=(117.10, 35.04, 117.23, 35.13),
    districts=[Area("d1", "荆河街道", [[(117.1, 35.04), (117.23, 35.04), (117.23, 35.07)]], (117.2, 35.06))],
    roads=[Road("府前路", "main", [(117.1, 35.08), (117.23, 35.08)])],
    cell_rings=np.array([(117.1, 35.04), (117.11, 35.04), (117.11, 35.05)], np.float32),
    cell_offsets=np.array([0, 3], np.int32),
    attribution="invented",
)
MIDDLE = (117.165, 35.085)


def tokens(theme: str) -> dict[str, str]:
    with resource("styles", "tokens.toml").open("rb") as file:
        return cast("dict[str, str]", tomllib.load(file)[theme])


class MapProbe:
    """Looks at the page as the eye does and touches it as the hand does."""

    def __init__(self, view: MapView, until: Callable[..., None]) -> None:
        self.view = view
        self.until = until
        self.generation = 0
        view.drawn.connect(self._on_drawn)

    def _on_drawn(self, generation: int) -> None:
        self.generation = generation

    def settle(self, generation: int | None = None) -> None:
        """Wait until the page shows this generation, or the newest."""
        wanted = self.view.generation if generation is None else generation
        self.until(lambda: self.generation >= wanted)

    def ask(self, expression: str) -> Any:
        """Give the value of a JavaScript expression."""
        answers: list[str] = []
        self.view.web.page().runJavaScript(f"JSON.stringify({expression}) ?? 'null'", 0, answers.append)
        self.until(lambda: bool(answers))
        return json.loads(answers[0])

    def place(self, lon: float, lat: float) -> tuple[float, float]:
        """Where Leaflet itself projects a place, in window pixels."""
        point = self.ask(f"jingwei.map.project([{lat}, {lon}]).subtract(jingwei.map.getPixelBounds().min)")
        return point["x"], point["y"]

    def colour(self, lon: float, lat: float) -> QColor:
        """The colour on screen at a place."""
        x, y = self.place(lon, lat)
        picture = self.view.grab().toImage()
        ratio = picture.devicePixelRatio()
        return picture.pixelColor(int(x * ratio), int(y * ratio))

    def mouse(
        self,
        kind: QEvent.Type,
        at: tuple[float, float],
        keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
        pressed: Qt.MouseButton = Qt.MouseButton.LeftButton,
    ) -> None:
        target = self.view.web.focusProxy() or self.view.web
        moving = kind == QEvent.Type.MouseMove
        button = Qt.MouseButton.NoButton if moving else pressed
        held = pressed if kind == QEvent.Type.MouseButtonPress else Qt.MouseButton.NoButton
        place = QPointF(*at)
        event = QMouseEvent(kind, place, QPointF(target.mapToGlobal(place)), button, held, keys)
        QApplication.sendEvent(target, event)

    def click(
        self, at: tuple[float, float], keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier
    ) -> None:
        self.mouse(QEvent.Type.MouseMove, at)
        self.mouse(QEvent.Type.MouseButtonPress, at, keys)
        self.mouse(QEvent.Type.MouseButtonRelease, at, keys)

    def right_click(self, at: tuple[float, float]) -> None:
        keys, right = Qt.KeyboardModifier.NoModifier, Qt.MouseButton.RightButton
        self.mouse(QEvent.Type.MouseMove, at)
        self.mouse(QEvent.Type.MouseButtonPress, at, keys, right)
        self.mouse(QEvent.Type.MouseButtonRelease, at, keys, right)
