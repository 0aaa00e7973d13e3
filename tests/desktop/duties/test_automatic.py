"""The supervisor sees what a threshold would have done, sets it, and sees it again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from PySide6.QtWidgets import QApplication
from qasync import QEventLoop

from db.advice.automatic import Automation, SetAutomatic
from db.advice.evaluating import AtThreshold, Evaluation
from db.kernel.language import N_
from db.kernel.refusal import Refused
from desktop.core.jobs import Jobs
from desktop.duties.automatic import AutomaticDialog, AutomaticWork
from desktop.widgets.theme import Theme

FOUND = Evaluation(
    datetime(2026, 8, 23, tzinfo=UTC), 900, 1000,
    (AtThreshold(0.9, 800, 790, 1000), AtThreshold(0.97, 606, 605, 1000)), (), {}, 950, 953,
)  # fmt: skip


class Desk:
    """The dialog over what is set in memory."""

    def __init__(self, until: Callable[..., None]) -> None:
        self._until = until
        self.set_to = Automation(0.97, ("06001",))
        self.refusal: Refused | None = None
        self.jobs = Jobs(lambda error: pytest.fail(str(error)))
        self.saved: list[Automation] = []
        self.open()

    def open(self) -> None:
        work = AutomaticWork(lambda: self.set_to, lambda: FOUND, self.run)
        self.dialog = AutomaticDialog(Theme(), self.jobs, work)
        self.dialog.saved.connect(self.saved.append)
        self.do(self.dialog.open)

    def run(self, command: SetAutomatic) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.set_to = Automation(command.threshold, command.excluded)

    def do(self, act: Callable[[], object]) -> None:
        act()
        self._until(lambda: not self.jobs._tasks)


@pytest.fixture
def desk(application: QApplication, until: Callable[..., None]) -> Iterator[Desk]:
    loop = QEventLoop(application)
    asyncio.set_event_loop(loop)
    asyncio.events._set_running_loop(loop)
    made = Desk(until)
    yield made
    made.jobs.close()
    asyncio.events._set_running_loop(None)
    loop.close()
    asyncio.set_event_loop(None)


def test_it_shows_what_is_set_and_what_each_threshold_would_have_done(desk: Desk) -> None:
    dialog = desk.dialog
    assert (dialog.threshold.currentText(), dialog.excluded.text()) == ("97 %", "06001")
    assert dialog.measured.text().splitlines() == [
        "Learned from before 2026-08-23, tried on 1,000 cases since:",
        "from 97 %: 60.6 % of all would go, 99.83 % of them right",
    ]
    dialog.reject()


def test_what_is_chosen_is_saved_and_told(desk: Desk) -> None:
    desk.dialog.threshold.setCurrentIndex(desk.dialog.threshold.findData(0.99))
    desk.dialog.excluded.setText("06001、08， 09003")
    desk.do(desk.dialog.form.send_button.click)
    assert desk.set_to == Automation(0.99, ("06001", "08", "09003"))
    assert desk.saved == [desk.set_to]


def test_it_can_be_turned_off(desk: Desk) -> None:
    desk.dialog.threshold.setCurrentIndex(0)
    desk.do(desk.dialog.form.send_button.click)
    assert desk.set_to.threshold is None


def test_a_refusal_is_told_and_may_be_mended(desk: Desk) -> None:
    desk.refusal = Refused("no_such_class", N_("Write codes."))
    desk.do(desk.dialog.form.send_button.click)
    assert desk.dialog.isVisible()
    assert desk.dialog.form.send_button.isEnabled()
    assert desk.saved == []
    desk.dialog.reject()
