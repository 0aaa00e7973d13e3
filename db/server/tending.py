"""Looks after a server where nobody sits: its news, its partitions, and the note that somebody did.

What time does to the cases is ``db.upkeep``; both are called by ``jingwei server tend``, by one process at a
time however many are started.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, text

from db.engine import settings
from db.engine.connections import Database

LOCK = 19040
"""The advisory lock of whoever tends."""
NEWS_DAYS = "sync.news_days"
"""The setting with the days for which the server tells what has happened; who was away longer copies anew."""
DEFAULT_NEWS_DAYS = 90


@dataclass(frozen=True)
class Turn:
    """The last time that somebody tended; ``at_ms`` by the server's clock, ``None`` for never."""

    at_ms: int | None
    ago_ms: int
    host: str
    program: str
    trouble: str
    """What went wrong, "" for nothing."""


@contextmanager
def alone(database: Database) -> Iterator[bool]:
    """Whether nobody else tends meanwhile. A process that dies lets go of it."""
    with database.troubles(), database.engine.connect() as plain:
        connection = plain.execution_options(isolation_level="AUTOCOMMIT")
        mine = bool(connection.execute(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": LOCK}).scalar())
        try:
            yield mine
        finally:
            if mine:
                connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": LOCK})


def keep_house(database: Database) -> int:
    """Make the partitions to come, remove empty ones, forget old news; how many news those were."""
    with database.read() as connection:
        days = int(settings.get(connection, NEWS_DAYS, DEFAULT_NEWS_DAYS))
    with database.troubles(), database.engine.begin() as connection:
        connection.execute(text("SELECT jw_keep_house()"))
    with database.troubles(), database.engine.begin() as connection:
        connection.execute(text("SELECT jw_drop_months()"))
    with database.troubles(), database.engine.begin() as connection:
        return int(connection.execute(text("SELECT jw_prune_news(:days)"), {"days": days}).scalar_one())


def note_turn(database: Database, host: str, program: str, trouble: str = "") -> None:
    """Write down that the server was tended, and what went wrong."""
    with database.troubles(), database.engine.begin() as connection:
        connection.execute(
            text("UPDATE tending SET at = jw_now_ms(), host = :host, program = :program, trouble = :trouble"),
            {"host": host, "program": program, "trouble": trouble},
        )


def last_turn(connection: Connection) -> Turn:
    """When the server was tended last, and by whom."""
    row = connection.execute(
        text("SELECT at, coalesce(jw_now_ms() - at, 0) AS ago, host, program, trouble FROM tending")
    ).one()
    return Turn(row.at, int(row.ago), row.host, row.program, row.trouble)


def note_backup(database: Database) -> None:
    """Write down that the server was copied just now; one without a guard of today takes no notes."""
    with database.troubles(), database.engine.begin() as connection:
        if connection.execute(text("SELECT to_regclass('public.tending')")).scalar() is not None:
            connection.execute(text("UPDATE tending SET backup_at = jw_now_ms()"))
