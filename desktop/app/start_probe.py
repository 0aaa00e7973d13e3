"""Opens the room once, says on standard output when it was usable and how much memory it takes, and ends."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time

from qasync import QEventLoop

from desktop.app.memory import memory_mib
from desktop.app.program import Options, Program, make_application
from desktop.app.shot import duty_officer
from desktop.core.preferences import passing


def main(url: str) -> None:
    """Measure; moments are of the monotonic clock, which parent and child share."""
    parts = {"python and Qt loaded": time.monotonic()}
    preferences = passing()
    options = Options(url, lang="zh_CN")
    app, theme = make_application(options, preferences, scale=1.0)
    program = Program(options, preferences, theme)
    program.open()
    parts["database open"] = time.monotonic()
    loop = QEventLoop(app)
    asyncio.set_event_loop(loop)

    async def measure() -> float:
        session = program.enter(duty_officer(program, None))
        session.window.resize(1920, 1080)
        parts["window made"] = time.monotonic()
        drawn = asyncio.Event()
        session.drawn.connect(drawn.set)
        session.bridge.first_came.connect(lambda: parts.setdefault("cases in the queue", time.monotonic()))
        await asyncio.wait_for(drawn.wait(), 60)
        # One round of the loop: what was asked to repaint has painted.
        await asyncio.sleep(0)
        return time.monotonic()

    with loop:
        usable_at = loop.run_until_complete(measure())
        print(json.dumps({"usable_at": usable_at, "parts": parts, "memory_mib": memory_mib(os.getpid())}))
        sys.stdout.flush()
        program.close()


if __name__ == "__main__":
    main(sys.argv[1])
