"""Forms: a label over each field, the error under it, a primary button with its key; the command field."""

from __future__ import annotations

import re

from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QLineEdit, QSizePolicy, QVBoxLayout, QWidget

from desktop.widgets import icons
from desktop.widgets.button import Button, keys_width, paint_keys
from desktop.widgets.plain import label, restyle
from desktop.widgets.theme import Theme


class Field(QWidget):
    """A labelled editor. The line under it holds a hint, or the error in its place, so nothing moves."""

    def __init__(
        self, theme: Theme, title: str, editor: QWidget, hint: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._hint = hint
        self.editor = editor
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.px(4))
        self._title = label(title, "label", "text2")
        self._title.setBuddy(editor)
        self._below = label(hint, "label", "text3")
        self._below.setWordWrap(True)
        column.addWidget(self._title)
        column.addWidget(editor)
        column.addWidget(self._below)
        editor.setAccessibleName(spoken(title))
        self._on_theme_changed()
        theme.changed.connect(self._on_theme_changed)

    def set_error(self, text: str) -> None:
        """Say under the field what is wrong with it; "" when nothing is."""
        self._below.setText(text or self._hint)
        self._below.setProperty("tone", "over" if text else "text3")
        restyle(self._below)
        self._reserve()
        self.editor.setProperty("wrong", bool(text))
        self.editor.setAccessibleDescription(text or self._hint)
        restyle(self.editor)

    def error(self) -> str:
        """What is wrong, "" when nothing is."""
        return self._below.text() if self.editor.property("wrong") else ""

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._reserve()

    def _reserve(self) -> None:
        # A form asks for the height of one line of words, however many they are.
        self._below.setMinimumHeight(max(self._theme.px(18), self._below.heightForWidth(self.width())))

    def _on_theme_changed(self) -> None:
        self._reserve()


def spoken(title: str) -> str:
    """A title without the mark of its mnemonic: "&Place" and "地点(&P)" as a screen reader says them."""
    return re.sub(r"\(&.\)|&", "", title)


class Form(QWidget):
    """Fields from top to bottom, then the buttons. Enter presses the primary one, Esc the other."""

    sent = Signal()
    cancelled = Signal()

    def __init__(self, theme: Theme, send: str, cancel: str = "", parent: QWidget | None = None) -> None:
        """`send` and `cancel` are the words on the buttons; without `cancel` there is one button only."""
        super().__init__(parent)
        self._theme = theme
        self.fields: dict[str, Field] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._general = label("", tone="over")
        self._general.setWordWrap(True)
        self._general.hide()
        self.send_button = Button(theme, send, keys="⏎", kind="primary")
        self._buttons = QHBoxLayout()
        self._buttons.setDirection(QBoxLayout.Direction.LeftToRight)
        self._buttons.addStretch(1)
        if cancel:
            self.cancel_button = Button(theme, cancel, keys="Esc")
            self.cancel_button.clicked.connect(self.cancelled)
            self._buttons.addWidget(self.cancel_button)
        self._buttons.addWidget(self.send_button)
        self._column.addWidget(self._general)
        self._column.addLayout(self._buttons)
        self.send_button.clicked.connect(self.sent)
        self._has_cancel = bool(cancel)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self._on_theme_changed()
        theme.changed.connect(self._on_theme_changed)

    def add(self, key: str, title: str, editor: QWidget, hint: str = "") -> Field:
        """Add a labelled editor above the buttons."""
        field = Field(self._theme, title, editor, hint)
        self.fields[key] = field
        self._column.insertWidget(self._column.count() - 2, field)
        return field

    def add_widget(self, widget: QWidget) -> None:
        """Add anything else above the buttons."""
        self._column.insertWidget(self._column.count() - 2, widget)

    def set_errors(self, errors: dict[str, str]) -> None:
        """What is wrong by field key; "" is the key of what concerns the whole. Focus goes to the first."""
        for key, field in self.fields.items():
            field.set_error(errors.get(key, ""))
        general = errors.get("", "")
        self._general.setText(general)
        self._general.setVisible(bool(general))
        # A form asks for the height of one line of words, however many they are.
        self._general.setMinimumHeight(self._general.heightForWidth(self.width()) if general else 0)
        for key, field in self.fields.items():
            if errors.get(key):
                field.editor.setFocus(Qt.FocusReason.OtherFocusReason)
                break

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.send_button.isEnabled():
            self.sent.emit()
        elif event.key() == Qt.Key.Key_Escape and self._has_cancel:
            self.cancelled.emit()
        else:
            super().keyPressEvent(event)

    def _on_theme_changed(self) -> None:
        self._column.setSpacing(self._theme.px(8))
        self._buttons.setSpacing(self._theme.px(8))


class CommandField(QLineEdit):
    """The field one types commands or searches into, its key printed at the right while it is empty."""

    def __init__(self, theme: Theme, hint: str, keys: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._keys = keys
        self.setPlaceholderText(hint)
        self.setAccessibleName(hint)
        self.setClearButtonEnabled(False)
        self._on_theme_changed()
        theme.changed.connect(self._on_theme_changed)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        theme = self._theme
        painter = QPainter(self)
        side = theme.px(16)
        image = icons.pixmap(theme, "search", "text3", 16, self.devicePixelRatioF())
        painter.drawPixmap(QRect(QPoint(theme.px(8), (self.height() - side) // 2), QSize(side, side)), image)
        if self._keys and not self.text():
            left = self.width() - keys_width(theme, self._keys) - theme.px(8)
            middle = self.rect().center().toPointF()
            middle.setX(left)
            paint_keys(painter, theme, middle, self._keys, theme.color("text2"))
        painter.end()

    def _on_theme_changed(self) -> None:
        right = round(keys_width(self._theme, self._keys)) + self._theme.px(8) if self._keys else 0
        self.setTextMargins(self._theme.px(20), 0, right, 0)
