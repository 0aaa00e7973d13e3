"""A database whose bus knows the tiles' commands, once on SQLite, once on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

import db.bootstrap  # noqa: F401  the bus knows every command then
from db.engine.bus import Bus
from db.engine.connections import Database, open_database
from db.engine.schema import load_station
from db.kernel.clock import SetClock
from tests.db.engine.recycled import postgres_url, recycled  # noqa: F401  in place of the dearer one

CLOCK = SetClock(datetime(2026, 3, 16, 2, tzinfo=UTC))


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = open_database(database_url, clock=CLOCK)
    load_station(database)
    yield database
    database.close()


@pytest.fixture
def bus(database: Database) -> Bus:
    return Bus(database)
