"""Puts history, the matrix of duties and the borders together into advice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection

from db.advice.borders import Borders
from db.advice.learning import History, whole_places
from db.advice.rules import FEWEST, FLOOR, precision
from db.duties.book import DutyBook
from db.duties.rules import LEVELS, Flags, Ints, allot

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Questions:
    """Cases to be judged, as arrays of one length; ids, 0 = none; NaN = no position."""

    category: Ints
    district: Ints
    community: Ints
    patrol: Ints
    cell: Ints
    lon: Floats
    lat: Floats

    def __len__(self) -> int:
        return len(self.category)


@dataclass(frozen=True)
class Verdicts:
    """One answer a question. ``unit``: whom history and matrix name (0 = nobody), said or not."""

    unit: Ints
    person: Ints
    other: Ints
    """Whom else it may be: beyond the border, or by the matrix against history."""
    precision: Floats
    code: npt.NDArray[np.object_]
    """Of ``rules.Reason``."""
    hits: Ints
    seen: Ints

    @property
    def said(self) -> Flags:
        """Where a unit is advised."""
        found: Flags = np.isin(self.code, LEVELS)
        return found


class Matrix:
    """The duties of one day as units and persons of every cell and class, with the borders between units."""

    def __init__(
        self, connection: Connection, book: DutyBook, codes: dict[int, tuple[str, str]], on: date
    ) -> None:
        self.book = book
        self._active = [each for each in book.duties if book.units[each.unit_id].active]
        self._on = on
        self._codes = codes
        self._column = {key: n for n, key in enumerate(book.keys)}
        self._borders = Borders(connection, book)
        found = allot(self._active, book.places, book.keys, on)
        self._units = found.units
        self._persons = np.array([book.person_of(d) or 0 for d in found.duties] + [0], dtype=np.int64)[
            found.winner
        ]
        # Small numbers in place of ids: the neighbours of all cells are compared at once.
        order: dict[int, int] = {}
        codes_of = [order.setdefault(d.unit_id, len(order)) for d in found.duties] + [-1]
        self._near = self._borders.near(np.array(codes_of, dtype=np.int16)[found.winner])
        self._row = {cell: n for n, cell in enumerate(book.cells.tolist())}

    def answers(self, asked: Questions, places: Ints) -> tuple[Ints, Ints, Ints]:
        """Unit, person and the other unit beyond a border for each question; 0 = none."""
        cells, which = np.unique(asked.cell, return_inverse=True)
        row = np.array([self._row.get(each, -1) for each in cells.tolist()], dtype=np.int64)[
            which.reshape(-1)
        ]
        ids, which = np.unique(asked.category, return_inverse=True)
        columns = [self._column.get(self._codes.get(each, ("", "")), -1) for each in ids.tolist()]
        column = np.array(columns, dtype=np.int64)[which.reshape(-1)]
        known = (row >= 0) & (column >= 0)
        unit, person, other = (np.zeros(len(asked), dtype=np.int64) for _each in range(3))
        unit[known] = self._units[row[known], column[known]]
        person[known] = self._persons[row[known], column[known]]
        near = known.copy()
        near[known] = self._near[row[known], column[known]] & (unit[known] != 0)
        at = np.flatnonzero(near & ~np.isnan(asked.lon))
        if at.size:
            other[at] = self._borders.others(asked.lon[at], asked.lat[at], column[at], unit[at], self._units)
        # Outside every cell only the larger areas can answer.
        out = np.flatnonzero((row < 0) & (column >= 0))
        if out.size:
            spots, spot = np.unique(places[out], axis=0, return_inverse=True)
            found = allot(self._active, spots, self.book.keys, self._on)
            winner = found.winner[spot.reshape(-1), column[out]]
            unit[out] = np.array([d.unit_id for d in found.duties] + [0], dtype=np.int64)[winner]
            people = [self.book.person_of(d) or 0 for d in found.duties] + [0]
            person[out] = np.array(people, dtype=np.int64)[winner]
        return unit, person, other


def judge(history: History, matrix: Matrix, asked: Questions) -> Verdicts:
    """Advice for every question at once. What stands against saying a unit is looked at in the order of how
    much it tells the dispatcher: no history, against the matrix, on a border, history divided.
    """
    count = len(asked)
    places = whole_places(matrix.book, asked.cell, asked.patrol, asked.community, asked.district)
    duty, person, beyond = matrix.answers(asked, places)
    classes = history.classes(asked.category)
    leader = history.leaders(classes, places, FEWEST)
    hits, seen = history.counted(classes, places, leader)
    sure, level = precision(hits.astype(np.float64), seen.astype(np.float64))
    each = np.arange(count)
    known = leader >= 0
    by_history = np.where(known, np.append(history.units, 0)[leader], 0)
    active = np.array([k for k, unit in matrix.book.units.items() if unit.active], dtype=np.int64)
    gone = known & ~np.isin(by_history, active)
    here = seen[LEVELS.index("district")]
    differs = known & (duty != 0) & (duty != by_history)
    # What other districts do says nothing against the matrix of this one.
    known &= ~gone & ~(differs & (here < FEWEST))
    against = known & differs
    few = sure < FLOOR
    # Too few to be sure is something else than a history that does not agree with itself.
    divided = few & (hits[level, each] < FLOOR * seen[level, each])
    code = np.select(
        [gone, ~known & (duty == 0) & (here == 0), ~known, against, beyond != 0, divided, few],
        ["gone", "unknown", "rare", "disagree", "border", "divided", "rare"],
        np.array(LEVELS, dtype=object)[level],
    ).astype(object)
    return Verdicts(
        np.where(known | gone, by_history, duty),
        np.where(known & (duty != by_history), 0, person),
        np.where(against, duty, beyond),
        np.where(known, sure, 0.0),
        code,
        hits[level, each],
        np.where(known, seen[level, each], here),
    )
