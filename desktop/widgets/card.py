"""Figure cards: a number, its comparison under it, its definition one hover away; a press filters."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QGridLayout, QSizePolicy, QWidget

from desktop.widgets.picking import keeps_enter, taking
from desktop.widgets.plain import tip
from desktop.widgets.theme import Theme

HEIGHT = 88
_TONES = {"neutral": "text1", "soon": "soon", "over": "over", "on_time": "on_time"}


class Card(QAbstractButton):
    """One figure. When it filters it is checkable, and checked while its filter is on.

    A press only asks (`pressed_for`): the card is checked by whoever owns the filter, so that it never
    claims a filter that is not there.
    """

    pressed_for = Signal(str)
    """Clicked, or Enter or Space: the key of the card."""
    taken_for = Signal(str, str)
    """Pressed with Ctrl or Shift held, to select its cases: the key of the card, "replace" or "add"."""
    figured = Signal()
    """Another figure, which may need another room."""

    def __init__(
        self, theme: Theme, key: str, title: str, definition: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.key = key
        self._theme = theme
        self._number, self._unit, self._comparison, self._tone = "—", "", "", "neutral"
        self._definition = definition
        self._filters = False
        self._on = False
        self._compact = False
        self.setText(title)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover, True)
        self.set_filters(True)
        self._speak()
        self.clicked.connect(lambda: self.pressed_for.emit(self.key))
        theme.changed.connect(self._on_theme_changed)

    def set_figure(self, number: str, unit: str = "", comparison: str = "", tone: str = "neutral") -> None:
        """The number in words ready to read ("8,214"), a small unit or second number ("%", "/ 1,271"),
        the comparison under it, and a tone: neutral, soon, over, on_time."""
        now = (number, unit, comparison, tone)
        if now == (self._number, self._unit, self._comparison, self._tone):
            return
        self._number, self._unit, self._comparison, self._tone = now
        self._speak()
        self.update()
        self.figured.emit()

    def set_title(self, title: str) -> None:
        """What is counted."""
        self.setText(title)
        self._speak()
        self.update()

    def set_definition(self, definition: str) -> None:
        """How it is counted, for the tool tip."""
        self._definition = definition
        self._speak()

    def set_on(self, on: bool) -> None:
        """Show whether the card's filter is on."""
        if on != self._on:
            self._on = on
            self._speak()
            self.update()

    def is_on(self) -> bool:
        """Whether the card's filter is shown as on."""
        return self._on

    def set_compact(self, compact: bool) -> None:
        """Draw the figure smaller, because it or its neighbour in the grid does not fit."""
        if compact != self._compact:
            self._compact = compact
            self.update()

    def figure_width(self) -> float:
        """The width that number and unit need at full size, margins included, in pixels."""
        number = QFontMetricsF(self._theme.font("figure")).horizontalAdvance(self._number)
        unit = QFontMetricsF(self._theme.font("place")).horizontalAdvance(self._unit)
        return number + unit + self._theme.px(24 + (3 if self._unit else 0))

    def set_filters(self, filters: bool) -> None:
        """Whether a press does anything."""
        self._filters = filters
        self.setEnabled(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus if filters else Qt.FocusPolicy.NoFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor if filters else Qt.CursorShape.ArrowCursor)

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(180), self._theme.px(HEIGHT))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(96), self._theme.px(HEIGHT))

    def hitButton(self, place: object) -> bool:
        return self._filters

    def event(self, event: QEvent) -> bool:
        return (self._filters and keeps_enter(event)) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self._filters and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if mode := taking(event.modifiers()):
                self.taken_for.emit(self.key, mode)
            else:
                self.click()
        else:
            super().keyPressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        mode = taking(event.modifiers())
        if not mode or not self._filters or event.button() != Qt.MouseButton.LeftButton:
            super().mouseReleaseEvent(event)
            return
        self.setDown(False)
        if self.rect().contains(event.position().toPoint()):
            self.taken_for.emit(self.key, mode)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        whole = QRectF(self.rect())
        if self._on:
            painter.fillRect(
                whole, theme.color("accent_ground_hover" if self.underMouse() else "accent_ground")
            )
            painter.fillRect(QRectF(0, 0, theme.px(3), whole.height()), theme.color("accent"))
        elif self._filters and (self.underMouse() or self.isDown()):
            painter.fillRect(whole, theme.color("hover"))
        if self.hasFocus():
            painter.setPen(QPen(theme.color("focus"), 1))
            painter.drawRect(whole.adjusted(0.5, 0.5, -1.5, -1.5))
        side = theme.px(12)
        width = whole.width() - 2 * side
        number_font = theme.font("clock" if self._compact else "figure")
        unit_font = theme.font("label" if self._compact else "place")
        titles, figures = QFontMetricsF(theme.font("label")), QFontMetricsF(number_font)
        units, notes = QFontMetricsF(unit_font), QFontMetricsF(theme.font("axis"))
        top = theme.px(10)
        painter.setFont(theme.font("label"))
        painter.setPen(theme.tone("text2", selected=self._on))
        row = QRectF(side, top, width, theme.px(18))
        painter.drawText(row, Qt.AlignmentFlag.AlignVCenter, _cut(titles, self.text(), width))
        # The figure stands on a base line of its own so that unit and number share it.
        base = top + theme.px(42 if self._compact else 46)
        painter.setFont(number_font)
        painter.setPen(theme.tone(_TONES[self._tone], selected=self._on))
        number_width = figures.horizontalAdvance(self._number)
        painter.drawText(round(side - theme.px(1)), round(base), self._number)
        if self._unit:
            painter.setFont(unit_font)
            painter.setPen(theme.tone("text2", selected=self._on))
            left = side + number_width + theme.px(3)
            painter.drawText(round(left), round(base), _cut(units, self._unit, side + width - left))
        painter.setFont(theme.font("axis"))
        painter.setPen(theme.tone("text3", selected=self._on))
        below = QRectF(side, top + theme.px(53), width, theme.px(17))
        painter.drawText(below, Qt.AlignmentFlag.AlignVCenter, _cut(notes, self._comparison, width))
        painter.end()

    def _speak(self) -> None:
        figure = f"{self._number} {self._unit}".strip()
        said = f"{self.text()}: {figure}"
        self.setAccessibleName(f"{said}, {self._comparison}" if self._comparison else said)
        self.setAccessibleDescription(self._definition)
        parts = [self.text(), self._definition, self._comparison]
        self.setToolTip(tip("\n".join(part for part in parts if part)))

    def _on_theme_changed(self) -> None:
        self.updateGeometry()
        self.update()


class CardGrid(QWidget):
    """Cards side by side with one hairline between them and under them: no boxes in boxes."""

    pressed_for = Signal(str)
    taken_for = Signal(str, str)

    def __init__(
        self, theme: Theme, cards: Sequence[Card], columns: int = 2, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._columns = columns
        self.cards = {card.key: card for card in cards}
        self._grid = QGridLayout(self)
        for card in cards:
            card.figured.connect(self._fit)
            card.pressed_for.connect(self.pressed_for)
            card.taken_for.connect(self.taken_for)
        self.set_columns(columns)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def set_columns(self, columns: int) -> None:
        """How many cards stand in a row."""
        self._columns = columns
        for column in range(self._grid.columnCount()):
            self._grid.setColumnStretch(column, 0)
        for place, card in enumerate(self.cards.values()):
            self._grid.addWidget(card, place // columns, place % columns)
        for column in range(columns):
            self._grid.setColumnStretch(column, 1)
        self.update()

    def set_on(self, keys: Sequence[str]) -> None:
        """Which cards' filters are on."""
        for key, card in self.cards.items():
            card.set_on(key in keys)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        room = self.width() / self._columns
        compact = any(card.figure_width() > room for card in self.cards.values())
        for card in self.cards.values():
            card.set_compact(compact)

    def _on_theme_changed(self) -> None:
        line = self._theme.px(1)
        self._grid.setContentsMargins(0, 0, 0, line)
        self._grid.setSpacing(line)
        self._fit()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        line, thick = self._theme.color("line"), self._theme.px(1)
        cards = list(self.cards.values())
        for place, card in enumerate(cards):
            area = card.geometry()
            painter.fillRect(area.left(), area.bottom() + 1, area.width() + thick, thick, line)
            if (place + 1) % self._columns and place + 1 < len(cards):
                painter.fillRect(area.right() + 1, area.top(), thick, area.height(), line)
        painter.end()


def _cut(metrics: QFontMetricsF, text: str, width: float) -> str:
    return metrics.elidedText(text, Qt.TextElideMode.ElideRight, max(0.0, width))
