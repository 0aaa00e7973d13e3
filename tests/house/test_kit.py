"""The kit keeps its word: fresh databases on both engines, and a fault that is left behind is seen."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, inspect, text

from tests.kit.databases import SqliteTemplate, has_open_transaction
from tests.kit.postgres import PostgresServer
from tests.kit.stray import Eavesdropper, threads_left


@pytest.mark.parametrize("time", ["first", "second"])
def test_each_test_gets_a_database_of_its_own_with_the_schema(database_url: str, time: str) -> None:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        assert "journal" in inspect(connection).get_table_names()
        connection.execute(text("CREATE TABLE left_behind (n INTEGER)"))
    engine.dispose()


def test_an_open_transaction_on_the_server_is_seen(postgres: PostgresServer) -> None:
    name = postgres.create()
    with psycopg.connect(f"host={postgres.folder} user=postgres dbname={name}") as connection:
        connection.execute("SELECT 42")
        assert postgres.open_transactions(name) == ["SELECT 42"]
    assert postgres.open_transactions(name) == []
    postgres.drop(name)


def test_an_open_transaction_in_a_file_is_seen(sqlite_template: SqliteTemplate, tmp_path: Path) -> None:
    file = tmp_path / "held.db"
    engine = create_engine(sqlite_template.copy_to(file), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        assert has_open_transaction(file)
        connection.exec_driver_sql("ROLLBACK")
        assert not has_open_transaction(file)
    engine.dispose()


def test_a_warning_that_nobody_expected_is_seen() -> None:
    ear = Eavesdropper()
    ear.handle(logging.LogRecord("db.engine", logging.WARNING, "", 0, "low on %s", ("ink",), None))
    assert ear.complaints(()) == ["logged: WARNING db.engine: low on ink"]
    assert ear.complaints(("low on",)) == []
    assert ear.complaints(("low on", "out of")) == ["expected in the log, but not there: out of"]


@pytest.mark.expects_log("low on paper")
def test_a_warning_that_was_announced_passes() -> None:
    logging.getLogger("db.engine").warning("low on paper")


def test_a_thread_that_outlives_its_test_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.kit.stray.JOIN_SECONDS", 0.05)
    before = set(threading.enumerate())
    go = threading.Event()
    thread = threading.Thread(target=go.wait, name="straggler")
    thread.start()
    assert threads_left(before) == ["straggler"]
    go.set()
    thread.join()
    assert threads_left(before) == []
