"""What is set apart stays out of the search for garbage until it is taken back, and costs nobody anything."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from time import perf_counter

import pytest

from db.engine.rows import uncollected
from db.kernel import garbage

MANY = 300_000


class Thing:
    """Something that the search looks at."""


@pytest.fixture(autouse=True)
def nothing_apart() -> Iterator[None]:
    yield
    garbage.take_back()


def is_searched(thing: object) -> bool:
    return any(each is thing for each in gc.get_objects())


def test_what_is_set_apart_is_searched_again_after_it_was_taken_back() -> None:
    before = Thing()
    garbage.set_apart()
    after = Thing()
    assert not is_searched(before)
    assert is_searched(after)
    garbage.take_back()
    assert is_searched(before)


def test_what_came_later_is_set_apart_by_the_second_time() -> None:
    first = Thing()
    garbage.set_apart()
    second = Thing()
    garbage.set_apart()
    assert not is_searched(first)
    assert not is_searched(second)


def test_a_piece_of_work_ages_what_it_made() -> None:
    with uncollected():
        made = Thing()
    assert not any(each is made for each in gc.get_objects(generation=0))
    assert is_searched(made)


def test_a_piece_of_work_brings_nothing_back_that_was_set_apart() -> None:
    kept = Thing()
    garbage.set_apart()
    with uncollected():
        made = Thing()
    assert not is_searched(kept)
    assert is_searched(made)


def _rounds() -> float:
    def once() -> float:
        begun = perf_counter()
        for _each in range(50):
            with uncollected():
                pass
        return perf_counter() - begun

    return min(once() for _each in range(5))


@pytest.mark.speed
def test_however_much_is_set_apart_work_costs_the_same() -> None:
    plain = _rounds()
    room = [Thing() for _each in range(MANY)]
    garbage.set_apart()
    # Counting what is apart takes as long as walking through it: over ten thousand times as much.
    assert _rounds() < 20 * plain
    assert len(room) == MANY
