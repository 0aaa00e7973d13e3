"""An office with one unit and one person, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from db.bootstrap import Core, load_reference, open_core
from db.kernel.clock import SetClock
from db.people.tables import person, unit
from tests.db.engine.kit import write
from tests.db.engine.recycled import postgres_url, recycled  # noqa: F401  in place of the dearer one


@pytest.fixture
def core(database_url: str) -> Iterator[Core]:
    """With reference data, a unit and a person; the clock stands at Monday, 10:00 in the city."""
    core = open_core(database_url, clock=SetClock(datetime(2026, 3, 16, 2, tzinfo=UTC)))
    load_reference(core.database)
    squad = {"id": 1, "code": "U1", "name": "龙泉中队", "name_en": "Longquan squad", "kind": "squad"}
    write(core.database, lambda u: u.insert(unit, [squad, {**squad, "id": 2, "code": "U0", "active": False}]))
    someone = {"id": 1, "code": "P1", "name": "王敏", "unit_id": 1, "post": "dispatcher"}
    write(core.database, lambda u: u.insert(person, [someone]))
    yield core
    core.close()
