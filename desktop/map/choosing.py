"""A small dialog for one of many: type to narrow, arrows and Enter to choose, Delete to drop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDialog, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from desktop.widgets.plain import label
from desktop.widgets.theme import Theme

_VALUE = Qt.ItemDataRole.UserRole


class Choice(NamedTuple):
    """One line of the list."""

    words: str
    value: Any
    is_chosen: bool = False


class Chooser(QDialog):
    """Whoever opens it fills the list, at once or each time something is typed; it closes on a choice."""

    typed = Signal(str)
    chosen = Signal(object)
    entered = Signal(str)
    """Enter was pressed while the list was empty: the words typed."""
    dropped = Signal(object)

    def __init__(self, theme: Theme, title: str, hint: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._build(title, hint)
        self._wire()

    def _build(self, title: str, hint: str) -> None:
        px = self._theme.px
        self.field = QLineEdit()
        self.field.setAccessibleName(title)
        self.field.setPlaceholderText(title)
        self.list = QListWidget()
        self.list.setAccessibleName(title)
        # The keys stay in the field; the list follows the arrows.
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._hint = label(hint, "label", "text3")
        self._hint.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(px(16), px(16), px(16), px(12))
        column.setSpacing(px(8))
        column.addWidget(self.field)
        column.addWidget(self.list, 1)
        column.addWidget(self._hint)
        self.resize(px(440), px(380))

    def _wire(self) -> None:
        self.field.textChanged.connect(self.typed)
        self.field.installEventFilter(self)
        self.list.itemClicked.connect(self._take)

    def set_choices(self, choices: Sequence[Choice]) -> None:
        """Show these; the chosen one, or the first, is current."""
        self.list.clear()
        current = 0
        for place, choice in enumerate(choices):
            item = QListWidgetItem(choice.words, self.list)
            item.setData(_VALUE, choice.value)
            if choice.is_chosen:
                current = place
        self.list.setCurrentRow(current)

    def say(self, words: str) -> None:
        """Put something else where the hint stands."""
        self._hint.setText(words)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.field and event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            return self._key(event)
        return super().eventFilter(watched, event)

    def _key(self, event: QKeyEvent) -> bool:
        keys, row = Qt.Key, self.list.currentRow()
        if event.key() in (keys.Key_Down, keys.Key_Up):
            step = 1 if event.key() == keys.Key_Down else -1
            if self.list.count():
                self.list.setCurrentRow((row + step) % self.list.count())
        elif event.key() in (keys.Key_Return, keys.Key_Enter):
            item = self.list.currentItem()
            if item is not None:
                self._take(item)
            elif words := self.field.text().strip():
                self.entered.emit(words)
        elif event.key() == keys.Key_Delete and not self.field.text():
            item = self.list.currentItem()
            if item is not None:
                self.dropped.emit(item.data(_VALUE))
        else:
            return False
        return True

    def _take(self, item: QListWidgetItem) -> None:
        value = item.data(_VALUE)
        self.accept()
        self.chosen.emit(value)
