"""The bell is heard at once, tells who rang it, and is taken off while nobody needs it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from time import monotonic

import psycopg
from sqlalchemy.engine import make_url

from db.sync.bell import CHANNEL, Bell
from tests.db.sync.conftest import Pair

DEADLINE = 60.0
LONG = 1000.0
"""Seconds."""


class Rest(threading.Event):
    """Whoever rests for a ``LONG`` time does so until the test says that it is over."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.over = threading.Event(), threading.Event()

    def wait(self, timeout: float | None = None) -> bool:
        if timeout != LONG:
            return super().wait(timeout)
        self.begun.set()
        return self.over.wait(DEADLINE)


class Ringing:
    """A bell, and what it told."""

    def __init__(self, pair: Pair) -> None:
        self.told: SimpleQueue[int] = SimpleQueue()
        self.rest = 0.0
        where = make_url(pair.server.url("wang"))
        self.bell = Bell(lambda: where, self._on_ring)

    def _on_ring(self, backend: int) -> float:
        self.told.put(backend)
        rest, self.rest = self.rest, 0.0
        return rest


@contextmanager
def ringing(pair: Pair) -> Iterator[Ringing]:
    heard = Ringing(pair)
    heard.bell.start()
    try:
        assert heard.told.get(timeout=DEADLINE) == 0
        yield heard
    finally:
        heard.bell.stop(DEADLINE)


def test_it_tells_which_process_of_the_server_rang(pair: Pair) -> None:
    with ringing(pair) as heard, psycopg.connect(_plain(pair), autocommit=True) as other:
        other.execute(f"NOTIFY {CHANNEL}")
        assert heard.told.get(timeout=DEADLINE) == other.info.backend_pid


def test_while_it_rests_the_server_does_not_ring_it_and_afterwards_it_is_asked_anew(pair: Pair) -> None:
    with (
        ringing(pair) as heard,
        psycopg.connect(_plain(pair), autocommit=True) as other,
        pair.server.postgres.connect() as watching,
    ):
        heard.bell._stopping = rest = Rest()
        heard.rest = LONG
        other.execute(f"NOTIFY {CHANNEL}")
        heard.told.get(timeout=DEADLINE)
        assert rest.begun.wait(DEADLINE)
        _await_statement(watching, pair.server.name, "UNLISTEN *")
        for _each in range(20):
            other.execute(f"NOTIFY {CHANNEL}")
        assert heard.told.empty()
        rest.over.set()
        # The next that it tells is not one of these, but that it listens again.
        assert heard.told.get(timeout=DEADLINE) == 0
        assert heard.told.empty()


def _plain(pair: Pair) -> str:
    return pair.server.url("wang").replace("+psycopg", "")


def _await_statement(watching: psycopg.Connection[object], name: str, statement: str) -> None:
    deadline = monotonic() + DEADLINE
    asked = "SELECT FROM pg_stat_activity WHERE datname = %s AND query = %s"
    while watching.execute(asked, [name, statement]).fetchone() is None:
        assert monotonic() < deadline, f"nobody has said {statement}"
