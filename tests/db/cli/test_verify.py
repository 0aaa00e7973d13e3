"""``jingwei verify`` names the first broken entry, and the figures that do not equal a recount."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from db.bootstrap import Core
from db.cases.tables import case
from db.cli import verify
from db.cli.main import run_verb
from tests.db.cases.office import at_state, open_office
from tests.db.engine.kit import entries, rows_of


@pytest.fixture
def core(database_url: str) -> Iterator[Core]:
    """Some cases, and an address for the command line."""
    core = open_office(database_url)
    for state in ("reported", "handling", "closed"):
        at_state(core, state)
    yield core
    core.close()


def run(url: str, *words: str) -> int:
    return run_verb("verify", ["verify", "--db", url, *words], "db.cli.verify")


def alter(core: Core, statement: str) -> None:
    with core.database.engine.begin() as connection:
        connection.execute(text(statement))


def test_a_whole_journal_ends_with_nought_and_tells_its_seal(
    core: Core, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    newest = entries(core.database)[-1]
    assert run(database_url) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"The journal chain is whole: {newest.seq} entries.",
        f"Seal of the last entry: {newest.hash.hex()}",
        "The live counters equal a recount.",
        "Every open case has a holder.",
    ]
    assert run(database_url, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["whole"], found["entries"], found["seal"]) == (True, newest.seq, newest.hash.hex())


@pytest.mark.parametrize(
    "statement, sentence",
    [
        ("UPDATE journal SET actor_name = 'x' WHERE seq = 4", "breaks at entry 4: its content was changed"),
        ("DELETE FROM journal WHERE seq = 5", "breaks at entry 5: the entry is missing"),
        ("UPDATE journal SET previous = hash WHERE seq = 6", "breaks at entry 6: it is not chained"),
    ],
)
def test_an_altered_journal_ends_with_one_and_names_the_entry(
    core: Core, database_url: str, capsys: pytest.CaptureFixture[str], statement: str, sentence: str
) -> None:
    alter(core, statement)
    assert run(database_url) == 1
    assert sentence in capsys.readouterr().out
    assert run(database_url, "--json") == 1
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert not found["whole"]
    assert found["broken_at"] == int(sentence.split()[3].rstrip(":"))
    assert found["reason"] in verify.REASONS


def test_entries_cut_off_at_the_end_are_named(
    core: Core, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    newest = entries(core.database)[-1].seq
    alter(core, f"DELETE FROM journal WHERE seq = {newest}")
    assert run(database_url) == 1
    assert f"breaks at entry {newest}: entries at the end were cut off." in capsys.readouterr().out


def test_figures_that_differ_are_listed(
    core: Core, database_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "differences", lambda _connection, _now: {"open": (3, 2)})
    assert run(database_url) == 1
    assert "  open: 3 ≠ 2" in capsys.readouterr().out


def test_an_open_case_that_nobody_has_is_named(
    core: Core, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    alter(core, "UPDATE unit SET active = false WHERE id = 1")
    number = next(
        each["number"] for each in rows_of(core.database, case).values() if each["state"] == "handling"
    )
    assert run(database_url) == 1
    assert f"  {number}: the unit that has it is no longer active" in capsys.readouterr().out.splitlines()
    assert run(database_url, "--json") == 1
    assert json.loads(capsys.readouterr().out)["without_holder"] == [number]
