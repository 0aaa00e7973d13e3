"""The wall: for eyes only, letters sized for the distance, and honest when the database is lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLabel, QMenuBar, QWidget

from db.kernel.clock import SetClock, from_ms
from db.sync.standing import Line, Standing
from desktop.core.context import DataAge, Freshness
from desktop.kpi.pane import KpiPane
from desktop.queue.pane import QueuePane
from desktop.wall.window import LARGEST, LETTER_OF_BODY, WallWindow, wall_scale
from desktop.widgets.pane import Pane
from desktop.widgets.table import Table
from desktop.widgets.theme import Theme
from tests.db.live.rows import NOON
from tests.desktop.seeded import GUEST, context_of, invented, preferences


class Wall:
    def __init__(self, shown: Callable[..., QWidget], folder: Path, scale: float = 1.0) -> None:
        self.theme = Theme("dark", scale)
        self.context = context_of(invented(80), GUEST)
        stand_in = Pane(self.theme, "Map")
        stand_in.set_content(QLabel("map"))
        panes = {
            "map": stand_in,
            "queue": QueuePane(self.theme, self.context, preferences(folder)),
            "kpi": KpiPane(self.theme, self.context),
        }
        clock = SetClock(datetime(2026, 3, 14, 4, tzinfo=UTC))
        self.window = WallWindow(self.theme, self.context, clock, panes)
        shown(self.window, 1920, 1080)

    def seen(self) -> list[str]:
        return [key for key, pane in self.window.panes.items() if pane.isVisible()]


@pytest.fixture
def wall(shown: Callable[..., QWidget], tmp_path: Path) -> Wall:
    return Wall(shown, tmp_path)


def test_letters_are_thirty_millimetres_high_at_six_metres() -> None:
    # A screen 1.9 m wide with 3840 pixels: 2.02 pixels a millimetre.
    scale = wall_scale(1900, 3840, 6.0)
    millimetres = scale * LETTER_OF_BODY / (3840 / 1900)
    assert millimetres == pytest.approx(30, abs=0.5)


@pytest.mark.parametrize(
    "screen_mm, screen_px, distance, scale", [(0, 1920, 6.0, 1.0), (500, 0, 6.0, 1.0), (520, 1920, 0.5, 1.0)]
)
def test_an_unknown_screen_or_a_near_eye_gets_the_usual_size(
    screen_mm: float, screen_px: int, distance: float, scale: float
) -> None:
    assert wall_scale(screen_mm, screen_px, distance) == scale


def test_letters_grow_no_larger_than_the_screen_has_room_for() -> None:
    assert wall_scale(520, 1920, 60.0) == 3.0
    assert wall_scale(1900, 7680, 60.0) == LARGEST


def test_the_smallest_room_still_fits_a_plain_screen(shown: Callable[..., QWidget], tmp_path: Path) -> None:
    wall = Wall(shown, tmp_path, wall_scale(520, 1920, 6.0))
    least = wall.window.minimumSizeHint()
    assert least.width() <= 1920
    assert least.height() <= 1080


def test_no_ring_is_drawn_round_anything(wall: Wall) -> None:
    takers = [
        widget
        for widget in wall.window.findChildren(QWidget)
        if widget.isVisible() and widget.focusPolicy() & Qt.FocusPolicy.TabFocus
    ]
    assert takers == []


def test_nothing_on_it_takes_the_mouse_or_the_focus_and_there_is_no_menu(wall: Wall) -> None:
    assert wall.window.findChildren(QMenuBar) == []
    for pane in wall.window.panes.values():
        assert pane.testAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
    # Buttons of the panes' heads are gone; the cards are figures, not buttons, where no mouse reaches them.
    tools = [
        button
        for button in wall.window.findChildren(QAbstractButton)
        if button.isVisible() and type(button).__name__ in ("Button", "IconButton")
    ]
    assert tools == []
    before = wall.context.filter
    QTest.mouseClick(wall.window, Qt.MouseButton.LeftButton, pos=wall.window.rect().center())
    assert wall.context.filter == before
    assert wall.context.selection == frozenset()


@pytest.mark.parametrize("scale, seen", [(1.0, 3), (2.0, 2), (4.0, 1)])
def test_there_are_fewer_panes_rather_than_smaller_letters(
    shown: Callable[..., QWidget], tmp_path: Path, scale: float, seen: int
) -> None:
    wall = Wall(shown, tmp_path, scale)
    wall.window.resize(1920, 1080)
    assert len(wall.seen()) == seen
    assert "kpi" in wall.seen()


def test_a_banner_says_when_the_database_is_lost_and_goes_when_it_is_back(wall: Wall) -> None:
    wall.context.set_age(DataAge(Freshness.LOST, NOON, "secret path"))
    assert wall.window._banner.isVisible()
    assert wall.window._banner.text() == "Database lost, trying again. Data of 12:00:00."
    assert all(pane.is_stale() for key, pane in wall.window.panes.items() if key != "map")
    wall.context.set_age(DataAge(Freshness.LIVE, NOON))
    assert not wall.window._banner.isVisible()
    assert wall.window._age.text() == "data of 12:00:00"


def test_a_screen_that_comes_or_goes_is_no_trouble(wall: Wall) -> None:
    wall.window._on_screens()
    wall.window.showFullScreen()
    wall.window._on_screens(None)
    assert wall.window.isFullScreen()


def test_escape_leaves_it(wall: Wall) -> None:
    closed: list[bool] = []
    wall.window.closed.connect(lambda: closed.append(True))
    QTest.keyClick(wall.window, Qt.Key.Key_Escape)
    assert closed == [True]


def test_the_clock_is_of_the_city(wall: Wall) -> None:
    assert wall.window._time.text() == "12:00:00"


def test_a_screen_reader_hears_what_each_pane_is_and_nothing_takes_the_focus(wall: Wall) -> None:
    assert all(pane.accessibleName() for pane in wall.window.panes.values())
    assert wall.window.panes["queue"].findChildren(Table)[0].accessibleName() == "Cases"
    reached = [
        widget
        for widget in wall.window.findChildren(QWidget)
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        and widget.isVisible()
        and not widget.accessibleName()
    ]
    assert [type(widget).__name__ for widget in reached] == []


def test_what_is_not_right_with_the_server_is_said_in_words(shown: Callable[..., QWidget]) -> None:
    context = context_of(invented(5))
    wall = WallWindow(Theme(), context, SetClock(from_ms(NOON)), {})
    shown(wall, 1920, 1080)
    context.set_standing(Standing(Line.LIVE, heard_ms=NOON))
    assert wall._line.text() == ""
    context.set_standing(Standing(Line.OFFLINE, since_ms=NOON - 600_000, waiting=3, heard_ms=NOON - 600_000))
    assert wall._line.text() == "Offline since 11:50 · 3 waiting"
    assert wall._age.text().endswith("11:50:00")
