"""A database whose bus knows the calendar's commands, and one who may use them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest

import db.bootstrap  # noqa: F401  undo puts the tables in order, so all of them must be known
from db.calendars.tables import calendar_year, working_window
from db.engine.bus import Bus
from db.engine.connections import Database, open_database
from db.engine.schema import load_station
from db.engine.unit_of_work import UnitOfWork
from db.kernel.actor import Actor
from db.kernel.clock import SetClock
from tests.db.calendars.rows import STANDING, Write
from tests.db.engine.recycled import postgres_url, recycled  # noqa: F401  in place of the dearer one

EDITOR = Actor(7, "王敏", frozenset({"reference.load"}))


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """2026 is known, with one window on every working day; once on SQLite, once on PostgreSQL."""
    database = open_database(database_url, clock=SetClock(datetime(2026, 3, 16, 2, tzinfo=UTC)))
    load_station(database)
    with database.write(EDITOR, Write()) as unit:
        unit.insert(calendar_year, [{"id": 1, "year": 2026, "source": "notice"}])
        unit.insert(working_window, [{"id": 2, "valid_from": date(2026, 1, 1), **STANDING}])
    yield database
    database.close()


@pytest.fixture
def editor() -> Actor:
    """Holds what editing the calendar needs."""
    return EDITOR


@pytest.fixture
def bus(database: Database) -> Bus:
    return Bus(database)


@pytest.fixture
def put(database: Database) -> Callable[[Callable[[UnitOfWork], Any]], None]:
    """Writes whatever a test wants in a unit of work of its own."""

    def write(work: Callable[[UnitOfWork], Any]) -> None:
        with database.write(EDITOR, Write()) as unit:
            work(unit)

    return write
