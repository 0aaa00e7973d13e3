"""A follower hears of every row that comes, changes or goes, within the same transaction."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection

from db.engine import following
from db.engine.bus import Bus
from db.engine.connections import Database
from db.engine.following import Rows, followers_of, follows
from db.registers.tables import place
from tests.db.engine.kit import WANG, rows_of, write

SCHOOL = {"id": 1, "kind": "school", "name": "实验小学", "lon": 117.1, "lat": 35.1}


class Ear:
    """Keeps the names before and after, and refuses on demand."""

    def __init__(self) -> None:
        self.heard: list[tuple[list[str], list[str]]] = []
        self.refuses = False

    def hear(self, connection: Connection, before: Rows, after: Rows) -> None:
        assert connection.in_transaction()
        if self.refuses:
            raise RuntimeError("no")
        self.heard.append(([row["name"] for row in before], [row["name"] for row in after]))


@pytest.fixture
def ear(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ear]:
    monkeypatch.setattr(following, "_followers", {})
    monkeypatch.setattr(following, "_looked_at", {})
    ear = Ear()
    follows(place)(ear.hear)
    return ear


def test_it_hears_of_inserts_updates_deletes_and_loads(database: Database, ear: Ear) -> None:
    write(database, lambda u: u.insert(place, [SCHOOL]))
    write(database, lambda u: u.update(place, {1: {"name": "第二小学"}}))
    write(database, lambda u: u.update(place, {1: {"name": "第二小学"}}))
    columns = ("id", "kind", "name", "lon", "lat")
    write(database, lambda u: u.load(place, columns, [(2, "x", "y", 1.0, 2.0)]))
    write(database, lambda u: u.delete(place, [1, 404]))
    assert ear.heard == [
        ([], ["实验小学"]),
        (["实验小学"], ["第二小学"]),
        ([], ["y"]),
        (["第二小学"], []),
    ]


def test_it_need_not_hear_of_what_it_does_not_look_at(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "_followers", {})
    monkeypatch.setattr(following, "_looked_at", {})
    heard: list[tuple[Rows, Rows]] = []
    follows(place, ["name"])(lambda _connection, before, after: heard.append((before, after)))
    write(database, lambda u: u.insert(place, [SCHOOL, {**SCHOOL, "id": 2}]))
    del heard[:]
    write(database, lambda u: u.update(place, {1: {"note": "x"}}))
    assert heard == []
    write(database, lambda u: u.update(place, {1: {"note": "y"}, 2: {"name": "第二小学"}}))
    assert heard == [([{"id": 2, "name": "实验小学"}], [{"id": 2, "name": "第二小学"}])]


def test_what_is_undone_is_heard_too(database: Database, ear: Ear) -> None:
    write(database, lambda u: u.insert(place, [SCHOOL]))
    Bus(database).undo(WANG)
    assert ear.heard[-1] == (["实验小学"], [])


def test_when_it_cannot_follow_nothing_is_written(database: Database, ear: Ear) -> None:
    ear.refuses = True
    with pytest.raises(RuntimeError):
        write(database, lambda u: u.insert(place, [SCHOOL]))
    assert rows_of(database, place) == {}


def test_a_function_follows_a_table_once(ear: Ear) -> None:
    def keep(_connection: Connection, _before: Any, _after: Any) -> None: ...

    follows(place)(keep)
    follows(place)(keep)
    assert list(followers_of(place)).count(keep) == 1
