"""What the design promises of 100,000 cases on one screen: a frame has sixteen milliseconds."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

import numpy as np
import pytest

from db.cases.queries import Columns
from db.live.board import Board
from db.live.delta import Delta
from db.live.filters import EVERYTHING, Filter
from db.live.lens import ORDER_KEYS
from tests.db.live.crowd import crowd, crowded_board, picked
from tests.db.live.rows import HOUR, NOON

pytestmark = pytest.mark.speed

MANY = 100_000
FRAME = 0.016


@pytest.fixture(scope="module")
def columns() -> Columns:
    return crowd(MANY)


@pytest.fixture
def board(columns: Columns) -> Board:
    return crowded_board(columns)


def least(*actions: Callable[[], object], rounds: int = 7) -> float:
    """The least time of the actions, each after the other: what else runs on the machine does not count."""
    times = []
    for _ in range(rounds):
        for action in actions:
            began = perf_counter()
            action()
            times.append((perf_counter() - began, action))
    return max(min(took for took, of in times if of is action) for action in actions)


@pytest.mark.parametrize(
    "chosen",
    [
        Filter(districts=frozenset({3, 5})),
        Filter(lights=frozenset({2})),
        Filter(slack=(0, 2 * HOUR)),
        Filter(text="荆河"),
        Filter(text="2026 路"),
        EVERYTHING,
    ],
)
def test_a_filter_takes_no_longer_than_a_frame(board: Board, chosen: Filter) -> None:
    assert least(lambda: board.set_filter(chosen), lambda: board.set_filter(Filter())) < FRAME


@pytest.mark.parametrize("key", ORDER_KEYS)
def test_an_order_takes_no_longer_than_a_frame(board: Board, key: str) -> None:
    assert least(lambda: board.set_order(key), lambda: board.set_order(key, True)) < FRAME


def test_all_figures_take_no_longer_than_a_frame(board: Board) -> None:
    def count() -> None:
        board.set_filter(Filter(units=frozenset({1})) if board.lens.filter.is_empty else Filter())
        board.figures()

    assert least(count) < FRAME


def test_a_second_that_passes_takes_no_longer_than_a_frame(board: Board) -> None:
    now_ms = NOON

    def pass_a_minute() -> None:
        nonlocal now_ms
        now_ms += 60_000
        board.tick(now_ms)

    assert least(pass_a_minute) < FRAME


def test_a_thousand_changes_are_shown_within_a_frame(board: Board, columns: Columns) -> None:
    some = picked(columns, np.arange(0, MANY, 100))
    some["unit_id"] = np.full(1000, 81)
    assert least(lambda: board.apply(Delta(at_ms=NOON, columns=some))) < FRAME


def test_a_snapshot_is_shown_within_a_second(columns: Columns) -> None:
    assert least(lambda: crowded_board(columns), rounds=2) < 1.0
