"""The strip of filter chips: what narrows the view, how much is left, and the way back to all of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QAbstractButton, QMenu, QWidget

from db.kernel.language import _
from desktop.widgets.button import Button
from desktop.widgets.plain import label, tip
from desktop.widgets.theme import Theme

_WIDEST = 260
_NARROWEST = 76


@dataclass(frozen=True, slots=True)
class Chip:
    """One condition: a key for the program, words for the person."""

    key: str
    text: str
    tip: str = ""


class ChipButton(QAbstractButton):
    """One chip. A click on its × (or Delete) removes the condition, a click on the words opens it."""

    removed = Signal(str)
    opened = Signal(str)

    def __init__(self, theme: Theme, chip: Chip, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.chip = chip
        self._over_cross = False
        self.setText(chip.text)
        self.setAccessibleName(_("Filter: {text}. Delete removes it.").format(text=chip.text))
        self.setToolTip(tip(chip.tip or chip.text))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setMouseTracking(True)

    def natural_width(self) -> int:
        """The width that shows all words, up to the widest a chip may be."""
        theme = self._theme
        words = QFontMetricsF(theme.font("label")).horizontalAdvance(self.chip.text)
        return min(theme.px(_WIDEST), round(words) + theme.px(12 + 4 + 20 + 4) + 1)

    def sizeHint(self) -> QSize:
        return QSize(self.natural_width(), self._theme.px(24))

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        body = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        radius = body.height() / 2
        painter.setBrush(theme.color("accent_ground_hover" if self.underMouse() else "chip"))
        painter.setPen(QPen(theme.color("focus"), 1) if self.hasFocus() else Qt.PenStyle.NoPen)
        painter.drawRoundedRect(body, radius, radius)
        painter.setFont(theme.font("label"))
        painter.setPen(theme.color("chip_text"))
        room = self._cross().left() - theme.px(12) - theme.px(4)
        text = QFontMetricsF(painter.font()).elidedText(self.chip.text, Qt.TextElideMode.ElideRight, room)
        painter.drawText(
            QRectF(theme.px(12), 0, room + 2, self.height()), Qt.AlignmentFlag.AlignVCenter, text
        )
        middle, arm = self._cross().center(), theme.px(3.5)
        painter.setPen(
            QPen(
                theme.color("text1" if self._over_cross else "chip_text"),
                max(1.0, 1.2 * theme.scale),
                Qt.PenStyle.SolidLine,
                Qt.PenCapStyle.RoundCap,
            )
        )
        painter.drawLine(middle + QPointF(-arm, -arm), middle + QPointF(arm, arm))
        painter.drawLine(middle + QPointF(-arm, arm), middle + QPointF(arm, -arm))
        painter.end()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        over = self._cross().contains(event.position())
        if over != self._over_cross:
            self._over_cross = over
            self.update()
        super().mouseMoveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        if event.button() != Qt.MouseButton.LeftButton or not self.rect().contains(
            event.position().toPoint()
        ):
            return
        (self.removed if self._cross().contains(event.position()) else self.opened).emit(self.chip.key)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.removed.emit(self.chip.key)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.opened.emit(self.chip.key)
        else:
            super().keyPressEvent(event)

    def _cross(self) -> QRectF:
        side = self._theme.px(20)
        return QRectF(self.width() - side - self._theme.px(4), (self.height() - side) / 2, side, side)


class ChipRow(QWidget):
    """Chips from the left, then the count; actions and "Clear Esc" at the right. Always one line high:
    chips get narrower, and what still does not fit waits in a menu behind "+n", so nothing ever jumps.
    """

    removed = Signal(str)
    """The key of the condition to take away."""
    opened = Signal(str)
    """The key of the condition to change."""
    cleared = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._chips: list[ChipButton] = []
        self._actions: list[QWidget] = []
        self._build()
        self._wire()

    def set_chips(self, chips: Sequence[Chip]) -> None:
        """Show these conditions; chips that stay are kept, with their keyboard focus."""
        kept = {button.chip: button for button in self._chips}
        now = [kept.pop(chip, None) or self._new_chip(chip) for chip in chips]
        for button in kept.values():
            button.hide()
            button.deleteLater()
        self._chips = now
        for before, after in pairwise(now):
            QWidget.setTabOrder(before, after)
        self._clear.setVisible(bool(now))
        self._lay_out()

    def chips(self) -> list[Chip]:
        """The conditions shown."""
        return [button.chip for button in self._chips]

    def set_count(self, text: str) -> None:
        """What is left, in a sentence ("63 of 8,214 open cases")."""
        if text != self._count.text():
            self._count.setText(text)
            self._count.setToolTip(tip(text))
            self._lay_out()

    def count_text(self) -> str:
        """The sentence shown."""
        return self._count.text()

    def add_action(self, widget: QWidget) -> None:
        """Put a widget (a quiet Button) at the right, before "Clear"."""
        widget.setParent(self)
        self._actions.append(widget)
        widget.show()
        self._lay_out()

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(480), self._theme.px(40))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(160), self._theme.px(40))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_out()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._lay_out()

    def _build(self) -> None:
        self._count = label("", "label", "text2")
        self._count.setParent(self)
        self._more = Button(self._theme, "+0", kind="quiet", parent=self)
        self._more.hide()
        self._clear = Button(self._theme, _("Clear"), keys="Esc", kind="quiet", parent=self)
        self._clear.hide()
        self._on_theme_changed()

    def _wire(self) -> None:
        self._theme.changed.connect(self._on_theme_changed)
        self._clear.clicked.connect(self.cleared)
        self._more.clicked.connect(self._on_more)

    def _new_chip(self, chip: Chip) -> ChipButton:
        button = ChipButton(self._theme, chip, self)
        button.removed.connect(self.removed)
        button.opened.connect(self.opened)
        return button

    def _lay_out(self) -> None:
        theme = self._theme
        edge, gap, height = theme.px(16), theme.px(8), self.height()
        right = self.width() - theme.px(8)
        for widget in [self._clear, *reversed(self._actions)]:
            if widget.isHidden():
                continue
            size = widget.sizeHint()
            right -= size.width()
            widget.setGeometry(right, (height - size.height()) // 2, size.width(), size.height())
            right -= theme.px(2)
        count_width = self._count.sizeHint().width() + theme.px(2) if self._count.text() else 0
        # The count keeps its place in full as long as there is any: it is the answer.
        room = right - edge - (count_width + gap if count_width else 0)
        widths, hidden = fitted([chip.natural_width() for chip in self._chips], room, gap, theme)
        left = edge
        chip_height = theme.px(24)
        for button, width in zip(self._chips, widths, strict=False):
            button.setGeometry(left, (height - chip_height) // 2, width, chip_height)
            button.show()
            left += width + gap
        for button in self._chips[len(widths) :]:
            button.hide()
        self._more.setVisible(hidden > 0)
        if hidden:
            self._more.setText(f"+{hidden}")
            size = self._more.sizeHint()
            self._more.setGeometry(left, (height - size.height()) // 2, size.width(), size.height())
            left += size.width() + gap
        self._count.setGeometry(left, 0, max(0, min(count_width, right - left)), height)

    def _on_more(self) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for button in self._chips:
            if button.isHidden():
                text = _("Remove “{text}”").format(text=button.chip.text).replace("&", "&&")
                menu.addAction(text).triggered.connect(
                    lambda _on=False, key=button.chip.key: self.removed.emit(key)
                )
        menu.popup(self._more.mapToGlobal(self._more.rect().bottomLeft()))

    def _on_theme_changed(self) -> None:
        self.setFixedHeight(self._theme.px(40))
        self._lay_out()


def fitted(natural: list[int], room: int, gap: int, theme: Theme) -> tuple[list[int], int]:
    """The widths of the chips that fit in `room`, and how many do not: the widest give way first."""
    if sum(natural) + gap * max(0, len(natural) - 1) <= room:
        return list(natural), 0
    least = theme.px(_NARROWEST)
    count = len(natural)
    while count:
        spare = room - gap * (count - 1) - (theme.px(44) if count < len(natural) else 0)
        lowest = sum(min(width, least) for width in natural[:count])
        if lowest <= spare:
            break
        count -= 1
    if not count:
        return [], len(natural)
    widths = natural[:count]
    while sum(widths) > spare:
        widest = max(widths)
        place = widths.index(widest)
        runner_up = max([width for width in widths if width < widest], default=least)
        same = widths.count(widest)
        cut = max(1, min(widest - max(runner_up, least), (sum(widths) - spare) // same))
        widths[place] = max(least, widest - cut)
        if widths[place] == widest:
            break
    return widths, len(natural) - count
