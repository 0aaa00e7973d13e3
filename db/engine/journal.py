"""The journal: one entry per commit, each sealed by SHA-256 over itself and the entry before it."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, exists, or_, select, text

from db.engine import outbox
from db.engine.columns import canonical
from db.engine.rows import insert_rows
from db.engine.tables import journal, journal_head
from db.kernel.actor import Actor
from db.kernel.clock import from_ms, to_ms
from db.kernel.command import as_plain, command_name

GENESIS = bytes(32)
"""What the first entry is chained to."""
TAKEN_OVER = "sync.take_over"
"""The command of the entries by which a station takes over what others did."""


class Digest:
    """Counts and digests the rows of a bulk load."""

    def __init__(self) -> None:
        self.rows = 0
        self._sha = hashlib.sha256()

    def add(self, rows: list[tuple[Any, ...]]) -> None:
        self.rows += len(rows)
        self._sha.update(repr(rows).encode())

    def summary(self) -> dict[str, Any]:
        return {"rows": self.rows, "sha256": self._sha.hexdigest()}


@dataclass(frozen=True)
class Proof:
    """What walking the chain found: ``entries`` hold, ``broken_at`` is the first that does not."""

    entries: int
    broken_at: int | None = None
    reason: str = ""
    seal: bytes = GENESIS
    """Of the last entry that holds. Noted on paper, it tells a chain forged as a whole from this one."""

    @property
    def whole(self) -> bool:
        return self.broken_at is None


@dataclass(frozen=True)
class Touch:
    """Who changed a row, by which command, and when."""

    actor_name: str
    command: str
    at: datetime


class Head(NamedTuple):
    """Where the journal stands: its newest entry with the seal, and the greatest id given so far."""

    seq: int
    hash: bytes
    last_id: int


def take_head(connection: Connection) -> Head:
    """Where the journal stands; on a server this row is the queue of the writers.

    There, whoever decides anew waits for the acts that go on as they were computed (``db/sync/batch.py``),
    which lock their rows before the head, and keeps new ones back meanwhile.
    """
    if connection.dialect.name == "postgresql":
        row = connection.execute(_TAKE_HEAD).one()
    else:
        row = connection.execute(_HEAD).one()
    return Head(row.seq, bytes(row.hash), row.last_id)


_HEAD = select(journal_head)
_TAKE_HEAD = text(
    "SELECT h.seq, h.hash, h.last_id FROM (SELECT pg_advisory_xact_lock(19033) OFFSET 0) gate, journal_head h"
    " FOR UPDATE OF h"
)


class Entry(NamedTuple):
    """What an entry tells, apart from its place in the chain; the three texts are canonical JSON."""

    at: int
    actor_id: int
    actor_name: str
    station: int
    command: str
    arguments: str
    changes: str
    touched: str | None
    undoes: int | None
    operation: int | None


def append(
    connection: Connection,
    head: Head,
    actor: Actor,
    station: int,
    command: object,
    now: datetime,
    changes: str,
    touched: Mapping[str, list[int]] | None,
    undoes: int | None,
    operation: int | None,
    last_id: int,
) -> Head:
    """Write the next entry and move the head, which is returned; the caller holds the write lock.

    ``changes`` is canonical JSON already.
    """
    entry = Entry(
        to_ms(now),
        actor.account_id,
        actor.name,
        station,
        command_name(type(command)),
        canonical(_sealed_arguments(command)),
        changes,
        None if touched is None else canonical(touched),
        undoes,
        operation,
    )
    return append_all(connection, head, [entry], last_id)


def append_all(connection: Connection, head: Head, told: Sequence[Entry], last_id: int) -> Head:
    """Write the next entries in one statement and move the head, which is returned."""
    seq, seal = head.seq, head.hash
    rows = []
    for entry in told:
        seq += 1
        previous, seal = seal, _seal(seq, *entry, seal)
        rows.append([seq, *entry, previous, seal])
    insert_rows(connection, journal, _FIELDS, rows)
    connection.execute(_MOVE_HEAD, {"seq": seq, "hash": seal, "last_id": last_id})
    return Head(seq, seal, last_id)


_MOVE_HEAD = text("UPDATE journal_head SET seq = :seq, hash = :hash, last_id = :last_id")


def _sealed_arguments(command: object) -> dict[str, Any]:
    """The command's fields; what a citizen told of himself is left out (it stands in the rows, digested)."""
    private: frozenset[str] = getattr(type(command), "private_fields", frozenset())
    return {key: "#" if key in private and value else value for key, value in as_plain(command).items()}


# When the server took an entry is its own remark, outside of the seal.
_FIELDS = tuple(column.name for column in journal.c if column.name != "received_at")
_WALK = text(f"SELECT {', '.join(_FIELDS)} FROM journal ORDER BY seq")  # noqa: S608  our own names

_facts = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _seal(
    seq: int,
    at: int,
    actor_id: int,
    actor_name: str,
    station: int,
    command: str,
    arguments: str,
    changes: str,
    touched: str | None,
    undoes: int | None,
    operation: int | None,
    previous: bytes,
) -> bytes:
    """SHA-256 over the entry before, the facts as a JSON list, and the three texts, each ended by a new line.

    No part holds a new line of its own, so nothing can be moved from one into the next.
    """
    facts = _facts(
        [
            *(seq, at, actor_id, actor_name, station, command, undoes),
            # Entries from before acts had numbers are sealed without one.
            *(() if operation is None else (operation,)),
        ]
    )
    sha = hashlib.sha256(previous)
    for part in (facts, arguments, changes, "null" if touched is None else touched):
        # One after the other: a mass act tells ten million characters, and each copy of them takes its time.
        sha.update(str(part).encode())
        sha.update(b"\n")
    return sha.digest()


def verify(connection: Connection) -> Proof:
    """Walk the whole chain: every entry there, in order, unaltered, and the head where the last left it."""
    held, seal = 0, GENESIS
    with closing(_walk(connection)) as rows:
        for row in rows:
            if row[0] != held + 1:
                return Proof(held, held + 1, "missing", seal)
            if row[-2] != seal:
                return Proof(held, held + 1, "unchained", seal)
            if not _holds(row):
                return Proof(held, held + 1, "altered", seal)
            held, seal = held + 1, row[-1]
    heads = connection.execute(text("SELECT seq, hash FROM journal_head")).all()
    if [tuple(head) for head in heads] != [(held, seal)]:
        return Proof(held, held + 1, "cut", seal)
    return Proof(held, seal=seal)


def _walk(connection: Connection) -> Generator[Any, None, None]:
    raw = connection.connection.driver_connection
    if isinstance(raw, sqlite3.Connection):
        # SQLite would stop at bytes that are no text; they are an alteration to be reported like any other.
        raw.text_factory = lambda octets: octets.decode(errors="surrogateescape")
    try:
        with connection.execute(_WALK, execution_options={"yield_per": 2000}) as result:
            yield from result
    finally:
        if isinstance(raw, sqlite3.Connection):
            raw.text_factory = str


def _holds(row: Any) -> bool:
    try:
        return bool(row.touched != "null" and _seal(*row[:-1]) == row[-1])
    except (TypeError, UnicodeEncodeError):
        # Another kind of value stands where text or bytes belong.
        return False


_TOUCHING = tuple(journal.c[name] for name in ("actor_name", "command", "at", "arguments", "touched"))


def standing_touches(connection: Connection, seq: int, table: Table, ids: set[int]) -> dict[int, Touch]:
    """Who touched these rows last after entry ``seq``; undoing and undone entries count for nothing.

    At a station an act counts by the entry that the outbox names, and others' acts by what was taken over.
    """
    found: dict[int, Touch] = {}
    if not ids:
        return found
    undoing = journal.alias()
    undone = exists().where(undoing.c.undoes == journal.c.seq)
    query = select(*_TOUCHING).where(
        journal.c.seq > seq, journal.c.touched.is_not(None), journal.c.undoes.is_(None)
    )
    if outbox.is_station(connection):
        undone = undone.where(outbox.stands(undoing))
        query = query.where(or_(outbox.stands(journal), journal.c.command == TAKEN_OVER))
    taken_back: set[int] = set()
    for entry in connection.execute(query.where(~undone).order_by(journal.c.seq.desc())):
        if entry.command == TAKEN_OVER:
            for row_id, touch in _of_others(entry, table, ids, taken_back).items():
                found.setdefault(row_id, touch)
            continue
        for row_id in ids.intersection(entry.touched.get(table.name, ())):
            found.setdefault(row_id, _touch(entry, table, row_id))
    return found


def _of_others(entry: Any, table: Table, ids: set[int], taken_back: set[int]) -> dict[int, Touch]:
    """Who touched rows last by the acts that a station took over in one entry; ``taken_back`` are entries of
    the server that are known to be undone, and grows by what this one tells.
    """
    found: dict[int, Touch] = {}
    heard = entry.arguments.get("heard", ())
    taken_back.update(undoes for _seq, _who, _command, _at, undoes, _touched in heard if undoes)
    for seq, who, command, at_ms, undoes, touched in heard:
        if not undoes and seq not in taken_back:
            for row_id in ids.intersection(touched.get(table.name, ())):
                found.setdefault(row_id, Touch(who, command, from_ms(at_ms)))
    if not entry.arguments.get("heard_all"):
        # More than could be told: any row that came may be somebody's.
        for row_id in ids.intersection(entry.touched.get(table.name, ())):
            found.setdefault(row_id, Touch(entry.actor_name, entry.command, entry.at))
    return found


def last_touch(connection: Connection, table: Table, row_id: int, within: int = 1000) -> Touch | None:
    """Who changed a row last, as far as the newest ``within`` entries tell."""
    newest = select(journal_head.c.seq).scalar_subquery()
    entries = connection.execute(
        select(*_TOUCHING)
        .where(journal.c.seq > newest - within, text("touched LIKE :mark"))
        .order_by(journal.c.seq.desc()),
        {"mark": f"%{row_id}%"},
    )
    for entry in entries:
        if row_id in entry.touched.get(table.name, ()):
            return _touch(entry, table, row_id)
    return None


def _touch(entry: Any, table: Table, row_id: int) -> Touch:
    """Who changed a row by an entry; one that takes over what others did tells who that was."""
    for _seq, who, command, at_ms, _undoes, touched in entry.arguments.get("heard", ()):
        if row_id in touched.get(table.name, ()):
            return Touch(who, command, from_ms(at_ms))
    return Touch(entry.actor_name, entry.command, entry.at)
