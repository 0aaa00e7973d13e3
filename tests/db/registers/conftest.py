"""A quarter of nine cells, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from db.bootstrap import Core, load_reference, open_core
from db.kernel.clock import SetClock
from tests.db.engine.kit import write
from tests.db.engine.recycled import postgres_url, recycled  # noqa: F401  in place of the dearer one
from tests.db.registers.quarter import draw_quarter

NOW = datetime(2026, 3, 16, 2, tzinfo=UTC)
"""Monday, ten o'clock in the city."""


@pytest.fixture
def quarter(database_url: str) -> Iterator[Core]:
    """With reference data and the areas of ``quarter``; the clock stands at Monday, 10:00 in the city."""
    core = open_core(database_url, clock=SetClock(NOW))
    load_reference(core.database)
    write(core.database, draw_quarter)
    yield core
    core.close()
