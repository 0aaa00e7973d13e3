"""Charts: updated in place, silent axes, clicks that ask for ranges and names."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from desktop.widgets.chart import Histogram, HourLines
from desktop.widgets.chart_frame import SteadyTop, round_up
from desktop.widgets.theme import Theme

EDGES = np.arange(-4.0, 21.0)
COUNTS = np.arange(1.0, 25.0)


@pytest.fixture
def lines(shown: Callable[..., object]) -> HourLines:
    made = HourLines(Theme("dark"), "By hour", "", "Registered", "Closed")
    shown(made, 400, 200)
    return made


@pytest.fixture
def histogram(shown: Callable[..., object]) -> Histogram:
    made = Histogram(Theme("dark"), "Time left", "hours")
    shown(made, 400, 200)
    made.set_counts(EDGES, COUNTS)
    made.grab()
    return made


def place_of(chart: Histogram, hour: float) -> QPoint:
    inside = chart._plot.getPlotItem().getViewBox().mapViewToScene(QPointF(hour, 0))
    return QPoint(chart._plot.mapFromScene(inside).x(), 60)


def test_a_hundred_updates_of_the_lines_leave_the_scene_as_it_was(lines: HourLines) -> None:
    before = lines.item_count()
    for step in range(100):
        lines.set_data(
            np.arange(step % 24 + 1.0), np.arange(step % 20 + 1.0), np.zeros(24), np.full(24, step)
        )
    assert lines.item_count() == before


def test_a_hundred_updates_of_the_histogram_leave_the_scene_as_it_was(histogram: Histogram) -> None:
    before = histogram.item_count()
    for step in range(100):
        histogram.set_counts(EDGES[: step % 20 + 2], COUNTS[: step % 20 + 1])
        histogram.set_range(0, step % 3)
    assert histogram.item_count() == before


def test_a_chart_without_data_says_so_and_hides_the_plot(lines: HourLines, histogram: Histogram) -> None:
    assert lines.is_empty()
    assert not lines._plot.isVisible()
    histogram.set_counts(EDGES, np.zeros(24))
    assert histogram.is_empty()
    assert not histogram._plot.isVisible()


def test_data_given_while_hidden_is_drawn_when_shown(shown: Callable[..., object]) -> None:
    chart = HourLines(Theme("dark"), "By hour", "", "a", "b")
    chart.set_data(np.arange(10.0), np.arange(10.0))
    assert len(chart._lines[0].getData()[0] if chart._lines[0].xData is not None else []) == 0
    shown(chart, 300, 200)
    assert len(chart._lines[0].getData()[0]) == 10


def test_the_wheel_and_the_mouse_never_move_an_axis(lines: HourLines) -> None:
    lines.set_data(np.arange(24.0), np.arange(24.0))
    box = lines._plot.getPlotItem().getViewBox()
    before = box.viewRange()
    QTest.mousePress(lines._plot.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(100, 60))
    QTest.mouseMove(lines._plot.viewport(), QPoint(200, 80))
    QTest.mouseRelease(lines._plot.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(200, 80))
    assert box.viewRange() == before
    assert box.menuEnabled() is False


def test_a_click_on_a_bar_asks_for_its_hours(histogram: Histogram) -> None:
    asked: list[tuple[float, float]] = []
    histogram.ranged.connect(lambda low, high: asked.append((low, high)))
    QTest.mouseClick(histogram._plot.viewport(), Qt.MouseButton.LeftButton, pos=place_of(histogram, 1.5))
    assert asked == [(1.0, 2.0)]


def test_a_drag_asks_for_all_it_passed_and_the_ends_are_open(histogram: Histogram) -> None:
    asked: list[tuple[float, float]] = []
    histogram.ranged.connect(lambda low, high: asked.append((low, high)))
    target = histogram._plot.viewport()
    QTest.mousePress(target, Qt.MouseButton.LeftButton, pos=place_of(histogram, 2.5))
    QTest.mouseMove(target, place_of(histogram, -1.5))
    QTest.mouseRelease(target, Qt.MouseButton.LeftButton, pos=place_of(histogram, -3.5))
    assert asked == [] or asked[0][1] == 3.0
    QTest.mousePress(target, Qt.MouseButton.LeftButton, pos=place_of(histogram, 2.5))
    QTest.mouseMove(target, place_of(histogram, -3.5))
    QTest.mouseRelease(target, Qt.MouseButton.LeftButton, pos=place_of(histogram, -3.5))
    assert asked[-1] == (-math.inf, 3.0)


def test_the_keyboard_walks_widens_and_asks(histogram: Histogram) -> None:
    asked: list[tuple[float, float]] = []
    histogram.ranged.connect(lambda low, high: asked.append((low, high)))
    for _step in range(5):
        QTest.keyClick(histogram, Qt.Key.Key_Right)
    QTest.keyClick(histogram, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert histogram.accessibleDescription() == "1 to 2 h: 6"
    QTest.keyClick(histogram, Qt.Key.Key_Return)
    assert asked == [(0.0, 2.0)]


def test_a_click_into_the_range_shown_gives_it_back(histogram: Histogram) -> None:
    cleared: list[bool] = []
    histogram.cleared.connect(lambda: cleared.append(True))
    histogram.set_range(0, 2)
    QTest.mouseClick(histogram._plot.viewport(), Qt.MouseButton.LeftButton, pos=place_of(histogram, 0.5))
    assert cleared == [True]


def test_bars_are_red_below_zero_amber_to_two_hours_and_grey_after(histogram: Histogram) -> None:
    red, amber, grey = (list(bars.opts["x1"]) for bars in histogram._bars)
    assert max(red) <= 0 < min(amber)
    assert max(amber) <= 2 < min(grey)


def test_edges_that_do_not_bound_the_bins_are_refused(histogram: Histogram) -> None:
    with pytest.raises(ValueError, match="3 edges"):
        histogram.set_counts(np.arange(3.0), np.arange(5.0))


def test_the_top_of_an_axis_does_not_jump() -> None:
    axis = SteadyTop()
    assert [axis.take(value) for value in (93, 101, 99, 70, 61, 40)] == [100, 120, 120, 120, 120, 40]


@pytest.mark.parametrize("value,top", [(0, 0), (7, 8), (101, 120), (1201, 1500), (0.23, 0.25)])
def test_round_numbers_are_not_below_the_value(value: float, top: float) -> None:
    assert round_up(value) == pytest.approx(top)
