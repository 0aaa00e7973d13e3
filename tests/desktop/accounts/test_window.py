"""The accounts window: who may do what where is seen and set; who may not manage people presses nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QTreeWidget
from qasync import QEventLoop

from db.kernel.actor import Actor
from db.kernel.language import N_
from db.kernel.refusal import Refused
from db.people.commands import ChangePassword, SetScope
from db.people.queries import AccountBook, AccountLine, RoleLine
from db.people.staff import CloseAccount, LetIn, OpenAccount, ResetPassword, SetRoles
from desktop.accounts.forms import (
    AccountAsking,
    OwnPasswordAsking,
    PasswordAsking,
    RolesAsking,
    ScopeAsking,
)
from desktop.accounts.window import AccountsWindow
from desktop.accounts.work import AccountWork
from desktop.core.jobs import Jobs
from desktop.widgets.rows import drawn
from desktop.widgets.theme import Theme
from tests.db.live.rows import NOON, case_row
from tests.desktop.seeded import GUEST, OFFICER, context_of

DEADLINE = 60_000
ROLES = (
    RoleLine("dispatcher", "派遣员", "Dispatcher", ("case.dispatch",)),
    RoleLine("handler", "处置人员", "Handler", ("case.handle",)),
)
ACTED = datetime.fromtimestamp(NOON / 1000 - 7_200, UTC)


def line(account_id: int, name: str, **more: Any) -> AccountLine:
    values: dict[str, Any] = {
        "login": f"u{account_id}",
        "unit_id": 1,
        "post": "dispatcher",
        "active": True,
        "must_change": False,
        "locked_until": None,
        "roles": ("dispatcher",),
        "areas": (),
        "units": (),
        "prefixes": (),
        "keeps_to_own_unit": False,
        "last_at": None,
    }
    return AccountLine(account_id, name=name, **(values | more))


BOOK = AccountBook(
    (
        line(1, "田鹏", last_at=ACTED),
        line(2, "宋明哲", areas=(3,), units=(2, 4), prefixes=("matter 01",)),
        line(3, "郭艳", roles=("handler",), post="handler", keeps_to_own_unit=True),
        line(OFFICER.account_id, OFFICER.name),
        line(5, "王离", active=False, roles=()),
    ),
    ROLES,
)
CASES = [
    case_row(1, state="handling", unit_id=2, district_id=3),
    case_row(2, state="handling", unit_id=5, district_id=3),
    case_row(3, state="closed", unit_id=2, district_id=3),
]


class Desk:
    """A window over accounts in memory that remembers what it was commanded."""

    def __init__(self, until: Callable[..., None], who: Actor, *, on_server: bool = False) -> None:
        self._until = until
        self.troubles: list[BaseException] = []
        self.commands: list[Any] = []
        self.refusal: Refused | None = None
        self.jobs = Jobs(self.troubles.append)
        work = AccountWork(lambda: BOOK, self.run, on_server)
        self.window = AccountsWindow(Theme(), context_of(CASES, who), self.jobs, work)

    def run(self, command: Any) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.commands.append(command)

    def do(self, act: Callable[[], object] = lambda: None) -> None:
        act()
        self._until(lambda: not self.jobs._tasks and not self.window.is_busy, DEADLINE)

    def at(self, account_id: int) -> None:
        self.window.table.select({account_id})
        self.window.table.picked.emit(frozenset({account_id}))


@pytest.fixture
def loop(application: QApplication) -> Iterator[None]:
    loop = QEventLoop(application)
    asyncio.set_event_loop(loop)
    # Turned piece by piece, never by QApplication.exec(): see tests/desktop/open_room.py.
    asyncio.events._set_running_loop(loop)
    yield
    asyncio.events._set_running_loop(None)
    loop.close()
    asyncio.set_event_loop(None)


@pytest.fixture
def made(loop: None, until: Callable[..., None]) -> Iterator[Callable[..., Desk]]:
    desks: list[Desk] = []

    def make(who: Actor = OFFICER, **how: Any) -> Desk:
        desks.append(Desk(until, who, **how))
        desks[-1].do(desks[-1].window.show)
        return desks[-1]

    yield make
    for desk in desks:
        desk.do()
        desk.window.close()
        desk.jobs.close()
        desk.window.deleteLater()
        assert not desk.troubles


@pytest.fixture
def desk(made: Callable[..., Desk]) -> Desk:
    return made()


def test_each_account_says_what_it_is_where_it_acts_and_when_it_did_last(desk: Desk) -> None:
    rows = drawn(desk.window._model).splitlines()
    assert rows[0].split(" | ")[4:6] == ["Dispatcher", "everywhere"]
    assert rows[0].split(" | ")[6] != "—"
    assert rows[1].split(" | ")[5] == "District 3 · Unit 2, Unit 4 · Looks"
    assert rows[2].split(" | ")[5] == "own unit: Unit 1"
    assert rows[4].split(" | ")[7] == "shut"
    assert desk.window.count.text() == "5 accounts, 4 of them open"
    QTest.keyClicks(desk.window.find, "handler")
    assert desk.window._rows.row_count() == 1


def test_roles_are_marked_with_the_keyboard_and_say_what_they_let_one_do(desk: Desk) -> None:
    desk.at(1)
    desk.do(lambda: QTest.keyClick(desk.window.table, Qt.Key.Key_Return))
    asking = desk.window.asking
    assert isinstance(asking, RolesAsking)
    assert "Reassign cases" in asking.may.text()
    QTest.keyClick(asking.roles, Qt.Key.Key_Down)
    QTest.keyClick(asking.roles, Qt.Key.Key_Space)
    desk.do(asking.form.send_button.click)
    assert desk.commands == [SetRoles(1, ("dispatcher", "handler"))]
    assert desk.window.words.text() == "Set roles"
    assert desk.window.undo_button.isEnabled()


def test_a_scope_is_marked_in_trees_and_says_how_much_lies_within(desk: Desk) -> None:
    desk.at(1)
    desk.window.scope_button.click()
    asking = desk.window.asking
    assert isinstance(asking, ScopeAsking)
    assert asking.effect.text() == "Nothing marked: everywhere.\n2 of 2 open cases lie within."
    mark(asking.areas, "District 3")
    assert asking.effect.text() == "District 3\n2 of 2 open cases lie within."
    mark(asking.units, "Unit 2")
    assert asking.effect.text() == "District 3, Unit 2\n1 of 2 open cases lie within."
    asking.tabs.setCurrentWidget(asking.units)
    asking.find.setText("unit 4")
    shown = [asking.units.topLevelItem(row).isHidden() for row in range(asking.units.topLevelItemCount())]
    assert shown == [True, True, True, False, True]
    desk.do(asking.form.send_button.click)
    assert desk.commands == [SetScope(1, (3,), (2,), ())]


def test_a_scope_that_stands_is_marked_already(desk: Desk) -> None:
    desk.at(2)
    desk.window.scope_button.click()
    asking = desk.window.asking
    assert isinstance(asking, ScopeAsking)
    assert asking.command() == SetScope(2, (3,), (2, 4), ("matter 01",))
    asking.reject()
    desk.at(3)
    desk.window.scope_button.click()
    assert isinstance(desk.window.asking, ScopeAsking)
    assert desk.window.asking.effect.text().startswith("Nothing marked: only cases of the own unit.")


def test_an_account_is_closed_and_opened_by_one_key_but_not_the_own_one(desk: Desk) -> None:
    desk.at(1)
    desk.do(desk.window.close_account_button.click)
    desk.at(5)
    assert desk.window.close_account_button.text() == "Open account again"
    desk.do(desk.window.close_account_button.click)
    assert desk.commands == [CloseAccount(1), OpenAccount(5)]
    desk.at(OFFICER.account_id)
    assert not desk.window.close_account_button.isEnabled()
    assert "Nobody closes the own account." in desk.window.close_account_button.toolTip()


def test_a_password_and_a_new_account_are_asked_for_and_what_is_refused_stays_open(desk: Desk) -> None:
    desk.at(1)
    desk.window.password_button.click()
    asking = desk.window.asking
    assert isinstance(asking, PasswordAsking)
    asking.form.sent.emit()
    assert asking.form.fields["password"].error() == "A password is needed."
    asking.password.setText("Abcdefg1")
    desk.refusal = Refused("no", N_("Not today."))
    desk.do(asking.form.send_button.click)
    assert desk.window.asking is asking
    assert asking.form._general.text() == "Not today."
    desk.refusal = None
    desk.do(asking.form.send_button.click)
    assert desk.commands == [ResetPassword(1, "Abcdefg1")]
    desk.window.new_button.click()
    new = desk.window.asking
    assert isinstance(new, AccountAsking)
    new.form.sent.emit()
    assert set(new.faults()) == {"name", "login", "roles"}
    new.name.setText("钱工")
    new.login.setText("qian")
    new.password.setText("Abcdefg1")
    new.roles.item(1).setCheckState(Qt.CheckState.Checked)
    desk.do(new.form.send_button.click)
    assert desk.commands[-1] == LetIn("钱工", "U1", "collector", "qian", "Abcdefg1", ("handler",))


def test_who_may_not_manage_people_and_a_server_say_why(made: Callable[..., Desk]) -> None:
    for desk, words in ((made(GUEST), "Your role may not"), (made(on_server=True), "jingwei server person")):
        desk.at(1)
        assert not desk.window.roles_button.isEnabled()
        assert words in desk.window.roles_button.toolTip()
        desk.window.roles_button.click()
        assert desk.window.asking is None
    # Where one may act is a matter of the program also on a server.
    assert desk.window.scope_button.isEnabled()


def test_the_own_password_is_typed_twice(application: QApplication) -> None:
    asking = OwnPasswordAsking(Theme(), 7, is_first=True)
    answered: list[Any] = []
    asking.answered.connect(answered.append)
    asking.old.setText("Abcdefg1")
    asking.new.setText("Bcdefgh2")
    asking.form.sent.emit()
    assert asking.form.fields["again"].error() == "The two new passwords differ."
    asking.again.setText("Bcdefgh2")
    asking.form.sent.emit()
    assert answered == [ChangePassword(7, "Abcdefg1", "Bcdefgh2")]
    asking.deleteLater()


def mark(tree: QTreeWidget, words: str) -> None:
    (item,) = tree.findItems(words, Qt.MatchFlag.MatchRecursive | Qt.MatchFlag.MatchExactly)
    item.setCheckState(0, Qt.CheckState.Checked)
