"""After a mass act the log is copied into the file later, and never left to grow."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from db.engine import checkpoints
from db.engine.connections import Database, open_database
from db.registers.tables import place
from tests.db.engine.kit import rows_of, write

MANY = 3000


def left_in_log(path: Path) -> int:
    """How many bytes of the database stand in the log alone."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as file:
        in_file = int(file.execute("SELECT count(*) FROM place").fetchone()[0])
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as both:
        return int(both.execute("SELECT count(*) FROM place").fetchone()[0]) - in_file


def add(database: Database, first: int, count: int = MANY) -> None:
    school = {"kind": "school", "name": "校" * 500, "lon": 1.0, "lat": 2.0}
    rows = [{**school, "id": first + i} for i in range(count)]
    write(database, lambda unit: unit.insert(place, rows))


@pytest.fixture
def path(file_database: Database) -> Path:
    assert file_database.path is not None
    add(file_database, 1, 1)
    return file_database.path


def test_a_mass_act_is_copied_when_there_is_time(
    file_database: Database, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked, connect = threading.Event(), file_database._checkpoints._connect

    def connect_when_looked() -> Any:
        assert looked.wait(60)
        return connect()

    monkeypatch.setattr(file_database._checkpoints, "_connect", connect_when_looked)
    add(file_database, 10)
    assert left_in_log(path) >= MANY
    looked.set()
    file_database.settle()
    assert left_in_log(path) == 0
    file_database.settle()


def test_without_time_the_log_does_not_grow_for_ever(
    file_database: Database, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "REST_SECONDS", 1000.0)
    copied = []
    for turn in range(8):
        add(file_database, 10 + turn * MANY)
        copied.append(left_in_log(path) == 0)
    assert copied == [False, False, False, False, True, False, False, False]


def test_what_is_not_copied_yet_is_not_lost_at_the_end(
    file_database: Database, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "REST_SECONDS", 1000.0)
    add(file_database, 10)
    file_database.close()
    assert left_in_log(path) == 0
    again = open_database(f"sqlite:///{path}")
    assert len(rows_of(again, place)) == MANY + 1
    again.close()


@pytest.mark.expects_log("was not copied")
def test_a_copying_that_fails_leaves_it_to_the_next_commit(
    file_database: Database, path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> Any:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(file_database._checkpoints, "_connect", fail)
    add(file_database, 10)
    file_database.settle()
    assert "was not copied" in caplog.text
    assert left_in_log(path) >= MANY
    add(file_database, 10 + MANY, 1)
    assert left_in_log(path) == 0
