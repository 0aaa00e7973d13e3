"""One rule for charts and figures: a press filters, with Ctrl it selects the cases, with Shift adds them."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent

_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


def taking(modifiers: Qt.KeyboardModifier) -> str:
    """What a press means: "" to filter, "replace" to select its cases, "add" to add them to the selection."""
    if modifiers & Qt.KeyboardModifier.ShiftModifier:
        return "add"
    return "replace" if modifiers & Qt.KeyboardModifier.ControlModifier else ""


def keeps_enter(event: QEvent) -> bool:
    """Take Ctrl+Enter and Shift+Enter for the chart that has the focus, before the window acts on it."""
    if (
        event.type() == QEvent.Type.ShortcutOverride
        and isinstance(event, QKeyEvent)
        and event.key() in _ENTER
        and taking(event.modifiers())
    ):
        event.accept()
        return True
    return False
