"""The screen of duties over the village: a real database, a real bus, shapes and all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest
from PySide6.QtWidgets import QApplication
from qasync import QEventLoop

from db.bootstrap import Core
from db.duties.queries import duty_book
from db.kernel.actor import Actor
from db.registers.queries import BaseMap, base_map
from desktop.app.duties import duty_work
from desktop.core.jobs import Jobs
from desktop.duties.summary import Summary
from desktop.duties.window import DutyWindow
from desktop.widgets.theme import Theme
from tests.db.duties.village import (
    CHIEF,
    EAST,
    ROADS,
    SQUAD_EAST,
    SQUAD_WEST,
    TODAY,
    WEST,
    an,
    open_village,
    settle,
)  # fmt: skip
from tests.desktop.seeded import context_of


@pytest.fixture
def village(sqlite_url: str) -> Iterator[Core]:
    """West and east have their squads for 09, the roads office has the rest but 10 in the east."""
    core = open_village(sqlite_url)
    majors = [an(ROADS, prefix=p) for p in ("01", "02", "03", "04", "05", "06", "07", "08")]
    settle(
        core, *majors, an(ROADS, WEST, "10"), an(SQUAD_WEST, WEST, "09"), an(SQUAD_EAST, EAST, "09"),
        an(SQUAD_EAST, 12, "09003", row_id=1), an(ROADS, 12, "09003", row_id=2),
    )  # fmt: skip
    yield core
    core.close()


@pytest.fixture
def summary(village: Core) -> Summary:
    with village.database.read() as connection:
        return Summary(duty_book(connection), TODAY)


@pytest.fixture
def ground(village: Core) -> BaseMap:
    with village.database.read() as connection:
        return base_map(connection)


class Desk:
    """An open window and what it has said."""

    def __init__(self, core: Core, who: Actor, until: Callable[..., None]) -> None:
        self._until = until
        self.core = core
        self.troubles: list[BaseException] = []
        self.undone = 0
        self.jobs = Jobs(self.troubles.append)
        self.window = DutyWindow(Theme(), context_of((), who), self.jobs, duty_work(core, who))
        self.window.undo_asked.connect(self._undo)

    def _undo(self) -> None:
        self.undone += 1
        self.core.bus.undo(CHIEF)
        self.window.refresh()

    def do(self, act: Callable[[], object] = lambda: None) -> None:
        act()
        self._until(lambda: not self.jobs._tasks and not self.window.is_busy)
        assert not self.troubles


@pytest.fixture
def who() -> Actor:
    return CHIEF


@pytest.fixture
def desk(application: QApplication, village: Core, who: Actor, until: Callable[..., None]) -> Iterator[Desk]:
    loop = QEventLoop(application)
    asyncio.set_event_loop(loop)
    asyncio.events._set_running_loop(loop)
    made = Desk(village, who, until)
    made.do()
    yield made
    made.window.close()
    made.window.deleteLater()
    made.jobs.close()
    asyncio.events._set_running_loop(None)
    loop.close()
    asyncio.set_event_loop(None)
