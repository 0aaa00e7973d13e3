"""``jingwei bench NAME``: figures of this very computer against the goals that the project has set itself."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

from db.kernel.language import N_, _
from db.kernel.refusal import Unavailable
from desktop.app.bench_live import live
from desktop.app.bench_map import map_
from desktop.app.bench_network import network
from desktop.app.bench_queue import queue
from desktop.app.bench_reassign import reassign
from desktop.app.bench_search import search
from desktop.app.figures import Line, line

RUNS = 5


def add(verbs: Any) -> None:
    """Declare the verb."""
    parser: argparse.ArgumentParser = verbs.add_parser(
        "bench", help=_("measure the program on this computer")
    )
    parser.add_argument("name", choices=sorted(BENCHES))
    parser.add_argument("--db", metavar="URL", default=None)
    parser.add_argument("--runs", type=int, default=RUNS)
    # One minute tells whether it works at all; ten is what the goal is about.
    parser.add_argument(
        "--minutes",
        type=float,
        default=1.0,
        help=_("map, network: how long it has to endure; the goals are for 10 and 5"),
    )
    parser.add_argument(
        "--open", type=int, default=100_000, help=_("reassign: fill the copy up to so many open cases")
    )
    parser.add_argument(
        "--stations", type=int, default=50, help=_("network: how many; under a minute all is a tenth")
    )
    parser.add_argument("--json", action="store_true")


def run(arguments: argparse.Namespace) -> int:
    """Measure and print; exit code 1 when a goal is missed."""
    lines = list(BENCHES[arguments.name](arguments))
    if arguments.json:
        print(
            json.dumps(
                [*[asdict(fact) for fact in machine()], *[asdict(each) for each in lines]], ensure_ascii=False
            )
        )
    else:
        for fact in machine():
            print(f"{_(fact.what):<42} {fact.value:>10g} {fact.unit}")
        for each in lines:
            verdict = "" if each.ok is None else _("holds") if each.ok else _("MISSED")
            goal = "" if each.goal is None else f"≤ {each.goal:g} {each.unit}"
            print(f"{_(each.what):<42} {each.value:>10.3f} {each.unit:<6} {goal:<14} {verdict}")
    return 0 if all(each.ok is not False for each in lines) else 1


def machine() -> list[Line]:
    """What this computer is; without it a figure says nothing."""
    memory = (
        os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30 if hasattr(os, "sysconf") else 0.0
    )
    python = sys.version_info
    return [
        line(f"{platform.system()} {platform.machine()}", os.cpu_count() or 0, "cores"),
        line(N_("memory"), memory, "GiB"),
        line("Python", python.major + python.minor / 100, f"({platform.python_version()})"),
    ]


def start(arguments: argparse.Namespace) -> Iterator[Line]:
    """Process start to a usable room: map drawn, queue filled, figures shown; memory of all its processes."""
    probe = [sys.executable, "-m", "desktop.app.start_probe", arguments.db]
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    seconds: list[float] = []
    memory: list[float] = []
    parts: dict[str, list[float]] = {}
    # The first run warms the disk's cache and is not counted.
    for count in range(arguments.runs + 1):
        begun = time.monotonic()
        done = subprocess.run(probe, capture_output=True, text=True, env=environment, check=False)
        if done.returncode:
            raise Unavailable(
                "bench_failed", N_("The measured program failed: {reason}"), reason=done.stderr.strip()[-400:]
            )
        told = json.loads(done.stdout.splitlines()[-1])
        if count:
            seconds.append(told["usable_at"] - begun)
            memory.append(told["memory_mib"])
            for name, moment in told["parts"].items():
                parts.setdefault(name, []).append(moment - begun)
    for name, moments in parts.items():
        yield line(name, statistics.median(moments), "s")
    yield line(N_("process start → room usable"), statistics.median(seconds), "s", 2.0)
    yield line(N_("memory of all processes"), statistics.median(memory), "MiB")


BENCHES: dict[str, Callable[[argparse.Namespace], Iterator[Line]]] = {
    "start": start,
    "live": live,
    "map": map_,
    "reassign": reassign,
    "network": network,
    "queue": queue,
    "search": search,
}
"""By name; later screens hang theirs in here."""
