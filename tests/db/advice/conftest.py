"""The village on both databases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from db.bootstrap import Core
from tests.db.duties.village import open_village
from tests.db.engine.recycled import postgres_url, recycled  # noqa: F401  in place of the dearer one


@pytest.fixture
def village(database_url: str) -> Iterator[Core]:
    core = open_village(database_url)
    yield core
    core.close()


@pytest.fixture
def file_village(sqlite_url: str) -> Iterator[Core]:
    core = open_village(sqlite_url)
    yield core
    core.close()
