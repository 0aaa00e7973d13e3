"""A quarter of nine cells in a made-up county, drawn on degrees so that distances are easy to tell.

+3 ┌────┬────┬────┐      cells 31 … 39 from the south-west, row by row
   │ 37 │ 38 │ 39 │      community 21: cells of the two columns on the left
+2 ├────┼────┼────┤      community 22: the column on the right
   │ 34 │ 35 │ 36 │      district 11 and city 1: one step more on each side
+1 ├────┼────┼────┤
   │ 31 │ 32 │ 33 │      one step is a thousandth of a degree: 91 m east, 111 m north
 0 └────┴────┴────┘
   0   +1   +2   +3
"""

from __future__ import annotations

from typing import Any

import shapely

from db.engine.unit_of_work import UnitOfWork
from db.people.tables import person, unit
from db.registers.commands import facts_of
from db.registers.tables import area

WEST, SOUTH, STEP = 117.1, 35.0, 0.001
COUNTY = "370481"


def box(west: float, south: float, east: float, north: float) -> shapely.Polygon:
    """A box in steps from the south-western corner."""
    return shapely.box(WEST + west * STEP, SOUTH + south * STEP, WEST + east * STEP, SOUTH + north * STEP)


def at(east: float, north: float) -> tuple[float, float]:
    """A point in steps from the south-western corner."""
    return WEST + east * STEP, SOUTH + north * STEP


def cell_box(column: int, row: int) -> shapely.Polygon:
    return box(column, row, column + 1, row + 1)


CELLS = {31 + 3 * row + column: cell_box(column, row) for row in range(3) for column in range(3)}


def draw_quarter(work: UnitOfWork, *, people: bool = True) -> None:
    """Write the areas, and a unit with two collectors."""
    areas: list[dict[str, Any]] = []

    def add(area_id: int, kind: str, code: str, shape: shapely.Geometry, **more: Any) -> None:
        areas.append(
            {
                "id": area_id,
                "kind": kind,
                "code": code,
                "name": f"{kind} {area_id}",
                **more,
                **facts_of(shape),
            }
        )

    add(1, "city", COUNTY, box(-1, -1, 4, 4))
    add(11, "district", f"{COUNTY}001", box(-1, -1, 4, 4), parent_id=1)
    add(21, "community", f"{COUNTY}001001", box(0, 0, 2, 3), parent_id=11)
    add(22, "community", f"{COUNTY}001002", box(2, 0, 3, 3), parent_id=11)
    add(25, "patrol", f"{COUNTY}001001-01", box(0, 0, 2, 3), parent_id=21)
    add(26, "patrol", f"{COUNTY}001002-01", box(2, 0, 3, 3), parent_id=22)
    for cell_id, shape in CELLS.items():
        right = (cell_id - 31) % 3 == 2
        community = 22 if right else 21
        code = f"{COUNTY}00100{2 if right else 1}{cell_id:03d}"
        add(
            cell_id,
            "cell",
            code,
            shape,
            parent_id=community,
            patrol_id=26 if right else 25,
            visits_per_day=2.0,
        )
    if people:
        work.insert(unit, [{"id": 1, "code": "101", "name": "城关中队", "name_en": "Squad", "kind": "squad"}])
        work.insert(
            person,
            [
                {"id": 71, "code": "C1", "name": "张三", "unit_id": 1, "post": "collector"},
                {"id": 72, "code": "C2", "name": "李四", "unit_id": 1, "post": "collector"},
            ],
        )
    work.insert(area, areas)
