"""The whole room over a tiny demo city, under the program's own event loop, with hands that do not sleep."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import qasync
from PySide6.QtCore import QCoreApplication, QDeadlineTimer, QEvent, QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from db.live.filters import Filter
from db.people.commands import actor_of
from desktop.app.program import Options, Program
from desktop.app.session import Session
from desktop.core.preferences import Preferences
from desktop.shell.window import Window
from desktop.widgets.theme import Theme
from tests.desktop.seeded import preferences

NOW = datetime(2026, 9, 18, 7, 0, tzinfo=UTC)
"""The moment of which the demo city is: a Friday afternoon in Tengzhou."""
DEADLINE_S = 60.0


class OpenRoom:
    """A program with its room open; ``until`` turns the loop until a claim is true."""

    def __init__(
        self,
        application: QApplication,
        url: str,
        folder: Path,
        *,
        login: str = "zhiban",
        wall: bool = False,
        size: tuple[int, int] = (1600, 900),
    ) -> None:
        # Qt's loop is turned piece by piece, never by QApplication.exec(): when that returns, the web engine
        # believes that the program ends, and a second exec() would crash.
        self.loop = qasync.QEventLoop(application)
        asyncio.set_event_loop(self.loop)
        asyncio.events._set_running_loop(self.loop)
        self.preferences: Preferences = preferences(folder)
        self.theme = Theme()
        self.theme.apply(application)
        self.program = Program(Options(url), self.preferences, self.theme)
        self.program.open()
        assert self.program.core is not None
        self.core = self.program.core
        self.told: list[tuple[str, str]] = []
        self.program.troubles.told.connect(lambda kind, words: self.told.append((kind, words)))
        self._size = size
        self._login = login
        self._wall = wall
        self.was_drawn = False

    def open(self) -> Session:
        """Open the window and wait until everything on it was drawn."""
        self._start_threads()
        session = self.program.enter(actor_of(self.core.database, self._login), wall=self._wall)
        session.drawn.connect(self._on_drawn)
        session.window.resize(*self._size)
        self.until(lambda: self.was_drawn)
        return session

    def _start_threads(self) -> None:
        """All that the room will ever have, so that none of them seems to come from the first test."""
        jobs = self.program.jobs
        for pool in (jobs._writer, jobs._readers, jobs._askers):
            together = threading.Barrier(pool._max_workers + 1)
            for _thread in range(pool._max_workers):
                pool.submit(together.wait)
            together.wait()

    def _on_drawn(self) -> None:
        self.was_drawn = True

    @property
    def session(self) -> Session:
        assert self.program.session is not None
        return self.program.session

    @property
    def window(self) -> Window:
        window = self.session.window
        assert isinstance(window, Window)
        return window

    def until(self, claim: Callable[[], bool], seconds: float = DEADLINE_S) -> None:
        """Turn the loop until a claim is true."""
        deadline = QDeadlineTimer(round(seconds * 1000))
        loop, beat = QEventLoop(), QTimer()
        beat.timeout.connect(lambda: loop.quit() if claim() or deadline.hasExpired() else None)
        if claim():
            return
        beat.start(5)
        loop.exec()
        beat.stop()
        assert claim(), f"still not true after {seconds} s"

    def fresh(self) -> None:
        """No filter, no selection."""
        self.session.context.set_filter(Filter())
        self.session.context.select(frozenset())

    def close(self) -> None:
        """Close as the program does, and leave nothing behind."""
        self.program.close()
        self.until(lambda: not self.program.jobs._tasks)
        self.program.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        asyncio.events._set_running_loop(None)
        self.loop.close()
        asyncio.set_event_loop(None)
