"""What widgets that paint themselves are to a screen reader: Qt takes each of them for a bare surface."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtGui import QAccessible, QAccessibleInterface
from PySide6.QtWidgets import QAccessibleWidget, QWidget


def install() -> None:
    """Let a widget's class say by ``accessible_role`` what it is; once a program."""
    QAccessible.installFactory(_interface)


def _interface(_key: str, spoken: QObject) -> QAccessibleInterface | None:
    role = getattr(type(spoken), "accessible_role", None)
    if role is None or not isinstance(spoken, QWidget):
        # Qt's own widgets know what they are.
        return None
    return QAccessibleWidget(spoken, role)
