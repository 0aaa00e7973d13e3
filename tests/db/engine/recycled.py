"""One database on the server for many tests: it is emptied in milliseconds, and another is dear to make."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

import db.bootstrap  # noqa: F401  every table is known then
from db.engine.tables import metadata
from tests.kit.databases import PostgresTemplate

EMPTY = f"TRUNCATE {', '.join(metadata.tables)}"
FIRST_ROWS = (
    "INSERT INTO journal_head (id, seq, hash) VALUES (1, 0, decode(repeat('00', 32), 'hex'))",
    "INSERT INTO setting (key, value, secret) VALUES ('station', '5', false)",
    "INSERT INTO setting (key, value, secret) VALUES ('journal.key', '\"key\"', true)",
)


@pytest.fixture(scope="session")
def recycled(postgres_template: PostgresTemplate) -> Iterator[str]:
    """The name of a database with today's schema that is emptied before each test."""
    name = postgres_template.copy()
    yield name
    postgres_template.server.drop(name)


@pytest.fixture
def postgres_url(postgres_template: PostgresTemplate, recycled: str) -> Iterator[str]:
    """A PostgreSQL database with today's schema and nothing in it."""
    server = postgres_template.server
    with psycopg.connect(f"host={server.folder} user=postgres dbname={recycled}") as connection:
        connection.execute(EMPTY)
        for statement in FIRST_ROWS:
            connection.execute(statement)
    yield server.url(recycled)
    left = server.open_transactions(recycled)
    assert not left, f"transactions left open after: {left}"
