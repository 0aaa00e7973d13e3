"""People come in by the database itself: SCRAM over the network, TLS unless the line stays in the house."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import text

from db.bootstrap import Core, open_core
from db.cases.commands.intake import Report
from db.engine.connections import address_of, open_database
from db.kernel.actor import SYSTEM
from db.kernel.refusal import Refused, Unavailable
from db.people.commands import CreateAccount, actor_of
from db.people.staff import AddPerson
from db.registers.reference import read_roles
from db.server.check import examine
from db.server.persons import LONGEST, let_in, new_password, set_groups, shut_out
from db.server.setup import guard, make_roles
from tests.db.server.listening import ListeningServer
from tests.flows.bureau import COVER

pytestmark = pytest.mark.postgres

PASSWORD = new_password()


@pytest.fixture(scope="module")
def listening() -> Iterator[ListeningServer]:
    server = ListeningServer()
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def owner(listening: ListeningServer) -> Iterator[Core]:
    """A server with 王敏, an acceptor, as its owner sees it."""
    url = make_roles(listening.url("city"), [row.code for row in read_roles()])
    core = open_core(url.render_as_string(hide_password=False), create=True)
    guard(core.database)
    who = core.bus.run(AddPerson("王敏", "centre", "acceptor"), SYSTEM).result
    core.bus.run(CreateAccount("wangmin", who, PASSWORD, ("acceptor",)), SYSTEM)
    yield core
    core.close()


@pytest.fixture
def wangmin(owner: Core) -> str:
    """The login, let in with the password."""
    with owner.database.engine.begin() as connection:
        let_in(connection, "wangmin", PASSWORD, ("acceptor",))
    return "wangmin"


def test_a_person_works_over_the_network_with_login_and_password(
    listening: ListeningServer, owner: Core, wangmin: str
) -> None:
    core = open_core(listening.over_the_network(wangmin, PASSWORD, "city"))
    try:
        told = Report("hotline", COVER, "井盖破损", "学府路")
        assert core.bus.run(told, actor_of(core.database, wangmin)).seq > 0
    finally:
        core.close()
    assert listening.passwords()[wangmin].startswith("SCRAM-SHA-256$")


def test_nobody_comes_in_with_another_password(listening: ListeningServer, owner: Core, wangmin: str) -> None:
    for password in ("", "Abcd-0000", PASSWORD.lower()):
        with pytest.raises(Unavailable, match="password"):
            open_database(listening.over_the_network(wangmin, password, "city"))


def test_a_new_password_makes_the_old_one_worthless_and_removal_ends_both(
    listening: ListeningServer, owner: Core, wangmin: str
) -> None:
    other = new_password()
    inside = psycopg.connect(
        f"host={listening.folder} port={listening.port} user={wangmin} dbname=city", autocommit=True
    )
    with owner.database.engine.begin() as connection:
        let_in(connection, wangmin, other, ("acceptor",))
    with pytest.raises(Unavailable):
        open_database(listening.over_the_network(wangmin, PASSWORD, "city"))
    open_database(listening.over_the_network(wangmin, other, "city")).close()
    with owner.database.engine.begin() as connection:
        shut_out(connection, wangmin)
    with pytest.raises(Unavailable, match="not permitted to log in"):
        open_database(listening.over_the_network(wangmin, other, "city"))
    # Who was inside is outside as well.
    with inside, pytest.raises(psycopg.OperationalError):
        inside.execute("SELECT 1")


@pytest.mark.parametrize(
    "login", ["postgres", "jw_owner", "jw_x", "pg_read_all_data", "", "王" * (LONGEST // 3 + 1)]
)
def test_names_of_the_server_itself_are_nobodys(owner: Core, login: str) -> None:
    with owner.database.engine.begin() as connection, pytest.raises(Refused) as caught:
        let_in(connection, login, PASSWORD, ())
    assert caught.value.code == "login_reserved"


def test_a_weak_password_lets_nobody_in(owner: Core) -> None:
    with owner.database.engine.begin() as connection, pytest.raises(Refused, match="at least 8"):
        let_in(connection, "lihua", "x", ("dispatcher",))


def test_groups_follow_the_roles(owner: Core, wangmin: str) -> None:
    with owner.database.engine.begin() as connection:
        set_groups(connection, wangmin, ("dispatcher", "leader"))
    with owner.database.read() as connection:
        groups = text("SELECT pg_has_role('wangmin', :group, 'MEMBER')")
        held = {
            g: connection.execute(groups, {"group": f"jw_{g}"}).scalar()
            for g in ("acceptor", "dispatcher", "leader")
        }
        assert held == {"acceptor": False, "dispatcher": True, "leader": True}
        assert connection.execute(groups, {"group": "jw_owner"}).scalar() is False


def test_an_idle_transaction_of_a_member_does_not_hold_up_the_others(
    listening: ListeningServer, owner: Core, wangmin: str
) -> None:
    with psycopg.connect(
        f"host={listening.folder} port={listening.port} user={wangmin} dbname=city"
    ) as connection:
        row = connection.execute("SHOW idle_in_transaction_session_timeout").fetchone()
    assert row == ("1min",)


@pytest.mark.parametrize(
    "address,mode",
    [
        ("postgresql://a@server.example/city", "verify-full"),
        ("postgresql://a@10.1.2.3/city", "verify-full"),
        ("postgresql://a@server.example/city?sslmode=require", "require"),
        ("postgresql://a@localhost/city", None),
        ("postgresql://a@127.0.0.1/city", None),
        ("postgresql://a@[::1]/city", None),
        ("postgresql:///city?host=/run/postgresql", None),
        ("postgresql:///city", None),
    ],
)
def test_what_crosses_a_network_is_verified_unless_the_address_says_otherwise(
    address: str, mode: str | None
) -> None:
    assert address_of(address).query.get("sslmode") == mode


def test_a_check_tells_who_cannot_come_in_and_who_should_not(
    listening: ListeningServer, owner: Core, wangmin: str
) -> None:
    def codes() -> dict[str, str]:
        return {finding.code: finding.text() for finding in examine(owner.database)}

    assert not {"no_login", "no_account", "old_guard", "no_guard", "older_tables"} & codes().keys()
    with owner.database.engine.begin() as connection:
        let_in(connection, "stranger", PASSWORD, ())
        shut_out(connection, wangmin)
    found = codes()
    assert "wangmin" in found["no_login"]
    assert "stranger" in found["no_account"]
    with owner.database.engine.begin() as connection:
        connection.execute(text("UPDATE setting SET value = '{\"guard\":\"x\"}' WHERE key = 'server'"))
        connection.execute(text("ALTER TABLE cases DISABLE TRIGGER jw_check_moves"))
    found = codes()
    assert "old_guard" in found
    assert "jw_check_moves" in found["trigger_off"]
    guard(owner.database)
    with owner.database.engine.begin() as connection:
        shut_out(connection, "stranger")
    assert not {"old_guard", "trigger_off", "no_account"} & codes().keys()
