"""Rows read and written past the row objects of SQLAlchemy: ten thousand of them within a blink.

Statements are SQLAlchemy's, values go through its types, so both databases take and give the same; only the
work that it does for each single row is left out.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from operator import itemgetter
from typing import Any

import psycopg
from sqlalchemy import Connection, CursorResult, Dialect, Float, Select, Table
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import Column

from db.engine.columns import Codec, Moment
from db.kernel.clock import from_ms, to_ms


def read_rows(
    connection: Connection, table: Table, ids: Sequence[int], without: frozenset[str] = frozenset()
) -> dict[int, dict[str, Any]]:
    """Rows by id, with moments as datetimes; those not there are left out, and so are columns ``without``."""
    if not ids:
        return {}
    columns = [name for name in table.c.keys() if name not in without]  # noqa: SIM118  not a dictionary
    names = ", ".join(f"{table.name}.{name}" for name in columns)
    if connection.dialect.name == "sqlite":
        wanted: Any = json.dumps(ids)
        statement = (
            f"SELECT {names} FROM json_each(?) AS wanted "  # noqa: S608  our own names
            f"CROSS JOIN {table.name} ON {table.name}.id = wanted.value"
        )
    else:
        wanted = list(ids)
        statement = f"SELECT {names} FROM {table.name} WHERE id = ANY(%s)"  # noqa: S608
    with uncollected():
        found = _rows(connection, table, columns, connection.exec_driver_sql(statement, (wanted,)))
        return {row["id"]: row for row in found}


def fetch(connection: Connection, table: Table, statement: Select[Any]) -> list[dict[str, Any]]:
    """The rows of a statement that selects all columns of ``table`` and nothing else."""
    return _rows(connection, table, table.c.keys(), connection.execute(statement))


def _rows(
    connection: Connection, table: Table, names: Sequence[str], result: CursorResult[Any]
) -> list[dict[str, Any]]:
    # Straight from the driver: SQLAlchemy's own row objects cost more than reading what they hold.
    assert result.cursor is not None
    rows = rows_from(connection, table, result.cursor, names)
    result.close()
    return rows


def rows_from(
    connection: Connection, table: Table, cursor: Any, names: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """The rows that a driver's cursor holds, of the columns ``names`` (all of the table's without them)."""
    names = names or table.c.keys()
    rows = [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]
    for name, read in _reading(table, connection.dialect):
        if name not in names:
            continue
        for row in rows:
            value = row[name]
            if value is not None:
                row[name] = read(value)
    return rows


def stored_rows(
    connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[dict[str, Any]]
) -> list[list[Any]]:
    """Rows as lists of what the database keeps, in the order of ``columns``."""
    codecs = _writing(table, connection.dialect)
    wanted = [(place, codecs[name]) for place, name in enumerate(columns) if name in codecs]
    pick = itemgetter(*columns) if len(columns) > 1 else lambda row: (row[columns[0]],)
    found = [list(pick(row)) for row in rows]
    for place, store in wanted:
        for cells in found:
            if cells[place] is not None:
                cells[place] = store(cells[place])
    return found


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
def uncollected() -> Iterator[None]:
    """Thousands of rows are made and none is dropped: searching them for garbage took a third of the time."""
    pauses = gc.isenabled()
    if pauses:
        gc.disable()
    try:
        yield
    finally:
        if pauses:
            gc.enable()


@cache
def _reading(table: Table, dialect: Dialect) -> list[tuple[str, Codec]]:
    """What turns raw values into ours, by column; columns whose values are ours already are left out."""
    found: list[tuple[str, Codec]] = []
    for column in table.c:
        if isinstance(column.type, Float):
            # SQLAlchemy's way of reading numbers asks for the driver's own type of the column.
            continue
        own = column.type.dialect_impl(dialect).result_processor(dialect, None)
        read = from_ms if isinstance(column.type, Moment) else own
        if read is not None:
            found.append((column.name, read))
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
