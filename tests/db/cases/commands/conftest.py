"""A bureau with reference data in it, on both databases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.flows.bureau import Bureau, fill


@pytest.fixture
def bureau(database_url: str) -> Iterator[Bureau]:
    """Once on SQLite, once on PostgreSQL; Monday at ten."""
    bureau = Bureau(fill(database_url))
    yield bureau
    bureau.core.close()


@pytest.fixture
def file_bureau(sqlite_url: str) -> Iterator[Bureau]:
    """On SQLite only."""
    bureau = Bureau(fill(sqlite_url))
    yield bureau
    bureau.core.close()
