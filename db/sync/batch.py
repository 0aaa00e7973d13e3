"""Fast-forward: acts that nothing has come between go to the server as they were computed, hundreds at once.

An act may go this way while the server's rows are those it was decided on and no rule has changed since this
station last heard. Its rows are then written as they stand in the local journal, with an entry of its own;
the server's guard judges them like any others. Whatever does not fit is left to be done again by the rules
(``db/sync/push.py``).
"""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

from sqlalchemy import BigInteger, Connection, Table, Text, delete, select, text, type_coerce, update
from sqlalchemy.exc import DBAPIError

from db.engine import journal
from db.engine import outbox as sending
from db.engine.among import among
from db.engine.columns import from_plain
from db.engine.connections import Database
from db.engine.following import Rows, followers_of
from db.engine.rows import insert_rows, read_rows, stored_rows, update_rows
from db.engine.tables import journal as entries
from db.engine.tables import metadata, outbox, replica
from db.engine.unit_of_work import Diff
from db.kernel.refusal import Refused
from db.sync.incoming import mirrored
from db.sync.pull import server_settings

CHUNK = 250
"""Acts in one transaction: others come in between, for whom the head of the server's journal is held."""
RULE_TABLES = (
    *("transition", "condition", "filing_condition", "category", "time_rule", "duty"),
    *("calendar_day", "calendar_year", "working_window", "working_day_rule"),
    *("unit", "person", "account", "account_role", "account_scope", "role", "area"),
)
"""What acts are decided by: when any of it is newer than what this station knows, they are done again."""
SKEW_MS = 2000
"""With a clock that is further off, the moments in the rows would be wrong: acts are done again."""
_log = logging.getLogger(__name__)

Key = tuple[str, int]


@dataclass(frozen=True)
class Forward:
    """An act as the local journal tells it, in the very texts that were sealed here."""

    operation: int
    entry: journal.Entry
    effect: Mapping[str, Mapping[int, Diff]]

    @cached_property
    def keys(self) -> set[Key]:
        """The rows that it wrote, and the cases that they belong to."""
        found = {(table, row_id) for table, rows in self.effect.items() for row_id in rows}
        for rows in self.effect.values():
            for diff in rows.values():
                found.update(("cases", case) for case in diff.get("case_id", ()) if case is not None)
        return found


def fast_forward(
    local: Database, server: Database, operations: Sequence[int], blocked: Set[Key] = frozenset()
) -> list[int]:
    """Send as many of these acts of one person, from the first on, as can go as they are and do not stand on
    the rows of acts that wait for somebody else (``blocked``).

    Gives those that the server has now, settled here as well; none when the first one has to be done again.
    Raises ``Unavailable``: what was under way is then sent anew, and known by its number if it had arrived.
    """
    acts = _fitting(local, operations[:CHUNK], blocked)
    while acts:
        try:
            sent = _send(local, server, acts)
        except (Refused, DBAPIError) as error:
            # One of them; where it is alone, the slow road tells whose fault it is.
            _log.info("%s acts could not be sent together: %s", len(acts), error)
            acts = acts[: len(acts) // 2]
            continue
        if sent:
            with local.write_many() as writing:
                writing.connection.execute(
                    update(outbox)
                    .where(among(outbox.c.id, sent))
                    .values(state=sending.DONE, decided_at=local.clock.now())
                )
        return sent
    return []


def _fitting(local: Database, operations: Sequence[int], blocked: Set[Key]) -> list[Forward]:
    """The acts, up to the first whose effect cannot be taken as it is."""
    query = (
        select(
            type_coerce(outbox.c.at, BigInteger).label("at"),
            *(entries.c.actor_id, entries.c.actor_name, entries.c.station, entries.c.command),
            *(type_coerce(entries.c[name], Text).label(name) for name in ("arguments", "changes", "touched")),
            entries.c.undoes,
            outbox.c.id.label("operation"),
        )
        .join_from(outbox, entries, entries.c.seq == outbox.c.seq)
        .where(among(outbox.c.id, operations), outbox.c.state == sending.WAITING)
    )
    with local.read() as connection:
        rows = {row.operation: row for row in connection.execute(query)}
    found = []
    for operation in operations:
        row = rows.get(operation)
        # An undo names an entry of this file; "#" stands where a private word was left out.
        if row is None or row.undoes is not None or row.touched is None or '"#"' in row.arguments:
            break
        changes = json.loads(row.changes)
        if not changes.keys() <= _forwarded():
            break
        effect = {table: dict(diffs) for table, diffs in changes.items()}
        act = Forward(operation, journal.Entry(*row), effect)
        if not act.keys.isdisjoint(blocked):
            break
        found.append(act)
    return found


@cache
def _forwarded() -> frozenset[str]:
    """The tables whose rows stand in the journal as they are."""
    return frozenset(
        table.name for table in mirrored() if not any(column.info.get("private") for column in table.c)
    )


def _send(local: Database, server: Database, acts: Sequence[Forward]) -> list[int]:
    """Those of the acts, from the first on, that may go as they are; all in one transaction of the server."""
    with local.read() as connection:
        stand = connection.execute(select(replica.c.xid, replica.c.seq)).one()
        ours = server_settings(connection)
        cases = _versions(connection, acts)
    with server.write_many() as writing:
        connection = writing.connection
        if server_settings(connection) != ours or _rules_are_newer(
            connection, stand.xid, stand.seq, acts[0].entry.station
        ):
            return []
        acts = _untouched(connection, acts, cases)
        for wave in _waves(acts):
            _write(connection, wave)
        writing.enter([act.entry for act in acts])
    return [act.operation for act in acts]


def _rules_are_newer(connection: Connection, xid: int, seq: int, station: int) -> bool:
    """Whether anybody else has changed what acts are decided by since this station last heard."""
    facts = {"xid": str(xid), "seq": seq, "station": station, "tables": list(RULE_TABLES)}
    return bool(connection.execute(_NEWER, facts).scalar_one())


_NEWER = text(
    "SELECT EXISTS (SELECT FROM news WHERE xid >= :xid AND seq > :seq"
    " AND coalesce((operation >> 11) & 1023, -1) <> :station"
    " AND (anew IS NOT NULL OR jsonb_exists_any(CAST(touched AS jsonb), :tables)))"
)


def _untouched(
    connection: Connection, acts: Sequence[Forward], cases: Mapping[int, int]
) -> Sequence[Forward]:
    """The acts before the first that the server has already, or whose rows are others by now."""
    numbers = [act.operation for act in acts]
    there = set(
        connection.execute(select(entries.c.operation).where(among(entries.c.operation, numbers))).scalars()
    )
    wanted: dict[str, dict[int, Mapping[str, Any]]] = defaultdict(dict)
    written: set[Key] = set()
    first: list[list[Key]] = []
    for act in acts:
        mine = [key for key in act.keys if key not in written]
        first.append(mine)
        written.update(mine)
        for name, row_id in mine:
            before = _before(name, act.effect.get(name, {}).get(row_id), cases.get(row_id))
            if before:
                wanted[name][row_id] = before
    moved = {(name, row_id) for name, rows in wanted.items() for row_id in _others(connection, name, rows)}
    for place, act in enumerate(acts):
        if act.operation in there or not moved.isdisjoint(first[place]):
            return acts[:place]
    return acts


def _before(name: str, diff: Diff | None, version: int | None) -> Mapping[str, Any]:
    """What must stand on the server for an act to go on as it is; nothing for a row that it made."""
    if diff is None:
        return {"version": version}
    if "id" in diff and diff["id"][0] is None:
        return {}
    if "version" in diff:
        return {"version": diff["version"][0]}
    table = metadata.tables[name]
    return {column: from_plain(table.c[column], was) for column, (was, _is) in diff.items()}


def _others(connection: Connection, name: str, wanted: Mapping[int, Mapping[str, Any]]) -> set[int]:
    """The rows that are not as they should be, or not there."""
    table = metadata.tables[name]
    if "version" in table.c:
        query = select(table.c.id, table.c.version).where(among(table.c.id, wanted))
        standing = {row.id: {"version": row.version} for row in connection.execute(query)}
    else:
        standing = read_rows(connection, table, list(wanted))
    return {
        row_id
        for row_id, before in wanted.items()
        if row_id not in standing or any(standing[row_id][column] != was for column, was in before.items())
    }


def _versions(connection: Connection, acts: Sequence[Forward]) -> dict[int, int]:
    """Of the cases that acts belong to, the version that they had here before the first of these acts."""
    cases = metadata.tables["cases"]
    found: dict[int, int] = {}
    for act in acts:
        for row_id, diff in act.effect.get("cases", {}).items():
            if "version" in diff:
                found.setdefault(row_id, diff["version"][0])
    rest = {row_id for act in acts for name, row_id in act.keys if name == "cases"} - found.keys()
    query = select(cases.c.id, cases.c.version).where(among(cases.c.id, rest))
    return {**{row.id: row.version for row in connection.execute(query)}, **found}


# The rows.


@dataclass
class _Wave:
    """Rows that are written together: none of them twice, as the server judges moves by statement."""

    came: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    changed: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    gone: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))


def _waves(acts: Sequence[Forward]) -> list[_Wave]:
    """The rows of the acts; an act comes a wave after those whose rows or cases it meets."""
    waves: list[_Wave] = []
    last: dict[Key, int] = {}
    for act in acts:
        keys = act.keys
        place = 1 + max((last.get(key, -1) for key in keys), default=-1)
        last.update(dict.fromkeys(keys, place))
        if place == len(waves):
            waves.append(_Wave())
        _add(waves[place], act)
    return waves


def _add(wave: _Wave, act: Forward) -> None:
    for name, rows in act.effect.items():
        table = metadata.tables[name]
        for row_id, diff in rows.items():
            if "id" in diff and diff["id"][1] is None:
                wave.gone[name].append(row_id)
                continue
            values = {column: from_plain(table.c[column], now) for column, (_was, now) in diff.items()}
            (wave.came if "id" in diff else wave.changed)[name].append({**values, "id": row_id})


def _write(connection: Connection, wave: _Wave) -> None:
    """One statement for each table and set of columns; a row comes after the one that it points to."""
    names = wave.came.keys() | wave.changed.keys() | wave.gone.keys()
    tables = [table for table in mirrored() if table.name in names]
    for table in reversed(tables):
        if gone := wave.gone.get(table.name):
            before = list(read_rows(connection, table, gone).values()) if followers_of(table) else []
            connection.execute(delete(table).where(among(table.c.id, gone)))
            _follow(connection, table, before, ())
    for table in tables:
        changed = wave.changed.get(table.name, [])
        known = read_rows(connection, table, [row["id"] for row in changed]) if followers_of(table) else {}
        for columns, rows in _by_shape(changed).items():
            names_ = tuple(name for name in columns if name != "id")
            update_rows(connection, table, names_, stored_rows(connection, table, (*names_, "id"), rows))
        came = wave.came.get(table.name, [])
        for columns, rows in _by_shape(came).items():
            insert_rows(connection, table, columns, stored_rows(connection, table, columns, rows))
        after = [{**known[row["id"]], **row} for row in changed if row["id"] in known]
        _follow(connection, table, list(known.values()), [*after, *came])


def _follow(connection: Connection, table: Table, before: Rows, after: Rows) -> None:
    for follower in followers_of(table):
        if before or after:
            follower(connection, before, after)


def _by_shape(rows: Iterable[dict[str, Any]]) -> dict[tuple[str, ...], list[dict[str, Any]]]:
    shapes: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        shapes[tuple(row)].append(row)
    return shapes
