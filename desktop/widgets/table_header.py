"""The header of the table: quiet titles, a sort arrow, drawn by the theme."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QHeaderView, QWidget

from desktop.widgets.theme import Theme


class TableHeader(QHeaderView):
    """Paints titles and the sort arrow; which column is sorted is told to it, it never sorts."""

    def __init__(self, theme: Theme, padding: int, parent: QWidget | None = None) -> None:
        """`padding` in pixels at 100 %, the same as the cells'."""
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._theme = theme
        self._padding = padding
        self._sorted: int = -1
        self._descending = False
        self.marked: int = -1
        """The section that the keys for columns act on, -1 for none."""
        self.setSectionsClickable(True)
        self.setSectionsMovable(True)
        self.setHighlightSections(False)
        self.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover, True)

    def set_sorted(self, section: int, descending: bool) -> None:
        """Show the arrow at a section (-1: nowhere)."""
        self._sorted, self._descending = section, descending
        self.viewport().update()

    def set_marked(self, section: int) -> None:
        """Mark the section that the keys for columns act on."""
        self.marked = section
        self.viewport().update()

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), self._theme.px(32))

    def paintSection(self, painter: QPainter, rect: QRect, section: int) -> None:
        model = self.model()
        if not rect.isValid() or model is None:
            return
        theme = self._theme
        text = model.headerData(section, Qt.Orientation.Horizontal, Qt.ItemDataRole.DisplayRole) or ""
        wish = model.headerData(section, Qt.Orientation.Horizontal, Qt.ItemDataRole.TextAlignmentRole)
        align = Qt.AlignmentFlag(wish) if wish is not None else Qt.AlignmentFlag.AlignLeft
        is_sorted = section == self._sorted
        painter.save()
        painter.setFont(theme.font("label"))
        padding = theme.px(self._padding)
        inner = rect.adjusted(padding, 0, -padding, 0)
        metrics = QFontMetrics(painter.font())
        arrow = theme.px(12) if is_sorted else 0
        title = metrics.elidedText(str(text), Qt.TextElideMode.ElideRight, max(0, inner.width() - arrow))
        width = metrics.horizontalAdvance(title)
        right = bool(align & Qt.AlignmentFlag.AlignRight)
        left = inner.right() + 1 - width - (arrow if right else 0) if right else inner.left()
        painter.setPen(theme.color("text1" if is_sorted else "text3"))
        painter.drawText(
            QRect(left, rect.top(), width + 2, rect.height()), Qt.AlignmentFlag.AlignVCenter, title
        )
        if is_sorted:
            self._paint_arrow(painter, QPointF(left + width + theme.px(8), rect.center().y() + 0.5))
        if section == self.marked and self.parentWidget().hasFocus():
            painter.setPen(QPen(theme.color("focus"), theme.px(1)))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(rect.adjusted(1, 2, -2, -3 - theme.px(1)))
        painter.restore()

    def paintEvent(self, event: object) -> None:
        ground = QPainter(self.viewport())
        ground.fillRect(self.viewport().rect(), self._theme.color("pane"))
        ground.end()
        super().paintEvent(event)
        painter = QPainter(self.viewport())
        thick, area = self._theme.px(1), self.viewport().rect()
        painter.fillRect(0, area.height() - thick, area.width(), thick, self._theme.color("line"))
        painter.end()

    def _paint_arrow(self, painter: QPainter, center: QPointF) -> None:
        half = self._theme.px(3.5)
        rise = half * 0.65 * (-1 if self._descending else 1)
        path = QPainterPath(QPointF(center.x() - half, center.y() + rise))
        path.lineTo(center.x() + half, center.y() + rise)
        path.lineTo(center.x(), center.y() - rise)
        path.closeSubpath()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillPath(path, self._theme.color("text1"))
