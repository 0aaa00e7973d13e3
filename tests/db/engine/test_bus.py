"""Permissions come first; undo puts every row back as it was, or refuses with the reason."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Table

from db.calendars.tables import calendar_day, working_window
from db.engine.bus import Bus, Undo, handles
from db.engine.connections import Database, open_database
from db.engine.journal import verify
from db.engine.unit_of_work import UnitOfWork
from db.kernel.actor import SYSTEM, Actor
from db.kernel.command import command
from db.kernel.refusal import Refused
from db.people.tables import account, person, unit
from db.registers.tables import place, road
from tests.db.engine.kit import LI, WANG, entries, rows_of


@command("test.act", permission="test.act", label="Act")
@dataclass(frozen=True)
class Act:
    """Carries out a function, which the journal of a test need not keep."""

    number: int = 0


WORK: dict[int, Callable[[UnitOfWork], Any]] = {}
ACTOR = Actor(7, "王敏", frozenset({"test.act"}))
OTHER = Actor(8, "李强", frozenset({"test.act"}))


@handles(Act)
def _act(command: Act, unit_of_work: UnitOfWork) -> Any:
    return WORK[command.number](unit_of_work)


def act(database: Database, work: Callable[[UnitOfWork], Any], actor: Actor = ACTOR) -> Any:
    number = len(WORK)
    WORK[number] = work
    return Bus(database).run(Act(number), actor)


SCHOOL = {"id": 1, "kind": "school", "name": "实验小学", "lon": 117.1, "lat": 35.1}


def add_school(u: UnitOfWork) -> None:
    u.insert(place, [SCHOOL])


def rename(name: str) -> Callable[[UnitOfWork], None]:
    return lambda u: u.update(place, {1: {"name": name}})


def refusal(database: Database, actor: Actor = ACTOR) -> str:
    before = rows_of(database, place), len(entries(database))
    with pytest.raises(Refused) as caught:
        Bus(database).undo(actor)
    assert (rows_of(database, place), len(entries(database))) == before, "a refusal leaves no trace"
    assert caught.value.text()
    return caught.value.code


def test_permission_is_refused_before_anything_is_touched(database: Database) -> None:
    WORK[-1] = lambda _u: pytest.fail("the handler was called")
    with pytest.raises(Refused) as caught:
        Bus(database).run(Act(-1), WANG)
    assert caught.value.code == "not_permitted"
    assert caught.value.text() == "王敏 may not do this: Act."
    assert entries(database) == []


def test_the_outcome_gives_the_result_the_number_and_the_rows(database: Database) -> None:
    outcome = act(database, lambda u: (add_school(u), "done")[1])
    assert (outcome.result, outcome.seq, outcome.changes.of("place")) == ("done", 1, frozenset({1}))
    assert act(database, lambda _u: None).seq == 0


def test_garbage_is_not_searched_for_before_what_an_act_has_made_is_gone(database: Database) -> None:
    searched: list[bool] = []
    unsubscribe = database.subscribe(lambda _changes: searched.append(gc.isenabled()))
    act(database, add_school)
    unsubscribe()
    assert searched == [False]
    assert gc.isenabled()


def test_one_command_has_one_handler() -> None:
    with pytest.raises(ValueError, match="two handlers for Act"):
        handles(Act)(lambda _command, _unit: None)


def test_undo_twice_walks_back_and_then_there_is_nothing_left(database: Database) -> None:
    act(database, add_school)
    act(database, rename("乙"))
    act(database, rename("丙"))
    assert Bus(database).undo(ACTOR).result == "Act"
    assert rows_of(database, place)[1]["name"] == "乙"
    Bus(database).undo(ACTOR)
    assert rows_of(database, place)[1]["name"] == "实验小学"
    Bus(database).undo(ACTOR)
    assert rows_of(database, place) == {}
    assert refusal(database) == "nothing_to_undo"
    assert [entry.undoes for entry in entries(database)] == [None, None, None, 3, 2, 1]


def test_an_act_after_an_undo_is_the_next_to_be_undone(database: Database) -> None:
    act(database, add_school)
    act(database, rename("乙"))
    Bus(database).undo(ACTOR)
    act(database, rename("丙"))
    Bus(database).undo(ACTOR)
    assert rows_of(database, place)[1]["name"] == "实验小学"


def test_undo_works_after_a_restart(database_url: str) -> None:
    first = open_database(database_url)
    act(first, add_school)
    act(first, rename("乙"))
    first.close()
    again = open_database(database_url)
    Bus(again).undo(ACTOR)
    assert rows_of(again, place)[1]["name"] == "实验小学"
    again.close()


def test_undo_is_refused_when_something_newer_touched_the_same_value(database: Database) -> None:
    act(database, add_school)
    act(database, rename("乙"))
    act(database, rename("丙"), OTHER)
    assert refusal(database) == "changed_since"


def test_undo_keeps_what_a_newer_act_changed_elsewhere_in_the_row(database: Database) -> None:
    act(database, add_school)
    act(database, rename("乙"))
    act(database, lambda u: u.update(place, {1: {"note": "n"}}), OTHER)
    Bus(database).undo(ACTOR)
    row = rows_of(database, place)[1]
    assert (row["name"], row["note"], row["version"]) == ("实验小学", "n", 4)


def test_undo_is_possible_when_the_newer_change_was_itself_undone(database: Database) -> None:
    act(database, add_school)
    act(database, rename("乙"))
    act(database, rename("丙"), OTHER)
    Bus(database).undo(OTHER)
    Bus(database).undo(ACTOR)
    assert rows_of(database, place)[1]["name"] == "实验小学"


def test_a_row_that_something_newer_points_to_is_not_taken_away(database: Database) -> None:
    act(database, lambda u: u.insert(unit, [{"id": 1, "code": "U1", "name": "x", "kind": "squad"}]))
    someone = {"id": 1, "code": "P1", "name": "张三", "unit_id": 1, "post": "handler"}
    act(database, lambda u: u.insert(person, [someone]), OTHER)
    assert refusal(database) == "changed_since"
    assert list(rows_of(database, unit)) == [1]


def test_a_removed_row_is_not_put_back_over_a_new_one(database: Database) -> None:
    act(database, add_school)
    act(database, lambda u: u.delete(place, [1]))
    act(database, add_school, OTHER)
    assert refusal(database) == "changed_since"


def test_the_act_of_another_is_not_undone(database: Database) -> None:
    act(database, add_school)
    assert refusal(database, OTHER) == "nothing_to_undo"
    with pytest.raises(Refused) as caught:
        Bus(database).run(Undo(1), OTHER)
    assert caught.value.code == "not_yours"
    assert caught.value.text() == "Only 王敏 can undo this."
    Bus(database).run(Undo(1), SYSTEM)
    assert rows_of(database, place) == {}


def test_an_act_is_undone_once(database: Database) -> None:
    act(database, add_school)
    Bus(database).run(Undo(1), ACTOR)
    with pytest.raises(Refused) as caught:
        Bus(database).run(Undo(1), ACTOR)
    assert caught.value.code == "undone_already"


def test_a_bulk_load_is_not_undone(database: Database) -> None:
    act(database, lambda u: u.load(place, ("id", "kind", "name", "lon", "lat"), [(1, "a", "b", 1.0, 2.0)]))
    assert refusal(database) == "cannot_undo"


def test_an_entry_that_is_not_there_cannot_be_undone(database: Database) -> None:
    with pytest.raises(Refused) as caught:
        Bus(database).run(Undo(99), ACTOR)
    assert caught.value.code == "cannot_undo"


def test_a_changed_private_value_cannot_be_restored_and_says_so(database: Database) -> None:
    def people(u: UnitOfWork) -> None:
        u.insert(unit, [{"id": 1, "code": "U1", "name": "x", "kind": "squad"}])
        u.insert(person, [{"id": 1, "code": "P1", "name": "张三", "unit_id": 1, "post": "handler"}])
        u.insert(account, [{"id": 1, "login": "z", "person_id": 1, "password_hash": "a"}])

    act(database, people)
    act(database, lambda u: u.update(account, {1: {"password_hash": "b"}}))
    assert refusal(database) == "cannot_undo"


# Undo after do, over random acts.

TABLES: dict[str, tuple[Table, Callable[[int, str], dict[str, Any]]]] = {
    "unit": (unit, lambda i, w: {"code": f"U{i}", "name": w, "kind": "squad", "active": len(w) % 2 == 0}),
    "place": (place, lambda i, w: {"kind": "x", "name": w, "lon": i / 7, "lat": 1.5, "note": w or None}),
    "road": (road, lambda i, w: {"name": w, "grade": "main", "line": w.encode() + bytes([i])}),
    "calendar_day": (
        calendar_day,
        lambda i, w: {"day": date(2026, 1, i + 1), "kind": "holiday", "name": w},
    ),
    "working_window": (
        working_window,
        lambda i, w: {
            "valid_from": date(2026, 1, 1 + len(w)),
            "valid_to": date(2026, 2, 1) if w else None,
            "begins": time(8, len(w)),
            "ends": time(12),
        },
    ),
}
parts = st.tuples(
    st.sampled_from(["insert", "update", "delete"]),
    st.sampled_from(sorted(TABLES)),
    st.sets(st.integers(1, 6), min_size=1, max_size=4),
    st.text("甲乙ab", max_size=3),
)
acts = st.lists(st.lists(parts, min_size=1, max_size=5), min_size=1, max_size=5)


def carry_out(parts: list[tuple[str, str, set[int], str]]) -> Callable[[UnitOfWork], None]:
    """Adds what is not there, changes and removes what is."""

    def work(u: UnitOfWork) -> None:
        for verb, name, ids, word in parts:
            table, values = TABLES[name]
            there = set(u.rows(table, sorted(ids)))
            if verb == "insert":
                u.insert(table, [{"id": i, **values(i, word)} for i in sorted(ids - there)])
            elif verb == "update":
                u.update(table, {i: values(i, word) for i in sorted(there)})
            else:
                u.delete(table, sorted(ids))

    return work


def everything(database: Database) -> dict[str, Any]:
    """All rows but for their versions, which count undoing too."""
    return {
        name: {
            i: {k: v for k, v in row.items() if k != "version"} for i, row in rows_of(database, table).items()
        }
        for name, (table, _values) in TABLES.items()
    }


def undo_is_the_way_back(database: Database, plan: list[list[tuple[str, str, set[int], str]]]) -> None:
    someone = Actor(len(entries(database)) + 1000, "王敏", frozenset({"test.act"}))
    states = []
    for parts in plan:
        before = everything(database)
        if act(database, carry_out(parts), someone).seq:
            states.append(before)
    for before in reversed(states):
        Bus(database).undo(someone)
        assert everything(database) == before
    with database.read() as connection:
        assert verify(connection).whole


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=acts)
def test_undo_after_do_changes_nothing(file_database: Database, plan: Any) -> None:
    undo_is_the_way_back(file_database, plan)


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=acts)
def test_undo_after_do_changes_nothing_on_a_server(database: Database, plan: Any) -> None:
    undo_is_the_way_back(database, plan)


def test_moments_come_back_through_undo(database: Database) -> None:
    at = datetime(2026, 3, 16, 2, 0, 0, 5000, tzinfo=UTC)

    def people(u: UnitOfWork) -> None:
        u.insert(unit, [{"id": 1, "code": "U1", "name": "x", "kind": "squad"}])
        u.insert(person, [{"id": 1, "code": "P1", "name": "张三", "unit_id": 1, "post": "handler"}])
        u.insert(account, [{"id": 1, "login": "z", "person_id": 1, "password_hash": "a", "locked_until": at}])

    act(database, people)
    act(database, lambda u: u.update(account, {1: {"locked_until": None, "failures": 3}}), LI_MAY)
    Bus(database).undo(LI_MAY)
    row = rows_of(database, account)[1]
    assert (row["locked_until"], row["failures"]) == (at, 0)


LI_MAY = Actor(LI.account_id, LI.name, frozenset({"test.act"}))
