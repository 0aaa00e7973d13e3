"""The calendar window: a toggled day is a command, a missing year is offered, who may not presses nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import date, time
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from qasync import QEventLoop

from db.calendars.commands import LoadYear, SetDay, SetWindows, SetWorkingDayRule
from db.calendars.holidays import NamedDay
from db.calendars.queries import CalendarPage
from db.calendars.rules import Window, WorkingDay
from db.kernel.actor import Actor
from db.kernel.language import N_
from db.kernel.refusal import Refused
from desktop.calendars.forms import DayAsking, HoursAsking, RuleAsking
from desktop.calendars.window import CalendarWindow, CalendarWork, hours_lines
from desktop.core.jobs import Jobs
from desktop.widgets.theme import Theme
from tests.desktop.seeded import GUEST, OFFICER, context_of

DEADLINE = 60.0
MORNING = Window(time(8), time(12), date(2020, 1, 1))
SUMMER = Window(time(14, 30), time(18, 30), date(2020, 1, 1), None, "06-01", "09-30")
LABOUR = date(2026, 5, 1)


class Desk:
    """A window over a calendar in memory that knows 2026 and remembers what it was commanded."""

    def __init__(self, until: Callable[..., None], who: Actor) -> None:
        self._until = until
        self.troubles: list[BaseException] = []
        self.commands: list[Any] = []
        self.refusal: Refused | None = None
        self.jobs = Jobs(self.troubles.append)
        work = CalendarWork(self.read, self.run)
        self.window = CalendarWindow(Theme(), context_of((), who), self.jobs, work)

    def read(self, year: int) -> CalendarPage:
        days = {LABOUR: NamedDay(LABOUR, "holiday", "劳动节")}
        return CalendarPage(year, "notice", days, (MORNING, SUMMER), ()) if year == 2026 else missing(year)

    def run(self, command: Any) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.commands.append(command)

    def do(self, act: Callable[[], object] = lambda: None) -> None:
        act()
        self._until(lambda: not self.jobs._tasks and not self.window.is_busy, round(DEADLINE * 1000))

    def ask(self, day: date) -> DayAsking:
        view = self.window.year_view
        place = view.box_of(day).center().toPoint()
        self.do(lambda: QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=place))
        assert isinstance(self.window.asking, DayAsking)
        return self.window.asking


def missing(year: int) -> CalendarPage:
    return CalendarPage(year, "", {}, (), ())


@pytest.fixture
def who() -> Actor:
    return OFFICER


@pytest.fixture
def desk(application: QApplication, who: Actor, until: Callable[..., None]) -> Iterator[Desk]:
    loop = QEventLoop(application)
    asyncio.set_event_loop(loop)
    # Turned piece by piece, never by QApplication.exec(): see tests/desktop/open_room.py.
    asyncio.events._set_running_loop(loop)
    desk = Desk(until, who)
    desk.do(desk.window.show)
    desk.do(lambda: desk.window.choose(2026))
    yield desk
    desk.do()
    desk.window.close()
    desk.jobs.close()
    desk.window.deleteLater()
    asyncio.events._set_running_loop(None)
    loop.close()
    asyncio.set_event_loop(None)
    assert not desk.troubles


def test_a_clicked_weekday_becomes_a_holiday_by_its_name(desk: Desk) -> None:
    asking = desk.ask(date(2026, 3, 18))
    QTest.keyClicks(asking.name, "Fair")
    desk.do(lambda: QTest.keyClick(asking.name, Qt.Key.Key_Return))
    assert desk.commands == [SetDay("2026-03-18", "holiday", "Fair")]
    assert desk.window.asking is None
    assert desk.window.undo_button.isEnabled()


def test_a_holiday_becomes_a_day_as_usual_and_a_weekend_a_day_worked(desk: Desk) -> None:
    for day in (LABOUR, date(2026, 5, 9)):
        asking = desk.ask(day)
        desk.do(asking.form.send_button.click)
    assert desk.commands == [SetDay("2026-05-01", None), SetDay("2026-05-09", "workday")]


def test_the_arrow_keys_walk_and_enter_asks(desk: Desk) -> None:
    view = desk.window.year_view
    view.current = date(2026, 4, 30)
    QTest.keyClick(view, Qt.Key.Key_Right)
    assert "劳动节" in view.accessibleDescription()
    QTest.keyClick(view, Qt.Key.Key_Down)
    QTest.keyClick(view, Qt.Key.Key_Return)
    assert isinstance(desk.window.asking, DayAsking)
    assert desk.window.asking.command().day == "2026-05-08"


def test_what_is_refused_is_said_in_the_form_and_may_be_tried_again(desk: Desk) -> None:
    desk.refusal = Refused("no", N_("Not on a Wednesday."))
    asking = desk.ask(date(2026, 3, 18))
    desk.do(asking.form.send_button.click)
    assert desk.window.asking is asking
    assert asking.form._general.text() == "Not on a Wednesday."
    assert asking.form.send_button.isEnabled()


def test_a_missing_year_says_so_and_offers_to_load_it_or_to_begin_with_weekdays(desk: Desk) -> None:
    window = desk.window
    desk.do(lambda: window.choose(2027))
    assert window.stack.currentWidget() is window.missing_page
    assert "2027" in window.missing.text()
    desk.do(window.load_button.click)
    desk.do(window.plain_button.click)
    assert desk.commands == [LoadYear(2027), LoadYear(2027, "entered by hand")]


def test_hours_and_rule_are_asked_as_they_are_and_commanded_as_typed(desk: Desk) -> None:
    desk.do(desk.window.hours_button.click)
    hours = desk.window.asking
    assert isinstance(hours, HoursAsking)
    assert hours.hours.text() == "08:00-12:00"
    hours.hours.setText("08:30 - 12:00，13:30-17:30")
    day = hours.valid_from.date().toString("yyyy-MM-dd")
    desk.do(hours.form.send_button.click)
    desk.do(desk.window.rule_button.click)
    rule = desk.window.asking
    assert isinstance(rule, RuleAsking)
    rule.rule.setCurrentIndex(rule.rule.findData(WorkingDay.SAME_TIME.value))
    desk.do(rule.form.send_button.click)
    assert desk.commands == [
        SetWindows(day, ("08:30-12:00", "13:30-17:30"), (("06-01", "09-30", ("14:30-18:30",)),)),
        SetWorkingDayRule("same_time", day),
    ]


def test_the_hours_are_listed_with_their_season() -> None:
    lines = hours_lines((MORNING, SUMMER), date(2026, 1, 1)).splitlines()
    assert lines == ["All year: 08:00-12:00", "06-01 – 09-30: 14:30-18:30"]


@pytest.mark.parametrize("who", [GUEST])
def test_without_permission_all_is_seen_and_nothing_can_be_pressed(desk: Desk) -> None:
    window, view = desk.window, desk.window.year_view
    place = view.box_of(LABOUR).center().toPoint()
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=place)
    QTest.keyClick(view, Qt.Key.Key_Return)
    assert window.asking is None
    buttons = (window.load_button, window.plain_button, window.hours_button, window.rule_button)
    assert not any(button.isEnabled() for button in buttons)
    assert all(button.toolTip() for button in buttons)
    assert "not change" in window.words.text()
    assert "劳动节" in view.said(LABOUR)
