"""An account is closed and opened again; the last one that can manage people keeps the right."""

from __future__ import annotations

import pytest

from db.bootstrap import Core
from db.kernel.actor import SYSTEM
from db.kernel.refusal import Refused
from db.people.commands import ChangePassword, CreateAccount, actor_of, sign_in
from db.people.queries import must_change
from db.people.staff import AddPerson, CloseAccount, LetIn, OpenAccount, ResetPassword, SetRoles
from db.people.tables import account, person
from tests.db.engine.kit import rows_of
from tests.kit.refusals import refused

GOOD = "Abcdefg1"


@pytest.fixture
def chief(core: Core) -> int:
    return int(core.bus.run(CreateAccount("chief", 1, GOOD, ("system_admin",)), SYSTEM).result)


@pytest.fixture
def wang(core: Core) -> int:
    return int(core.bus.run(CreateAccount("wang", 1, GOOD, ("dispatcher",)), SYSTEM).result)


def test_a_closed_account_lets_nobody_in_until_it_is_opened(core: Core, chief: int, wang: int) -> None:
    who = actor_of(core.database, "chief")
    core.bus.run(CloseAccount(wang), who)
    with refused("account_closed"):
        sign_in(core.database, "wang", GOOD)
    core.bus.run(OpenAccount(wang), who)
    assert sign_in(core.database, "wang", GOOD).account_id == wang
    core.bus.undo(who)
    with refused("account_closed"):
        sign_in(core.database, "wang", GOOD)


def test_a_locked_account_is_opened_at_once(core: Core, wang: int) -> None:
    for _attempt in range(5):
        with refused("wrong_password"):
            sign_in(core.database, "wang", "Wrong-pass1")
    with refused("locked_out"):
        sign_in(core.database, "wang", GOOD)
    core.bus.run(OpenAccount(wang), SYSTEM)
    assert sign_in(core.database, "wang", GOOD).account_id == wang


def test_nobody_closes_the_own_account_nor_the_last_that_manages_people(
    core: Core, chief: int, wang: int
) -> None:
    who = actor_of(core.database, "chief")
    with refused("own_account"):
        core.bus.run(CloseAccount(chief), who)
    for command in (SetRoles(chief, ("dispatcher",)), CloseAccount(chief)):
        with refused("last_manager"):
            core.bus.run(command, SYSTEM)
    core.bus.run(SetRoles(wang, ("security_admin",)), who)
    core.bus.run(SetRoles(chief, ("dispatcher",)), who)
    assert actor_of(core.database, "chief").roles == ("dispatcher",)


def test_another_password_is_to_be_changed_by_its_owner(core: Core, wang: int) -> None:
    core.bus.run(ResetPassword(wang, "Another-1"), SYSTEM)
    assert sign_in(core.database, "wang", "Another-1").account_id == wang
    with core.database.read() as connection:
        assert must_change(connection, wang)
    core.bus.run(ChangePassword(wang, "Another-1", "Own-pass2"), actor_of(core.database, "wang"))
    with core.database.read() as connection:
        assert not must_change(connection, wang)
    with refused("no_such_account"):
        core.bus.run(OpenAccount(404), SYSTEM)


def test_a_person_is_taken_into_a_unit_with_a_post(core: Core) -> None:
    with refused("name_missing"):
        core.bus.run(AddPerson(" ", "nowhere", "king"), SYSTEM)
    person_id = core.bus.run(AddPerson("赵敏", "U1", "dispatcher"), SYSTEM).result
    core.bus.run(CreateAccount("zhao", person_id, GOOD, ("dispatcher",)), SYSTEM)
    assert actor_of(core.database, "zhao").name == "赵敏"


def test_somebody_is_taken_in_with_an_account_at_once_or_not_at_all(core: Core, chief: int) -> None:
    who = actor_of(core.database, "chief")
    people = rows_of(core.database, person)
    for login, password in (("chief", GOOD), ("qian", "x")):
        with pytest.raises(Refused):
            core.bus.run(LetIn("钱工", "U1", "handler", login, password, ()), who)
    assert rows_of(core.database, person) == people
    account_id = core.bus.run(LetIn("钱工", "U1", "handler", "qian", GOOD, ("handler",)), who).result
    assert sign_in(core.database, "qian", GOOD).roles == ("handler",)
    assert rows_of(core.database, account)[account_id]["must_change"]
    core.bus.undo(who)
    assert rows_of(core.database, person) == people
