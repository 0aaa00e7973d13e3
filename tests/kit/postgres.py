"""A PostgreSQL server for one test run; gone for certain after it."""

from __future__ import annotations

import itertools

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


class PostgresServer(OwnPostgres):
    """Databases made from a template cost some milliseconds each."""

    def __init__(self) -> None:
        super().__init__(SETTINGS)
        self._numbers = itertools.count(1)

    def create(self, template: str = "template0") -> str:
        """A new database, a copy of ``template``; returns its name."""
        name = f"test_{next(self._numbers)}"
        with self.connect() as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                    sql.Identifier(name), sql.Identifier(template)
                )
            )
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
