"""The matrix of one day, folded to what a screen shows: one answer for a group of classes in an area."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from db.duties.book import AreaName, ClassName, Coverage, DutyBook, prove
from db.duties.rules import LEVELS
from db.kernel.language import _, language, ngettext_

Ints = npt.NDArray[np.int64]
UNIT_TOKENS = 8


@dataclass(frozen=True)
class Line:
    """A row of the matrix: a major, or one of its classes."""

    kind: str
    prefix: str

    @property
    def is_major(self) -> bool:
        return len(self.prefix) <= 2


@dataclass(frozen=True)
class Answer:
    """Who answers for a group of classes in an area: the units by their share, nobody (0) last."""

    units: tuple[int, ...]
    shares: tuple[float, ...]
    clash: bool
    persons: frozenset[int]

    @property
    def has_hole(self) -> bool:
        return 0 in self.units


class Summary:
    """The duties of one day; answers are worked out when they are first asked for."""

    def __init__(self, book: DutyBook, on: date) -> None:
        self.book, self.on = book, on
        self.allotment = book.allotment(on)
        self.units: Ints = self.allotment.units
        self.persons: Ints = np.array(
            [book.person_of(d) or 0 for d in self.allotment.duties] + [0], dtype=np.int64
        )[self.allotment.winner]
        self.coverage: Coverage = prove(book, on, self.allotment)
        self.clashes: npt.NDArray[np.bool_] = self.allotment.clash
        self._columns: dict[Line, Ints] = {}
        self._rows: dict[int, Ints] = {}
        self._answers: dict[tuple[Line, int], Answer] = {}
        order = {unit_id: n for n, unit_id in enumerate(book.units)}
        self._token = {unit_id: f"unit{n % UNIT_TOKENS + 1}" for unit_id, n in order.items()}

    def token(self, unit_id: int) -> str:
        """The colour token of a unit."""
        return self._token[unit_id]

    def columns(self, line: Line) -> Ints:
        """Which classes a line is about."""
        if line not in self._columns:
            self._columns[line] = np.array(
                [
                    n
                    for n, (kind, code) in enumerate(self.book.keys)
                    if line.kind in ("", kind) and code.startswith(line.prefix)
                ],
                dtype=np.int64,
            )
        return self._columns[line]

    def cells(self, area_id: int) -> Ints:
        """The indices of the cells in an area."""
        if area_id not in self._rows:
            level = LEVELS.index(self.book.areas[area_id].kind)
            self._rows[area_id] = np.flatnonzero(self.book.places[:, level] == area_id)
        return self._rows[area_id]

    def answer(self, line: Line, area_id: int) -> Answer:
        """Who answers for a line in an area."""
        key = (line, area_id)
        if key not in self._answers:
            box = np.ix_(self.cells(area_id), self.columns(line))
            units, counts = np.unique(self.units[box], return_counts=True)
            order = np.lexsort([-counts, units == 0])
            persons = np.unique(self.persons[box]) if len(units) == 1 else np.empty(0, np.int64)
            self._answers[key] = Answer(
                tuple(units[order].tolist()),
                tuple((counts[order] / max(counts.sum(), 1)).tolist()),
                bool(self.clashes[box].any()),
                frozenset(persons.tolist()),
            )
        return self._answers[key]

    def cell_units(self, line: Line) -> Ints:
        """The unit of each cell for a line: 0 = nobody for some class of it, -1 = several units."""
        found = self.units[:, self.columns(line)]
        if not found.shape[1]:
            return np.zeros(len(found), dtype=np.int64)
        low, high = found.min(axis=1), found.max(axis=1)
        result: Ints = np.where(low == 0, 0, np.where(low == high, high, -1))
        return result

    def cell_clashes(self, line: Line) -> npt.NDArray[np.bool_]:
        """Where two duties of equal rank meet, for each cell."""
        found: npt.NDArray[np.bool_] = self.clashes[:, self.columns(line)].any(axis=1)
        return found

    def said(self, answer: Answer) -> str:
        """An answer in words."""
        words = [self.unit_name(each) for each in answer.units[:3]]
        if len(answer.units) > 3:
            words.append("…")
        text = _(", ").join(words)
        people = [self.book.persons[each].name for each in answer.persons if each]
        if len(answer.units) == 1 and len(people) == 1:
            text = f"{text} · {people[0]}"
        elif len(answer.units) == 1 and people:
            # zh: {count} 人
            text = f"{text} · " + ngettext_("{count} person", "{count} persons", len(people)).format(
                count=len(people)
            )
        # zh: 职责重叠
        return f"{text} · {_('overlap')}" if answer.clash else text

    def unit_name(self, unit_id: int) -> str:
        """A unit's name; nobody is called so."""
        # zh: 无人负责
        return self.book.units[unit_id].label(language()) if unit_id else _("nobody")

    def short(self, answer: Answer) -> str:
        """What fits on a chip."""
        if len(answer.units) == 1:
            return self.unit_name(answer.units[0])
        named = [each for each in answer.units if each]
        # zh: {count} 个单位
        return ngettext_("{count} unit", "{count} units", len(named)).format(count=len(named))


def lines(classes: Sequence[ClassName], open_majors: frozenset[tuple[str, str]]) -> list[Line]:
    """The rows: every major of each kind, and below the open ones their classes."""
    found: list[Line] = []
    seen: set[tuple[str, str]] = set()
    for each in classes:
        key = (each.kind, each.code[:2])
        if key not in seen:
            seen.add(key)
            found.append(Line(*key))
        if key in open_majors and len(each.code) > 2:
            found.append(Line(each.kind, each.code))
    return found


def area_columns(book: DutyBook, open_districts: frozenset[int]) -> list[AreaName]:
    """The columns: the districts that have cells, and after each open one its communities."""
    districts, communities = LEVELS.index("district"), LEVELS.index("community")
    pairs = {tuple(each) for each in book.places[:, [districts, communities]].tolist()}
    found: list[AreaName] = []
    for district in sorted({d for d, _c in pairs if d}, key=lambda each: book.areas[each].code):
        found.append(book.areas[district])
        if district in open_districts:
            own = sorted({c for d, c in pairs if d == district and c}, key=lambda c: book.areas[c].code)
            found += [book.areas[each] for each in own]
    return found


def percent_text(coverage: Coverage) -> str:
    """The proof in one line; never rounded up to a hundred."""
    holes, overlaps = len(coverage.holes), len(coverage.overlaps)
    # zh: {percent} % · {holes} 处空白 · {overlaps} 处重叠
    return _("{percent} % covered · {holes} · {overlaps}").format(
        percent=f"{int(coverage.percent * 100) / 100:.2f}",
        holes=ngettext_("{count} hole", "{count} holes", holes).format(count=holes),
        overlaps=ngettext_("{count} overlap", "{count} overlaps", overlaps).format(count=overlaps),
    )
