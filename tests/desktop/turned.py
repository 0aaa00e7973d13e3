"""The program's event loop for tests: turned piece by piece, never by ``QApplication.exec()``.

Again and again in one process, ``exec()`` and ``exit()`` pull the web engine of other tests from under it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Coroutine
from typing import Any, TypeVar

import qasync
from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

T = TypeVar("T")


class TurnedLoop:
    """An asyncio loop over Qt's, the running one from its making until ``close``."""

    def __init__(self, application: QApplication) -> None:
        self.loop = qasync.QEventLoop(application)
        asyncio.set_event_loop(self.loop)
        asyncio.events._set_running_loop(self.loop)

    def run_until_complete(self, work: Coroutine[Any, Any, T]) -> T:
        """Turn Qt's events until ``work`` is done; what it raises is raised here."""
        task = self.loop.create_task(work)
        turn, beat = QEventLoop(), QTimer()
        beat.timeout.connect(lambda: turn.quit() if task.done() else None)
        beat.start(2)
        turn.exec()
        beat.stop()
        return task.result()

    def close(self) -> None:
        """End what is still under way, then the loop: a task that is dropped while it waits complains."""
        left = asyncio.all_tasks(self.loop)
        for task in left:
            task.cancel()
        if left:
            self.run_until_complete(_ended(left))
        asyncio.events._set_running_loop(None)
        self.loop.close()
        asyncio.set_event_loop(None)


async def _ended(tasks: Collection[asyncio.Task[Any]]) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)
