"""How good advice would have been: learned from earlier months, asked about later ones."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise

import numpy as np
from sqlalchemy import BigInteger, Connection, func, select, type_coerce

from db.advice.judging import Matrix, Questions, judge
from db.advice.learning import learn
from db.cases.tables import case
from db.duties.queries import class_codes, duty_book
from db.engine import settings
from db.kernel.clock import from_ms, to_ms
from db.kernel.language import N_
from db.kernel.refusal import Refused

THRESHOLDS = (0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995)
_BANDS = (0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995, 1.0)


@dataclass(frozen=True)
class AtThreshold:
    """What would have come of advice at or above a threshold."""

    threshold: float
    said: int
    right: int
    asked: int

    @property
    def precision(self) -> float:
        return self.right / self.said if self.said else 0.0

    @property
    def coverage(self) -> float:
        return self.said / self.asked if self.asked else 0.0


@dataclass(frozen=True)
class Band:
    """Advice whose estimated precision lies between two values: the mean estimate and what came true."""

    begins: float
    ends: float
    said: int
    estimated: float
    right: float


@dataclass(frozen=True)
class Evaluation:
    """The report. ``by_duty`` counts the held-out cases that the matrix alone would have got right, and
    ``first`` those whose first dispatch was.
    """

    cut: datetime
    learned: int
    asked: int
    by_threshold: tuple[AtThreshold, ...]
    bands: tuple[Band, ...]
    abstained: dict[str, int]
    by_duty: int
    first: int


def evaluate(connection: Connection, months: int = 3) -> Evaluation:
    """Hold the newest ``months`` of closed cases out, learn from what was reported before, and ask.

    The right answer is the unit that closed the case. The matrix is asked as it stood on the day of the cut,
    so that nothing from the later months is known. Raises ``Refused`` when either part is empty.
    """
    c = case.c
    moment = type_coerce(c.reported_at, BigInteger)
    closed = (c.state == "closed") & c.unit_id.is_not(None)
    newest = connection.execute(select(func.max(moment)).where(closed)).scalar()
    if newest is None:
        raise Refused("no_history", N_("There are no closed cases to learn from."))
    zone = settings.zone_of(connection)
    last = from_ms(newest).astimezone(zone)
    month = last.year * 12 + last.month - 1 - months
    first_day = date(month // 12, month % 12 + 1, min(last.day, 28))
    cut = datetime(first_day.year, first_day.month, first_day.day, tzinfo=zone)
    book, codes = duty_book(connection), class_codes(connection)
    history = learn(connection, book, codes, before_ms=to_ms(cut))
    matrix = Matrix(connection, book, codes, first_day)
    columns = (c.category_id, c.district_id, c.community_id, c.patrol_id, c.cell_id, c.unit_id, c.moves)
    rows = connection.execute(select(*columns, c.lon, c.lat).where(closed, moment >= to_ms(cut))).all()
    if not history.cases or not rows:
        raise Refused("no_history", N_("There are no closed cases to learn from."))
    ids = np.array([[v or 0 for v in row[:7]] for row in rows], dtype=np.int64)
    at = np.array([row[7:] for row in rows], dtype=np.float64)
    category, district, community, patrol, cell, truth, moves = ids.T
    asked = Questions(category, district, community, patrol, cell, at[:, 0], at[:, 1])
    verdicts = judge(history, matrix, asked)
    said, sure = verdicts.said, verdicts.precision
    right = said & (verdicts.unit == truth)
    by_threshold = tuple(
        AtThreshold(t, int((said & (sure >= t)).sum()), int((right & (sure >= t)).sum()), len(rows))
        for t in THRESHOLDS
    )
    bands = []
    for begins, ends in pairwise(_BANDS):
        inside = said & (sure >= begins) & ((sure < ends) | (ends == _BANDS[-1]))
        if inside.any():
            estimate, share = float(sure[inside].mean()), float(right[inside].mean())
            bands.append(Band(begins, ends, int(inside.sum()), estimate, share))
    places = np.column_stack([np.zeros_like(cell), district, community, patrol, cell])
    by_duty, _person, _other = matrix.answers(asked, places)
    return Evaluation(
        cut,
        history.cases,
        len(rows),
        by_threshold,
        tuple(bands),
        dict(Counter(verdicts.code[~said].tolist()).most_common()),
        int((by_duty == truth).sum()),
        int((moves == 0).sum()),
    )
