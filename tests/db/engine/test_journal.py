"""Who alters, removes, moves or cuts an entry by plain SQL is found out; the first broken one is named."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from db.cases.tables import case, reporter
from db.engine.bus import Bus
from db.engine.connections import Database
from db.engine.journal import GENESIS, last_touch, verify
from db.people.tables import unit
from db.registers.tables import category, place
from tests.db.engine.kit import LI, WANG, Write, entries, rows_of, write

ENTRIES = 6


@pytest.fixture
def written(database: Database) -> Database:
    """Six entries: rows added, changed, removed, loaded in bulk, and one act undone."""
    home = {"id": 1, "kind": "school", "name": "实验小学", "lon": 117.1, "lat": 35.1}
    write(database, lambda u: u.insert(place, [home]))
    write(database, lambda u: u.update(place, {1: {"name": "第二小学"}}))
    write(database, lambda u: u.load(place, ("id", "kind", "name", "lon", "lat"), [(2, "x", "y", 1.0, 2.0)]))
    write(database, lambda u: u.update(place, {2: {"note": "bulk"}}), LI)
    Bus(database).undo(LI)
    write(database, lambda u: u.delete(place, [1]))
    assert len(entries(database)) == ENTRIES
    return database


def proof_after(database: Database, *statements: str, **values: Any) -> tuple[int | None, str]:
    """What the walk finds after an alteration, which is taken back at the end."""
    with database.engine.connect() as connection:
        if database.dialect == "sqlite":
            connection.exec_driver_sql("BEGIN")
        for statement in statements:
            connection.execute(text(statement), values)
        proof = verify(connection)
        connection.rollback()
    assert proof.entries == (ENTRIES if proof.broken_at is None else proof.broken_at - 1)
    return proof.broken_at, proof.reason


def test_a_chain_that_nobody_touched_is_whole_and_tells_its_last_seal(written: Database) -> None:
    with written.read() as connection:
        proof = verify(connection)
    assert proof.whole
    assert (proof.entries, proof.seal) == (ENTRIES, entries(written)[-1].hash)


def test_an_empty_journal_is_whole(database: Database) -> None:
    with database.read() as connection:
        assert verify(connection).seal == GENESIS


numbers = st.integers(-(2**62), 2**62)
words = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=60)
seals = st.binary(min_size=32, max_size=32)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "at": numbers,
    "actor_id": numbers,
    "actor_name": words,
    "station": st.integers(0, 2**31 - 1),
    "command": words,
    "arguments": words,
    "changes": words,
    "touched": st.none() | words | st.just("null"),
    "undoes": st.none() | numbers,
    "previous": seals,
    "hash": seals,
}
alterations = st.sampled_from(sorted(FIELDS)).flatmap(lambda name: st.tuples(st.just(name), FIELDS[name]))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seq=st.integers(1, ENTRIES), alteration=alterations)
def test_an_altered_field_breaks_the_chain_at_its_entry(
    written: Database, seq: int, alteration: tuple[str, Any]
) -> None:
    name, value = alteration
    with written.read() as connection:
        kept = connection.execute(text(f"SELECT {name} FROM journal WHERE seq = :seq"), {"seq": seq}).scalar()
    if name in {"actor_name", "command"} and value is not None:
        value = value[:60]
    if kept == value:
        return
    broken_at, reason = proof_after(
        written, f"UPDATE journal SET {name} = :value WHERE seq = :seq", value=value, seq=seq
    )
    assert (broken_at, reason) == (seq, "unchained" if name == "previous" else "altered")


@pytest.mark.parametrize("seq", range(1, ENTRIES))
def test_a_removed_entry_is_missing(written: Database, seq: int) -> None:
    assert proof_after(written, "DELETE FROM journal WHERE seq = :seq", seq=seq) == (seq, "missing")


def test_entries_cut_off_at_the_end_are_missed(written: Database) -> None:
    for first in range(1, ENTRIES + 1):
        assert proof_after(written, "DELETE FROM journal WHERE seq >= :seq", seq=first) == (first, "cut")


def test_a_cut_is_found_even_when_the_head_was_set_back_without_its_seal(written: Database) -> None:
    cut = ("DELETE FROM journal WHERE seq = 6", "UPDATE journal_head SET seq = 5")
    assert proof_after(written, *cut) == (6, "cut")


@pytest.mark.parametrize("seq", [0, -5, 99])
def test_an_entry_that_was_given_another_number_is_missed(written: Database, seq: int) -> None:
    broken_at, reason = proof_after(written, "UPDATE journal SET seq = :seq WHERE seq = 3", seq=seq)
    assert reason == "missing"
    assert broken_at == (3 if seq > 3 else 1)


def test_two_entries_that_changed_places_break_the_chain_at_the_first(written: Database) -> None:
    moves = [f"UPDATE journal SET seq = {b} WHERE seq = {a}" for a, b in ((2, 99), (4, 2), (99, 4))]
    assert proof_after(written, *moves)[0] == 2


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journal_head SET seq = 7",
        "UPDATE journal_head SET hash = previous FROM journal WHERE journal.seq = 6",
        "DELETE FROM journal_head",
        "INSERT INTO journal_head (id, seq, hash) SELECT 2, seq, hash FROM journal_head",
    ],
)
def test_a_head_that_does_not_fit_is_found(written: Database, statement: str) -> None:
    assert proof_after(written, statement) == (7, "cut")


@pytest.mark.parametrize(
    "change",
    ["arguments = X'00FF'", "changes = CAST(X'FF' AS TEXT)", "hash = 'text'", "actor_name = X'41'"],
)
def test_values_of_another_kind_are_an_alteration_and_no_crash(file_database: Database, change: str) -> None:
    write(file_database, lambda u: u.insert(place, [{"id": 1, "kind": "x", "name": "y", "lon": 1, "lat": 2}]))
    with file_database.engine.connect() as connection:
        connection.exec_driver_sql("BEGIN")
        connection.exec_driver_sql(f"UPDATE journal SET {change}")
        assert verify(connection).reason == "altered"
        connection.rollback()


def test_contacts_enter_the_journal_only_as_keyed_digests(database: Database) -> None:
    standard = {"standard": "S", "kind": "matter", "code": "1", "major": "1", "major_name": "x", "name": "x"}
    report = {"number": "N", "state": "reported", "source": "hotline", "category_id": 1}
    with database.write(WANG, Write(phone="13800001234")) as work:
        work.insert(category, [{"id": 1, **standard}])
        work.insert(case, [{"id": 2, "reported_at": work.now, **report}])
        work.insert(reporter, [{"id": 3, "case_id": 2, "name": "李四", "phone": "13800001234"}])
    with database.read() as connection:
        raw = " ".join(
            str(value) for row in connection.execute(text("SELECT * FROM journal")) for value in row
        )
    assert "13800001234" not in raw
    assert "李四" not in raw
    entry = entries(database)[0]
    assert entry.arguments == {"note": "", "phone": "#"}
    diff = dict(entry.changes["reporter"])[3]
    assert diff["phone"][1].startswith("#")
    assert len(diff["phone"][1]) == 33
    assert diff["wants_answer"] == [None, False]


def test_the_same_contact_has_another_digest_in_another_database(database: Database) -> None:
    with database.write(WANG, Write()) as work:
        digest = work.encoders(reporter)["phone"]
        first = digest("13800001234")
        assert digest("13800001234") == first
        assert digest("") == ""
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE setting SET value = '\"other\"' WHERE key = 'journal.key'"))
    with database.write(WANG, Write()) as work:
        assert work.encoders(reporter)["phone"]("13800001234") != first


def test_the_last_touch_of_a_row_tells_who_by_which_command_and_when(written: Database) -> None:
    with written.read() as connection:
        touch = last_touch(connection, place, 2)
        assert touch is not None
        assert (touch.actor_name, touch.command, touch.at) == ("李强", "undo", written.clock.now())
        assert last_touch(connection, unit, 2) is None, "another table"
        assert last_touch(connection, place, 2, within=1) is None, "too long ago"
    assert list(rows_of(written, place)) == [2]
