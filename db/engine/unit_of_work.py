"""The one place that writes: rows, versions, journal entry and news, in one transaction."""

from __future__ import annotations

import hashlib
import hmac
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Table, bindparam, delete, insert, select, text, update

from db.engine import journal
from db.kernel.actor import Actor
from db.kernel.change import Changes
from db.kernel.clock import to_ms
from db.kernel.ids import IdMaker
from db.kernel.language import N_
from db.kernel.refusal import Refused

Row = Mapping[str, Any]
_LOAD_CHUNK = 20_000
_IN_CHUNK = 500


class UnitOfWork:
    """A transaction that keeps its own record.

    Every row goes through ``insert``, ``update``, ``delete`` or ``load``; ``finish`` then appends one journal entry,
    chained to the one before it. There is no other way to write, so forgetting the journal is impossible.
    """

    def __init__(
        self, connection: Connection, actor: Actor, command: object, now: datetime, ids: IdMaker
    ) -> None:
        self.connection = connection
        self.actor = actor
        self.command = command
        self.now = now
        self.changes: Changes | None = None
        self.undoes: int | None = None
        self._ids = ids
        self._rows: dict[str, dict[int, dict[str, list[Any]]]] = defaultdict(dict)
        self._loaded: dict[str, journal.Digest] = {}
        self._secret: bytes | None = None

    @property
    def station(self) -> int:
        """The number of this station: part of ids and case numbers."""
        return self._ids.station

    def new_id(self) -> int:
        """A fresh id for a row of any table."""
        return self._ids()

    def new_ids(self, count: int) -> list[int]:
        """``count`` fresh ids in ascending order."""
        return self._ids.block(count)

    def insert(self, table: Table, rows: Sequence[Row]) -> None:
        """Add rows; each needs its ``id``."""
        if not rows:
            return
        self.connection.execute(insert(table), [dict(row) for row in rows])
        record = self._rows[table.name]
        for row in rows:
            after = record.setdefault(row["id"], {})
            for column, value in row.items():
                if column != "id":
                    after[column] = [None, self.plain(table, column, value)]
            if "version" in table.c:
                after["version"] = [None, row.get("version", 1)]

    def update(
        self, table: Table, changes: Mapping[int, Row], expected: Mapping[int, int] | None = None
    ) -> None:
        """Change columns of rows by id and count their versions up.

        ``expected`` gives the version on which the decision was made; when any row has moved on meanwhile the whole
        command is refused (``changed_meanwhile``). A row that is not there is refused too.
        """
        if not changes:
            return
        before = self.rows(table, list(changes))
        for row_id in changes:
            if row_id not in before:
                raise Refused(
                    "no_such_row", N_("There is no such entry any more."), table=table.name, id=row_id
                )
            if expected is not None and before[row_id]["version"] != expected[row_id]:
                raise Refused(
                    "changed_meanwhile",
                    N_("Someone else changed this a moment ago; look again and decide anew."),
                    id=row_id,
                )
        groups: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
        record = self._rows[table.name]
        for row_id, values in changes.items():
            old = before[row_id]
            new = {column: value for column, value in values.items() if old[column] != value}
            if not new:
                continue
            new["version"] = old["version"] + 1
            groups[tuple(sorted(new))].append({"_id": row_id, **new})
            diff = record.setdefault(row_id, {})
            for column, value in new.items():
                seen = diff.get(column)
                first = seen[0] if seen else self.plain(table, column, old[column])
                diff[column] = [first, self.plain(table, column, value)]
        for columns, rows in groups.items():
            statement = (
                update(table).where(table.c.id == bindparam("_id")).values({c: bindparam(c) for c in columns})
            )
            self.connection.execute(statement, rows)

    def delete(self, table: Table, ids: Sequence[int]) -> None:
        """Remove rows by id; their last values stay in the journal."""
        before = self.rows(table, ids)
        record = self._rows[table.name]
        for row_id, row in before.items():
            diff = record.setdefault(row_id, {})
            for column, value in row.items():
                if column != "id":
                    diff[column] = [
                        diff[column][0] if column in diff else self.plain(table, column, value),
                        None,
                    ]
        for chunk in _chunks(ids, _IN_CHUNK):
            self.connection.execute(delete(table).where(table.c.id.in_(chunk)))

    def load(self, table: Table, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> int:
        """Add many rows of raw values (moments in milliseconds, JSON as text); returns how many.

        The journal keeps their number and a SHA-256 digest instead of each row, and the news says "bulk".
        """
        digest = self._loaded.setdefault(table.name, journal.Digest())
        names = ", ".join(columns)
        if self.connection.dialect.name == "sqlite":
            marks = ", ".join("?" * len(columns))
            statement = f"INSERT INTO {table.name} ({names}) VALUES ({marks})"  # noqa: S608  names are our own tables
            cursor = self.connection.connection.cursor()
            for chunk in _chunks(rows, _LOAD_CHUNK):
                digest.add(chunk)
                cursor.executemany(statement, chunk)
            cursor.close()
        else:
            cursor = self.connection.connection.cursor()
            with cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
                booleans = [i for i, c in enumerate(columns) if str(table.c[c].type) == "BOOLEAN"]
                for chunk in _chunks(rows, _LOAD_CHUNK):
                    digest.add(chunk)
                    for row in chunk:
                        copy.write_row(
                            [bool(v) if i in booleans and v is not None else v for i, v in enumerate(row)]
                            if booleans
                            else row
                        )
            cursor.close()
        return digest.rows

    def telemetry(self, table: Table, rows: Sequence[Row]) -> None:
        """Write newest measurements (positions) over the older ones, without journal: they are no record of duty."""
        if not rows:
            return
        key = next(iter(table.primary_key)).name
        keys = [row[key] for row in rows]
        for chunk in _chunks(keys, _IN_CHUNK):
            self.connection.execute(delete(table).where(table.c[key].in_(chunk)))
        self.connection.execute(insert(table), [dict(row) for row in rows])
        self.changes = self.changes or Changes(touched={table.name: frozenset()})

    def finish(self) -> None:
        """Append the journal entry; called once, just before the commit."""
        rows = {
            table: {i: diff for i, diff in ids.items() if diff} for table, ids in self._rows.items() if ids
        }
        if not rows and not self._loaded:
            return
        bulk = bool(self._loaded)
        touched = None if bulk else {table: sorted(ids) for table, ids in rows.items()}
        changes: dict[str, Any] = {
            table: [[i, diff] for i, diff in ids.items()] for table, ids in rows.items()
        }
        changes |= {f"{table}*": digest.summary() for table, digest in self._loaded.items()}
        seq = journal.append(
            self.connection,
            self.actor,
            self._ids.station,
            self.command,
            self.now,
            changes,
            touched,
            self.undoes,
        )
        self.changes = Changes(seq, {table: frozenset(ids) for table, ids in rows.items()}, bulk)

    def rows(self, table: Table, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
        """Rows by id as they stand in this transaction; ids that are not there are left out."""
        found: dict[int, dict[str, Any]] = {}
        for chunk in _chunks(ids, _IN_CHUNK):
            for row in self.connection.execute(select(table).where(table.c.id.in_(chunk))).mappings():
                found[row["id"]] = dict(row)
        return found

    def plain(self, table: Table, column: str, value: Any) -> Any:
        """A value as the journal keeps it; a citizen's contact only as a keyed digest, so that it can be erased."""
        if value is None or value == "":
            return value
        if table.c[column].info.get("private"):
            return "#" + hmac.new(self._key(), str(value).encode(), hashlib.sha256).hexdigest()[:32]
        if isinstance(value, datetime):
            return to_ms(value)
        if isinstance(value, (date, time)):
            return value.isoformat()
        if isinstance(value, bytes):
            return "#" + hashlib.sha256(value).hexdigest()[:32]
        if isinstance(value, (tuple, set, frozenset)):
            return sorted(value) if not isinstance(value, tuple) else list(value)
        return value

    def _key(self) -> bytes:
        if self._secret is None:
            found = self.connection.execute(
                text("SELECT value FROM setting WHERE key = 'journal.key'")
            ).scalar()
            if found is None:
                raise RuntimeError("this database has no key for private values")
            self._secret = str(found).encode()
        return self._secret


def _chunks(rows: Iterable[Any], size: int) -> Iterator[list[Any]]:
    iterator = iter(rows)
    while chunk := list(islice(iterator, size)):
        yield chunk
