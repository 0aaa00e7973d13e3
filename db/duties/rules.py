"""Who answers for a class of matter in a place: the smallest area that is named wins, then the longest
beginning of the class's code, then a named kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Indices = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]

LEVELS = ("city", "district", "community", "patrol", "cell")
"""Kinds of areas from the largest to the smallest."""
KINDS = ("", "component", "matter")
NOBODY = -1
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Duty:
    """One row of the matrix: from one day to another (both included; ``None`` = until further notice)."""

    id: int
    kind: str
    """component, matter, or "" for both."""
    prefix: str
    """The beginning of the class's code; "" = all."""
    area_id: int
    unit_id: int
    person_id: int | None
    valid_from: date
    valid_to: date | None = None
    note: str = ""

    @property
    def key(self) -> tuple[str, str, int]:
        """What it is about; two duties with one key are of equal rank wherever they meet."""
        return self.kind, self.prefix, self.area_id

    def holds_on(self, day: date) -> bool:
        """Whether it is in force on a day."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)

    def covers(self, kind: str, code: str) -> bool:
        """Whether a class falls under it."""
        return self.kind in ("", kind) and code.startswith(self.prefix)


def rank(duty: Duty, level: int) -> tuple[int, int, bool]:
    """The greater wins; ``level`` is the index in ``LEVELS`` of the kind of its area."""
    return level, len(duty.prefix), bool(duty.kind)


def resolve(duties: Iterable[Duty], kind: str, code: str, levels: Mapping[int, int], on: date) -> Duty | None:
    """The duty for a class of a place on a day; ``levels`` gives the level of each area that holds it.

    Of duties of equal rank, which ``clashes`` reports, the one that began last wins, so that the answer does
    not depend on the order of rows.
    """
    fitting = (
        each for each in duties if each.area_id in levels and each.holds_on(on) and each.covers(kind, code)
    )
    return max(
        fitting, key=lambda each: (*rank(each, levels[each.area_id]), each.valid_from, each.id), default=None
    )


def clashes(duties: Iterable[Duty], on: date) -> list[tuple[Duty, Duty]]:
    """Pairs in force on a day that are of equal rank: two answers to one question."""
    standing = sorted(
        (each for each in duties if each.holds_on(on)), key=lambda e: (*e.key, e.valid_from, e.id)
    )
    return [(one, other) for one, other in pairwise(standing) if one.key == other.key]


def overlay(standing: Sequence[Duty], wanted: Duty) -> list[Duty]:
    """The rows of one key after a change; new ones have the id 0.

    What began before ends the day before; what goes on beyond a bounded change begins again after it. An open
    change lasts until the next one that is planned already. One that says what stands changes nothing.
    """
    last = wanted.valid_to
    if last is None:
        later = [row.valid_from for row in standing if row.valid_from > wanted.valid_from]
        last = min(later) - DAY if later else None
    met = [row for row in standing if _meet(row, wanted.valid_from, last)]
    if len(met) == 1 and _says_already(met[0], wanted, last):
        return list(standing)
    rows = [row for row in standing if row not in met]
    for row in met:
        if row.valid_from < wanted.valid_from:
            rows.append(replace(row, valid_to=wanted.valid_from - DAY))
        if last is not None and (row.valid_to is None or row.valid_to > last):
            rows.append(replace(row, id=0, valid_from=last + DAY))
    return [*rows, replace(wanted, id=0, valid_to=last)]


def _meet(row: Duty, first: date, last: date | None) -> bool:
    return (last is None or row.valid_from <= last) and (row.valid_to is None or row.valid_to >= first)


def _says_already(row: Duty, wanted: Duty, last: date | None) -> bool:
    same = (row.unit_id, row.person_id, row.note) == (wanted.unit_id, wanted.person_id, wanted.note)
    long_enough = row.valid_to is None or (last is not None and last <= row.valid_to)
    return same and row.valid_from <= wanted.valid_from and long_enough


@dataclass(frozen=True)
class Allotment:
    """Who answers for each place and class: (places, classes) arrays; ``resolve`` for all at once."""

    duties: tuple[Duty, ...]
    """Those in force, the weakest first."""
    winner: Indices
    """Index into ``duties``, ``NOBODY`` where there is none."""
    clash: Flags
    """Where another duty is of the same rank as the winner."""

    @property
    def units(self) -> Ints:
        """The unit of each place and class; 0 = nobody."""
        return np.array([each.unit_id for each in self.duties] + [0], dtype=np.int64)[self.winner]


def allot(duties: Iterable[Duty], places: Ints, classes: Sequence[tuple[str, str]], on: date) -> Allotment:
    """Resolve all places and classes. ``places``: (n, 5) ids of the areas that hold each, by ``LEVELS``, 0 =
    none; ``classes``: kind and code.
    """
    where = _places_of_areas(places)
    ranked = sorted(
        (
            (*rank(each, where[each.area_id][0]), each.valid_from, each.id, each)
            for each in duties
            if each.area_id in where and each.holds_on(on)
        ),
        key=lambda entry: entry[:5],
    )
    standing = tuple(entry[5] for entry in ranked)
    # The rank of "nobody", found by index -1, is below all.
    ranks = np.array(
        [level * 1000 + length * 2 + named for level, length, named, *_rest in ranked] + [NOBODY],
        dtype=np.int32,
    )
    winner = np.full((len(places), len(classes)), NOBODY, dtype=np.int32)
    clash = np.zeros(winner.shape, dtype=bool)
    columns: dict[tuple[str, str], Ints] = {}
    for index, each in enumerate(standing):
        key = (each.kind, each.prefix)
        if key not in columns:
            columns[key] = np.array(
                [n for n, (kind, code) in enumerate(classes) if each.covers(kind, code)], dtype=np.int64
            )
        block = np.ix_(where[each.area_id][1], columns[key])
        # A second one of the same rank is a clash; a finer one settles what was disputed below it.
        clash[block] = ranks[winner[block]] == ranks[index]
        winner[block] = index
    return Allotment(standing, winner, clash)


def _places_of_areas(places: Ints) -> dict[int, tuple[int, Ints]]:
    """Area → its level and the indices of the places that it holds."""
    found: dict[int, tuple[int, Ints]] = {}
    for level in range(len(LEVELS) if len(places) else 0):
        order = np.argsort(places[:, level], kind="stable")
        ids, first = np.unique(places[order, level], return_index=True)
        for area_id, inside in zip(ids.tolist(), np.split(order, first[1:]), strict=True):
            if area_id:
                found[area_id] = (level, inside)
    return found


@dataclass(frozen=True)
class Block:
    """An area and a group of classes; ``kind`` and ``prefix`` as in a duty."""

    level: int
    area_id: int
    kind: str
    prefix: str
    places: int
    classes: int


def largest_blocks(
    marked: Flags, places: Ints, classes: Sequence[tuple[str, str]], limit: int = 2000
) -> list[Block]:
    """What is marked, told in as few and large blocks as can be named, the largest first.

    A block is named when all of it is marked and neither the next larger area nor the next larger group of
    classes is; then the largest are taken until nothing is left. Blocks may share places. More than ``limit``
    are not told.
    """
    if not marked.any():
        return []
    areas = _areas(places)
    groups = _groups(classes)
    by_area = np.stack([marked[inside].all(axis=0) for _level, _id, inside, _above in areas])
    whole = np.stack([by_area[:, inside].all(axis=1) for _kind, _prefix, inside, _above in groups], axis=1)
    # One more row and column, found by index -1: nothing is above the largest.
    padded = np.pad(whole, ((0, 1), (0, 1)))
    above_area = np.array([larger for *_rest, larger in areas])
    above_groups = np.array([above for *_rest, above in groups])
    named = whole & ~padded[above_area][:, :-1]
    for above in above_groups.T:
        named &= ~padded[:-1][:, above]
    left = marked.copy()
    blocks: list[Block] = []
    candidates = [(len(areas[a][2]) * len(groups[g][2]), a, g) for a, g in np.argwhere(named).tolist()]
    for _size, a, g in sorted(candidates, key=lambda each: (-each[0], each[1], each[2])):
        level, area_id, inside, _above = areas[a]
        kind, prefix, columns, _upper = groups[g]
        box = np.ix_(inside, columns)
        if left[box].any():
            left[box] = False
            blocks.append(Block(level, area_id, kind, prefix, len(inside), len(columns)))
            if len(blocks) == limit:
                break
    return blocks


def _areas(places: Ints) -> list[tuple[int, int, Ints, int]]:
    """Level, id, places and index of the next larger area (-1: none) of every area that holds a place."""
    found = sorted(
        ((level, area_id, inside) for area_id, (level, inside) in _places_of_areas(places).items()),
        key=lambda each: each[:2],
    )
    index = {area_id: n for n, (_level, area_id, _inside) in enumerate(found)}
    listed = []
    for level, area_id, inside in found:
        above = [i for i in places[inside[0], :level].tolist() if i]
        listed.append((level, area_id, inside, index[above[-1]] if above else -1))
    return listed


def _groups(classes: Sequence[tuple[str, str]]) -> list[tuple[str, str, Ints, tuple[int, int]]]:
    """Kind, prefix, classes and the indices of the next larger groups (-1: none) of every group.

    Groups are all, a major and one class, each of one kind and, where both have it, of both.
    """
    members: dict[tuple[str, str], list[int]] = {}
    for n, (kind, code) in enumerate(classes):
        for prefix in dict.fromkeys(("", code[:2], code)):
            members.setdefault((kind, prefix), []).append(n)
    for kind, prefix in list(members):
        if not prefix or len({k for k, p in members if k and p == prefix}) > 1:
            members.setdefault(("", prefix), []).extend(members[kind, prefix])
    index = {key: n for n, key in enumerate(members)}

    def above(kind: str, prefix: str) -> tuple[int, int]:
        shorter = prefix[:2] if len(prefix) > 2 else ""
        return (
            index.get((kind, shorter), -1) if prefix else -1,
            index.get(("", prefix), -1) if kind else -1,
        )

    return [(*key, np.array(sorted(inside)), above(*key)) for key, inside in members.items()]
