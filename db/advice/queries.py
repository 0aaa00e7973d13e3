"""Advice for dispatch: which unit will finish a case, how sure that is, and why."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from weakref import WeakKeyDictionary

import numpy as np
from sqlalchemy import Connection, Engine, func, select

from db.advice.judging import Matrix, Questions, judge
from db.advice.learning import History, learn
from db.advice.rules import Advice, Reason
from db.cases.tables import case
from db.duties.book import DutyBook
from db.duties.queries import class_codes, duty_book
from db.duties.tables import duty
from db.engine import settings
from db.engine.among import among
from db.people.queries import on_duty
from db.people.tables import person, unit
from db.registers.tables import area


def advise(connection: Connection, case_ids: Iterable[int], now: datetime) -> dict[int, Advice]:
    """Advice for each case that there is, whatever its state.

    10,000 cases in some 0.2 s once history is learned; the first question of a program learns it (see
    ``prepare``).
    """
    history = _history(connection, now)
    matrix = _matrix(connection, now)
    ids, asked = questions(connection, case_ids)
    verdicts = judge(history, matrix, asked)
    shift = on_duty(connection, now)
    load: dict[int, int] = dict(
        connection.execute(
            select(case.c.unit_id, func.count())
            .where(case.c.closed_at.is_(None), case.c.unit_id.is_not(None))
            .group_by(case.c.unit_id)
        ).all()
    )
    units = matrix.book.units
    found: dict[int, Advice] = {}
    rows = zip(
        ids,
        verdicts.unit.tolist(),
        verdicts.person.tolist(),
        verdicts.other.tolist(),
        verdicts.precision.tolist(),
        verdicts.code.tolist(),
        verdicts.hits.tolist(),
        verdicts.seen.tolist(),
        verdicts.said.tolist(),
        strict=True,
    )
    for case_id, unit_id, person_id, other_id, sure, code, hits, total, said in rows:
        facts = {
            "unit": units.get(unit_id),
            "other": units.get(other_id),
            "hits": hits,
            "total": total,
            "on_shift": unit_id in shift,
            "open": load.get(unit_id, 0),
        }
        found[case_id] = Advice(
            unit_id if said else None,
            (person_id or None) if said else None,
            sure if said else 0.0,
            Reason(code, facts),
            (unit_id or None) if code != "gone" else None,
        )
    return found


def prepare(connection: Connection, now: datetime) -> None:
    """Learn today's history, unless that was done: for a thread in the background, so that nobody waits."""
    _learn(connection, _today(connection, now))
    _matrix(connection, now)


def questions(connection: Connection, case_ids: Iterable[int]) -> tuple[list[int], Questions]:
    """What is asked about cases, with their ids in the same order."""
    c = case.c
    rows = connection.execute(
        select(
            c.id, c.category_id, c.district_id, c.community_id, c.patrol_id, c.cell_id, c.lon, c.lat
        ).where(among(c.id, case_ids))
    ).all()
    ids = np.array([[v or 0 for v in row[:6]] for row in rows], dtype=np.int64).reshape(-1, 6)
    at = np.array([row[6:] for row in rows], dtype=np.float64).reshape(-1, 2)
    _case, category, district, community, patrol, cell = ids.T
    return ids[:, 0].tolist(), Questions(category, district, community, patrol, cell, at[:, 0], at[:, 1])


@dataclass(frozen=True)
class _Learned:
    day: date
    history: History


# For each open database; they go with it.
_learned: WeakKeyDictionary[Engine, _Learned] = WeakKeyDictionary()
_matrices: WeakKeyDictionary[Engine, tuple[tuple[object, ...], Matrix]] = WeakKeyDictionary()
_learning = threading.Lock()


def _history(connection: Connection, now: datetime) -> History:
    """What was learned last; yesterday's is good enough until ``prepare`` has made today's."""
    known = _learned.get(connection.engine)
    return known.history if known is not None else _learn(connection, _today(connection, now))


def _learn(connection: Connection, today: date) -> History:
    with _learning:
        known = _learned.get(connection.engine)
        if known is None or known.day != today:
            known = _Learned(today, learn(connection, duty_book(connection), class_codes(connection)))
            _learned[connection.engine] = known
        return known.history


def _matrix(connection: Connection, now: datetime) -> Matrix:
    """Today's duties; made anew as soon as a row of the matrix has changed."""
    today = _today(connection, now)
    # The number of rows and the sum of their versions change with every change of a row.
    mark = (
        today,
        *(
            tuple(
                connection.execute(
                    select(func.count(), func.sum(table.c.version), func.max(table.c.id))
                ).one()
            )
            for table in (duty, unit, person, area)
        ),
    )
    known = _matrices.get(connection.engine)
    if known is not None and known[0] == mark:
        return known[1]
    book: DutyBook = duty_book(connection)
    made = Matrix(connection, book, class_codes(connection), today)
    _matrices[connection.engine] = (mark, made)
    return made


def _today(connection: Connection, now: datetime) -> date:
    return now.astimezone(settings.zone_of(connection)).date()
