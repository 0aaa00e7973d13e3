"""The matrix of duties as one value, with the names that it needs, and the proof that everything has its
keeper (事事有人管, DOMAIN 4 no. 69).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from db.duties.rules import LEVELS, NOBODY, Allotment, Duty, Flags, Ints, allot, clashes, largest_blocks
from db.kernel.language import N_, _


@dataclass(frozen=True)
class Named:
    """Something with a code and a name in both languages; an inactive one is kept for the past."""

    id: int
    code: str
    name: str
    name_en: str
    active: bool = True

    def label(self, language: str) -> str:
        """Its name in a language."""
        return self.name_en if language == "en" and self.name_en else self.name or self.code


@dataclass(frozen=True)
class AreaName(Named):
    """An area: where it stands in the city, and a point inside."""

    kind: str = "cell"
    parent_id: int | None = None


@dataclass(frozen=True)
class ClassName(Named):
    """A minor class; ``major_name`` is that of the group it stands in."""

    kind: str = "matter"
    major_name: str = ""
    major_name_en: str = ""


@dataclass(frozen=True)
class PersonName(Named):
    """A person, with the unit."""

    unit_id: int = 0


@dataclass(frozen=True)
class DutyBook:
    """Everything that is needed to answer for any day without asking the database again."""

    cells: Ints
    """Ids of the cells."""
    places: Ints
    """(cells, 5): the areas that hold each cell, by ``LEVELS``; 0 = none."""
    areas: Mapping[int, AreaName]
    classes: tuple[ClassName, ...]
    """The minor classes of the city's standard, by kind and code."""
    units: Mapping[int, Named]
    persons: Mapping[int, PersonName]
    leaders: Mapping[int, int]
    """Unit → whoever leads it; only active ones."""
    duties: tuple[Duty, ...]
    """All that ever held, with the days."""

    @property
    def keys(self) -> tuple[tuple[str, str], ...]:
        """Kind and code of each class."""
        return tuple((each.kind, each.code) for each in self.classes)

    def allotment(self, on: date) -> Allotment:
        """Who answers for each cell and class on a day."""
        return allot(self.duties, self.places, self.keys, on)

    def person_of(self, duty: Duty) -> int | None:
        """Who answers: the person named, or whoever leads the unit; ``None`` when not active."""
        if duty.person_id is None:
            return self.leaders.get(duty.unit_id)
        found = self.persons.get(duty.person_id)
        return found.id if found is not None and found.active else None

    def class_label(self, kind: str, prefix: str, language: str) -> str:
        """A group of classes in words: code and name."""
        fitting = [c for c in self.classes if c.code.startswith(prefix) and kind in ("", c.kind)]
        kinds = {"component": _("components"), "matter": _("matters")}
        if not fitting or not prefix:
            # zh: 全部类别
            return prefix or kinds.get(kind, _("all classes"))
        first = fitting[0]
        if len(prefix) > 2:
            name = first.label(language)
        else:
            name = first.major_name_en if language == "en" and first.major_name_en else first.major_name
        words = self.kind_label(kind, prefix)
        return f"{prefix} {name} ({words})" if words else f"{prefix} {name}"

    def kind_label(self, kind: str, prefix: str) -> str:
        """Which kind a group of classes is of, in words; "" where its code says so already."""
        if not kind or len({c.kind for c in self.classes if c.code.startswith(prefix)}) < 2:
            return ""
        # zh: 部件 / 事项
        return _("components") if kind == "component" else _("matters")


WHY = {
    "nobody": N_("nobody"),  # zh: 无人负责
    "inactive_unit": N_("the unit is no longer active"),  # zh: 责任单位已停用
    "no_person": N_("no active person"),  # zh: 无在岗责任人
}
"""Why something has no keeper."""


@dataclass(frozen=True)
class Hole:
    """An area and a group of classes that nobody answers for; ``why`` is a key of ``WHY``."""

    area_id: int
    kind: str
    prefix: str
    cells: int
    classes: int
    why: str

    def text(self, book: DutyBook, language: str) -> str:
        """Such as "Puzhong Community, 09 Street order: nobody"."""
        # zh: {area}，{matter}：{why}
        return _("{area}, {matter}: {why}").format(
            area=book.areas[self.area_id].label(language),
            matter=book.class_label(self.kind, self.prefix, language),
            why=_(WHY[self.why]),
        )


@dataclass(frozen=True)
class Overlap:
    """Two duties of equal rank; the second is the one that is answered with."""

    one: Duty
    other: Duty

    def text(self, book: DutyBook, language: str) -> str:
        """Such as "Puzhong Community, 09003 Stalls: Longquan Squad and Mobile Squad"."""
        # zh: {area}，{matter}：{one}、{other}
        return _("{area}, {matter}: {one} and {other}").format(
            area=book.areas[self.one.area_id].label(language),
            matter=book.class_label(self.one.kind, self.one.prefix, language),
            one=book.units[self.one.unit_id].label(language),
            other=book.units[self.other.unit_id].label(language),
        )


@dataclass(frozen=True)
class Coverage:
    """The proof for one day. ``covered`` of ``pairs`` (cells × classes) have exactly one active unit and an
    active person.
    """

    on: date
    cells: int
    classes: int
    covered: int
    holes: tuple[Hole, ...]
    overlaps: tuple[Overlap, ...]
    lame: tuple[Duty, ...]
    """Duties in force that point to an inactive unit or person, also where a finer one hides them."""
    run_out: tuple[Duty, ...]
    """Duties that have ended and left a hole."""

    @property
    def pairs(self) -> int:
        return self.cells * self.classes

    @property
    def percent(self) -> float:
        """0 without cells or classes: nothing is proved."""
        return 100 * self.covered / self.pairs if self.pairs else 0.0


def prove(book: DutyBook, on: date, allotment: Allotment | None = None) -> Coverage:
    """Look at every cell and every minor class on a day."""
    found = allotment or book.allotment(on)
    unit_lost = np.array([not _unit_active(book, d) for d in found.duties] + [False])
    nameless = np.array([book.person_of(d) is None for d in found.duties] + [False]) & ~unit_lost
    marks: dict[str, Flags] = {
        "nobody": found.winner == NOBODY,
        "inactive_unit": unit_lost[found.winner],
        "no_person": nameless[found.winner],
    }
    holes = [
        Hole(block.area_id, block.kind, block.prefix, block.places, block.classes, why)
        for why, marked in marks.items()
        for block in largest_blocks(marked, book.places, book.keys)
    ]
    holes.sort(key=lambda hole: -hole.cells * hole.classes)
    faulty = marks["nobody"] | marks["inactive_unit"] | marks["no_person"] | found.clash
    return Coverage(
        on,
        len(book.cells),
        len(book.classes),
        int(faulty.size - np.count_nonzero(faulty)),
        tuple(holes),
        tuple(Overlap(one, other) for one, other in clashes(book.duties, on)),
        tuple(d for d in found.duties if book.person_of(d) is None or not _unit_active(book, d)),
        _run_out(book, on, marks["nobody"]),
    )


def _unit_active(book: DutyBook, duty: Duty) -> bool:
    unit = book.units.get(duty.unit_id)
    return unit is not None and unit.active


def _run_out(book: DutyBook, on: date, empty: Flags) -> tuple[Duty, ...]:
    """The newest ended duty of each key, where some of what it held is held by nobody now."""
    ended: dict[tuple[str, str, int], Duty] = {}
    for each in sorted(book.duties, key=lambda d: d.valid_to or date.max):
        if each.valid_to is not None and each.valid_to < on:
            ended[each.key] = each
    kept = []
    for each in ended.values():
        area = book.areas.get(each.area_id)
        if area is None:
            continue
        rows = book.places[:, LEVELS.index(area.kind)] == each.area_id
        columns = [each.covers(kind, code) for kind, code in book.keys]
        if empty[np.ix_(rows, columns)].any():
            kept.append(each)
    return tuple(kept)
