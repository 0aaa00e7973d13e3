"""A village for the tests of duties and advice: two districts in a row, each of two communities of two cells.

Cells are squares of about 90 m: 1 to 4 lie in the west, 5 to 8 in the east. Ids speak: 1 is the city, 10 and
20 the districts, 11, 12, 21, 22 the communities, 110 … 220 their patrol areas, 101 … 108 the cells.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import shapely

from db.bootstrap import Core, load_reference, open_core
from db.duties.rules import Duty
from db.duties.tables import duty
from db.kernel.actor import Actor
from db.kernel.clock import SetClock
from db.people.tables import person, unit
from db.registers.tables import area
from tests.db.engine.kit import write

MORNING = datetime(2026, 3, 16, 2, tzinfo=UTC)
"""A Monday, 10:00 in the city."""
TODAY = date(2026, 3, 16)
SINCE = date(2024, 1, 1)
CITY, WEST, EAST = 1, 10, 20
CELLS = tuple(range(101, 109))
STEP = 0.001
SQUAD_WEST, SQUAD_EAST, ROADS, GONE = 1, 2, 3, 4
CHIEF = Actor(77, "王敏", frozenset({"duty.manage", "advice.manage", "case.dispatch", "undo"}))


def open_village(url: str) -> Core:
    """Areas, units with people, no duty yet."""
    core = open_core(url, clock=SetClock(MORNING))
    load_reference(core.database)

    def fill(u: Any) -> None:
        names = {SQUAD_WEST: "西中队", SQUAD_EAST: "东中队", ROADS: "市政处", GONE: "旧站"}
        u.insert(
            unit,
            [
                {"id": i, "code": f"U{i}", "name": name, "kind": "squad", "active": i != GONE}
                for i, name in names.items()
            ],
        )
        u.insert(
            person,
            [
                {
                    "id": 10 * unit_id + n,
                    "code": f"P{unit_id}{n}",
                    "name": f"员{unit_id}{n}",
                    "unit_id": unit_id,
                    "post": "handler",
                    "active": n != 3,
                }
                for unit_id in names
                for n in (1, 2, 3)
            ],
        )
        u.insert(area, _areas())

    write(core.database, fill)
    return core


def _areas() -> list[dict[str, Any]]:
    rows = [_area(CITY, "city", None, 0, 8)]
    for d, district in enumerate((WEST, EAST)):
        rows.append(_area(district, "district", CITY, 4 * d, 4 * d + 4))
        for c in (1, 2):
            community, begins = district + c, 4 * d + 2 * (c - 1)
            rows.append(_area(community, "community", district, begins, begins + 2))
            rows.append(_area(community * 10, "patrol", community, begins, begins + 2))
            rows += [
                _area(CELLS[n], "cell", community, n, n + 1) | {"patrol_id": community * 10}
                for n in (begins, begins + 1)
            ]
    return rows


def _area(area_id: int, kind: str, parent: int | None, begins: int, ends: int) -> dict[str, Any]:
    shape = shapely.box(117 + begins * STEP, 35, 117 + ends * STEP, 35 + STEP)
    return {
        "id": area_id,
        "kind": kind,
        "code": f"{area_id:04d}",
        "name": f"{kind}{area_id}",
        "parent_id": parent,
        "patrol_id": None,
        "outline": shapely.to_wkb(shape),
        "lon": shape.centroid.x,
        "lat": shape.centroid.y,
    }


def an(
    unit_id: int,
    area_id: int = CITY,
    prefix: str = "",
    kind: str = "",
    *,
    person_id: int | None = None,
    since: date = SINCE,
    until: date | None = None,
    row_id: int = 0,
) -> Duty:
    """A duty in few words."""
    return Duty(row_id, kind, prefix, area_id, unit_id, person_id, since, until)


def settle(core: Core, *duties: Duty) -> None:
    """Write rows as they are, without looking at what is there."""

    def fill(u: Any) -> None:
        names = Duty.__dataclass_fields__
        rows = [{name: getattr(each, name) for name in names} for each in duties]
        ids = u.new_ids(len(rows))
        u.insert(duty, [row | {"id": row["id"] or i} for row, i in zip(rows, ids, strict=True)])

    write(core.database, fill)
