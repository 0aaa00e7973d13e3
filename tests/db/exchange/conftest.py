"""A database with reference data on both engines, for the tests of the import."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from db.bootstrap import Core, load_reference, open_core


@pytest.fixture
def core(database_url: str) -> Iterator[Core]:
    """An open database with code lists and nothing else; once on SQLite, once on PostgreSQL."""
    core = open_core(database_url)
    load_reference(core.database)
    yield core
    core.close()
