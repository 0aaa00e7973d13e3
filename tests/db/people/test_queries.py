"""Units and accounts that are in use are read in order; who is on duty follows from signs of life."""

from __future__ import annotations

from datetime import timedelta

from db.bootstrap import Core
from db.kernel.actor import SYSTEM
from db.kernel.clock import SetClock
from db.people.commands import ChangePassword, CreateAccount, SetScope, actor_of
from db.people.presence import say
from db.people.queries import account_book, accounts, on_duty, units
from db.people.staff import CloseAccount
from db.people.tables import person, position
from tests.db.engine.kit import write


def test_only_active_units_are_listed(core: Core) -> None:
    with core.database.read() as connection:
        assert [(one.code, one.name, one.name_en, one.kind) for one in units(connection)] == [
            ("U1", "龙泉中队", "Longquan squad", "squad")
        ]


def test_accounts_are_listed_with_their_person(core: Core) -> None:
    for login in ("wang", "li"):
        core.bus.run(CreateAccount(login, 1, "Abcdefg1", ("dispatcher",)), SYSTEM)
    with core.database.read() as connection:
        assert [(one.login, one.name, one.post) for one in accounts(connection)] == [
            ("li", "王敏", "dispatcher"),
            ("wang", "王敏", "dispatcher"),
        ]


def test_the_book_of_accounts_tells_what_each_may_do_and_where(core: Core) -> None:
    li, wang = (
        core.bus.run(CreateAccount(login, 1, "Abcdefg1", (role,)), SYSTEM).result
        for login, role in (("li", "dispatcher"), ("wang", "handler"))
    )
    core.bus.run(SetScope(li, units=(1,), prefixes=("matter 09",)), SYSTEM)
    core.bus.run(ChangePassword(wang, "Abcdefg1", "Bcdefgh2"), actor_of(core.database, "wang"))
    core.bus.run(CloseAccount(wang), SYSTEM)
    with core.database.read() as connection:
        book = account_book(connection)
    first, last = book.accounts
    assert (first.login, first.roles, first.units, first.prefixes) == (
        "li",
        ("dispatcher",),
        (1,),
        ("matter 09",),
    )
    assert (first.active, first.last_at, first.keeps_to_own_unit) == (True, None, False)
    assert (last.login, last.active, last.last_at) == ("wang", False, core.clock.now())
    assert (last.keeps_to_own_unit, last.areas, last.units) == (True, (), ())
    dispatcher = next(each for each in book.roles if each.code == "dispatcher")
    assert "case.dispatch" in dispatcher.permissions
    assert dispatcher.label("en") == "Dispatcher"


def put_out(core: Core, person_id: int, ago: timedelta) -> None:
    place = {"person_id": person_id, "at": core.clock.now() - ago, "lon": 117.1, "lat": 35.1}
    write(core.database, lambda u: u.telemetry(position, [place]))


def staff(core: Core) -> None:
    people = [
        {"id": 2, "code": "P0", "name": "张三", "unit_id": 1, "post": "handler"},
        {"id": 3, "code": "P9", "name": "赵队", "unit_id": 1, "post": "leader"},
        {"id": 4, "code": "P4", "name": "离职", "unit_id": 1, "post": "leader", "active": False},
        {"id": 5, "code": "P5", "name": "旧站", "unit_id": 2, "post": "leader"},
    ]
    write(core.database, lambda u: u.insert(person, people))


def duty(core: Core) -> dict[int, tuple[str, ...]]:
    with core.database.read() as connection:
        return on_duty(connection, core.clock.now())


def test_who_told_a_place_or_sits_at_a_desk_is_on_duty(core: Core) -> None:
    staff(core)
    core.bus.run(CreateAccount("wang", 1, "Abcdefg1", ("dispatcher",)), SYSTEM)
    put_out(core, 2, timedelta(minutes=14))
    put_out(core, 3, timedelta(minutes=16))
    put_out(core, 4, timedelta(minutes=1))
    assert duty(core) == {1: ("张三",)}
    say(core.database, "a", actor_of(core.database, "wang"))
    assert duty(core) == {1: ("张三", "王敏")}


def test_of_a_unit_of_which_nothing_is_known_the_leader_answers_in_working_time(core: Core) -> None:
    staff(core)
    assert duty(core) == {1: ("赵队",)}
    assert isinstance(core.clock, SetClock)
    core.clock.advance(timedelta(hours=12))
    assert duty(core) == {}


def test_without_a_leader_the_first_of_the_unit_answers(core: Core) -> None:
    assert duty(core) == {1: ("王敏",)}
