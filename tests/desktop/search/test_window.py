"""The search window: the newest question wins, the list grows as one scrolls, trouble is told in words."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu
from shiboken6 import delete

from db.kernel.actor import Actor
from db.kernel.refusal import Unavailable
from db.search.queries import Count, Hit, Page
from db.search.rules import Query
from desktop.core.jobs import Jobs
from desktop.search.filters import chips
from desktop.search.window import SearchWindow, SearchWork, count_words
from desktop.widgets.theme import Theme
from tests.db.live.rows import HOUR, NOON
from tests.desktop.seeded import OFFICER, context_of, invented
from tests.desktop.turned import TurnedLoop

DEADLINE = 60.0
PAGE = 40
ANY = Hit(0, "", "closed", "app", 1, 1, 1, "荆河路", "井盖破损", True, NOON - 30 * HOUR, 0, 0, 0, NOON)


class Archive:
    """Answers from memory: a word finds as many cases as its length says, in hundreds."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int | None]] = []
        self.held: dict[str, threading.Event] = {}
        self.trouble: Exception | None = None
        self.is_made = True

    def find(self, query: Query, after: int | None) -> Page:
        self.asked.append((query.text, after))
        if query.text in self.held:
            self.held[query.text].wait(DEADLINE)
        if self.trouble is not None:
            raise self.trouble
        newest = after or 100 * len(query.text) + 1
        ids = range(newest - 1, max(0, newest - 1 - PAGE), -1)
        hits = tuple(replace(ANY, id=i, number=f"{query.text}{i}") for i in ids)
        return Page(hits, ids[-1] if ids and ids[-1] > 1 else None)

    def count(self, query: Query) -> Count:
        return Count(100 * len(query.text), False)

    def make(self, tell: Callable[[int, int], None]) -> int:
        tell(1, 2)
        self.is_made = True
        return 2


class Room:
    def __init__(self, loop: TurnedLoop, who: Actor) -> None:
        self.loop = loop
        self.troubles: list[BaseException] = []
        self.jobs = Jobs(self.troubles.append)
        self.archive = Archive()
        self.context = context_of(invented(30), who)
        archive = self.archive
        work = SearchWork(archive.find, archive.count, lambda: archive.is_made, archive.make)
        self.window = SearchWindow(Theme(), self.context, self.jobs, work)

    def open(self) -> None:
        self.do(self.window.show)

    def settle(self) -> None:
        self.do(lambda: None)

    def is_quiet(self) -> bool:
        """The count comes after the rows."""
        return not self.window.is_busy and not self.jobs._tasks

    def do(self, act: Callable[[], object], until: Callable[[], bool] | None = None) -> None:
        """Do something and wait within the same run: qasync goes on with tasks a little after a run has
        ended, and then no loop is running for them.
        """
        claim = until or self.is_quiet

        async def start() -> None:
            act()
            async with asyncio.timeout(DEADLINE):
                while not claim():
                    await asyncio.sleep(0.005)

        self.loop.run_until_complete(start())

    def look_for(self, query: Query) -> None:
        self.do(lambda: self.window.set_query(query))

    def ids(self) -> list[int]:
        return [self.window.rows.id_at(row) for row in range(self.window.rows.row_count())]


@pytest.fixture
def who() -> Actor:
    return OFFICER


@pytest.fixture
def room(application: QApplication, who: Actor) -> Iterator[Room]:
    loop = TurnedLoop(application)

    async def make() -> Room:
        room = Room(loop, who)
        while not room.is_quiet():
            await asyncio.sleep(0.005)
        return room

    room = loop.run_until_complete(make())
    room.open()
    yield room
    for event in room.archive.held.values():
        event.set()
    room.settle()
    room.window.close()
    room.jobs.close()
    room.window.deleteLater()
    loop.close()
    assert not room.troubles


def test_what_is_typed_is_found_and_counted(room: Room) -> None:
    room.do(lambda: QTest.keyClicks(room.window.field, "ab"))
    assert room.window.strip.count_text() == "200 cases"
    assert room.ids()[0] == 200
    assert room.archive.asked[-1][0] == "ab"
    assert ("a", None) not in room.archive.asked, "it waits for the end of the word"


def test_pages_come_as_one_scrolls_and_end_with_the_last_case(room: Room) -> None:
    room.look_for(Query("ab"))
    bar = room.window.table.verticalScrollBar()
    while room.window.rows.row_count() < 200:
        before = room.window.rows.row_count()
        room.do(lambda: bar.setValue(bar.maximum()))
        assert room.window.rows.row_count() > before
    room.do(lambda: bar.setValue(bar.maximum()))
    assert room.ids() == list(range(200, 0, -1))


def test_a_late_answer_is_dropped_and_the_rows_before_stay_until_the_new_ones_are_there(room: Room) -> None:
    room.look_for(Query("abc"))
    room.archive.held = {"a": threading.Event(), "ab": threading.Event()}
    room.do(lambda: room.window.set_query(Query("a")), lambda: ("a", None) in room.archive.asked)
    assert room.ids()[0] == 300
    room.do(lambda: room.window.set_query(Query("ab")), lambda: ("ab", None) in room.archive.asked)
    assert room.ids()[0] == 300
    room.do(room.archive.held["ab"].set, lambda: room.ids()[0] == 200)
    room.do(room.archive.held["a"].set)
    assert room.ids()[0] == 200


def test_an_answer_to_a_window_that_is_gone_is_dropped(room: Room) -> None:
    room.archive.held = {"a": threading.Event()}
    other = SearchWindow(Theme(), room.context, room.jobs, room.window._work)
    room.do(lambda: other.set_query(Query("a")), lambda: ("a", None) in room.archive.asked)
    delete(other)
    room.do(room.archive.held["a"].set)


def test_without_a_server_nobody_is_offered_what_lies_there(room: Room) -> None:
    assert not room.window.older_button.isVisible()


def test_nothing_found_and_trouble_are_said(room: Room) -> None:
    room.look_for(Query(""))
    assert room.window.table._state[:2] == ("empty", "No case was found")
    room.archive.trouble = Unavailable("gone", "The database is away.")
    room.look_for(Query("a"))
    assert room.ids() == []
    assert room.window.table._state == ("error", "", "The database is away.")
    room.archive.trouble = None
    room.look_for(Query("a"))
    assert room.ids()[0] == 100


def test_an_index_that_is_not_there_is_made_first(room: Room) -> None:
    room.archive.is_made = False
    room.look_for(Query("a"))
    assert room.archive.is_made
    assert room.ids()[0] == 100


def test_chips_say_what_narrows_and_take_it_off(room: Room) -> None:
    query = Query("a", states=frozenset({"closed", "void"}), districts=frozenset({1, 2, 3}), overdue=True)
    room.look_for(query)
    texts = [chip.text for chip in room.window.strip.chips()]
    assert texts == ["Closed, Void", "District 1 and 2 more", "Overdue"]
    room.do(lambda: room.window.strip.removed.emit("districts"))
    assert room.window.query == replace(query, districts=frozenset())
    room.do(lambda: QTest.keyClick(room.window, Qt.Key.Key_Escape))
    assert room.window.query == Query("a")
    assert room.window.isVisible()
    assert chips(Query("a"), room.context.board.directory, room.context.zone) == []


def test_the_menu_offers_every_part_and_a_choice_narrows(room: Room) -> None:
    room.do(room.window.filter_button.click)
    menus = room.window.findChildren(QMenu)
    titles = {menu.title() for menu in menus}
    assert {"Stage", "District", "Unit", "Category", "Source", "Reported"} <= titles
    stages = next(menu for menu in menus if menu.title() == "Stage")
    room.do(lambda: next(action for action in stages.actions() if action.text() == "Closed").trigger())
    assert room.window.query.states == {"closed"}
    for menu in menus:
        menu.close()


def test_open_cases_are_shown_in_the_room_and_any_case_is_opened(room: Room) -> None:
    opened: list[int] = []
    room.context.opened.connect(opened.append)
    room.look_for(Query("a"))
    assert not room.window.open_button.isEnabled()
    table = room.window.table
    room.do(lambda: table._pick(frozenset({90})))
    assert not room.window.show_button.isEnabled(), "case 90 is not on the board"
    room.do(room.window.open_button.click)
    assert opened == [90]
    room.do(lambda: table._pick(frozenset({90, 7, 8})))
    room.do(room.window.show_button.click)
    assert room.context.selection == {7, 8}
    assert room.context.filter.ids == {7, 8}


@pytest.mark.parametrize("who", [Actor(8, "来访", frozenset({"room.view"})), OFFICER])
def test_telephone_numbers_are_searched_only_by_who_may(room: Room, who: Actor) -> None:
    room.do(room.window.filter_button.click)
    action = next(
        each
        for menu in room.window.findChildren(QMenu)
        for each in menu.actions()
        if "telephone" in each.text()
    )
    assert action.isEnabled() == who.may("contact.view")
    if who.may("contact.view"):
        room.do(action.trigger)
        room.do(lambda: room.window.field.setText("138 0000 1111"))
        assert room.window.query == Query(phone="13800001111")
    for menu in room.window.findChildren(QMenu):
        menu.close()


def test_a_count_says_no_more_than_is_known() -> None:
    assert count_words(Count(7, False)) == "7 cases"
    assert count_words(Count(1000, True)) == "more than 1,000 cases"
    assert count_words(Count(0, True)) == ""
