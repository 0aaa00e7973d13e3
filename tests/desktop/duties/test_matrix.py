"""The matrix is walked and unfolded by keys and by pointer, and says where it stands."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from desktop.duties.matrix import MatrixView
from desktop.duties.summary import Line, Summary
from desktop.widgets.theme import Theme
from tests.db.duties.village import EAST, WEST


@pytest.fixture
def matrix(summary: Summary, shown: Callable[..., QWidget]) -> MatrixView:
    view = MatrixView(Theme())
    view.set_summary(summary)
    shown(view, 900, 400)
    return view


def key(view: MatrixView, *keys: Qt.Key, ctrl: bool = False) -> None:
    for each in keys:
        modifier = Qt.KeyboardModifier.ControlModifier if ctrl else Qt.KeyboardModifier.NoModifier
        QTest.keyClick(view, each, modifier)


def test_arrows_walk_and_stop_at_the_edges(matrix: MatrixView) -> None:
    key(matrix, Qt.Key.Key_Up, Qt.Key.Key_Left)
    assert (matrix.row, matrix.column) == (0, 0)
    key(matrix, Qt.Key.Key_Down, Qt.Key.Key_Right, Qt.Key.Key_Right)
    assert (matrix.row, matrix.column) == (1, 1)
    assert "02 Traffic facilities (components) · district20 · 市政处" in matrix.accessibleDescription()


def test_end_reaches_the_last_row_and_it_is_seen(matrix: MatrixView) -> None:
    key(matrix, Qt.Key.Key_Home, Qt.Key.Key_End)
    assert matrix.line == Line("matter", "10")
    assert matrix.box_of(matrix.row, 0).bottom() <= matrix.viewport().height()


def test_space_unfolds_a_major_and_folds_it_from_any_of_its_classes(matrix: MatrixView) -> None:
    key(matrix, Qt.Key.Key_End, Qt.Key.Key_Space)
    assert len(matrix.rows) == 17
    key(matrix, Qt.Key.Key_Down)
    assert matrix.line == Line("matter", "10001")
    key(matrix, Qt.Key.Key_Space)
    assert (len(matrix.rows), matrix.line) == (15, Line("matter", "10"))


def test_control_and_an_arrow_opens_and_closes_a_district(matrix: MatrixView) -> None:
    key(matrix, Qt.Key.Key_Right, ctrl=True)
    assert [each.id for each in matrix.columns] == [WEST, 11, 12, EAST]
    key(matrix, Qt.Key.Key_Right)
    key(matrix, Qt.Key.Key_Left, ctrl=True)
    assert [each.id for each in matrix.columns] == [WEST, EAST]
    assert matrix.area is not None
    assert matrix.area.id == WEST


def test_a_click_goes_there_and_one_on_a_name_unfolds(matrix: MatrixView) -> None:
    places: list[tuple[Line, int]] = []
    matrix.moved.connect(lambda line, area_id: places.append((line, area_id)))
    port = matrix.viewport()
    QTest.mouseClick(port, Qt.MouseButton.LeftButton, pos=matrix.box_of(3, 1).center().toPoint())
    assert places == [(Line("component", "04"), EAST)]
    name = QPoint(30, round(matrix.box_of(0, 0).center().y()))
    QTest.mouseClick(port, Qt.MouseButton.LeftButton, pos=name)
    assert matrix.rows[1] == Line("component", "01001")
    head = QPoint(round(matrix.box_of(0, 0).center().x()), 10)
    QTest.mouseClick(port, Qt.MouseButton.LeftButton, pos=head)
    assert len(matrix.columns) == 4


def test_a_place_is_shown_whatever_hid_it(matrix: MatrixView) -> None:
    matrix.show_place(Line("matter", "09003"), 104)
    assert matrix.line == Line("matter", "09003")
    assert matrix.area is not None
    assert matrix.area.id == 12
    assert "overlap" in matrix.accessibleDescription()


@pytest.mark.parametrize("name", ["dark", "light"])
def test_it_draws_holes_and_overlaps_in_both_themes(
    summary: Summary, shown: Callable[..., QWidget], name: str
) -> None:
    view = MatrixView(Theme(name))
    view.set_summary(summary)
    view.show_place(Line("matter", "09003"), 104)
    image = shown(view, 900, 400).grab().toImage()
    colours = {image.pixelColor(x, y).name() for x in range(0, 900, 3) for y in range(0, 400, 3)}
    assert {Theme(name).css(token) for token in ("pane", "unit1", "unit2", "unit3")} <= colours
