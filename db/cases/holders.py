"""件件有着落: every open case has somebody who holds it, and which ones have not (DOMAIN 4 no. 69)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import numpy as np
from sqlalchemy import Connection, func, select

from db.cases.rules import BEFORE_DISPATCH
from db.cases.tables import case
from db.duties.queries import leaders, responsible_many
from db.engine.among import among
from db.people.tables import person, unit


@dataclass(frozen=True)
class Holderless:
    """An open case that nobody can be named for; ``why`` is a key of ``db.duties.book.WHY``."""

    case_id: int
    number: str
    state: str
    why: str


def holderless(connection: Connection, on: date) -> list[Holderless]:
    """The open cases whose unit or person cannot be named, the oldest first.

    A dispatched case is held by its ``holder_id`` while that person is active, else by the leader of its
    unit. Before dispatch it is held by whoever the matrix of duties names for its class and place: there
    must be somebody it can be sent to.
    """
    c = case.c
    rows = connection.execute(
        select(
            c.id,
            c.number,
            c.state,
            c.unit_id,
            c.holder_id,
            c.category_id,
            c.district_id,
            c.community_id,
            c.patrol_id,
            c.cell_id,
        )
        .where(c.closed_at.is_(None))
        .order_by(c.id)
    ).all()
    active_units = set(connection.execute(select(unit.c.id).where(unit.c.active)).scalars())
    people = connection.execute(
        select(person.c.id, person.c.code, person.c.unit_id, person.c.post, person.c.active)
    ).all()
    leads = leaders(people)
    active = {row.id for row in people if row.active}
    waiting = [n for n, row in enumerate(rows) if row.unit_id is None or row.state in BEFORE_DISPATCH]
    units, persons = responsible_many(
        connection,
        np.array([rows[n].category_id for n in waiting], dtype=np.int64),
        np.array([[0, *(v or 0 for v in rows[n][6:])] for n in waiting], dtype=np.int64).reshape(-1, 5),
        on,
    )
    named = dict(zip(waiting, zip(units.tolist(), persons.tolist(), strict=True), strict=True))
    found = []
    for n, row in enumerate(rows):
        if n in named:
            unit_id, person_id = named[n]
        else:
            unit_id = row.unit_id
            person_id = row.holder_id if row.holder_id in active else leads.get(unit_id, 0)
        why = (
            "nobody"
            if not unit_id
            else "inactive_unit"
            if unit_id not in active_units
            else "no_person"
            if not person_id
            else ""
        )
        if why:
            found.append(Holderless(row.id, row.number, row.state, why))
    return found


def in_hand(connection: Connection, category_ids: Iterable[int], cell_ids: Iterable[int]) -> dict[int, int]:
    """How many dispatched open cases of these classes each unit has in these cells: they stay with it when
    the matrix changes.
    """
    c = case.c
    rows = connection.execute(
        select(c.unit_id, func.count())
        .where(
            c.closed_at.is_(None),
            c.unit_id.is_not(None),
            among(c.cell_id, cell_ids),
            among(c.category_id, category_ids),
        )
        .group_by(c.unit_id)
    )
    return dict(rows.all())
