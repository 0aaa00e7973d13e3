"""The first copy of a server into a station's file: table by table, resumed where it was cut."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Date,
    Select,
    Table,
    Time,
    column,
    func,
    insert,
    select,
    text,
    type_coerce,
    union_all,
    update,
)
from sqlalchemy import table as sql_table
from sqlalchemy.dialects import sqlite
from sqlalchemy.types import NullType

from db.engine import schema, settings
from db.engine.connections import Database, open_database
from db.engine.tables import metadata, replica
from db.kernel.actor import SYSTEM
from db.kernel.clock import Clock
from db.kernel.language import N_
from db.kernel.refusal import Refused
from db.sync.incoming import in_window, mirrored, oldest_closing
from db.sync.news import horizon
from db.sync.pull import server_settings, snapshot
from db.sync.rebase import TakeOver

CHUNK = 20_000
"""Rows in one transaction of the copy."""
BEAT_SECONDS = 0.3
"""So often whoever watches the copy hears of it while the line is silent."""
STATIONS = range(1, 1024)
"""The numbers of stations; 0 is the server's own."""


INDEXES = "indexes"
"""What the progress calls the work after the last row."""
WORDS_EDITION = "search.edition"
"""The setting by which a search index says that it is whole (``db/search/index.py``)."""
_HERE = sqlite.dialect()


@dataclass(frozen=True)
class Progress:
    """How far the copy is: ``done`` of about ``all`` rows that were still to come when it began, those of all
    tables; or of the indexes after them (``INDEXES``).
    """

    table: str
    """The one that is being copied."""
    done: int
    all: int


def join(path: Path, server: Database, address: str, name: str, clock: Clock | None = None) -> Database:
    """Make an empty station's file for the server at ``address``, or open the one that is there.

    The server gives the station its number. Raises ``Refused("other_server")`` for a file of another server,
    ``Refused("not_a_replica")`` for one that is somebody's own database.
    """
    local = open_database(f"sqlite:///{path}", create=True, clock=clock)
    try:
        schema.upgrade(local)
        with local.read() as connection:
            stand = connection.execute(select(replica)).first()
        if stand is None:
            if not schema.is_untouched(local):
                raise Refused("not_a_replica", N_("{path} is a database of its own."), path=str(path))
            _begin(local, server, address, name)
        elif stand.server != address:
            raise Refused(
                "other_server",
                N_("{path} belongs to another server: {theirs}."),
                path=str(path),
                theirs=stand.server,
            )
        schema.load_station(local)
        local.is_replica = True
    except BaseException:
        local.close()
        raise
    path.chmod(0o600)
    return local


def copy(
    local: Database, server: Database, told: Callable[[Progress], None] = lambda _progress: None
) -> None:
    """Copy what is not here yet; cut off, it goes on from there when it is called again.

    What changes on the server meanwhile comes with the first ``pull``: the cursor of the news is older than
    any row that was copied. Raises ``Unavailable``; what ``told`` raises ends the copy likewise.
    """
    with local.read() as connection:
        copying = connection.execute(select(replica.c.copying)).scalar_one()
    if copying is None:
        return
    # An index that grows row by row costs more than the rows.
    _drop_indexes(local)
    with snapshot(server) as connection:
        since = oldest_closing(connection)
        edition = settings.get(connection, WORDS_EDITION)
        every = _sources(since, with_words=edition is not None)
        sources = [source for source in every if copying.get(source.table, 0) >= 0]
        _copy_tables(local, connection, sources, copying, told)
    _make_indexes(local, told)
    with local.write_many() as writing:
        if "case_words" in copying:
            settings.put(writing, WORDS_EDITION, edition)
        writing.connection.execute(update(replica).values(copying=None, synced_at=local.clock.now()))
        with writing.unit(SYSTEM, TakeOver()) as unit:
            unit.keep()


@dataclass(frozen=True)
class _Source:
    """A table of the server: a statement with its rows, whose first column is the key."""

    table: str
    columns: tuple[str, ...]
    key: ColumnElement[int]
    statement: Select[Any]
    store: Callable[[Sequence[Any]], Sequence[Any]] | None
    """Turns a row of the server into one of this file; ``None`` where they are the same."""


def _sources(since_ms: int, *, with_words: bool) -> Iterator[_Source]:
    for table in mirrored():
        names = ("id", *(name for name in table.c.keys() if name != "id"))  # noqa: SIM118  not a dictionary
        wanted = in_window(table, since_ms)
        raw: Any = wanted.with_only_columns(*(type_coerce(table.c[name], NullType) for name in names))
        yield _Source(table.name, names, table.c.id, raw, _storing(table, names))
    if with_words:
        # The index of the search is cut from the texts once, on the server.
        case = column("case_id", BigInteger)
        words = sql_table("case_words", case, column("words"))
        inside = in_window(metadata.tables["cases"], since_ms).with_only_columns(
            metadata.tables["cases"].c.id
        )
        terms = func.array_to_string(func.tsvector_to_array(words.c.words), " ")
        yield _Source(
            "case_words", ("rowid", "words"), case, select(case, terms).where(case.in_(inside)), None
        )


def _storing(table: Table, names: Sequence[str]) -> Callable[[Sequence[Any]], Sequence[Any]] | None:
    """Moments, flags and texts are the same in both databases; days and hours are not."""
    unlike = {
        place: code
        for place, name in enumerate(names)
        if isinstance(table.c[name].type, Date | Time)
        and (code := table.c[name].type.dialect_impl(_HERE).bind_processor(_HERE))
    }
    if not unlike:
        return None

    def store(row: Sequence[Any]) -> Sequence[Any]:
        return [
            unlike[place](cell) if place in unlike and cell is not None else cell
            for place, cell in enumerate(row)
        ]

    return store


def _copy_tables(
    local: Database,
    connection: Connection,
    sources: Sequence[_Source],
    copying: dict[str, int],
    told: Callable[[Progress], None],
) -> None:
    table, done, whole = "", 0, 0

    def still() -> None:
        # Also when the line says nothing: whoever watches may end it.
        told(Progress(table, done, whole))

    rests = [source.statement.where(source.key > copying.get(source.table, 0)) for source in sources]
    with ThreadPoolExecutor(1, "copy") as ahead:
        whole = _awaited(ahead.submit(_count, connection, rests), still)
        for source, rest in zip(sources, rests, strict=True):
            table = source.table
            names = ", ".join(source.columns)
            marks = ", ".join("?" * len(source.columns))
            insertion = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608  our own names
            with closing(_chunks(connection, rest.order_by(source.key), ahead, still)) as chunks:
                for rows in chunks:
                    stored = rows if source.store is None else [source.store(row) for row in rows]
                    copying[table] = rows[-1][0]
                    with local.fill() as here:
                        here.connection.cursor().executemany(insertion, stored)
                        here.execute(update(replica).values(copying=copying))
                    done += len(rows)
                    still()
            copying[table] = -1


def _count(connection: Connection, rests: Sequence[Select[Any]]) -> int:
    """The rows of all of them, asked at once."""
    counts = [select(func.count()).select_from(rest.subquery()) for rest in rests]
    return sum(connection.execute(union_all(*counts)).scalars()) if counts else 0


def _chunks(
    connection: Connection, statement: Select[Any], ahead: ThreadPoolExecutor, still: Callable[[], None]
) -> Generator[Sequence[tuple[Any, ...]], None, None]:
    """The rows in portions; the next one is fetched while the one before is written. ``still`` is called now
    and then while it is waited for.
    """
    words = statement.compile(connection, compile_kwargs={"literal_binds": True})
    driver: Any = connection.connection.driver_connection
    with driver.cursor(name="copy") as cursor:
        _awaited(ahead.submit(cursor.execute, str(words)), still)
        coming = ahead.submit(cursor.fetchmany, CHUNK)
        while rows := _awaited(coming, still):
            coming = ahead.submit(cursor.fetchmany, CHUNK)
            yield rows
        _awaited(ahead.submit(cursor.close), still)


def _awaited(coming: Future[Any], still: Callable[[], None]) -> Any:
    while True:
        try:
            return coming.result(BEAT_SECONDS)
        except TimeoutError:
            if coming.done():
                raise
            still()


def _drop_indexes(local: Database) -> None:
    with local.fill() as connection:
        for table in mirrored():
            for index in table.indexes:
                connection.exec_driver_sql(f"DROP INDEX IF EXISTS {index.name}")


def _make_indexes(local: Database, told: Callable[[Progress], None]) -> None:
    wanted = [index for table in mirrored() for index in table.indexes]
    for done, index in enumerate(wanted, 1):
        with local.fill() as connection:
            index.create(connection, checkfirst=True)
        told(Progress(INDEXES, done, len(wanted)))


def _begin(local: Database, server: Database, address: str, name: str) -> None:
    token = secrets.token_hex(16)
    with server.troubles(), server.engine.begin() as connection:
        cursor = horizon(connection)
        head = connection.execute(text("SELECT seq, hash FROM journal_head")).one()
        theirs = server_settings(connection)
        taken = set(connection.execute(text("SELECT number FROM station")).scalars())
        number = next((each for each in STATIONS if each not in taken), None)
        if number is None:
            raise Refused("too_many_stations", N_("This server has as many stations as it can number."))
        connection.execute(
            text(
                "INSERT INTO station (number, name, token, seen_at)"
                " VALUES (:number, :name, :token, jw_now_ms())"
            ),
            {"number": number, "name": name, "token": token},
        )
    row = {
        "id": 1,
        "server": address,
        "token": token,
        "xid": cursor,
        "seq": head.seq,
        "seal": bytes(head.hash),
        "copying": {},
    }
    with local.write_many() as writing:
        for key, value in (theirs | {"station": number}).items():
            settings.put(writing, key, value)
        writing.connection.execute(insert(replica).values(row))
