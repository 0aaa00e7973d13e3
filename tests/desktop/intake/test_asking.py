"""Questions that follow the typing: asked after a pause, and only the newest answer counts."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication

from desktop.core.jobs import Jobs
from desktop.intake.asking import Question
from tests.desktop.turned import TurnedLoop

DEADLINE = 60.0


class Oracle:
    """Answers with what was asked; "slow" waits until it may go on."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.may_go_on = threading.Event()

    def ask(self, words: str) -> str:
        self.asked.append(words)
        if words == "slow":
            self.may_go_on.wait(DEADLINE)
        if words == "wrong":
            raise ValueError(words)
        return words


class Desk:
    """A question under the program's own event loop.

    Nothing in it refers back to it: a circle would be collected on any thread, and Qt's timers with it.
    """

    def __init__(self, loop: TurnedLoop) -> None:
        self.loop = loop
        self.oracle = Oracle()
        self.answers: list[Any] = []
        self.troubles: list[BaseException] = []
        self.jobs = Jobs(self.troubles.append)
        self.home = QObject()
        self.question = Question(self.jobs, self.oracle.ask, self.answers.append, self.home, pause_ms=1)

    def until(self, claim: Any) -> None:
        async def wait() -> None:
            async with asyncio.timeout(DEADLINE):
                while not claim():
                    await asyncio.sleep(0.002)

        self.loop.run_until_complete(wait())


@pytest.fixture
def desk(application: QApplication) -> Iterator[Desk]:
    # The loop of an earlier test must not be collected on a reader's thread: its timers live on this one.
    gc.collect()
    loop = TurnedLoop(application)
    desk = Desk(loop)
    yield desk
    desk.oracle.may_go_on.set()
    desk.jobs.close()
    desk.home.deleteLater()
    desk.troubles.clear()
    loop.close()


def test_what_is_put_in_one_breath_is_asked_once(desk: Desk) -> None:
    for words in ("g", "gs", "gsjg"):
        desk.question.put(words)
    assert desk.question.is_open
    desk.until(lambda: not desk.question.is_open)
    assert (desk.oracle.asked, desk.answers) == (["gsjg"], ["gsjg"])


def test_an_answer_that_comes_late_is_not_heard(desk: Desk) -> None:
    desk.question.put("slow")
    desk.until(lambda: desk.oracle.asked == ["slow"])
    desk.question.put("quick")
    desk.until(lambda: desk.answers == ["quick"])
    desk.oracle.may_go_on.set()
    desk.until(lambda: not desk.jobs._tasks)
    assert desk.answers == ["quick"]


def test_a_question_that_was_dropped_is_not_answered(desk: Desk) -> None:
    desk.question.put("slow")
    desk.until(lambda: desk.oracle.asked == ["slow"])
    desk.question.drop()
    assert not desk.question.is_open
    desk.oracle.may_go_on.set()
    desk.until(lambda: not desk.jobs._tasks)
    assert desk.answers == []


def test_a_question_that_fails_is_told_and_no_longer_open(desk: Desk) -> None:
    desk.question.put("wrong")
    desk.until(lambda: bool(desk.troubles))
    assert not desk.question.is_open
    assert desk.answers == []
