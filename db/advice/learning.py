"""What history says: how many cases of a class each unit finished in each area, as sorted arrays.

Learned from the unit that closed a case, never from the one that it was first sent to. It is kept in memory:
it is made from one grouped query, and a stored copy would be one more thing that can disagree with the cases.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sqlalchemy import BigInteger, Connection, func, select, type_coerce

from db.cases.tables import case
from db.duties.book import DutyBook
from db.duties.rules import LEVELS, Ints

_NONE = -1


@dataclass(frozen=True)
class Counts:
    """Closed cases by class, area of one level, and unit; keys ascend.

    ``pair`` is class × areas + area, ``triple`` is pair × units + unit.
    """

    triples: Ints
    hits: Ints
    pairs: Ints
    seen: Ints
    leader: Ints
    """Index of the unit that finished most, for each pair."""


@dataclass(frozen=True)
class History:
    """What was learned; classes, areas and units are indices into ``categories``, ``areas``, ``units``."""

    class_of: dict[int, int]
    """Category → index of its class; categories of older standards share that of their successor."""
    areas: Ints
    units: Ints
    levels: tuple[Counts, ...]
    """By ``LEVELS``."""
    cases: int
    """How many it was learned from."""

    def classes(self, category_ids: Ints) -> Ints:
        """Index of the class of each category, -1 = never seen."""
        ids, which = np.unique(category_ids, return_inverse=True)
        found = np.array([self.class_of.get(each, _NONE) for each in ids.tolist()], dtype=np.int64)
        return found[which.reshape(-1)]

    def pairs(self, classes: Ints, places: Ints, level: int) -> Ints:
        """Keys of class and area; -1 where either was never seen."""
        area = _found(self.areas, places[:, level])
        return np.where((classes < 0) | (area < 0), _NONE, classes * len(self.areas) + area)

    def leaders(self, classes: Ints, places: Ints, fewest: int) -> Ints:
        """Index of the unit that finished most in the smallest area where enough were seen; -1 = none."""
        leader = np.full(len(classes), _NONE, dtype=np.int64)
        for level in range(len(LEVELS)):
            counts = self.levels[level]
            at = _found(counts.pairs, self.pairs(classes, places, level))
            enough = (at >= 0) & (_at(counts.seen, at) >= fewest)
            leader[enough] = counts.leader[at[enough]]
        return leader

    def counted(self, classes: Ints, places: Ints, unit: Ints) -> tuple[Ints, Ints]:
        """(levels, cases): how many a unit finished, and how many were seen at all."""
        hits = np.zeros((len(LEVELS), len(classes)), dtype=np.int64)
        seen = np.zeros_like(hits)
        for level, counts in enumerate(self.levels):
            pair = self.pairs(classes, places, level)
            known = (pair >= 0) & (unit >= 0)
            triple = np.where(known, pair * len(self.units) + unit, _NONE)
            hits[level] = _at(counts.hits, _found(counts.triples, triple))
            seen[level] = _at(counts.seen, _found(counts.pairs, pair))
        return hits, seen


def learn(
    connection: Connection,
    book: DutyBook,
    codes: dict[int, tuple[str, str]],
    before_ms: int | None = None,
) -> History:
    """Count the closed cases, or those reported before a moment (milliseconds since 1970 UTC).

    ``codes`` is ``db.duties.queries.class_codes``. One grouped query; the areas above a cell come from
    ``book``.
    """
    c = case.c
    columns = (c.category_id, c.cell_id, c.community_id, c.district_id, c.unit_id)
    query = select(*columns, func.count()).where(c.state == "closed", c.unit_id.is_not(None))
    if before_ms is not None:
        query = query.where(type_coerce(c.reported_at, BigInteger) < before_ms)
    rows = connection.execute(query.group_by(*columns)).all()
    table = np.array([[v or 0 for v in row] for row in rows], dtype=np.int64).reshape(-1, 6)
    places = whole_places(book, table[:, 1], np.zeros(len(table), np.int64), table[:, 2], table[:, 3])
    units, unit = np.unique(table[:, 4], return_inverse=True)
    areas = np.unique(places)
    kinds: dict[tuple[str, str], int] = {}
    class_of = {category_id: kinds.setdefault(code, len(kinds)) for category_id, code in codes.items()}
    category, which = np.unique(table[:, 0], return_inverse=True)
    classes = np.array([class_of.get(each, 0) for each in category.tolist()], dtype=np.int64)[
        which.reshape(-1)
    ]
    levels = tuple(
        _counts(classes * len(areas) + _found(areas, places[:, level]), unit.reshape(-1), len(units), table)
        if len(table)
        else Counts(*(np.empty(0, np.int64) for _each in range(5)))
        for level in range(len(LEVELS))
    )
    return History(class_of, areas, units, levels, int(table[:, 5].sum()))


def whole_places(book: DutyBook, cell: Ints, patrol: Ints, community: Ints, district: Ints) -> Ints:
    """(n, 5) area ids by ``LEVELS``: those of the cell, or without a cell the ones that are given."""
    city = next((each.id for each in book.areas.values() if each.kind == "city"), 0)
    given = np.column_stack([np.full(len(cell), city), district, community, patrol, cell])
    order = np.argsort(book.cells)
    at = _found(book.cells[order], cell)
    if len(book.cells):
        given = np.where(at[:, None] >= 0, book.places[order][at], given)
    return given


def _counts(pair: Ints, unit: Ints, units: int, table: Ints) -> Counts:
    triples, which = np.unique(pair * units + unit, return_inverse=True)
    hits = np.bincount(which.reshape(-1), table[:, 5]).astype(np.int64)
    pairs, first, owner = np.unique(triples // units, return_index=True, return_inverse=True)
    seen = np.bincount(owner.reshape(-1), hits).astype(np.int64)
    # The greatest of each pair stands last in this order.
    order = np.lexsort([hits, owner.reshape(-1)])
    last = np.append(first[1:], len(triples)) - 1
    return Counts(triples, hits, pairs, seen, triples[order[last]] % units)


def _found(keys: Ints, wanted: Ints) -> Ints:
    """The index of each wanted key among ascending keys, -1 where it is not."""
    if not len(keys):
        return np.full(len(wanted), _NONE, dtype=np.int64)
    at = np.searchsorted(keys, wanted).clip(0, len(keys) - 1)
    found: Ints = np.where(keys[at] == wanted, at, _NONE)
    return found


def _at(values: Ints, index: Ints) -> Ints:
    """``values[index]``, 0 where the index is -1."""
    return np.append(values, 0)[index]
