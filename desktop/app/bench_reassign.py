"""``jingwei bench reassign``: foresee, reassign and take back 10,000 cases while 100,000 are open."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeVar

from db.bootstrap import Core, open_core
from db.cases.commands.dispatch import Reassign
from db.cases.foresight import Foresight, foresee
from db.demo.growing import chosen, copy_of, counts, grow, sqlite_version
from db.kernel.actor import SYSTEM
from db.kernel.language import N_
from db.kernel.refusal import Unavailable
from desktop.app.figures import Line, line

T = TypeVar("T")

MANY = 10_000
PREVIEW_MS, ACT_S, SHOWN_MS = 200.0, 1.0, 250.0


def reassign(arguments: argparse.Namespace) -> Iterator[Line]:
    """Each figure is the median of the runs; the database that was named is copied and never touched."""
    with tempfile.TemporaryDirectory(prefix="jingwei-bench-") as folder:
        url = copy_of(arguments.db, Path(folder) / "bench.db")
        core = open_core(url)
        try:
            grow(core, arguments.open)
            yield from _facts(core)
            yield from _acts(core, arguments.runs)
        finally:
            core.close()
        yield from _shown(url, arguments.runs)


def _facts(core: Core) -> Iterator[Line]:
    total, still_open = counts(core)
    yield line(N_("cases"), total, "")
    yield line(N_("of these open"), still_open, "")
    major, minor, patch = sqlite_version()
    yield line("SQLite", major + minor / 100, f"({major}.{minor}.{patch})")
    yield line(_processor(), os.cpu_count() or 0, "cores")


def _processor() -> str:
    """What the processor calls itself, cut to the width of the table."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text(encoding="utf-8").splitlines() if told.exists() else []
    names = [text.split(":", 1)[1] for text in lines if text.startswith("model name")]
    return " ".join((names[0] if names else platform.processor()).split())[:40] or platform.machine()


def order(ids: tuple[int, ...], unit_id: int) -> Reassign:
    """The command that is measured."""
    return Reassign(ids, unit_id, "片区调整", leave_out=True)


def _acts(core: Core, runs: int) -> Iterator[Line]:
    ids, units = chosen(core, MANY)
    preview: list[float] = []
    act: list[float] = []
    back: list[float] = []
    moved = 0
    # The first round warms the disk's cache and is not counted.
    for turn in range(runs + 1):
        wanted = order(ids, units[turn % len(units)])
        seen, looked = _timed(partial(_look, core, wanted))
        outcome, acted = _timed(partial(core.bus.run, wanted, SYSTEM))
        # As with people there is a moment between one mass act and the next.
        core.database.settle()
        undone = _timed(lambda: core.bus.undo(SYSTEM))[1]
        core.database.settle()
        if seen.moving != outcome.result.case_ids:
            raise Unavailable("bench_failed", N_("The measured program failed: {reason}"), reason="preview")
        moved = len(outcome.result.case_ids)
        if turn:
            preview.append(looked * 1000)
            act.append(acted)
            back.append(undone)
    yield line(N_("cases reassigned"), moved, "")
    yield line(N_("preview"), statistics.median(preview), "ms", PREVIEW_MS)
    yield line(N_("reassign, journal and all, durable"), statistics.median(act), "s", ACT_S)
    yield line(N_("undo"), statistics.median(back), "s", ACT_S)


def _look(core: Core, wanted: Reassign) -> Foresight:
    with core.database.read() as connection:
        return foresee(connection, wanted, SYSTEM, core.clock.now())


def _shown(url: str, runs: int) -> Iterator[Line]:
    """From the commit to list, map and figures of a window that is open, in a process of its own."""
    words = [sys.executable, "-m", "desktop.app.reassign_probe", url, str(runs)]
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(words, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        reason = done.stderr.strip()[-400:]
        raise Unavailable("bench_failed", N_("The measured program failed: {reason}"), reason=reason)
    told = json.loads(done.stdout.splitlines()[-1])
    yield line(
        N_("commit → list and figures of this window"), statistics.median(told["news_ms"]), "ms", SHOWN_MS
    )
    yield line(N_("commit → map of this window, too"), statistics.median(told["drawn_ms"]), "ms", SHOWN_MS)


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    begun = time.perf_counter()
    result = work()
    return result, time.perf_counter() - begun
