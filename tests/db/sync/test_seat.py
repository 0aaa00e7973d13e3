"""A person's seat: addresses as people write them, and one file that two programs of a computer may want."""

from __future__ import annotations

import threading
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.engine import make_url

from db.engine.tables import grace
from db.people.tables import account, account_scope
from db.sync.authority import AUTHORITY, way_to
from db.sync.copy import Progress
from db.sync.seat import (
    ELSEWHERE,
    Seat,
    open_replica,
    server_address,
    short_address,
    shown_address,
    station_files,
    take_seat,
)
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


@pytest.mark.parametrize(
    "written",
    ["one,other/city", "postgresql:///city?host=one,other", "postgresql:///city?host=one&host=other"],
)
def test_of_a_server_and_its_standby_the_one_that_writes_is_proved_and_asked(written: str) -> None:
    address = make_url(server_address(written))
    assert address.query["sslmode"] == "verify-full"
    assert address.query["target_session_attrs"] == "read-write"
    assert short_address(str(address)) == "one,other/city"


def test_the_authority_of_this_computer_vouches_for_every_one_of_several(tmp_path: Path) -> None:
    (tmp_path / AUTHORITY).touch()
    way = make_url(way_to(server_address("postgresql:///city?host=one,other"), tmp_path))
    assert way.query["sslrootcert"] == str(tmp_path / AUTHORITY)


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


def test_without_a_line_nobody_opens_the_file_of_an_earlier_scope(pair: Pair, tmp_path: Path) -> None:
    """Who saw everything once, and now sees a part of it, is let in by the file of today alone."""
    address = f"postgresql+psycopg:///{pair.server.name}?host={pair.server.postgres.folder}"
    take_seat(address, tmp_path, "zhao", PASSWORD).leave()
    take_seat(address, tmp_path, "li", PASSWORD).leave()
    (wide,) = station_files(tmp_path, address)
    with pair.server.owner.engine.begin() as connection:
        who = connection.execute(select(account.c.id).where(account.c.login == "zhao")).scalar_one()
        connection.execute(
            insert(account_scope).values(id=1, account_id=who, kind="category", prefix="matter 09")
        )
    take_seat(address, tmp_path, "zhao", PASSWORD).leave()
    (narrow,) = set(station_files(tmp_path, address)) - {wide}
    known = {}
    for path in (wide, narrow):
        with closing(open_replica(path)) as local, local.read() as connection:
            known[path] = set(connection.execute(select(grace.c.login)).scalars())
    assert known == {wide: {"li"}, narrow: {"zhao"}}
