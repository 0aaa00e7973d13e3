"""What has happened on the server since a station last looked: complete, whatever order commits came in.

Numbers from a sequence are given before the commit, so a reader that remembers the greatest one it saw skips
whoever commits late. Each row of ``news`` therefore bears the number of its transaction, and is read once
every older transaction has ended: below ``pg_snapshot_xmin`` of the reader's own snapshot.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass

from sqlalchemy import Connection, text

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

    @property
    def is_empty(self) -> bool:
        return not (self.touched or self.anew or self.measured or self.seq)


def horizon(connection: Connection) -> int:
    """The cursor of now: no transaction below it is still open."""
    return int(connection.execute(_HORIZON).scalar_one())


def read_news(connection: Connection, since: int, settled: Settled = lambda _operations: frozenset()) -> News:
    """The news from ``since`` on, as of the snapshot of ``connection`` (REPEATABLE READ, or they may differ
    from the rows that are read next).

    ``settled`` says which of these acts the reader has already as the server has them; of those nothing needs
    to be read again.
    """
    until = horizon(connection)
    rows = connection.execute(_NEWS, {"since": since, "until": until}).all()
    known = settled([row.operation for row in rows if row.operation is not None])
    touched: dict[str, set[int]] = defaultdict(set)
    anew: set[str] = set()
    measured: set[str] = set()
    seq = 0
    for row in rows:
        if row.relation is not None:
            measured.add(row.relation)
            continue
        seq = max(seq, row.seq)
        if row.operation in known:
            continue
        anew.update(row.anew or ())
        for name, ids in json.loads(row.touched or "{}").items():
            touched[name].update(ids)
    ids_by_table = {name: frozenset(ids) for name, ids in touched.items()}
    return News(until, ids_by_table, frozenset(anew), frozenset(measured), seq)


_HORIZON = text("SELECT jw_horizon()")
_NEWS = text(
    "SELECT seq, operation, touched, anew, relation FROM news"
    " WHERE xid >= :since AND xid < :until ORDER BY xid, id"
)
