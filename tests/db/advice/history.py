"""Closed cases for the village, as history left them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from db.bootstrap import Core
from db.cases.tables import case
from db.registers.reference import stable_id
from tests.db.duties.village import CELLS, MORNING, STEP
from tests.db.engine.kit import write

BEGGING = stable_id("category", "GB/T 47678.5-2026|matter|09003")
STALLS = stable_id("category", "GB/T 47678.5-2026|matter|09001")


def write_cases(
    core: Core, count: int, cell: int, unit_id: int | None, *, state: str = "closed", category: int = BEGGING,
    along: float = 0.5, days_ago: float = 30, **values: Any,
) -> list[int]:  # fmt: skip
    """``count`` cases in a cell, ``along`` of its width from its western edge; their ids."""
    number = CELLS.index(cell)
    west = number < 4
    district = 10 if west else 20
    community = district + 1 + (number % 4) // 2
    at = MORNING - timedelta(days=days_ago)
    lon = 117 + (number + along) * STEP
    made: list[int] = []

    def fill(u: Any) -> None:
        made.extend(u.new_ids(count))
        row = {
            "state": state, "source": "collector", "category_id": category, "lon": lon,
            "lat": 35 + STEP / 2, "district_id": district, "community_id": community,
            "patrol_id": community * 10, "cell_id": cell, "unit_id": unit_id, "reported_at": at,
            "closed_at": at if state == "closed" else None,
        } | values  # fmt: skip
        u.insert(case, [row | {"id": i, "number": str(i)} for i in made])

    write(core.database, fill)
    return made
