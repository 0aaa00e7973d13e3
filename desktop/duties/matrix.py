"""Classes × areas with the unit that answers: painted by one widget, walked by pointer or arrow keys."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QBrush,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QToolTip, QWidget

from db.duties.book import AreaName
from db.kernel.language import _, language
from desktop.duties.summary import Answer, Line, Summary, area_columns, lines
from desktop.widgets.plain import tip
from desktop.widgets.roles import speak_as
from desktop.widgets.theme import Theme

_NAMES, _COLUMN, _ROW, _HEAD = 240, 108, 28, 44
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class MatrixView(QAbstractScrollArea):
    """One day of the matrix. Invariant: the current place lies on a row and a column that are shown."""

    moved = Signal(object, object)
    """The current place: its ``Line`` and the id of its area."""
    entered = Signal()
    """Enter on the current place: go on with it."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        speak_as(self, QAccessible.Role.Table)
        self._theme = theme
        self._summary: Summary | None = None
        self._open_majors: frozenset[tuple[str, str]] = frozenset()
        self._open_districts: frozenset[int] = frozenset()
        self.rows: list[Line] = []
        self.columns: list[AreaName] = []
        self.row = self.column = 0
        self._build()
        theme.changed.connect(self._on_theme)

    def _build(self) -> None:
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFrameShape(QAbstractScrollArea.Shape.NoFrame)
        self.viewport().setMouseTracking(True)
        # zh: 责任矩阵
        self.setAccessibleName(_("Matrix of duties"))

    @property
    def line(self) -> Line | None:
        """The current row."""
        return self.rows[self.row] if self.rows else None

    @property
    def area(self) -> AreaName | None:
        """The current column."""
        return self.columns[self.column] if self.columns else None

    def set_summary(self, summary: Summary) -> None:
        """Show a day; what is open and current stays."""
        self._summary = summary
        self._lay_out(self.line, self.area)

    def show_place(self, line: Line, area_id: int) -> None:
        """Make a class and an area current, opening what hides them."""
        assert self._summary is not None
        areas = self._summary.book.areas
        kind = line.kind or "component"
        if len(line.prefix) > 2:
            self._open_majors |= {(kind, line.prefix[:2])}
        area: AreaName | None = areas[area_id]
        while area is not None and area.kind not in ("community", "district"):
            area = areas.get(area.parent_id or 0)
        if area is not None and area.kind == "community" and area.parent_id:
            self._open_districts |= {area.parent_id}
        prefix = line.prefix or (self.rows[0].prefix if self.rows else "")
        self._lay_out(Line(kind if prefix else line.kind, prefix), area or self.area)

    def fold(self, *, opened: bool | None = None) -> None:
        """Open or close the major of the current row; ``None`` turns it over."""
        line = self.line
        if line is not None:
            key = (line.kind, line.prefix[:2])
            wanted = key not in self._open_majors if opened is None else opened
            self._open_majors = self._open_majors | {key} if wanted else self._open_majors - {key}
            self._lay_out(line if wanted else Line(*key), self.area)

    def fold_column(self, *, opened: bool | None = None) -> None:
        """The same for the district of the current column."""
        area = self.area
        if area is not None and self._summary is not None:
            district = area.id if area.kind == "district" else (area.parent_id or 0)
            wanted = district not in self._open_districts if opened is None else opened
            self._open_districts = (
                self._open_districts | {district} if wanted else self._open_districts - {district}
            )
            self._lay_out(self.line, area if wanted else self._summary.book.areas[district])

    def _wide(self) -> int:
        """How wide a column is: few of them share the room there is."""
        room = self.viewport().width() - self._theme.px(_NAMES)
        return max(self._theme.px(_COLUMN), room // max(len(self.columns), 1))

    def box_of(self, row: int, column: int) -> QRectF:
        """Where a place is painted, in the viewport."""
        theme = self._theme
        return QRectF(
            theme.px(_NAMES) + column * self._wide() - self.horizontalScrollBar().value(),
            theme.px(_HEAD) + row * theme.px(_ROW) - self.verticalScrollBar().value(),
            self._wide(),
            theme.px(_ROW),
        )

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(_NAMES + 5 * _COLUMN + 16), self._theme.px(600))

    # Laying out.

    def _lay_out(self, line: Line | None, area: AreaName | None) -> None:
        if self._summary is None:
            return
        self.rows = lines(self._summary.book.classes, self._open_majors)
        self.columns = area_columns(self._summary.book, self._open_districts)
        ids = [each.id for each in self.columns]
        self.row = self.rows.index(line) if line in self.rows else 0
        self.column = ids.index(area.id) if area is not None and area.id in ids else 0
        self._set_bars()
        self._come(self.row, self.column)

    def _set_bars(self) -> None:
        theme, port = self._theme, self.viewport().size()
        high, wide = len(self.rows) * theme.px(_ROW), len(self.columns) * self._wide()
        page_high, page_wide = port.height() - theme.px(_HEAD), port.width() - theme.px(_NAMES)
        self.verticalScrollBar().setRange(0, max(0, high - page_high))
        self.verticalScrollBar().setPageStep(max(1, page_high))
        self.verticalScrollBar().setSingleStep(theme.px(_ROW))
        self.horizontalScrollBar().setRange(0, max(0, wide - page_wide))
        self.horizontalScrollBar().setPageStep(max(1, page_wide))
        self.horizontalScrollBar().setSingleStep(self._wide())

    def _come(self, row: int, column: int) -> None:
        """Make a place current and let it be seen."""
        if not self.rows or not self.columns:
            return
        self.row = min(max(row, 0), len(self.rows) - 1)
        self.column = min(max(column, 0), len(self.columns) - 1)
        box, port = self.box_of(self.row, self.column), self.viewport()
        down, across = self.verticalScrollBar(), self.horizontalScrollBar()
        if box.top() < self._theme.px(_HEAD):
            down.setValue(down.value() + round(box.top()) - self._theme.px(_HEAD))
        elif box.bottom() > port.height():
            down.setValue(down.value() + round(box.bottom()) - port.height())
        if box.left() < self._theme.px(_NAMES):
            across.setValue(across.value() + round(box.left()) - self._theme.px(_NAMES))
        elif box.right() > port.width():
            across.setValue(across.value() + round(box.right()) - port.width())
        self.setAccessibleDescription(self.said(self.row, self.column))
        self.viewport().update()
        self.moved.emit(self.rows[self.row], self.columns[self.column].id)

    def said(self, row: int, column: int) -> str:
        """A place in words: class, area, who answers."""
        assert self._summary is not None
        line, area = self.rows[row], self.columns[column]
        parts = (
            self._summary.book.class_label(line.kind, line.prefix, language()),
            area.label(language()),
            self._summary.said(self._summary.answer(line, area.id)),
        )
        return " · ".join(parts)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._set_bars()

    def _on_theme(self) -> None:
        self._set_bars()
        self.viewport().update()

    # Painting.

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, port = self._theme, self.viewport().rect()
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(port, theme.color("pane"))
        if self._summary is not None and self.rows and self.columns:
            down, across = self.verticalScrollBar().value(), self.horizontalScrollBar().value()
            first, last = self._shown(theme.px(_ROW), _HEAD, down, port.height())
            left, right = self._shown(self._wide(), _NAMES, across, port.width())
            rows = range(first, min(last + 1, len(self.rows)))
            columns = range(left, min(right + 1, len(self.columns)))
            painter.save()
            painter.setClipRect(QRectF(port).adjusted(theme.px(_NAMES), theme.px(_HEAD), 0, 0))
            for row in rows:
                for column in columns:
                    self._paint_answer(painter, row, column)
            painter.restore()
            self._paint_names(painter, rows)
            self._paint_head(painter, columns)
        painter.end()

    def _shown(self, size: int, head: int, scrolled: int, length: int) -> tuple[int, int]:
        return scrolled // size, (scrolled + length - self._theme.px(head)) // size

    def _paint_answer(self, painter: QPainter, row: int, column: int) -> None:
        assert self._summary is not None
        theme, box = self._theme, self.box_of(row, column)
        answer = self._summary.answer(self.rows[row], self.columns[column].id)
        chip = box.adjusted(2, 2, -2, -2)
        paint_chip(painter, theme, self._summary, chip, answer)
        if (row, column) == (self.row, self.column):
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(theme.color("focus"), theme.px(2 if self.hasFocus() else 1)))
            painter.drawRoundedRect(chip, theme.px(4), theme.px(4))

    def _paint_names(self, painter: QPainter, rows: range) -> None:
        assert self._summary is not None
        theme = self._theme
        painter.save()
        painter.setClipRect(QRectF(0, theme.px(_HEAD), theme.px(_NAMES), self.viewport().height()))
        for row in rows:
            line, top = self.rows[row], self.box_of(row, 0).top()
            box = QRectF(0, top, theme.px(_NAMES), theme.px(_ROW))
            if row == self.row:
                painter.fillRect(box, theme.color("accent_ground"))
            indent = theme.px(6)
            if line.is_major:
                opened = (line.kind, line.prefix) in self._open_majors
                _paint_arrow(painter, theme, QPointF(indent + theme.px(5), box.center().y()), opened)
            place = box.adjusted(theme.px(18 if line.is_major else 26), 0, -theme.px(6), 0)
            kind = self._summary.book.kind_label(line.kind, line.prefix)
            if kind and line.is_major:
                painter.setFont(theme.font("label"))
                painter.setPen(theme.color("text2"))
                painter.drawText(place, int(_RIGHT), kind)
                place.setRight(place.right() - painter.fontMetrics().horizontalAdvance(kind) - theme.px(6))
            words = self._summary.book.class_label("", line.prefix, language())
            painter.setFont(theme.font("body", bold=line.is_major))
            painter.setPen(theme.color("text1" if line.is_major or row == self.row else "text2"))
            _paint_words(painter, place, words, Qt.AlignmentFlag.AlignVCenter)
        painter.restore()

    def _paint_head(self, painter: QPainter, columns: range) -> None:
        theme = self._theme
        painter.save()
        painter.setClipRect(QRectF(theme.px(_NAMES), 0, self.viewport().width(), theme.px(_HEAD)))
        for column in columns:
            area = self.columns[column]
            box = QRectF(self.box_of(0, column).left(), 0, self._wide(), theme.px(_HEAD))
            if column == self.column:
                painter.fillRect(box.adjusted(1, 0, -1, 0), theme.color("accent_ground"))
            is_district = area.kind == "district"
            if is_district:
                opened = area.id in self._open_districts
                _paint_arrow(painter, theme, QPointF(box.left() + theme.px(9), box.center().y()), opened)
            painter.setFont(theme.font("label", bold=is_district))
            painter.setPen(theme.color("text1" if is_district else "text2"))
            place = box.adjusted(theme.px(18 if is_district else 6), 0, -theme.px(4), 0)
            flags = Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(place, int(flags), area.label(language()))
        painter.restore()
        painter.setPen(QPen(theme.color("line"), 1))
        painter.drawLine(QPointF(0, theme.px(_HEAD)), QPointF(self.viewport().width(), theme.px(_HEAD)))

    # Walking.

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, is_ctrl = Qt.Key(event.key()), bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        steps = {
            Qt.Key.Key_Left: (0, -1),
            Qt.Key.Key_Right: (0, 1),
            Qt.Key.Key_Up: (-1, 0),
            Qt.Key.Key_Down: (1, 0),
            Qt.Key.Key_PageUp: (-10, 0),
            Qt.Key.Key_PageDown: (10, 0),
            Qt.Key.Key_Home: (-len(self.rows), 0),
            Qt.Key.Key_End: (len(self.rows), 0),
        }
        if is_ctrl and key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            self.fold_column(opened=key == Qt.Key.Key_Right)
        elif key in steps:
            down, across = steps[key]
            self._come(self.row + down, self.column + across)
        elif key == Qt.Key.Key_Plus or key == Qt.Key.Key_Equal:
            self.fold(opened=True)
        elif key == Qt.Key.Key_Minus:
            self.fold(opened=False)
        elif key == Qt.Key.Key_Space:
            self.fold()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.entered.emit()
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        at, theme = event.position(), self._theme
        row = int((at.y() - theme.px(_HEAD) + self.verticalScrollBar().value()) // theme.px(_ROW))
        column = int((at.x() - theme.px(_NAMES) + self.horizontalScrollBar().value()) // self._wide())
        on_names, on_head = at.x() < theme.px(_NAMES), at.y() < theme.px(_HEAD)
        if on_names and not on_head and row < len(self.rows):
            self._come(row, self.column)
            if self.rows[self.row].is_major:
                self.fold()
        elif on_head and not on_names and column < len(self.columns):
            self._come(self.row, column)
            if self.columns[self.column].kind == "district":
                self.fold_column()
        elif not on_names and not on_head and row < len(self.rows) and column < len(self.columns):
            self._come(row, column)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        # The press has done it; left alone, the release would go on to whatever lies behind.
        event.accept()

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent) and self.rows:
            for row in range(len(self.rows)):
                for column in range(len(self.columns)):
                    if self.box_of(row, column).contains(QPointF(event.pos())):
                        QToolTip.showText(event.globalPos(), tip(self.said(row, column)), self)
                        return True
        return super().viewportEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.viewport().update()


def paint_chip(painter: QPainter, theme: Theme, summary: Summary, chip: QRectF, answer: Answer) -> None:
    """The ground of each unit by its share, holes hatched, an overlap with a diamond, and the name."""
    left = chip.left()
    painter.save()
    painter.setPen(Qt.PenStyle.NoPen)
    for unit_id, share in zip(answer.units, answer.shares, strict=True):
        part = QRectF(left, chip.top(), chip.width() * share, chip.height())
        if unit_id:
            painter.fillRect(part, theme.color(summary.token(unit_id)))
        else:
            part.setWidth(max(part.width(), min(theme.px(10), chip.width())))
            part.moveRight(min(part.right(), chip.right()))
            painter.fillRect(part, theme.color("over_ground"))
            painter.fillRect(part, QBrush(theme.color("over"), Qt.BrushStyle.BDiagPattern))
        left += chip.width() * share
    place = chip.adjusted(theme.px(6), 0, -theme.px(4), 0)
    if answer.clash:
        center = QPointF(chip.right() - theme.px(9), chip.center().y())
        paint_diamond(painter, theme, center)
        place.setRight(center.x() - theme.px(7))
    painter.restore()
    painter.setFont(theme.font("label"))
    only_hole = answer.units == (0,)
    painter.setPen(theme.color("over" if only_hole else "text1"))
    words = summary.short(answer)
    if only_hole:
        wide = painter.fontMetrics().horizontalAdvance(words) + theme.px(8)
        ground = QRectF(place.left() - theme.px(4), chip.top() + 3, wide, chip.height() - 6)
        painter.fillRect(ground, theme.color("over_ground"))
    _paint_words(painter, place, words, Qt.AlignmentFlag.AlignVCenter)


def paint_diamond(painter: QPainter, theme: Theme, center: QPointF) -> None:
    """The mark of an overlap."""
    half = theme.px(5)
    painter.setPen(QPen(theme.color("soon_fill"), 1.5))
    painter.setBrush(theme.color("soon_ground"))
    painter.drawPolygon(
        [
            center + QPointF(0, -half),
            center + QPointF(half, 0),
            center + QPointF(0, half),
            center + QPointF(-half, 0),
        ]
    )


def _paint_arrow(painter: QPainter, theme: Theme, center: QPointF, opened: bool) -> None:
    half = theme.px(3)
    painter.setPen(QPen(theme.color("text2"), 1.4))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    points = (
        ((-half, -half / 2), (0, half / 2), (half, -half / 2))
        if opened
        else ((-half / 2, -half), (half / 2, 0), (-half / 2, half))
    )
    painter.drawPolyline([center + QPointF(x, y) for x, y in points])


def _paint_words(painter: QPainter, place: QRectF, words: str, flags: Qt.AlignmentFlag) -> None:
    shown = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, int(place.width()))
    painter.drawText(place, flags, shown)
