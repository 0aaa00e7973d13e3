"""Work runs off the GUI thread; what it raises is shown, and writes never overlap."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from db.kernel.refusal import Refused
from desktop.core.jobs import Jobs


class Desk:
    def __init__(self) -> None:
        self.reported: list[BaseException] = []
        self.jobs = Jobs(self.reported.append)


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    yield desk
    desk.jobs.close()


def test_what_a_job_raises_reaches_the_report_and_is_not_raised_again(desk: Desk) -> None:
    async def work() -> None:
        refusal = Refused("no", "No.")

        def refuse() -> None:
            raise refusal

        task = desk.jobs.start(desk.jobs.write(refuse))
        await asyncio.wait([task])
        await asyncio.sleep(0)
        assert desk.reported == [refusal]

    asyncio.run(work())


def test_writes_go_one_after_the_other_in_the_order_in_which_they_were_asked_for(desk: Desk) -> None:
    under_way = threading.Lock()
    order: list[int] = []

    def write(place: int) -> None:
        assert under_way.acquire(blocking=False), "two writes at once"
        order.append(place)
        under_way.release()

    async def work() -> None:
        await asyncio.gather(*(desk.jobs.write(write, place) for place in range(20)))

    asyncio.run(work())
    assert order == list(range(20))


def test_a_reader_does_not_wait_for_the_writer(desk: Desk) -> None:
    may_end = threading.Event()

    async def work() -> str:
        writing = asyncio.ensure_future(desk.jobs.write(may_end.wait, 120))  # noqa: TID251
        answer = await desk.jobs.read(lambda: threading.current_thread().name)
        may_end.set()
        await writing
        return answer

    assert asyncio.run(work()).startswith("reader")


def test_closing_drops_what_waits_and_finishes_the_write_that_has_begun(desk: Desk) -> None:
    begun, may_end, done = threading.Event(), threading.Event(), threading.Event()

    def write() -> None:
        begun.set()
        may_end.wait(120)
        done.set()

    async def work() -> None:
        desk.jobs.start(desk.jobs.write(write))
        waiting = desk.jobs.start(asyncio.sleep(60))
        await asyncio.get_running_loop().run_in_executor(None, begun.wait, 120)
        threading.Timer(0.05, may_end.set).start()
        desk.jobs.close()
        await asyncio.wait([waiting])
        assert waiting.cancelled()

    asyncio.run(work())
    assert done.is_set()
    assert desk.reported == []
