"""Rows of the server as a station takes them over: which tables, which cases, and how they are read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Table, select

from db.engine import settings
from db.engine.among import among
from db.engine.rows import fetch, read_rows
from db.engine.tables import metadata

MONTHS = "replica.months"
"""The setting with the months for which closed cases are kept on the stations."""
DEFAULT_MONTHS = 3
MONTH_MS = 31 * 86_400_000

APART = frozenset(
    {
        *("journal", "journal_head", "setting", "outbox", "replica", "grace"),
        # Telemetry: only the newest, by a road of its own.
        *("position", "track", "vehicle_position", "presence"),
        # Citizens' contacts never leave the server.
        "reporter",
    }
)
"""The tables that no station mirrors row by row."""


@dataclass
class Incoming:
    """Rows as the server has them now, by table, and the ids of those that are no more."""

    rows: dict[str, dict[int, dict[str, Any]]] = field(default_factory=dict)
    gone: dict[str, set[int]] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        return not any(self.rows.values()) and not any(self.gone.values())

    def ids(self, table: str) -> set[int]:
        """Everything that is told of a table."""
        return self.rows.get(table, {}).keys() | self.gone.get(table, set())


def mirrored() -> list[Table]:
    """The tables that a station has as the server has them; a table after those that it points to."""
    return [table for table in metadata.sorted_tables if table.name not in APART]


def oldest_closing(connection: Connection, now_ms: int) -> int:
    """Cases that were closed before this moment (milliseconds since 1970) are left on the server."""
    return now_ms - int(settings.get(connection, MONTHS, DEFAULT_MONTHS)) * MONTH_MS


def read_touched(
    connection: Connection, touched: Mapping[str, Iterable[int]], since_ms: int, known: frozenset[int]
) -> Incoming:
    """The rows of the server that were touched, as they are in the snapshot of ``connection``.

    ``known`` are the cases among them that the station has already: what belongs to others comes along whole
    when they are in the window, and not at all when they are not.
    """
    found = Incoming()
    cases = metadata.tables["cases"]
    wanted = {name: set(ids) for name, ids in touched.items()}
    rows = read_rows(connection, cases, sorted(wanted.get("cases", ())))
    inside = {i: row for i, row in rows.items() if _in_window(row, since_ms)}
    found.rows["cases"] = inside
    found.gone["cases"] = wanted.get("cases", set()) - inside.keys()
    new = sorted(inside.keys() - known)
    for table in mirrored():
        if table.name == "cases":
            continue
        ids = sorted(wanted.get(table.name, ()))
        read = read_rows(connection, table, ids)
        if "case_id" in table.c:
            if new:
                whole = fetch(connection, table, select(table).where(among(table.c.case_id, new)))
                read |= {row["id"]: row for row in whole}
            read = _of_kept_cases(connection, table, read, inside, known, since_ms)
        if ids or read:
            found.rows[table.name] = read
            found.gone[table.name] = set(ids) - read.keys()
    return found


def _in_window(row: Mapping[str, Any], since_ms: int) -> bool:
    closed = row["closed_at"]
    return closed is None or closed.timestamp() * 1000 >= since_ms


def _of_kept_cases(
    connection: Connection,
    table: Table,
    rows: dict[int, dict[str, Any]],
    inside: Mapping[int, Any],
    known: frozenset[int],
    since_ms: int,
) -> dict[int, dict[str, Any]]:
    """Those rows whose case the station has, or gets with them."""
    asked = {row["case_id"] for row in rows.values()} - inside.keys() - known
    cases = read_rows(connection, metadata.tables["cases"], sorted(asked))
    kept = {i for i, row in cases.items() if _in_window(row, since_ms)} | inside.keys() | known
    return {i: row for i, row in rows.items() if row["case_id"] in kept}
