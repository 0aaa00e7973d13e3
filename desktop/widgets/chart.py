"""Charts on pyqtgraph, updated in place: a day's lines with their usual band, a histogram of time left."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QObject, QPointF, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QFontMetricsF, QHelpEvent, QKeyEvent, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QToolTip, QWidget

from db.kernel.language import _
from desktop.widgets.chart_frame import EDGE, HEAD, ChartFrame, SteadyTop
from desktop.widgets.picking import keeps_enter, taking
from desktop.widgets.plain import tip
from desktop.widgets.theme import Theme

Array = NDArray[np.float64]
_NOTHING: Array = np.zeros(0)


class PlotFrame(ChartFrame):
    """A head over one plot without menu, zoom or buttons. Its items are made once (`item_count`)."""

    def __init__(self, theme: Theme, title: str = "", note: str = "", parent: QWidget | None = None) -> None:
        super().__init__(theme, title, note, parent)
        self._plot = pg.PlotWidget(self, background=None)
        self._plot.setFrameShape(pg.QtWidgets.QFrame.Shape.NoFrame)
        self._plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._plot.setMenuEnabled(False)
        self._plot.setMouseEnabled(False, False)
        self._plot.hideButtons()
        self._plot.viewport().setAutoFillBackground(False)
        self._box = self._plot.getPlotItem().getViewBox()
        self._box.setDefaultPadding(0)
        self._box.disableAutoRange()
        self._top = SteadyTop()
        self._bottom_axis = self._plot.getAxis("bottom")
        self._left_axis = self._plot.getAxis("left")

    def item_count(self) -> int:
        """How many items the scene holds; it never grows."""
        return len(self._plot.scene().items())

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(160), self._theme.px(110))

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(360), self._theme.px(170))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        theme = self._theme
        edge, head = theme.px(EDGE), theme.px(HEAD)
        self._plot.setGeometry(edge, head, max(1, self.width() - 2 * edge), max(1, self.height() - head))

    def _dress_axes(self) -> None:
        theme = self._theme
        font = theme.font("axis")
        metrics = QFontMetricsF(font)
        for axis in (self._bottom_axis, self._left_axis):
            axis.setStyle(
                tickLength=0,
                tickAlpha=0,
                tickFont=font,
                tickTextOffset=theme.px(5),
                # Labels may stand over the ends of the axis, by as much as half of the widest.
                hideOverlappingLabels=round(metrics.horizontalAdvance("00:00")),
                autoExpandTextSpace=False,
            )
            axis.setTextPen(theme.color("text3"))
            axis.setPen(pg.mkPen(None))
            axis.setTickPen(pg.mkPen(None))
        self._bottom_axis.setHeight(round(metrics.height()) + theme.px(8))
        self._left_axis.setWidth(round(metrics.horizontalAdvance("000")) + theme.px(8))
        # Room for half a label beyond each end of the axes.
        side = round(metrics.horizontalAdvance("24:00") / 2) + 1
        left, right = self._margins(side)
        self._plot.getPlotItem().layout.setContentsMargins(left, theme.px(8), right, 0)

    def _margins(self, side: int) -> tuple[int, int]:
        return 0, 0

    def _show_or_not(self) -> None:
        self._plot.setVisible(not self.is_empty())
        self.update()


class HourLines(PlotFrame):
    """Two lines over the hours of a day, behind them the grey band of what is usual (10th to 90th percent).

    The axis is 0 to 24 o'clock and 0 to a round number that does not jump.
    """

    def __init__(
        self, theme: Theme, title: str, note: str, first: str, second: str, parent: QWidget | None = None
    ) -> None:
        """`first` and `second` are the words at the ends of the two lines."""
        super().__init__(theme, title, note, parent)
        self._plot.setAntialiasing(True)
        self._names = (first, second)
        self._values: tuple[Array, Array] = (_NOTHING, _NOTHING)
        self._hours: Array = _NOTHING
        self._band: tuple[Array, Array] = (_NOTHING, _NOTHING)
        self._band_edges = (pg.PlotCurveItem(), pg.PlotCurveItem())
        self._band_fill = pg.FillBetweenItem(*self._band_edges)
        self._base = pg.InfiniteLine(pos=0, angle=0)
        self._lines = (pg.PlotCurveItem(antialias=True), pg.PlotCurveItem(antialias=True))
        self._labels = (pg.TextItem(first, anchor=(0, 0.5)), pg.TextItem(second, anchor=(0, 0.5)))
        for item in (self._base, self._band_fill, *self._band_edges, *reversed(self._lines), *self._labels):
            self._plot.addItem(item, ignoreBounds=True)
        hours = [(hour, f"{hour}:00") for hour in (0, 6, 12, 18, 24)]
        self._bottom_axis.setTicks([hours])
        self._box.setXRange(0, 24, padding=0)
        self._on_theme_changed()
        self._show_or_not()

    def set_names(self, first: str, second: str) -> None:
        """The words at the ends of the lines."""
        self._names = (first, second)
        for item, name in zip(self._labels, self._names, strict=True):
            item.setText(name)
        self._place_labels()

    def set_data(
        self,
        first: Array,
        second: Array,
        low: Array | None = None,
        high: Array | None = None,
        hours: Array | None = None,
    ) -> None:
        """Counts per hour from midnight on, each standing in the middle of its hour (or at `hours`).

        Leave out the hour that is not over yet: half an hour's count looks like a fall. `low` and `high`
        are the 24 usual values.
        """
        self._values = (np.asarray(first, float), np.asarray(second, float))
        self._hours = np.arange(len(first)) + 0.5 if hours is None else np.asarray(hours, float)
        if low is not None and high is not None:
            self._band = (np.asarray(low, float), np.asarray(high, float))
        self._changed()

    def is_empty(self) -> bool:
        return not any(len(values) for values in (*self._values, *self._band))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_labels()

    def _draw(self) -> None:
        largest = max(
            (float(np.nanmax(values)) for values in (*self._values, *self._band) if len(values)), default=0.0
        )
        top = self._top.take(largest)
        self._box.setYRange(0, top, padding=0)
        self._left_axis.setTicks([[(0, "0"), (top, f"{top:,.0f}")]])
        around = np.concatenate(([0.0], np.arange(len(self._band[0])) + 0.5, [24.0]))
        for edge, values in zip(self._band_edges, self._band, strict=True):
            if len(values):
                edge.setData(around, np.concatenate((values[:1], values, values[-1:])))
            else:
                edge.setData(_NOTHING, _NOTHING)
        for line, values in zip(self._lines, self._values, strict=True):
            count = min(len(values), len(self._hours))
            line.setData(self._hours[:count], values[:count])
        self._show_or_not()
        self._place_labels()
        said = [f"{name} {v[-1]:,.0f}" for name, v in zip(self._names, self._values, strict=True) if len(v)]
        self.setAccessibleDescription(_(", ").join(said))

    def _place_labels(self) -> None:
        room = self._plot.height() - self._bottom_axis.height()
        if room <= 0 or not len(self._hours):
            for item in self._labels:
                item.setVisible(False)
            return
        theme = self._theme
        metrics = QFontMetricsF(theme.font("label"))
        line_height = metrics.height() * 0.95
        # Past 24 o'clock there is room for the words, so that at night they do not lie on the lines.
        words = max(metrics.horizontalAdvance(name) for name in self._names) + theme.px(6)
        words = max(words, QFontMetricsF(theme.font("axis")).horizontalAdvance("24:00") / 2 + 1)
        width = max(1.0, self._plot.width() - self._left_axis.width() - words)
        share = width / (width + words)
        self._box.setXRange(0, 24 / share, padding=0)
        self._base.setSpan(0, share)
        per_pixel = self._top.top / room
        ends = [float(values[-1]) if len(values) else np.nan for values in self._values]
        places = list(ends)
        gap = line_height * per_pixel
        if np.isfinite(ends).all() and abs(ends[0] - ends[1]) < gap:
            middle = sum(ends) / 2
            sign = 1 if ends[0] >= ends[1] else -1
            places = [middle + sign * gap / 2, middle - sign * gap / 2]
        half = line_height * per_pixel / 2
        low = min((place for place in places if np.isfinite(place)), default=0.0)
        lift = max(0.0, half - low)
        for item, place, values in zip(self._labels, places, self._values, strict=True):
            item.setVisible(bool(np.isfinite(place)) and len(values) > 0)
            if item.isVisible():
                end = float(self._hours[min(len(values), len(self._hours)) - 1])
                item.setPos(end + theme.px(2) * 24 / width, min(place + lift, self._top.top - half))

    def _on_theme_changed(self) -> None:
        super()._on_theme_changed()
        theme = self._theme
        self._dress_axes()
        self._band_fill.setBrush(theme.color("band"))
        self._base.setPen(pg.mkPen(theme.color("line"), width=theme.px(1)))
        for edge in self._band_edges:
            edge.setPen(pg.mkPen(None))
        tokens = ("accent", "chart_second")
        for line, item, token in zip(self._lines, self._labels, tokens, strict=True):
            line.setPen(pg.mkPen(theme.color(token), width=max(1.5, 1.8 * theme.scale)))
            item.setColor(theme.color(token))
            item.setFont(theme.font("label"))
        self._place_labels()


class Histogram(PlotFrame):
    """How many cases have how many hours left: red below 0, amber to the edge of "soon", grey after.

    A click on a bar or a drag over several asks for that range; a click on the range shown gives it back.
    With the keyboard: left and right walk, Shift widens, Enter asks.
    """

    ranged = Signal(float, float)
    """From and to in hours; the outermost bins are open (minus and plus infinity)."""
    cleared = Signal()
    taken = Signal(float, float, str)
    """The same with Ctrl or Shift held at the end: its cases are to be selected, "replace" or "add"."""

    def __init__(
        self, theme: Theme, title: str, note: str, soon: float = 2.0, parent: QWidget | None = None
    ) -> None:
        """`soon`: the hours below which a case is due soon."""
        super().__init__(theme, title, note, parent)
        self._soon = soon
        self._edges: Array = _NOTHING
        self._counts: Array = _NOTHING
        self._range: tuple[float, float] | None = None
        self._from = -1
        self._to = -1
        self._bars = tuple(
            pg.BarGraphItem(x0=_NOTHING, x1=_NOTHING, height=_NOTHING, pen=None, brush=None)
            for _i in range(3)
        )
        self._marked = pg.BarGraphItem(x0=[0], x1=[0], y0=[0], height=[0], pen=None, brush=None)
        self._base = pg.InfiniteLine(pos=0, angle=0)
        self._zero = pg.InfiniteLine(pos=0, angle=90)
        for item in (self._marked, *self._bars, self._base, self._zero):
            self._plot.addItem(item, ignoreBounds=True)
        self._plot.hideAxis("left")
        self._plot.viewport().installEventFilter(self)
        self._plot.viewport().setMouseTracking(True)
        self._hits: dict[QEvent.Type, Callable[[QMouseEvent], None]] = {
            QEvent.Type.MouseButtonPress: self._on_pressed,
            QEvent.Type.MouseMove: self._on_moved,
            QEvent.Type.MouseButtonRelease: self._on_released,
        }
        self._plot.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._on_theme_changed()
        self._show_or_not()

    def set_counts(self, edges: Array, counts: Array) -> None:
        """`edges`: n + 1 rising hours; `counts`: n figures. The outermost bins hold all that lies beyond."""
        if len(edges) != len(counts) + 1 and len(counts):
            raise ValueError(f"{len(edges)} edges do not bound {len(counts)} bins")
        self._edges, self._counts = np.asarray(edges, float), np.asarray(counts, float)
        self._changed()

    def set_range(self, low: float | None, high: float | None) -> None:
        """Show a range as filtered by; None takes it away."""
        self._range = None if low is None or high is None else (low, high)
        self._changed()

    def is_empty(self) -> bool:
        return not len(self._counts) or not self._counts.any()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QMouseEvent) and event.type() in self._hits:
            self._hits[event.type()](event)
            return True
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            self._show_tip(event)
            return True
        return super().eventFilter(watched, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key in (Qt.Key.Key_Left, Qt.Key.Key_Right) and not self.is_empty():
            step = 1 if key == Qt.Key.Key_Right else -1
            self._to = min(max(self._to + step, 0), len(self._counts) - 1)
            if self._from < 0 or not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
                self._from = self._to
            self.setAccessibleDescription(self._said(self._to))
            self._mark()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and self._from >= 0:
            self._ask(taking(event.modifiers()))
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        return keeps_enter(event) or super().event(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._from = self._to = -1
        self._mark()

    def _draw(self) -> None:
        self._show_or_not()
        if self.is_empty():
            return
        top = self._top.take(float(self._counts.max()))
        edges, counts = self._edges, self._counts
        gap = (edges[-1] - edges[0]) * 0.0035
        # A bin belongs where it ends: "0 to 1 hour left" is amber, "-1 to 0" is red.
        red = edges[1:] <= 0
        amber = (edges[1:] <= self._soon) & ~red
        for bars, mask in zip(self._bars, (red, amber, ~(red | amber)), strict=True):
            bars.setOpts(x0=edges[:-1][mask] + gap, x1=edges[1:][mask] - gap, height=counts[mask], y0=0)
        self._box.setXRange(edges[0], edges[-1], padding=0)
        self._box.setYRange(0, top, padding=0)
        step = next(step for step in (1, 2, 4, 8, 12, 24, 48, 96) if (edges[-1] - edges[0]) / step <= 8)
        first = int(np.ceil(edges[0] / step)) * step
        ticks = [(hour, _hours(hour)) for hour in range(first, int(edges[-1]) + 1, step)]
        self._bottom_axis.setTicks([ticks])
        self._zero.setVisible(bool(edges[0] < 0 < edges[-1]))
        self._mark()

    def _margins(self, side: int) -> tuple[int, int]:
        return side, side

    def _mark(self) -> None:
        low, high = self._range if self._range is not None else (0.0, 0.0)
        if self._from >= 0:
            first, last = sorted((self._from, self._to))
            low, high = float(self._edges[first]), float(self._edges[last + 1])
        if len(self._edges):
            low, high = np.clip([low, high], self._edges[0], self._edges[-1])
        self._marked.setOpts(x0=[low], x1=[high], y0=[0], height=[self._top.top if high > low else 0])

    def _bin_at(self, place: QPointF) -> int:
        if self.is_empty():
            return -1
        hours = self._box.mapSceneToView(self._plot.mapToScene(place.toPoint())).x()
        found = int(np.searchsorted(self._edges, hours, side="right")) - 1
        return min(max(found, 0), len(self._counts) - 1)

    def _bounds(self, first: int, last: int) -> tuple[float, float]:
        low = -np.inf if first == 0 else float(self._edges[first])
        high = np.inf if last == len(self._counts) - 1 else float(self._edges[last + 1])
        return low, high

    def _on_pressed(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._from = self._to = self._bin_at(event.position())
            self._mark()

    def _on_moved(self, event: QMouseEvent) -> None:
        if self._from >= 0:
            self._to = self._bin_at(event.position())
            self._mark()

    def _on_released(self, event: QMouseEvent) -> None:
        if self._from >= 0 and event.button() == Qt.MouseButton.LeftButton:
            self._ask(taking(event.modifiers()))

    def _ask(self, mode: str) -> None:
        first, last = sorted((self._from, self._to))
        self._from = self._to = -1
        bounds = self._bounds(first, last)
        self._mark()
        if mode:
            self.taken.emit(*bounds, mode)
        elif (
            first == last
            and self._range is not None
            and self._range[0] <= bounds[0] <= bounds[1] <= self._range[1]
        ):
            self.cleared.emit()
        else:
            self.ranged.emit(*bounds)

    def _show_tip(self, event: QHelpEvent) -> None:
        place = self._bin_at(QPointF(event.pos()))
        if place < 0:
            QToolTip.hideText()
            return
        QToolTip.showText(event.globalPos(), tip(self._said(place)), self._plot)

    def _said(self, place: int) -> str:
        low, high = self._bounds(place, place)
        if low == -np.inf:
            span = _("{high} h or less").format(high=_hours(high))
        elif high == np.inf:
            span = _("more than {low} h").format(low=_hours(low))
        else:
            span = _("{low} to {high} h").format(low=_hours(low), high=_hours(high))
        return f"{span}: {self._counts[place]:,.0f}"

    def _on_theme_changed(self) -> None:
        super()._on_theme_changed()
        theme = self._theme
        self._dress_axes()
        for bars, token in zip(self._bars, ("over_fill", "soon_fill", "chart_neutral"), strict=True):
            bars.setOpts(brush=theme.color(token))
        self._marked.setOpts(brush=theme.color("accent_ground"))
        self._base.setPen(pg.mkPen(theme.color("line"), width=theme.px(1)))
        self._zero.setPen(pg.mkPen(theme.color("line"), width=theme.px(1)))


def _hours(hour: float) -> str:
    return f"{hour:g}".replace("-", "−")
