"""Horizontal bars by name: stacked by light, or in order of weight with their running share.

Drawn with QPainter, not pyqtgraph: here the words are most of the picture (Chinese names elided at the left,
figures aligned at the right, each row a target for pointer and keyboard), which an axis of a plot does badly,
and ten rows are ten rectangles.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from desktop.widgets.chart_frame import EDGE, HEAD, ChartFrame, SteadyTop
from desktop.widgets.marks import Light, light_word
from desktop.widgets.picking import keeps_enter, taking
from desktop.widgets.plain import tip
from desktop.widgets.theme import Theme

ROW = 28
_THICK = 13
SEGMENTS = ("over", "soon", "on_time")
_LIGHTS = (Light.OVER, Light.SOON, Light.ON_TIME)


class NamedBars(ChartFrame):
    """Rows of name, bar and figure. Rows that do not fit are not drawn: the first ones weigh most."""

    def __init__(self, theme: Theme, title: str = "", note: str = "", parent: QWidget | None = None) -> None:
        super().__init__(theme, title, note, parent)
        self._keys: list[str] = []
        self._names: list[str] = []
        self._on: frozenset[str] = frozenset()
        self._hover = -1
        self._current = -1
        self._top = SteadyTop()
        self.setMouseTracking(True)
        # More height than rows is of no use to bars; the lines and the histogram beside them can use it.
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def set_on(self, keys: Iterable[str]) -> None:
        """The keys of the rows whose filter is on."""
        self._on = frozenset(keys)
        self.update()

    def keys(self) -> list[str]:
        """The keys of the rows from the top."""
        return list(self._keys)

    def is_empty(self) -> bool:
        return not self._keys

    def sizeHint(self) -> QSize:
        rows = max(3, len(self._keys))
        return QSize(self._theme.px(360), self._theme.px(HEAD + 4) + rows * self._theme.px(ROW))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(160), self._theme.px(HEAD + 4 + 3 * ROW))

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.is_empty():
            return
        theme = self._theme
        painter = QPainter(self)
        columns = self._columns()
        for row in range(self._fitting()):
            self._paint_ground(painter, row)
            area = self._row(row)
            name = QRectF(theme.px(EDGE), area.top(), columns[0], area.height())
            painter.setFont(theme.font("label"))
            painter.setPen(theme.tone("text1", selected=self._keys[row] in self._on))
            metrics = QFontMetricsF(painter.font())
            words = metrics.elidedText(self._names[row], Qt.TextElideMode.ElideRight, columns[0])
            painter.drawText(name, Qt.AlignmentFlag.AlignVCenter, words)
            self._paint_bar(painter, row, self._track(row))
        self._paint_over(painter)
        painter.end()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        row = self._row_at(event.position())
        if row != self._hover:
            self._hover = row
            self.setCursor(Qt.CursorShape.PointingHandCursor if row >= 0 else Qt.CursorShape.ArrowCursor)
            self.update()

    def leaveEvent(self, event: QEvent) -> None:
        self._hover = -1
        self.update()
        super().leaveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        row = self._row_at(event.position())
        if row >= 0 and event.button() == Qt.MouseButton.LeftButton:
            self._current = row
            self._press(row, event.position(), taking(event.modifiers()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        count = self._fitting()
        if event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down) and count:
            step = 1 if event.key() == Qt.Key.Key_Down else -1
            self._current = min(max(self._current + step, 0), count - 1)
            self.setAccessibleDescription(self._said(self._current))
            self.update()
        elif (
            event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space)
            and 0 <= self._current < count
        ):
            self._press(self._current, None, taking(event.modifiers()))
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        if keeps_enter(event):
            return True
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            row = self._row_at(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), tip(self._said(row) if row >= 0 else ""), self)
            return True
        return super().event(event)

    def _press(self, row: int, place: QPointF | None, mode: str) -> None:
        """`mode`: "" filters; "replace" and "add" select the cases instead."""
        raise NotImplementedError

    def _said(self, row: int) -> str:
        raise NotImplementedError

    def _paint_bar(self, painter: QPainter, row: int, track: QRectF) -> None:
        raise NotImplementedError

    def _paint_over(self, painter: QPainter) -> None:
        """What lies over all rows."""

    def _figures_width(self) -> float:
        raise NotImplementedError

    def _draw(self) -> None:
        self._current = min(self._current, len(self._keys) - 1)
        self.update()

    def _set_rows(self, keys: Sequence[str], names: Sequence[str]) -> None:
        if len(keys) != len(names):
            raise ValueError(f"{len(keys)} keys, {len(names)} names")
        if len(keys) != len(self._keys):
            self.updateGeometry()
        self._keys, self._names = list(keys), list(names)
        self._changed()

    def _fitting(self) -> int:
        room = self.height() - self._theme.px(HEAD)
        return max(0, min(len(self._keys), room // self._theme.px(ROW)))

    def _columns(self) -> tuple[float, float]:
        metrics = QFontMetricsF(self._theme.font("label"))
        widest = max((metrics.horizontalAdvance(name) for name in self._names), default=0.0)
        # Whole steps, so that a new name at the foot does not move every bar.
        step = self._theme.px(24)
        names = min(np.ceil((widest + 1) / step) * step, self.width() * 0.42)
        return float(names), self._figures_width()

    def _row(self, row: int) -> QRectF:
        height = self._theme.px(ROW)
        return QRectF(0, self._theme.px(HEAD) + row * height, self.width(), height)

    def _track(self, row: int) -> QRectF:
        theme, area = self._theme, self._row(row)
        names, figures = self._columns()
        left = theme.px(EDGE) + names + theme.px(10)
        right = self.width() - theme.px(EDGE) - figures - theme.px(10)
        thick = theme.px(_THICK)
        return QRectF(left, area.center().y() - thick / 2, max(1.0, right - left), thick)

    def _row_at(self, place: QPointF) -> int:
        row = int((place.y() - self._theme.px(HEAD)) // self._theme.px(ROW))
        return row if 0 <= row < self._fitting() else -1

    def _paint_ground(self, painter: QPainter, row: int) -> None:
        theme, area = self._theme, self._row(row)
        if self._keys[row] in self._on:
            painter.fillRect(area, theme.color("accent_ground"))
            painter.fillRect(QRectF(0, area.top(), theme.px(3), area.height()), theme.color("accent"))
        elif row == self._hover:
            painter.fillRect(area, theme.color("hover"))
        if row == self._current and self.hasFocus():
            painter.setPen(QPen(theme.color("focus"), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(area.adjusted(0.5, 0.5, -1.5, -0.5))

    def _paint_figure(
        self, painter: QPainter, row: int, text: str, right: float, tone: str = "text1"
    ) -> None:
        theme, area = self._theme, self._row(row)
        painter.setFont(theme.font("label"))
        painter.setPen(theme.tone(tone, selected=self._keys[row] in self._on))
        flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRectF(0, area.top(), right, area.height()), flags, text)

    def _number_width(self, largest: float) -> float:
        digits = f"{max(largest, 999):,.0f}"
        return QFontMetricsF(self._theme.font("label")).horizontalAdvance("0" * len(digits))


class StackedBars(NamedBars):
    """What each name has open, red and amber first; the total at the right."""

    picked = Signal(str, str)
    """Key, and segment: "over", "soon", "on_time"; "" for the whole row (name, figure, keyboard)."""
    taken = Signal(str, str, str)
    """The same with Ctrl or Shift held: its cases are to be selected; key, segment, "replace" or "add"."""

    def __init__(self, theme: Theme, title: str = "", parent: QWidget | None = None) -> None:
        super().__init__(theme, title, "", parent)
        self._counts: NDArray[np.float64] = np.zeros((0, 3))

    def set_data(self, keys: Sequence[str], names: Sequence[str], counts: NDArray[np.generic]) -> None:
        """`counts`: n × 3, overdue, due soon, on time, in the order they are to be shown."""
        table = np.asarray(counts, float).reshape(-1, 3)
        if len(table) != len(keys):
            raise ValueError(f"{len(keys)} keys, {len(table)} rows of counts")
        self._counts = table
        self._top.take(float(table.sum(axis=1).max(initial=0)))
        # Each mark has the colour of its part of the bar: on time is the neutral grey, not green.
        tokens = ("over_fill", "soon_fill", "bar_hover")
        self._legend = [
            (int(light), light_word(light), token) for light, token in zip(_LIGHTS, tokens, strict=True)
        ]
        self._set_rows(keys, names)

    def _paint_bar(self, painter: QPainter, row: int, track: QRectF) -> None:
        theme = self._theme
        neutral = "bar_hover" if row == self._hover else "bar"
        if self._keys[row] in self._on:
            neutral = "chart_neutral"
        tokens = ("over_fill", "soon_fill", neutral)
        for part, token in zip(self._parts(row, track), tokens, strict=True):
            if part.width() > 0:
                painter.fillRect(part, theme.color(token))
        total = float(self._counts[row].sum())
        self._paint_figure(painter, row, f"{total:,.0f}", self.width() - theme.px(EDGE))

    def _parts(self, row: int, track: QRectF) -> list[QRectF]:
        left, parts = track.left(), []
        for count in self._counts[row]:
            # A single case is still seen: 2 pixels at least, and a hairline between the colours.
            width = max(self._theme.px(2), track.width() * count / self._top.top) if count else 0.0
            parts.append(QRectF(left, track.top(), width, track.height()))
            left += width + (1 if count else 0)
        return parts

    def _press(self, row: int, place: QPointF | None, mode: str) -> None:
        segment = ""
        if place is not None:
            for name, part in zip(SEGMENTS, self._parts(row, self._track(row)), strict=True):
                if part.width() > 0 and part.left() <= place.x() <= part.right():
                    segment = name
        if mode:
            self.taken.emit(self._keys[row], segment, mode)
        else:
            self.picked.emit(self._keys[row], segment)

    def _said(self, row: int) -> str:
        counts = self._counts[row]
        words = [f"{light_word(light)} {count:,.0f}" for light, count in zip(_LIGHTS, counts, strict=True)]
        return f"{self._names[row]}: {counts.sum():,.0f}\n" + " · ".join(words)

    def _figures_width(self) -> float:
        return self._number_width(float(self._counts.sum(axis=1).max(initial=0)))


class Pareto(NamedBars):
    """What weighs most first, with the running share of the whole as a line and in figures."""

    picked = Signal(str)
    taken = Signal(str, str)
    """Pressed with Ctrl or Shift held: key, and "replace" or "add"."""

    def __init__(self, theme: Theme, title: str = "", note: str = "", parent: QWidget | None = None) -> None:
        super().__init__(theme, title, note, parent)
        self._counts: NDArray[np.float64] = np.zeros(0)
        self._shares: NDArray[np.float64] = np.zeros(0)

    def set_data(
        self,
        keys: Sequence[str],
        names: Sequence[str],
        counts: NDArray[np.generic],
        whole: float | None = None,
    ) -> None:
        """`counts` in falling order; `whole` is what the shares are of, when more is counted than shown."""
        self._counts = np.asarray(counts, float)
        if len(self._counts) != len(keys):
            raise ValueError(f"{len(keys)} keys, {len(self._counts)} counts")
        total = float(self._counts.sum()) if whole is None else whole
        self._shares = np.cumsum(self._counts) / total if total else np.zeros(len(keys))
        self._top.take(float(self._counts.max(initial=0)))
        self._set_rows(keys, names)

    def _paint_bar(self, painter: QPainter, row: int, track: QRectF) -> None:
        theme = self._theme
        count = float(self._counts[row])
        width = max(theme.px(2), track.width() * count / self._top.top) if count else 0.0
        chosen = self._keys[row] in self._on
        token = "accent" if chosen else "bar_hover" if row == self._hover else "bar"
        painter.fillRect(QRectF(track.left(), track.top(), width, track.height()), theme.color(token))
        right = self.width() - theme.px(EDGE)
        self._paint_figure(painter, row, f"{self._shares[row]:.0%}", right, "text3")
        self._paint_figure(painter, row, f"{count:,.0f}", right - self._share_width())

    def _paint_over(self, painter: QPainter) -> None:
        theme = self._theme
        points = []
        for row in range(self._fitting()):
            track = self._track(row)
            points.append(QPointF(track.left() + track.width() * self._shares[row], track.center().y()))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.color("chart_neutral"), max(1.0, 1.25 * theme.scale)))
        painter.drawPolyline(points)
        painter.setBrush(theme.color("pane"))
        for point in points:
            painter.drawEllipse(point, theme.px(2.5), theme.px(2.5))

    def _press(self, row: int, place: QPointF | None, mode: str) -> None:
        if mode:
            self.taken.emit(self._keys[row], mode)
        else:
            self.picked.emit(self._keys[row])

    def _said(self, row: int) -> str:
        return f"{self._names[row]}: {self._counts[row]:,.0f} · {self._shares[row]:.1%}"

    def _share_width(self) -> float:
        return QFontMetricsF(self._theme.font("label")).horizontalAdvance("100%") + self._theme.px(8)

    def _figures_width(self) -> float:
        return self._number_width(float(self._counts.max(initial=0))) + self._share_width()
