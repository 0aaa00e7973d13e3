"""What widgets that paint themselves are to a screen reader: Qt takes each of them for a bare surface."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtGui import QAccessible, QAccessibleInterface
from PySide6.QtWidgets import QAccessibleWidget, QWidget

# Qt deletes an interface with its widget; until then nobody else may, and who that is PySide cannot tell.
_kept: list[QAccessibleInterface] = []


def speak_as(widget: QWidget, role: QAccessible.Role) -> None:
    """Let this widget be that to a screen reader.

    WORKAROUND: one ``QAccessible.installFactory`` for all would be asked about the web engine's own items as
    well, and PySide 6.11 crashes on wrapping those as soon as the map takes the focus.
    """
    # Qt holds an interface for the object and its meta-object, and PySide makes a new one of those when a
    # plain method is first connected: so it is given once the widget is made and wired.
    QTimer.singleShot(0, widget, lambda: _give(widget, role))


def _give(widget: QWidget, role: QAccessible.Role) -> None:
    interface = QAccessibleWidget(widget, role)
    QAccessible.registerAccessibleInterface(interface)
    _kept.append(interface)
