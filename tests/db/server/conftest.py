"""A server as the set-up makes it, with a few people who may each do something else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import psycopg
import pytest
from sqlalchemy.engine import make_url

from db.bootstrap import Core, open_core
from db.engine.unit_of_work import UnitOfWork
from db.kernel.actor import SYSTEM, Actor
from db.kernel.clock import Clock
from db.people.commands import CreateAccount, actor_of
from db.people.tables import person, unit
from db.registers.reference import read_roles
from db.server.persons import let_in
from db.server.setup import as_owner, guard, make_roles
from tests.db.engine.kit import write
from tests.kit.postgres import PostgresServer

PASSWORD = "Abcd-1234"
PEOPLE = {
    "wangmin": ("王敏", ("duty_leader", "acceptor", "dispatcher")),
    "lihua": ("李华", ("dispatcher",)),
    "zhangwei": ("张伟", ("collector",)),
    "chenjing": ("陈静", ("handler",)),
}


@dataclass
class Server:
    """A guarded database and the ways into it."""

    postgres: PostgresServer
    name: str
    owner: Core
    opened: list[Core] = field(default_factory=list)

    def url(self, login: str) -> str:
        return f"postgresql+psycopg://{login}@/{self.name}?host={self.postgres.folder}"

    def core(self, login: str) -> Core:
        """The database as one person's program opens it."""
        self.opened.append(open_core(self.url(login)))
        return self.opened[-1]

    def actor(self, login: str) -> Actor:
        return actor_of(self.owner.database, login)

    def psql(self, login: str) -> psycopg.Connection[tuple[object, ...]]:
        """The same person with a tool of his own."""
        return psycopg.connect(f"host={self.postgres.folder} user={login} dbname={self.name}")


@pytest.fixture(scope="session")
def guarded(postgres: PostgresServer) -> str:
    """The name of a guarded database with four people in it, to be copied."""
    name = postgres.create()
    owner = make_roles(
        f"postgresql+psycopg://postgres@/{name}?host={postgres.folder}", [row.code for row in read_roles()]
    )
    core = open_core(owner.render_as_string(hide_password=False), create=True)
    guard(core.database)
    _people(core)
    with core.database.engine.begin() as connection:
        for login, (_who, roles) in PEOPLE.items():
            let_in(connection, login, PASSWORD, roles)
    core.close()
    return name


@pytest.fixture
def server(postgres: PostgresServer, guarded: str) -> Iterator[Server]:
    """A server with four people, as the set-up leaves it."""
    name = postgres.create(guarded)
    with psycopg.connect(f"host={postgres.folder} user=postgres dbname=postgres", autocommit=True) as admin:
        # Rights on a database itself are not copied with it.
        admin.execute(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC")
        admin.execute(f"GRANT CONNECT ON DATABASE {name} TO jw_member")
    made = Server(postgres, name, open_as_owner(postgres, name))
    yield made
    for each in made.opened:
        each.close()
    made.owner.close()
    postgres.drop(name)


def open_as_owner(postgres: PostgresServer, name: str, clock: Clock | None = None) -> Core:
    """A database as an administrator opens it who works as the owner of its tables."""
    address = make_url(f"postgresql+psycopg://postgres@/{name}?host={postgres.folder}")
    return open_core(as_owner(address).render_as_string(hide_password=False), clock=clock)


def _people(core: Core) -> None:
    def add(unit_of_work: UnitOfWork) -> None:
        unit_of_work.insert(unit, [{"id": 1, "code": "0", "name": "监督指挥中心", "kind": "centre"}])
        unit_of_work.insert(unit, [{"id": 2, "code": "201", "name": "市政处", "kind": "office"}])
        unit_of_work.insert(
            person,
            [
                {
                    "id": 10 + n,
                    "code": str(n),
                    "name": who,
                    "unit_id": 2 if login == "chenjing" else 1,
                    "post": "dispatcher",
                }
                for n, (login, (who, _roles)) in enumerate(PEOPLE.items())
            ],
        )

    write(core.database, add, SYSTEM)
    for n, (login, (_who, roles)) in enumerate(PEOPLE.items()):
        core.bus.run(CreateAccount(login, 10 + n, PASSWORD, roles), SYSTEM)
