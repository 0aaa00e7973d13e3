"""The topology of the areas in a database: what ``db.registers.topology`` finds, with their names."""

from __future__ import annotations

from dataclasses import dataclass

import shapely
from sqlalchemy import Connection, select

from db.registers.tables import area
from db.registers.topology import Crossing, Findings, Gap, Overlap, check, crossings

_ABOVE = {"district": "city", "community": "district", "patrol": "community", "cell": "community"}
_FILLS = frozenset({"district", "cell"})
"""Districts fill the city; cells fill their communities. Communities and patrol areas leave the country open.
"""


@dataclass(frozen=True)
class GridReport:
    """What is wrong with the areas of one kind."""

    kind: str
    count: int
    names: dict[int, str]
    """Of these areas and of those that they belong to."""
    findings: Findings
    crossings: tuple[Crossing, ...]

    @property
    def is_sound(self) -> bool:
        """Whether there is nothing but slivers."""
        found: list[Gap | Overlap | Crossing] = [
            *self.findings.gaps,
            *self.findings.overlaps,
            *self.crossings,
        ]
        return all(each.is_sliver for each in found)


def check_grid(connection: Connection, kind: str) -> GridReport:
    """Check the areas of one kind (district, community, patrol, cell) against each other and those above."""
    c = area.c
    above = _ABOVE[kind]
    rows = connection.execute(
        select(c.id, c.kind, c.name, c.parent_id, c.outline).where(
            c.kind.in_((kind, above)), c.outline.is_not(None), c.ended_on.is_(None)
        )
    ).all()
    shapes = {
        row.id: shape
        for row, shape in zip(rows, shapely.from_wkb([row.outline for row in rows]), strict=True)
    }
    own = {row.id: shapes[row.id] for row in rows if row.kind == kind}
    parents = {row.id: shapes[row.id] for row in rows if row.kind == above}
    belongs = {row.id: row.parent_id for row in rows if row.kind == kind and row.parent_id is not None}
    whole = shapely.union_all(list(parents.values())) if kind in _FILLS and parents else None
    return GridReport(
        kind,
        len(own),
        {row.id: row.name for row in rows},
        check(own, whole),
        tuple(crossings(own, belongs, parents)),
    )
