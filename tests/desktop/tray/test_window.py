"""The tray shows both sides of what was refused; nothing in it goes without a decision and a reason."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import qasync
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from shiboken6 import delete, isValid

from db.kernel.clock import SetClock, from_ms
from db.kernel.refusal import Refused, Unavailable
from db.sync.standing import Line, Standing
from desktop.core.jobs import Jobs
from desktop.tray.stations import AWAY_MS, StationsWindow
from desktop.tray.window import TrayWindow
from desktop.tray.work import Difference, Side, StationLine, TrayAct, TrayWork
from desktop.widgets.rows import drawn
from desktop.widgets.theme import Theme
from tests.db.live.rows import NOON
from tests.desktop.seeded import OFFICER, context_of, invented

MINUTE = 60_000
REFUSED = TrayAct(
    operation=11,
    label="Reassign cases",
    who="李浩然",
    is_own=True,
    at_ms=NOON - 9 * MINUTE,
    is_parked=True,
    why="It has changed since you looked.",
    words="too few hands",
    size=2,
    sides=(
        Side(
            3,
            "20260314000003",
            "荆河路9号",
            (Difference("Unit", "Unit 1", "Unit 2"), Difference("Stage", "handling", "handling")),
            "王敏",
            "Reassign",
            NOON - 7 * MINUTE,
        ),
        Side(4, "20260314000004", "", (Difference("Unit", "Unit 1", "Unit 3"),)),
    ),
    may_edit=True,
)
WAITING = replace(
    REFUSED, operation=12, label="Handle", is_parked=False, why="", words="", size=1, sides=(), at_ms=NOON
)
OTHER = replace(REFUSED, operation=14, label="Dispatch", at_ms=NOON - 8 * MINUTE)
HELD = replace(WAITING, operation=13, who="陈静", is_own=False)


@pytest.fixture(autouse=True)
def loop(application: QApplication) -> Iterator[qasync.QEventLoop]:
    loop = qasync.QEventLoop(application)
    asyncio.set_event_loop(loop)
    asyncio.events._set_running_loop(loop)
    yield loop
    asyncio.events._set_running_loop(None)
    loop.close()
    asyncio.set_event_loop(None)


class Desk:
    """A tray on show, what lies in it and what it asked for."""

    def __init__(self, until: Callable[..., None], shown: Callable[..., QWidget], *acts: TrayAct) -> None:
        self.until = until
        self.acts = list(acts)
        self.drops: list[tuple[int, str]] = []
        self.refuses: Refused | None = None
        self.troubles: list[BaseException] = []
        self.jobs = Jobs(self.troubles.append)
        self.context = context_of(invented(8), OFFICER)
        self.answer: asyncio.Future[None] | None = None
        work = TrayWork(lambda: list(self.acts), self.drop, self.again)
        self.tray = TrayWindow(Theme(), self.context, self.jobs, work)
        self.tray.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        self.emitted: list[tuple[str, TrayAct]] = []
        self.tray.edit_wanted.connect(lambda act: self.emitted.append(("edit", act)))
        shown(self.tray, 980, 640)
        self.settle()

    def drop(self, operation: int, reason: str) -> None:
        if self.refuses is not None:
            raise self.refuses
        self.drops.append((operation, reason))
        self.acts = [act for act in self.acts if act.operation != operation]

    async def again(self, act: TrayAct) -> None:
        self.emitted.append(("again", act))
        if self.answer is not None:
            await self.answer
        self.acts = [each for each in self.acts if each.operation != act.operation]

    def settle(self) -> None:
        self.until(lambda: not self.jobs._tasks)

    def press(self, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        QTest.keyClick(self.tray, key, modifier)
        self.settle()


@pytest.fixture
def desk(until: Callable[..., None], shown: Callable[..., QWidget]) -> Iterator[Callable[..., Desk]]:
    made: list[Desk] = []

    def open_(*acts: TrayAct) -> Desk:
        made.append(Desk(until, shown, *acts))
        return made[-1]

    yield open_
    for each in made:
        each.settle()
        each.jobs.close()
        assert each.troubles == []


def test_each_act_says_in_shape_and_words_where_it_stands(desk: Callable[..., Desk]) -> None:
    tray = desk(REFUSED, WAITING, HELD).tray
    lines = drawn(tray._model).splitlines()
    assert "◆ the server refused it" in lines[0]
    assert "○ waits for the line" in lines[1]
    assert "▲ waits for sign-in" in lines[2]
    assert "陈静" in lines[2]
    assert "荆河路9号" in lines[0], "an officer knows a case by its place"
    assert tray._said.text() == "1 to decide, 2 waiting"


def test_both_sides_stand_side_by_side_with_who_was_quicker(desk: Callable[..., Desk]) -> None:
    tray = desk(REFUSED).tray
    first, second, third = (line.strip() for line in drawn(tray._side_model).splitlines())
    assert first == "20260314000003 | 荆河路9号 | Unit | Unit 1 | Unit 2 | 王敏 11:53: Reassign"
    assert second == " |  | Stage | handling | handling |".strip()
    assert third == "20260314000004 |  | Unit | Unit 1 | Unit 3 |"
    assert tray._why.text() == "It has changed since you looked."
    assert tray._spoken.text() == "With the words: too few hands"


def test_what_only_waits_offers_no_decision_and_says_what_it_waits_for(desk: Callable[..., Desk]) -> None:
    tray = desk(WAITING, replace(HELD, sides=REFUSED.sides[1:])).tray
    buttons = (tray.again_button, tray.edit_button, tray.drop_button)
    assert not any(button.isVisible() for button in buttons)
    tray.table.select({HELD.operation})
    tray._choose()
    assert "陈静" in tray._why.text()
    # What the server has is known only of what it has answered.
    assert drawn(tray._side_model).split(" | ")[3:5] == ["Unit 1", ""]
    assert not any(button.isVisible() for button in buttons)


@pytest.mark.parametrize(
    "key, modifier, wanted",
    [
        (Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier, "again"),
        (Qt.Key.Key_F2, Qt.KeyboardModifier.NoModifier, "edit"),
    ],
)
def test_the_keys_printed_on_the_buttons_do_what_they_say(
    desk: Callable[..., Desk], key: Qt.Key, modifier: Qt.KeyboardModifier, wanted: str
) -> None:
    made = desk(REFUSED)
    made.press(key, modifier)
    assert made.emitted == [(wanted, REFUSED)]


def test_what_no_dialog_asks_for_is_not_edited(desk: Callable[..., Desk]) -> None:
    made = desk(replace(REFUSED, may_edit=False))
    assert not made.tray.edit_button.isEnabled()
    made.press(Qt.Key.Key_F2)
    assert made.emitted == []


def test_nothing_is_dropped_without_a_reason(desk: Callable[..., Desk]) -> None:
    made = desk(REFUSED, WAITING)
    made.press(Qt.Key.Key_Delete, Qt.KeyboardModifier.ControlModifier)
    assert made.drops == []
    assert made.tray._field.error() == "A reason is required."
    made.tray.reason.setText("  theirs is better ")
    made.press(Qt.Key.Key_Delete, Qt.KeyboardModifier.ControlModifier)
    assert made.drops == [(REFUSED.operation, "theirs is better")]
    assert made.tray.current() == WAITING
    assert made.tray.reason.text() == ""


def test_a_drop_that_is_refused_says_why_and_keeps_the_words(desk: Callable[..., Desk]) -> None:
    made = desk(REFUSED)
    made.refuses = Refused("not_yours", "Somebody else has to decide.")
    made.tray.reason.setText("theirs is better")
    made.press(Qt.Key.Key_Delete, Qt.KeyboardModifier.ControlModifier)
    assert made.tray._field.error() == "Somebody else has to decide."
    assert made.tray.reason.text() == "theirs is better"
    assert made.tray.drop_button.isEnabled()


def test_a_drop_of_what_lies_there_no_more_shows_what_does(desk: Callable[..., Desk]) -> None:
    made = desk(REFUSED, OTHER)
    made.acts = [OTHER]
    made.refuses = Refused("not_in_tray", "This act is not in the tray any more.")
    made.tray.reason.setText("theirs is better")
    made.press(Qt.Key.Key_Delete, Qt.KeyboardModifier.ControlModifier)
    assert made.tray.current() == OTHER
    assert made.tray._field.error() == ""
    assert made.tray.reason.text() == ""
    assert made.tray.drop_button.isEnabled()


def test_a_reason_is_not_used_for_another_act(desk: Callable[..., Desk]) -> None:
    made = desk(REFUSED, OTHER)
    made.tray.reason.setText("theirs is better")
    made.acts = [replace(REFUSED, why="It has changed again."), OTHER]
    made.tray.refresh()
    made.settle()
    # The same act, told anew.
    assert made.tray.reason.text() == "theirs is better"
    made.press(Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert made.tray.current() == OTHER
    assert made.tray.reason.text() == ""
    made.press(Qt.Key.Key_Delete, Qt.KeyboardModifier.ControlModifier)
    assert made.drops == []
    assert made.tray._field.error() == "A reason is required."
    made.acts = [OTHER, replace(REFUSED, operation=15)]
    made.tray.refresh()
    made.settle()
    assert made.tray._field.error() == "A reason is required."


def test_by_hand_too_another_act_asks_for_its_own_reason(desk: Callable[..., Desk]) -> None:
    made = desk(REFUSED, OTHER)
    made.tray.reason.setText("theirs is better")
    QTest.keyClick(made.tray.table, Qt.Key.Key_Down)
    assert made.tray.current() == OTHER
    assert made.tray.reason.text() == ""


def test_nothing_else_is_done_about_an_act_while_something_is(
    desk: Callable[..., Desk], loop: qasync.QEventLoop
) -> None:
    made = desk(REFUSED, OTHER)
    made.answer = loop.create_future()
    tray = made.tray
    tray.again_button.click()
    made.until(lambda: bool(made.emitted))
    tray.reason.setText("theirs is better")
    for button in (tray.again_button, tray.edit_button, tray.drop_button):
        assert not button.isEnabled()
    QTest.keyClick(tray, Qt.Key.Key_Delete, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(tray, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(tray, Qt.Key.Key_F2)
    # The other one may be decided meanwhile, and what is typed for it is not lost when the first is done.
    QTest.keyClick(tray.table, Qt.Key.Key_Down)
    assert tray.drop_button.isEnabled()
    tray.reason.setText("nobody needs it")
    made.answer.set_result(None)
    made.settle()
    assert made.emitted == [("again", REFUSED)]
    assert made.drops == []
    assert tray.current() == OTHER
    assert tray.reason.text() == "nobody needs it"
    made.press(Qt.Key.Key_Delete, Qt.KeyboardModifier.ControlModifier)
    assert made.drops == [(OTHER.operation, "nobody needs it")]


def test_what_could_not_be_done_anew_may_be_decided_again(
    desk: Callable[..., Desk], loop: qasync.QEventLoop
) -> None:
    made = desk(REFUSED)
    made.answer = loop.create_future()
    made.answer.set_exception(Refused("not_yours", "Somebody else has to decide."))
    made.press(Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert [str(error) for error in made.troubles] == ["Somebody else has to decide."]
    made.troubles.clear()
    assert made.tray.current() == REFUSED
    assert made.tray.again_button.isEnabled()


def test_it_reads_anew_when_something_comes_or_goes_and_not_at_every_beat(desk: Callable[..., Desk]) -> None:
    made = desk(WAITING)
    reads = made.tray._reads
    live = Standing(Line.LIVE, waiting=1, heard_ms=NOON)
    made.context.set_standing(live)
    made.settle()
    made.context.set_standing(replace(live, heard_ms=NOON + 2_000))
    made.settle()
    assert made.tray._reads == reads + 1
    made.acts = [REFUSED]
    made.context.set_standing(replace(live, waiting=0, parked=1))
    made.settle()
    assert made.tray.current() == REFUSED


def test_an_empty_tray_says_that_all_is_on_the_server(desk: Callable[..., Desk]) -> None:
    tray = desk().tray
    assert tray.table.model().rowCount() == 0
    assert not tray.again_button.isVisible()


def test_answers_to_a_tray_that_went_with_its_window_are_dropped(desk: Callable[..., Desk]) -> None:
    """Nobody closed it: the window that it stood on is made anew in another language, or is signed out of."""
    made, begun, may_go_on = desk(REFUSED), threading.Event(), threading.Event()

    def drop(_operation: int, _reason: str) -> None:
        begun.set()
        may_go_on.wait(60)

    work, room = TrayWork(lambda: list(made.acts), drop, made.again), QWidget()
    tray = TrayWindow(Theme(), made.context, made.jobs, work, room)
    made.settle()
    tray.reason.setText("theirs is better")
    tray.drop_button.click()
    made.until(begun.is_set)
    delete(room)
    may_go_on.set()
    made.settle()
    assert not isValid(tray)


def station(number: int, **values: object) -> StationLine:
    given: dict[str, object] = {
        "name": f"ZHT-{number}",
        "person": "王敏",
        "program": "0.5",
        "waiting": 0,
        "skew_ms": 0,
        "behind_ms": 0,
        "seen_ms": NOON,
        "is_here": False,
    }
    return StationLine(number, **(given | values))  # type: ignore[arg-type]


def test_the_stations_say_who_is_there_how_far_behind_and_whose_clock_is_wrong(
    until: Callable[..., None], shown: Callable[..., QWidget]
) -> None:
    answers: list[object] = [
        (
            [
                station(1, is_here=True),
                station(2, behind_ms=95_000, waiting=41),
                station(3, skew_ms=-180_000, program="0.4"),
                station(4, seen_ms=NOON - AWAY_MS - 1),
                # A file that was brought to the server: nobody ever sat at it.
                station(5, person="", program="", seen_ms=NOON - AWAY_MS - 1),
            ],
            NOON,
        ),
        Unavailable("offline", "There is no line."),
    ]

    def ask() -> tuple[list[StationLine], int]:
        answer = answers.pop(0)
        if isinstance(answer, Unavailable):
            raise answer
        return answer  # type: ignore[return-value]

    jobs = Jobs(lambda error: pytest.fail(str(error)))
    window = StationsWindow(Theme(), context_of((), OFFICER), jobs, ask, SetClock(from_ms(NOON)))
    window.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    shown(window, 860, 360)
    until(lambda: not jobs._tasks)
    here, behind, wrong, gone, brought = drawn(window._model).splitlines()
    assert "● Live" in here
    assert "this computer · " in here
    assert "▲ Behind 95 s" in behind
    assert "41" in behind
    assert "▲ 3 min behind" in wrong
    assert "○ gone since" in gone
    assert [line.count("right") for line in (here, behind, wrong, gone, brought)] == [1, 1, 0, 1, 0]
    assert "▲ 0.4" in wrong
    assert window._said.text() == (
        "3 of 5 stations are on-line. Of these: 1 behind, 1 with a wrong clock, 1 with another version."
    )
    # The line goes: what was shown stays, and says that it is old.
    window.refresh()
    until(lambda: not jobs._tasks)
    assert window.table.model().rowCount() == 5
    assert window._said.text().endswith("There is no line.")
    assert not any(mark in drawn(window._model) for mark in "●▲○"), "nobody knows whether it is still so"
    window.close()
    jobs.close()
