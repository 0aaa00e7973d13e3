"""``jingwei bench live``: the list, the figures and news of another process on a real database."""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from db.bootstrap import city_facts, open_core
from db.cases.commands.intake import Report
from db.kernel.actor import SYSTEM
from db.kernel.clock import to_ms
from db.kernel.language import N_
from db.live.board import Board
from db.live.delta import Delta
from db.live.feed import Feed
from db.live.filters import EVERYTHING, Filter
from db.registers.queries import categories
from desktop.app.figures import Line, line

T = TypeVar("T")

FRAME_MS = 16.0
NEWS_MS = 250.0
_WAIT_S = 10.0


def live(arguments: argparse.Namespace) -> Iterator[Line]:
    """Read, filter, sort, count; goals are one frame for what a hand waits for."""
    core = open_core(arguments.db)
    try:
        feed = Feed(core.database, core.clock)
        delta, reading = _timed(feed.snapshot)
        yield line(N_("cases on the board"), len(delta.ids), "")
        yield line(N_("snapshot read"), reading, "ms")
        board = Board(ZoneInfo(city_facts(core).zone), to_ms(core.clock.now()))
        yield line(N_("snapshot taken in"), _timed(lambda: board.apply(delta))[1], "ms")
        yield from _hand(board, arguments.runs)
    finally:
        core.close()
    yield line(N_("commit in another process → news here"), _news_ms(arguments.runs), "ms", NEWS_MS)


def _hand(board: Board, runs: int) -> Iterator[Line]:
    districts = frozenset(int(key) for key in board.figures().by_district.ids[:1])
    filters = {
        N_("filter: one district"): Filter(districts=districts),
        N_("filter: overdue"): Filter(lights=frozenset({2})),
        N_("filter: a word"): Filter(text="路 1"),
        N_("filter: everything"): EVERYTHING,
    }
    for what, chosen in filters.items():
        took = [
            _both(lambda c=chosen: board.set_filter(c), lambda: board.set_filter(Filter()))
            for _ in range(runs)
        ]
        yield line(what, statistics.median(took), "ms", FRAME_MS)
    for key in ("slack", "unit", "address"):
        took = [
            _both(lambda k=key: board.set_order(k), lambda k=key: board.set_order(k, True))
            for _ in range(runs)
        ]
        yield line(f"{N_('sort')}: {key}", statistics.median(took), "ms", FRAME_MS)

    def count() -> None:
        board.set_filter(Filter(lights=frozenset({0, 1})) if board.lens.filter.is_empty else Filter())
        board.figures()

    yield line(
        N_("filter and all figures"), statistics.median(_timed(count)[1] for _ in range(runs)), "ms", FRAME_MS
    )


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    begun = time.perf_counter()
    result = work()
    return result, (time.perf_counter() - begun) * 1000


def _both(there: Callable[[], object], back: Callable[[], object]) -> float:
    """The longer of two ways, in milliseconds."""
    return max(_timed(there)[1], _timed(back)[1])


def _news_ms(runs: int) -> float:
    """From the moment before a commit in another process to the delta in this one; the median."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'news.db'}"
        core = open_core(url, create=True)
        heard: list[float] = []
        one = threading.Event()

        def told(delta: Delta) -> None:
            if len(delta.ids) and not delta.full:
                heard.append(time.monotonic())
                one.set()

        feed = Feed(core.database, core.clock)
        feed.snapshot()
        feed.start(told)
        words = [sys.executable, "-m", "desktop.app.bench_live", url]
        writer = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert writer.stdin is not None
        assert writer.stdout is not None
        took = []
        try:
            for _ in range(runs):
                one.clear()
                writer.stdin.write("\n")
                writer.stdin.flush()
                begun = float(writer.stdout.readline())
                if not one.wait(_WAIT_S):
                    raise TimeoutError("no news of the other process")
                took.append((heard[-1] - begun) * 1000)
        finally:
            writer.stdin.close()
            writer.wait(_WAIT_S)
            feed.stop()
            core.close()
    return statistics.median(took)


def _write_on_demand(url: str) -> None:
    """The other process: one report for each line it reads, telling the moment before."""
    core = open_core(url)
    with core.database.read() as connection:
        category_id = categories(connection)[0].id
    for _line in sys.stdin:
        begun = time.monotonic()
        core.bus.run(Report("collector", category_id), SYSTEM)
        sys.stdout.write(f"{begun}\n")
        sys.stdout.flush()
    core.close()


if __name__ == "__main__":
    _write_on_demand(sys.argv[1])
