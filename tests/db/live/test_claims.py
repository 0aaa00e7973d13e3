"""Claims as the board keeps them: those of a moment, ended by the clock, equal when nothing is new."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from db.cases.tables import case, claim
from db.engine.connections import Database
from db.kernel.clock import to_ms
from db.live.claims import NO_CLAIMS, Claimed, Claims, read_claims
from db.people.tables import account
from tests.db.live.city import NOW, case_values, found_city, write

NOW_MS = to_ms(NOW)
MINUTE = 60_000
THREE = Claims.of((case_id, Claimed(7, "王敏", NOW_MS + case_id * MINUTE)) for case_id in (3, 1, 2))


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = found_city(database_url)
    yield database
    database.close()


def test_claims_end_one_after_the_other_by_the_clock() -> None:
    assert list(THREE.at(NOW_MS).by_case) == [3, 1, 2]
    assert sorted(THREE.at(NOW_MS + MINUTE - 1).by_case) == [1, 2, 3]
    # At its last moment a claim is over.
    assert sorted(THREE.at(NOW_MS + MINUTE).by_case) == [2, 3]
    assert THREE.at(NOW_MS + 3 * MINUTE) == NO_CLAIMS


def test_while_none_has_ended_they_are_the_very_same() -> None:
    assert THREE.at(NOW_MS) is THREE
    assert NO_CLAIMS.at(NOW_MS) is NO_CLAIMS


def test_the_next_end_is_that_of_the_first_to_end() -> None:
    assert THREE.next_end() == NOW_MS + MINUTE
    assert THREE.at(NOW_MS + MINUTE).next_end() == NOW_MS + 2 * MINUTE
    assert NO_CLAIMS.next_end() is None


def test_equal_claims_are_no_news() -> None:
    pairs = list(THREE.by_case.items())
    assert Claims.of(reversed(pairs)) == THREE
    assert Claims.of(pairs[1:]) != THREE
    assert Claims.of([(3, Claimed(8, "李强", NOW_MS + 3 * MINUTE)), *pairs[1:]]) != THREE


def test_those_that_stand_are_read_and_those_that_ended_are_not(database: Database) -> None:
    with database.read() as connection:
        assert read_claims(connection, NOW_MS) == NO_CLAIMS
    lease = {"account_id": 7, "name": "王敏", "claimed_at": NOW}
    write(
        database,
        (account, [{"id": 7, "login": "wang", "person_id": 1, "password_hash": "-"}]),
        (case, [case_values(1, state="reported"), case_values(2, state="reported")]),
        (
            claim,
            [
                {**lease, "id": 1, "case_id": 1, "expires_at": NOW + timedelta(minutes=20)},
                {**lease, "id": 2, "case_id": 2, "expires_at": NOW + timedelta(minutes=5)},
            ],
        ),
    )
    with database.read() as connection:
        first, later = read_claims(connection, NOW_MS), read_claims(connection, NOW_MS + 5 * MINUTE)
    assert first.by_case == {
        1: Claimed(7, "王敏", NOW_MS + 20 * MINUTE),
        2: Claimed(7, "王敏", NOW_MS + 5 * MINUTE),
    }
    # What the board keeps ends by its own clock as the database says.
    assert later == first.at(NOW_MS + 5 * MINUTE)
