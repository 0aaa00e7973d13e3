"""Positions and presence of one station come to the other, the newest only, and are not told back."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, text

from db.engine.journal import verify
from db.people.presence import present, say
from db.people.tables import position
from db.sync.measured import send_measured, told_measured
from tests.db.engine.kit import write
from tests.db.sync.conftest import Pair
from tests.kit.network import Post

CASE = 7


def send(post: Post, login: str, table: str = "presence") -> int:
    return send_measured(post.local, post.way(login), [table])


def present_at(post: Post) -> list[tuple[str, bool]]:
    with post.local.read() as connection:
        return present(connection, post.clock.now()).get(CASE, [])


def place(post: Post, lon: float, ago: timedelta) -> None:
    """The place of person 1, as a device told it here."""
    row = {"person_id": 1, "at": post.clock.now() - ago, "lon": lon, "lat": 39.9}
    write(post.local, lambda unit: unit.telemetry(position, [row]), post.actors[post.people[0]])


def lons(post: Post) -> list[float]:
    with post.local.read() as connection:
        return list(connection.execute(select(position.c.lon)).scalars())


def test_who_looks_at_a_case_is_seen_at_the_other_station(pair: Pair) -> None:
    say(pair.east.local, "window", pair.east.actors["wang"], CASE, typing=True)
    assert send(pair.east, "wang") == 1
    pair.west.pull()
    assert present_at(pair.west) == [("王敏", True)]


def test_what_was_told_is_told_once_and_by_one(pair: Pair) -> None:
    say(pair.east.local, "window", pair.east.actors["wang"], CASE)
    assert send(pair.east, "wang") == 1
    assert send(pair.east, "wang") == 0
    pair.west.pull()
    assert send(pair.west, "sun") == 0


def test_an_older_place_does_not_hide_a_newer_one(pair: Pair) -> None:
    place(pair.west, 116.2, timedelta(seconds=5))
    assert send(pair.west, "sun", "position") == 1
    place(pair.east, 116.1, timedelta(minutes=5))
    assert send(pair.east, "chen", "position") == 0
    pair.east.pull()
    assert lons(pair.east) == [116.2]


def test_a_place_that_the_server_does_not_take_stops_nothing(pair: Pair) -> None:
    place(pair.east, 116.1, timedelta(seconds=5))
    # She may neither follow people nor is she that one.
    assert send(pair.east, "wang", "position") == 0
    say(pair.east.local, "window", pair.east.actors["wang"], CASE)
    assert send_measured(pair.east.local, pair.east.way("wang"), ["position", "presence"]) == 1


def test_measurements_leave_the_journal_alone(pair: Pair) -> None:
    with pair.server.owner.read() as connection:
        before = connection.execute(text("SELECT seq FROM journal_head")).scalar()
    say(pair.east.local, "window", pair.east.actors["wang"], CASE)
    send(pair.east, "wang")
    with pair.server.owner.read() as connection:
        assert connection.execute(text("SELECT seq FROM journal_head")).scalar() == before
        assert verify(connection).whole


def test_only_tables_of_measurements_are_told() -> None:
    assert told_measured(["cases", "presence", "journal"]) == {"presence"}
