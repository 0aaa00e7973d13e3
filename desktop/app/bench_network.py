"""``jingwei bench network``: many stations of one PostgreSQL, beside what one would do without its cursor.

What it calls a commit on the server is told by ``db/demo/sitting.py: Commit``. All stations, the
window and the server share the cores of this one computer; in an office each has its own, and the server's is
the server's alone. So the processes of a crowd of stations give way to it (``nice``), as is told beside their
number; what they do and how much of it is the same.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from db.demo.naive import least_commit_ms, lost_rows, poll_seconds
from db.demo.postgres import OwnPostgres
from db.demo.serving import ServedCity, fill, journal_of, served_city
from db.demo.sitting import Place, serve
from db.kernel.language import N_
from db.kernel.refusal import Unavailable
from desktop.app.figures import Line, line

NEWS_MS, COMMIT_MS, LOCAL_MS, RETURN_S, COPY_S = 250.0, 50.0, 50.0, 10.0, 60.0
PER_SECOND = 2.0
LEAVE_S = 30.0
OFFLINE, STILL_OPEN, CLOSED, ACTS = 10_000, 100_000, 400_000, 60
"""Acts without a line, cases of the first replica, acts of a run whose way to another station is measured."""
GIVES_WAY = 5
"""By how much each process of a crowd gives way to the server."""
PLACE = (117.15, 35.08)
"""Where about the cases lie that a window is to show on its map."""
QUICK = 10
"""A quick run takes a tenth of everything."""
DURABLE = {
    # What a server has that is to survive a power cut.
    "fsync": "on",
    "synchronous_commit": "on",
    "max_connections": "400",
    "shared_buffers": "256MB",
}


def network(arguments: argparse.Namespace) -> Iterator[Line]:
    """Everything on this computer, over its loopback; the server is the one named, or one of our own.

    ``--stations`` work for ``--minutes``; of ``--runs`` there are sixty acts each whose way to the window of
    another station is measured. Under a minute everything is a tenth.
    """
    quick = QUICK if arguments.minutes < 1 else 1
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="jingwei-bench-")))
        admin, at = arguments.db, None
        if not admin or admin.startswith("sqlite"):
            postgres = OwnPostgres(DURABLE, on_network=True)
            stack.callback(postgres.stop)
            postgres.start()
            admin, at = postgres.url("postgres"), ("127.0.0.1", postgres.port)
        with served_city(admin, people=4, at=at) as city:
            yield from _floor(city, folder)
            yield from _news(city, folder, ACTS * arguments.runs // quick)
            yield from _crowd(city, folder, arguments.stations, arguments.minutes * 60)
            yield from _return(city, folder, OFFLINE // quick)
            missed = lost_rows(city.admin)
            yield line(N_("naive: rows that a cursor by number loses"), missed.by_sequence, "rows")
            yield line(N_("of rows committed by 8 writers"), missed.rows, "rows")
            yield line(N_("lost by the cursor of this program"), missed.by_snapshot, "rows", 0)
        with served_city(admin, people=1, at=at) as city:
            yield from _copy(city, folder, STILL_OPEN // quick, CLOSED // quick, arguments.stations)


class Station:
    """A station in a process of its own."""

    def __init__(self, process: multiprocessing.process.BaseProcess, pipe: Connection) -> None:
        self._process = process
        self._pipe = pipe

    def ask(self, verb: str, *arguments: Any) -> None:
        """Begin something; ``answer`` waits for it."""
        self._pipe.send((verb, arguments))

    def answer(self) -> Any:
        """What came of it; raises what was raised there."""
        found = self._pipe.recv()
        if isinstance(found, Exception):
            raise found
        return found

    def do(self, verb: str, *arguments: Any) -> Any:
        """Do something and wait for it."""
        self.ask(verb, *arguments)
        return self.answer()

    def leave(self) -> None:
        """End it."""
        self._pipe.close()
        self._process.join(LEAVE_S)
        if self._process.is_alive():
            self._process.kill()


@contextmanager
def stations(
    city: ServedCity, folder: Path, names: Sequence[str], gives_way: int = 0
) -> Iterator[list[Station]]:
    """Some stations that have sat down and are not on line yet."""
    methods = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
    if "forkserver" in methods:
        # Imported once, and not by each of fifty processes.
        context.set_forkserver_preload(["db.demo.sitting"])
    found: list[Station] = []
    try:
        for number, name in enumerate(names):
            login = city.logins[number % len(city.logins)]
            here, there = context.Pipe()
            file = folder / f"{city.name}-{name}.db"
            place = Place(city.address, login, city.password, file, gives_way)
            process = context.Process(target=serve, args=(there, place), daemon=True)
            process.start()
            there.close()
            found.append(Station(process, here))
            # One after the other: each copies the server.
            found[-1].answer()
        yield found
    finally:
        for station in found:
            station.leave()


class RoomWindow:
    """A real window of the room at a station of its own, in another process, drawn without a screen."""

    def __init__(self, city: ServedCity, folder: Path) -> None:
        environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "desktop.app.window_probe"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        folder.mkdir()
        place = {"address": city.address, "login": city.logins[-1], "password": city.password}
        self.ask({**place, "folder": str(folder)})

    def ask(self, what: Any) -> Any:
        """The answer to a line; raises ``Unavailable`` when the window is no more."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{json.dumps(what)}\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise Unavailable("bench_failed", N_("The measured program failed: {reason}"), reason="window")
        return json.loads(answer)

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(LEAVE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()


def _news(city: ServedCity, folder: Path, acts: int) -> Iterator[Line]:
    """From a commit on one station to the live cases of another, and to what a window shows there."""
    draw = random.Random(1)
    with (
        stations(city, folder, ("one", "other")) as (one, other),
        closing(RoomWindow(city, folder / "window")) as window,
    ):
        one.do("go_on_line")
        other.do("go_on_line")
        other.do("watch")
        time.sleep(2)
        committed: dict[int, float] = {}
        for _each in range(acts):
            lon, lat = (each + draw.uniform(-0.02, 0.02) for each in PLACE)
            case_id, moment = one.do("act", lon, lat)
            committed[case_id] = moment
            time.sleep(draw.uniform(0.1, 0.4))
        time.sleep(2)
        told = window.ask("told")
        shown = {name: {int(case): at for case, at in told[name].items()} for name in ("listed", "mapped")}
        heard = other.do("seen")
    for words, seen in (
        (N_("commit here → live cases of another station, median"), heard),
        (N_("commit here → list and figures of another window, median"), shown["listed"]),
        (N_("commit here → map of another window, median"), shown["mapped"]),
    ):
        waits = sorted((seen[case] - moment) * 1000 for case, moment in committed.items() if case in seen)
        yield line(words, statistics.median(waits) if waits else math.inf, "ms")
        yield line(N_("the same, 99 of 100"), _part(waits, 0.99), "ms", NEWS_MS)
        yield line(N_("acts that never came"), acts - len(waits), "", 0)


def _forced_write_ms(folder: Path) -> float:
    """How long the disk takes to keep something for certain: no durable commit is quicker."""
    took = []
    with (folder / "forced").open("wb", buffering=0) as stream:
        for _each in range(200):
            stream.seek(0)
            begun = time.perf_counter()
            stream.write(bytes(8192))
            os.fsync(stream.fileno())
            took.append((time.perf_counter() - begun) * 1000)
    return statistics.median(took)


def _floor(city: ServedCity, folder: Path) -> Iterator[Line]:
    """What the disk takes, and the smallest durable transaction of this server."""
    yield line(N_("floor: a forced write of 8 KiB to this disk, median"), _forced_write_ms(folder), "ms")
    least = least_commit_ms(city.admin)
    yield line(N_("floor: a commit of one row on this server, median"), least, "ms")


def _crowd(city: ServedCity, folder: Path, count: int, seconds: float) -> Iterator[Line]:
    """Many stations that all act and all hear of one another."""
    with stations(city, folder, [f"crowd-{number}" for number in range(count)], GIVES_WAY) as crowd:
        for station in crowd:
            station.do("go_on_line")
        for station in crowd:
            station.ask("work", seconds, PER_SECOND)
        busy = _busy_seconds()
        time.sleep(seconds)
        busy = _busy_seconds() - busy
        done = [station.answer() for station in crowd]
        journal = journal_of(city)
        for station in crowd:
            station.ask("settle", journal.seq, journal.digest)
        lag = max(station.answer() for station in crowd)
        stands = [station.do("stand") for station in crowd]
    operations = [each for one in done for each in one.operations]
    commits = [each for one in done for each in one.commits]
    on_server = sorted(each.server_ms for each in commits)
    local = sorted(each for one in done for each in one.local_ms)
    yield line(N_("stations, each a process"), count, "")
    yield line(N_("by how much they give way to the server (nice)"), GIVES_WAY, "")
    yield line(N_("commands given"), len(operations), f"({len(operations) / seconds:.0f}/s)")
    yield line(N_("commands that this computer did not come to"), sum(one.left_out for one in done), "")
    yield line(N_("lost"), len(set(operations) - journal.operations.keys()), "", 0)
    yield line(N_("done twice"), sum(n > 1 for n in journal.operations.values()), "", 0)
    yield line(N_("refused"), sum(each.parked for each in stands), "", 0)
    yield line(
        N_("stations that differ from the server"), sum(s.digest != journal.digest for s in stands), "", 0
    )
    yield line(N_("a command here, 95 of 100"), _part(local, 0.95), "ms")
    yield line(N_("a commit on the server, median"), statistics.median(on_server), "ms")
    yield line(N_("the same, 95 of 100"), _part(on_server, 0.95), "ms", COMMIT_MS)
    whole = sorted(each.whole_ms for each in commits)
    yield line(N_("the same, with the making of its statements at the station"), _part(whole, 0.95), "ms")
    sent = sorted(each for one in done for each in one.sent_ms)
    yield line(N_("from an act until the server has it, median"), statistics.median(sent), "ms")
    yield line(N_("the same, 95 of 100"), _part(sent, 0.95), "ms")
    yield line(N_("until the last station has heard all"), lag, "s")
    spent = sum(one.processor_seconds for one in done)
    yield line(N_("processors busy with the stations"), spent / seconds, _of_cores())
    if busy:
        yield line(N_("processors busy with everything, server included"), busy / seconds, _of_cores())


def _busy_seconds() -> float:
    """What all processors have worked since this computer started, in seconds; 0 where nobody tells."""
    told = Path("/proc/stat")
    if not told.exists():
        return 0.0
    user, nice, system, _idle, _waiting, *rest = map(int, told.read_text().splitlines()[0].split()[1:])
    return (user + nice + system + sum(rest[:2])) / os.sysconf("SC_CLK_TCK")


def _of_cores() -> str:
    return f"of {os.cpu_count() or 1} cores"


def _return(city: ServedCity, folder: Path, count: int) -> Iterator[Line]:
    """One station that was away comes back, and its officer goes on working."""
    with stations(city, folder, ("away",)) as (away,):
        spent = away.do("pile_up", count)
        before = journal_of(city)
        back = away.do("come_back")
        journal = journal_of(city)
        away.do("settle", journal.seq, journal.digest)
        stand = away.do("stand")
    yield line(N_("commands without a line"), count, f"({spent / count * 1000:.1f} ms each)")
    yield line(N_("until the server has them all"), back.seconds, "s", RETURN_S * count / OFFLINE)
    new = {op: n for op, n in journal.operations.items() if op not in before.operations}
    yield line(N_("lost"), max(0, count + len(back.meanwhile_ms) + len(back.afterwards_ms) - len(new)), "", 0)
    yield line(N_("done twice"), sum(n > 1 for n in new.values()), "", 0)
    yield line(N_("station that differs from the server"), float(stand.digest != journal.digest), "", 0)
    if back.meanwhile_ms:
        meanwhile = sorted(back.meanwhile_ms)
        yield line(N_("a command meanwhile, median"), statistics.median(meanwhile), "ms")
        yield line(N_("the same, 95 of 100"), _part(meanwhile, 0.95), "ms", LOCAL_MS)
    yield line(N_("a command afterwards, median"), statistics.median(back.afterwards_ms), "ms")


def _copy(city: ServedCity, folder: Path, still_open: int, closed: int, crowd: int) -> Iterator[Line]:
    """The first replica, and what asking for every open case anew costs on the same server."""
    yield line(N_("cases on the server"), fill(city, still_open, closed), "")
    begun = time.perf_counter()
    with stations(city, folder, ("new",)):
        yield line(N_("first replica"), time.perf_counter() - begun, "s", COPY_S * still_open / STILL_OPEN)
    rows, seconds = poll_seconds(city)
    yield line(N_("naive: reading all open cases once"), seconds, "s")
    yield line(N_("rows for each look, of each station, each second"), rows, "rows")
    yield line(N_("naive: work of one second, for all stations"), seconds * crowd, "s")


def _part(values: Sequence[float], part: float) -> float:
    """The value below which this part of the sorted values lies."""
    return values[min(len(values) - 1, int(len(values) * part))] if values else 0.0
