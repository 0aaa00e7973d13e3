"""What all charts share: a head with title and note, an axis that does not jump, words for nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QAccessible, QFontMetricsF, QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QWidget

from db.kernel.language import _
from desktop.widgets.marks import light_path
from desktop.widgets.roles import speak_as
from desktop.widgets.theme import Theme

HEAD = 26
EDGE = 12


class ChartFrame(QWidget):
    """A chart with a head. Data given while it is hidden is kept and drawn when it is shown."""

    def __init__(self, theme: Theme, title: str = "", note: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        speak_as(self, QAccessible.Role.Chart)
        self._theme = theme
        self._title, self._note = title, note
        self._legend: list[tuple[int, str, str]] = []
        self._empty = ""
        self._late = False
        self.setAccessibleName(title)
        theme.changed.connect(self._on_theme_changed)

    def set_title(self, title: str, note: str = "") -> None:
        """The title, and at the right a note (what the band means, the unit of the axis)."""
        self._title, self._note = title, note
        self.setAccessibleName(title)
        self.update()

    def set_empty(self, words: str) -> None:
        """Why there is nothing to draw; "" when nobody needs to be told."""
        self._empty = words
        self.update()

    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        raise NotImplementedError

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._late:
            self._late = False
            self._draw()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.color("pane"))
        self._paint_head(painter)
        if self.is_empty():
            self._paint_empty(painter)
        painter.end()

    def _changed(self) -> None:
        """Draw the data kept: now, or when somebody looks."""
        if self.isVisible():
            self._draw()
        else:
            self._late = True

    def _draw(self) -> None:
        raise NotImplementedError

    def _on_theme_changed(self) -> None:
        self.updateGeometry()
        self.update()

    def _paint_head(self, painter: QPainter) -> None:
        theme = self._theme
        edge, height = theme.px(EDGE), theme.px(HEAD)
        painter.setFont(theme.font("label"))
        metrics = QFontMetricsF(painter.font())
        right = float(self.width() - edge)
        middle = height / 2 + theme.px(2)
        # Where there is no room for the words of the legend, the shapes still tell.
        words = sum(metrics.horizontalAdvance(word) + theme.px(22) for _light, word, _token in self._legend)
        wordless = words > self.width() * 0.62
        for light, word, token in reversed(self._legend):
            if not wordless:
                right -= metrics.horizontalAdvance(word)
                painter.setPen(theme.color("text3"))
                painter.drawText(QPointF(right, middle + metrics.ascent() / 2 - metrics.descent() / 3), word)
            right -= theme.px(8)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.fillPath(light_path(light, QPointF(right, middle), theme.px(8)), theme.color(token))
            right -= theme.px(14)
        if self._note:
            width = metrics.horizontalAdvance(self._note)
            painter.setPen(theme.color("text3"))
            place = QRectF(right - width, theme.px(2), width + 1, height)
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, self._note)
            right -= width + theme.px(8)
        painter.setPen(theme.color("text2"))
        title = metrics.elidedText(self._title, Qt.TextElideMode.ElideRight, max(0.0, right - edge))
        place = QRectF(edge, theme.px(2), max(0.0, right - edge), height)
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, title)

    def _paint_empty(self, painter: QPainter) -> None:
        theme = self._theme
        painter.setFont(theme.font("label"))
        painter.setPen(theme.color("text3"))
        area = QRectF(self.rect()).adjusted(theme.px(EDGE), theme.px(HEAD), -theme.px(EDGE), 0)
        words = self._empty or _("No data")
        painter.drawText(
            area, int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap), f"—  {words}"
        )


class SteadyTop:
    """The top of an axis from 0: a round number that grows when it must, shrinks only when far off."""

    def __init__(self, least: float = 10) -> None:
        """`least` is the smallest top there is."""
        self._least = least
        self.top = least

    def take(self, largest: float) -> float:
        """The top for data up to `largest`."""
        wanted = max(self._least, round_up(largest))
        if largest > self.top or wanted < self.top * 0.5:
            self.top = wanted
        return self.top


def round_up(value: float, steps: Sequence[float] = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)) -> float:
    """The least round number that is not below `value`."""
    if value <= 0 or not math.isfinite(value):
        return 0.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (*steps, 10) if step * power >= value - 1e-9)
