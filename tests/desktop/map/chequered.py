"""A city of squares: two districts of two communities of four cells each, one patrol area a community."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from db.live.board import Board
from db.live.directory import Directory, Entry
from db.registers.queries import BaseMap, Shapes
from desktop.core.context import City, Context, DataAge, Freshness
from tests.db.live.rows import NOON, ZONE, Row, case_row, delta_of
from tests.desktop.seeded import DIRECTORY, OFFICER

WEST, SOUTH = 117.10, 35.00
SIDE = 0.01
"""Degrees: a cell is about 0.9 by 1.1 km."""

Square = tuple[int, str, float, float, float, float]


def cell_id(column: int, row: int) -> int:
    return 100 + 10 * column + row


def community_id(column: int, row: int) -> int:
    return 20 + column // 2 + 2 * (row // 2)


def district_id(column: int) -> int:
    return 10 + column // 2


def patrol_id(column: int, row: int) -> int:
    return community_id(column, row) + 30


def middle(column: int, row: int) -> tuple[float, float]:
    return WEST + (column + 0.5) * SIDE, SOUTH + (row + 0.5) * SIDE


def shapes(squares: Sequence[Square], origin: tuple[float, float]) -> Shapes:
    """One closed ring a square: id, name, west, south, east, north."""
    rings = [[(w, s), (e, s), (e, n), (w, n), (w, s)] for _key, _name, w, s, e, n in squares]
    points = np.array(rings, np.float64).reshape(-1, 2) - origin
    return Shapes(
        ids=np.array([each[0] for each in squares], np.int64),
        offsets=np.arange(len(squares) + 1, dtype=np.int32),
        rings=np.arange(len(squares) + 1, dtype=np.int32) * 5,
        points=points.astype(np.float32),
        labels=tuple(each[1] for each in squares),
        labels_en=tuple(each[1] for each in squares),
        grades=("",) * len(squares),
        anchors=np.array([[(w + e) / 2, (s + n) / 2] for _k, _n, w, s, e, n in squares]).reshape(-1, 2),
    )


def block(key: int, name: str, column: int, row: int, wide: int, high: int) -> Square:
    return (
        key, name, WEST + column * SIDE, SOUTH + row * SIDE,
        WEST + (column + wide) * SIDE, SOUTH + (row + high) * SIDE,
    )  # fmt: skip


_CELLS = [(column, row) for column in range(4) for row in range(4)]
_BLOCKS = [(0, 0), (2, 0), (0, 2), (2, 2)]
_ORIGIN = (WEST + 2 * SIDE, SOUTH + 2 * SIDE)

SQUARES = BaseMap(
    origin=_ORIGIN,
    bounds=(WEST, SOUTH, WEST + 4 * SIDE, SOUTH + 4 * SIDE),
    outline=shapes([block(1, "city", 0, 0, 4, 4)], _ORIGIN),
    districts=shapes([block(district_id(c), f"D{c}", c, 0, 2, 4) for c in (0, 2)], _ORIGIN),
    communities=shapes([block(community_id(c, r), f"C{c}{r}", c, r, 2, 2) for c, r in _BLOCKS], _ORIGIN),
    patrols=shapes([block(patrol_id(c, r), f"P{c}{r}", c, r, 2, 2) for c, r in _BLOCKS], _ORIGIN),
    cells=shapes([block(cell_id(c, r), f"{c}{r}", c, r, 1, 1) for c, r in _CELLS], _ORIGIN),
    roads=shapes([], _ORIGIN),
    waters=shapes([], _ORIGIN),
)

AREAS = {
    1: Entry(1, "C", "城", "City", "city"),
    **{
        district_id(c): Entry(district_id(c), f"D{c}", f"街道{c}", f"District {c}", "district", 1)
        for c in (0, 2)
    },
    **{
        community_id(c, r): Entry(
            community_id(c, r), f"C{c}{r}", f"社区{c}{r}", f"Community {c}{r}", "community", district_id(c)
        )
        for c, r in _BLOCKS
    },
    **{
        patrol_id(c, r): Entry(patrol_id(c, r), f"P{c}{r}", f"网格{c}{r}", "", "patrol", community_id(c, r))
        for c, r in _BLOCKS
    },
    **{
        cell_id(c, r): Entry(
            cell_id(c, r), f"{c}{r}", f"单元{c}{r}", f"Cell {c}{r}", "cell", community_id(c, r)
        )
        for c, r in _CELLS
    },
}
TOWN = Directory(DIRECTORY.units, DIRECTORY.categories, AREAS, {}, DIRECTORY.majors)


def case_in(number: int, column: int, row: int, **values: Any) -> Row:
    """An open case in the middle of a cell, with all its areas."""
    lon, lat = middle(column, row)
    return case_row(
        number,
        lon=lon,
        lat=lat,
        district_id=district_id(column),
        community_id=community_id(column, row),
        patrol_id=patrol_id(column, row),
        cell_id=cell_id(column, row),
        **values,
    )


def town(rows: Sequence[Row]) -> Context:
    """A context over the squares whose board holds these cases."""
    board = Board(ZONE, NOON)
    board.apply(delta_of(rows, directory=TOWN))
    context = Context(board, OFFICER, City("方城", "Squares", is_invented=True))
    context.set_age(DataAge(Freshness.LIVE, NOON))
    return context
