"""The first copy of a server into a station's file: table by table, resumed where it was cut."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Select, Table, func, insert, or_, select, text, update

from db.engine import schema, settings
from db.engine.connections import Database, open_database
from db.engine.rows import fetch
from db.engine.tables import metadata, replica
from db.kernel.actor import SYSTEM
from db.kernel.clock import Clock, to_ms
from db.kernel.language import N_
from db.kernel.refusal import Refused
from db.sync.incoming import mirrored, oldest_closing
from db.sync.news import horizon
from db.sync.pull import server_settings, snapshot
from db.sync.rebase import TakeOver

CHUNK = 20_000
"""Rows in one transaction of the copy."""
STATIONS = range(1, 1024)
"""The numbers of stations; 0 is the server's own."""


@dataclass(frozen=True)
class Progress:
    """How far the copy is: ``done`` of about ``all`` rows of a table."""

    table: str
    done: int
    all: int


def join(path: Path, server: Database, address: str, name: str, clock: Clock | None = None) -> Database:
    """Make an empty station's file for the server at ``address``, or open the one that is there.

    The server gives the station its number. Raises ``Refused("other_server")`` for a file of another server,
    ``Refused("not_a_replica")`` for one that is somebody's own database.
    """
    local = open_database(f"sqlite:///{path}", create=True, clock=clock)
    try:
        schema.upgrade(local)
        with local.read() as connection:
            stand = connection.execute(select(replica)).first()
        if stand is None:
            if not schema.is_untouched(local):
                raise Refused("not_a_replica", N_("{path} is a database of its own."), path=str(path))
            _begin(local, server, address, name)
        elif stand.server != address:
            raise Refused(
                "other_server",
                N_("{path} belongs to another server: {theirs}."),
                path=str(path),
                theirs=stand.server,
            )
        schema.load_station(local)
        local.is_replica = True
    except BaseException:
        local.close()
        raise
    path.chmod(0o600)
    return local


def copy(
    local: Database, server: Database, told: Callable[[Progress], None] = lambda _progress: None
) -> None:
    """Copy what is not here yet; cut off, it goes on from there when it is called again."""
    with local.read() as connection:
        copying = connection.execute(select(replica.c.copying)).scalar_one()
    if copying is None:
        return
    with snapshot(server) as connection:
        since = oldest_closing(connection, to_ms(local.clock.now()))
        for table in mirrored():
            last = int(copying.get(table.name, 0))
            if last < 0:
                continue
            wanted = _wanted(table, since)
            whole = int(connection.execute(select(func.count()).select_from(wanted.subquery())).scalar_one())
            done = 0
            for rows in _chunks(connection, table, wanted, last):
                done += len(rows)
                copying[table.name] = rows[-1]["id"]
                _take(local, table, rows, copying)
                told(Progress(table.name, done, whole))
            copying[table.name] = -1
    with local.write_many() as writing:
        writing.connection.execute(update(replica).values(copying=None, synced_at=local.clock.now()))


def _begin(local: Database, server: Database, address: str, name: str) -> None:
    token = secrets.token_hex(16)
    with server.troubles(), server.engine.begin() as connection:
        cursor = horizon(connection)
        head = connection.execute(text("SELECT seq, hash FROM journal_head")).one()
        theirs = server_settings(connection)
        taken = set(connection.execute(text("SELECT number FROM station")).scalars())
        number = next((each for each in STATIONS if each not in taken), None)
        if number is None:
            raise Refused("too_many_stations", N_("This server has as many stations as it can number."))
        connection.execute(
            text(
                "INSERT INTO station (number, name, token, seen_at) VALUES (:number, :name, :token, jw_now_ms())"
            ),
            {"number": number, "name": name, "token": token},
        )
    row = {
        "id": 1,
        "server": address,
        "token": token,
        "xid": cursor,
        "seq": head.seq,
        "seal": bytes(head.hash),
        "copying": {},
    }
    with local.write_many() as writing:
        for key, value in (theirs | {"station": number}).items():
            settings.put(writing, key, value)
        writing.connection.execute(insert(replica).values(row))


def _wanted(table: Table, since_ms: int) -> Select[Any]:
    """The rows of a table that stations keep."""
    cases = metadata.tables["cases"]
    closed = cases.c.closed_at
    inside = or_(closed.is_(None), closed >= text(str(since_ms)))
    if table.name == "cases":
        return select(table).where(inside)
    if "case_id" in table.c:
        return select(table).where(table.c.case_id.in_(select(cases.c.id).where(inside)))
    return select(table)


def _chunks(
    connection: Connection, table: Table, wanted: Select[Any], last: int
) -> Iterator[list[dict[str, Any]]]:
    while True:
        chunk = wanted.where(table.c.id > last).order_by(table.c.id)
        # Rows that point to others of their table come together with them.
        whole = any(key.column.table is table for key in table.foreign_keys)
        rows = fetch(connection, table, chunk if whole else chunk.limit(CHUNK))
        if not rows:
            return
        yield rows
        last = rows[-1]["id"]


def _take(local: Database, table: Table, rows: list[dict[str, Any]], copying: dict[str, int]) -> None:
    with local.write_many() as writing:
        with writing.unit(SYSTEM, TakeOver()) as unit:
            unit.mirror(table, rows)
        writing.connection.execute(update(replica).values(copying=copying))
