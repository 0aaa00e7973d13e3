"""Rows of the server as a station takes them over: which tables, which cases, and how they are read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, Table, or_, select, text

from db.engine import settings
from db.engine.among import among
from db.engine.rows import at_once, fetch, ours, read_rows
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
    return oldest_kept(now_ms, settings.get(server, MONTHS, DEFAULT_MONTHS))


def oldest_kept(now_ms: int, months: int) -> int:
    """The same, where moment and setting are known."""
    return now_ms - int(months) * MONTH_MS


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
    asked = {table: sorted(wanted[table.name]) for table in mirrored() if wanted.get(table.name)}
    read_ahead = read_many(connection, asked)
    rows = read_ahead.get("cases", {})
    inside = {i: row for i, row in rows.items() if _is_inside(row, since_ms)}
    found.rows["cases"] = inside
    found.gone["cases"] = wanted.get("cases", set()) - inside.keys()
    # A case that has begun since brings all its parts as news; of any other that is not here they are
    # asked for.
    begun = {row["case_id"] for row in read_ahead.get("case_step", {}).values() if row["from_state"] == ""}
    new = inside.keys() - begun
    new -= _here(own, cases, new)
    parts = _parts_of(connection, new) if new else {}
    for table in mirrored():
        if table is cases:
            continue
        read = read_ahead.get(table.name, {})
        if "case_id" in table.c:
            read |= parts.get(table.name, {})
            if read:
                read = _of_kept_cases(connection, own, read, inside, since_ms)
        if table in asked or read:
            found.rows[table.name] = read
            found.gone[table.name] = wanted.get(table.name, set()) - read.keys()
    _add_what_they_point_to(connection, own, found)
    return found


def read_many(connection: Connection, asked: Mapping[Table, Sequence[int]]) -> dict[str, dict[int, Row]]:
    """Rows of several tables of a server, by table and id; all are asked for before the first answer."""
    with at_once(connection) as driver:
        cursors = {
            table: driver.execute(_rows_by("id", table), (listed(ids),))
            for table, ids in asked.items()
            if ids
        }
    return {
        table.name: {row["id"]: row for row in ours(connection, table, table.c.keys(), cursor.fetchall())}
        for table, cursor in cursors.items()
    }


def _parts_of(connection: Connection, cases: Iterable[int]) -> dict[str, dict[int, Row]]:
    """Everything that belongs to these cases."""
    ids = listed(sorted(cases))
    with at_once(connection) as driver:
        cursors = {
            table: driver.execute(_rows_by("case_id", table), (ids,))
            for table in mirrored()
            if "case_id" in table.c
        }
    return {
        table.name: {row["id"]: row for row in ours(connection, table, table.c.keys(), cursor.fetchall())}
        for table, cursor in cursors.items()
    }


def listed(ids: Iterable[int]) -> str:
    """Ids as the text of an array: a driver looks at each of them first."""
    return f"{{{','.join(map(str, ids))}}}"


@cache
def _rows_by(column: str, table: Table) -> str:
    listed = ", ".join(table.c.keys())
    return f"SELECT {listed} FROM {table.name} WHERE {column} = ANY (%s::bigint[])"  # noqa: S608  our own names


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
    aged = own.exec_driver_sql("SELECT id FROM cases WHERE closed_at < ?", (since_ms,)).scalars()
    return Incoming(gone={"cases": set(aged)})


def _is_inside(row: Mapping[str, Any], since_ms: int) -> bool:
    closed = row["closed_at"]
    return closed is None or to_ms(closed) >= since_ms


def _here(own: Connection, table: Table, ids: Collection[int]) -> set[int]:
    """Those of ``ids`` that this station has."""
    if not ids:
        return set()
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
            missing = ids - found.rows.get(target.name, {}).keys()
            if target.name in APART or not missing:
                continue
            missing -= _here(own, target, missing) - found.gone.get(target.name, set())
            if missing:
                more = read_rows(connection, target, sorted(missing))
                found.rows.setdefault(target.name, {}).update(more)
                found.gone.setdefault(target.name, set()).difference_update(more)
