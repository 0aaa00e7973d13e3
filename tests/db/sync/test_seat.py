"""A person's seat: addresses as people write them, and one file that two programs of a computer may want."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy import text

from db.sync.copy import Progress
from db.sync.seat import ELSEWHERE, Seat, server_address, shown_address, take_seat
from tests.db.sync.conftest import Pair
from tests.kit.network import PASSWORD
from tests.kit.refusals import refused

DEADLINE = 60.0


@pytest.mark.parametrize(
    "written", ["10.1.2.3", "server.example/city", "127.0.0.1:6432/jingwei", "localhost:5433/city"]
)
def test_an_address_is_shown_as_a_person_would_write_it(written: str) -> None:
    address = server_address(written)
    assert address.startswith("postgresql+psycopg://")
    assert shown_address(address) == (written if "/" in written else f"{written}/jingwei")


def test_what_cannot_be_said_in_short_is_shown_in_full() -> None:
    address = server_address("postgresql://server.example/city?sslmode=require")
    assert shown_address(address) == address
    assert shown_address("") == ""
    with refused("not_an_address"):
        server_address("http://server.example")


def test_two_programs_that_begin_at_once_make_one_station(pair: Pair, tmp_path: Path) -> None:
    """The second is told that it waits, and sits down at the file that the first has made."""
    address = f"postgresql+psycopg:///{pair.server.name}?host={pair.server.postgres.folder}"
    begun, waits = threading.Event(), threading.Event()
    seats: list[Seat] = []
    seen: dict[str, list[str]] = {"first": [], "second": []}

    def sit(who: str, login: str) -> None:
        def copied(progress: Progress) -> None:
            seen[who].append(progress.table)
            begun.set()
            if progress.table == ELSEWHERE:
                waits.set()
            elif who == "first":
                assert waits.wait(DEADLINE)

        seats.append(take_seat(address, tmp_path, login, PASSWORD, copied=copied))

    first = threading.Thread(target=sit, args=("first", "wang"))
    second = threading.Thread(target=sit, args=("second", "li"))
    first.start()
    assert begun.wait(DEADLINE)
    second.start()
    for thread in (first, second):
        thread.join(DEADLINE)
    try:
        assert len(seats) == 2
        assert set(seen["second"]) == {ELSEWHERE}
        assert ELSEWHERE not in seen["first"]
        assert {seat.actor.name for seat in seats} == {"王敏", "李华"}
        with pair.server.owner.read() as connection:
            # Two of the pair's own, and this one.
            assert connection.execute(text("SELECT count(*) FROM station")).scalar_one() == 3
    finally:
        for seat in seats:
            seat.leave()
