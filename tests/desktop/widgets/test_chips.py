"""The strip of chips."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from desktop.widgets.chips import Chip, ChipButton, ChipRow, fitted
from desktop.widgets.theme import Theme

CHIPS = [Chip("kind", "Street order"), Chip("unit", "North squad"), Chip("time", "Due in 2 hours or overdue")]


@pytest.fixture
def row(shown: Callable[..., object]) -> ChipRow:
    made = ChipRow(Theme("dark"))
    made.set_chips(CHIPS)
    made.set_count("63 of 8,214 open cases")
    shown(made, 1000, 40)
    return made


def buttons(row: ChipRow) -> list[ChipButton]:
    return sorted(row.findChildren(ChipButton), key=lambda button: button.x())


def test_the_cross_removes_and_the_words_open(row: ChipRow) -> None:
    removed: list[str] = []
    opened: list[str] = []
    row.removed.connect(removed.append)
    row.opened.connect(opened.append)
    chip = buttons(row)[1]
    QTest.mouseClick(chip, Qt.MouseButton.LeftButton, pos=chip._cross().center().toPoint())
    QTest.mouseClick(chip, Qt.MouseButton.LeftButton, pos=QPoint(15, 12))
    assert (removed, opened) == (["unit"], ["unit"])


def test_delete_removes_the_chip_in_focus(row: ChipRow) -> None:
    removed: list[str] = []
    row.removed.connect(removed.append)
    QTest.keyClick(buttons(row)[0], Qt.Key.Key_Delete)
    assert removed == ["kind"]


def test_clear_is_offered_only_while_there_is_something_to_clear(row: ChipRow) -> None:
    assert row._clear.isVisible()
    row.set_chips([])
    assert not row._clear.isVisible()


def test_the_count_is_never_cut_however_many_chips_there_are(row: ChipRow) -> None:
    row.set_chips([Chip(str(number), "A rather long condition " * 2) for number in range(20)])
    row.resize(700, 40)
    row.grab()
    assert row._count.width() >= row._count.sizeHint().width()
    assert row._count.geometry().right() < row._clear.x()
    assert row._more.isVisible()


def test_chips_that_stay_keep_their_button(row: ChipRow) -> None:
    kept = buttons(row)[2]
    row.set_chips(CHIPS[1:])
    assert buttons(row)[-1] is kept


def test_the_widest_chips_give_way_first(application: object) -> None:
    theme = Theme("dark")
    assert fitted([80, 200, 100], 400, 10, theme) == ([80, 200, 100], 0)
    widths, hidden = fitted([80, 200, 100], 320, 10, theme)
    assert (sum(widths) + 20 <= 320, widths[0], hidden) == (True, 80, 0)
    widths, hidden = fitted([200] * 10, 400, 10, theme)
    assert hidden == 10 - len(widths) > 0
