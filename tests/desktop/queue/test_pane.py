"""The queue pane: sorting is the lens's, the selection is the room's, and what it says is true."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from db.live.filters import Filter, Scope
from desktop.core.context import Context, DataAge, Freshness
from desktop.core.preferences import COLUMNS, DENSE, DESCENDING, ORDER, Preferences
from desktop.queue.pane import QueuePane
from desktop.widgets.theme import Theme
from tests.db.live.rows import DAY, NOON, case_row, delta_of
from tests.desktop.seeded import OFFICER, context_of, invented, preferences, workflow


class Room:
    def __init__(self, shown: Callable[..., QWidget], kept: Preferences, context: Context) -> None:
        self.context = context
        self.kept = kept
        self.pane = QueuePane(Theme(), context, kept)
        self.pane.bar.set_workflow(workflow())
        shown(self.pane, 800, 500)

    def ids(self) -> list[int]:
        rows = self.pane.rows
        return [rows.id_at(row) for row in range(rows.row_count())]


@pytest.fixture
def room(shown: Callable[..., QWidget], tmp_path: Path) -> Room:
    return Room(shown, preferences(tmp_path), context_of(invented(60), OFFICER))


def test_the_count_in_the_head_is_the_length_of_the_list(room: Room) -> None:
    for chosen in (Filter(), Filter(units=frozenset({1})), Filter(scope=Scope.ALL), Filter(text="no such")):
        room.context.set_filter(chosen)
        assert room.pane._subtitle.text() == str(room.context.board.lens.count)
        assert room.pane.model.rowCount() == room.context.board.lens.count


def test_every_header_that_sorts_sorts_and_says_so_and_is_remembered(room: Room) -> None:
    header = room.pane.table.horizontalHeader()
    for place, column in enumerate(room.pane.model.columns):
        if column.sortable and column.shown:
            before = room.context.board.lens.order_key
            header.sectionClicked.emit(place)
            assert room.context.board.lens.order_key == column.key
            assert room.kept.get(ORDER) == column.key
            assert room.kept.get(DESCENDING) == (before == column.key)


def test_turning_the_order_over_turns_the_list_over(room: Room) -> None:
    room.context.board.set_order("number", False)
    before = room.ids()
    room.pane._on_turn()
    assert room.ids() == before[::-1]
    assert room.pane._order.text().endswith("▾")


def test_order_density_and_columns_are_there_after_a_restart(
    shown: Callable[..., QWidget], tmp_path: Path, room: Room
) -> None:
    room.pane.table.horizontalHeader().sectionClicked.emit(room.pane.model.place_of("unit"))
    room.pane.table.show_column("number")
    room.kept.put(DENSE, True)
    again = Room(shown, room.kept, context_of(invented(5), OFFICER))
    assert again.context.board.lens.order_key == "unit"
    assert not again.pane.table.horizontalHeader().isSectionHidden(again.pane.model.place_of("number"))
    assert again.pane.table._row_height == room.pane.table._row_height


@pytest.mark.parametrize("order", ["community", "pink", ""])
def test_an_order_that_nobody_knows_any_more_does_not_keep_the_room_shut(
    shown: Callable[..., QWidget], tmp_path: Path, order: str
) -> None:
    kept = preferences(tmp_path)
    kept.put(ORDER, order)
    kept.put(COLUMNS, "{nonsense")
    room = Room(shown, kept, context_of(invented(5), OFFICER))
    assert room.context.board.lens.order_key == "slack"


def test_the_selection_goes_both_ways(room: Room) -> None:
    heard: list[frozenset[int]] = []
    room.context.selection_changed.connect(lambda: heard.append(room.context.selection))
    second = room.ids()[1]
    room.pane.table.select({second})
    assert heard == []  # Setting a selection is not picking it.
    room.context.select(frozenset({second}))
    assert room.pane.table.selected_ids() == {second}
    QTest.keyClick(room.pane.table, Qt.Key.Key_Home)
    assert room.context.selection == {room.ids()[0]}


def test_the_pane_hands_its_focus_to_the_list(room: Room) -> None:
    assert room.pane.focusProxy() is room.pane.table


def test_a_key_of_a_verb_acts_on_the_selected_cases(room: Room, until: Callable[..., None]) -> None:
    commands: list[object] = []
    room.pane.bar.commanded.connect(commands.append)
    room.context.set_filter(Filter(states=frozenset({"reported"})))
    room.context.select(frozenset({room.ids()[0]}))
    room.pane.window().activateWindow()
    room.pane.setFocus()
    until(room.pane.table.hasFocus)
    QTest.keyClick(room.pane.table, Qt.Key.Key_A)
    until(lambda: len(commands) == 1)


def test_a_change_of_one_case_moves_its_row_and_keeps_the_selection(room: Room) -> None:
    chosen = room.ids()[3]
    room.context.select(frozenset({chosen}))
    worst = case_row(999, state="handling", due_at=NOON - 10 * 24 * 3_600_000, soon_at=DAY)
    room.context.announce(room.context.board.apply(delta_of([worst])))
    assert room.ids()[0] == 999
    assert room.pane.table.selected_ids() == {chosen}


def test_loading_empty_and_no_match_each_say_their_own(shown: Callable[..., QWidget], tmp_path: Path) -> None:
    context = context_of([], OFFICER, live=False)
    room = Room(shown, preferences(tmp_path), context)
    assert room.pane.table._state[1] == "Reading the cases…"
    context.set_age(DataAge(Freshness.LIVE, NOON))
    assert room.pane.table._state[1] == "No open cases"
    context.toggle("units", 1)
    assert room.pane.table._state[1] == "No case matches the filter"


def test_lost_data_are_dated_and_fresh_ones_are_not(room: Room) -> None:
    room.context.set_age(DataAge(Freshness.LOST, NOON, "gone"))
    assert room.pane.is_stale()
    assert "12:00:00" in room.pane._veil.words
    room.context.set_age(DataAge(Freshness.LIVE, NOON))
    assert not room.pane.is_stale()
