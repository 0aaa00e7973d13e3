"""The components of the city as the map takes them, in columns, and what is known of one of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, select

from db.kernel.language import N_
from db.registers.tables import category, component

CLASSES = {"01": 0, "02": 1, "03": 2, "04": 3}
"""Majors of the code lists that the map tells apart (DOMAIN 1.2); every other one is ``OTHER``."""
OTHER = 4
STATE_CODES = ("intact", "damaged", "lost", "derelict")
"""The states by number; a component that was removed is no longer in any column."""
STATE_LABELS = {
    "intact": N_("Intact"),  # zh: 完好
    "damaged": N_("Damaged"),  # zh: 破损
    "lost": N_("Missing"),  # zh: 丢失
    "derelict": N_("Derelict"),  # zh: 废弃
    "removed": N_("Removed"),  # zh: 移除
}
_PIECE = 4_000
"""Rows fetched at once: between two pieces other threads of the program go on."""

Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Components:
    """Arrays of one length, in the order of the codes; places in WGS-84 degrees."""

    ids: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    codes: npt.NDArray[np.bytes_] = field(default_factory=lambda: np.empty(0, "S17"))
    categories: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    units: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    """0 = nobody answers for it."""
    classes: Bytes = field(default_factory=lambda: np.empty(0, np.uint8))
    """0 utility, 1 traffic, 2 sanitation, 3 greenery, 4 other."""
    states: Bytes = field(default_factory=lambda: np.empty(0, np.uint8))
    """Places in ``STATE_CODES``."""
    lon: Floats = field(default_factory=lambda: np.empty(0, np.float64))
    lat: Floats = field(default_factory=lambda: np.empty(0, np.float64))

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class ComponentValue:
    """One component with all its register says."""

    id: int
    code: str
    category_id: int
    state: str
    unit_id: int | None
    cell_id: int | None
    placed_on: date | None
    lon: float
    lat: float


def components(connection: Connection) -> Components:
    """Every component that is still there; a second for 230,000, fetched piece by piece."""
    c = component.c
    majors = {
        row.id: CLASSES.get(row.major, OTHER)
        for row in connection.execute(select(category.c.id, category.c.major))
    }
    rows = connection.execution_options(yield_per=_PIECE).execute(
        select(c.id, c.code, c.category_id, c.unit_id, c.state, c.lon, c.lat)
        .where(c.state != "removed")
        .order_by(c.code)
    )
    numbers = {code: number for number, code in enumerate(STATE_CODES)}
    pieces = []
    for piece in rows.partitions():
        ids, codes, kinds, units, states, lon, lat = zip(*piece, strict=True)
        pieces.append(
            Components(
                np.array(ids, np.int64),
                np.array(codes, "S17"),
                np.array(kinds, np.int64),
                np.array([unit or 0 for unit in units], np.int64),
                np.array([majors.get(kind, OTHER) for kind in kinds], np.uint8),
                np.array([numbers[state] for state in states], np.uint8),
                np.array(lon, np.float64),
                np.array(lat, np.float64),
            )
        )
    if not pieces:
        return Components()
    return Components(
        *(np.concatenate(columns) for columns in zip(*(vars(p).values() for p in pieces), strict=True))
    )


def component_of(connection: Connection, component_id: int) -> ComponentValue | None:
    """One component, removed ones too; None when there is none of this id."""
    c = component.c
    row = connection.execute(
        select(c.id, c.code, c.category_id, c.state, c.unit_id, c.cell_id, c.placed_on, c.lon, c.lat).where(
            c.id == component_id
        )
    ).first()
    return ComponentValue(*row) if row else None
