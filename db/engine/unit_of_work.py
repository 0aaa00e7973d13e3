"""The one place that writes: rows, versions, journal entry and news, in one transaction."""

from __future__ import annotations

import hashlib
import hmac
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from itertools import chain, compress, islice
from operator import itemgetter, ne
from typing import Any

from sqlalchemy import BigInteger, Boolean, Connection, Float, Integer, String, Table, delete, text
from sqlalchemy.dialects import postgresql, sqlite

from db.engine import journal, outbox, settings
from db.engine.among import among
from db.engine.columns import Codec, Moment, canonical, defaults, to_plain
from db.engine.diffs import Cells, Diff, Diffs
from db.engine.following import followers_of, looked_at
from db.engine.rows import (
    Raw,
    insert_rows,
    ours,
    read_raw,
    reading,
    stored_rows,
    stored_values,
    turned,
    update_rows,
)
from db.kernel.act import Act
from db.kernel.actor import Actor
from db.kernel.change import Changes
from db.kernel.command import Reach, command_label, reach_of
from db.kernel.ids import IdMaker
from db.kernel.language import N_, _
from db.kernel.refusal import Refused

__all__ = ["Diff", "Reading", "UnitOfWork"]

Row = Mapping[str, Any]

_LOAD_CHUNK = 20_000


class Reading:
    """What somebody sees at one moment: rows as they are, and as the journal would have them.

    Columns ``without`` which a reader can do are not read.
    """

    def __init__(
        self,
        connection: Connection,
        actor: Actor,
        now: datetime,
        without: frozenset[str] = frozenset(),
    ) -> None:
        self._without = without
        self.connection = connection
        self.actor = actor
        self.now = now
        self._raw: dict[str, dict[int, Raw]] = defaultdict(dict)
        self._known: dict[str, dict[int, dict[str, Any]]] = defaultdict(dict)
        self._encode: dict[str, dict[str, Codec]] = {}
        self._secret: bytes | None = None

    def names(self, table: Table) -> tuple[str, ...]:
        """The columns that are read."""
        return tuple(name for name in table.c.keys() if name not in self._without)  # noqa: SIM118  no dict

    def rows(self, table: Table, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
        """Rows by id, read once and to be read only; those not there are left out."""
        known = self._known[table.name]
        missing = [row_id for row_id in ids if row_id not in known]
        if missing:
            raw = self.raw(table, missing)
            read = ours(self.connection, table, self.names(table), list(raw.values()))
            known.update(zip(raw, read, strict=True))
        return {row_id: known[row_id] for row_id in ids if row_id in known}

    def raw(self, table: Table, ids: Sequence[int]) -> dict[int, Raw]:
        """The same rows as the database keeps them, in the order of ``names``: to be compared, passed on."""
        known = self._raw[table.name]
        missing = [row_id for row_id in ids if row_id not in known]
        if missing:
            names = self.names(table)
            key = names.index("id")
            found = read_raw(self.connection, table, missing, names)
            known.update(zip(map(itemgetter(key), found), found, strict=True))
        return {row_id: known[row_id] for row_id in ids if row_id in known}

    def plain(self, table: Table, column: str, value: Any) -> Any:
        """A value as the journal keeps it; a private one only as a keyed digest, so that it can be erased."""
        encode = self.encoders(table).get(column)
        return encode(value) if encode else value

    def encoders(self, table: Table) -> dict[str, Codec]:
        """By column, what makes a value plain; columns whose values are plain already are left out.

        Of a private value the journal keeps only a keyed digest, so that it can be erased.
        """
        found = self._encode.get(table.name)
        if found is None:
            found = self._encode[table.name] = {
                **_codecs(table),
                **dict.fromkeys(_private(table), self._digest),
            }
        return found

    def plain_cells(self, table: Table, names: Sequence[str], raw: Sequence[Sequence[Any]]) -> list[Any]:
        """Raw values, by column, as the journal keeps them: mostly they are the same."""
        unlike = _unlike(table)
        reads, encode = reading(table, self.connection.dialect), self.encoders(table)
        found = []
        for name, values in zip(names, raw, strict=True):
            cells = values
            for codes in (reads, encode) if name in unlike else ():
                if name in codes:
                    cells = turned(codes[name], cells)
            found.append(cells)
        return found

    def _digest(self, value: Any) -> Any:
        if not value:
            return value
        if self._secret is None:
            found = self.connection.execute(
                text("SELECT value FROM setting WHERE key = 'journal.key'")
            ).scalar()
            if found is None and self.connection.dialect.name == "postgresql":
                # A server keeps its key to itself, and gives the digest.
                return self.connection.execute(
                    text("SELECT jw_digest(:value)"), {"value": str(value)}
                ).scalar()
            if found is None:
                raise RuntimeError("this database has no key for private values")
            self._secret = str(found).encode()
        return "#" + hmac.new(self._secret, str(value).encode(), hashlib.sha256).hexdigest()[:32]


class UnitOfWork(Reading):
    """A transaction that keeps its own record.

    Every row goes through ``insert``, ``update``, ``delete`` or ``load``; ``finish`` then appends one journal
    entry, chained to the one before it. There is no other way to write, so the journal cannot be forgotten.
    """

    def __init__(
        self,
        connection: Connection,
        actor: Actor,
        command: object,
        now: datetime,
        ids: IdMaker,
        head: journal.Head,
        act: Act | None = None,
        *,
        replica: bool = False,
    ) -> None:
        # Rows that were read under the write lock stay known: nobody else can change them until the commit.
        super().__init__(connection, actor, now)
        self.command = command
        self.changes: Changes | None = None
        self.undoes: int | None = None
        self.operation = act.operation if act else None
        self.allotted: list[tuple[int, int]] = []
        """The ids given out so far, as (first, count)."""
        self.numbers: list[str] = []
        """The case numbers likewise."""
        self._given_ids = chain.from_iterable(
            range(first, first + n) for first, n in (act.ids if act else ())
        )
        self._given_numbers = iter(act.numbers if act else ())
        self.is_replica = replica
        """Whether this is a station's file, whose acts go on to a server."""
        self._ids = ids
        self._head = head
        self._diffs: dict[str, Diffs] = defaultdict(Diffs)
        self._loaded: dict[str, journal.Digest] = {}
        self._measured: set[str] = set()
        self._mirrored: dict[str, tuple[journal.Digest, set[int]]] = {}
        self._kept = False

    @property
    def station(self) -> int:
        """The number of this station: part of ids and case numbers."""
        return self._ids.station

    def new_id(self) -> int:
        """A fresh id for a row of any table."""
        return self.new_ids(1)[0]

    def new_ids(self, count: int) -> list[int]:
        """``count`` fresh ids in ascending order; of an act that is done again, those that it had before."""
        ids = list(islice(self._given_ids, count))
        if len(ids) < count:
            ids += self._ids.block(count - len(ids))
        for made in ids:
            first, known = self.allotted[-1] if self.allotted else (made, 0)
            if made == first + known:
                self.allotted[-1:] = [(first, known + 1)]
            else:
                self.allotted.append((made, 1))
        return ids

    def given_number(self) -> str | None:
        """The case number that an act had when it was done before; ``None`` when one is to be made."""
        return next(self._given_numbers, None)

    def insert(self, table: Table, rows: Sequence[Row]) -> None:
        """Add rows; each needs its ``id``. What the database would fill in is written down too."""
        shapes: dict[tuple[str, ...], list[Row]] = defaultdict(list)
        for row in rows:
            shapes[tuple(row)].append(row)
        for given, alike in shapes.items():
            left = {name: value for name, value in _defaults(table).items() if name not in given}
            columns = (*left, *given)
            values: list[Any] = [[value] * len(alike) for value in left.values()]
            values += zip(*[row.values() for row in alike], strict=True)
            cells = self._stored(table, columns, values)
            insert_rows(self.connection, table, columns, list(zip(*cells, strict=True)))
            for follower in followers_of(table):
                follower(self.connection, (), [{**left, **row} for row in alike])
            ids = values[columns.index("id")]
            self._diffs[table.name].came(ids, columns, self._plain(table, columns, values, cells))

    def _stored(self, table: Table, columns: Sequence[str], values: Sequence[Sequence[Any]]) -> list[Any]:
        """Our values, by column, as the database keeps them."""
        return [
            stored_values(self.connection, table, name, each)
            for name, each in zip(columns, values, strict=True)
        ]

    def _plain(
        self,
        table: Table,
        columns: Sequence[str],
        values: Sequence[Sequence[Any]],
        stored: Sequence[Sequence[Any]],
    ) -> list[Any]:
        """Our values, by column, as the journal keeps them: mostly as they are stored."""
        unlike, encode = _unlike(table), self.encoders(table)
        return [
            kept if name not in unlike else turned(encode[name], each) if name in encode else each
            for name, each, kept in zip(columns, values, stored, strict=True)
        ]

    def update(
        self, table: Table, changes: Mapping[int, Row], expected: Mapping[int, int] | None = None
    ) -> None:
        """Change columns of rows by id and count their versions up.

        ``expected`` gives the version on which the decision was made; when any row has moved on meanwhile the
        whole command is refused (``changed_meanwhile``), and so it is when a row is gone (``no_such_row``).
        """
        known = self.raw(table, list(changes))
        place = {name: index for index, name in enumerate(self.names(table))}
        shapes: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for row_id, values in changes.items():
            old = known.get(row_id)
            if old is None:
                raise Refused(
                    "no_such_row", N_("There is no such entry any more."), table=table.name, id=row_id
                )
            if expected is not None and old[place["version"]] != expected[row_id]:
                raise self._meanwhile(table, row_id)
            shapes[tuple(values)].append(row_id)
        heard = looked_at(table)
        before_rows: list[Row] = []
        after_rows: list[Row] = []
        for columns, alike in shapes.items():
            given = list(zip(*[changes[row_id].values() for row_id in alike], strict=True))
            stored = self._stored(table, columns, given)
            plain = self._plain(table, columns, given, stored)
            raw = [[known[row_id][place[name]] for row_id in alike] for name in columns]
            were = self.plain_cells(table, columns, raw)
            differing = _differing(columns, were, plain)
            for names, rows in differing.items():
                ids = [alike[row] for row in rows]
                sides = {
                    name: [[cells[columns.index(name)][row] for row in rows] for cells in (were, plain)]
                    for name in names
                }
                if "version" in place:
                    versions = [known[row_id][place["version"]] for row_id in ids]
                    sides["version"] = [versions, [version + 1 for version in versions]]
                self._diffs[table.name].changed(ids, list(sides), *zip(*sides.values(), strict=True))
            # All in one pass and in the order of the ids, so that a page of the table is written once. What
            # does not differ in a row is set to what it is.
            rows = sorted(chain.from_iterable(differing.values()), key=alike.__getitem__)
            if not rows:
                continue
            ids = [alike[row] for row in rows]
            new = {
                name: [stored[index][row] for row in rows]
                for index, name in enumerate(columns)
                if any(name in names for names in differing)
            }
            if "version" in place:
                new["version"] = [known[row_id][place["version"]] + 1 for row_id in ids]
            update_rows(self.connection, table, list(new), list(zip(*new.values(), ids, strict=True)))
            if not heard.isdisjoint(new):
                told = [name for name in place if name in heard]
                pick = itemgetter(*[place[name] for name in told])
                newer = [name for name in new if name in heard]
                for row_id, *cells in zip(ids, *[new[name] for name in newer], strict=True):
                    was = dict(zip(told, pick(known[row_id]), strict=True))
                    before_rows.append(was)
                    after_rows.append({**was, **dict(zip(newer, cells, strict=True))})
            self._forget(table, ids)
        if before_rows:
            for follower in followers_of(table):
                follower(self.connection, before_rows, after_rows)

    def delete(self, table: Table, ids: Sequence[int]) -> None:
        """Remove rows by id; their last values stay in the journal."""
        gone = self.raw(table, ids)
        if not gone:
            return
        names = self.names(table)
        values = self.plain_cells(table, names, list(zip(*gone.values(), strict=True)))
        self.connection.execute(delete(table).where(among(table.c.id, gone)))
        for follower in followers_of(table):
            follower(self.connection, [dict(zip(names, row, strict=True)) for row in gone.values()], ())
        self._diffs[table.name].went(list(gone), names, values)
        self._forget(table, gone)

    def _forget(self, table: Table, ids: Iterable[int]) -> None:
        for known in (self._raw[table.name], self._known[table.name]):
            if known:
                for row_id in ids:
                    known.pop(row_id, None)

    def load(self, table: Table, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> int:
        """Add many rows of raw values (moments in milliseconds, JSON as text); returns how many.

        The journal keeps their number and a SHA-256 digest instead of each row, and the news says "bulk".
        """
        digest = self._loaded.setdefault(table.name, journal.Digest())
        names = ", ".join(columns)
        followers = followers_of(table)
        cursor = self.connection.connection.cursor()
        # A server with row policies takes no COPY from its members.
        copies = (
            self.connection.dialect.name != "sqlite"
            and not self.connection.execute(
                text("SELECT row_security_active(CAST(:name AS regclass))"), {"name": table.name}
            ).scalar()
        )
        try:
            for chunk in _chunks(rows, _LOAD_CHUNK):
                digest.add(chunk)
                if self.connection.dialect.name == "sqlite":
                    marks = ", ".join("?" * len(columns))
                    statement = f"INSERT INTO {table.name} ({names}) VALUES ({marks})"  # noqa: S608  our own names
                    cursor.executemany(statement, chunk)
                else:
                    # SQLite knows no booleans: what is loaded may bear 0 and 1.
                    flags = [
                        place for place, name in enumerate(columns) if isinstance(table.c[name].type, Boolean)
                    ]
                    stored = _with_flags(chunk, flags) if flags else chunk
                    if copies:
                        with cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
                            for row in stored:
                                copy.write_row(row)
                    else:
                        insert_rows(self.connection, table, columns, list(stored))
                if followers:
                    loaded = [dict(zip(columns, row, strict=True)) for row in chunk]
                    for follower in followers:
                        follower(self.connection, (), loaded)
        finally:
            cursor.close()
        return digest.rows

    def mirror(self, table: Table, rows: Sequence[Row], gone: Iterable[int] = ()) -> None:
        """Make rows what they are on a server, versions included; of ``gone`` none is left.

        The journal keeps which rows these were and a digest of what was written: their history stands on the
        server.
        """
        ids = [row["id"] for row in rows]
        before = self.rows(table, [*ids, *gone])
        lost = [row_id for row_id in gone if row_id in before]
        changed = [dict(row) for row in rows if before.get(row["id"]) != row]
        came = [row for row in changed if row["id"] not in before]
        other = [row for row in changed if row["id"] in before]
        if not (lost or changed):
            return
        if self.connection.dialect.name == "sqlite":
            # Rows of one table may point to one another, in any order.
            self.connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        columns = tuple(table.c.keys())
        digest, touched = self._mirrored.setdefault(table.name, (journal.Digest(), set()))
        if lost:
            self.connection.execute(delete(table).where(among(table.c.id, lost)))
        if came:
            stored = stored_rows(self.connection, table, columns, came)
            insert_rows(self.connection, table, columns, stored)
            digest.add(stored)
        if other:
            # What is written is written into every index that knows the column, though nothing differs.
            values = tuple(
                name for name in columns if any(before[row["id"]][name] != row[name] for row in other)
            )
            stored = stored_rows(self.connection, table, (*values, "id"), other)
            update_rows(self.connection, table, values, stored)
            digest.add(stored)
        self._forget(table, [*lost, *ids])
        touched.update([*lost, *(row["id"] for row in changed)])
        old_rows = [before[row_id] for row_id in [*lost, *(row["id"] for row in other)]]
        for follower in followers_of(table):
            follower(self.connection, old_rows, changed)

    def telemetry(self, table: Table, rows: Sequence[Row]) -> None:
        """Write newest measurements (positions) over the older ones, without journal: no record of duty."""
        if not rows:
            return
        dialect = sqlite if self.connection.dialect.name == "sqlite" else postgresql
        statement = dialect.insert(table)
        key = [column.name for column in table.primary_key]
        newer = {name: statement.excluded[name] for name in rows[0] if name not in key}
        # Twice the same key in one statement is an error on a server: the later row counts.
        latest = {tuple(row[name] for name in key): dict(row) for row in rows}
        self.connection.execute(
            statement.on_conflict_do_update(index_elements=key, set_=newer), list(latest.values())
        )
        self._measured.add(table.name)

    def keep(self) -> None:
        """Journal this act although it changes no row, as one that puts a setting; its command is lasting."""
        self._kept = True

    def finish(self) -> journal.Head:
        """Append the journal entry, and on a station's file what is to be sent; returns the head after it."""
        diffs = {table: rows for table, rows in self._diffs.items() if rows.ids}
        touched = {table: set(rows.ids) for table, rows in diffs.items()}
        for table, (_digest, mirrored) in self._mirrored.items():
            touched[table] = touched.get(table, set()) | mirrored
        ids = {table: frozenset(rows) for table, rows in touched.items()}
        ids |= {table: frozenset() for table in self._measured - ids.keys()}
        bulk = bool(self._loaded)
        seq = 0
        head = self._head
        if touched or bulk or self._kept:
            if self.is_replica and self.operation is None and reach_of(self.command) is Reach.BOTH:
                self.operation = self.new_id()
            told = {table: rows.text() for table, rows in diffs.items()}
            told |= {f"{table}*": canonical(digest.summary()) for table, digest in self._loaded.items()}
            told |= {f"{table}=": canonical(each.summary()) for table, (each, _ids) in self._mirrored.items()}
            changes = ",".join([f"{canonical(name)}:{told[name]}" for name in sorted(told)])
            head = journal.append(
                self.connection,
                self._head,
                self.actor,
                self.station,
                self.command,
                self.now,
                f"{{{changes}}}",
                None if bulk else {table: sorted(rows) for table, rows in touched.items()},
                self.undoes,
                # A station's own journal may tell of an act twice: before and after it was done again.
                None if self.is_replica else self.operation,
                max(self._ids.last, self._head.last_id),
            )
            seq = head.seq
            if self.is_replica and self.operation is not None:
                outbox.enter(self.connection, self, seq)
        if seq or self._measured:
            self.changes = Changes(seq, ids, bulk)
        return head

    def _meanwhile(self, table: Table, row_id: int) -> Refused:
        touch = journal.last_touch(self.connection, table, row_id)
        if touch is None:
            return Refused(
                "changed_meanwhile",
                N_("Someone else changed this a moment ago; look again and decide anew."),
                id=row_id,
            )
        return Refused(
            "changed_meanwhile",
            N_("{who} changed this at {when} ({what}); look again and decide anew."),
            id=row_id,
            who=touch.actor_name,
            when=settings.clock_text(self.connection, touch.at, self.now),
            what=_(command_label(touch.command)),
        )


@cache
def _defaults(table: Table) -> dict[str, Any]:
    return defaults(table)


@cache
def _codecs(table: Table) -> dict[str, Codec]:
    return {column.name: _or_none(code) for column in table.c if (code := to_plain(column))}


@cache
def _unlike(table: Table) -> frozenset[str]:
    """The columns whose values the journal keeps otherwise than the database."""
    alike = (Moment, BigInteger, Integer, String, Float)
    return frozenset(
        column.name for column in table.c if column.info.get("private") or not isinstance(column.type, alike)
    )


def _private(table: Table) -> list[str]:
    return [column.name for column in table.c if column.info.get("private")]


def _differing(columns: Sequence[str], before: Cells, after: Cells) -> dict[tuple[str, ...], list[int]]:
    """By the columns in which they differ, the places of the rows; those that do not differ are left out."""
    flags = zip(*[map(ne, was, now) for was, now in zip(before, after, strict=True)], strict=True)
    found: dict[tuple[bool, ...], list[int]] = defaultdict(list)
    for index, each in enumerate(flags):
        found[each].append(index)
    return {tuple(compress(columns, each)): places for each, places in found.items() if any(each)}


def _or_none(code: Codec) -> Callable[[Any], Any]:
    return lambda value: None if value is None else code(value)


def _with_flags(rows: list[tuple[Any, ...]], flags: list[int]) -> Iterator[list[Any]]:
    for row in rows:
        cells = list(row)
        for place in flags:
            if cells[place] is not None:
                cells[place] = bool(cells[place])
        yield cells


def _chunks(rows: Iterable[Any], size: int) -> Iterator[list[Any]]:
    iterator = iter(rows)
    while chunk := list(islice(iterator, size)):
        yield chunk
