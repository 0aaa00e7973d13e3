"""The clock strip: what it draws where, and what pointer, keyboard and screen reader are told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest

from db.kernel.clock import to_ms
from desktop.widgets.clockstrip import OVER, PAUSED, RUNNING, SOON, ClockStrip, Mark, Segment
from desktop.widgets.theme import Theme

ZONE = ZoneInfo("Asia/Shanghai")


def at(text: str) -> int:
    return to_ms(datetime.fromisoformat(text).replace(tzinfo=ZONE))


BEGINS, ENDS = at("2024-11-16T09:00"), at("2024-11-23T10:00")
SEGMENTS = [
    Segment(at("2024-11-16T10:00"), at("2024-11-18T11:00"), RUNNING, "Running"),
    Segment(at("2024-11-18T11:00"), at("2024-11-20T09:00"), PAUSED, "Suspended by 王敏: <b>waiting</b>"),
    Segment(at("2024-11-20T09:00"), at("2024-11-23T10:00"), RUNNING, "Running"),
]
MARKS = [
    Mark(BEGINS, "Reported"),
    Mark(at("2024-11-20T15:00"), "Due soon", SOON),
    Mark(at("2024-11-21T17:00"), "Due", OVER),
]


@pytest.fixture(params=["dark", "light"])
def strip(request: pytest.FixtureRequest, shown: Callable[..., object]) -> ClockStrip:
    made = ClockStrip(Theme(request.param), ZONE, "Clock")
    made.set_life(BEGINS, ENDS, SEGMENTS, MARKS)
    shown(made, 760, made.sizeHint().height())
    return made


def colour_at(strip: ClockStrip, moment: str) -> str:
    place = QPointF(strip._x(at(moment)), strip._bar().center().y()).toPoint()
    return strip.grab().toImage().pixelColor(place).name()


def test_running_is_neutral_then_amber_then_red(strip: ClockStrip) -> None:
    theme = strip._theme
    assert colour_at(strip, "2024-11-17T10:00") == theme.css("chart_neutral")
    assert colour_at(strip, "2024-11-20T12:00") == theme.css("chart_neutral")
    assert colour_at(strip, "2024-11-21T03:00") == theme.css("soon_fill")
    assert colour_at(strip, "2024-11-22T12:00") == theme.css("over_fill")


def test_a_pause_is_hatched_and_never_in_the_colour_of_running(strip: ClockStrip) -> None:
    box = strip._box(SEGMENTS[1].begins_ms, SEGMENTS[1].ends_ms)
    image = strip.grab().toImage()
    line = round(box.center().y())
    colours = {image.pixelColor(x, line).name() for x in range(round(box.left()) + 4, round(box.right()) - 4)}
    assert strip._theme.css("raised") in colours
    assert len(colours) > 1


def test_the_arrow_keys_walk_stretches_and_marks_in_their_order(strip: ClockStrip) -> None:
    strip.setFocus()
    for _press in range(3):
        QTest.keyClick(strip, Qt.Key.Key_Right)
    said = strip.accessibleDescription()
    assert said == "Suspended by 王敏: <b>waiting</b> · 2024-11-18 11:00 – 2024-11-20 09:00 · 46:00"
    QTest.keyClick(strip, Qt.Key.Key_End)
    assert strip.accessibleDescription() == "Due · 2024-11-21 17:00"
    QTest.keyClick(strip, Qt.Key.Key_Home)
    QTest.keyClick(strip, Qt.Key.Key_Left)
    assert strip.accessibleDescription() == "Reported · 2024-11-16 09:00"


def test_whoever_walks_stays_where_he_is_while_the_clock_runs_on(strip: ClockStrip) -> None:
    strip.setFocus()
    QTest.keyClick(strip, Qt.Key.Key_End)
    QTest.keyClick(strip, Qt.Key.Key_Left)
    QTest.keyClick(strip, Qt.Key.Key_Left)
    assert strip.accessibleDescription().startswith("Running · 2024-11-20 09:00")
    later = at("2024-11-23T11:00")
    grown = Segment(SEGMENTS[2].begins_ms, later, RUNNING, "Running")
    strip.set_life(BEGINS, later, [*SEGMENTS[:2], grown], MARKS)
    assert strip.accessibleDescription() == "Running · 2024-11-20 09:00 – 2024-11-23 11:00 · 3d 2h"


def test_without_focus_the_whole_life_is_told(strip: ClockStrip) -> None:
    said = strip.accessibleDescription()
    assert strip.accessibleName() == "Clock"
    assert said.count("Running") == 2
    assert said.startswith("Reported · 2024-11-16 09:00; ")


def test_the_tool_tip_tells_mark_and_stretch_under_the_pointer(strip: ClockStrip) -> None:
    middle = strip._bar().center().y()
    assert strip._at(QPointF(strip._x(at("2024-11-19T10:00")), middle)) == [SEGMENTS[1]]
    assert strip._at(QPointF(strip._x(MARKS[2].at_ms) + 2, middle)) == [MARKS[2], SEGMENTS[2]]
    assert strip._at(QPointF(strip._x(at("2024-11-16T09:30")), 0)) == [MARKS[0]]


def test_what_is_due_long_after_now_does_not_squeeze_what_has_been(strip: ClockStrip) -> None:
    now = at("2024-11-16T12:00")
    running = [Segment(at("2024-11-16T10:00"), now, RUNNING, "Running")]
    strip.set_life(BEGINS, now, running, [Mark(at("2024-12-30T10:00"), "Due", OVER)])
    bar = strip._bar()
    assert strip._x(now) - bar.left() == pytest.approx(0.3 * bar.width(), abs=1)
    assert strip._x(at("2024-12-30T10:00")) == bar.right()
    strip.set_life(BEGINS, now, running, [Mark(at("2024-11-16T15:00"), "Due", OVER)])
    assert strip._x(now) - bar.left() == pytest.approx(bar.width() / 2, abs=1)


@pytest.mark.parametrize("width", [160, 240, 480, 1600])
@pytest.mark.parametrize("scale", [0.92, 1.0, 2.0])
def test_words_never_leave_the_strip_nor_touch_each_other(
    width: int, scale: float, shown: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = ClockStrip(Theme("dark", scale), ZONE)
    made.set_life(BEGINS, ENDS, SEGMENTS, [*MARKS, Mark(BEGINS + 60_000, "Registered")])
    shown(made, width, made.sizeHint().height())
    rooms = []
    real = made._word_room

    def note(*arguments: object) -> object:
        found = real(*arguments)
        if found is not None:
            rooms.append((found.left(), found.right()))
        return found

    monkeypatch.setattr(made, "_word_room", note)
    made.grab()
    assert all(left >= 0 and right <= width for left, right in rooms)
    assert all(rooms[0][1] < later[0] or later[1] < rooms[0][0] for later in rooms[1:])


def test_ticks_are_midnights_of_the_city_or_hours_of_a_short_life(strip: ClockStrip) -> None:
    assert [f"{tick:%m-%d %H}" for tick in strip._ticks(8)] == [f"11-{day} 00" for day in range(17, 24)]
    assert [f"{tick:%m-%d}" for tick in strip._ticks(4)] == ["11-17", "11-19", "11-21", "11-23"]
    strip.set_life(at("2024-11-16T09:30"), at("2024-11-16T12:10"), [])
    assert [f"{tick:%H:%M}" for tick in strip._ticks(5)] == ["10:00", "11:00", "12:00"]


def test_nothing_to_show_is_said_and_a_key_goes_on_to_others(strip: ClockStrip) -> None:
    strip.set_life(BEGINS, BEGINS, [])
    assert strip.accessibleDescription() == "No data"
    QTest.keyClick(strip, Qt.Key.Key_Right)
    assert not strip.grab().toImage().isNull()


def test_the_strip_follows_its_theme(strip: ClockStrip) -> None:
    before, height = strip.grab().toImage(), strip.sizeHint().height()
    strip._theme.use("light" if strip._theme.is_dark else "dark", 2.0)
    assert strip.sizeHint().height() > height
    assert strip.grab().toImage() != before
