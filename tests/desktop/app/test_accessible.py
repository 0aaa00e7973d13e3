"""Whoever cannot see the room can still walk it: everything that takes the focus says what it is."""

from __future__ import annotations

import threading

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWebEngineWidgets import QWebEngineView
from PySide6.QtWidgets import QScrollArea, QWidget

from desktop.core.preferences import LOGIN
from desktop.shell.window import MENUS
from tests.desktop.app.windows import WINDOWS
from tests.desktop.open_room import OpenRoom

_SPEECHLESS = {QAccessible.Role.NoRole, QAccessible.Role.Client}
"""Roles that tell nobody what a thing does."""


def controls(window: QWidget) -> list[QWidget]:
    """All that takes the focus, or is pressed, and is on show."""
    return [
        widget
        for widget in (window, *window.findChildren(QWidget))
        if (widget.focusPolicy() != Qt.FocusPolicy.NoFocus)
        and widget.isVisible()
        and widget.focusProxy() is None
        # The engine's own window inside the view; the view that holds it has the name.
        and not isinstance(widget.parent(), QWebEngineView)
    ]


def faults(window: QWidget) -> list[str]:
    """What a screen reader could not say of a window."""
    found = []
    for widget in controls(window):
        interface = QAccessible.queryAccessibleInterface(widget)
        what = f"{type(widget).__name__} {widget.objectName()} in {type(widget.parent()).__name__}"
        if interface is None or not interface.text(QAccessible.Text.Name).strip():
            found.append(f"nameless: {what}")
        elif interface.role() in _SPEECHLESS and not isinstance(widget, QScrollArea):
            found.append(f"without a role: {what}")
    return found


@pytest.fixture(scope="module", autouse=True)
def all_readers(room: OpenRoom) -> None:
    """Start every reader's thread now: begun by a window, it would seem to be left behind by its test."""
    meeting = threading.Barrier(3)
    for begun in [room.program.jobs._readers.submit(meeting.wait) for _place in range(3)]:
        begun.result()


def test_the_list_has_the_focus_when_the_room_opens(room: OpenRoom) -> None:
    assert room.window.focusWidget() is room.session.panes.queue.table


@pytest.mark.parametrize("name", WINDOWS)
def test_every_control_of_every_window_has_a_name_and_a_role(room: OpenRoom, name: str) -> None:
    room.fresh()
    window = WINDOWS[name](room)
    try:
        assert faults(window) == []
        assert controls(window)
    finally:
        if window is not room.window:
            window.close()
        room.window.tell("done", "")
        room.fresh()


def test_the_focus_reaches_every_control_of_the_room_and_comes_round(room: OpenRoom) -> None:
    room.fresh()
    wanted = {widget for widget in controls(room.window) if widget.focusPolicy() & Qt.FocusPolicy.TabFocus}
    reached: set[QWidget] = set()
    at: QWidget = room.window
    for _step in range(2000):
        at = at.nextInFocusChain()
        reached.add(at)
        if at is room.window:
            break
    assert len(wanted) > 15
    assert [type(widget).__name__ for widget in wanted - reached] == []


def test_the_map_has_a_name(room: OpenRoom) -> None:
    (view,) = room.window.findChildren(QWebEngineView)
    assert view.accessibleName()


def test_no_two_acts_share_a_key_and_every_act_has_words_and_every_menu_a_place(room: OpenRoom) -> None:
    acts = room.window.actions_.acts()
    keys = [act.keys for act in acts if act.keys]
    assert len(keys) == len(set(keys))
    assert all(act.title for act in acts)
    assert all(room.window.actions_[act.id].text() for act in acts)
    assert {act.menu for act in acts if act.menu} <= MENUS.keys()
    assert LOGIN.key
