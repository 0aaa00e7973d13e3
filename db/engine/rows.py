"""Rows read and written past the row objects of SQLAlchemy: ten thousand of them within a blink.

Statements are SQLAlchemy's, values go through its types, so both databases take and give the same; only the
work that it does for each single row is left out.
"""

from __future__ import annotations

import gc
import json
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, CursorResult, Dialect, Float, Select, Table
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import Column

from db.engine.columns import Codec, Moment
from db.kernel import garbage
from db.kernel.clock import from_ms, to_ms

Raw = tuple[Any, ...]
"""A row as the driver gives it: moments in milliseconds, JSON as text."""


def read_raw(
    connection: Connection, table: Table, ids: Sequence[int], names: Sequence[str] | None = None
) -> Sequence[Raw]:
    """Rows by id, all columns or those that are named; those not there are left out."""
    if not ids:
        return []
    columns = ", ".join(f"{table.name}.{name}" for name in names or table.c.keys())
    if connection.dialect.name == "sqlite":
        wanted: Any = json.dumps(ids)
        statement = (
            f"SELECT {columns} FROM json_each(?) AS wanted "  # noqa: S608  our own names
            f"CROSS JOIN {table.name} ON {table.name}.id = wanted.value"
        )
    else:
        wanted = list(ids)
        statement = f"SELECT {columns} FROM {table.name} WHERE id = ANY(%s)"  # noqa: S608
    with uncollected():
        return fetched(connection.exec_driver_sql(statement, (wanted,)))


def read_rows(connection: Connection, table: Table, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Rows by id, with moments as datetimes; those not there are left out."""
    with uncollected():
        raw = read_raw(connection, table, ids)
        return {row["id"]: row for row in ours(connection, table, table.c.keys(), raw)}


def fetch(
    connection: Connection,
    table: Table,
    statement: Select[Any],
    values: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """The rows of a statement that selects all columns of ``table`` and nothing else."""
    return ours(connection, table, table.c.keys(), fetched(connection.execute(statement, values)))


def fetched(result: CursorResult[Any]) -> Sequence[Raw]:
    """All rows straight from the driver: the row objects of SQLAlchemy cost more than what they hold."""
    cursor = result.cursor
    assert cursor is not None
    found: Sequence[Raw] = cursor.fetchall()
    result.close()
    return found


def ours(
    connection: Connection, table: Table, names: Sequence[str], raw: Sequence[Raw]
) -> list[dict[str, Any]]:
    """Raw rows with our values, moments as datetimes; ``names`` are their columns."""
    rows = [dict(zip(names, values, strict=True)) for values in raw]
    reads = reading(table, connection.dialect)
    for name in names:
        read = reads.get(name)
        if read is None:
            continue
        for row in rows:
            value = row[name]
            if value is not None:
                row[name] = read(value)
    return rows


def stored_values(connection: Connection, table: Table, name: str, values: Sequence[Any]) -> Sequence[Any]:
    """Values of one column as the database keeps them."""
    store = _writing(table, connection.dialect).get(name)
    return values if store is None else turned(store, values)


def turned(code: Codec, values: Sequence[Any]) -> Sequence[Any]:
    """Values by a code, ``None`` as it is; one that stands in all rows is turned once."""
    if len(set(map(id, values))) == 1:
        first = values[0]
        return [None if first is None else code(first)] * len(values)
    return [None if value is None else code(value) for value in values]


def stored_rows(
    connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> list[Raw]:
    """Rows as what the database keeps, in the order of ``columns``."""
    cells = [stored_values(connection, table, name, [row[name] for row in rows]) for name in columns]
    return list(zip(*cells, strict=True))


def insert_rows(
    connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    """Add rows of stored values."""
    names = ", ".join(columns)
    cursor = connection.connection.cursor()
    try:
        if connection.dialect.name == "sqlite":
            marks = ", ".join("?" * len(columns))
            cursor.executemany(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", rows)  # noqa: S608
        else:
            # Not COPY: a server with row policies does not take it from its members.
            arrays = ", ".join(f"%s::{_type_name(table.c[name], connection.dialect)}[]" for name in columns)
            cursor.execute(
                f"INSERT INTO {table.name} ({names}) SELECT * FROM unnest({arrays})",  # noqa: S608  our own names
                [list(column) for column in zip(*rows, strict=True)],
            )
    finally:
        cursor.close()


def update_rows(
    connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    """Set ``columns`` of rows of stored values; the last value of each is the id of the row."""
    cursor = connection.connection.cursor()
    try:
        if connection.dialect.name == "sqlite":
            values = ", ".join(f"{name} = ?" for name in columns)
            cursor.executemany(f"UPDATE {table.name} SET {values} WHERE id = ?", rows)  # noqa: S608
        else:
            # One statement for all: a plan for each row took ten times as long.
            names = (*columns, "id")
            arrays = ", ".join(f"%s::{_type_name(table.c[name], connection.dialect)}[]" for name in names)
            values = ", ".join(f"{name} = new.{name}" for name in columns)
            cursor.execute(
                f"UPDATE {table.name} SET {values} "  # noqa: S608  our own names
                f"FROM unnest({arrays}) AS new({', '.join(names)}) WHERE {table.name}.id = new.id",
                [list(column) for column in zip(*rows, strict=True)],
            )
    finally:
        cursor.close()


@contextmanager
def at_once(connection: Connection) -> Iterator[psycopg.Connection[Any]]:
    """The driver of a server's connection: what is executed within the block goes over together, and the
    answers are there after it. The first error is raised, by whichever statement it is noticed.
    """
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    failed: Exception | None = None
    try:
        with driver.pipeline():
            try:
                with _in_one_piece(driver):
                    yield driver
            except (psycopg.Error, DBAPIError) as error:
                # Not through the end of the block: what it says then is only that it was broken off.
                own = getattr(error, "orig", error)
                failed = own if isinstance(own, psycopg.Error) else error
    except psycopg.Error as error:
        failed = failed or error
    if failed is not None:
        raise failed


@contextmanager
def _in_one_piece(driver: psycopg.Connection[Any]) -> Iterator[None]:
    """What is sent within the block leaves this computer together, where its system can do that.

    The driver sends each statement by itself, and the server would begin with the first and then wait, with
    its locks, for a program that others keep from the processor. Nothing is held back where a transaction
    is still to begin: the driver waits for the answer to a BEGIN of its own.
    """
    begins = driver.info.transaction_status == TransactionStatus.IDLE and not driver.autocommit
    if begins or not holds_back(driver):
        yield
        return
    with socket.socket(fileno=os.dup(driver.fileno())) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
        try:
            yield
        finally:
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)


def holds_back(driver: psycopg.Connection[Any]) -> bool:
    """Whether what belongs together can be sent in one piece: by TCP, on a system that can do that."""
    return hasattr(socket, "TCP_CORK") and not driver.info.host.startswith(("/", "@"))


@contextmanager
def uncollected() -> Iterator[None]:
    """Thousands of rows are made and none is dropped: searching them for garbage took a third of the time."""
    pauses = gc.isenabled()
    if pauses:
        gc.disable()
    try:
        yield
    finally:
        if pauses:
            garbage.age()
            gc.enable()


@cache
def reading(table: Table, dialect: Dialect) -> dict[str, Codec]:
    """What turns raw values into ours, by column; columns whose values are ours already are left out."""
    found: dict[str, Codec] = {}
    for column in table.c:
        if isinstance(column.type, Float):
            # SQLAlchemy's way of reading numbers asks for the driver's own type of the column.
            continue
        own = column.type.dialect_impl(dialect).result_processor(dialect, None)
        read = from_ms if isinstance(column.type, Moment) else own
        if read is not None:
            found[column.name] = read
    return found


@cache
def _writing(table: Table, dialect: Dialect) -> dict[str, Codec]:
    found: dict[str, Codec] = {}
    for column in table.c:
        own = column.type.dialect_impl(dialect).bind_processor(dialect)
        store = to_ms if isinstance(column.type, Moment) else own
        if store is not None:
            found[column.name] = store
    return found


@cache
def _type_name(column: Column[Any], dialect: Dialect) -> str:
    return column.type.compile(dialect)
