"""The table view: selection by id, keyboard, scroll place, columns, states."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu

from desktop.widgets.rows import Cell, Column, ListedRows, TableModel, drawn
from desktop.widgets.table import Table
from desktop.widgets.theme import Theme

COLUMNS = [
    Column("name", "Name", 120),
    Column("place", "Place", 100, stretch=True),
    Column("note", "Note", 60),
]


class Numbered:
    """Very many rows: the id is the row plus an offset."""

    def __init__(self, count: int, offset: int = 10**15) -> None:
        self.count, self.offset = count, offset

    def row_count(self) -> int:
        return self.count

    def cell(self, row: int, column_key: str) -> Cell:
        return Cell(f"{column_key} {row}", light=row % 4 if column_key == "note" else None)

    def id_at(self, row: int) -> int:
        return row + self.offset

    def row_of(self, id: int) -> int:
        row = id - self.offset
        return row if 0 <= row < self.count else -1

    def ids_between(self, first: int, last: int) -> list[int]:
        return list(range(first + self.offset, min(last + 1, self.count) + self.offset))

    def rows_of(self, ids: Iterable[int]) -> NDArray[np.int64]:
        return np.array([self.row_of(id) for id in ids], dtype=np.int64)


def listed(*ids: int) -> list[tuple[int, dict[str, Cell | str]]]:
    return [(id, {"name": f"n{id}", "place": f"p{id}"}) for id in ids]


@pytest.fixture
def source() -> ListedRows:
    return ListedRows(listed(*range(1, 31)))


@pytest.fixture
def table(source: ListedRows, shown: Callable[..., object]) -> Table:
    made = Table(Theme("dark"), TableModel(source, COLUMNS))
    shown(made, 480, 32 + 34 * 6)
    return made


def model_of(table: Table) -> TableModel:
    model = table.model()
    assert isinstance(model, TableModel)
    return model


def click(table: Table, row: int, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    place = QPoint(60, row * 34 + 17 - table.verticalScrollBar().value())
    QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, modifier, place)


def press(table: Table, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    QTest.keyClick(table, key, modifier)


def test_a_selection_survives_another_order(table: Table, source: ListedRows) -> None:
    table.select([3, 5])
    source.set_rows(listed(*range(30, 0, -1)))
    model_of(table).refresh()
    assert table.selected_ids() == {3, 5}
    assert table.selected_in_order() == [5, 3]
    source.set_rows(listed(5, 4, 3))
    model_of(table).refresh()
    assert drawn(model_of(table), table.selected_ids()) == "› n5 | p5 | \n  n4 | p4 | \n› n3 | p3 | "


def test_a_row_that_left_is_no_longer_selected_and_that_is_told(table: Table, source: ListedRows) -> None:
    table.select([3, 5])
    told: list[frozenset[int]] = []
    table.picked.connect(told.append)
    source.set_rows(listed(1, 2, 3, 4))
    model_of(table).refresh()
    assert told == [frozenset({3})]


def test_selecting_from_the_program_is_silent(table: Table) -> None:
    told: list[frozenset[int]] = []
    table.picked.connect(told.append)
    table.select([3, 99])
    assert (table.selected_ids(), told) == ({3}, [])


def test_click_shift_click_and_control_click_select_as_everywhere(table: Table) -> None:
    click(table, 1)
    assert table.selected_ids() == {2}
    click(table, 4, Qt.KeyboardModifier.ShiftModifier)
    assert table.selected_ids() == {2, 3, 4, 5}
    click(table, 2, Qt.KeyboardModifier.ControlModifier)
    assert table.selected_ids() == {2, 4, 5}


def test_a_drag_selects_what_it_passes_and_scrolls_at_the_edge(table: Table) -> None:
    target = table.viewport()
    QTest.mousePress(target, Qt.MouseButton.LeftButton, pos=QPoint(60, 17))
    for y in (60, 120, 400):
        place = QPointF(60, y)
        held = Qt.MouseButton.LeftButton
        move = QMouseEvent(
            QMouseEvent.Type.MouseMove, place, place, held, held, Qt.KeyboardModifier.NoModifier
        )
        table.mouseMoveEvent(move)
    assert table.selected_ids() == set(range(1, 13))
    assert table.verticalScrollBar().value() > 0


def test_the_keyboard_reaches_every_row(table: Table) -> None:
    press(table, Qt.Key.Key_Down)
    assert table.selected_ids() == {1}
    press(table, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    press(table, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert table.selected_ids() == {1, 2, 3}
    press(table, Qt.Key.Key_End)
    assert table.current_id() == 30
    assert table.verticalScrollBar().value() == table.verticalScrollBar().maximum()
    press(table, Qt.Key.Key_Home)
    assert (table.current_id(), table.verticalScrollBar().value()) == (1, 0)
    press(table, Qt.Key.Key_PageDown)
    assert table.current_id() == 6
    press(table, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert len(table.selected_ids()) == 30


def test_enter_and_double_click_open_the_row(table: Table) -> None:
    opened: list[int] = []
    table.opened.connect(opened.append)
    press(table, Qt.Key.Key_Down)
    press(table, Qt.Key.Key_Return)
    QTest.mouseDClick(table.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(60, 34 * 2 + 5))
    assert opened == [1, 3]


def test_ids_of_63_bits_pass_unharmed(shown: Callable[..., object]) -> None:
    big = 2**62 + 12345
    table = Table(Theme("dark"), TableModel(ListedRows(listed(big)), COLUMNS))
    shown(table, 300, 200)
    told: list[frozenset[int]] = []
    table.picked.connect(told.append)
    click(table, 0)
    assert told == [frozenset({big})]


def test_the_rows_one_reads_stay_put_when_others_come_in_above(table: Table, source: ListedRows) -> None:
    table.verticalScrollBar().setValue(34 * 5 + 7)
    source.set_rows(listed(101, 102, 103, *range(1, 31)))
    model_of(table).refresh()
    assert table.verticalScrollBar().value() == 34 * 8 + 7


def test_at_the_top_one_sees_what_comes_in(table: Table, source: ListedRows) -> None:
    source.set_rows(listed(101, *range(1, 31)))
    model_of(table).refresh()
    assert table.verticalScrollBar().value() == 0


def test_a_header_click_asks_for_an_order_and_sorts_nothing_itself(table: Table) -> None:
    asked: list[tuple[str, bool]] = []
    table.sorted.connect(lambda key, descending: asked.append((key, descending)))
    header = table.horizontalHeader().viewport()
    for _ in range(2):
        QTest.mouseClick(header, Qt.MouseButton.LeftButton, pos=QPoint(20, 10))
    assert asked == [("name", False), ("name", True)]
    assert drawn(model_of(table), rows=2) == "  n1 | p1 | \n  n2 | p2 | "


def test_hidden_and_sized_columns_come_back(
    table: Table, source: ListedRows, shown: Callable[..., object]
) -> None:
    table.show_column("note", False)
    table.horizontalHeader().resizeSection(0, 150)
    state = table.column_state()
    other = Table(Theme("dark"), TableModel(source, COLUMNS))
    shown(other, 480, 200)
    other.restore_columns(state)
    assert (
        other.column_state()
        == state
        == {
            "order": ["name", "place", "note"],
            "hidden": ["note"],
            "widths": {"name": 150.0},
        }
    )


def test_the_last_column_cannot_be_hidden(table: Table) -> None:
    for key in ("name", "place", "note"):
        table.show_column(key, False)
    assert table.column_state()["hidden"] == ["name", "place"]


def test_stretching_columns_fill_the_width(table: Table) -> None:
    header = table.horizontalHeader()
    assert header.length() == table.viewport().width()


def test_the_column_chooser_lists_every_column(table: Table) -> None:
    menu: QMenu = table.column_menu()
    assert [action.text() for action in menu.actions() if action.isCheckable()] == ["Name", "Place", "Note"]
    menu.deleteLater()


@pytest.mark.parametrize("state", ["loading", "empty", "error", "forbidden"])
def test_every_empty_state_is_painted(state: str, shown: Callable[..., object]) -> None:
    table = Table(Theme("light"), TableModel(ListedRows(), COLUMNS))
    shown(table, 300, 200)
    plain = table.grab().toImage()
    table.set_state(state, "Words", "and what to do about it")
    table._patience.stop()
    assert table.grab().toImage() != plain


def test_letters_are_left_to_the_window(table: Table) -> None:
    press(table, Qt.Key.Key_R)
    assert table.selected_ids() == frozenset()


@pytest.mark.speed
def test_a_hundred_thousand_rows_cost_no_more_than_a_thousand(
    application: QApplication, shown: Callable[..., object]
) -> None:
    source = Numbered(1_000)
    table = Table(Theme("dark"), TableModel(source, COLUMNS))
    shown(table, 640, 900)

    def least() -> float:
        times = []
        for step in range(12):
            begun = time.perf_counter()
            table.verticalScrollBar().setValue(step * 400)
            source.count += step % 3 - 1
            model_of(table).refresh()
            table.viewport().repaint()
            times.append(time.perf_counter() - begun)
        return min(times)

    few = least()
    source.count = 100_000
    model_of(table).refresh()
    assert least() < 5 * few


def carry(table: Table, row: int, by: QPoint) -> None:
    """Press on a row and move the mouse away from there, the button held."""
    start = place_of(table, row)
    QTest.mousePress(table.viewport(), Qt.MouseButton.LeftButton, pos=start)
    for step in (by / 2, by):
        here = QPointF(start + step)
        event = QMouseEvent(
            QMouseEvent.Type.MouseMove,
            here,
            QPointF(table.viewport().mapToGlobal(start + step)),
            Qt.MouseButton.NoButton,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
        QApplication.sendEvent(table.viewport(), event)


def place_of(table: Table, row: int) -> QPoint:
    return QPoint(20, row * 34 + 17)


@pytest.fixture
def carried(table: Table) -> list[str]:
    """A table whose second and third row are selected and can be carried; what it says about that."""
    said: list[str] = []
    table.set_draggable()
    table.select({2, 3})
    table.dragged.connect(lambda _place: said.append("dragged"))
    table.dropped.connect(lambda _place: said.append("dropped"))
    table.drag_left.connect(lambda: said.append("left"))
    return said


def test_selected_rows_are_carried_and_stay_selected(table: Table, carried: list[str]) -> None:
    carry(table, 1, QPoint(120, 60))
    QTest.mouseRelease(table.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(140, 111))
    assert carried[0] == "dragged"
    assert carried[-1] == "dropped"
    assert table.selected_ids() == {2, 3}


def test_a_press_without_a_way_is_a_plain_click(table: Table, carried: list[str]) -> None:
    QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place_of(table, 1))
    assert carried == []
    assert table.selected_ids() == {2}


def test_rows_that_are_not_selected_are_swept_over_as_ever(table: Table, carried: list[str]) -> None:
    carry(table, 0, QPoint(0, 34))
    QTest.mouseRelease(table.viewport(), Qt.MouseButton.LeftButton, pos=place_of(table, 1))
    assert carried == []
    assert table.selected_ids() == {1, 2}


def test_escape_puts_the_rows_down_where_they_were(table: Table, carried: list[str]) -> None:
    carry(table, 1, QPoint(120, 60))
    QTest.keyClick(table, Qt.Key.Key_Escape)
    QTest.mouseRelease(table.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(140, 111))
    assert carried[-1] == "left"
    assert "dropped" not in carried
    assert table.selected_ids() == {2, 3}


def test_all_rows_are_selected_and_kept_also_when_there_are_very_many(shown: Callable[..., object]) -> None:
    source = Numbered(300_000)
    made = Table(Theme("dark"), TableModel(source, COLUMNS))
    shown(made, 480, 300)
    made.select_all()
    assert len(made.selected_ids()) == 300_000
    source.count = 200_000
    made._rows.refresh()
    assert len(made.selected_ids()) == 200_000


def test_columns_are_marked_sorted_moved_sized_and_hidden_by_the_keyboard(table: Table) -> None:
    control, alt = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier
    header = table._header
    keys = [column.key for column in table._rows.columns]
    order = [keys[section] for section in table._shown_sections()]
    asked: list[tuple[str, bool]] = []
    table.sorted.connect(lambda key, descending: asked.append((key, descending)))
    press(table, Qt.Key.Key_Return, alt)
    assert asked == []
    press(table, Qt.Key.Key_Left, control)
    press(table, Qt.Key.Key_Right, control)
    assert keys[header.marked] == order[1]
    press(table, Qt.Key.Key_Return, alt)
    press(table, Qt.Key.Key_Return, alt)
    assert asked == [(order[1], False), (order[1], True)]
    press(table, Qt.Key.Key_Left, alt)
    assert [keys[section] for section in table._shown_sections()][:2] == [order[1], order[0]]
    marked = header.marked
    press(table, Qt.Key.Key_Delete, alt)
    assert header.isSectionHidden(marked)
    assert header.marked != marked
    assert not header.isSectionHidden(header.marked)


def test_a_column_gets_wider_by_the_keyboard(table: Table) -> None:
    alt = Qt.KeyboardModifier.AltModifier
    fixed = next(
        place for place, column in enumerate(table._rows.columns) if not column.stretch and column.shown
    )
    table._header.set_marked(fixed)
    before = table._header.sectionSize(fixed)
    press(table, Qt.Key.Key_Plus, alt)
    assert table._header.sectionSize(fixed) == before + 12
    press(table, Qt.Key.Key_Minus, alt)
    assert table._header.sectionSize(fixed) == before


def test_ctrl_with_the_arrows_up_and_down_is_left_to_the_window(table: Table) -> None:
    current = table.current_id()
    press(table, Qt.Key.Key_Down, Qt.KeyboardModifier.ControlModifier)
    assert table.current_id() == current
