"""Signing in: Argon2, lock-out after five failures, and the same answer for unknown names."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from db.bootstrap import Core
from db.kernel.actor import EVERYWHERE, SYSTEM, Actor, Scope
from db.kernel.clock import SetClock
from db.kernel.refusal import Refused, RefusedAll
from db.people.commands import (
    ChangePassword,
    CreateAccount,
    CreateFirstAccount,
    SetScope,
    actor_of,
    sign_in,
)
from db.people.tables import account, account_scope, unit
from db.registers.tables import area
from tests.db.engine.kit import entries, rows_of, write

GOOD = "Abcdefg1"


@pytest.fixture
def wang(core: Core) -> int:
    """An account for the dispatcher."""
    return int(core.bus.run(CreateAccount("wang", 1, GOOD, ("dispatcher",)), SYSTEM).result)


def code_of(core: Core, login: str, password: str) -> str:
    with pytest.raises(Refused) as caught:
        sign_in(core.database, login, password)
    assert "{" not in caught.value.text()
    return caught.value.code


def advance(core: Core, by: timedelta) -> None:
    assert isinstance(core.clock, SetClock)
    core.clock.advance(by)


def test_the_right_password_gives_the_person_with_roles_and_permissions(core: Core, wang: int) -> None:
    actor = sign_in(core.database, "wang", GOOD)
    assert (actor.account_id, actor.name, actor.unit_id, actor.roles) == (wang, "王敏", 1, ("dispatcher",))
    assert actor.may("case.dispatch")
    assert not actor.may("case.close")
    assert actor == actor_of(core.database, "wang")


def test_a_password_is_kept_as_argon2_and_nowhere_else(core: Core, wang: int) -> None:
    assert rows_of(core.database, account)[wang]["password_hash"].startswith("$argon2id$")
    with core.database.read() as connection:
        raw = " ".join(
            str(value) for row in connection.execute(text("SELECT * FROM journal")) for value in row
        )
    assert GOOD not in raw
    assert "$argon2id$" not in raw
    assert entries(core.database)[-1].arguments["password"] == "#"


def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(core: Core, wang: int) -> None:
    texts = set()
    for login, password in (("wang", "wrong"), ("nobody", GOOD), ("", "")):
        with pytest.raises(Refused) as caught:
            sign_in(core.database, login, password)
        texts.add((caught.value.code, caught.value.text()))
    assert len(texts) == 1


def test_five_failures_close_the_account_for_fifteen_minutes(core: Core, wang: int) -> None:
    for _ in range(5):
        assert code_of(core, "wang", "wrong") == "wrong_password"
    assert code_of(core, "wang", GOOD) == "locked_out"
    advance(core, timedelta(minutes=14, seconds=59))
    assert code_of(core, "wang", GOOD) == "locked_out"
    advance(core, timedelta(seconds=1))
    assert sign_in(core.database, "wang", GOOD).account_id == wang


def test_after_a_lock_out_the_count_begins_anew(core: Core, wang: int) -> None:
    for _ in range(5):
        code_of(core, "wang", "wrong")
    advance(core, timedelta(minutes=15))
    for _ in range(4):
        assert code_of(core, "wang", "wrong") == "wrong_password"
    assert sign_in(core.database, "wang", GOOD).account_id == wang


def test_a_good_password_forgets_the_failures_before_it(core: Core, wang: int) -> None:
    for _round in range(2):
        for _ in range(4):
            code_of(core, "wang", "wrong")
        sign_in(core.database, "wang", GOOD)
    row = rows_of(core.database, account)[wang]
    assert (row["failures"], row["locked_until"]) == (0, None)


def test_a_failure_stands_in_the_journal_and_an_ordinary_sign_in_writes_nothing(
    core: Core, wang: int
) -> None:
    before = len(entries(core.database))
    sign_in(core.database, "wang", GOOD)
    assert len(entries(core.database)) == before
    code_of(core, "wang", "wrong")
    entry = entries(core.database)[-1]
    assert (entry.command, entry.arguments) == ("people.note_sign_in", {"account_id": wang, "good": False})


def test_a_closed_account_says_so_only_to_whoever_knows_the_password(core: Core, wang: int) -> None:
    write(core.database, lambda u: u.update(account, {wang: {"active": False}}))
    assert code_of(core, "wang", GOOD) == "account_closed"
    assert code_of(core, "wang", "wrong") == "wrong_password"
    with pytest.raises(Refused, match="no account wang"):
        actor_of(core.database, "wang")


def test_everything_wrong_with_a_new_account_is_told_at_once(core: Core, wang: int) -> None:
    with pytest.raises(RefusedAll) as caught:
        core.bus.run(CreateAccount("wang", 404, "abc", ("king",)), SYSTEM)
    assert [one.code for one in caught.value.refusals] == [
        "password_short",
        "password_plain",
        "login_taken",
        "no_such_person",
        "no_such_role",
    ]
    assert len(rows_of(core.database, account)) == 1


@pytest.mark.parametrize("login", ["", " wang", "a\nb", "x" * 61])
def test_an_account_name_is_one_short_line(core: Core, login: str) -> None:
    with pytest.raises(Refused) as caught:
        core.bus.run(CreateAccount(login, 1, GOOD, ()), SYSTEM)
    assert caught.value.code == "bad_login"


def test_a_password_is_changed_by_its_owner_who_knows_the_old_one(core: Core, wang: int) -> None:
    actor = sign_in(core.database, "wang", GOOD)
    core.bus.run(ChangePassword(wang, GOOD, "Hijklmn2"), actor)
    assert code_of(core, "wang", GOOD) == "wrong_password"
    assert sign_in(core.database, "wang", "Hijklmn2").account_id == wang
    assert entries(core.database)[-3].arguments == {"account_id": wang, "old": "#", "new": "#"}


@pytest.mark.parametrize(
    "old, new, code",
    [("wrong", "Hijklmn2", "wrong_password"), (GOOD, "abc", "password_short")],
)
def test_a_bad_change_of_password_is_refused(core: Core, wang: int, old: str, new: str, code: str) -> None:
    with pytest.raises(Refused) as caught:
        core.bus.run(ChangePassword(wang, old, new), sign_in(core.database, "wang", GOOD))
    assert caught.value.code == code


def test_nobody_changes_the_password_of_another(core: Core, wang: int) -> None:
    other = Actor(999, "李强", frozenset({"people.self"}))
    with pytest.raises(Refused) as caught:
        core.bus.run(ChangePassword(wang, GOOD, "Hijklmn2"), other)
    assert caught.value.code == "not_yours"


@pytest.mark.parametrize("with_centre", [False, True])
def test_whoever_opens_a_database_without_accounts_makes_the_first(core: Core, with_centre: bool) -> None:
    if with_centre:
        centre = {"id": 9, "code": "centre", "name": "中心", "kind": "centre"}
        write(core.database, lambda u: u.insert(unit, [centre]))
    core.bus.run(CreateFirstAccount(" 刘洋 ", " liu ", GOOD), SYSTEM)
    actor = sign_in(core.database, "liu", GOOD)
    assert actor.name == "刘洋"
    assert actor.may("case.close")
    assert actor.may("people.manage")
    with pytest.raises(Refused) as caught:
        core.bus.run(CreateFirstAccount("x", "y", GOOD), SYSTEM)
    assert caught.value.code == "has_accounts"


def test_the_first_account_needs_names_and_a_good_password(core: Core) -> None:
    with pytest.raises(RefusedAll) as caught:
        core.bus.run(CreateFirstAccount(" ", "", "short"), SYSTEM)
    assert [one.code for one in caught.value.refusals] == ["name_missing", "password_short", "password_plain"]
    assert rows_of(core.database, account) == {}


def test_where_somebody_may_act_is_known_from_the_next_sign_in(core: Core, wang: int) -> None:
    assert sign_in(core.database, "wang", GOOD).scope == EVERYWHERE
    place = {"id": 9, "kind": "district", "code": "9", "name": "龙泉街道", "lon": 117.1, "lat": 35.1}
    below = {"id": 3, "code": "U3", "name": "一班", "kind": "squad", "parent_id": 1}
    write(core.database, lambda u: (u.insert(area, [place]), u.insert(unit, [below])))
    core.bus.run(SetScope(wang, (9,), (1,), ("matter 09", "component")), SYSTEM)
    bound = Scope(frozenset({9}), frozenset({1, 3}), ("component", "matter 09"))
    assert sign_in(core.database, "wang", GOOD).scope == bound
    core.bus.run(SetScope(wang, units=(3,)), SYSTEM)
    assert actor_of(core.database, "wang").scope == Scope(units=frozenset({3}))
    core.bus.run(SetScope(wang), SYSTEM)
    assert actor_of(core.database, "wang").scope == EVERYWHERE
    assert rows_of(core.database, account_scope) == {}
    core.bus.undo(SYSTEM)
    assert actor_of(core.database, "wang").scope == Scope(units=frozenset({3}))


def test_a_scope_of_things_that_are_not_there_is_refused_with_all_reasons(core: Core, wang: int) -> None:
    with pytest.raises(RefusedAll) as caught:
        core.bus.run(SetScope(wang, (404,), (405,), ("09", "matter 0x")), SYSTEM)
    codes = [each.code for each in caught.value.refusals]
    assert codes == ["no_such_area", "no_such_unit", "bad_prefix", "bad_prefix"]
    with pytest.raises(Refused, match="no account"):
        core.bus.run(SetScope(404), SYSTEM)


def test_who_handles_cases_keeps_to_the_own_unit_unless_told_otherwise(core: Core) -> None:
    handler = int(core.bus.run(CreateAccount("li", 1, GOOD, ("handler",)), SYSTEM).result)
    core.bus.run(CreateAccount("zhao", 1, GOOD, ("handler", "dispatcher")), SYSTEM)
    assert actor_of(core.database, "li").scope == Scope(units=frozenset({1}))
    assert actor_of(core.database, "zhao").scope == EVERYWHERE
    core.bus.run(SetScope(handler, units=(2,)), SYSTEM)
    assert actor_of(core.database, "li").scope == Scope(units=frozenset({2}))


def test_only_who_manages_people_gives_and_takes_scope(core: Core, wang: int) -> None:
    with pytest.raises(Refused, match="may not"):
        core.bus.run(SetScope(wang), actor_of(core.database, "wang"))
