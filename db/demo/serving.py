"""A server to measure with: people who may work at it, and cases in any number, made by the database."""

from __future__ import annotations

import hashlib
import secrets
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from sqlalchemy import Connection, select, text
from sqlalchemy.engine import URL, make_url

from db.bootstrap import Core, open_core
from db.cases.commands.intake import Report
from db.cases.tables import case, step
from db.engine.tables import journal, journal_head
from db.engine.unit_of_work import UnitOfWork
from db.kernel.actor import SYSTEM
from db.kernel.command import Reach, command
from db.kernel.language import N_
from db.people.commands import CreateAccount
from db.people.tables import person
from db.people.tables import unit as unit_table
from db.registers.reference import read_roles, stable_id
from db.search.index import rebuild
from db.server.persons import let_in
from db.server.setup import guard, make_roles

ROLES = ("duty_leader", "acceptor", "dispatcher")
CATEGORY = stable_id("category", "GB/T 47678.5-2026|component|01001")
"""What is reported: a manhole cover."""
_PATTERNS = 40
_WORDS = ("井盖破损", "路面塌陷", "垃圾堆积", "占道经营", "路灯不亮", "树枝折断", "积水", "违规广告")
# Further apart in time than the patterns themselves, so that no id meets another.
_APART = 1 << 36


@command("demo.staff", permission="demo.run", label=N_("Add people to measure with"), reach=Reach.SERVER)
@dataclass(frozen=True)
class Staff:
    """The name under which they are added."""

    count: int


@dataclass(frozen=True)
class ServedCity:
    """A guarded database for a measurement."""

    name: str
    address: str
    """Without name and password, as a station knows it."""
    owner: Core
    admin: str
    """The administrator's way in, for a plain driver."""
    logins: tuple[str, ...]
    password: str

    def url(self, login: str) -> str:
        """The server as one person's program opens it."""
        address = make_url(self.address).set(username=login, password=self.password)
        return address.render_as_string(hide_password=False)


@contextmanager
def served_city(admin_url: str, people: int = 4, at: tuple[str, int] | None = None) -> Iterator[ServedCity]:
    """A new database on a server, with reference data and ``people``; dropped at the end.

    ``admin_url`` is that of an administrator, who may make databases and logins; stations come in by ``at``
    (host and port) when that is another way. Raises what setting up raises.
    """
    mark = secrets.token_hex(4)
    name = f"jingwei_bench_{mark}"
    admin = make_url(admin_url)
    password = f"Aa1-{secrets.token_hex(8)}"
    logins = tuple(f"bench_{mark}_{number}" for number in range(people))
    owner_url = make_roles(_text(admin.set(database=name)), [row.code for row in read_roles()])
    try:
        with closing(open_core(_text(owner_url), create=True)) as core:
            guard(core.database)
            _hire(core, logins, password)
            bare = URL.create(
                "postgresql+psycopg", None, None, admin.host, admin.port, name, dict(admin.query)
            )
            if at is not None:
                bare = URL.create("postgresql+psycopg", None, None, *at, name)
            address = _text(bare)
            yield ServedCity(name, address, core, _conninfo(admin.set(database=name)), logins, password)
    finally:
        with psycopg.connect(_conninfo(admin.set(database="postgres")), autocommit=True) as connection:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )
            for login in logins:
                connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(login)))


def _conninfo(address: URL) -> str:
    plain = address.set(drivername="postgresql").render_as_string(hide_password=False)
    return make_conninfo(plain)


def _text(address: URL) -> str:
    return address.render_as_string(hide_password=False)


def _hire(core: Core, logins: tuple[str, ...], password: str) -> None:
    with core.database.write(SYSTEM, Staff(len(logins))) as work:
        _put_people(work, logins)
    for number, login in enumerate(logins, 1):
        core.bus.run(CreateAccount(login, number, password, ROLES), SYSTEM)
    with core.database.engine.begin() as connection:
        for login in logins:
            let_in(connection, login, password, ROLES)


def _put_people(work: UnitOfWork, logins: tuple[str, ...]) -> None:
    work.insert(unit_table, [{"id": 1, "code": "0", "name": "监督指挥中心", "kind": "centre"}])
    work.insert(
        person,
        [
            {"id": number, "code": login, "name": f"值班员{number}", "unit_id": 1, "post": ROLES[0]}
            for number, login in enumerate(logins, 1)
        ],
    )


def fill(city: ServedCity, still_open: int, closed: int) -> int:
    """Add about so many cases, each with two steps and its words for the search; how many there are then.

    They are copies of some real ones, made by the server in one statement: past the journal, so only here.
    """
    for number in range(_PATTERNS):
        what = f"{_WORDS[number % len(_WORDS)]} {number}"
        city.owner.bus.run(Report("hotline", CATEGORY, what, f"学府路{number}号"), SYSTEM)
    rebuild(city.owner.database)
    of_case = [column.name for column in case.c if column.name not in {"id", "number", "closed_at", "state"}]
    of_step = [column.name for column in step.c if column.name not in {"id", "case_id"}]
    rounds, open_rounds = (still_open + closed) // _PATTERNS, still_open // _PATTERNS
    with city.owner.database.engine.begin() as connection:
        connection.execute(
            text(
                "CREATE TEMPORARY TABLE pattern ON COMMIT DROP AS SELECT c.*, w.words FROM cases c"
                " JOIN case_words w ON w.case_id = c.id"
            )
        )
        facts = {"rounds": rounds, "open": open_rounds, "apart": _APART}
        connection.execute(
            text(
                f"INSERT INTO cases (id, number, closed_at, state, {', '.join(of_case)})"  # noqa: S608  our own names
                " SELECT id + turn * :apart, number || '-' || turn,"
                " CASE WHEN turn > :open THEN reported_at END,"
                " CASE WHEN turn > :open THEN 'closed' ELSE state END,"
                f" {', '.join(of_case)} FROM pattern, generate_series(1, :rounds) turn"
            ),
            facts,
        )
        for more in (1, 2):
            connection.execute(
                text(
                    f"INSERT INTO case_step (id, case_id, {', '.join(of_step)})"  # noqa: S608  our own names
                    f" SELECT s.id + turn * :apart + {more}, p.id + turn * :apart,"
                    f" {', '.join(f's.{name}' for name in of_step)}"
                    " FROM pattern p JOIN case_step s ON s.case_id = p.id, generate_series(1, :rounds) turn"
                ),
                {"rounds": rounds, "apart": _APART},
            )
        connection.execute(
            text(
                "INSERT INTO case_words (case_id, words)"
                " SELECT id + turn * :apart, words FROM pattern, generate_series(1, :rounds) turn"
            ),
            {"rounds": rounds, "apart": _APART},
        )
    with city.owner.database.engine.begin() as connection:
        connection.execute(text("ANALYZE"))
        return int(connection.execute(text("SELECT count(*) FROM cases")).scalar_one())


@dataclass(frozen=True)
class Told:
    """What the server has of all that was done."""

    seq: int
    operations: Counter[int]
    """How often each act stands in the journal."""
    digest: str


def journal_of(city: ServedCity) -> Told:
    """The journal and the cases of a server, as they are now."""
    with city.owner.database.read() as connection:
        operations = connection.execute(
            select(journal.c.operation).where(journal.c.operation.is_not(None))
        ).scalars()
        seq = connection.execute(select(journal_head.c.seq)).scalar_one()
        return Told(int(seq), Counter(operations), digest(connection))


def digest(connection: Connection) -> str:
    """Of all cases with state and version, and of their steps: the same on a server and its stations."""
    sha = hashlib.sha256()
    for query in (
        select(case.c.id, case.c.number, case.c.state, case.c.version).order_by(case.c.id),
        select(step.c.id, step.c.verb, step.c.actor_name).order_by(step.c.id),
    ):
        for row in connection.execute(query):
            sha.update(repr(tuple(row)).encode())
    return sha.hexdigest()
