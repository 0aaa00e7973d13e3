"""The usual rest of a case is the median of how it went, by stage and class."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from db.cases.tables import case, step
from db.engine.connections import Database
from db.kernel.clock import to_ms
from db.live.directory import load_directory
from db.live.remaining import ENOUGH, Remaining, RemainingDays, load_remaining
from tests.db.live.city import NOW, case_values, found_city, write

HOUR_MS = 3_600_000
MAJOR = "GB/T 30428.2-2013/matter/01"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = found_city(database_url)
    yield database
    database.close()


def went(
    case_id: int, hours: float, waited: float | None = None, **values: Any
) -> tuple[dict[str, Any], ...]:
    """A closed case that was handed back ``hours`` after its dispatch, received ``waited`` hours after it."""
    began = NOW - timedelta(days=3)
    row = case_values(
        case_id,
        state="closed",
        dispatched_at=began,
        handled_at=began + timedelta(hours=hours),
        closed_at=NOW - timedelta(days=1),
    )
    if waited is None:
        return (row,)
    taken = {
        "id": case_id,
        "case_id": case_id,
        "at": began + timedelta(hours=waited),
        "verb": "receive",
        "from_state": "pending_handle",
        "to_state": "handling",
        "actor_id": 1,
        "actor_name": "张三",
    }
    return row, taken


def learned(database: Database) -> Remaining:
    with database.read() as connection:
        return load_remaining(connection, load_directory(connection))


def test_a_city_without_history_knows_nothing(database: Database) -> None:
    found = learned(database)
    assert (found.cases, found.of("handling", MAJOR)) == (0, 0)


def test_waiting_and_working_are_told_apart_by_the_receipt(database: Database) -> None:
    pairs = [went(i, hours, 1) for i, hours in ((1, 3), (2, 5), (3, 9))]
    write(database, (case, [p[0] for p in pairs]), (step, [p[1] for p in pairs]))
    found = learned(database)
    assert found.cases == 3
    assert found.of("pending_handle", MAJOR) == 5 * HOUR_MS
    assert found.of("handling", MAJOR) == found.of("suspended", MAJOR) == 4 * HOUR_MS
    assert found.of("pending_check", MAJOR) == found.of("reported", MAJOR) == 0


def test_a_class_counts_for_itself_once_enough_is_known_of_it(database: Database) -> None:
    write(database, (case, [went(i, 2)[0] for i in range(1, ENOUGH + 1)]))
    found = learned(database)
    assert found.usual["pending_handle"] == {"": 2 * HOUR_MS, MAJOR: 2 * HOUR_MS}
    assert found.of("pending_handle", "another") == 2 * HOUR_MS


def test_a_history_without_steps_lends_the_whole_time_to_the_work(database: Database) -> None:
    write(database, (case, [went(1, 6)[0]]))
    assert learned(database).of("handling", MAJOR) == 6 * HOUR_MS


def test_what_was_refused_or_never_dispatched_teaches_nothing(database: Database) -> None:
    rows = [
        case_values(1, state="rejected", closed_at=NOW),
        case_values(2, state="closed", closed_at=NOW),
        case_values(3),
    ]
    write(database, (case, rows))
    assert learned(database).cases == 0


def test_a_day_is_learned_once(database: Database) -> None:
    days = RemainingDays(database, ZoneInfo("Asia/Shanghai"))
    first = days.of(to_ms(NOW))
    write(database, (case, [went(1, 6)[0]]))
    assert days.of(to_ms(NOW) + HOUR_MS) is first
    assert days.of(to_ms(NOW) + 24 * HOUR_MS).cases == 1
