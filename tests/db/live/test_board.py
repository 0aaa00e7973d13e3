"""The board says what each step changed, and its figures are of the moment."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.live.board import Board
from db.live.delta import Delta
from db.live.filters import EVERYTHING, Filter
from db.live.people import People
from db.live.tally import tally
from tests.db.live.rows import DAY, DIRECTORY, HOUR, NOON, ZONE, any_delta, case_row, delta_of


def a_board(*rows: dict[str, object]) -> Board:
    board = Board(ZONE, NOON)
    board.apply(delta_of(rows, full=True, directory=DIRECTORY, seq=1))
    return board


def people(*entries: tuple[int, float]) -> People:
    ids = np.array([person for person, _lon in entries], dtype=np.int64)
    lon = np.array([lon for _person, lon in entries])
    return People(ids, lon, np.full(len(ids), 35.0), np.full(len(ids), NOON))


def test_a_change_is_told_with_its_slots() -> None:
    board = a_board(case_row(1), case_row(2))
    news = board.apply(delta_of([case_row(2, unit_id=3), case_row(3)], gone=[1], seq=2))
    assert [len(news.applied.added), len(news.applied.changed), len(news.applied.removed)] == [1, 1, 1]
    assert news.rows_changed
    assert news.figures_changed
    assert board.seq == 2
    assert board.figures().open == 2


def test_an_empty_delta_changes_nothing_but_the_moment() -> None:
    board = a_board(case_row(1))
    assert board.apply(Delta(at_ms=NOON + 5)).is_empty
    assert board.at_ms == NOON + 5


def test_a_tick_tells_which_lights_turned() -> None:
    board = a_board(case_row(1, due_at=NOON + HOUR, soon_at=NOON + 1))
    assert len(board.tick(NOON + 1).applied.turned) == 0
    news = board.tick(NOON + 2)
    assert news.applied.turned.tolist() == [board.store.slot_of(1)]
    assert board.lights()[board.store.slot_of(1)] == 1
    assert board.figures().lights == (0, 1, 0, 0)
    assert board.now_ms == NOON + 2


def test_a_filter_on_lights_follows_the_clock() -> None:
    board = a_board(case_row(1, due_at=NOON + HOUR, soon_at=NOON + 1))
    assert board.set_filter(Filter(lights=frozenset({2}))).filter_changed
    assert board.lens.count == 0
    assert board.tick(NOON + HOUR + 1).rows_changed
    assert board.lens.count == 1


def test_the_same_filter_again_is_no_news() -> None:
    board = a_board(case_row(1))
    assert board.set_filter(Filter()).is_empty
    assert board.set_order("slack").is_empty


def test_an_order_moves_rows_and_leaves_figures() -> None:
    board = a_board(case_row(1, unit_id=1), case_row(2, unit_id=2))
    before = board.figures()
    news = board.set_order("unit")
    assert news.rows_changed
    assert not news.figures_changed
    assert board.figures() is before
    with pytest.raises(ValueError, match="no order"):
        board.set_order("colour")


def test_new_names_move_rows_that_are_ordered_by_them() -> None:
    board = Board(ZONE, NOON)
    board.apply(delta_of([case_row(1, unit_id=1), case_row(2, unit_id=2)]))
    board.set_order("unit")
    assert [board.lens.id_at(row) for row in range(2)] == [1, 2]
    news = board.apply(Delta(at_ms=NOON, directory=DIRECTORY, registers_changed=frozenset({"unit"})))
    assert news.names_changed
    assert news.rows_changed
    assert news.registers_changed == {"unit"}
    assert [board.lens.id_at(row) for row in range(2)] == [2, 1]


def test_people_move_one_by_one_and_are_replaced_as_a_whole() -> None:
    board = a_board()
    board.apply(Delta(at_ms=NOON, people=people((1, 117.0), (2, 117.1)), people_full=True))
    news = board.apply(Delta(at_ms=NOON, people=people((2, 117.5))))
    assert news.people_changed
    assert dict(zip(board.people.ids.tolist(), board.people.lon.tolist(), strict=True)) == {
        1: 117.0,
        2: 117.5,
    }
    board.apply(Delta(at_ms=NOON, people=people(), people_full=True))
    assert len(board.people) == 0


def test_midnight_begins_a_new_day_of_figures() -> None:
    board = a_board(case_row(1, state="closed", closed_at=NOON), case_row(2))
    board.set_filter(EVERYTHING)
    assert board.figures().closed_today == 1
    assert board.tick(DAY + 24 * HOUR).rows_changed
    assert board.figures().closed_today == board.figures().arrived_today == 0
    assert board.lens.count == 1


@given(st.lists(any_delta(), max_size=5))
def test_figures_are_never_stale(deltas: list[Delta]) -> None:
    board = a_board()
    for delta in deltas:
        board.figures()
        board.apply(delta)
        fresh = tally(board.store, board.lens.match)
        assert board.figures().lights == fresh.lights
        assert board.figures().by_state == fresh.by_state
