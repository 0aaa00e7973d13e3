"""The journal: one entry per commit, each sealed by SHA-256 over itself and the entry before it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, text, update

from db.engine.columns import canonical
from db.engine.tables import journal, journal_head
from db.kernel.actor import Actor
from db.kernel.clock import to_ms
from db.kernel.command import as_plain, command_name

GENESIS = bytes(32)
"""What the first entry is chained to."""


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
    """What walking the chain found; ``broken_at`` is the first entry that does not hold."""

    entries: int
    broken_at: int | None = None
    reason: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        return self.broken_at is None


def append(
    connection: Connection,
    actor: Actor,
    station: int,
    command: object,
    now: datetime,
    changes: Mapping[str, Any],
    touched: Mapping[str, list[int]] | None,
    undoes: int | None,
) -> int:
    """Write the next entry and move the head; the caller holds the write lock. Returns its number."""
    head = connection.execute(select(journal_head.c.seq, journal_head.c.hash)).one()
    arguments = _sealed_arguments(command)
    entry = {
        "seq": head.seq + 1,
        "at": now,
        "actor_id": actor.account_id,
        "actor_name": actor.name,
        "station": station,
        "command": command_name(type(command)),
        "arguments": arguments,
        "changes": dict(changes),
        "touched": touched,
        "undoes": undoes,
        "previous": head.hash,
    }
    # The journal keeps whole milliseconds; seal what is kept, not what the clock said.
    digest = _seal(
        entry["seq"], to_ms(now), entry, canonical(arguments), canonical(changes), canonical(touched)
    )
    connection.execute(insert(journal).values(**entry, hash=digest))
    connection.execute(update(journal_head).values(seq=entry["seq"], hash=digest))
    return int(head.seq) + 1


def _sealed_arguments(command: object) -> dict[str, Any]:
    """The command's fields; what a citizen told of himself is left out (it stands in the rows, digested)."""
    private: frozenset[str] = getattr(type(command), "private_fields", frozenset())
    return {key: "#" if key in private and value else value for key, value in as_plain(command).items()}


def _seal(
    seq: int, at_ms: int, entry: Mapping[str, Any], arguments: str, changes: str, touched: str
) -> bytes:
    sha = hashlib.sha256(entry["previous"])
    facts = [
        seq,
        at_ms,
        entry["actor_id"],
        entry["actor_name"],
        entry["station"],
        entry["command"],
        entry["undoes"],
    ]
    for part in (canonical(facts), arguments, changes, touched):
        sha.update(part.encode())
        sha.update(b"\n")
    return sha.digest()


_WALK = text(
    "SELECT seq, at, actor_id, actor_name, station, command, arguments, changes, touched, undoes, previous, hash"
    " FROM journal ORDER BY seq"
)


def verify(connection: Connection) -> Proof:
    """Walk the whole chain: every entry present, in order, unaltered, and the head where the last one left it."""
    expected_seq, previous = 1, GENESIS
    rows: Iterable[Any] = connection.execution_options(yield_per=2000).execute(_WALK).mappings()
    for row in rows:
        if row["seq"] != expected_seq:
            return Proof(expected_seq - 1, expected_seq, "missing")
        if bytes(row["previous"]) != previous:
            return Proof(expected_seq - 1, expected_seq, "unchained")
        touched = "null" if row["touched"] is None else row["touched"]
        if _seal(
            row["seq"], row["at"], {**row, "previous": previous}, row["arguments"], row["changes"], touched
        ) != bytes(row["hash"]):
            return Proof(expected_seq - 1, expected_seq, "altered")
        previous = bytes(row["hash"])
        expected_seq += 1
    head = connection.execute(text("SELECT seq, hash FROM journal_head")).one_or_none()
    if head is None or head.seq != expected_seq - 1 or bytes(head.hash) != previous:
        return Proof(expected_seq - 1, expected_seq, "cut")
    return Proof(expected_seq - 1)
