"""An open office on both databases, and one on a file only."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from db.bootstrap import Core
from tests.db.cases.office import open_office
from tests.db.engine.recycled import postgres_url, recycled  # noqa: F401  in place of the dearer one


@pytest.fixture
def core(database_url: str) -> Iterator[Core]:
    """Once on SQLite, once on PostgreSQL."""
    core = open_office(database_url)
    yield core
    core.close()


@pytest.fixture
def file_core(sqlite_url: str) -> Iterator[Core]:
    """On SQLite only."""
    core = open_office(sqlite_url)
    yield core
    core.close()
