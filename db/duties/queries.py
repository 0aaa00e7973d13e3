"""Reading who is responsible: for one place and class, for many at once, and the proof over the city."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, select

from db.duties.book import AreaName, ClassName, Coverage, DutyBook, Named, PersonName, prove
from db.duties.rules import LEVELS, Duty, Ints, allot, resolve
from db.duties.tables import duty
from db.engine import settings
from db.people.tables import person, unit
from db.registers.tables import area, category

_LEADING = "leader"
"""The post that leads a unit; in a unit without it, the active person with the lowest code does."""


@dataclass(frozen=True)
class Responsible:
    """Who answers, and by which row of the matrix."""

    unit_id: int
    person_id: int | None
    """``None``: no active person can be named."""
    duty: Duty


def duties(connection: Connection, on: date | None = None) -> list[Duty]:
    """All rows of the matrix, or those in force on a day."""
    query = select(duty).order_by(duty.c.id)
    if on is not None:
        query = query.where(duty.c.valid_from <= on, duty.c.valid_to.is_(None) | (duty.c.valid_to >= on))
    return [_duty(row) for row in connection.execute(query)]


def responsible(
    connection: Connection, kind: str, code: str, area_ids: Iterable[int | None], on: date
) -> Responsible | None:
    """Who answers for a class (kind and code of GB/T 47678.5-2026) at a place, on a day.

    ``area_ids`` are the areas that hold the place, in any order; the city is added. A duty whose unit is no
    longer active is passed by. ``None``: nobody.
    """
    named = [each for each in area_ids if each]
    levels = {
        row.id: LEVELS.index(row.kind)
        for row in connection.execute(
            select(area.c.id, area.c.kind).where(area.c.id.in_(named) | (area.c.kind == "city"))
        )
        if row.kind in LEVELS
    }
    rows = connection.execute(
        select(duty).join(unit, unit.c.id == duty.c.unit_id).where(duty.c.area_id.in_(levels), unit.c.active)
    )
    found = resolve((_duty(row) for row in rows), kind, code, levels, on)
    if found is None:
        return None
    people = {row.id: row for row in _people(connection, found.unit_id)}
    if found.person_id is None:
        return Responsible(found.unit_id, leaders(people.values()).get(found.unit_id), found)
    active = select(person.c.id).where(person.c.id == found.person_id, person.c.active)
    return Responsible(found.unit_id, connection.execute(active).scalar(), found)


def responsible_for(
    connection: Connection, category_id: int, area_ids: Iterable[int | None], on: date
) -> Responsible | None:
    """``responsible`` for a category, also one of an older standard."""
    kind, code = class_codes(connection).get(category_id, ("", ""))
    return responsible(connection, kind, code, area_ids, on) if code else None


def responsible_many(connection: Connection, category_ids: Ints, places: Ints, on: date) -> tuple[Ints, Ints]:
    """Units and persons (0 = nobody) for many cases; ``places`` is (n, 5), area ids by ``LEVELS``, 0 = none.

    Classes of older standards answer as their successors do. The city may be left out of ``places``.
    """
    book = duty_book(connection)
    codes = class_codes(connection)
    city = next((each.id for each in book.areas.values() if each.kind == "city"), 0)
    filled = places.copy()
    filled[:, 0] = np.where(filled[:, 0] == 0, city, filled[:, 0])
    spots, spot = np.unique(filled, axis=0, return_inverse=True)
    ids, which = np.unique(category_ids, return_inverse=True)
    # A category that is not there matches nothing: no code begins with it.
    classes = [codes.get(each, ("", "")) for each in ids.tolist()]
    active = [each for each in book.duties if book.units[each.unit_id].active]
    found = allot(active, spots, classes, on)
    winner = found.winner[spot.reshape(-1), which.reshape(-1)]
    units = np.array([each.unit_id for each in found.duties] + [0], dtype=np.int64)
    persons = np.array([book.person_of(each) or 0 for each in found.duties] + [0], dtype=np.int64)
    return units[winner], persons[winner]


def class_codes(connection: Connection) -> dict[int, tuple[str, str]]:
    """Category → kind and code in the newest standard that it leads to (DOMAIN 0.2)."""
    rows = {row.id: row for row in connection.execute(select(category))}
    found = {}
    for category_id, row in rows.items():
        seen = {category_id}
        while row.successor_id in rows and row.successor_id not in seen:
            seen.add(row.successor_id)
            row = rows[row.successor_id]
        found[category_id] = (row.kind, row.code)
    return found


def coverage(connection: Connection, on: date) -> Coverage:
    """The proof for a day: every cell and every minor class of the city's standard."""
    return prove(duty_book(connection), on)


def duty_book(connection: Connection) -> DutyBook:
    """The whole matrix with its names; some tens of milliseconds for 3,600 cells."""
    a, c = area.c, category.c
    areas = {
        row.id: AreaName(row.id, row.code, row.name, row.name_en, True, row.kind, row.parent_id)
        for row in connection.execute(
            select(a.id, a.code, a.name, a.name_en, a.kind, a.parent_id).order_by(a.id)
        )
        if row.kind in LEVELS
    }
    patrols = {
        row.id: row.patrol_id for row in connection.execute(select(a.id, a.patrol_id).where(a.kind == "cell"))
    }
    cells = sorted(patrols, key=lambda each: areas[each].code)
    standard = settings.get(connection, "city.standard", "GB/T 47678.5-2026")
    classes = tuple(
        ClassName(row.id, row.code, row.name, row.name_en, True, row.kind, row.major_name, row.major_name_en)
        for row in connection.execute(select(category).where(c.standard == standard).order_by(c.kind, c.code))
    )
    units = {
        row.id: Named(row.id, row.code, row.name, row.name_en, row.active)
        for row in connection.execute(select(unit).order_by(unit.c.code))
    }
    people = _people(connection)
    persons = {row.id: PersonName(row.id, row.code, row.name, "", row.active, row.unit_id) for row in people}
    return DutyBook(
        np.array(cells, dtype=np.int64),
        np.array([_place(each, areas, patrols) for each in cells], dtype=np.int64).reshape(-1, len(LEVELS)),
        areas,
        classes,
        units,
        persons,
        leaders(people),
        tuple(duties(connection)),
    )


def leaders(people: Iterable[Any]) -> dict[int, int]:
    """Unit → the active person who leads it: by post, then by the lowest code."""
    found: dict[int, int] = {}
    for row in sorted(people, key=lambda each: (each.post != _LEADING, each.code)):
        if row.active:
            found.setdefault(row.unit_id, row.id)
    return found


def _people(connection: Connection, unit_id: int | None = None) -> Sequence[Any]:
    p = person.c
    query = select(p.id, p.code, p.name, p.unit_id, p.post, p.active).order_by(p.code)
    if unit_id is not None:
        query = query.where(p.unit_id == unit_id)
    return connection.execute(query).all()


def _place(cell: int, areas: dict[int, AreaName], patrols: dict[int, int | None]) -> list[int]:
    """The areas that hold a cell, by ``LEVELS``."""
    found = dict.fromkeys(LEVELS, 0)
    found["patrol"] = patrols[cell] or 0
    at: int | None = cell
    while at in areas:
        each = areas[at]
        found[each.kind] = each.id
        at = each.parent_id
    return list(found.values())


def _duty(row: Row[Any]) -> Duty:
    return Duty(
        row.id,
        row.kind,
        row.prefix,
        row.area_id,
        row.unit_id,
        row.person_id,
        row.valid_from,
        row.valid_to,
        row.note,
    )
