"""件件有着落: who holds each open case, and which cases nobody holds; on both databases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from db.bootstrap import Core
from db.cases.holders import holderless, in_hand
from tests.db.advice.history import BEGGING, STALLS, write_cases
from tests.db.duties.village import (
    EAST,
    GONE,
    ROADS,
    SQUAD_EAST,
    SQUAD_WEST,
    TODAY,
    WEST,
    an,
    open_village,
    settle,
)  # fmt: skip


@pytest.fixture
def village(database_url: str) -> Iterator[Core]:
    core = open_village(database_url)
    yield core
    core.close()


def lost(core: Core) -> dict[int, str]:
    with core.database.read() as connection:
        return {each.case_id: each.why for each in holderless(connection, TODAY)}


def test_a_case_that_waits_is_held_by_whom_the_matrix_names(village: Core) -> None:
    settle(village, an(SQUAD_WEST, WEST))
    write_cases(village, 1, 101, None, state="pending_dispatch")
    (in_the_east,) = write_cases(village, 1, 106, None, state="reported")
    assert lost(village) == {in_the_east: "nobody"}


def test_a_dispatched_case_is_held_by_its_holder_or_by_the_leader_of_its_unit(village: Core) -> None:
    write_cases(village, 1, 101, ROADS, state="handling")
    write_cases(village, 1, 101, ROADS, state="handling", holder_id=32)
    write_cases(village, 1, 101, ROADS, state="handling", holder_id=33)
    (lame,) = write_cases(village, 1, 101, GONE, state="handling")
    assert lost(village) == {lame: "inactive_unit"}


def test_what_has_ended_needs_no_holder(village: Core) -> None:
    write_cases(village, 2, 101, GONE)
    assert lost(village) == {}


def test_cases_in_hand_are_counted_by_unit_cell_and_class(village: Core) -> None:
    write_cases(village, 3, 101, SQUAD_WEST, state="handling")
    write_cases(village, 2, 106, SQUAD_EAST, state="handling")
    write_cases(village, 4, 101, SQUAD_WEST, state="handling", category=STALLS)
    write_cases(village, 5, 101, SQUAD_WEST)
    write_cases(village, 1, 101, None, state="pending_dispatch")
    with village.database.read() as connection:
        assert in_hand(connection, [BEGGING], [101, 106]) == {SQUAD_WEST: 3, SQUAD_EAST: 2}
        assert in_hand(connection, [BEGGING], [102]) == {}
        assert in_hand(connection, [], [EAST]) == {}
