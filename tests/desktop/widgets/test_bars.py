"""Bars by name: what a click, the keyboard and a screen reader get."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from desktop.widgets.bars import Pareto, StackedBars
from desktop.widgets.theme import Theme


@pytest.fixture
def bars(shown: Callable[..., object]) -> StackedBars:
    made = StackedBars(Theme("dark"), "Units")
    made.set_data(["a", "b"], ["North", "South"], np.array([[10, 20, 60], [0, 0, 30]]))
    shown(made, 400, 160)
    return made


def test_a_click_names_the_row_and_the_part_of_its_bar(bars: StackedBars) -> None:
    picked: list[tuple[str, str]] = []
    bars.picked.connect(lambda key, segment: picked.append((key, segment)))
    for part in bars._parts(0, bars._track(0)):
        QTest.mouseClick(bars, Qt.MouseButton.LeftButton, pos=part.center().toPoint())
    QTest.mouseClick(bars, Qt.MouseButton.LeftButton, pos=QPoint(20, round(bars._row(1).center().y())))
    assert picked == [("a", "over"), ("a", "soon"), ("a", "on_time"), ("b", "")]


def test_the_keyboard_walks_the_rows_and_presses(bars: StackedBars) -> None:
    picked: list[tuple[str, str]] = []
    bars.picked.connect(lambda key, segment: picked.append((key, segment)))
    QTest.keyClick(bars, Qt.Key.Key_Down)
    QTest.keyClick(bars, Qt.Key.Key_Down)
    QTest.keyClick(bars, Qt.Key.Key_Return)
    assert picked == [("b", "")]
    assert bars.accessibleDescription().startswith("South: 30")


def test_parts_are_as_long_as_their_counts(bars: StackedBars) -> None:
    over, soon, on_time = (part.width() for part in bars._parts(0, bars._track(0)))
    assert soon == pytest.approx(over * 2)
    assert on_time == pytest.approx(over * 6)


def test_a_checked_row_looks_different(bars: StackedBars) -> None:
    plain = bars.grab().toImage()
    bars.set_on(["b"])
    assert bars.grab().toImage() != plain


def test_shares_run_up_to_the_whole(shown: Callable[..., object]) -> None:
    pareto = Pareto(Theme("light"), "Kinds")
    pareto.set_data(["a", "b"], ["A", "B"], np.array([30, 10]), whole=80)
    shown(pareto, 400, 160)
    assert list(pareto._shares) == [0.375, 0.5]
    picked: list[str] = []
    pareto.picked.connect(picked.append)
    QTest.mouseClick(pareto, Qt.MouseButton.LeftButton, pos=QPoint(30, round(pareto._row(0).center().y())))
    assert picked == ["a"]


def test_counts_that_do_not_fit_the_keys_are_refused(bars: StackedBars) -> None:
    with pytest.raises(ValueError, match="1 keys"):
        bars.set_data(["a"], ["A"], np.zeros((2, 3)))
