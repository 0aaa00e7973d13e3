"""Databases for tests, on SQLite and PostgreSQL alike: the schema is made once, each test gets a copy."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

from db.engine.connections import open_database
from db.engine.schema import upgrade
from tests.kit.postgres import PostgresServer


class SqliteTemplate:
    """A file with today's schema, made on first use."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "template.db"

    def copy_to(self, file: Path) -> str:
        """The URL of a fresh database at ``file``."""
        if not self._file.exists():
            _prepare(f"sqlite:///{self._file}")
        shutil.copyfile(self._file, file)
        return f"sqlite:///{file}"


class PostgresTemplate:
    """A database with today's schema, made on first use."""

    def __init__(self, server: PostgresServer) -> None:
        self.server = server
        self._name = ""

    def copy(self) -> str:
        """The name of a fresh database on the server."""
        if not self._name:
            name = self.server.create()
            _prepare(self.server.url(name))
            self._name = name
        return self.server.create(self._name)


def _prepare(url: str) -> None:
    database = open_database(url, create=True)
    try:
        upgrade(database)
    finally:
        database.close()


def has_open_transaction(file: Path) -> bool:
    """Whether somebody still holds the write lock of a SQLite file."""
    connection = sqlite3.connect(file, timeout=0, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        return "locked" in str(error)
    finally:
        connection.close()
    return False
