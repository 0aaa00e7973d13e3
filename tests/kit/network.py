"""A server and stations for tests: made once, copied for each test, with lines that can be cut and programs
that can be killed.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Connection, Table, event, select

from db.bootstrap import open_core
from db.engine import outbox as sending
from db.engine.bus import Bus
from db.engine.connections import Database, open_database
from db.engine.tables import outbox
from db.engine.unit_of_work import UnitOfWork
from db.kernel.actor import SYSTEM, Actor
from db.kernel.command import from_plain
from db.kernel.refusal import Unavailable
from db.people.commands import CreateAccount, actor_of
from db.people.tables import person, unit
from db.registers.reference import read_roles
from db.server.persons import let_in
from db.server.setup import guard, make_roles
from db.sync.copy import copy, join
from db.sync.incoming import in_window, mirrored, oldest_closing
from db.sync.pull import Pulled, pull
from db.sync.push import Pushed, push
from db.sync.seat import open_replica
from tests.db.engine.kit import write
from tests.kit.postgres import PostgresServer

PASSWORD = "Abcd-1234"
UNITS = {1: "市政处", 2: "水务集团", 3: "园林中心", 9: "监督指挥中心"}
PEOPLE = {
    # login: name, unit, roles
    "collector": ("张三", 1, ("collector",)),
    "wang": ("王敏", 9, ("acceptor", "collector")),
    "li": ("李华", 9, ("dispatcher", "acceptor")),
    "zhao": ("赵强", 9, ("dispatcher", "inspector")),
    "chen": ("陈静", 9, ("duty_leader", "leader")),
    "sun": ("孙丽", 9, ("duty_leader", "dispatcher", "acceptor")),
    "roads": ("周路", 1, ("handler",)),
    "water": ("吴水", 2, ("handler",)),
}


class OwnClock:
    """The computer's clock, set wrong by hand."""

    def __init__(self, ahead: timedelta = timedelta()) -> None:
        self.ahead = ahead

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


class Killed(BaseException):
    """The program is no more; nothing in it may catch this."""


@dataclass
class Faults:
    """What is to go wrong at a commit: the n-th from now, before it or after it."""

    count: int = 0
    after: bool = False
    kind: Callable[[], BaseException] = Killed

    def watch(self, database: Database) -> None:
        """Look at every commit of a database."""
        event.listen(database.engine, "commit", self._on_commit)

    def _on_commit(self, connection: Connection) -> None:
        if self.count == 0:
            return
        self.count -= 1
        if self.count == 0:
            if self.after:
                # It is done; whoever asked for it never hears of it.
                driver = connection.connection.driver_connection
                driver.commit()
            raise self.kind()


class Server:
    """A guarded database on PostgreSQL, and everybody's way into it."""

    def __init__(self, postgres: PostgresServer, name: str) -> None:
        self.postgres = postgres
        self.name = name
        self.owner = open_database(f"{self.url('postgres')}&options=-c role=jw_owner")
        self._ways: dict[str, Database] = {}

    def url(self, login: str) -> str:
        return f"postgresql+psycopg://{login}@/{self.name}?host={self.postgres.folder}"

    def way(self, login: str) -> Database:
        """The server as one person's program opens it."""
        if login not in self._ways:
            self._ways[login] = open_database(self.url(login))
        return self._ways[login]

    def run(self, command: Any, login: str) -> Any:
        """A command given at the server itself, by somebody without a station."""
        way = self.way(login)
        return Bus(way).run(command, actor_of(way, login)).result

    def rows(self, table: Table) -> dict[int, dict[str, Any]]:
        """The rows that every station is to have."""
        with self.owner.read() as connection:
            since = oldest_closing(connection)
            return {row["id"]: dict(row) for row in connection.execute(in_window(table, since)).mappings()}

    def close(self) -> None:
        for way in (*self._ways.values(), self.owner):
            way.close()


@dataclass
class Post:
    """A station without threads: who sits there sends and takes over when the test says so."""

    server: Server
    path: Path
    people: tuple[str, ...]
    clock: OwnClock = field(default_factory=OwnClock)
    faults: Faults = field(default_factory=Faults)

    def __post_init__(self) -> None:
        self.signed_in = set(self.people)
        self._ways: dict[str, Database] = {}
        self._open()

    def _open(self) -> None:
        self.local = open_replica(self.path, self.clock)
        self.faults.watch(self.local)
        self.actors = {login: actor_of(self.local, login) for login in self.people}

    def run(self, command: Any, login: str) -> Any:
        """Give a command here."""
        return Bus(self.local).run(command, self.actors[login]).result

    def undo(self, login: str) -> Any:
        return Bus(self.local).undo(self.actors[login]).result

    def way(self, login: str) -> Database:
        """The server as this station opens it for a person."""
        if login not in self._ways:
            way = open_database(self.server.url(login), clock=self.clock)
            way.ids = self.local.ids
            self.faults.watch(way)
            self._ways[login] = way
        return self._ways[login]

    def door(self, account_id: int) -> tuple[Bus, Actor] | None:
        for login, actor in self.actors.items():
            if login in self.signed_in and account_id in (actor.account_id, SYSTEM.account_id):
                return Bus(self.way(login)), actor
        return None

    def push(self, *, as_computed: bool = True) -> Pushed:
        return push(self.local, self.door, as_computed=as_computed)

    def pull(self) -> Pulled:
        return pull(self.local, self.way(self.people[0]))

    def sync(self, *, as_computed: bool = True) -> None:
        """One turn of a station."""
        self.push(as_computed=as_computed)
        self.pull()

    def deliver_again(self, operation: int) -> None:
        """An act comes to the server once more: its packet was late, or the answer was lost."""
        with self.local.read() as connection:
            act = connection.execute(select(outbox).where(outbox.c.id == operation)).one()
        way = self.door(act.actor_id)
        assert way is not None
        bus, actor = way
        actor = SYSTEM if act.actor_id == SYSTEM.account_id else actor
        bus.replay(from_plain(act.command, act.arguments), actor, sending.act_of(act), lambda c, _unit: c)

    def restart(self) -> None:
        """The program begins anew, with what lies in its file."""
        self.close()
        self.faults.count = 0
        self._open()

    def acts(self) -> dict[int, Any]:
        """Everything that was ever done here, by its number."""
        with self.local.read() as connection:
            return {row.id: row for row in connection.execute(select(outbox).order_by(outbox.c.id))}

    def rows(self, table: Table) -> dict[int, dict[str, Any]]:
        with self.local.read() as connection:
            return {row["id"]: dict(row) for row in connection.execute(select(table)).mappings()}

    def differences(self) -> list[tuple[str, int, Any, Any]]:
        """Rows that are not as they are on the server: table, id, here, there."""
        found = []
        for table in mirrored():
            here, there = self.rows(table), self.server.rows(table)
            found += [
                (table.name, i, here.get(i), there.get(i))
                for i in sorted(here.keys() | there.keys())
                if here.get(i) != there.get(i)
            ]
        return found

    def terms(self) -> set[tuple[str, int]]:
        """What the search index holds: term and case."""
        with self.local.engine.connect() as connection:
            put = connection.exec_driver_sql
            put("CREATE VIRTUAL TABLE temp.looked USING fts5vocab(main, case_words, instance)")
            found = {(row.term, row.doc) for row in put("SELECT term, doc FROM temp.looked")}
            put("DROP TABLE temp.looked")
        return found

    def close(self) -> None:
        for way in self._ways.values():
            way.close()
        self._ways.clear()
        self.local.close()


class Network:
    """A server with stations, made on first use; each test gets a copy of all of it."""

    def __init__(self, postgres: PostgresServer, folder: Path, posts: dict[str, tuple[str, ...]]) -> None:
        self._postgres = postgres
        self._folder = folder
        self._posts = posts
        self._name = ""

    @contextmanager
    def copy_to(self, folder: Path) -> Iterator[tuple[Server, dict[str, Post]]]:
        """A server and its stations, all in step, with nothing reported yet."""
        if not self._name:
            self._name = self._make()
        server = Server(self._postgres, self._postgres.create(self._name))
        posts: dict[str, Post] = {}
        try:
            for name, people in self._posts.items():
                path = folder / f"{name}.db"
                shutil.copyfile(self._folder / f"{name}.db", path)
                posts[name] = Post(server, path, people)
            yield server, posts
        finally:
            for post in posts.values():
                post.close()
            server.close()
            self._postgres.drop(server.name)

    def _make(self) -> str:
        name = make_server(self._postgres)
        with closing(Server(self._postgres, name)) as server:
            for post, people in self._posts.items():
                way = server.way(people[0])
                local = join(self._folder / f"{post}.db", way, "test", post)
                copy(local, way)
                local.close()
        return name


def make_server(postgres: PostgresServer) -> str:
    """A guarded database with reference data and people; its name."""
    name = postgres.create()
    admin = f"postgresql+psycopg://postgres@/{name}?host={postgres.folder}"
    owner = make_roles(admin, [row.code for row in read_roles()])
    with psycopg.connect(
        f"host={postgres.folder} user=postgres dbname={name}", autocommit=True
    ) as connection:
        connection.execute(f"ALTER DATABASE {name} OWNER TO jw_owner")
        connection.execute("ALTER SCHEMA public OWNER TO jw_owner")
    core = open_core(owner.render_as_string(hide_password=False), create=True)
    with closing(core):
        guard(core.database)
        write(core.database, _fill, SYSTEM)
        for n, (login, (_name, _unit, roles)) in enumerate(PEOPLE.items(), 1):
            core.bus.run(CreateAccount(login, n, PASSWORD, roles), SYSTEM)
        with core.database.engine.begin() as connection:
            for login, (_name, _unit, roles) in PEOPLE.items():
                let_in(connection, login, PASSWORD, roles)
    return name


def _fill(work: UnitOfWork) -> None:
    kinds = {9: "centre"}
    work.insert(
        unit,
        [{"id": i, "code": f"U{i}", "name": n, "kind": kinds.get(i, "office")} for i, n in UNITS.items()],
    )
    work.insert(
        person,
        [
            {"id": n, "code": f"P{n}", "name": name, "unit_id": unit_id, "post": roles[0]}
            for n, (name, unit_id, roles) in enumerate(PEOPLE.values(), 1)
        ],
    )


def lost() -> BaseException:
    """The line is cut."""
    return Unavailable("database_lost", "The line was cut.")
