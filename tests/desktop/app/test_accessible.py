"""Whoever cannot see the room can still walk it: everything that takes the focus says what it is."""

from __future__ import annotations

import threading

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWebEngineWidgets import QWebEngineView
from PySide6.QtWidgets import QScrollArea, QWidget

from db.live.filters import Filter
from desktop.core.keys import printed
from desktop.core.preferences import LOGIN
from desktop.shell.window import MENUS
from desktop.widgets.acting import VERBS
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
def all_there(room: OpenRoom) -> None:
    """What a session keeps once it was asked for is asked for now: threads of readers and lasting windows.

    Begun by a test, they would be taken for left behind and cleared away.
    """
    session = room.session
    lasting = (session.show_calendar(), session.show_search(), session.show_duties(), session.show_accounts())
    for window in lasting:
        window.hide()
    meeting = threading.Barrier(3)
    # Automatic dispatch asks once a minute, whichever test that falls into.
    room.program.jobs._askers.submit(int).result()
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


def test_every_act_and_every_verb_is_in_the_palette_and_most_have_a_key(room: OpenRoom) -> None:
    offered = {offer.id: offer for offer in room.session._offered.offers()}
    acts = room.window.actions_.acts()
    assert {f"act:{act.id}" for act in acts} <= offered.keys()
    assert {f"verb:{key}" for key in VERBS} <= offered.keys()
    assert [act.id for act in acts if not act.keys and f"act:{act.id}" not in offered] == []
    assert [offer.id for offer in offered.values() if not offer.title or not offer.group] == []


def test_no_key_does_two_things_in_one_place(room: OpenRoom) -> None:
    keys = [printed(act.keys) for act in room.window.actions_.acts() if act.keys]
    assert sorted(keys) == sorted(set(keys))
    verbs = [verb.keys for verb in VERBS.values() if verb.keys]
    assert sorted(verbs) == sorted(set(verbs))
    # The keys of the list work while it has the focus, so the window's must leave them alone.
    assert not {printed(key) for key in verbs} & set(keys)


def test_what_the_palette_finds_it_does(room: OpenRoom) -> None:
    """The whole road: typed letters, the marked line, Enter, the filter in force."""
    room.fresh()
    palette = room.window.open_palette("chaoqi")
    marked = palette.marked()
    assert marked is not None
    QTest.keyClick(palette.field, Qt.Key.Key_Return)
    assert room.session.context.filter.lights == frozenset({2})
    room.fresh()


def test_a_sentence_reassigns_the_case_it_shows(room: OpenRoom) -> None:
    room.fresh()
    context = room.session.context
    context.set_filter(Filter(states=frozenset({"handling"})))
    store, lens = context.board.store, context.board.lens
    case_id = lens.id_at(0)
    slot = store.slot_of(case_id)
    assert slot is not None
    context.set_filter(Filter())
    before = store.unit[slot]
    squads = [each for each in context.board.directory.of("unit") if each.kind == "squad"]
    unit = next(each for each in squads if store.codes["unit"].code(each.id) != before)
    palette = room.window.open_palette(f"改派 {store.number[slot]} {unit.name} 不是本辖区")
    marked = palette.marked()
    assert marked is not None
    assert not marked.why
    assert "→" in marked.detail
    QTest.keyClick(palette.field, Qt.Key.Key_Return)
    room.until(lambda: store.unit[slot] == store.codes["unit"].code(unit.id))
    room.session.desk.undo()
    room.until(lambda: store.unit[slot] == before)
    room.fresh()
