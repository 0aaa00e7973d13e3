"""Rows of the server as a station takes them over: which tables, which cases, and how they are read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, Table, or_, select, text

from db.engine import settings
from db.engine.among import among
from db.engine.rows import fetch, read_rows
from db.engine.tables import metadata
from db.kernel.clock import from_ms, to_ms

Row = dict[str, Any]

MONTHS = "replica.months"
"""The setting with the months for which closed cases are kept on the stations."""
DEFAULT_MONTHS = 3
MONTH_MS = 31 * 86_400_000

MEASURED = ("position", "vehicle_position", "presence")
"""Telemetry that stations share: the newest values only, by a road of its own."""
APART = frozenset(
    {
        *("journal", "journal_head", "setting", "outbox", "replica", "grace"),
        *MEASURED,
        # Where somebody has been is asked of the server, by who may.
        "track",
        # Citizens' contacts never leave the server.
        "reporter",
    }
)
"""The tables that no station mirrors row by row."""


@dataclass
class Incoming:
    """Rows as the server has them now, by table, and the ids of those that are no more."""

    rows: dict[str, dict[int, Row]] = field(default_factory=dict)
    gone: dict[str, set[int]] = field(default_factory=dict)

    def ids(self, table: str) -> set[int]:
        """Everything that is told of a table."""
        return self.rows.get(table, {}).keys() | self.gone.get(table, set())


@cache
def mirrored() -> tuple[Table, ...]:
    """The tables that a station has as the server has them; a table after those that it points to."""
    return tuple(table for table in metadata.sorted_tables if table.name not in APART)


def oldest_closing(server: Connection) -> int:
    """Cases that were closed before this moment (milliseconds since 1970) are left on the server.

    By the server's clock: with a wrong one of its own, a station would let go of what it is to have.
    """
    now_ms = int(server.execute(text("SELECT jw_now_ms()")).scalar_one())
    return now_ms - int(settings.get(server, MONTHS, DEFAULT_MONTHS)) * MONTH_MS


def in_window(table: Table, since_ms: int) -> Select[Any]:
    """The rows of a table that stations keep, as a statement."""
    cases = metadata.tables["cases"]
    inside = or_(cases.c.closed_at.is_(None), cases.c.closed_at >= from_ms(since_ms))
    if table is cases:
        return select(table).where(inside)
    if "case_id" in table.c:
        return select(table).where(table.c.case_id.in_(select(cases.c.id).where(inside)))
    return select(table)


def read_touched(
    connection: Connection, touched: Mapping[str, Iterable[int]], since_ms: int, own: Connection
) -> Incoming:
    """The rows of the server that were touched, as they are in the snapshot of ``connection``.

    ``own`` reads this station's file. A case that it does not have comes with everything that belongs to it,
    when it is in the window; what belongs to cases outside of it does not come at all. A row comes together
    with the rows that it points to and that are not here.
    """
    found = Incoming()
    cases = metadata.tables["cases"]
    wanted = {name: set(ids) for name, ids in touched.items()}
    rows = read_rows(connection, cases, sorted(wanted.get("cases", ())))
    inside = {i: row for i, row in rows.items() if _is_inside(row, since_ms)}
    found.rows["cases"] = inside
    found.gone["cases"] = wanted.get("cases", set()) - inside.keys()
    new = sorted(inside.keys() - _here(own, cases, inside))
    for table in mirrored():
        if table is cases:
            continue
        ids = sorted(wanted.get(table.name, ()))
        read = read_rows(connection, table, ids)
        if "case_id" in table.c:
            if new:
                whole = fetch(connection, table, select(table).where(among(table.c.case_id, new)))
                read |= {row["id"]: row for row in whole}
            read = _of_kept_cases(connection, own, read, inside, since_ms)
        if ids or read:
            found.rows[table.name] = read
            found.gone[table.name] = set(ids) - read.keys()
    _add_what_they_point_to(connection, own, found)
    return found


def read_all(connection: Connection, since_ms: int, own: Connection) -> Incoming:
    """Everything that a station is to have, and as gone whatever else it has."""
    found = Incoming()
    for table in mirrored():
        found.rows[table.name] = {
            row["id"]: row for row in fetch(connection, table, in_window(table, since_ms))
        }
        here = set(own.execute(select(table.c.id)).scalars())
        found.gone[table.name] = here - found.rows[table.name].keys()
    return found


def read_aged(own: Connection, since_ms: int) -> Incoming:
    """The cases of this file that time has carried out of the window."""
    cases = metadata.tables["cases"]
    aged = own.execute(select(cases.c.id).where(cases.c.closed_at < from_ms(since_ms))).scalars()
    return Incoming(gone={"cases": set(aged)})


def _is_inside(row: Mapping[str, Any], since_ms: int) -> bool:
    closed = row["closed_at"]
    return closed is None or to_ms(closed) >= since_ms


def _here(own: Connection, table: Table, ids: Iterable[int]) -> set[int]:
    """Those of ``ids`` that this station has."""
    return set(own.execute(select(table.c.id).where(among(table.c.id, ids))).scalars())


def _of_kept_cases(
    connection: Connection,
    own: Connection,
    rows: dict[int, Row],
    inside: Mapping[int, Row],
    since_ms: int,
) -> dict[int, Row]:
    """Those rows whose case the station gets with them, or has and keeps."""
    asked = {row["case_id"] for row in rows.values()} - inside.keys()
    cases = metadata.tables["cases"]
    theirs = read_rows(connection, cases, sorted(asked))
    here = _here(own, cases, theirs)
    kept = {i for i, row in theirs.items() if i in here and _is_inside(row, since_ms)} | inside.keys()
    return {i: row for i, row in rows.items() if row["case_id"] in kept}


def _add_what_they_point_to(connection: Connection, own: Connection, found: Incoming) -> None:
    """Rows of registers that are newer than the news: somebody committed them after whom we could ask."""
    # From the last table to the first: what is added may itself point further.
    for table in reversed(mirrored()):
        rows = found.rows.get(table.name, {}).values()
        wanted: dict[Table, set[int]] = defaultdict(set)
        for column in table.c:
            for key in column.foreign_keys:
                wanted[key.column.table] |= {row[column.name] for row in rows} - {None}
        for target, ids in wanted.items():
            if target.name in APART:
                continue
            missing = ids - found.rows.get(target.name, {}).keys()
            missing -= _here(own, target, missing) - found.gone.get(target.name, set())
            if missing:
                more = read_rows(connection, target, sorted(missing))
                found.rows.setdefault(target.name, {}).update(more)
                found.gone.setdefault(target.name, set()).difference_update(more)
