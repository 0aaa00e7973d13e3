"""Opens a database, local (SQLite) or networked (PostgreSQL), and says in plain words when it cannot."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.pool import NullPool, QueuePool

from db.engine.unit_of_work import UnitOfWork
from db.kernel.actor import Actor
from db.kernel.change import Changes
from db.kernel.clock import Clock, SystemClock
from db.kernel.ids import IdMaker
from db.kernel.language import N_
from db.kernel.refusal import Refused, Unavailable

BUSY_SECONDS = 10
"""How long a writer waits for another process before it says that the database is locked."""

_FILE_HEADER = b"SQLite format 3\x00"


class Database:
    """One open database: readers on any thread, one writer at a time, and news of every commit made here."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self.engine = engine
        self.clock = clock
        self.dialect = engine.dialect.name
        self.ids = IdMaker(0)
        self._writing = threading.Lock()
        self._listeners: list[Callable[[Changes], None]] = []
        self._watch: sqlite3.Connection | None = None
        self._watching = threading.Lock()

    @property
    def url(self) -> str:
        """The address, without a password."""
        return self.engine.url.render_as_string(hide_password=True)

    @property
    def path(self) -> Path | None:
        """The file of a local database; ``None`` for a server."""
        return _path(self.engine.url)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection to read with, on any thread; nothing that it writes is kept."""
        with translated(self.url), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self, actor: Actor, command: object) -> Iterator[UnitOfWork]:
        """One transaction with its journal entry: commits at the end of the block, or leaves no trace."""
        with self._writing, translated(self.url):
            with self.engine.connect() as connection:
                begin_write(connection, self.dialect)
                unit = UnitOfWork(connection, actor, command, self.clock.now(), self.ids)
                try:
                    yield unit
                    unit.finish()
                    connection.commit()
                except BaseException:
                    connection.rollback()
                    raise
            changes = unit.changes
        if changes is not None:
            for listener in tuple(self._listeners):
                listener(changes)

    def subscribe(self, listener: Callable[[Changes], None]) -> Callable[[], None]:
        """Hear of each commit made through this object, on the writing thread; returns how to stop."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def data_version(self) -> int:
        """A number that differs after any process has committed; cheap enough to ask twenty times a second.

        On SQLite ``PRAGMA data_version`` of a connection that never writes; on a server the head of the journal.
        """
        with translated(self.url):
            if self.dialect != "sqlite":
                with self.engine.connect() as connection:
                    return int(connection.execute(text("SELECT seq FROM journal_head")).scalar() or 0)
            with self._watching:
                if self._watch is None:
                    path = self.path
                    if path is None or not path.exists():
                        raise Unavailable(
                            "database_gone", N_("The database {path} is not there."), path=self.url
                        )
                    self._watch = sqlite3.connect(path, check_same_thread=False, timeout=1.0)
                return int(self._watch.execute("PRAGMA data_version").fetchone()[0])

    def use_station(self, station: int) -> None:
        """Make ids as this station from now on."""
        self.ids = IdMaker(station)

    def close(self) -> None:
        """Let go of every connection."""
        with self._watching:
            if self._watch is not None:
                self._watch.close()
                self._watch = None
        self.engine.dispose()


def open_database(url: str, *, create: bool = False, clock: Clock | None = None) -> Database:
    """Open the database at ``url``; with ``create`` an empty local file may be made. The schema is not touched here.

    Raises ``Refused`` for an address that is not one, ``Unavailable`` when file or server cannot be used.
    """
    address = _address(url)
    if address.get_backend_name() == "sqlite":
        _check_file(address, create)
        engine = create_engine(
            address,
            poolclass=NullPool if _path(address) is None else QueuePool,
            connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
        )
        event.listen(engine, "connect", _prepare_sqlite)
    else:
        engine = create_engine(address, pool_pre_ping=True, connect_args={"connect_timeout": BUSY_SECONDS})
    database = Database(engine, clock or SystemClock())
    try:
        with database.read() as connection:
            if database.dialect == "sqlite":
                # The first page is read only now; a file that is no database says so here.
                connection.execute(text("SELECT count(*) FROM sqlite_master"))
    except BaseException:
        database.close()
        raise
    return database


def _address(url: str) -> URL:
    try:
        address = make_url(url)
        backend = address.get_backend_name()
    except ArgumentError:
        raise Refused(
            "not_an_address",
            N_("{url} is not a database address; write sqlite:///FILE or postgresql://…"),
            url=url,
        ) from None
    if backend not in {"sqlite", "postgresql"}:
        raise Refused(
            "unknown_database",
            N_("{name} databases are not supported; use sqlite or postgresql."),
            name=backend,
        )
    if backend == "postgresql" and address.drivername == "postgresql":
        address = address.set(drivername="postgresql+psycopg")
    if backend == "sqlite" and not address.database:
        raise Refused(
            "not_an_address",
            N_("{url} is not a database address; write sqlite:///FILE or postgresql://…"),
            url=url,
        )
    return address


def _path(address: URL) -> Path | None:
    if address.get_backend_name() != "sqlite" or not address.database or address.database == ":memory:":
        return None
    return Path(address.database)


def _check_file(address: URL, create: bool) -> None:
    path = _path(address)
    if path is None:
        raise Refused(
            "not_an_address",
            N_("{url} is not a database address; write sqlite:///FILE or postgresql://…"),
            url=str(address),
        )
    try:
        if path.is_dir():
            raise Refused("is_a_folder", N_("{path} is a folder, not a database."), path=str(path))
        if not path.exists():
            if not create:
                raise Unavailable("database_gone", N_("The database {path} is not there."), path=str(path))
            path.parent.mkdir(parents=True, exist_ok=True)
            return
        with path.open("rb") as stream:
            header = stream.read(len(_FILE_HEADER))
    except OSError as error:
        raise Unavailable(
            "cannot_open",
            N_("{path} cannot be opened: {reason}"),
            path=str(path),
            reason=error.strerror or str(error),
        ) from error
    if header and header != _FILE_HEADER:
        raise Refused("not_a_database", N_("{path} is not a Jingwei database."), path=str(path))


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # Transactions are begun by hand ("BEGIN IMMEDIATE"), so that a writer waits at the door and never half-way.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
    try:
        cursor.execute("PRAGMA journal_mode = WAL")
    except sqlite3.OperationalError as error:
        # A read-only file keeps its own mode and can still be read.
        if "readonly" not in str(error):
            raise
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA cache_size = -65536")
    cursor.execute("PRAGMA mmap_size = 1073741824")
    cursor.close()


def begin_write(connection: Connection, dialect: str, *, locking_head: bool = True) -> None:
    """Queue up as the one writer: SQLite's write lock, or the journal's head on a server."""
    if dialect == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    elif locking_head:
        connection.execute(text("SELECT seq FROM journal_head FOR UPDATE"))


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Turn what a driver raises into trouble that a person can read; the driver's own words stay as the cause."""
    try:
        yield
    except DBAPIError as error:
        raise _trouble(
            error.orig or error, where, isinstance(error, OperationalError) or error.connection_invalidated
        ) from error
    except sqlite3.Error as error:
        raise _trouble(error, where, isinstance(error, sqlite3.OperationalError)) from error


_SQLITE_TROUBLES: tuple[tuple[str, str, str], ...] = (
    (
        "database is locked",
        "locked",
        N_("Another program is writing to {where}; nothing was changed. Try again in a moment."),
    ),
    ("readonly", "read_only", N_("{where} is read-only; nothing was changed.")),
    ("disk is full", "disk_full", N_("The disk of {where} is full; nothing was changed.")),
    ("unable to open", "cannot_open_file", N_("{where} cannot be opened.")),
    ("disk i/o error", "disk_error", N_("The disk of {where} reports an error; nothing was changed.")),
)


def _trouble(error: BaseException, where: str, operational: bool) -> BaseException:
    words = str(error).lower()
    if "not a database" in words or "malformed" in words:
        return Refused("not_a_database", N_("{path} is not a Jingwei database."), path=where)
    for mark, code, message in _SQLITE_TROUBLES:
        if mark in words:
            return Unavailable(code, message, where=where)
    if operational:
        return Unavailable(
            "database_lost",
            N_("The database {where} does not answer: {reason}"),
            where=where,
            reason=str(error).splitlines()[0],
        )
    return error


def rows_of(connection: Connection, statement: Any) -> list[dict[str, Any]]:
    """All rows of a statement as plain dictionaries."""
    return [dict(row) for row in connection.execute(statement).mappings()]
