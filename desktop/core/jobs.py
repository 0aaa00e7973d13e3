"""Work off the GUI thread: the only file that wraps executors for ``await`` and keeps tasks alive."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from db.kernel.command import Reach, reach_of
from desktop.core.trouble import Report

P = ParamSpec("P")
R = TypeVar("R")


class Jobs:
    """One writer, a few readers, those who ask a server, and a record of what is under way."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="writer")
        self._readers = ThreadPoolExecutor(3, thread_name_prefix="reader")
        self._askers = ThreadPoolExecutor(2, thread_name_prefix="asker")
        self._tasks: set[asyncio.Task[Any]] = set()

    async def write(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run something that changes the database; such work goes one after the other.

        A command that only a server decides keeps nobody else waiting for it.
        """
        if any(reach_of(each) is Reach.SERVER for each in args):
            return await self.ask(function, *args, **kwargs)
        return await self._run(self._writer, lambda: function(*args, **kwargs))

    async def read(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run something that only reads or computes."""
        return await self._run(self._readers, lambda: function(*args, **kwargs))

    async def ask(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run something that may wait for a server, however long."""
        return await self._run(self._askers, lambda: function(*args, **kwargs))

    async def _run(self, pool: ThreadPoolExecutor, function: Callable[[], R]) -> R:
        return await asyncio.get_running_loop().run_in_executor(pool, function)

    def start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Begin a coroutine from a slot; what it raises is shown to the person, not lost."""
        # The loop holds tasks weakly and would drop both the task and its error.
        task = asyncio.get_event_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finish)
        return task

    def _finish(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._report(error)

    def close(self) -> None:
        """Cancel what waits, let the writer finish what it has begun."""
        for task in tuple(self._tasks):
            task.cancel()
        self._readers.shutdown(wait=True, cancel_futures=True)
        self._askers.shutdown(wait=True, cancel_futures=True)
        self._writer.shutdown(wait=True, cancel_futures=False)
