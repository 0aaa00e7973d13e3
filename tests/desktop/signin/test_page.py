"""Signing in: Enter works, a wrong password says so and is cleared, and nothing is sent twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest
import qasync
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QWidget

from db.kernel.actor import Actor
from db.kernel.refusal import Refused
from desktop.core.jobs import Jobs
from desktop.signin.page import SignInPage
from desktop.widgets.theme import Theme

OFFICER = Actor(1, "李浩然", frozenset())


class Door:
    """A page whose answers a test gives."""

    def __init__(
        self, until: Callable[..., None], shown: Callable[..., QWidget], *, first: bool = False
    ) -> None:
        self.until = until
        self.troubles: list[BaseException] = []
        self.jobs = Jobs(self.troubles.append)
        self.asked: list[tuple[str, ...]] = []
        self.entered: list[Actor] = []
        begin = self.answer if first else None
        self.page = SignInPage(
            Theme(),
            self.jobs,
            self.answer,
            city="滕州市",
            login="" if first else "zhiban",
            hint="Hint",
            begin=begin,
        )
        self.page.signed_in.connect(self.entered.append)
        shown(self.page, 900, 600)

    async def answer(self, *words: str) -> Actor:
        self.asked.append(words)
        if words[-1] != "right":
            raise Refused("wrong_password", "Name or password is not right.")
        return OFFICER

    def settle(self) -> None:
        self.until(lambda: not self.jobs._tasks)


@pytest.fixture(autouse=True)
def loop(application: QApplication) -> Iterator[qasync.QEventLoop]:
    loop = qasync.QEventLoop(application)
    asyncio.set_event_loop(loop)
    # Turned piece by piece, never by QApplication.exec(): see tests/desktop/open_room.py.
    asyncio.events._set_running_loop(loop)
    yield loop
    asyncio.events._set_running_loop(None)
    loop.close()
    asyncio.set_event_loop(None)


@pytest.fixture
def door(until: Callable[..., None], shown: Callable[..., QWidget]) -> Iterator[Door]:
    door = Door(until, shown)
    yield door
    door.jobs.close()


def test_enter_in_either_field_sends_name_and_password(door: Door) -> None:
    for field in (door.page.login, door.page.password):
        door.page.password.setText("right")
        QTest.keyClick(field, Qt.Key.Key_Return)
        door.settle()
    assert door.asked == [("zhiban", "right")] * 2
    assert door.entered == [OFFICER, OFFICER]
    assert door.page.password.text() == ""


def test_a_wrong_password_says_so_and_is_cleared_and_may_be_typed_again_at_once(door: Door) -> None:
    door.page.password.setText("wrong")
    door.page.form.sent.emit()
    door.settle()
    assert door.page.form.fields["password"].error() == "Name or password is not right."
    assert door.page.password.text() == ""
    assert door.page.form.send_button.isEnabled()
    assert door.page.focusWidget() is door.page.password
    assert door.entered == []


def test_nothing_is_sent_twice_while_the_answer_is_awaited(door: Door) -> None:
    door.page.password.setText("right")
    door.page.form.send_button.setEnabled(False)
    door.page.form.sent.emit()
    door.settle()
    assert door.asked == []


def test_the_password_is_hidden_and_the_name_is_remembered(door: Door) -> None:
    assert door.page.password.echoMode() == QLineEdit.EchoMode.Password
    assert door.page.login.text() == "zhiban"
    assert door.page.focusWidget() is door.page.password


def test_spaces_round_the_name_do_not_count_and_those_in_the_password_do(door: Door) -> None:
    door.page.login.setText("  zhiban ")
    door.page.password.setText(" wrong ")
    door.page.form.sent.emit()
    door.settle()
    assert door.asked == [("zhiban", " wrong ")]


def test_trouble_of_any_kind_can_be_said_here(door: Door) -> None:
    door.page.say_trouble("bug", "Something went wrong.")
    assert door.page.form.fields["password"].error() == "Something went wrong."


def test_the_switches_ask_for_theme_and_language(door: Door) -> None:
    heard: list[str] = []
    door.page.theme_wanted.connect(lambda: heard.append("theme"))
    door.page.language_wanted.connect(lambda: heard.append("language"))
    door.page.theme_button.click()
    door.page.language_button.click()
    assert heard == ["theme", "language"]
    assert door.page.theme_button.accessibleName()
    assert door.page.language_button.accessibleName()


def test_the_first_person_of_a_new_database_gives_a_name_too(
    until: Callable[..., None], shown: Callable[..., QWidget]
) -> None:
    door = Door(until, shown, first=True)
    door.page.person.setText("李浩然")
    door.page.login.setText("li")
    door.page.password.setText("right")
    door.page.form.sent.emit()
    door.settle()
    assert door.asked == [("李浩然", "li", "right")]
    assert door.entered == [OFFICER]
    door.jobs.close()


def test_the_hint_is_plain_text(door: Door) -> None:
    hints = [label for label in door.page.findChildren(QLabel) if label.text() == "Hint"]
    assert hints[0].textFormat() == Qt.TextFormat.PlainText
