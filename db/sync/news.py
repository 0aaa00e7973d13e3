"""What has happened on the server since a station last looked: complete, whatever order commits came in.

Numbers from a sequence are given before the commit, so a reader that remembers the greatest one it saw skips
whoever commits late. Each row of ``news`` therefore bears the number of its transaction, and is read once
every older transaction has ended: below ``pg_snapshot_xmin`` of the reader's own snapshot.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, text

Told = tuple[Any, ...]
"""A row of ``NEWS``."""
Settled = Callable[[Sequence[int]], Set[int]]


@dataclass(frozen=True)
class News:
    """What was touched by the transactions from one cursor (inclusive) up to the next (exclusive)."""

    until: int
    """The next cursor: every transaction below it has been told."""
    touched: dict[str, frozenset[int]]
    """Table → ids of its rows that came, changed or went."""
    anew: frozenset[str]
    """Tables that a bulk load has filled: to be copied anew."""
    measured: frozenset[str]
    """Tables of telemetry with newer values."""
    seq: int
    """The newest entry of the server's journal among them; 0 when there is none."""
    entries: Mapping[int, Mapping[str, Sequence[int]]] = field(default_factory=dict)
    """What each of those entries touched that was not known yet: number → table → ids."""

    @property
    def is_empty(self) -> bool:
        return not (self.touched or self.anew or self.measured or self.seq)


def horizon(connection: Connection) -> int:
    """The cursor of now: no transaction below it is still open."""
    return int(connection.execute(_HORIZON).scalar_one())


NEWS = (
    "SELECT seq, operation, touched, anew, relation FROM news"
    " WHERE xid >= %s AND xid < jw_horizon() ORDER BY xid, id"
)
"""The news from a cursor on, for ``gather``; asked in one snapshot (REPEATABLE READ) with the horizon and the
rows that are read next, or they do not belong together.
"""


def gather(rows: Sequence[Told], until: int, settled: Settled) -> News:
    """What rows of the news come to; ``until`` is the horizon of their snapshot.

    ``settled`` says which of these acts the reader has already as the server has them; of those nothing needs
    to be read again.
    """
    known = settled([told[1] for told in rows if told[1] is not None])
    touched: dict[str, set[int]] = defaultdict(set)
    anew: set[str] = set()
    measured: set[str] = set()
    seq = 0
    entries: dict[int, dict[str, list[int]]] = {}
    for number, operation, ids_touched, filled, relation in rows:
        if relation is not None:
            measured.add(relation)
            continue
        seq = max(seq, number)
        if operation in known:
            continue
        anew.update(filled or ())
        if ids_touched is None:
            continue
        entries[number] = json.loads(ids_touched)
        for name, ids in entries[number].items():
            touched[name].update(ids)
    ids_by_table = {name: frozenset(ids) for name, ids in touched.items()}
    return News(until, ids_by_table, frozenset(anew), frozenset(measured), seq, entries)


_HORIZON = text("SELECT jw_horizon()")
