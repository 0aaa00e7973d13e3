"""A PostgreSQL server for one test run; gone for certain after it."""

from __future__ import annotations

import itertools
import os
import sys
from pathlib import Path

from psycopg import sql

from db.demo.postgres import OwnPostgres

# Speed before safety: these data live for one test run, and nobody listens on the network.
SETTINGS = {
    "autovacuum": "off",
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "60",
    "max_wal_senders": "0",
    "shared_buffers": "32MB",
    "synchronous_commit": "off",
    "wal_level": "minimal",
}


ROOMY = 2 << 30
"""Bytes, many times what the databases of one test run take."""


def in_memory() -> Path | None:
    """A folder that lies in the memory of this computer, if it has a roomy one from which programs may run: a
    database of a thousand files is copied there some ten times as fast as on a disk.
    """
    folder = Path("/dev/shm")
    if sys.platform != "linux" or not os.access(folder, os.W_OK | os.X_OK):
        return None
    it = os.statvfs(folder)
    return folder if it.f_bavail * it.f_frsize > ROOMY and not it.f_flag & os.ST_NOEXEC else None


class PostgresServer(OwnPostgres):
    """Databases made from a template cost some milliseconds each."""

    def __init__(self) -> None:
        super().__init__(SETTINGS, within=in_memory())
        self._numbers = itertools.count(1)

    def create(self, template: str = "template0") -> str:
        """A new database, a copy of ``template``; returns its name."""
        name = f"test_{next(self._numbers)}"
        with self.connect() as connection:
            words = "CREATE DATABASE {} TEMPLATE {}"
            if connection.info.server_version >= 150_000:
                # File by file, as older ones do it anyway: in memory twice as fast as page by page.
                words += " STRATEGY FILE_COPY"
            connection.execute(sql.SQL(words).format(sql.Identifier(name), sql.Identifier(template)))
        return name

    def drop(self, name: str) -> None:
        """Remove a database with whoever is still connected to it."""
        with self.connect() as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def open_transactions(self, name: str) -> list[str]:
        """The last statements of sessions that still have a transaction open in a database."""
        with self.connect() as connection:
            rows = connection.execute(
                "SELECT query FROM pg_stat_activity"
                " WHERE datname = %s AND state LIKE 'idle in transaction%%'",
                [name],
            ).fetchall()
        return [row[0] for row in rows]
