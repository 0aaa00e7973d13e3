"""Painting areas by stroke and by keys."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from db.registers.queries import BaseMap
from desktop.duties.ground import AreaMap
from desktop.duties.summary import Line, Summary
from desktop.widgets.theme import Theme
from tests.db.duties.village import CELLS, EAST


@pytest.fixture
def area_map(ground: BaseMap, summary: Summary, shown: Callable[..., QWidget]) -> AreaMap:
    made = AreaMap(Theme())
    shown(made, 800, 400)
    made.set_ground(ground, summary)
    made.set_line(Line("matter", "10"))
    return made


def stroke(area_map: AreaMap, *cells: int) -> None:
    at = [area_map.middle_of(CELLS.index(cell)).toPoint() for cell in cells]
    QTest.mousePress(area_map, Qt.MouseButton.LeftButton, pos=at[0])
    for place in at[1:]:
        QTest.mouseMove(area_map, place)
    QTest.mouseRelease(area_map, Qt.MouseButton.LeftButton, pos=at[-1])


def key(area_map: AreaMap, *keys: Qt.Key, shift: bool = False) -> None:
    for each in keys:
        modifier = Qt.KeyboardModifier.ShiftModifier if shift else Qt.KeyboardModifier.NoModifier
        QTest.keyClick(area_map, each, modifier)


def test_every_cell_is_found_where_it_is_drawn(area_map: AreaMap) -> None:
    found = [area_map.cell_at(area_map.middle_of(n)) for n in range(len(CELLS))]
    assert found == list(range(len(CELLS)))
    assert area_map.cell_at(QPointF(2, 2)) == -1


def test_a_stroke_adds_and_one_that_begins_on_a_chosen_cell_takes_away(area_map: AreaMap) -> None:
    stroke(area_map, 102, 103, 104)
    assert area_map.chosen == {102, 103, 104}
    stroke(area_map, 103, 104, 105)
    assert area_map.chosen == {102}


def test_a_larger_brush_takes_the_whole_area(area_map: AreaMap) -> None:
    area_map.set_level("community")
    stroke(area_map, 102)
    assert area_map.chosen == {11}
    area_map.set_level("district")
    assert area_map.chosen == frozenset()
    stroke(area_map, 108)
    assert area_map.chosen == {EAST}


def test_arrows_walk_to_the_neighbour_and_space_chooses_it(area_map: AreaMap) -> None:
    assert area_map.area_of(area_map.cursor) == 101
    key(area_map, Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Space)
    assert area_map.chosen == {103}
    key(area_map, Qt.Key.Key_Right, shift=True)
    assert area_map.chosen == {103, 104}
    assert "cell104 · 市政处" in area_map.accessibleDescription()
    assert "chosen" in area_map.accessibleDescription()
    key(area_map, Qt.Key.Key_Space)
    assert area_map.chosen == {103}
    key(area_map, Qt.Key.Key_Escape)
    assert area_map.chosen == frozenset()


def test_with_a_larger_brush_an_arrow_goes_to_another_area(area_map: AreaMap) -> None:
    area_map.set_level("district")
    key(area_map, Qt.Key.Key_Right)
    assert area_map.area_of(area_map.cursor) == EAST


def test_zooming_keeps_what_is_under_the_pointer_and_home_shows_all(area_map: AreaMap) -> None:
    before = area_map.middle_of(5)
    area_map._zoom(2.0, before)
    after = area_map.middle_of(5)
    assert (after - before).manhattanLength() < 0.01
    assert area_map.cell_at(after) == 5
    key(area_map, Qt.Key.Key_Home)
    assert 0 <= area_map.middle_of(0).x() < area_map.middle_of(7).x() <= area_map.width()


def test_the_cursor_stays_in_sight_when_zoomed_in(area_map: AreaMap) -> None:
    area_map._zoom(6.0, area_map.middle_of(0))
    key(area_map, *[Qt.Key.Key_Right] * 7)
    assert area_map.area_of(area_map.cursor) == 108
    assert area_map.rect().contains(area_map.middle_of(7).toPoint())


def test_an_area_is_shown_in_the_middle(area_map: AreaMap) -> None:
    area_map.show_area(22)
    middle = (area_map.middle_of(6) + area_map.middle_of(7)) / 2
    assert abs(middle.x() - area_map.width() / 2) < 2
    assert area_map.area_of(area_map.cursor) in (107, 108)


@pytest.mark.parametrize("name", ["dark", "light"])
def test_units_holes_and_what_is_chosen_are_drawn(
    ground: BaseMap, summary: Summary, shown: Callable[..., QWidget], name: str
) -> None:
    made = AreaMap(Theme(name))
    shown(made, 800, 400)
    made.set_ground(ground, summary)
    made.set_line(Line("matter", "10"))
    made.choose([101])
    image = made.grab().toImage()

    def colours(cell: int) -> set[str]:
        at = made.middle_of(cell).toPoint()
        return {
            image.pixelColor(at.x() + x, at.y() + y).name()
            for x in range(-15, 15) for y in range(20, 40)
        }  # fmt: skip

    theme = Theme(name)
    assert theme.css("unit3") in colours(1)
    assert {theme.css("over_ground"), theme.css("over")} <= colours(6)
    assert theme.css("unit3") not in colours(0), "what is chosen lies on top"
