"""Three panes side by side: each can fill the room or float, and the layout is there after a restart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QByteArray
from PySide6.QtWidgets import QLabel, QWidget

from desktop.core.preferences import Preferences
from desktop.shell.room import Room
from desktop.widgets.pane import Pane
from desktop.widgets.theme import Theme
from tests.desktop.seeded import preferences


def make(shown: Callable[..., QWidget], kept: Preferences) -> Room:
    theme = Theme()
    panes = {key: Pane(theme, key) for key in ("map", "queue", "kpi")}
    for key, pane in panes.items():
        pane.set_content(QLabel(key))
    room = Room(theme, QWidget(), panes, kept)
    shown(room, 1500, 600)
    return room


@pytest.fixture
def kept(tmp_path: Path) -> Preferences:
    return preferences(tmp_path)


@pytest.fixture
def room(shown: Callable[..., QWidget], kept: Preferences) -> Room:
    return make(shown, kept)


def seen(room: Room) -> list[str]:
    return [key for key, pane in room.panes.items() if pane.isVisible()]


def test_the_map_is_widest_and_the_figures_are_narrowest_at_first(room: Room) -> None:
    widths = room.splitter.sizes()
    assert widths[0] > widths[1] > widths[2] > 0


def test_a_pane_fills_the_room_and_goes_back(room: Room) -> None:
    for key in room.panes:
        room.fill(key)
        assert seen(room) == [key]
        assert room.filled() == key
    room.fill("")
    assert seen(room) == ["map", "queue", "kpi"]


def test_the_keys_go_to_the_pane_that_fills_the_room(room: Room) -> None:
    room.panes["queue"].take_focus()
    focus = room.window().focusWidget()
    assert focus is not None
    assert room.panes["queue"].isAncestorOf(focus)
    room.fill("map")
    focus = room.window().focusWidget()
    assert focus is not None
    assert room.panes["map"].isAncestorOf(focus)


def test_its_own_button_does_the_same(room: Room) -> None:
    room.panes["queue"]._maximize.click()
    assert seen(room) == ["queue"]
    room.panes["queue"]._maximize.click()
    assert seen(room) == ["map", "queue", "kpi"]


def test_a_floating_pane_leaves_its_place_to_the_others_and_comes_back(room: Room) -> None:
    room.panes["kpi"].float_out()
    assert seen(room) == ["map", "queue"]
    room.panes["kpi"].dock_back()
    assert seen(room) == ["map", "queue", "kpi"]


def test_a_pane_that_fills_the_room_and_floats_out_leaves_no_empty_room(room: Room) -> None:
    room.fill("map")
    room.panes["map"].float_out()
    assert seen(room) == ["queue", "kpi"]
    room.panes["map"].dock_back()
    assert seen(room) == ["map", "queue", "kpi"]


def test_a_floating_pane_asked_to_fill_the_room_comes_back_for_it(room: Room) -> None:
    room.panes["map"].float_out()
    room.fill("map")
    assert not room.panes["map"].is_floating()
    assert seen(room) == ["map"]


def test_the_widths_are_there_after_a_restart(
    shown: Callable[..., QWidget], room: Room, kept: Preferences, until: Callable[..., None]
) -> None:
    room.splitter.setSizes([300, 900, 284])
    room.splitter.splitterMoved.emit(300, 1)
    until(lambda: not kept.layout("room/panes").isEmpty())
    assert make(shown, kept).splitter.sizes() == room.splitter.sizes()


def test_reset_brings_everything_back(room: Room, kept: Preferences) -> None:
    before = room.splitter.sizes()
    room.splitter.setSizes([900, 300, 284])
    room.panes["kpi"].float_out()
    room.fill("queue")
    room.reset()
    assert seen(room) == ["map", "queue", "kpi"]
    assert all(abs(now - then) < 20 for now, then in zip(room.splitter.sizes(), before, strict=True))


def test_a_layout_that_is_none_is_no_obstacle(shown: Callable[..., QWidget], kept: Preferences) -> None:
    kept.keep_layout("room/panes", QByteArray(b"nonsense"))
    assert all(make(shown, kept).splitter.sizes())


def test_a_floating_pane_stays_on_the_screen(room: Room) -> None:
    pane = room.panes["kpi"]
    area = pane.screen().availableGeometry()
    pane.float_out()
    assert pane._window is not None
    assert area.contains(pane._window.geometry())
    pane.dock_back()


@pytest.fixture
def with_board(shown: Callable[..., QWidget], kept: Preferences) -> Room:
    """A room with the pane of units, which comes when it is called."""
    theme = Theme()
    panes = {key: Pane(theme, key) for key in ("map", "queue", "board", "kpi")}
    for key, pane in panes.items():
        pane.set_content(QLabel(key))
    room = Room(theme, QWidget(), panes, kept)
    shown(room, 1500, 600)
    return room


def test_the_units_come_when_they_are_called_and_the_others_get_their_room_back(with_board: Room) -> None:
    before = with_board.splitter.sizes()
    assert seen(with_board) == ["map", "queue", "kpi"]
    with_board.call("board", True)
    assert with_board.is_called("board")
    sizes = dict(zip(with_board.panes, with_board.splitter.sizes(), strict=True))
    assert seen(with_board) == ["map", "queue", "board", "kpi"]
    assert sizes["board"] >= 350
    # The list that the cases are taken from keeps its width; the map makes room.
    assert sizes["queue"] == before[1]
    assert sizes["map"] < before[0]
    with_board.call("board", False)
    assert seen(with_board) == ["map", "queue", "kpi"]
    assert with_board.splitter.sizes() == before


def test_a_pane_that_fills_the_room_hides_the_units_and_reset_sends_them_away(with_board: Room) -> None:
    with_board.call("board", True)
    with_board.fill("queue")
    assert seen(with_board) == ["queue"]
    with_board.fill("")
    assert "board" in seen(with_board)
    with_board.reset()
    assert not with_board.is_called("board")
    assert seen(with_board) == ["map", "queue", "kpi"]
