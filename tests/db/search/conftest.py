"""A very small city whose cases are searched, on both engines."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from db.engine.connections import Database
from tests.db.live.city import found_city


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """Two units, two classes, a district, a person and no case yet."""
    database = found_city(database_url)
    yield database
    database.close()
