"""The map pane: what the hand does on the page becomes selection and filter, and its words are true."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtWidgets import QWidget

from db.live.filters import Filter
from db.live.people import NOBODY, People
from desktop.core.context import DataAge, Freshness
from desktop.map.pane import LAYER_NAMES, MapPane, page_words
from desktop.map.view import CASES, WORDS
from desktop.widgets.theme import Theme
from tests.db.live.rows import HOUR, NOON, case_row, delta_of
from tests.desktop.seeded import OFFICER, context_of

ROWS = [
    case_row(1, category_id=1, unit_id=1, address="荆河路", due_at=NOON - HOUR, soon_at=NOON - 2 * HOUR),
    case_row(2, category_id=2, address="善国路", state="pending_dispatch", lon=117.2, lat=35.1),
    case_row(3, category_id=2, lon=math.nan, lat=math.nan),
]


class Pane:
    def __init__(self, shown: Callable[..., QWidget]) -> None:
        self.context = context_of(ROWS, OFFICER)
        self.pane = MapPane(Theme(), self.context)
        shown(self.pane, 500, 400)

    def slot(self, case_id: int) -> int:
        slot = self.context.board.store.slot_of(case_id)
        assert slot is not None
        return slot


@pytest.fixture
def pane(shown: Callable[..., QWidget]) -> Pane:
    return Pane(shown)


def test_what_was_clicked_is_selected_added_or_turned_over(pane: Pane) -> None:
    pane.pane.map.picked.emit([pane.slot(1)], "replace")
    assert pane.context.selection == {1}
    pane.pane.map.picked.emit([pane.slot(2)], "add")
    pane.pane.map.picked.emit([pane.slot(1)], "toggle")
    assert pane.context.selection == {2}
    pane.pane.map.picked.emit([10_000], "replace")
    assert pane.context.selection == frozenset()


def test_a_double_click_opens_the_case(pane: Pane) -> None:
    opened: list[int] = []
    pane.context.opened.connect(opened.append)
    pane.pane.map.opened.emit(pane.slot(2))
    assert opened == [2]


def test_the_card_tells_category_time_place_stage_unit_and_number(pane: Pane) -> None:
    card = pane.pane._card(pane.slot(1))
    assert card is not None
    assert (card.title, card.remaining) == ("Kind 1", "over 1:00")
    assert card.lines == ("荆河路 · In hand", "Unit 1 · N1")
    pane.context.board.apply(delta_of([], gone=[1]))
    assert pane.pane._card(0) is None


def test_the_head_says_how_many_of_the_shown_have_no_position(pane: Pane) -> None:
    assert pane.pane._subtitle.text() == "Tengzhou · 1 without position"
    pane.context.set_filter(Filter(units=frozenset({1})))
    assert pane.pane._subtitle.text() == "Tengzhou"


def test_collectors_are_counted_and_the_lost_ones_told(pane: Pane) -> None:
    places = People(np.array([7, 8]), np.array([117.1, 117.2]), np.array([35.1, 35.1]), np.array([NOON, 1]))
    pane.context.board.people = places
    pane.pane.people.refresh()
    assert pane.pane._people.text() == "2 collectors, 1 lost"
    pane.context.board.people = NOBODY
    pane.pane.people.refresh()
    assert pane.pane._people.text() == ""


def test_who_is_followed_stands_in_the_head(pane: Pane) -> None:
    pane.pane.people.followed.emit("王敏")
    assert "following 王敏" in pane.pane._subtitle.text()
    pane.pane.people.followed.emit("")
    assert "following" not in pane.pane._subtitle.text()


def test_the_words_beside_a_case_name_its_category(pane: Pane) -> None:
    assert pane.pane._labels([pane.slot(1), 10_000]) == ["Kind 1", ""]


def test_lost_data_are_dated(pane: Pane) -> None:
    pane.context.set_age(DataAge(Freshness.LOST, NOON, "gone"))
    assert pane.pane.is_stale()
    pane.context.set_age(DataAge(Freshness.LIVE, NOON))
    assert not pane.pane.is_stale()


def test_the_view_fits_what_is_shown_and_what_a_far_slip_cannot_spoil(
    pane: Pane, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(pane.pane.map, "fit", lambda bounds=None: asked.append(bounds) or 0)
    pane.pane.fit_cases()
    pane.context.set_filter(Filter(text="no such place"))
    pane.pane.fit_cases()
    (bounds, nothing) = asked
    assert nothing is None
    assert bounds is not None


def test_every_layer_and_every_word_of_the_page_is_said(pane: Pane) -> None:
    assert set(LAYER_NAMES) <= set(pane.pane.map.layers())
    assert set(page_words()) == set(WORDS)
    assert pane.pane.map.web.accessibleName() == "Map"
    assert CASES == "cases"


def test_the_keys_given_to_the_pane_go_to_the_map_and_not_to_a_button_beside_it(pane: Pane) -> None:
    pane.pane.take_focus()
    focus = pane.pane.window().focusWidget()
    assert focus is not None
    assert focus is pane.pane.map.web or pane.pane.map.web.isAncestorOf(focus)
