"""The board of units: its counts, its order, and three ways to put the selected cases to a unit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QHBoxLayout, QWidget

from db.cases.rules import STATES, Light, light
from db.kernel.actor import Actor, Scope
from desktop.queue.board import BoardPane
from desktop.queue.rows import COLUMNS, QueueRows
from desktop.queue.units import loads
from desktop.widgets.rows import TableModel, drawn
from desktop.widgets.table import Table
from desktop.widgets.theme import Theme
from tests.db.live.rows import HOUR, NOON, case_row, delta_of
from tests.desktop.seeded import DIRECTORY, GUEST, OFFICER, context_of, invented

KINDS = {1: "squad", 2: "office", 3: "squad", 4: "centre", 5: "office"}
CASES = [
    case_row(1, state="handling", unit_id=3, due_at=NOON + 2 * HOUR, soon_at=NOON + HOUR),
    case_row(2, state="handling", unit_id=3, due_at=NOON - HOUR, soon_at=NOON - 2 * HOUR),
    case_row(3, state="handling", unit_id=2, due_at=NOON + 30 * HOUR, soon_at=NOON + 20 * HOUR),
    case_row(4, state="pending_check", unit_id=2, due_at=NOON + HOUR, soon_at=NOON, stopped_at=NOON - HOUR),
    case_row(5, state="pending_dispatch"),
]


class Beside:
    """A list and the board beside it, as in the room."""

    def __init__(self, shown: Callable[..., QWidget], who: Actor = OFFICER) -> None:
        self.context = context_of(CASES, who)
        units = {i: replace(entry, kind=KINDS[i]) for i, entry in DIRECTORY.units.items()}
        self.context.board.apply(delta_of([], directory=replace(DIRECTORY, units=units)))
        theme = Theme()
        self.window = QWidget()
        self.list = Table(theme, TableModel(QueueRows(self.context.board), COLUMNS))
        self.list.set_draggable()
        self.list.picked.connect(self.context.select)
        self.board = BoardPane(theme, self.context, self.list)
        row = QHBoxLayout(self.window)
        row.addWidget(self.list)
        row.addWidget(self.board)
        self.chosen: list[int] = []
        self.board.chosen.connect(self.chosen.append)
        shown(self.window, 1100, 480)

    def select(self, *ids: int) -> None:
        self.context.select(frozenset(ids))
        self.list.select(ids)

    def place_of(self, unit_id: int) -> QPoint:
        """The middle of a unit's row, on the screen."""
        row = self.board.rows.row_of(unit_id)
        return self.board.table.viewport().mapToGlobal(QPoint(40, row * 34 + 17))

    def carry_to(self, place: QPoint) -> None:
        """Take the selected rows by the first of them and hold them over a place of the screen."""
        start = QPoint(20, self.list._rows.source.row_of(min(self.context.selection)) * 34 + 17)
        viewport = self.list.viewport()
        QTest.mousePress(viewport, Qt.MouseButton.LeftButton, pos=start)
        for here in (viewport.mapToGlobal(start + QPoint(30, 30)), place):
            event = QMouseEvent(
                QMouseEvent.Type.MouseMove,
                QPointF(viewport.mapFromGlobal(here)),
                QPointF(here),
                Qt.MouseButton.NoButton,
                Qt.MouseButton.LeftButton,
                Qt.KeyboardModifier.NoModifier,
            )
            QApplication.sendEvent(viewport, event)

    def let_go(self, place: QPoint) -> None:
        viewport = self.list.viewport()
        event = QMouseEvent(
            QMouseEvent.Type.MouseButtonRelease,
            QPointF(viewport.mapFromGlobal(place)),
            QPointF(place),
            Qt.MouseButton.LeftButton,
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
        )
        QApplication.sendEvent(viewport, event)


@pytest.fixture
def beside(shown: Callable[..., QWidget]) -> Beside:
    return Beside(shown)


def test_units_stand_by_kind_then_by_load_with_their_counts(beside: Beside) -> None:
    assert drawn(beside.board.model).splitlines() == [
        "  Squads |  |  |  |  | ",
        "  Unit 3 |  | 2 | 1 | 1 | —",
        "  Unit 1 |  | 0 | 0 | 0 | —",
        "  Offices |  |  |  |  | ",
        "  Unit 2 |  | 2 | 0 | 0 | —",
        "  Unit 5 |  | 0 | 0 | 0 | —",
        "  Command centre |  |  |  |  | ",
        "  Unit 4 |  | 0 | 0 | 0 | —",
    ]


@pytest.mark.parametrize("seed", range(4))
def test_the_load_is_what_a_recount_case_by_case_gives(seed: int) -> None:
    rows = invented(300, seed)
    store = context_of(rows).board.store
    found = loads(store)
    for unit_id in range(1, 6):
        mine = [row for row in rows if row["unit_id"] == unit_id and STATES[row["state"]].open]
        lights = [light(NOON, row["due_at"], row["soon_at"], row["stopped_at"]) for row in mine]
        running = [row["due_at"] for row in mine if row["due_at"] and not row["stopped_at"]]
        load = found[unit_id]
        assert (load.open, load.due_today, load.overdue) == (
            len(mine),
            sum(1 for due in running if NOON <= due < store.day_end_ms),
            lights.count(Light.OVER),
        )


def test_enter_on_a_unit_chooses_it_for_the_selected_cases(beside: Beside) -> None:
    beside.select(1, 2)
    beside.board.table.setFocus()
    for _step in range(2):
        QTest.keyClick(beside.board.table, Qt.Key.Key_Down)
    assert beside.board.current_unit() == 3
    QTest.keyClick(beside.board.table, Qt.Key.Key_Return)
    assert beside.chosen == [3]


def test_a_heading_takes_nothing_and_without_cases_no_unit_does(beside: Beside) -> None:
    beside.select(1)
    heading = beside.board.rows.id_at(0)
    assert not beside.board.rows.is_unit(heading)
    beside.board.table.opened.emit(heading)
    beside.select()
    beside.board.table.opened.emit(3)
    assert beside.chosen == []


def test_rows_carried_onto_a_unit_choose_it_and_the_unit_lights_up_meanwhile(beside: Beside) -> None:
    beside.select(1, 3)
    target = beside.place_of(1)
    beside.carry_to(target)
    assert beside.board.table._target == 1
    assert beside.board._ghost.isVisible()
    assert "Unit 1: open 0 → 2" in beside.board._ghost.text()
    beside.let_go(target)
    assert beside.chosen == [1]
    assert beside.board.table._target is None
    assert not beside.board._ghost.isVisible()


def test_a_unit_beyond_the_own_scope_takes_nothing_and_says_why(shown: Callable[..., QWidget]) -> None:
    own = frozenset({2, 3})
    beside = Beside(shown, replace(OFFICER, scope=Scope(units=own), targets=own))
    board = beside.board
    assert board.rows.cell(board.rows.row_of(1), "unit").text == "⊘ Unit 1"
    assert "neither within the own units" in board.rows.cell(board.rows.row_of(1), "unit").tip
    assert board.rows.cell(board.rows.row_of(2), "unit").text == "Unit 2"
    beside.select(1, 3)
    beside.carry_to(beside.place_of(1))
    assert board.table._target is None
    assert "neither within the own units" in board._ghost.text()
    beside.let_go(beside.place_of(1))
    assert "neither within the own units" in board._foot._words.text()
    assert board._foot.button.isHidden()
    QTest.keyClick(board.table, Qt.Key.Key_Return)
    assert beside.chosen == []
    board.table.opened.emit(2)
    assert beside.chosen == [2]


def test_whose_role_gives_nothing_out_reads_so_at_the_foot(shown: Callable[..., QWidget]) -> None:
    beside = Beside(shown, GUEST)
    beside.select(1, 3)
    beside.board.stand_on(2)
    assert "may not do this" in beside.board._foot._words.text()
    assert beside.board._foot.button.isHidden()
    beside.board.table.opened.emit(2)
    beside.carry_to(beside.place_of(2))
    assert "may not do this" in beside.board._ghost.text()
    beside.let_go(beside.place_of(2))
    assert beside.chosen == []


def test_rows_let_go_beside_the_units_go_nowhere(beside: Beside) -> None:
    beside.select(1, 3)
    place = beside.list.viewport().mapToGlobal(QPoint(60, 300))
    beside.carry_to(place)
    assert beside.board.table._target is None
    beside.let_go(place)
    assert beside.chosen == []


def test_the_foot_says_the_effect_before_anything_is_pressed(beside: Beside) -> None:
    foot = beside.board._foot
    assert foot._words.text() == "Select cases, then choose a unit for them."
    assert foot.button.isHidden()
    beside.select(1, 3)
    assert foot._words.text() == "Choose a unit for 2 cases."
    beside.board.stand_on(2)
    # Case 3 is there already, case 1 comes.
    assert foot._words.text() == "Unit 2: open 2 → 3"
    assert not foot.button.isHidden()


def test_rows_keep_their_places_while_cases_are_carried_over_them(beside: Beside) -> None:
    beside.select(1)
    place = beside.place_of(4)
    beside.carry_to(place)
    before = beside.board.rows.units()
    more = [case_row(i, state="handling", unit_id=1) for i in range(20, 30)]
    beside.context.announce(beside.context.board.apply(delta_of(more)))
    assert beside.board.rows.units() == before
    assert beside.board.rows.loads[1].open == 10
    beside.let_go(place)
    beside.board.refresh()
    assert beside.board.rows.units()[0] == 1


def test_who_is_on_shift_is_counted_and_named(beside: Beside) -> None:
    beside.board.set_on_duty({3: ("王敏", "李强")})
    cell = beside.board.rows.cell(beside.board.rows.row_of(3), "on_shift")
    assert cell.text == "2"
    assert "王敏, 李强" in cell.tip
