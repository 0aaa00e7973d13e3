"""An open database with tables and nothing in them, on both engines."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from db.engine.connections import Database, open_database
from db.engine.schema import load_station
from db.kernel.clock import SetClock
from tests.db.engine.recycled import postgres_url, recycled  # noqa: F401  in place of the dearer one
from tests.flows.bureau import Bureau, fill


@pytest.fixture
def clock() -> SetClock:
    """Monday, 10:00 in the city."""
    return SetClock(datetime(2026, 3, 16, 2, tzinfo=UTC))


@pytest.fixture
def database(database_url: str, clock: SetClock) -> Iterator[Database]:
    """Once on SQLite, once on PostgreSQL."""
    database = open_database(database_url, clock=clock)
    load_station(database)
    yield database
    database.close()


@pytest.fixture
def bureau(database_url: str) -> Iterator[Bureau]:
    """A bureau with reference data in it, on both databases; Monday at ten."""
    bureau = Bureau(fill(database_url))
    yield bureau
    bureau.core.close()


@pytest.fixture
def file_database(sqlite_url: str, clock: SetClock) -> Iterator[Database]:
    """On SQLite only."""
    database = open_database(sqlite_url, clock=clock)
    load_station(database)
    yield database
    database.close()
