"""Whatever is written by whomever, the index says what it would say if it were made anew."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from db.cases.tables import case as cases
from db.engine import settings as facts
from db.engine.bus import Bus
from db.engine.connections import Database
from db.kernel.actor import SYSTEM
from db.kernel.clock import from_ms
from db.kernel.refusal import Refused
from db.search.index import is_ready, rebuild
from tests.db.live.city import Write, case_values, load_cases, remove, write
from tests.db.search.kit import expected, forget_cases, found, indexed

TEXTS = st.text("井盖路面损aB19 ，", max_size=8)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(1, 5), TEXTS),
        st.tuples(st.just("assign"), st.integers(1, 5), st.sampled_from([None, 1, 2])),
        st.tuples(st.just("end"), st.integers(1, 5), st.sampled_from(["closed", "void"])),
        st.tuples(st.just("reopen"), st.integers(1, 5), st.none()),
        st.tuples(st.just("twice"), st.integers(1, 5), TEXTS),
        st.tuples(st.just("remove"), st.integers(1, 5), st.none()),
        st.tuples(st.just("load"), st.integers(1, 3), st.none()),
        st.tuples(st.just("undo"), st.just(0), st.none()),
    ),
    max_size=8,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_after_any_history_it_equals_one_made_anew(
    database: Database, history: Sequence[tuple[str, int, Any]]
) -> None:
    forget_cases(database)
    for turn, (what, key, value) in enumerate(history):
        _do(database, turn, what, key, value)
        assert indexed(database) == expected(database)
    kept = indexed(database)
    rebuild(database)
    assert indexed(database) == kept


def test_what_was_not_committed_is_not_found(database: Database) -> None:
    write(database, (cases, [case_values(1, address="井盖")]))
    with suppress(Refused), database.write(SYSTEM, Write()) as unit:
        unit.update(cases, {1: {"address": "路面"}})
        unit.update(cases, {2: {"address": "there is no such case"}})
    assert found(database, "井盖") == [1]
    assert found(database, "路面") == []


def test_an_index_that_is_not_made_yet_is_left_alone_and_refused(database: Database) -> None:
    write(database, (cases, [case_values(1, address="井盖")]))
    with database.write(SYSTEM, Write()) as unit:
        facts.put(unit, "search.edition", 0)
    write(database, (cases, [case_values(1, address="路面"), case_values(2)]))
    with database.read() as connection:
        assert not is_ready(connection)
    with pytest.raises(Refused, match="has to be made first"):
        found(database, "井盖")
    told: list[tuple[int, int]] = []
    assert rebuild(database, lambda done, total: told.append((done, total))) == 2
    assert told == [(2, 2)]
    assert found(database, "路面") == [1]
    assert indexed(database) == expected(database)


def test_a_rebuild_leaves_no_entry_in_the_journal(database: Database) -> None:
    with database.read() as connection:
        before = connection.execute(text("SELECT count(*) FROM journal")).scalar()
    rebuild(database)
    with database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM journal")).scalar() == before


def test_the_index_stays_sound_when_it_is_told_only_of_what_changed(database: Database) -> None:
    write(database, (cases, [case_values(key, address="井盖路面") for key in range(1, 60)]))
    for turn in range(1, 30):
        with database.write(SYSTEM, Write()) as unit:
            facts_of = {key: {"unit_id": 1 + (turn + key) % 2} for key in range(59, 0, -1 - turn % 3)}
            unit.update(cases, facts_of)
        assert indexed(database) == expected(database)
    with database.write(SYSTEM, Write()) as unit:
        unit.update(cases, {key: {"unit_id": None} for key in range(1, 60)})
    assert found(database, "井盖") == list(range(59, 0, -1))
    remove(database, cases, list(range(1, 60)))
    assert indexed(database) == {}
    if database.dialect == "sqlite":
        with database.engine.begin() as connection:
            connection.execute(text("INSERT INTO case_words(case_words) VALUES ('integrity-check')"))
            connection.execute(text("INSERT INTO case_words(case_words) VALUES ('optimize')"))
    assert indexed(database) == {}


def _do(database: Database, turn: int, what: str, key: int, value: Any) -> None:
    known = expected(database)
    end = {"state": "handling", "closed_at": None}
    if what == "put":
        write(database, (cases, [case_values(key, address=value)]))
    elif what == "load":
        load_cases(database, range(100 * turn + 10, 100 * turn + 10 + key))
    elif what == "undo":
        with suppress(Refused):
            Bus(database).undo(SYSTEM)
    elif key not in known:
        return
    elif what == "remove":
        remove(database, cases, [key])
    else:
        if what == "end":
            end = {"state": value, "closed_at": from_ms(1_773_460_000_000 + turn)}
        with database.write(SYSTEM, Write()) as unit:
            if what == "assign":
                unit.update(cases, {key: {"unit_id": value}})
            elif what == "twice":
                unit.update(cases, {key: {"description": value}})
                unit.update(cases, {key: {"description": value[::-1], "foreign_number": value or None}})
            else:
                unit.update(cases, {key: end})
