"""Opens a database, local (SQLite) or networked (PostgreSQL), and says in plain words when it cannot."""

from __future__ import annotations

import logging
import os
import re
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import QueuePool

from db.engine import journal, outbox
from db.engine.checkpoints import Checkpoints
from db.engine.patience import Patience, PatientConnection, connect
from db.engine.rows import uncollected
from db.engine.trust import SOCKETS, distrust, given, places
from db.engine.unit_of_work import UnitOfWork
from db.kernel.act import Act
from db.kernel.actor import Actor
from db.kernel.change import Changes
from db.kernel.clock import Clock, SystemClock, from_ms, to_ms
from db.kernel.ids import IdMaker
from db.kernel.language import N_
from db.kernel.refusal import Refused, Trouble, Unavailable

BUSY_SECONDS = 10
"""How long a writer waits for another process before it says that the database is locked."""

_MASS = 1000
"""More changed rows than this are a mass act; its commit in a file is not held up by a checkpoint."""

LOST_AFTER = {
    # A cable that was pulled out says nothing: the system is told to ask, and after how long to give up.
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 8000,
}
"""How a silent server is noticed, in seconds and (the last) milliseconds."""

_FILE_HEADER = b"SQLite format 3\x00"
_log = logging.getLogger(__name__)


class Database:
    """One open database: readers on any thread, one writer at a time, and news of every commit made here."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self.engine = engine
        self.clock = clock
        self.dialect = engine.dialect.name
        self.ids = IdMaker(0)
        self.is_replica = False
        """Whether this is a station's file, whose acts go on to a server."""
        self._writing = threading.Lock()
        self._listeners: list[Callable[[Changes], None]] = []
        path = self.path
        self._checkpoints = None if path is None else Checkpoints(partial(_connect, path))
        self._watch: sqlite3.Connection | None = None
        self._watching = threading.Lock()

    @property
    def url(self) -> str:
        """The address, without a password."""
        return self.engine.url.render_as_string(hide_password=True)

    @property
    def path(self) -> Path | None:
        """The file of a local database; ``None`` for a server."""
        return Path(self.engine.url.database or "") if self.dialect == "sqlite" else None

    @property
    def where(self) -> str:
        """What people call it: the file, or where the server is."""
        if self.path is not None:
            return str(self.path)
        url = self.engine.url
        return f"postgresql://{','.join(places(url))}/{url.database}"

    @property
    def read_only(self) -> bool:
        """Whether it is a file that we may read and not write."""
        return self.path is not None and self.path.exists() and not _is_writable(self.path)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection to read with, on any thread; nothing that it writes is kept."""
        with self.troubles(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self, actor: Actor, command: object, act: Act | None = None) -> Iterator[UnitOfWork]:
        """One transaction with its journal entry: commits at the end of the block, or leaves no trace.

        ``act`` is given for what was done before, elsewhere: it keeps its number, moment and ids.
        """
        with self.write_many() as writing, writing.unit(actor, command, act) as unit:
            yield unit

    @contextmanager
    def write_many(self) -> Iterator[Writing]:
        """One transaction for several units of work, one after the other, each with its own journal entry."""
        with self._writing, self.troubles(), uncollected():
            if self.read_only:
                raise Unavailable("read_only", _READ_ONLY, where=self.where)
            with self.engine.connect() as connection:
                try:
                    if self.dialect == "sqlite":
                        connection.exec_driver_sql("BEGIN IMMEDIATE")
                    head = journal.take_head(connection)
                    self.ids.after(head.last_id)
                    writing = Writing(self, connection, head)
                    yield writing
                    if self._checkpoints is not None and writing.rows > _MASS:
                        with self._checkpoints.later(connection):
                            connection.commit()
                    else:
                        connection.commit()
                except BaseException:
                    connection.rollback()
                    raise
        for changes in writing.changes:
            for listener in tuple(self._listeners):
                try:
                    listener(changes)
                except Exception:
                    # It is written all the same; whoever wrote it must not be told that it failed.
                    _log.exception("a listener failed on entry %s", changes.seq)

    @contextmanager
    def fill(self) -> Iterator[Connection]:
        """A transaction for rows of a server as they are, into a file that is not in use yet.

        No journal, and no question whether the rows that they point to are there: a copy that was cut may
        hold the older half of something until the news have come.
        """
        with self._writing, self.troubles(), uncollected(), self.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
            try:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                yield connection
                connection.commit()
            except BaseException:
                connection.rollback()
                raise
            finally:
                connection.exec_driver_sql("PRAGMA foreign_keys = ON")

    def subscribe(self, listener: Callable[[Changes], None]) -> Callable[[], None]:
        """Hear of each commit made through this object, on the writing thread; returns how to stop."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def data_version(self) -> int:
        """A number that differs after any process has committed; cheap enough to ask twenty times a second.

        On SQLite ``PRAGMA data_version`` of a connection that never writes; on a server the journal's head.
        """
        with self.troubles():
            path = self.path
            if path is None:
                with self.engine.connect() as connection:
                    return int(connection.execute(text("SELECT seq FROM journal_head")).scalar() or 0)
            with self._watching:
                if self._watch is None:
                    if not path.exists():
                        raise Unavailable("database_gone", _GONE, path=str(path))
                    self._watch = _connect(path)
                return int(self._watch.execute("PRAGMA data_version").fetchone()[0])

    def settle(self) -> None:
        """Wait until what a mass act left to be done later is done; only who measures needs it."""
        if self._checkpoints is not None:
            self._checkpoints.wait()

    def use_station(self, station: int) -> None:
        """Make ids as this station from now on."""
        self.ids = IdMaker(station)

    def close(self) -> None:
        """Let go of every connection."""
        if self._checkpoints is not None:
            self._checkpoints.close()
        with self._watching:
            if self._watch is not None:
                self._watch.close()
                self._watch = None
        self.engine.dispose()

    @contextmanager
    def troubles(self) -> Iterator[None]:
        """Turn what a driver raises into trouble that a person can read; its own words stay as the cause."""
        driver = self.engine.dialect.loaded_dbapi.Error
        try:
            yield
        except DBAPIError as error:
            trouble = self._trouble(error.orig, lost=error.connection_invalidated)
            if trouble is None:
                raise
            raise trouble from error
        except driver as error:
            # Straight from the driver: a bulk load, or the watching connection.
            trouble = self._trouble(error)
            if trouble is None:
                raise
            raise trouble from error

    def _trouble(self, error: BaseException | None, *, lost: bool = False) -> Trouble | None:
        if isinstance(error, psycopg.OperationalError) and not error.sqlstate:
            doubt = distrust(str(error), self.engine.url, self.clock.now().astimezone())
            if doubt is not None:
                return doubt
        return _trouble(error, self.where, lost=lost)


class Writing:
    """A transaction in which units of work follow one another."""

    def __init__(self, database: Database, connection: Connection, head: journal.Head) -> None:
        self.connection = connection
        self.changes: list[Changes] = []
        self._database = database
        self._head = head

    @property
    def rows(self) -> int:
        """How many rows were changed; those of bulk loads are not counted."""
        return sum(len(ids) for changes in self.changes for ids in changes.touched.values())

    @contextmanager
    def unit(self, actor: Actor, command: object, act: Act | None = None) -> Iterator[UnitOfWork]:
        """The next unit of work. When its block raises, the whole transaction is rolled back by the caller,
        unless ``attempt`` surrounds it.
        """
        database = self._database
        # Whole milliseconds, as the tables keep them: what is compared later is what was written.
        now = act.at if act else from_ms(to_ms(database.clock.now()))
        if act is None and database.is_replica:
            # A clock that was set back does not turn round the order of what this station did.
            now = max(now, outbox.latest(self.connection) or now)
        unit = UnitOfWork(
            self.connection, actor, command, now, database.ids, self._head, act, replica=database.is_replica
        )
        yield unit
        self._head = unit.finish()
        if unit.changes is not None:
            self.changes.append(unit.changes)

    def enter(self, told: Sequence[journal.Entry]) -> None:
        """Append the entries of acts whose rows the caller has written as they were done elsewhere."""
        if told:
            last_id = max(self._database.ids.last, self._head.last_id)
            self._head = journal.append_all(self.connection, self._head, told, last_id)

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """What is refused within leaves no trace and the transaction goes on; the refusal is raised."""
        self.connection.exec_driver_sql("SAVEPOINT attempt")
        try:
            yield
        except BaseException:
            self.connection.exec_driver_sql("ROLLBACK TO SAVEPOINT attempt")
            self.connection.exec_driver_sql("RELEASE SAVEPOINT attempt")
            raise
        self.connection.exec_driver_sql("RELEASE SAVEPOINT attempt")


def open_database(
    url: str, *, create: bool = False, clock: Clock | None = None, patience: Patience | None = None
) -> Database:
    """Open the database at ``url``; with ``create`` a local file may be made. The schema is not touched here.

    ``patience`` is how long the connections to a server wait in silence; without it, as long as it takes.

    Raises ``Refused`` for an address that is not one, ``Unavailable`` when file or server cannot be used.
    """
    address = address_of(url)
    if address.get_backend_name() == "sqlite":
        path = Path(address.database or "")
        _check_file(path, create)
        engine = create_engine(address, poolclass=QueuePool, creator=lambda: _connect(path))
        event.listen(engine, "connect", _prepare_sqlite)
    else:
        seconds = BUSY_SECONDS if patience is None else int(patience.seconds / 2)
        waits = {"connect_timeout": seconds, **LOST_AFTER}
        try:
            engine = create_engine(address, pool_pre_ping=True, connect_args=waits)
        except ArgumentError:
            raise Refused("not_an_address", _NO_ADDRESS, url=address.render_as_string()) from None
        event.listen(engine, "connect", partial(_prepare_server, seconds, patience))
        if patience is not None:
            event.listen(engine, "do_connect", partial(_connect_patiently, patience))
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


_NO_ADDRESS = N_("{url} is not a database address; write sqlite:///FILE or postgresql://…")
_GONE = N_("The database {path} is not there.")
_READ_ONLY = N_("{where} is read-only; nothing was changed.")


def address_of(url: str) -> URL:
    """An address as it is opened: with the driver, and across a network with TLS.

    Raises ``Refused``: ``not_an_address``, ``unknown_database``.
    """
    try:
        address = make_url(url)
        backend = address.get_backend_name()
    except (ArgumentError, ValueError):
        raise Refused("not_an_address", _NO_ADDRESS, url=url) from None
    if backend not in {"sqlite", "postgresql"}:
        raise Refused(
            "unknown_database",
            N_("{name} databases are not supported; use sqlite or postgresql."),
            name=backend,
        )
    if backend == "postgresql":
        address = address.set(drivername="postgresql+psycopg")
        if leaves_this_computer(address) and not ("sslmode" in address.query or os.environ.get("PGSSLMODE")):
            # What crosses a network is encrypted, and the server proves its name.
            address = address.update_query_dict({"sslmode": "verify-full"})
        return address
    if not address.database or address.database == ":memory:" or address.host:
        raise Refused("not_an_address", _NO_ADDRESS, url=url)
    return address.set(drivername="sqlite")


def leaves_this_computer(address: URL) -> bool:
    """Whether the way to a server is a network, not a socket or the loopback of this computer."""
    return any(
        not host.startswith((*SOCKETS, "127.")) and host not in {"localhost", "::1"}
        for host in given(address, "host")
    )


def _check_file(path: Path, create: bool) -> None:
    """Refuse what is no database, and make an empty file when there may be a new one."""
    try:
        if path.is_dir():
            raise Refused("is_a_folder", N_("{path} is a folder, not a database."), path=str(path))
        if create and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        with path.open("rb") as stream:
            header = stream.read(len(_FILE_HEADER))
    except FileNotFoundError as error:
        raise Unavailable("database_gone", _GONE, path=str(path)) from error
    except (OSError, ValueError) as error:
        raise Unavailable(
            "cannot_open",
            N_("{path} cannot be opened: {reason}"),
            path=str(path),
            reason=getattr(error, "strerror", None) or str(error),
        ) from error
    if header and header != _FILE_HEADER:
        raise Refused("not_a_database", N_("{path} is not a Jingwei database."), path=str(path))


def _may_write(path: Path) -> bool:
    return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def _is_writable(path: Path) -> bool:
    """Whether we may write a file and, as SQLite must, new files beside it."""
    return _may_write(path) and _may_write(path.parent)


def _connect(path: Path) -> sqlite3.Connection:
    # Never "rwc": when the file was taken away, an empty one must not grow in its place.
    mode = "rw" if _is_writable(path) else "ro"
    if mode == "ro" and not _may_write(path.parent) and not path.with_name(f"{path.name}-shm").exists():
        # Nobody has it open, and SQLite cannot make the files by which a WAL database is shared: a copy on a
        # disk that cannot be written, read as it stands.
        mode = "ro&immutable=1"
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=BUSY_SECONDS,
        # Transactions are begun by hand ("BEGIN IMMEDIATE"): a writer waits at the door and never half-way.
        isolation_level=None,
        check_same_thread=False,
    )


def _connect_patiently(
    patience: Patience, _dialect: object, _record: object, where: list[Any], how: dict[str, Any]
) -> PatientConnection:
    return connect(patience, *where, **how)


def _prepare_server(
    seconds: int, patience: Patience | None, connection: psycopg.Connection[Any], _record: object
) -> None:
    # Not as options of the connection: PgBouncer takes none.
    limits = {"lock_timeout": f"{seconds}s"}
    if patience is not None:
        # What nobody waits for any more the server need not finish.
        limits["statement_timeout"] = f"{int(patience.seconds)}s"
    connection.autocommit = True
    connection.execute("; ".join(f"SET {name} = '{limit}'" for name, limit in limits.items()))
    connection.autocommit = False


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    # No mmap: it reads no faster here, and a disk that goes away would kill the program by SIGBUS.
    connection.execute("PRAGMA cache_size = -16384")


GUARD_STATE = "JW001"
"""The SQLSTATE by which the guard of a server (db/server/guard.sql) refuses."""
_GUARD_SAYS = {
    "number_fixed": N_("Number, source and moment of a report never change."),
    "out_of_scope": N_("The server says that this lies beyond your scope: {reason}"),
    "not_removed": N_("The server removes this only with the act that added it: {reason}"),
    "second_officer": N_("The server wants a second officer for this: {reason}"),
    "another_name": N_("An act can be recorded only in one's own name."),
    "unchained": N_("The entry does not follow the last one of the journal."),
    "bad_seal": N_("The seal of the entry is not right."),
    "unknown_command": N_("The server does not know this command; update it: {reason}"),
    "not_permitted": N_("The server says that you may not do this: {reason}"),
    "bad_moment": N_(
        "The moment of the act lies in the future or too far back; look at the clock of this computer."
    ),
    "not_yours": N_("Only the person who did it can undo this."),
    "unjournaled": N_("The server keeps no change without an entry in the journal: {reason}"),
    "untrue": N_("The journal tells of a change that was not made: {reason}"),
    "wrong_state": N_("The table of moves has no such move for you: {reason}"),
}
"""What its codes mean; ``reason`` is its own sentence."""

# What a driver says (SQLite's name of the error, PostgreSQL's SQLSTATE; how they begin) and what it means.
_TROUBLES: tuple[tuple[tuple[str, ...], type[Trouble], str, str], ...] = (
    (("SQLITE_NOTADB",), Refused, "not_a_database", N_("{where} is not a Jingwei database.")),
    (
        ("SQLITE_CORRUPT",),
        Unavailable,
        "damaged",
        N_("{where} is damaged; put back a copy of it."),
    ),
    (
        ("SQLITE_BUSY", "SQLITE_LOCKED", "55P03", "40P01"),
        Unavailable,
        "locked",
        N_("Another program is writing to {where}; nothing was changed. Try again in a moment."),
    ),
    (("SQLITE_READONLY", "25006"), Unavailable, "read_only", _READ_ONLY),
    (
        ("SQLITE_FULL", "53100"),
        Unavailable,
        "disk_full",
        N_("The disk of {where} is full; nothing was changed."),
    ),
    (("SQLITE_CANTOPEN",), Unavailable, "cannot_open_file", N_("{where} cannot be opened.")),
    (
        ("SQLITE_IOERR",),
        Unavailable,
        "disk_error",
        N_("The disk of {where} reports an error; nothing was changed."),
    ),
    (
        # Connection, not let in (28, 3D), resources, stopped by an administrator.
        ("08", "28", "3D", "53", "57"),
        Unavailable,
        "database_lost",
        N_("The database {where} does not answer: {reason}"),
    ),
)


# What libpq says of a line, and the same for people; whatever else it says is told as it stands.
_OF_THE_LINE: tuple[tuple[str, str, str], ...] = (
    # zh: 对方拒绝连接，服务器可能未启动
    ("connection refused", "nobody_listens", N_("nothing answers there; the server may not be running")),
    # zh: 等待超时
    ("timeout expired|timed out", "no_answer", N_("no answer came in time")),
    # zh: 找不到这个主机名
    (
        "could not translate host name|name or service not known|name resolution",
        "unknown_name",
        N_("no computer of that name is known"),
    ),
    # zh: 网络不通
    ("no route to host|network is unreachable", "no_way", N_("the network leads nowhere; look at the cable")),
    # zh: 连接中途断开
    (
        "server closed the connection|connection reset|ssl syscall|broken pipe|connection not open",
        "cut_off",
        N_("the connection was cut"),
    ),
    # zh: 服务器正在启动或关闭
    ("starting up|shutting down|administrator command", "not_up", N_("the server is starting or stopping")),
    # zh: 服务器连接数已满
    (
        "too many (clients|connections)|remaining connection slots",
        "crowded",
        N_("the server has no room left"),
    ),
)


def _plainly(said: str) -> Unavailable | str:
    """What a driver says of the line as people say it, in the reader's language."""
    known = (each for each in _OF_THE_LINE if re.search(each[0], said, re.IGNORECASE))
    return next((Unavailable(code, message) for _words, code, message in known), said)


def _trouble(error: BaseException | None, where: str, *, lost: bool = False) -> Trouble | None:
    """The trouble behind a driver's error; ``None`` when the error is a bug of ours."""
    name = getattr(error, "sqlite_errorname", None) or getattr(error, "sqlstate", None) or ""
    # psycopg gives no SQLSTATE when there was no connection to get one over.
    unreached = not name and isinstance(error, psycopg.OperationalError)
    if unreached or lost:
        name = "08"
    if name == GUARD_STATE:
        diag = error.diag  # type: ignore[union-attr]
        said = str(diag.message_hint)
        return Refused(
            said, _GUARD_SAYS.get(said, N_("The server refused it: {reason}")), reason=diag.message_primary
        )
    for beginnings, kind, code, message in _TROUBLES:
        if name.startswith(beginnings):
            return kind(code, message, where=where, reason=_plainly(str(error).strip().splitlines()[0]))
    return None
