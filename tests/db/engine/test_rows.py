"""Rows read and written past SQLAlchemy are what SQLAlchemy itself would have read and written."""

from __future__ import annotations

import gc
import os
import socket
from datetime import UTC, date, datetime, time
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, Table, insert, select

from db.calendars.tables import calendar_day, working_window
from db.demo.postgres import OwnPostgres
from db.engine.connections import Database, open_database
from db.engine.rows import (
    at_once,
    fetch,
    insert_rows,
    read_raw,
    read_rows,
    stored_rows,
    uncollected,
    update_rows,
)
from db.engine.tables import proposal
from db.people.tables import unit
from db.registers.tables import place, road
from tests.db.engine.kit import rows_of

AT = datetime(2026, 3, 16, 2, 0, 0, 5000, tzinfo=UTC)
ROWS: list[tuple[Table, dict[str, Any], dict[str, Any]]] = [
    (unit, {"id": 1, "code": "U1", "name": "市政处", "kind": "office", "active": True}, {"active": False}),
    (place, {"id": 1, "kind": "school", "name": "\t一\\小\n", "lon": 1 / 3, "lat": -0.1}, {"note": None}),
    (road, {"id": 1, "name": "学府路", "grade": "main", "line": b"\x00\xff\n"}, {"line": b""}),
    (
        calendar_day,
        {"id": 1, "day": date(2026, 5, 1), "kind": "holiday", "name": "劳动节"},
        {"day": date(1999, 12, 31)},
    ),
    (
        working_window,
        {"id": 1, "valid_from": date(2026, 1, 1), "begins": time(8, 30), "ends": time(12)},
        {"begins": time(9, 0), "valid_to": date(2026, 2, 1)},
    ),
    (
        proposal,
        {
            "id": 1,
            "command": "case.close",
            "arguments": {"case_ids": [2**62, 1], "reason": "“准”"},
            "size": 2,
            "proposed_by": 7,
            "proposed_by_name": "王敏",
            "proposed_at": AT,
            "state": "waiting",
        },
        {"decided_at": AT, "arguments": [None, True, 1.5]},
    ),
]
each_kind = pytest.mark.parametrize("table,row,change", ROWS, ids=[row[0].name for row in ROWS])


@each_kind
def test_what_was_written_here_is_read_the_same_by_sqlalchemy(
    database: Database, table: Table, row: dict[str, Any], change: dict[str, Any]
) -> None:
    with database.engine.begin() as connection:
        insert_rows(connection, table, list(row), stored_rows(connection, table, list(row), [row]))
    read = rows_of(database, table)[1]
    assert {name: read[name] for name in row} == row
    columns = [*change, "id"]
    with database.engine.begin() as connection:
        cells = stored_rows(connection, table, columns, [{**change, "id": 1}])
        update_rows(connection, table, list(change), cells)
    assert rows_of(database, table)[1] == {**read, **change}


@each_kind
def test_what_sqlalchemy_wrote_is_read_the_same_here(
    database: Database, table: Table, row: dict[str, Any], change: dict[str, Any]
) -> None:
    with database.engine.begin() as connection:
        connection.execute(insert(table), [{**row, **change}])
        found = read_rows(connection, table, [1, 404])
        assert found == rows_of_now(connection, table)
        assert fetch(connection, table, select(table)) == list(found.values())


def rows_of_now(connection: Any, table: Table) -> dict[int, dict[str, Any]]:
    return {row["id"]: dict(row) for row in connection.execute(select(table)).mappings()}


def test_many_rows_of_one_shape_are_changed_each_to_its_own(database: Database) -> None:
    rows = [(i, f"U{i}", f"第{i}处", "office") for i in range(1, 2001)]
    with database.engine.begin() as connection:
        insert_rows(connection, unit, ("id", "code", "name", "kind"), rows)
        update_rows(connection, unit, ("name", "version"), [(f"新{i}", 2, i) for i, *_ in rows[1:]])
    found = rows_of(database, unit)
    assert [found[i]["name"] for i in (1, 2, 2000)] == ["第1处", "新2", "新2000"]
    assert [found[i]["version"] for i in (1, 2)] == [1, 2]


def test_columns_that_nobody_needs_are_not_read(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.execute(insert(unit), [ROWS[0][1]])
        assert read_raw(connection, unit, [1, 404], ("name", "id")) == [("市政处", 1)]


def test_the_search_for_garbage_goes_on_afterwards_whatever_happens() -> None:
    def fail() -> None:
        with uncollected():
            assert not gc.isenabled()
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert gc.isenabled()


@pytest.mark.postgres
def test_what_goes_over_at_once_is_answered_after_the_block(postgres_url: str) -> None:
    database = open_database(postgres_url)
    with database.read() as connection:
        with at_once(connection) as driver:
            answers = [driver.execute("SELECT %s::integer * 2", (number,)) for number in range(3)]
        assert [answer.fetchone() for answer in answers] == [(0,), (2,), (4,)]
    database.close()


@pytest.mark.postgres
@pytest.mark.skipif(not hasattr(socket, "TCP_CORK"), reason="this system sends each statement by itself")
def test_what_goes_over_at_once_leaves_in_one_piece_but_for_the_begin_of_the_driver() -> None:
    server = OwnPostgres({}, on_network=True)
    server.start()
    try:
        with server.connect() as admin:
            admin.execute("ALTER ROLE postgres PASSWORD 'Word-1234'")
        database = open_database(f"postgresql+psycopg://postgres:Word-1234@127.0.0.1:{server.port}/postgres")
        with database.engine.connect() as connection:
            held = []
            for _each in range(2):
                with at_once(connection) as driver:
                    answer = driver.execute("SELECT 1")
                    held.append(_holds_back(driver))
                assert answer.fetchone() == (1,)
                assert not _holds_back(driver)
            # The first one waited for the answer to BEGIN.
            assert held == [False, True]
        database.close()
    finally:
        server.stop()


def _holds_back(driver: psycopg.Connection[Any]) -> bool:
    with socket.socket(fileno=os.dup(driver.fileno())) as line:
        return line.getsockopt(socket.IPPROTO_TCP, socket.TCP_CORK) == 1


@pytest.mark.postgres
def test_the_first_error_of_what_goes_over_at_once_is_the_one_that_is_told(postgres_url: str) -> None:
    database = open_database(postgres_url)

    def divide(connection: Connection) -> None:
        with at_once(connection) as driver:
            for divisor in (1, 0, *range(1, 50)):
                driver.execute("SELECT 1 / %s::integer", (divisor,))

    with database.engine.connect() as connection:
        connection.begin()
        with pytest.raises(psycopg.errors.DivisionByZero):
            divide(connection)
        connection.rollback()
        # The connection is as good as before.
        assert connection.execute(select(1)).scalar() == 1
    database.close()
