"""Whoever cannot see the room can still walk it: everything that takes the focus says what it is."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWebEngineWidgets import QWebEngineView
from PySide6.QtWidgets import QAbstractButton, QWidget

from desktop.core.preferences import LOGIN
from tests.desktop.open_room import OpenRoom


def focusable(window: QWidget) -> list[QWidget]:
    return [
        widget
        for widget in window.findChildren(QWidget)
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        and widget.isVisible()
        and widget.focusProxy() is None
        # The engine's own window inside the view; the view that holds it has the name.
        and not isinstance(widget.parent(), QWebEngineView)
    ]


def name_of(widget: QWidget) -> str:
    if widget.accessibleName():
        return widget.accessibleName()
    return widget.text() if isinstance(widget, QAbstractButton) else ""


def test_every_control_of_the_room_that_takes_the_focus_has_a_name(room: OpenRoom) -> None:
    room.fresh()
    walked = focusable(room.window)
    assert len(walked) > 15
    nameless = [f"{type(widget).__name__} {widget.objectName()}" for widget in walked if not name_of(widget)]
    assert nameless == []


def test_with_cases_selected_and_a_filter_the_new_controls_have_names_too(room: OpenRoom) -> None:
    context = room.session.context
    first = room.session.panes.queue.rows.id_at(0)
    context.toggle("lights", 2)
    context.select(frozenset({first}))
    nameless = [type(widget).__name__ for widget in focusable(room.window) if not name_of(widget)]
    assert nameless == []
    room.fresh()


def test_the_map_has_a_name(room: OpenRoom) -> None:
    (view,) = room.window.findChildren(QWebEngineView)
    assert view.accessibleName()


def test_the_list_has_the_focus_when_the_room_opens(room: OpenRoom) -> None:
    assert room.window.focusWidget() is room.session.panes.queue.table


def test_no_two_acts_share_a_key_and_every_act_has_words_and_every_menu_a_place(room: OpenRoom) -> None:
    acts = room.window.actions_.acts()
    keys = [act.keys for act in acts if act.keys]
    assert len(keys) == len(set(keys))
    assert all(act.title for act in acts)
    assert all(room.window.actions_[act.id].text() for act in acts)
    menus = {"file", "case", "view", "help"}
    assert {act.menu for act in acts if act.menu} <= menus
    assert LOGIN.key
