"""Opens the room, reassigns ten thousand cases in it, and says when list, figures and map showed it."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable
from functools import partial

from qasync import QEventLoop

from db.demo.growing import chosen
from db.live.board import News
from desktop.app.bench_reassign import MANY, order
from desktop.app.program import Options, Program, make_application
from desktop.app.session import Session
from desktop.app.shot import duty_officer
from desktop.core.preferences import passing

PATIENCE_S = 60


def main(url: str, runs: int) -> None:
    """Measure; the figures of each run go to standard output as JSON."""
    preferences = passing()
    options = Options(url, lang="zh_CN")
    app, theme = make_application(options, preferences, scale=1.0)
    program = Program(options, preferences, theme)
    program.open()
    core = program.core
    assert core is not None
    loop = QEventLoop(app)
    asyncio.set_event_loop(loop)
    ids, units = chosen(core, MANY)

    async def measure() -> dict[str, list[float]]:
        session = program.enter(duty_officer(program, None))
        session.window.resize(1920, 1080)
        drawn = asyncio.Event()
        session.drawn.connect(drawn.set)
        await asyncio.wait_for(drawn.wait(), PATIENCE_S)
        found: dict[str, list[float]] = {"news_ms": [], "drawn_ms": []}
        for turn in range(runs + 1):
            news, shown = await _one(
                session, partial(core.bus.run, order(ids, units[turn]), session.context.who)
            )
            if turn:
                found["news_ms"].append(news)
                found["drawn_ms"].append(shown)
        return found

    with loop:
        found = loop.run_until_complete(measure())
        sys.stdout.write(f"{json.dumps(found)}\n")
        sys.stdout.flush()
        program.close()


async def _one(session: Session, act: Callable[[], object]) -> tuple[float, float]:
    """Milliseconds from the commit until the list and the figures have it, and until the map shows it."""
    heard: asyncio.Queue[float] = asyncio.Queue()
    shown: asyncio.Queue[int] = asyncio.Queue()

    def on_news(news: News) -> None:
        # Lights turn by themselves meanwhile; the act is what changes thousands at once.
        if len(news.applied.changed) > MANY // 2:
            heard.put_nowait(time.monotonic())

    # Connected last, so the panes have taken the news in when it comes here.
    session.context.news.connect(on_news)
    session.panes.map.drawn.connect(shown.put_nowait)
    try:
        committed_at = await asyncio.get_running_loop().run_in_executor(None, _moment_after, act)
        news_at = await asyncio.wait_for(heard.get(), PATIENCE_S)
        # One round of the loop: what was asked to repaint has painted.
        await asyncio.sleep(0)
        listed_at = max(news_at, time.monotonic())
        wanted = session.panes.map.map.generation
        while await asyncio.wait_for(shown.get(), PATIENCE_S) < wanted:
            pass
        return (listed_at - committed_at) * 1000, (time.monotonic() - committed_at) * 1000
    finally:
        session.context.news.disconnect(on_news)
        session.panes.map.drawn.disconnect(shown.put_nowait)


def _moment_after(act: Callable[[], object]) -> float:
    act()
    return time.monotonic()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
