"""A case window over a real database, its jobs on real threads, under the program's own event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication, QDialog

from db.bootstrap import Core, load_reference, open_core
from db.cases.casefile import CaseFile, case_file
from db.cases.commands.dispatch import Dispatch
from db.cases.commands.handling import Receive
from db.cases.commands.intake import Register, Report
from db.cases.commands.moving import load_workflow
from db.cases.contacts import view_contact
from db.cases.photos import photo_store
from db.kernel.actor import SYSTEM, Actor
from db.kernel.clock import SetClock
from db.live.board import Board
from db.live.feed import Feed
from db.people.tables import unit
from db.registers.queries import categories, conditions
from db.sync.standing import PhotoWay
from desktop.casefile.window import CaseWindow, CaseWork
from desktop.core.context import City, Context, DataAge, Freshness
from desktop.core.jobs import Jobs
from desktop.widgets.theme import Theme
from tests.db.live.city import write
from tests.db.live.rows import ZONE
from tests.desktop.turned import TurnedLoop

DEADLINE = 60.0
MORNING = datetime(2026, 3, 16, 1, tzinfo=UTC)
"""Monday, 9:00 in the city."""
LEADER = Actor(7, "王敏", frozenset({"*"}), None, ("duty_leader",))
NAME, PHONE = "欧阳小娟", "13806321234"
DESCRIPTION = "<b>井盖破损</b> & 有危险\n第二行"


class Office:
    """A database with two cases at one place, the second in hand, and whoever looks at them."""

    def __init__(self, loop: TurnedLoop, url: str) -> None:
        self.loop = loop
        self.clock = SetClock(MORNING)
        self.core: Core = open_core(url, clock=self.clock)
        load_reference(self.core.database)
        write(
            self.core.database,
            (unit, [{"id": i, "code": f"U{i}", "name": f"单位{i}", "kind": "office"} for i in (1, 2, 3)]),
        )
        with self.core.database.read() as connection:
            self.category = next(
                each.id for each in categories(connection) if conditions(connection, each.id)
            )
            self.workflow = load_workflow(connection)
        self.old = self.report()
        self.case = self.report(reporter_name=NAME, reporter_phone=PHONE)
        self.pass_by(minutes=10)
        self.act(Register((self.case,)))
        self.pass_by(minutes=10)
        self.act(Dispatch((self.case,), 1))
        self.pass_by(hours=1)
        self.act(Receive((self.case,)))
        self.troubles: list[BaseException] = []
        self.jobs = Jobs(self.troubles.append)
        self.windows: list[CaseWindow] = []
        self.context = self.context_of(LEADER)
        self.ways: dict[str, PhotoWay] = {}
        """How it stands with photos that are not here, as a station would say."""

    def report(self, **values: Any) -> int:
        place = {"lon": 117.16, "lat": 35.08, "address": "荆河路东口"}
        command = Report("hotline", self.category, DESCRIPTION, **place, **values)
        return int(self.core.bus.run(command, SYSTEM).result)

    def act(self, command: Any, who: Actor = SYSTEM) -> Any:
        return self.core.bus.run(command, who).result

    def pass_by(self, **span: float) -> None:
        self.clock.advance(timedelta(**span))

    def context_of(self, who: Actor) -> Context:
        feed = Feed(self.core.database, self.clock)
        board = Board(ZONE, int(self.clock.now().timestamp() * 1000))
        delta = feed.snapshot()
        board.apply(delta)
        context = Context(board, who, City("滕州市", "Tengzhou", True))
        context.set_age(DataAge(Freshness.LIVE, delta.at_ms))
        return context

    def news(self) -> None:
        """What the bridge does: the board takes in how things are now, and the screens hear of it."""
        self.context.announce(self.context.board.apply(Feed(self.core.database, self.clock).snapshot()))

    def read(self, case_id: int, who: Actor = LEADER) -> CaseFile | None:
        with self.core.database.read() as connection:
            return case_file(connection, case_id, who)

    def open(self, who: Actor = LEADER, case_id: int | None = None) -> CaseWindow:
        """A window as the session makes one."""
        if who is not LEADER:
            self.context = self.context_of(who)
        store = photo_store(self.core.database)
        work = CaseWork(
            lambda key: self.read(key, who),
            lambda command: self.act(command, who),
            lambda: str(self.core.bus.undo(who).result),
            store.take,
            store.find,
            store.thumbnail,
            lambda photo: self.ways.get(photo.sha256),
            None,
            lambda key, reason: view_contact(self.core.bus, key, reason, who),
        )
        file = self.read(case_id or self.case, who)
        assert file is not None
        theme = Theme()

        async def make() -> CaseWindow:
            window = CaseWindow(theme, self.context, self.jobs, work, file, self.workflow)
            window.show()
            return window

        window = self.loop.run_until_complete(make())
        self.windows.append(window)
        self.settle()
        return window

    def run(self, act: Callable[[], object]) -> None:
        """Do something within the loop and wait until no job is under way."""

        async def start() -> None:
            act()

        self.loop.run_until_complete(start())
        self.settle()

    def settle(self) -> None:
        self.until(lambda: not self.jobs._tasks)

    def until(self, claim: Callable[[], bool]) -> None:
        async def wait() -> None:
            async with asyncio.timeout(DEADLINE):
                while not claim():
                    await asyncio.sleep(0.005)

        self.loop.run_until_complete(wait())

    def dialog(self, kind: type[QDialog]) -> Any:
        (dialog,) = self.windows[-1].findChildren(kind)
        return dialog

    def close(self) -> None:
        self.settle()
        for window in self.windows:
            if not window._closed:
                window.reject()
        self.jobs.close()
        self.core.close()


@pytest.fixture
def office(application: QApplication, sqlite_url: str) -> Iterator[Office]:
    loop = TurnedLoop(application)
    office = Office(loop, sqlite_url)
    yield office
    office.close()
    loop.close()
    assert not office.troubles


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where somebody keeps files that are to be attached."""
    made = tmp_path / "desk"
    made.mkdir()
    return made
