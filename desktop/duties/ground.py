"""The areas of the city to paint on: cells drawn by QPainter, chosen by stroke of the pointer or by keys.

What lies still is drawn once into a picture. While the map is dragged or zoomed that picture is moved along,
and it is drawn anew when the hand rests; what is chosen lies on top of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QAccessible,
    QBrush,
    QColor,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QPixmap,
    QPolygonF,
    QResizeEvent,
    QTransform,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from db.duties.rules import LEVELS
from db.kernel.language import _, language, ngettext_
from db.registers.queries import BaseMap, Shapes
from desktop.duties.matrix import paint_diamond
from desktop.duties.summary import Line, Summary
from desktop.widgets.plain import tip
from desktop.widgets.roles import speak_as
from desktop.widgets.theme import Theme

_REST_MS = 60
_NEAREST, _FARTHEST = 60.0, 0.6
"""How far one may zoom in and out, as multiples of the view of the whole town."""
_CLASH_MARKS = 60
_FEW = 60
"""Areas that are drawn one by one while the hand moves."""


class AreaMap(QWidget):
    """Invariant: what is chosen are areas of the level that the brush has."""

    chosen_changed = Signal()
    cursor_moved = Signal(object)
    """The area of the brush's level under the keyboard's cursor."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        speak_as(self, QAccessible.Role.Graphic)
        self._theme = theme
        self._summary: Summary | None = None
        self._line: Line | None = None
        self._level = LEVELS.index("cell")
        self._cells: list[QPainterPath] = []
        self._boxes = np.empty((0, 4))
        self._middles = np.empty((0, 2))
        self._lines: dict[str, QPainterPath] = {}
        self._outlines: dict[int, QPainterPath] = {}
        self._places = np.empty((0, len(LEVELS)), dtype=np.int64)
        self._whole = QRectF(0, 0, 1, 1)
        self.chosen: frozenset[int] = frozenset()
        self.cursor = -1
        self._pointed = -1
        self._stroke: bool | None = None
        self._dragged: QPointF | None = None
        self._view = QTransform()
        self._fitted = True
        self._picture = QPixmap()
        self._picture_view = QTransform()
        self._over = QPixmap()
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST_MS)
        self._build()
        self._rest.timeout.connect(self._draw_anew)
        theme.changed.connect(self._draw_anew)

    def _build(self) -> None:
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setMinimumSize(self._theme.px(320), self._theme.px(240))
        # zh: 责任区域图
        self.setAccessibleName(_("Map of areas"))

    def set_ground(self, ground: BaseMap, summary: Summary) -> None:
        """Take in the shapes; cells without an outline are not drawn."""
        turn = math.cos(math.radians(ground.origin[1]))
        paths = dict(zip(ground.cells.ids.tolist(), _paths(ground.cells, turn), strict=True))
        self._cells = [paths.get(each, QPainterPath()) for each in summary.book.cells.tolist()]
        boxes = [path.boundingRect() for path in self._cells]
        self._boxes = np.array([[b.left(), b.top(), b.right(), b.bottom()] for b in boxes]).reshape(-1, 4)
        self._middles = np.column_stack(
            [(self._boxes[:, 0] + self._boxes[:, 2]) / 2, (self._boxes[:, 1] + self._boxes[:, 3]) / 2]
        )
        self._lines = {"cell": _joined(self._cells)}
        self._outlines = dict(zip(summary.book.cells.tolist(), self._cells, strict=True))
        kinds = (("community", ground.communities), ("district", ground.districts), ("", ground.patrols))
        for kind, shapes in kinds:
            made = _paths(shapes, turn)
            self._lines[kind] = _joined(made)
            self._outlines |= dict(zip(shapes.ids.tolist(), made, strict=True))
        self._whole = self._lines["cell"].boundingRect()
        self.cursor = 0 if self._cells else -1
        self.set_summary(summary)
        self.fit()

    def set_summary(self, summary: Summary) -> None:
        """Another day, or the matrix as it is after a change."""
        self._summary = summary
        self._places = summary.book.places
        self._draw_anew()

    def set_line(self, line: Line) -> None:
        """Show who answers for a class."""
        if line != self._line:
            self._line = line
            self._draw_anew()

    def set_level(self, level: str) -> None:
        """What the brush takes at once: cell, patrol, community or district. Nothing is chosen then."""
        self.choose(())
        self._level = LEVELS.index(level)
        self._say()

    def choose(self, area_ids: Iterable[int]) -> None:
        """Let these areas be chosen and no others."""
        chosen = frozenset(area_ids)
        if chosen != self.chosen:
            added, gone = chosen - self.chosen, self.chosen - chosen
            self.chosen = chosen
            # A stroke draws what it touches; only what is taken away in bulk is drawn anew.
            if len(gone) <= _FEW:
                self._draw_chosen(gone, QPainter.CompositionMode.CompositionMode_Clear)
                self._draw_chosen(added)
            else:
                self._draw_all_chosen()
            self._say()
            self.update()
            self.chosen_changed.emit()

    def show_area(self, area_id: int) -> None:
        """Bring an area of any level into the middle, as large as it fits; the cursor goes there."""
        if self._summary is None:
            return
        level = LEVELS.index(self._summary.book.areas[area_id].kind)
        inside = np.flatnonzero(self._places[:, level] == area_id)
        if not inside.size:
            return
        boxes = self._boxes[inside]
        box = QRectF(
            QPointF(boxes[:, 0].min(), boxes[:, 1].min()), QPointF(boxes[:, 2].max(), boxes[:, 3].max())
        )
        self._fit_to(box, self.width() * 0.12)
        self._fitted = False
        middle = np.array([box.center().x(), box.center().y()])
        self.cursor = int(inside[np.hypot(*(self._middles[inside] - middle).T).argmin()])
        self._say()
        self._draw_anew()

    def fit(self) -> None:
        """The whole town."""
        self._fit_to(self._whole, self._theme.px(12))
        self._fitted = True
        self._draw_anew()

    def cell_at(self, place: QPointF) -> int:
        """The index of the cell at a place of the widget, -1 = none."""
        inverse, is_good = self._view.inverted()
        if not is_good or not len(self._boxes):
            return -1
        at = inverse.map(place)
        inside = (
            (self._boxes[:, 0] <= at.x())
            & (at.x() <= self._boxes[:, 2])
            & (self._boxes[:, 1] <= at.y())
            & (at.y() <= self._boxes[:, 3])
        )
        return next((i for i in np.flatnonzero(inside).tolist() if self._cells[i].contains(at)), -1)

    def middle_of(self, cell: int) -> QPointF:
        """Where a cell stands in the widget."""
        return self._view.map(QPointF(*self._middles[cell].tolist()))

    def area_of(self, cell: int) -> int:
        """The area of the brush's level that holds a cell; 0 = none."""
        return int(self._places[cell, self._level]) if 0 <= cell < len(self._places) else 0

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(600), self._theme.px(480))

    # The view.

    def _fit_to(self, box: QRectF, margin: float) -> None:
        if box.isEmpty():
            return
        across = max(self.width() - 2 * margin, 1) / box.width()
        down = max(self.height() - 2 * margin, 1) / box.height()
        scale = min(across, down)
        self._view = (
            QTransform()
            .translate(self.width() / 2, self.height() / 2)
            .scale(scale, scale)
            .translate(-box.center().x(), -box.center().y())
        )

    def _zoom(self, factor: float, about: QPointF) -> None:
        least = min(self.width() / self._whole.width(), self.height() / self._whole.height())
        scale = min(max(self._view.m11() * factor, least * _FARTHEST), least * _NEAREST)
        factor = scale / self._view.m11()
        moved = QTransform().translate(about.x(), about.y()).scale(factor, factor)
        self._view = self._view * moved.translate(-about.x(), -about.y())
        self._move_on()

    def _pan(self, by: QPointF) -> None:
        self._view = self._view * QTransform().translate(by.x(), by.y())
        self._move_on()

    def _move_on(self) -> None:
        self._fitted = False
        self._rest.start()
        self.update()

    # Drawing.

    def _draw_anew(self) -> None:
        """Draw what lies still into the picture."""
        ratio = self.devicePixelRatioF()
        self._picture = QPixmap(self.size() * ratio)
        self._picture.setDevicePixelRatio(ratio)
        self._picture.fill(self._theme.color("land"))
        self._picture_view = QTransform(self._view)
        if self._summary is not None and self._line is not None and self._cells:
            painter = QPainter(self._picture)
            self._paint_cells(painter)
            self._paint_lines(painter)
            self._paint_names(painter)
            painter.end()
        self._draw_all_chosen()
        self.update()

    def _draw_all_chosen(self) -> None:
        """What is chosen has a picture of its own, over the other and moved along with it."""
        self._over = QPixmap(self._picture.size())
        self._over.setDevicePixelRatio(self._picture.devicePixelRatio())
        self._over.fill(Qt.GlobalColor.transparent)
        self._draw_chosen(self.chosen)

    def _draw_chosen(
        self,
        area_ids: Iterable[int],
        mode: QPainter.CompositionMode = QPainter.CompositionMode.CompositionMode_SourceOver,
    ) -> None:
        """Draw areas into that picture, or clear them from it."""
        areas = list(area_ids)
        if not areas or self._over.isNull():
            return
        inside = np.flatnonzero(np.isin(self._places[:, self._level], areas))
        painter = QPainter(self._over)
        painter.setCompositionMode(mode)
        painter.setTransform(self._picture_view)
        painter.fillPath(_joined(self._cells[n] for n in inside.tolist()), self._theme.faded("accent", 0.38))
        # Fine lines around many: smoothing a thousand of them would hold up the hand.
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, len(areas) <= _FEW)
        edge = _joined(self._outlines.get(each, QPainterPath()) for each in areas)
        self._outline(painter, edge, "accent", 1.6 if len(areas) <= _FEW else 1.0)
        painter.end()

    def _paint_cells(self, painter: QPainter) -> None:
        assert self._summary is not None
        assert self._line is not None
        theme = self._theme
        units = self._summary.cell_units(self._line)
        painter.setTransform(self._view)
        painter.setPen(Qt.PenStyle.NoPen)
        for unit_id in np.unique(units).tolist():
            path = _joined(self._cells[n] for n in np.flatnonzero(units == unit_id).tolist())
            if unit_id > 0:
                painter.fillPath(path, theme.color(self._summary.token(unit_id)))
            elif unit_id == 0:
                painter.fillPath(path, theme.color("over_ground"))
                painter.fillPath(path, self._hatching("over"))
            else:
                painter.fillPath(path, theme.color("band"))
        painter.resetTransform()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        clashing = np.flatnonzero(self._summary.cell_clashes(self._line))
        # A mark in some of them says it; one in each of a thousand would hide the map.
        for cell in clashing[:: max(1, len(clashing) // _CLASH_MARKS)].tolist():
            paint_diamond(painter, theme, self.middle_of(cell))

    def _hatching(self, token: str) -> QBrush:
        brush = QBrush(self._theme.color(token), Qt.BrushStyle.BDiagPattern)
        inverse, _good = self._view.inverted()
        # The lines keep their distance on the screen whatever the zoom.
        brush.setTransform(inverse)
        return brush

    def _paint_lines(self, painter: QPainter) -> None:
        theme = self._theme
        painter.setTransform(self._view)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        near = self._view.m11() * (self._whole.width() / max(self.width(), 1))
        grounds = [("community", "road", 1.0), ("district", "text3", 1.8)]
        if near > 1.6:
            grounds.insert(0, ("cell", "side_road" if theme.is_dark else "grid", 1.0))
        for kind, token, width in grounds:
            pen = QPen(theme.color(token), width)
            pen.setCosmetic(True)
            painter.setPen(pen)
            painter.drawPath(self._lines[kind])
        painter.resetTransform()

    def _paint_names(self, painter: QPainter) -> None:
        """Names of districts, or nearer ones of communities, where they have room."""
        assert self._summary is not None
        theme = self._theme
        near = self._view.m11() * (self._whole.width() / max(self.width(), 1))
        level = LEVELS.index("community" if near > 1.5 else "district")
        painter.setFont(theme.font("label", bold=level == LEVELS.index("district")))
        taken: list[QRectF] = []
        for area_id in np.unique(self._places[:, level]).tolist():
            if not area_id:
                continue
            middle = self._middles[self._places[:, level] == area_id].mean(axis=0)
            at = self._view.map(QPointF(*middle.tolist()))
            words = self._summary.book.areas[area_id].label(language())
            wide = painter.fontMetrics().horizontalAdvance(words) + theme.px(8)
            box = QRectF(at.x() - wide / 2, at.y() - theme.px(9), wide, theme.px(18))
            if any(box.intersects(other) for other in taken) or not QRectF(self.rect()).contains(box):
                continue
            taken.append(box)
            ground = QColor(theme.color("land"))
            ground.setAlphaF(0.72)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(ground)
            painter.drawRoundedRect(box, theme.px(3), theme.px(3))
            painter.setPen(theme.color("place"))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.color("land"))
        inverse, is_good = self._picture_view.inverted()
        if is_good and not self._picture.isNull():
            painter.setTransform(inverse * self._view)
            painter.drawPixmap(0, 0, self._picture)
            painter.drawPixmap(0, 0, self._over)
        painter.setTransform(self._view)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._pointed >= 0:
            self._outline(painter, self._area_path(self._pointed), "text2", 1.6)
        if self.hasFocus() and self.cursor >= 0:
            self._outline(painter, self._area_path(self.cursor), "focus", 2.4)
        painter.end()

    @staticmethod
    def _stroked(color: QColor, width: float) -> QPen:
        pen = QPen(color, width)
        pen.setCosmetic(True)
        return pen

    def _outline(self, painter: QPainter, path: QPainterPath, token: str, width: float) -> None:
        painter.setPen(self._stroked(self._theme.color(token), width))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(path)

    def _area_path(self, cell: int) -> QPainterPath:
        """The shape of the brush's area around a cell; of the cell itself when it has none."""
        return self._outlines.get(self.area_of(cell), self._cells[cell])

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._fitted:
            self.fit()
        else:
            self._draw_anew()

    # The hand.

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            area_id = self.area_of(self.cell_at(event.position()))
            if area_id:
                # A stroke that begins on a chosen area takes away, else it adds.
                self._stroke = area_id not in self.chosen
                self._touch(event.position())
                return
        self._dragged = event.position()
        self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._dragged is not None:
            self._pan(event.position() - self._dragged)
            self._dragged = event.position()
        elif self._stroke is not None:
            self._touch(event.position())
        cell = self.cell_at(event.position())
        if self.area_of(cell) != self.area_of(self._pointed) or (cell < 0) != (self._pointed < 0):
            self._pointed = cell
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._stroke = None
        self._dragged = None
        self.unsetCursor()

    def leaveEvent(self, event: QEvent) -> None:
        self._pointed = -1
        self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        self._zoom(1.0015 ** event.angleDelta().y(), event.position())

    def _touch(self, place: QPointF) -> None:
        cell = self.cell_at(place)
        area_id = self.area_of(cell)
        if area_id:
            self.cursor = cell
            self.choose(self.chosen | {area_id} if self._stroke else self.chosen - {area_id})

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        is_ctrl = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        is_shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        ways = {
            Qt.Key.Key_Left: (-1, 0),
            Qt.Key.Key_Right: (1, 0),
            Qt.Key.Key_Up: (0, -1),
            Qt.Key.Key_Down: (0, 1),
        }
        middle = QPointF(self.width() / 2, self.height() / 2)
        if key in ways and is_ctrl:
            x, y = ways[key]
            self._pan(QPointF(-x, -y) * self._theme.px(80))
        elif key in ways:
            self._walk(*ways[key])
            if is_shift and self.area_of(self.cursor):
                self.choose(self.chosen | {self.area_of(self.cursor)})
        elif key == Qt.Key.Key_Space and self.area_of(self.cursor):
            self.choose(self.chosen ^ {self.area_of(self.cursor)})
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self._zoom(1.4, self.middle_of(self.cursor) if self.cursor >= 0 else middle)
        elif key == Qt.Key.Key_Minus:
            self._zoom(1 / 1.4, middle)
        elif key == Qt.Key.Key_Home:
            self.fit()
        elif key == Qt.Key.Key_Escape and self.chosen:
            self.choose(())
        else:
            super().keyPressEvent(event)

    def _walk(self, x: int, y: int) -> None:
        """To the nearest cell of another area that lies that way, more or less."""
        if self.cursor < 0:
            return
        away = self._middles - self._middles[self.cursor]
        ahead = away @ np.array([x, y])
        aside = np.abs(away @ np.array([y, x]))
        other = self._places[:, self._level] != self.area_of(self.cursor)
        fitting = np.flatnonzero((ahead > 0) & (aside <= 1.2 * ahead) & other)
        if fitting.size:
            self.cursor = int(fitting[(ahead + 1.5 * aside)[fitting].argmin()])
            self._let_see()
            self._say()
            self.cursor_moved.emit(self.area_of(self.cursor))
            self.update()

    def _let_see(self) -> None:
        margin = self._theme.px(24)
        inside = QRectF(self.rect()).adjusted(margin, margin, -margin, -margin)
        at = self.middle_of(self.cursor)
        if not inside.contains(at):
            self._pan(QPointF(self.width() / 2, self.height() / 2) - at)

    def said(self, cell: int) -> str:
        """An area in words: its name, who answers for the class that is shown, whether it is chosen."""
        area_id = self.area_of(cell)
        if self._summary is None or self._line is None or not area_id:
            return ""
        parts = [
            self._summary.book.areas[area_id].label(language()),
            self._summary.said(self._summary.answer(self._line, area_id)),
        ]
        if area_id in self.chosen:
            # zh: 已选
            parts.append(_("chosen"))
        return " · ".join(parts)

    def _say(self) -> None:
        count = len(self.chosen)
        # zh: 已选 {count} 个区域
        words = ngettext_("{count} area chosen", "{count} areas chosen", count).format(count=count)
        self.setAccessibleDescription(" · ".join(filter(None, (self.said(self.cursor), words))))

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), tip(self.said(self.cell_at(QPointF(event.pos())))), self)
            return True
        return super().event(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()


def _paths(shapes: Shapes, turn: float) -> list[QPainterPath]:
    """Each shape as a path, north up; ``turn`` is how much narrower a degree of longitude is here."""
    points = shapes.points.astype(np.float64) * (turn, -1.0)
    made = []
    for begins, ends in zip(shapes.offsets.tolist(), shapes.offsets.tolist()[1:], strict=False):
        path = QPainterPath()
        for ring in range(begins, ends):
            own = points[shapes.rings[ring] : shapes.rings[ring + 1]]
            path.addPolygon(QPolygonF([QPointF(x, y) for x, y in own.tolist()]))
            path.closeSubpath()
        made.append(path)
    return made


def _joined(paths: Iterable[QPainterPath]) -> QPainterPath:
    whole = QPainterPath()
    whole.setFillRule(Qt.FillRule.WindingFill)
    for path in paths:
        whole.addPath(path)
    return whole
