"""A station without a window, in a process of its own, that does what a bench tells it and keeps the time."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import psycopg
from sqlalchemy import BigInteger, event, func, select, type_coerce
from sqlalchemy import Connection as SqlConnection
from sqlalchemy.engine import Engine

from db.bootstrap import HANDLERS
from db.cases.commands.intake import Accept, Report
from db.demo.serving import CATEGORY, digest
from db.engine.outbox import PARKED, WAITING
from db.engine.rows import holds_back
from db.engine.tables import outbox, replica
from db.live.delta import Delta
from db.live.feed import Feed
from db.sync.seat import Seat, take_seat

PULSE_SECONDS = 0.05
"""How often an act is tried while ten thousand others are on their way."""
SETTLE_SECONDS = 600.0
"""So long a station may need until it is in step."""
HIDDEN_SECONDS = 15.0
_LOOK_SECONDS = 0.02


@dataclass(frozen=True)
class Place:
    """Where a station sits down."""

    address: str
    login: str
    password: str
    file: Path
    gives_way: int = 0
    """By how much its process gives way to others of this computer (``nice``), where the system lets it."""


class Commit(NamedTuple):
    """How long a transaction of acts took, in milliseconds."""

    whole_ms: float
    """From its beginning at the station, where its statements are made, to the answer of the server."""
    server_ms: float
    """From the first word that was sent to the server to the answer: the checks, the rows, the journal, the
    wait for whoever commits at the same time, and the forced write to the server's disk.
    """


@dataclass
class Done:
    """What a station did in a while; times in milliseconds."""

    operations: list[int] = field(default_factory=list)
    local_ms: list[float] = field(default_factory=list)
    commits: list[Commit] = field(default_factory=list)
    """Transactions of acts on the server."""
    sent_ms: list[float] = field(default_factory=list)
    """From each act to the moment at which this station knew that the server has it."""
    processor_seconds: float = 0.0
    """What this process took of the processors meanwhile, taking over the acts of others included."""
    left_out: int = 0
    """Acts that the bench wanted and this computer did not come to."""


@dataclass(frozen=True)
class Return:
    """How it was to come back with what had piled up."""

    seconds: float
    meanwhile_ms: list[float]
    afterwards_ms: list[float]


@dataclass(frozen=True)
class Stand:
    """How a station stands; ``digest`` is the same where the cases and their steps are."""

    waiting: int
    parked: int
    digest: str


def serve(pipe: Connection, place: Place) -> None:
    """Do what comes through ``pipe`` as ``(verb, arguments)`` until it is closed; errors go back."""
    assert HANDLERS
    if hasattr(os, "nice"):
        os.nice(place.gives_way)
    with closing(Sitter(place)) as sitter, suppress(EOFError, KeyboardInterrupt):
        pipe.send(None)
        while True:
            verb, arguments = pipe.recv()
            answer: Any
            try:
                answer = getattr(sitter, verb)(*arguments)
            except Exception as error:
                answer = error
            pipe.send(answer)


class Sitter:
    """Somebody at a station."""

    def __init__(self, place: Place) -> None:
        self._random = random.Random(f"{place.login} {place.file}")
        begun = time.perf_counter()
        self.seat: Seat = take_seat(
            place.address, place.file.parent, place.login, place.password, file=place.file
        )
        self.copied_seconds = time.perf_counter() - begun
        self._feed: Feed | None = None
        self._seen: dict[int, float] = {}
        self._reported: list[int] = []
        self._is_up = False

    def close(self) -> None:
        """Leave the seat."""
        if self._feed is not None:
            self._feed.stop()
        self.seat.leave()

    def go_on_line(self) -> None:
        """Begin to keep up with the server."""
        if not self._is_up:
            self._is_up = True
            self.seat.station.start()

    def watch(self) -> None:
        """Look at the live cases as a window does, and keep the moment at which each came."""
        self._feed = Feed(self.seat.local)
        self._feed.snapshot()
        self._feed.start(self._on_delta)

    def seen(self) -> dict[int, float]:
        """When each case came to the feed, in seconds by the computer's clock."""
        return dict(self._seen)

    def _on_delta(self, delta: Delta) -> None:
        now = time.time()
        for case_id in delta.ids.tolist():
            self._seen.setdefault(case_id, now)

    def act(self, lon: float | None = None, lat: float | None = None) -> tuple[int, float]:
        """Report a case, at a place or somewhere; its id, and the moment of the commit here."""
        words = f"井盖破损 {self._random.random()}"
        outcome = self.seat.bus.run(Report("hotline", CATEGORY, words, "学府路", lon, lat), self.seat.actor)
        self._reported.append(int(outcome.result))
        return int(outcome.result), time.time()

    def work(self, seconds: float, per_second: float) -> Done:
        """Give so many commands a second, at random moments."""
        done = Done()
        wanted = sorted(self._random.uniform(0, seconds) for _each in range(round(seconds * per_second)))
        begun, spent = time.monotonic(), time.process_time()
        with timed_commits(done.commits):
            for moment in wanted:
                time.sleep(max(0.0, begun + moment - time.monotonic()))
                if time.monotonic() - begun > seconds:
                    done.left_out += 1
                else:
                    done.local_ms.append(self._one())
            done.processor_seconds = time.process_time() - spent
            self._wait_until_sent(self._last())
        with self.seat.local.read() as connection:
            moments = (type_coerce(outbox.c[name], BigInteger) for name in ("at", "decided_at"))
            for operation, at, decided_at in connection.execute(select(outbox.c.id, *moments)):
                done.operations.append(operation)
                if decided_at is not None:
                    done.sent_ms.append(decided_at - at)
        return done

    def pile_up(self, count: int) -> float:
        """Work without a line; the seconds that it took."""
        begun = time.perf_counter()
        for _each in range(count):
            self._one()
        return time.perf_counter() - begun

    def come_back(self) -> Return:
        """Come on line with what has piled up, and go on working all the while."""
        meanwhile: list[float] = []
        last = self._last()
        begun = time.perf_counter()
        self.go_on_line()
        while self._waits(last) and time.perf_counter() - begun < SETTLE_SECONDS:
            meanwhile.append(self._one())
            time.sleep(PULSE_SECONDS)
        seconds = time.perf_counter() - begun
        self._wait_until_sent(self._last())
        afterwards = [self._one() for _each in range(50)]
        self._wait_until_sent(self._last())
        return Return(seconds, meanwhile, afterwards)

    def _one(self) -> float:
        """A command as an acceptor gives it; how long it took here, in milliseconds."""
        accepts = bool(self._reported) and self._random.random() < 0.5
        begun = time.perf_counter()
        if accepts:
            self.seat.bus.run(Accept((self._reported.pop(),)), self.seat.actor)
        else:
            self.act()
        return (time.perf_counter() - begun) * 1000

    def _last(self) -> int:
        with self.seat.local.read() as connection:
            return int(connection.execute(select(func.coalesce(func.max(outbox.c.id), 0))).scalar_one())

    def _waits(self, last: int) -> bool:
        query = select(outbox.c.id).where(outbox.c.state == WAITING, outbox.c.id <= last).limit(1)
        with self.seat.local.read() as connection:
            return connection.execute(query).first() is not None

    def _wait_until_sent(self, last: int) -> None:
        deadline = time.monotonic() + SETTLE_SECONDS
        while self._waits(last) and time.monotonic() < deadline:
            time.sleep(_LOOK_SECONDS)

    def settle(self, seq: int, wanted: str) -> float:
        """Wait until everything up to an entry of the server is known here, and the cases are what their
        digest says; the seconds that it took.
        """
        begun = time.monotonic()
        while time.monotonic() - begun < SETTLE_SECONDS:
            with self.seat.local.read() as connection:
                if connection.execute(select(replica.c.seq)).scalar_one() >= seq:
                    break
            time.sleep(_LOOK_SECONDS)
        heard = time.monotonic()
        # A transaction that was open at the last look hides what was committed beside it, until the next one.
        while time.monotonic() - heard < HIDDEN_SECONDS and self.stand().digest != wanted:
            time.sleep(0.5)
        return time.monotonic() - begun

    def stand(self) -> Stand:
        """How it stands now."""
        with self.seat.local.read() as connection:
            counted = select(outbox.c.state, func.count()).group_by(outbox.c.state)
            counts = {str(state): int(count) for state, count in connection.execute(counted)}
            return Stand(counts.get(WAITING, 0), counts.get(PARKED, 0), digest(connection))


@contextmanager
def timed_commits(found: list[Commit]) -> Iterator[None]:
    """Note how long each transaction of acts on a server took meanwhile.

    One transaction may hold several acts. What a station tells of itself every ten seconds is no act and is
    left out. Where each statement is sent by itself, or the acts are done anew on the server, the first word
    is said at the beginning, and both times are the same.
    """
    said = threading.local()
    leave = psycopg.Pipeline.__exit__

    def exchange(pipeline: psycopg.Pipeline, *error: Any) -> None:
        # Until now all was held back (db/engine/rows.py: at_once).
        said.first = getattr(said, "first", 0.0) or time.perf_counter()
        leave(pipeline, *error)

    def on_begin(connection: SqlConnection) -> None:
        connection.info["begun"] = time.perf_counter()
        said.first = 0.0

    def on_commit(connection: SqlConnection) -> None:
        begun = connection.info.pop("begun", None)
        if connection.info.pop("tells", False) or begun is None or connection.dialect.name != "postgresql":
            return
        # Told just before it is done: so done here, and once more for nothing afterwards.
        connection.dialect.do_commit(connection.connection)
        driver = connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        first = (said.first or begun) if holds_back(driver) else begun
        answered = time.perf_counter()
        found.append(Commit((answered - begun) * 1000, (answered - first) * 1000))

    def on_statement(connection: SqlConnection, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("UPDATE station"):
            connection.info["tells"] = True

    event.listen(Engine, "before_cursor_execute", on_statement)
    event.listen(Engine, "begin", on_begin)
    event.listen(Engine, "commit", on_commit)
    try:
        with patch.object(psycopg.Pipeline, "__exit__", exchange):
            yield
    finally:
        event.remove(Engine, "before_cursor_execute", on_statement)
        event.remove(Engine, "begin", on_begin)
        event.remove(Engine, "commit", on_commit)
