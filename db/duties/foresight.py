"""What a change of the matrix would change, before it is made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import numpy as np

from db.duties.book import DutyBook
from db.duties.rules import LEVELS, NOBODY, Duty, Ints, allot, overlay


@dataclass(frozen=True)
class Repaint:
    """The effect on cells and classes; ``moves`` counts the cells by unit before and after, 0 = nobody."""

    cells: Ints
    """Ids of the cells in the areas."""
    category_ids: tuple[int, ...]
    moves: dict[tuple[int, int], int]
    finer: int
    """Cells where a smaller area or a narrower class keeps its own keeper, for one class at least."""

    @property
    def changing(self) -> int:
        """How many cells get another unit, for one class at least."""
        return sum(self.moves.values())


def foresee(
    book: DutyBook,
    area_ids: Iterable[int],
    kind: str,
    prefix: str,
    unit_id: int | None,
    person_id: int | None,
    on: date,
) -> Repaint:
    """What painting would change on its first day; without a unit, what ending the areas' own rows would.

    A cell whose classes come from several units is counted with the first of them.
    """
    areas = dict.fromkeys(area_ids)
    inside = np.zeros(len(book.cells), dtype=bool)
    for area_id in areas:
        level = LEVELS.index(book.areas[area_id].kind)
        inside |= book.places[:, level] == area_id
    columns = [n for n, (k, code) in enumerate(book.keys) if kind in ("", k) and code.startswith(prefix)]
    classes = [book.keys[n] for n in columns]
    places = book.places[inside]
    own: dict[int, list[Duty]] = {area_id: [] for area_id in areas}
    after: list[Duty] = []
    for each in book.duties:
        is_ours = (each.kind, each.prefix) == (kind, prefix) and each.area_id in own
        (own[each.area_id] if is_ours else after).append(each)
    for area_id, standing in own.items():
        if unit_id is not None:
            after += overlay(standing, Duty(0, kind, prefix, area_id, unit_id, person_id, on))
    old = allot(book.duties, places, classes, on)
    new = allot(after, places, classes, on)
    before_units, after_units = old.units, new.units
    changed = before_units != after_units
    rows = np.flatnonzero(changed.any(axis=1))
    first = changed[rows].argmax(axis=1)
    moves = Counter(zip(before_units[rows, first].tolist(), after_units[rows, first].tolist(), strict=True))
    ours = np.array([d.area_id in own and (d.kind, d.prefix) == (kind, prefix) for d in new.duties] + [False])
    finer = (~ours[new.winner] & (new.winner != NOBODY)).any(axis=1) if unit_id is not None else inside[:0]
    return Repaint(
        book.cells[inside],
        tuple(book.classes[n].id for n in columns),
        dict(moves.most_common()),
        int(np.count_nonzero(finer)),
    )
