"""A sign of presence is telemetry: seen at once, once a person, and forgotten by itself."""

from __future__ import annotations

from datetime import timedelta

import pytest

from db.bootstrap import Core
from db.kernel.actor import SYSTEM, Actor
from db.kernel.clock import SetClock
from db.people.commands import CreateAccount, actor_of
from db.people.presence import FORGOTTEN, leave, present, say, who_is_at
from db.people.tables import person, presence
from tests.db.engine.kit import entries, write

CASE, OTHER = 4001, 4002


@pytest.fixture
def people(core: Core) -> tuple[Actor, Actor]:
    someone = {"id": 2, "code": "P2", "name": "李强", "unit_id": 1, "post": "acceptor"}
    write(core.database, lambda u: u.insert(person, [someone]))
    for login, person_id in (("wang", 1), ("li", 2)):
        core.bus.run(CreateAccount(login, person_id, "Abcdefg1", ("dispatcher",)), SYSTEM)
    return actor_of(core.database, "wang"), actor_of(core.database, "li")


def seen(core: Core) -> dict[int, list[tuple[str, bool]]]:
    with core.database.read() as connection:
        return present(connection, core.clock.now())


def wait(core: Core, by: timedelta) -> None:
    assert isinstance(core.clock, SetClock)
    core.clock.advance(by)


def test_who_looks_at_a_case_is_seen_until_45_seconds_have_gone(
    core: Core, people: tuple[Actor, Actor]
) -> None:
    wang, li = people
    say(core.database, "a", wang, CASE)
    say(core.database, "b", li, CASE, typing=True)
    assert seen(core) == {CASE: [("李强", True), ("王敏", False)]}
    with core.database.read() as connection:
        assert who_is_at(connection, CASE, core.clock.now()) == [("李强", True), ("王敏", False)]
        assert who_is_at(connection, OTHER, core.clock.now()) == []
    wait(core, FORGOTTEN - timedelta(seconds=1))
    say(core.database, "b", li, CASE)
    assert seen(core) == {CASE: [("李强", False), ("王敏", False)]}
    wait(core, timedelta(seconds=1))
    assert seen(core) == {CASE: [("李强", False)]}


def test_two_windows_of_one_person_count_once_and_writing_in_either_counts(
    core: Core, people: tuple[Actor, Actor]
) -> None:
    wang, _li = people
    for session, typing in (("a", False), ("b", True), ("c", False)):
        say(core.database, session, wang, CASE, typing)
    assert seen(core) == {CASE: [("王敏", True)]}
    say(core.database, "b", wang, OTHER)
    assert seen(core) == {CASE: [("王敏", False)], OTHER: [("王敏", False)]}


def test_a_closed_window_is_forgotten_at_once(core: Core, people: tuple[Actor, Actor]) -> None:
    wang, _li = people
    say(core.database, "a", wang, CASE)
    leave(core.database, "a", wang)
    assert seen(core) == {}


def test_presence_reaches_neither_journal_nor_eternity(core: Core, people: tuple[Actor, Actor]) -> None:
    wang, li = people
    count = len(entries(core.database))
    say(core.database, "a", wang, CASE)
    wait(core, timedelta(days=2))
    say(core.database, "b", li)
    assert seen(core) == {}
    assert len(entries(core.database)) == count
    with core.database.read() as connection:
        assert [row.session for row in connection.execute(presence.select())] == ["b"]


def test_the_program_itself_is_nowhere(core: Core) -> None:
    say(core.database, "a", SYSTEM, CASE)
    leave(core.database, "a", SYSTEM)
    assert seen(core) == {}
