"""Figure cards."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from desktop.widgets.card import Card, CardGrid
from desktop.widgets.theme import Theme


@pytest.fixture
def card(shown: Callable[..., object]) -> Card:
    made = Card(Theme("dark"), "over", "Overdue", "Past the limit and not handed back")
    made.set_figure("61", "", "0.74% of open", "over")
    shown(made, 180, 88)
    return made


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Space])
def test_the_keyboard_presses_a_card(card: Card, key: Qt.Key) -> None:
    pressed: list[str] = []
    card.pressed_for.connect(pressed.append)
    QTest.keyClick(card, key)
    assert pressed == ["over"]


def test_a_press_asks_and_does_not_claim_the_filter_is_on(card: Card) -> None:
    QTest.mouseClick(card, Qt.MouseButton.LeftButton)
    assert not card.is_on()
    plain = card.grab().toImage()
    card.set_on(True)
    assert card.grab().toImage() != plain


def test_a_card_that_does_not_filter_cannot_be_pressed(card: Card) -> None:
    pressed: list[str] = []
    card.pressed_for.connect(pressed.append)
    card.set_filters(False)
    QTest.mouseClick(card, Qt.MouseButton.LeftButton)
    assert pressed == []


def test_a_screen_reader_hears_number_and_comparison(card: Card) -> None:
    assert card.accessibleName() == "Overdue: 61, 0.74% of open"
    assert card.accessibleDescription() == "Past the limit and not handed back"


def test_a_tool_tip_shows_markup_as_it_was_written(application: object) -> None:
    card = Card(Theme("dark"), "x", "<b>Name</b>", "")
    assert "&lt;b&gt;" in card.toolTip()


def test_a_grid_passes_presses_on_and_shows_what_is_on(shown: Callable[..., object]) -> None:
    theme = Theme("dark")
    grid = CardGrid(theme, [Card(theme, key, key) for key in "abc"])
    shown(grid, 360, 180)
    pressed: list[str] = []
    grid.pressed_for.connect(pressed.append)
    QTest.keyClick(grid.cards["c"], Qt.Key.Key_Space)
    grid.set_on(["b"])
    assert pressed == ["c"]
    assert [key for key, card in grid.cards.items() if card.is_on()] == ["b"]


def test_figures_that_do_not_fit_are_all_drawn_smaller(shown: Callable[..., object]) -> None:
    theme = Theme("dark")
    grid = CardGrid(theme, [Card(theme, key, key) for key in "ab"])
    shown(grid, 400, 90)
    grid.cards["a"].set_figure("12,345,678", "/ 9,999,999")
    assert [card._compact for card in grid.cards.values()] == [True, True]
    grid.cards["a"].set_figure("12")
    assert [card._compact for card in grid.cards.values()] == [False, False]
