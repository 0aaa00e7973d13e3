"""The proof leads to the hole, what will change is said before it is done, and undo takes it back."""

from __future__ import annotations

from datetime import date

import pytest
from PySide6.QtCore import QDate, Qt
from PySide6.QtTest import QTest
from sqlalchemy import select

from db.duties.queries import responsible
from db.duties.tables import duty
from db.kernel.actor import Actor
from desktop.duties.summary import Line
from tests.db.advice.history import BEGGING, write_cases
from tests.db.duties.village import EAST, ROADS, SQUAD_EAST, SQUAD_WEST, TODAY, WEST
from tests.desktop.duties.conftest import Desk


def keeper(desk: Desk, on: date, *areas: int, code: str = "09001") -> int:
    with desk.core.database.read() as connection:
        found = responsible(connection, "matter", code, areas, on)
    return found.unit_id if found else 0


def brush(desk: Desk, unit_id: int, line: Line, areas: list[int]) -> None:
    def set_up() -> None:
        desk.window.day.setDate(QDate(TODAY.year, TODAY.month, TODAY.day))
        desk.window.matrix.show_place(line, WEST)
        desk.window.unit.setCurrentIndex(desk.window.unit.findData(unit_id))
        desk.window.map.choose(areas)

    desk.do(set_up)


def test_the_strip_proves_and_its_list_leads_to_the_hole(desk: Desk) -> None:
    window = desk.window
    assert window.proof.text().endswith("% covered · 1 hole · 1 overlap")
    assert not window.faults.isVisibleTo(window)
    desk.do(window.proof.toggle)
    assert [window.faults.item(n).text() for n in range(2)] == [
        "district20, 10 Other matters: nobody",
        "Overlap: community12, 09003 Begging: 东中队 and 市政处",
    ]
    desk.do(lambda: window.faults.setCurrentRow(0))
    assert window.matrix.line == Line("matter", "10")
    assert window.matrix.area is not None
    assert window.matrix.area.id == EAST
    assert window.map.area_of(window.map.cursor) in (105, 106, 107, 108)
    assert window.shown.text() == "10 Other matters"


def test_what_will_change_is_said_before_it_is_done(desk: Desk) -> None:
    write_cases(desk.core, 3, 101, SQUAD_WEST, state="handling", category=BEGGING)
    brush(desk, SQUAD_EAST, Line("matter", "09"), [101, 102, 103])
    assert desk.window.effect.text() == (
        "3 of 3 cells change from 2026-03-16 · 西中队 → 东中队 3 · 3 cases in hand stay where they are"
    )
    assert desk.window.apply_button.isEnabled()
    assert keeper(desk, TODAY, 101, WEST) == SQUAD_WEST


def test_a_finer_rule_is_said_to_stay(desk: Desk) -> None:
    def by_district() -> None:
        desk.window.level.setCurrentIndex(desk.window.level.findData("district"))

    desk.do(by_district)
    brush(desk, ROADS, Line("matter", "09"), [WEST])
    assert "2 cells keep a finer rule" in desk.window.effect.text()


def test_applying_paints_from_that_day_and_undo_takes_it_back(desk: Desk) -> None:
    changed: list[object] = []
    desk.window.changed.connect(changed.append)
    brush(desk, SQUAD_EAST, Line("matter", "09"), [101])
    desk.do(desk.window.apply_button.click)
    assert keeper(desk, TODAY, 101, 11, WEST) == SQUAD_EAST
    assert keeper(desk, date(2026, 3, 15), 101, 11, WEST) == SQUAD_WEST
    assert len(changed) == 1
    assert desk.window.map.chosen == frozenset()
    assert desk.window.matrix._summary is not None
    assert desk.window.matrix._summary.cell_units(Line("matter", "09"))[0] == SQUAD_EAST
    desk.do(desk.window.undo_button.click)
    assert desk.undone == 1
    assert keeper(desk, TODAY, 101, 11, WEST) == SQUAD_WEST


def test_taking_away_lets_the_larger_area_answer(desk: Desk) -> None:
    brush(desk, SQUAD_EAST, Line("matter", "09"), [101])
    desk.do(desk.window.apply_button.click)
    brush(desk, -1, Line("matter", "09"), [101])
    assert "东中队 → 西中队 1" in desk.window.effect.text()
    desk.do(desk.window.apply_button.click)
    assert keeper(desk, TODAY, 101, 11, WEST) == SQUAD_WEST


def test_any_day_can_be_looked_at(desk: Desk) -> None:
    desk.do(lambda: desk.window.day.setDate(QDate(2023, 12, 31)))
    assert desk.window.proof.text() == "0.00 % covered · 1 hole · 0 overlaps"
    desk.do(lambda: desk.window.day.setDate(QDate(2024, 1, 1)))
    assert desk.window.proof.text().endswith("1 hole · 1 overlap")


def test_everything_can_be_done_by_keys(desk: Desk) -> None:
    window = desk.window
    brush(desk, SQUAD_EAST, Line("matter", "09"), [])
    window.show()
    QTest.keyClick(window.matrix, Qt.Key.Key_Return)
    for each in (Qt.Key.Key_Home, Qt.Key.Key_Right, Qt.Key.Key_Space):
        QTest.keyClick(window.map, each)
    desk.do()
    (chosen,) = window.map.chosen
    desk.do(lambda: QTest.keyClick(window, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier))
    assert keeper(desk, TODAY, chosen) == SQUAD_EAST


def test_a_refusal_is_said_and_nothing_is_lost(desk: Desk) -> None:
    brush(desk, SQUAD_EAST, Line("matter", "09"), [101])
    with desk.core.database.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE unit SET active = 0 WHERE id = {SQUAD_EAST}")
    desk.do(desk.window.apply_button.click)
    assert "no longer active" in desk.window.words.text()
    assert desk.window.map.chosen == {101}


@pytest.mark.parametrize("who", [Actor(8, "来访", frozenset({"room.view"}))])
def test_who_may_not_change_may_look_and_is_told_why(desk: Desk, who: Actor) -> None:
    brush(desk, SQUAD_EAST, Line("matter", "09"), [101])
    assert not desk.window.apply_button.isEnabled()
    assert "not change them" in desk.window.apply_button.accessibleDescription()
    desk.window.apply()
    desk.do()
    with desk.core.database.read() as connection:
        assert connection.execute(select(duty.c.id).where(duty.c.area_id == 101)).first() is None
