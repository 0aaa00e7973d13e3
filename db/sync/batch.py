"""Fast-forward: acts that nothing has come between go to the server as they were computed, hundreds at once.

An act may go this way while the server's rows are those it was decided on and no rule has changed since this
station last heard. Its rows are then written as they stand in the local journal, with an entry of its own;
the server's guard judges them like any others. Whatever does not fit is left to be done again by the rules
(``db/sync/push.py``).
"""

from __future__ import annotations

import json
import logging
from base64 import b64decode
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from sqlalchemy import Connection, LargeBinary, Table, select, text
from sqlalchemy.exc import DBAPIError

from db.engine import journal, settings
from db.engine import outbox as sending
from db.engine.among import among
from db.engine.columns import Codec, Json, canonical, from_plain
from db.engine.connections import Database
from db.engine.following import Rows, followers_of
from db.engine.rows import at_once, ours, read_rows, uncollected
from db.engine.tables import journal as entries
from db.engine.tables import metadata
from db.engine.unit_of_work import Diff
from db.kernel.clock import to_ms
from db.kernel.refusal import Refused
from db.sync.incoming import listed, mirrored
from db.sync.pull import OWN_SETTINGS, server_settings

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
Before = Mapping[str, dict[int, dict[str, Any]]]
"""Table → rows as they stand on the server, of those tables that somebody follows."""


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
        except (Refused, DBAPIError, psycopg.Error) as error:
            # One of them; where it is alone, the slow road tells whose fault it is.
            _log.info("%s acts could not be sent together: %s", len(acts), error)
            acts = acts[: len(acts) // 2]
            continue
        if sent:
            with local.write_many() as writing:
                done = (sending.DONE, to_ms(local.clock.now()), json.dumps(sent))
                writing.connection.exec_driver_sql(_DONE, done)
        return sent
    return []


def _fitting(local: Database, operations: Sequence[int], blocked: Set[Key]) -> list[Forward]:
    """The acts, up to the first whose effect cannot be taken as it is."""
    with local.read() as connection:
        told = connection.exec_driver_sql(_WAITING_ENTRIES, (json.dumps(operations), sending.WAITING))
        rows = {row[-1]: journal.Entry(*row) for row in told}
    found = []
    for operation in operations:
        entry = rows.get(operation)
        # An undo names an entry of this file; "#" stands where a private word was left out.
        if entry is None or entry.undoes is not None or entry.touched is None or '"#"' in entry.arguments:
            break
        changes = json.loads(entry.changes)
        if not changes.keys() <= _forwarded():
            break
        effect = {table: dict(diffs) for table, diffs in changes.items()}
        act = Forward(operation, entry, effect)
        if not act.keys.isdisjoint(blocked):
            break
        found.append(act)
    return found


_DONE = "UPDATE outbox SET state = ?, decided_at = ? WHERE id IN (SELECT value FROM json_each(?))"
_WAITING_ENTRIES = (
    "SELECT o.at, j.actor_id, j.actor_name, j.station, j.command, j.arguments, j.changes, j.touched,"
    " j.undoes, o.id FROM json_each(?) wanted CROSS JOIN outbox o ON o.id = wanted.value"
    " JOIN journal j ON j.seq = o.seq WHERE o.state = ?"
)


@cache
def _forwarded() -> frozenset[str]:
    """The tables whose rows stand in the journal as they are, and count their changes."""
    return frozenset(
        table.name
        for table in mirrored()
        if "version" in table.c and not any(column.info.get("private") for column in table.c)
    )


def _send(local: Database, server: Database, acts: Sequence[Forward]) -> list[int]:
    """Those of the acts, from the first on, that may go as they are; all in one transaction of the server."""
    with local.read() as connection:
        # One view: what waits, and the rows as they stand after it.
        connection.exec_driver_sql("BEGIN")
        since = connection.exec_driver_sql("SELECT xid FROM replica").scalar_one()
        ours = connection.exec_driver_sql(_OURS, (json.dumps(_APART),)).scalar_one()
        cases = _versions(connection, acts)
        before = _stood_here(connection, acts)
    agreed = _agreed.setdefault(server, _Agreed())
    while acts:
        if agreed.ours != ours and not _agree(local, server, ours, agreed):
            break
        try:
            _commit(server, acts, cases, max(since, agreed.heard), agreed, before)
        except (psycopg.Error, DBAPIError) as error:
            if getattr(getattr(error, "orig", error), "sqlstate", None) != MOVED_ON:
                raise
        else:
            return [act.operation for act in acts]
        count, was = len(acts), agreed.ours
        acts, before, agreed.ours = _standing(server, acts, cases, since), None, ""
        if len(acts) == count and not was:
            # Refused and found in order, and not for the first time: somebody is at it this very moment.
            break
    return []


@dataclass
class _Agreed:
    """What a server and this file are known to have alike, so that it is not compared with every act."""

    ours: str = ""
    """The settings of this file, in one text, when they were found to be the server's."""
    theirs: str = ""
    """What the server's settings were told by then."""
    index: Any = None
    """The edition of the server's search index."""
    in_months: frozenset[str] = frozenset()
    """The tables of the server that lie in partitions."""
    heard: int = 0
    """Below this transaction of the server nobody else has changed what acts are decided by."""


_agreed: WeakKeyDictionary[Database, _Agreed] = WeakKeyDictionary()

MOVED_ON = "JW002"
"""The SQLSTATE by which a server says that acts cannot go on as they were computed (db/server/guard.sql)."""
_INDEX = "search.edition"
"""The setting that a follower of cases asks for (db/search/index.py)."""
_APART = sorted(OWN_SETTINGS)
_OURS = (
    "SELECT 'x' || coalesce(group_concat(key || ' ' || value, ' '), '') FROM setting"
    " WHERE NOT secret AND key NOT IN (SELECT value FROM json_each(?)) AND key NOT LIKE 'replica.%'"
)
_BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
"""Said by ourselves: the driver would wait for the answer to its own."""
_STANDING = (
    "SELECT jw_demand_standing(%s::bigint[], %s::bigint, %s::integer, %s::text[], %s::jsonb, %s::text[], %s)"
)
_ENTER = (
    "SELECT jw_enter(%s::bigint[], %s::bigint[], %s::text[], %s::integer[], %s::text[], %s::text[],"
    " %s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint)"
)


def _agree(local: Database, server: Database, ours: str, agreed: _Agreed) -> bool:
    """Compare the settings of both; whether they are alike."""
    with local.read() as own:
        here = server_settings(own)
    with server.read() as connection:
        # The mark first: when they change in between, it does not hold, and they are compared again.
        mark = connection.exec_driver_sql("SELECT jw_settings_mark(%s::text[])", (_APART_BUT_INDEX,))
        agreed.theirs = mark.scalar_one()
        agreed.index = settings.get(connection, _INDEX)
        parted = connection.exec_driver_sql("SELECT relname FROM pg_class WHERE relkind = 'p'")
        agreed.in_months = frozenset(parted.scalars())
        if server_settings(connection) != here:
            return False
    agreed.ours = ours
    return True


_APART_BUT_INDEX = [key for key in _APART if key != _INDEX]


def _stood_here(connection: Connection, acts: Sequence[Forward]) -> Before | None:
    """What followed rows were before the acts, as this file tells it; where their version is the server's, so
    are they. ``None`` when it cannot tell: rows are gone, or more acts wait.
    """
    waiting = connection.exec_driver_sql("SELECT count(*) FROM outbox WHERE state = 'waiting'").scalar_one()
    followed = _followed(_waves(acts))
    if waiting != len(acts):
        return None
    before: dict[str, dict[int, dict[str, Any]]] = {}
    for table, ids in followed.items():
        rows = read_rows(connection, table, sorted(ids))
        if rows.keys() != ids:
            return None
        for act in reversed(acts):
            for row_id, diff in act.effect.get(table.name, {}).items():
                if "id" in diff:
                    rows.pop(row_id, None)
                elif row_id in rows:
                    rows[row_id].update(_ours(table, {name: was for name, (was, _is) in diff.items()}))
        before[table.name] = rows
    return before


def _commit(
    server: Database,
    acts: Sequence[Forward],
    cases: Mapping[int, int],
    since: int,
    agreed: _Agreed,
    before: Before | None,
) -> None:
    """The transaction on the server, in one go: nothing waits for this station before the answer of COMMIT.

    First the rows are locked in their order and it is asked whether everything stands as it did; then the
    rows are written, and last, for as short as can be, the head of the journal is taken. Without ``before``
    the rows that somebody follows are asked for in between.
    """
    waves = _waves(acts)
    numbers = [act.operation for act in acts]
    told = (_wanted(acts, cases), _APART_BUT_INDEX, agreed.theirs)
    asked = (numbers, since, acts[0].entry.station, list(RULE_TABLES), *told)
    columns = zip(*(act.entry for act in acts), strict=True)
    entries = (*(list(column) for column in columns), server.ids.last)
    with (
        server.troubles(),
        uncollected(),
        server.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection,
        connection.begin(),
        settings.read_ahead(connection, {_INDEX: agreed.index}),
    ):
        standing = None
        if before is None:
            with at_once(connection) as driver:
                driver.execute(_BEGIN)
                standing = driver.execute(_STANDING, asked)
                known = {
                    table: driver.execute(_rows_of(table), (sorted(ids),))
                    for table, ids in _followed(waves).items()
                }
            before = {
                table.name: {
                    row["id"]: row for row in ours(connection, table, table.c.keys(), cursor.fetchall())
                }
                for table, cursor in known.items()
            }
        with at_once(connection) as driver:
            if standing is None:
                driver.execute(_BEGIN)
                standing = driver.execute(_STANDING, asked)
            for wave in waves:
                _write(connection, driver, wave, before, agreed.in_months)
            driver.execute(_ENTER, entries)
            driver.execute("COMMIT")
        agreed.heard = max(agreed.heard, (standing.fetchone() or (0,))[0])


def _wanted(acts: Sequence[Forward], cases: Mapping[int, int]) -> str:
    """The versions that rows must have for the acts to go on as they are, by table, as JSON."""
    wanted: dict[str, dict[int, int]] = defaultdict(dict)
    seen: set[Key] = set()
    for act in acts:
        for name, row_id in act.keys - seen:
            if "cases" in act.effect and "case_id" in metadata.tables[name].c:
                # What changes a part of a case counts the case up.
                continue
            before = _before(name, act.effect.get(name, {}).get(row_id), cases.get(row_id))
            if before:
                wanted[name][row_id] = before["version"]
        seen |= act.keys
    return json.dumps([[table.name, wanted[table.name]] for table in mirrored() if table.name in wanted])


def _followed(waves: Sequence[_Wave]) -> dict[Table, set[int]]:
    """The rows whose followers have to know what they were."""
    found: dict[Table, set[int]] = defaultdict(set)
    for wave in waves:
        for name, rows in wave.changed.items():
            if followers_of(table := metadata.tables[name]):
                found[table].update(row["id"] for row in rows)
        for name, ids in wave.gone.items():
            if followers_of(table := metadata.tables[name]):
                found[table].update(ids)
    return found


def _standing(
    server: Database, acts: Sequence[Forward], cases: Mapping[int, int], since: int
) -> Sequence[Forward]:
    """Those of the acts, from the first on, that nothing has come between."""
    with server.read() as connection:
        if _rules_are_newer(connection, since, acts[0].entry.station):
            return []
        return _untouched(connection, acts, cases)


def _rules_are_newer(connection: Connection, since: int, station: int) -> bool:
    """Whether anybody else has changed what acts are decided by since this station last heard."""
    facts = {"since": since, "station": station, "tables": list(RULE_TABLES)}
    return bool(connection.execute(_NEWER, facts).scalar_one())


_NEWER = text(
    "SELECT EXISTS (SELECT FROM news WHERE xid >= :since"
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
    return {} if "id" in diff and diff["id"][0] is None else {"version": diff["version"][0]}


def _others(connection: Connection, name: str, wanted: Mapping[int, Mapping[str, Any]]) -> set[int]:
    """The rows that have another version than they should, or are not there."""
    table = metadata.tables[name]
    query = select(table.c.id, table.c.version).where(among(table.c.id, wanted))
    standing = {row.id: row.version for row in connection.execute(query)}
    return {row_id for row_id, before in wanted.items() if standing.get(row_id) != before["version"]}


def _versions(connection: Connection, acts: Sequence[Forward]) -> dict[int, int]:
    """Of the cases that acts belong to, the version that they had here before the first of these acts."""
    cases = metadata.tables["cases"]
    found: dict[int, int] = {}
    for act in acts:
        for row_id, diff in act.effect.get("cases", {}).items():
            if "version" in diff:
                found.setdefault(row_id, diff["version"][0])
    rest = {row_id for act in acts for name, row_id in act.keys if name == "cases"} - found.keys()
    if rest:
        query = select(cases.c.id, cases.c.version).where(among(cases.c.id, rest))
        found |= {row.id: row.version for row in connection.execute(query)}
    return found


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
        for row_id, diff in rows.items():
            if "id" in diff and diff["id"][1] is None:
                wave.gone[name].append(row_id)
                continue
            values = {column: now for column, (_was, now) in diff.items()} | {"id": row_id}
            if "id" in diff:
                wave.came[name].append(values)
            else:
                wave.changed[name].append({**values, _WAS: diff["version"][0]})


def _write(
    connection: Connection,
    driver: psycopg.Connection[Any],
    wave: _Wave,
    before: Before,
    in_months: Set[str],
) -> None:
    """One statement for each table and set of columns; a row comes after the one that it points to.

    Rows go as the journal tells them, for the database to take apart. One that has moved on is not changed,
    and then the server refuses an entry that says so.
    """
    names = wave.came.keys() | wave.changed.keys() | wave.gone.keys()
    tables = [table for table in mirrored() if table.name in names]
    for table in reversed(tables):
        if gone := wave.gone.get(table.name):
            driver.execute(f"DELETE FROM {table.name} WHERE {_named(table, gone)}")  # noqa: S608  our own names
            known = before.get(table.name, {})
            _follow(connection, table, [known.pop(row_id) for row_id in gone if row_id in known], ())
    for table in tables:
        changed = wave.changed.get(table.name, [])
        for columns, rows in _by_shape(changed).items():
            new = ", ".join(f"{name} = new.{name}" for name in columns if name not in ("id", _WAS))
            statement = (
                f"UPDATE {table.name} SET {new} FROM jsonb_array_elements(%s::jsonb) told,"  # noqa: S608
                f" jsonb_populate_record(NULL::{table.name}, told.value) new"
                f" WHERE {table.name}.id = (told.value ->> 'id')::bigint"
                f" AND {table.name}.version = (told.value ->> '{_WAS}')::integer"
            )
            ids = [row["id"] for row in rows]
            values: tuple[object, ...] = (_told(table, rows),)
            if table.name in in_months:
                statement += f" AND {_named(table, ids)}"
            else:
                # Told by their numbers, or a plan for hundreds of rows walks through the whole table for one.
                statement += f" AND {table.name}.id = ANY (%s::bigint[])"
                values += (listed(ids),)
            driver.execute(statement, values, prepare=table.name not in in_months)
        came = wave.came.get(table.name, [])
        for columns, rows in _by_shape(came).items():
            into = ", ".join(columns)
            driver.execute(
                f"INSERT INTO {table.name} ({into}) SELECT {into}"  # noqa: S608
                f" FROM jsonb_populate_recordset(NULL::{table.name}, %s::jsonb)",
                (_told(table, rows),),
                prepare=True,
            )
        if followers_of(table):
            known = before.get(table.name, {})
            old = [known[row["id"]] for row in changed if row["id"] in known]
            empty = dict.fromkeys(table.c.keys())
            new_rows = [{**known.get(row["id"], empty), **_ours(table, row)} for row in (*changed, *came)]
            known.update((row["id"], row) for row in new_rows)
            _follow(connection, table, old, new_rows)


_WAS = "was"
"""Beside the columns of a row that changes: the version that it had."""


def _named(table: Table, ids: Iterable[int]) -> str:
    """A condition with the ids in its text: so the planner sees in which months they lie."""
    return f"{table.name}.id IN ({', '.join(map(str, ids))})"


def _told(table: Table, rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as JSON, from which the database takes what the journal tells."""
    unlike = _unlike(table)
    if unlike:
        rows = [
            {
                **row,
                **{name: code(row[name]) for name, code in unlike.items() if row.get(name) is not None},
            }
            for row in rows
        ]
    return json.dumps(rows, ensure_ascii=False)


@cache
def _unlike(table: Table) -> dict[str, Codec]:
    """What the journal tells otherwise than the database reads it: JSON, which is a text there, and bytes."""
    codes: dict[str, Codec] = {}
    for column in table.c:
        if isinstance(column.type, Json):
            codes[column.name] = canonical
        elif isinstance(column.type, LargeBinary):
            codes[column.name] = lambda value: f"\\x{b64decode(value).hex()}"
    return codes


def _ours(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    return {column: from_plain(table.c[column], value) for column, value in row.items() if column != _WAS}


def _rows_of(table: Table) -> str:
    listed = ", ".join(table.c.keys())
    return f"SELECT {listed} FROM {table.name} WHERE id = ANY (%s)"  # noqa: S608  our own names


def _follow(connection: Connection, table: Table, before: Rows, after: Rows) -> None:
    for follower in followers_of(table):
        if before or after:
            follower(connection, before, after)


def _by_shape(rows: Iterable[dict[str, Any]]) -> dict[tuple[str, ...], list[dict[str, Any]]]:
    shapes: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        shapes[tuple(row)].append(row)
    return shapes
