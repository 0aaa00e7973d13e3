"""The acts of which the server is not known to have heard, and which of them stand on which rows.

Acts meet by the row and by the case that it belongs to: an act that stands on another's step or timer stands
on that case. Which rows an act stands on is read once, when it is done (again), and kept in memory beside the
file, so that news cost as much as they meet, however many acts wait.
"""

from __future__ import annotations

import heapq
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Row, bindparam, select

from db.engine import outbox as sending
from db.engine.among import among
from db.engine.connections import Database
from db.engine.tables import journal, metadata, outbox
from db.sync.concurrent import Effect

Key = tuple[str, int]


def waiting_acts(connection: Connection) -> Sequence[Row[Any]]:
    """The acts that wait, in the order in which they were done."""
    waits = outbox.c.state == sending.WAITING
    return connection.execute(select(outbox).where(waits).order_by(outbox.c.id)).all()


def effect_of(connection: Connection, act: Row[Any]) -> Effect:
    """What an act did here the last time, from this file's own journal; nothing when it stands undone."""
    return _effect(connection, act.seq)


def _effect(connection: Connection, seq: int) -> Effect:
    entry = select(journal.c.changes).where(journal.c.seq == seq)
    changes = connection.execute(entry).scalar() if seq else None
    return {table: dict(rows) for table, rows in (changes or {}).items()}


def cases_of(connection: Connection, name: str, ids: Iterable[int]) -> set[Key]:
    """The cases to which rows of this file belong."""
    table = metadata.tables[name]
    if "case_id" not in table.c:
        return set()
    owners = select(table.c.case_id).where(among(table.c.id, ids))
    return {("cases", case_id) for case_id in connection.execute(owners).scalars()}


class Waiting:
    """What the waiting acts of one file stand on; safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen = 0
        # Act → the entry that it was read from, and what it stands on.
        self._acts: dict[int, tuple[int, frozenset[Key]]] = {}
        self._on: dict[Key, set[int]] = defaultdict(set)

    def keys_of(self, connection: Connection, act: int) -> frozenset[Key]:
        """What an act stands on; nothing for one that stands undone."""
        return self.keys(connection)(act)

    def keys(self, connection: Connection) -> Callable[[int], frozenset[Key]]:
        """What each act stands on, as of now."""
        with self._lock:
            self._look(connection)
        return lambda act: self._acts[act][1] if act in self._acts else frozenset()

    def meeting(self, connection: Connection, dirty: set[Key], over: Iterable[int]) -> list[Row[Any]]:
        """The acts that wait on rows which change, and later ones that stand on theirs, in their order.

        ``over`` are acts that are counted among them whatever they stand on, and so is one that could do
        nothing the last time: it may be able to now.
        """
        waits = outbox.c.state == sending.WAITING
        with self._lock:
            self._look(connection)
            next_ones = [*over, *connection.execute(_UNDONE).scalars()]
            for key in dirty:
                next_ones += self._on.get(key, ())
            heapq.heapify(next_ones)
            dirty = set(dirty)
            found: dict[int, Row[Any]] = {}
            while next_ones:
                act = heapq.heappop(next_ones)
                if act in found:
                    continue
                row = connection.execute(select(outbox).where(outbox.c.id == act, waits)).first()
                if row is None:
                    # Decided since we looked.
                    self._forget(act)
                    continue
                found[act] = row
                for key in (self._acts[act][1] if act in self._acts else frozenset()) - dirty:
                    dirty.add(key)
                    for later in self._on.get(key, ()):
                        if later > act:
                            heapq.heappush(next_ones, later)
        return list(found.values())

    def _look(self, connection: Connection) -> None:
        """Read what has been done, and done again, since the last time."""
        for row in connection.execute(_SINCE, {"seen": self._seen}).all():
            self._forget(row.id)
            keys = frozenset(_keys(connection, row.seq, row.touched or {}))
            self._acts[row.id] = (row.seq, keys)
            for key in keys:
                self._on[key].add(row.id)
            self._seen = row.seq

    def _forget(self, act: int) -> None:
        _seq, keys = self._acts.pop(act, (0, frozenset()))
        for key in keys:
            self._on[key].discard(act)
            if not self._on[key]:
                del self._on[key]


_UNDONE = select(outbox.c.id).where(outbox.c.seq == 0, outbox.c.state == sending.WAITING)
_SINCE = (
    select(outbox.c.id, outbox.c.seq, journal.c.touched)
    .join(journal, journal.c.seq == outbox.c.seq)
    .where(outbox.c.seq > bindparam("seen"), outbox.c.state == sending.WAITING)
    .order_by(outbox.c.seq)
)


def _keys(connection: Connection, seq: int, touched: Mapping[str, Sequence[int]]) -> set[Key]:
    """What the act of an entry stands on: its rows, and the cases that they belong to."""
    keys = {(name, row_id) for name, ids in touched.items() for row_id in ids}
    # What changes a part of a case counts the case up as well; only a few acts add a part and no more.
    if "cases" not in touched and any("case_id" in metadata.tables[name].c for name in touched):
        for name, rows in _effect(connection, seq).items():
            for diff in rows.values():
                keys |= {("cases", case_id) for case_id in diff.get("case_id", ()) if case_id is not None}
            keys |= cases_of(connection, name, touched[name])
    return keys


_of_files: WeakKeyDictionary[Database, Waiting] = WeakKeyDictionary()


def waiting_of(local: Database) -> Waiting:
    """What waits in a file, known for as long as the file is open."""
    return _of_files.setdefault(local, Waiting())
