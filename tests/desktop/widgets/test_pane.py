"""The frame of a pane."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QWidget

from desktop.widgets.pane import Pane
from desktop.widgets.theme import Theme


@pytest.fixture
def pane(shown: Callable[..., object]) -> Pane:
    made = Pane(Theme("dark"), "Queue", "63")
    made.set_content(QLabel("content"))
    shown(made, 500, 300)
    return made


def test_the_button_and_a_double_click_on_the_header_maximize_and_restore(pane: Pane) -> None:
    told: list[bool] = []
    pane.maximized.connect(told.append)
    pane._maximize.click()
    QTest.mouseDClick(pane._header, Qt.MouseButton.LeftButton, pos=QPoint(120, 10))
    assert told == [True, False]


def test_a_pane_floats_in_a_window_and_docks_back_when_that_is_closed(pane: Pane) -> None:
    told: list[bool] = []
    pane.floated.connect(told.append)
    content = pane.content()
    assert content is not None
    pane._float.click()
    window = content.window()
    assert (pane.is_floating(), window is not pane, window.windowTitle()) == (True, True, "Queue")
    window.close()
    assert (pane.is_floating(), content.window() is pane, content.isVisible()) == (False, True, True)
    assert told == [True, False]


def test_old_data_is_dimmed_and_dated_until_it_is_fresh(pane: Pane) -> None:
    fresh = pane.grab().toImage()
    pane.set_stale("Data of 14:03:07")
    assert pane.is_stale()
    assert pane.grab().toImage() != fresh
    pane.set_stale("")
    assert pane.grab().toImage() == fresh


def test_a_message_covers_the_content_and_its_button_is_heard(pane: Pane) -> None:
    acted: list[bool] = []
    pane.acted.connect(lambda: acted.append(True))
    pane.set_message("The map cannot be opened", "Install again.", "Try again")
    pane.grab()
    pane._message._button.click()
    assert acted == [True]
    pane.set_message("")
    assert not pane._message.isVisible()


def test_content_replaced_leaves_nothing_behind(pane: Pane) -> None:
    old = pane.content()
    new = QWidget()
    pane.set_content(new)
    assert pane.content() is new
    assert old is not None
    assert old.parent() is None
    old.deleteLater()


def test_a_long_subtitle_gives_way_to_the_tools(pane: Pane) -> None:
    least = pane.minimumSizeHint().width()
    pane.set_subtitle("a very long place name " * 10)
    assert pane.minimumSizeHint().width() == least
    pane.grab()
    assert "very long" in pane._subtitle.toolTip()
