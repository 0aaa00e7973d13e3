"""How one would do it without the cursor of this program, and the floor: to be measured beside it alone."""

from __future__ import annotations

import random
import statistics
import threading
import time
from dataclasses import dataclass
from typing import Any

import psycopg
from sqlalchemy import select

from db.cases.tables import case
from db.demo.serving import ServedCity
from db.engine.connections import open_database


def least_commit_ms(conninfo: str, times: int = 200) -> float:
    """The smallest durable transaction of a server, one row and nobody else, in milliseconds: the median."""
    took = []
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("CREATE TABLE least (number integer)")
        for number in range(times):
            begun = time.perf_counter()
            connection.execute("INSERT INTO least VALUES (%s)", (number,))
            took.append((time.perf_counter() - begun) * 1000)
        connection.execute("DROP TABLE least")
    return statistics.median(took)


@dataclass(frozen=True)
class Lost:
    """What two readers of the same table missed, of so many rows that were committed."""

    rows: int
    by_sequence: int
    by_snapshot: int


def poll_seconds(city: ServedCity) -> tuple[int, float]:
    """Read every open case anew, as a program does each second that is told of nothing: rows and seconds."""
    database = open_database(city.url(city.logins[0]))
    try:
        begun = time.perf_counter()
        with database.read() as connection:
            rows = connection.execute(select(case).where(case.c.closed_at.is_(None))).all()
        return len(rows), time.perf_counter() - begun
    finally:
        database.close()


def lost_rows(conninfo: str, writers: int = 8, seconds: float = 5.0) -> Lost:
    """Let ``writers`` commit in another order than they were numbered, and two readers follow them.

    One remembers the greatest number that it saw, the other reads below the oldest open transaction, as
    ``db/sync/news.py`` does. ``conninfo`` is that of somebody who may make a table.
    """
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE told (seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
            " xid xid8 NOT NULL DEFAULT pg_current_xact_id())"
        )
        try:
            return _lost(conninfo, connection, writers, seconds)
        finally:
            connection.execute("DROP TABLE told")


def _lost(conninfo: str, reader: psycopg.Connection[Any], writers: int, seconds: float) -> Lost:
    over = threading.Event()
    threads = [threading.Thread(target=_write, args=(conninfo, over, n)) for n in range(writers)]
    for thread in threads:
        thread.start()
    by_sequence: set[int] = set()
    by_snapshot: set[int] = set()
    last, cursor = 0, "0"
    begun = time.monotonic()
    is_last = False
    while not is_last:
        # What was committed by then is seen by one more look.
        is_last = not any(thread.is_alive() for thread in threads)
        if time.monotonic() - begun > seconds:
            over.set()
        for (seq,) in reader.execute("SELECT seq FROM told WHERE seq > %s ORDER BY seq", [last]):
            by_sequence.add(seq)
            last = max(last, seq)
        with reader.transaction():
            reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            horizon = reader.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text").fetchone()
            until = horizon[0] if horizon else cursor
            told = reader.execute(
                "SELECT seq FROM told WHERE xid >= %s::xid8 AND xid < %s::xid8", [cursor, until]
            )
            by_snapshot.update(seq for (seq,) in told)
            cursor = until
        time.sleep(0.01)
    found = reader.execute("SELECT seq FROM told").fetchall()
    rows = {seq for (seq,) in found}
    return Lost(len(rows), len(rows - by_sequence), len(rows - by_snapshot))


def _write(conninfo: str, over: threading.Event, seed: int) -> None:
    draw = random.Random(seed)
    with psycopg.connect(conninfo, autocommit=True) as connection:
        while not over.is_set():
            with connection.transaction():
                connection.execute("INSERT INTO told DEFAULT VALUES")
                # Somebody whose transaction does a little more after it has its number.
                time.sleep(draw.uniform(0, 0.02))
