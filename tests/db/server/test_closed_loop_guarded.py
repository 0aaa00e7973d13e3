"""The stories of the closed loop once more: each officer with a login of his own, under the guard."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from db.bootstrap import Core, open_core
from db.cases.commands.requests import ResumeDue
from db.engine.connections import open_database
from db.engine.journal import verify
from db.engine.schema import upgrade
from db.kernel.actor import SYSTEM, Actor
from db.kernel.clock import SetClock
from db.people.commands import CreateAccount, actor_of
from db.people.tables import person, unit
from db.registers.reference import read_roles
from db.server.persons import let_in
from db.server.setup import guard, make_roles
from tests.db.engine.kit import put_setting, write
from tests.db.server.conftest import PASSWORD, open_as_owner
from tests.flows.bureau import MONDAY, PARKS, ROADS, WATER, Bureau, fill

# Collected here as tests of this module; they ask for the bureau below.
from tests.flows.test_closed_loop import *  # noqa: F403
from tests.kit.postgres import PostgresServer

pytestmark = pytest.mark.postgres

BUREAU = 4
"""The unit above those that carry out: its officers handle the cases of all of them."""
DEPUTY = "deputy"
"""Handles cases and gives them out. Who only handles them keeps to the own unit, and what no unit has is out
of that scope; a story in which a handler acts on such a case is told with the deputy.
"""


class GuardedBureau(Bureau):
    """A bureau in which every officer works by his own login; rows are looked at as the owner."""

    def __init__(self, core: Core, url: str) -> None:
        super().__init__(core)
        self._url = url
        self._cores: dict[str, Core] = {}
        self.officers = {code: actor_of(core.database, code) for code in (*self.officers, DEPUTY)}

    def run(self, command: Any, who: str | Actor = SYSTEM) -> Any:
        if isinstance(who, str):
            if who == "handler" and not any(self.row(i)["unit_id"] for i in command.case_ids):
                who = DEPUTY
            return self._core(who).bus.run(command, self.officers[who]).result
        # What time does of itself goes by whoever is there, be it the one who may least.
        core = self._core("wall") if isinstance(command, ResumeDue) else self.core
        return core.bus.run(command, who).result

    def _core(self, login: str) -> Core:
        if login not in self._cores:
            url = self._url.replace("://", f"://{login}@")
            self._cores[login] = open_core(url, clock=self.core.clock)
        return self._cores[login]

    def close(self) -> None:
        for core in (*self._cores.values(), self.core):
            core.close()


@pytest.fixture(scope="module")
def guarded_bureau(postgres: PostgresServer) -> Iterator[str]:
    """The name of a guarded database with an officer for each role, to be copied."""
    name = postgres.create()
    url = f"postgresql+psycopg://postgres@/{name}?host={postgres.folder}"
    roles = [row.code for row in read_roles()]
    owner = make_roles(url, roles).render_as_string(hide_password=False)
    database = open_database(owner)
    upgrade(database)
    database.close()
    core = fill(owner)
    # The stories take place in the past.
    put_setting(core.database, "sync.oldest_days", 36500)
    write(
        core.database,
        lambda u: (
            u.insert(unit, [{"id": BUREAU, "code": "U4", "name": "城管局", "kind": "office"}]),
            u.update(unit, {i: {"parent_id": BUREAU} for i in (ROADS, WATER, PARKS)}),
            u.insert(
                person,
                [
                    {"id": 100 + n, "code": f"O{n}", "name": code, "unit_id": BUREAU, "post": "dispatcher"}
                    for n, code in enumerate([*roles, DEPUTY])
                ],
            ),
        ),
        SYSTEM,
    )
    held = {**{code: (code,) for code in roles}, DEPUTY: ("handler", "dispatcher")}
    for n, (login, codes) in enumerate(held.items()):
        core.bus.run(CreateAccount(login, 100 + n, PASSWORD, codes), SYSTEM)
    guard(core.database)
    with core.database.engine.begin() as connection:
        for login, codes in held.items():
            let_in(connection, login, PASSWORD, codes)
    core.close()
    yield name
    postgres.drop(name)


@pytest.fixture
def bureau(postgres: PostgresServer, guarded_bureau: str) -> Iterator[GuardedBureau]:
    """On a guarded server, Monday at ten."""
    name = postgres.create(guarded_bureau)
    core = open_as_owner(postgres, name, SetClock(MONDAY))
    made = GuardedBureau(core, f"postgresql+psycopg:///{name}?host={postgres.folder}")
    yield made
    with core.database.read() as connection:
        proof = verify(connection)
    made.close()
    postgres.drop(name)
    assert proof.whole
