"""A field with a list that follows each key: one types, looks, and takes a line by the keyboard alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QEvent, QPoint, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QLineEdit, QListWidget, QListWidgetItem, QWidget

from desktop.widgets.plain import tip
from desktop.widgets.theme import Theme

_ROWS = 8
_MOVES = {
    Qt.Key.Key_Down: 1,
    Qt.Key.Key_Up: -1,
    Qt.Key.Key_PageDown: _ROWS,
    Qt.Key.Key_PageUp: -_ROWS,
}


@dataclass(frozen=True)
class Choice:
    """A line of the list: what it says, what is told beside it, and what it stands for."""

    text: str
    detail: str
    value: Any
    on_leaving: bool = True
    """Whether going on to the next field takes this line when it is the one marked."""


class ChoiceField(QLineEdit):
    """Asks for lines by ``typed``; ``chosen`` carries the value of the line that was taken.

    Enter takes the marked line, or goes on when there is no list; Esc closes the list before it closes
    anything else; Tab takes the marked line if that may be taken on leaving.
    """

    typed = Signal(str)
    """The words changed by hand."""
    chosen = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._choices: list[Choice] = []
        self._moved = False
        self.list: QListWidget | None = None
        self.textEdited.connect(self.typed)

    @property
    def choices(self) -> Sequence[Choice]:
        """The lines offered now."""
        return self._choices

    @property
    def is_open(self) -> bool:
        """Whether the list is on show."""
        return self.list is not None and self.list.isVisible()

    def offer(self, choices: Sequence[Choice]) -> None:
        """Put these lines under the field; none closes the list."""
        self._choices = list(choices)
        self._moved = False
        if not choices or not self.hasFocus():
            self.close_list()
            return
        shown = self._list()
        shown.clear()
        for choice in choices:
            item = QListWidgetItem(f"{choice.text}    {choice.detail}" if choice.detail else choice.text)
            item.setToolTip(tip(f"{choice.text}\n{choice.detail}"))
            shown.addItem(item)
        shown.setCurrentRow(0)
        self._place(shown)
        shown.show()
        shown.raise_()

    def close_list(self) -> None:
        """Take the list away."""
        if self.list is not None:
            self.list.hide()

    def take(self, row: int) -> None:
        """Take a line as if it had been pressed."""
        choice = self._choices[row]
        self.close_list()
        self.chosen.emit(choice.value)

    def event(self, event: QEvent) -> bool:
        # Tab never reaches keyPressEvent, and Esc is a dialog's before it is a field's.
        if isinstance(event, QKeyEvent) and self.is_open:
            if event.type() == QEvent.Type.ShortcutOverride and event.key() == Qt.Key.Key_Escape:
                event.accept()
                return True
            if event.type() == QEvent.Type.KeyPress and event.key() == Qt.Key.Key_Tab:
                self._take_on_leaving()
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if self.is_open and self.list is not None and plain:
            if key in _MOVES:
                row = self.list.currentRow() + _MOVES[Qt.Key(key)]
                self.list.setCurrentRow(max(0, min(self.list.count() - 1, row)))
                self._moved = True
                return
            if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self.take(self.list.currentRow())
                self.focusNextChild()
                return
            if key == Qt.Key.Key_Escape:
                self.close_list()
                return
        if plain and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.focusNextChild()
            return
        super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.close_list()
        super().focusOutEvent(event)

    def _take_on_leaving(self) -> None:
        assert self.list is not None
        row = self.list.currentRow()
        if 0 <= row < len(self._choices) and (self._moved or self._choices[row].on_leaving):
            self.take(row)

    def _list(self) -> QListWidget:
        if self.list is None:
            self.list = QListWidget(self.window())
            self.list.setObjectName("popup")
            self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
            self.list.setAccessibleName(self.accessibleName())
            self.list.itemClicked.connect(lambda item: self.take(self.list.row(item)))
        return self.list

    def _place(self, shown: QListWidget) -> None:
        below = self.mapTo(self.window(), QPoint(0, self.height() + self._theme.px(2)))
        height = self._theme.px(12) + self._theme.px(28) * min(_ROWS, shown.count())
        shown.setGeometry(below.x(), below.y(), max(self.width(), self._theme.px(420)), height)
