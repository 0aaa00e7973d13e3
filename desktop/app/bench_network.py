"""``jingwei bench network``: many stations of one PostgreSQL, beside what one would do without its cursor."""

from __future__ import annotations

import argparse
import multiprocessing
import random
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from db.demo.naive import lost_rows, poll_seconds
from db.demo.postgres import OwnPostgres
from db.demo.serving import ServedCity, fill, journal_of, served_city
from db.demo.sitting import Place, serve
from db.kernel.language import N_
from desktop.app.figures import Line, line

NEWS_MS, COMMIT_MS, LOCAL_MS, RETURN_S, COPY_S = 250.0, 50.0, 50.0, 10.0, 60.0
PER_SECOND = 2.0
OFFLINE, STILL_OPEN, CLOSED, ACTS = 10_000, 100_000, 400_000, 300
"""Acts without a line, cases of the first replica, acts whose way to another station is measured."""
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
    """Everything on this computer, over its loopback; the server is the one named, or one of our own."""
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
            yield from _news(city, folder, ACTS // quick)
            yield from _crowd(city, folder, arguments.stations, arguments.minutes * 60)
            yield from _return(city, folder, OFFLINE // quick)
            missed = lost_rows(city.admin)
            yield line(N_("naive: rows that a cursor by number loses"), missed.by_sequence, "rows")
            yield line(N_("of rows committed by 8 writers"), missed.rows, "rows")
            yield line(N_("lost by the cursor of this program"), missed.by_snapshot, "rows", 0)
        with served_city(admin, people=1, at=at) as city:
            yield from _copy(city, folder, STILL_OPEN // quick, CLOSED // quick)


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
        self._process.join(30)
        if self._process.is_alive():
            self._process.kill()


@contextmanager
def stations(city: ServedCity, folder: Path, names: Sequence[str]) -> Iterator[list[Station]]:
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
            place = Place(city.address, login, city.password, folder / f"{city.name}-{name}.db")
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


def _news(city: ServedCity, folder: Path, acts: int) -> Iterator[Line]:
    """From a commit on one station to the live cases of another, as its list, map and figures hear it."""
    draw = random.Random(1)
    with stations(city, folder, ("one", "other")) as (one, other):
        one.do("go_on_line")
        other.do("go_on_line")
        other.do("watch")
        time.sleep(2)
        committed: dict[int, float] = {}
        for _each in range(acts):
            case_id, moment = one.do("act")
            committed[case_id] = moment
            time.sleep(draw.uniform(0.1, 0.4))
        time.sleep(2)
        seen = other.do("seen")
    waits = sorted(
        (seen[case_id] - moment) * 1000 for case_id, moment in committed.items() if case_id in seen
    )
    yield line(N_("commit here → live cases of another station, median"), statistics.median(waits), "ms")
    yield line(N_("the same, 99 of 100"), _part(waits, 0.99), "ms", NEWS_MS)
    yield line(N_("acts that never came"), acts - len(waits), "", 0)


def _crowd(city: ServedCity, folder: Path, count: int, seconds: float) -> Iterator[Line]:
    """Many stations that all act and all hear of one another."""
    with stations(city, folder, [f"crowd-{number}" for number in range(count)]) as crowd:
        for station in crowd:
            station.do("go_on_line")
        for station in crowd:
            station.ask("work", seconds, PER_SECOND)
        done = [station.answer() for station in crowd]
        journal = journal_of(city)
        for station in crowd:
            station.ask("settle", journal.seq)
        lag = max(station.answer() for station in crowd)
        stands = [station.do("stand") for station in crowd]
    operations = [each for one in done for each in one.operations]
    commits = sorted(each for one in done for each in one.commit_ms)
    local = sorted(each for one in done for each in one.local_ms)
    yield line(N_("stations, each a process"), count, "")
    yield line(N_("commands given"), len(operations), f"({len(operations) / seconds:.0f}/s)")
    yield line(N_("commands that this computer did not come to"), sum(one.left_out for one in done), "")
    yield line(N_("lost"), len(set(operations) - journal.operations.keys()), "", 0)
    yield line(N_("done twice"), sum(n > 1 for n in journal.operations.values()), "", 0)
    yield line(N_("refused"), sum(each.parked for each in stands), "", 0)
    yield line(
        N_("stations that differ from the server"), sum(s.digest != journal.digest for s in stands), "", 0
    )
    yield line(N_("a command here, 95 of 100"), _part(local, 0.95), "ms")
    yield line(N_("a commit on the server, median"), statistics.median(commits), "ms")
    yield line(N_("the same, 95 of 100"), _part(commits, 0.95), "ms", COMMIT_MS)
    yield line(N_("until the last station has heard all"), lag, "s")


def _return(city: ServedCity, folder: Path, count: int) -> Iterator[Line]:
    """One station that was away comes back, and its officer goes on working."""
    with stations(city, folder, ("away",)) as (away,):
        spent = away.do("pile_up", count)
        before = journal_of(city)
        back = away.do("come_back")
        journal = journal_of(city)
        away.do("settle", journal.seq)
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


def _copy(city: ServedCity, folder: Path, still_open: int, closed: int) -> Iterator[Line]:
    """The first replica, and what asking for every open case anew costs on the same server."""
    yield line(N_("cases on the server"), fill(city, still_open, closed), "")
    begun = time.perf_counter()
    with stations(city, folder, ("new",)):
        yield line(N_("first replica"), time.perf_counter() - begun, "s", COPY_S * still_open / STILL_OPEN)
    rows, seconds = poll_seconds(city)
    yield line(N_("naive: reading all open cases once"), seconds, "s")
    yield line(N_("rows for each look, of each station, each second"), rows, "rows")


def _part(values: Sequence[float], part: float) -> float:
    """The value below which this part of the sorted values lies."""
    return values[min(len(values) - 1, int(len(values) * part))] if values else 0.0
