"""Lifts a database of its own to a server, and sets one down from a server again; the journal comes along."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import date, time
from pathlib import Path
from typing import Any

from sqlalchemy import Boolean, Connection, Table, delete, func, insert, select, text, update

from db.engine import schema
from db.engine.connections import Database, open_database
from db.engine.journal import Proof, verify
from db.engine.tables import journal_head, metadata, replica, setting
from db.kernel.clock import to_ms
from db.kernel.ids import random_station
from db.kernel.language import N_
from db.kernel.refusal import Refused
from db.server.rights import KEEPING
from db.server.setup import SERVER_STATION, SETTING

CHUNK = 20_000
"""Rows that are read at once."""
_APART = {name for name, right in KEEPING.items() if not right.acts} | {"journal_head", "setting"}
"""Tables that are not copied row by row: those of stations, and those that are there already."""
_OF_ITS_PLACE = frozenset({"station", SETTING})
"""Settings that say where a database lies."""
Told = Callable[[str, int], None]
"""Hears the name of a table and how many of its rows were copied."""


def adopt(source: Database, target: Database, told: Told = lambda _table, _rows: None) -> Proof:
    """Copy a local database with its journal into an empty one of a server; gives the proof of its chain.

    One transaction: cut off, it leaves the server as it was. The number of the old station stays taken, so
    that none of those to come makes its ids and case numbers again.

    Raises ``Refused``: ``not_empty``, ``is_replica``, and ``broken_chain`` when the journal does not hold.
    """
    _demand_own(source)
    schema.upgrade(target)
    if not schema.is_untouched(target):
        raise Refused(
            "not_empty", N_("{where} holds something already; adopt into a new database."), where=target.where
        )
    with source.read() as reading, target.troubles(), target.engine.begin() as writing:
        raw = reading.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        # One snapshot, though others go on writing.
        raw.execute("BEGIN")
        try:
            for table in _copied():
                told(table.name, _copy_in(writing, table, _rows_of_file(raw, table)))
            _take_settings(writing, reading)
            _take_head(writing, reading)
        finally:
            raw.execute("ROLLBACK")
        return _demand_whole(writing)


def reserve(target: Database, number: int, name: str) -> None:
    """Keep the number of a database that was adopted from any station; the guard must be up."""
    with target.troubles(), target.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO station (number, name, token, seen_at) VALUES (:number, :name, :token, :now)"
                " ON CONFLICT DO NOTHING"
            ),
            {
                "number": number,
                "name": name,
                "token": secrets.token_hex(16),
                "now": to_ms(target.clock.now()),
            },
        )


def release(server: Database, file: Path, told: Told = lambda _table, _rows: None) -> Proof:
    """Copy a whole server, contacts and journal with it, into a new file that needs none.

    Raises ``Refused``: ``file_exists``, ``not_owner``, ``broken_chain``.
    """
    if file.exists():
        raise Refused("file_exists", N_("{path} is there already."), path=str(file))
    if not schema.owns(server):
        raise Refused("not_owner", N_("Only an administrator of the server copies the whole of it."))
    schema.demand_same(server)
    local = open_database(f"sqlite:///{file}", create=True)
    try:
        schema.upgrade(local)
        with server.troubles(), server.engine.connect() as plain, local.engine.connect() as writing:
            reading = plain.execution_options(isolation_level="REPEATABLE READ")
            raw = writing.connection.driver_connection
            assert isinstance(raw, sqlite3.Connection)
            raw.execute("BEGIN IMMEDIATE")
            # Rows of one table may point to one another, in any order.
            raw.execute("PRAGMA defer_foreign_keys = ON")
            for table in _copied():
                told(table.name, _copy_out(raw, table, _rows_of_server(reading, table)))
            _take_settings(writing, reading)
            _take_head(writing, reading)
            proof = _demand_whole(writing)
            raw.execute("COMMIT")
        return proof
    except BaseException:
        local.close()
        for each in (file, file.with_name(f"{file.name}-wal"), file.with_name(f"{file.name}-shm")):
            each.unlink(missing_ok=True)
        raise
    finally:
        local.close()


def _copied() -> list[Table]:
    return [table for table in metadata.sorted_tables if table.name not in _APART]


def _demand_own(source: Database) -> None:
    if source.dialect != "sqlite":
        raise Refused("not_local", N_("Only a local file is adopted, not {where}."), where=source.where)
    schema.upgrade(source)
    with source.read() as connection:
        if connection.execute(select(replica.c.id)).first() is not None:
            raise Refused(
                "is_replica", N_("{path} is a station's file: its truth is on a server."), path=source.where
            )


def _rows_of_file(raw: sqlite3.Connection, table: Table) -> Iterator[Sequence[Any]]:
    flags = [place for place, column in enumerate(table.c) if isinstance(column.type, Boolean)]
    names = ", ".join(table.c.keys())
    with closing(raw.execute(f"SELECT {names} FROM {table.name}")) as cursor:  # noqa: S608  our own names
        while rows := cursor.fetchmany(CHUNK):
            for row in rows:
                if not flags:
                    yield row
                    continue
                cells = list(row)
                for place in flags:
                    cells[place] = None if cells[place] is None else bool(cells[place])
                yield cells


def _copy_in(connection: Connection, table: Table, rows: Iterator[Sequence[Any]]) -> int:
    driver = connection.connection.driver_connection
    assert driver is not None
    copied = 0
    names = ", ".join(table.c.keys())
    with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
            copied += 1
    return copied


def _rows_of_server(connection: Connection, table: Table) -> Iterator[Sequence[Any]]:
    names = ", ".join(table.c.keys())
    statement = text(f"SELECT {names} FROM {table.name}")  # noqa: S608  our own names
    with connection.execute(statement, execution_options={"yield_per": CHUNK}) as result:
        for row in result:
            yield [_as_sqlite(value) for value in row]


def _as_sqlite(value: Any) -> Any:
    """Days and times of day as SQLAlchemy keeps them in a file."""
    if isinstance(value, date):
        return value.isoformat()
    return value.isoformat("microseconds") if isinstance(value, time) else value


def _copy_out(raw: sqlite3.Connection, table: Table, rows: Iterator[Sequence[Any]]) -> int:
    names = ", ".join(table.c.keys())
    marks = ", ".join("?" * len(table.c))
    return raw.executemany(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", rows).rowcount  # noqa: S608


def _take_settings(writing: Connection, reading: Connection) -> None:
    rows = reading.execute(select(setting)).mappings().all()
    to_server = writing.dialect.name == "postgresql"
    writing.execute(delete(setting))
    writing.execute(insert(setting), [dict(row) for row in rows if row["key"] not in _OF_ITS_PLACE])
    station = SERVER_STATION if to_server else random_station()
    writing.execute(insert(setting).values(key="station", value=station, secret=False))


def _take_head(writing: Connection, reading: Connection) -> None:
    head = dict(reading.execute(select(journal_head)).mappings().one())
    writing.execute(update(journal_head).values({name: head[name] for name in ("seq", "hash", "last_id")}))


def _demand_whole(connection: Connection) -> Proof:
    proof = verify(connection)
    if not proof.whole:
        raise Refused(
            "broken_chain",
            N_("The journal does not hold at entry {entry}; “jingwei verify” says more. Nothing was copied."),
            entry=proof.broken_at,
        )
    return proof


def counted(connection: Connection) -> dict[str, int]:
    """The rows of every table that is copied: how two databases are held against one another."""
    return {
        table.name: int(connection.execute(select(func.count()).select_from(table)).scalar_one())
        for table in _copied()
    }
