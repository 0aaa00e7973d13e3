"""Tools in a real page: by hand, by keyboard alone, and what becomes of what was drawn."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication

from db.kernel.geo import metres_between
from db.registers.datum import FRAMES
from desktop.core.context import Context
from desktop.map.tools import HINTS, Tools, circle
from tests.db.live.rows import case_row
from tests.desktop.map.probe import MIDDLE, MapProbe
from tests.desktop.seeded import context_of

# Chromium speaks of the graphics card it does not find, once per process.
pytestmark = pytest.mark.expects_qt_warning

LON, LAT = MIDDLE
STEP = 0.004
Room = tuple[Tools, Context, MapProbe]
CURSOR = "jingwei.tools.cursor && jingwei.map.latLngToContainerPoint(jingwei.tools.cursor)"


@pytest.fixture
def room(probe: MapProbe) -> Room:
    """Nine cases around the middle, numbered from the south-west, row by row; the tenth has no position."""
    rows = [
        case_row(3 * row + column + 1, lon=LON + (column - 1) * STEP, lat=LAT + (row - 1) * STEP)
        for row in range(3)
        for column in range(3)
    ]
    rows.append(case_row(10, lon=float("nan"), lat=float("nan")))
    context = context_of(rows)
    tools = Tools(probe.view, context)
    probe.settle()
    return tools, context, probe


def drag(probe: MapProbe, places: list[tuple[float, float]]) -> None:
    points = [probe.place(*place) for place in places]
    probe.mouse(QEvent.Type.MouseButtonPress, points[0])
    for point in points[1:]:
        # Chromium draws moves that come within a frame together.
        x, y = round(point[0]), round(point[1])
        probe.mouse(QEvent.Type.MouseMove, (x, y))
        probe.until(lambda x=x, y=y: probe.ask(CURSOR) in ({"x": x, "y": y}, None))
    probe.mouse(QEvent.Type.MouseButtonRelease, points[-1])


def press(probe: MapProbe, *keys: Qt.Key, held: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    target = probe.view.web.focusProxy()
    for key in keys:
        text = " " if key == Qt.Key.Key_Space else ""
        for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            QApplication.sendEvent(target, QKeyEvent(kind, key, held, text))


def take(room: Room, kind: str, **more: Any) -> None:
    tools, _context, probe = room
    tools.take(kind, **more)
    probe.settle()
    probe.view.web.focusProxy().setFocus()
    probe.ask("jingwei.map.getContainer().focus()")


def test_a_lasso_selects_what_lies_inside(room: Room, until: Callable[..., None]) -> None:
    tools, context, probe = room
    take(room, "lasso")
    half = STEP / 2
    drag(
        probe,
        [(LON - 3 * half, LAT - 3 * half), (LON + half, LAT - 3 * half), (LON + half, LAT + half),
         (LON - 3 * half, LAT + half), (LON - 3 * half, LAT - 2 * half)],
    )  # fmt: skip
    until(lambda: bool(context.selection))
    assert context.selection == {1, 2, 4, 5}
    assert tools.kind == ""
    assert tools.narrow()
    assert context.board.lens.count == 4


def test_a_lasso_never_selects_what_the_filter_hides(room: Room, until: Callable[..., None]) -> None:
    _tools, context, probe = room
    context.toggle("text", "N5")
    take(room, "lasso")
    far = 2 * STEP
    drag(
        probe,
        [(LON - far, LAT - far), (LON + far, LAT - far), (LON + far, LAT + far), (LON - far, LAT + far)],
    )
    until(lambda: bool(context.selection))
    assert context.selection == {5}


def test_a_radius_selects_by_metres(room: Room, until: Callable[..., None]) -> None:
    tools, context, probe = room
    take(room, "radius")
    drag(probe, [(LON, LAT), (LON, LAT + 1.2 * STEP)])
    until(lambda: bool(context.selection))
    # East to west a degree is shorter: all four neighbours lie within, the corners do not.
    assert context.selection == {2, 4, 5, 6, 8}
    reach = metres_between((LON, LAT), (LON, LAT + 1.2 * STEP))
    # A pixel of this zoom is 15 m.
    distances = [metres_between((LON, LAT), corner) for corner in tools.shape]
    assert distances == pytest.approx([reach] * len(distances), abs=32)


def test_shapes_are_drawn_with_the_keyboard_alone(room: Room, until: Callable[..., None]) -> None:
    _tools, context, probe = room
    take(room, "lasso")
    keys = Qt.Key
    # From the middle to the corners of a square of 96 pixels, a point at each, then Enter.
    shift = Qt.KeyboardModifier.ShiftModifier
    for way in (
        (keys.Key_Left, keys.Key_Up),
        (keys.Key_Right,) * 2,
        (keys.Key_Down,) * 2,
        (keys.Key_Left,) * 2,
    ):
        press(probe, *way, held=shift)
        press(probe, keys.Key_Space)
    until(lambda: probe.ask("jingwei.tools.points.length") == 4)
    press(probe, keys.Key_Return)
    until(lambda: bool(context.selection))
    assert 5 in context.selection


def test_control_adds_to_what_is_selected(room: Room, until: Callable[..., None]) -> None:
    _tools, context, probe = room
    context.select(frozenset({1}))
    take(room, "radius")
    keys = Qt.Key
    press(probe, keys.Key_Space, keys.Key_Right)
    press(probe, keys.Key_Space, held=Qt.KeyboardModifier.ControlModifier)
    until(lambda: context.selection != {1})
    assert context.selection == {1, 5}


def test_a_length_and_a_surface_are_measured_on_the_earth(room: Room, until: Callable[..., None]) -> None:
    _tools, _context, probe = room
    take(room, "measure")
    corners = [(LON, LAT), (LON + STEP, LAT), (LON + STEP, LAT + STEP)]
    for corner in corners:
        probe.click(probe.place(*corner))
    until(lambda: probe.ask("jingwei.tools.points.length") == 3)
    points = probe.ask("jingwei.tools.points.map(({ lng, lat }) => [lng, lat])")
    script = "(m => jingwei.tools._surface(m))(0)"
    assert probe.ask(script) == "0 metres²"
    drawn = [metres_between(tuple(a), tuple(b)) for a, b in itertools.pairwise(points)]
    exact = [metres_between(a, b) for a, b in itertools.pairwise(corners)]
    # A pixel of this zoom is 15 m.
    assert drawn == pytest.approx(exact, abs=32)
    press(probe, Qt.Key.Key_Backspace)
    until(lambda: probe.ask("jingwei.tools.points.length") == 2)


def test_a_place_is_picked_once(room: Room, until: Callable[..., None]) -> None:
    tools, _context, probe = room
    placed: list[tuple[float, float]] = []
    tools.placed.connect(lambda lon, lat: placed.append((lon, lat)))
    take(room, "place")
    probe.click(probe.place(LON + STEP, LAT))
    until(lambda: bool(placed))
    assert placed == [(pytest.approx(LON + STEP, abs=2e-4), pytest.approx(LAT, abs=2e-4))]
    assert tools.kind == ""


def test_a_new_outline_snaps_to_the_corners_of_areas(room: Room, until: Callable[..., None]) -> None:
    tools, _context, probe = room
    probe.view.restore_view((117.105, 35.045, 15))
    probe.settle()
    outlined: list[list[tuple[float, float]]] = []
    tools.outlined.connect(outlined.append)
    take(room, "outline", level="cell")
    for lon, lat in [(117.1, 35.04), (117.11, 35.04), (117.105, 35.048)]:
        x, y = probe.place(lon, lat)
        probe.click((x + 3, y - 3))
    until(lambda: probe.ask("jingwei.tools.points.length") == 3)
    press(probe, Qt.Key.Key_Return)
    until(lambda: bool(outlined))
    # The first two are corners of the only cell; the third lies on none of its borders.
    # To some centimetres of the page, which writes the ground as single numbers.
    assert outlined[0][0] == (pytest.approx(117.1, abs=5e-6), pytest.approx(35.04, abs=5e-6))
    assert outlined[0][1] == (pytest.approx(117.11, abs=5e-6), pytest.approx(35.04, abs=5e-6))
    assert outlined[0][2] != (pytest.approx(117.105, abs=5e-6), pytest.approx(35.048, abs=5e-6))


def test_a_border_is_moved_corner_by_corner_with_keys(room: Room, until: Callable[..., None]) -> None:
    tools, _context, probe = room
    reshaped: list[list[tuple[float, float]]] = []
    tools.reshaped.connect(reshaped.append)
    square = [(LON, LAT), (LON + STEP, LAT), (LON + STEP, LAT + STEP), (LON, LAT + STEP)]
    take(room, "reshape", level="district", points=square)
    keys = Qt.Key
    press(probe, keys.Key_Tab, keys.Key_Space, keys.Key_Left, keys.Key_Space, keys.Key_Return)
    until(lambda: bool(reshaped))
    moved = reshaped[0]
    assert moved[1:] == [pytest.approx(corner) for corner in square[1:]]
    assert moved[0][0] < LON - 1e-4
    assert moved[0][1] == pytest.approx(LAT, abs=2e-4)


def test_taking_a_tool_again_or_escape_puts_it_away(room: Room, until: Callable[..., None]) -> None:
    tools, _context, probe = room
    take(room, "measure")
    assert not probe.ask("jingwei.tools.hint.hidden")
    tools.take("measure")
    assert tools.kind == ""
    take(room, "lasso")
    press(probe, Qt.Key.Key_Escape)
    until(lambda: tools.kind == "")
    probe.settle()
    assert probe.ask("jingwei.tool") is None
    assert not tools.leave()


def test_every_tool_says_how_it_is_used_and_left() -> None:
    assert all("Esc leaves" in hint for hint in HINTS.values())


def test_the_map_stays_where_it_is_while_a_shape_is_drawn(room: Room, until: Callable[..., None]) -> None:
    _tools, context, probe = room
    take(room, "lasso")
    view = probe.view.view()
    far = 2 * STEP
    drag(
        probe,
        [(LON - far, LAT - far), (LON + far, LAT - far), (LON + far, LAT + far), (LON - far, LAT + far)],
    )
    until(lambda: bool(context.selection))
    assert probe.view.view() == view


@pytest.mark.parametrize("frame", FRAMES)
def test_coordinates_under_the_pointer_are_told_in_the_chosen_frame(
    room: Room, until: Callable[..., None], frame: str
) -> None:
    tools, _context, probe = room
    tools.tell_coordinates(frame)
    probe.settle()
    probe.mouse(QEvent.Type.MouseMove, probe.place(LON, LAT))
    until(lambda: frame in probe.ask("jingwei.tools.where.textContent"))
    assert tools.coordinates() in probe.ask("jingwei.tools.where.textContent")
    tools.tell_coordinates("")
    until(lambda: probe.ask("jingwei.tools.where.hidden"))
    assert tools.coordinates() == ""


def test_a_circle_is_round_on_the_earth() -> None:
    ring = circle(LON, LAT, 1_500.0)
    assert [metres_between((LON, LAT), corner) for corner in ring] == pytest.approx(
        np.full(len(ring), 1_500.0), rel=1e-9
    )
