"""How long the rest of a case usually takes, learned from the history of this very city.

The disposal clock runs from the first dispatch until the unit hands the case back. What is usual is the
median of the newest cases that went that way, by stage and major class; a stage of which little is known goes
by all classes. Time is counted as it passes, nights and holidays included, as is the time left.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import BigInteger, Connection, func, select, type_coerce

from db.cases.queries import CLOSINGS
from db.cases.tables import case as cases
from db.cases.tables import step
from db.engine.connections import Database
from db.live.columns import Int64
from db.live.days import day_of
from db.live.directory import Directory, load_directory

NEWEST = 50_000
"""So many of the newest closed cases are looked at."""
ENOUGH = 20
"""Fewer of a class say nothing about it."""
WAITS, WORKED_ON = "pending_handle", "handling"
"""The stages that are learned: from the dispatch, and from the receipt, until the hand-back."""
_SUSPENDED = "suspended"


@dataclass(frozen=True)
class Remaining:
    """Usual time until the hand-back in milliseconds, by stage, then by major class ("" = all classes)."""

    usual: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    cases: int = 0
    """How many cases it was learned from."""

    def of(self, state: str, major: str) -> int:
        """The usual rest of a case of a class in a state; 0 where no clock runs, or nothing is known."""
        known = self.usual.get(WORKED_ON if state == _SUSPENDED else state, {})
        return known.get(major, known.get("", 0))


NOTHING_LEARNED = Remaining()


class RemainingDays:
    """Keeps what was learned for a day; for worker threads, as learning takes up to a second."""

    def __init__(self, database: Database, zone: ZoneInfo) -> None:
        self.database = database
        self.zone = zone
        self._kept: tuple[date, Remaining] | None = None

    def of(self, now_ms: int) -> Remaining:
        """What is usual on the local day of a moment; raises ``Unavailable``."""
        day = day_of(now_ms, self.zone)
        if self._kept is None or self._kept[0] != day:
            with self.database.read() as connection:
                self._kept = day, load_remaining(connection, load_directory(connection))
        return self._kept[1]


def load_remaining(connection: Connection, directory: Directory) -> Remaining:
    """Learn from the newest closed cases: two walks along an index, whatever the size of the table."""
    dispatched, handled, closed = (
        type_coerce(cases.c[name], BigInteger) for name in ("dispatched_at", "handled_at", "closed_at")
    )
    newest = (
        select(cases.c.id, cases.c.category_id, dispatched.label("began"), handled.label("ended"))
        .where(closed.is_not(None), cases.c.state.in_(sorted(CLOSINGS)))
        .where(dispatched.is_not(None), handled.is_not(None))
        .order_by(closed.desc())
        .limit(NEWEST)
        .subquery()
    )
    # A case that was worked on twice counts from the last time that it was received.
    received = func.max(type_coerce(step.c.at, BigInteger)).label("at")
    last = (
        select(step.c.case_id, received)
        .join(newest, newest.c.id == step.c.case_id)
        .where(step.c.verb == "receive")
        .group_by(step.c.case_id)
        .subquery()
    )
    query = select(newest.c.category_id, newest.c.began, newest.c.ended, last.c.at).outerjoin(
        last, last.c.case_id == newest.c.id
    )
    rows = np.array(
        [(row[0], row[1], row[2], row[3] or 0) for row in connection.execute(query)], dtype=np.int64
    ).reshape(-1, 4)
    majors = directory.major_of
    category, began, ended, at = rows.T
    worked = (at > 0) & (at <= ended)
    usual = {
        WAITS: _medians(category, ended - began, majors),
        WORKED_ON: _medians(category[worked], (ended - at)[worked], majors),
    }
    if not usual[WORKED_ON]:
        # Histories without steps, as imports bring them: then what is known of the whole has to do.
        usual[WORKED_ON] = usual[WAITS]
    return Remaining(usual, len(rows))


def _medians(category: Int64, took: Int64, majors: Mapping[int, str]) -> dict[str, int]:
    if not len(took):
        return {}
    found = {"": int(np.median(took))}
    keys = np.array([majors.get(int(one), "") for one in category])
    for key in _names(keys):
        of_class = took[keys == key]
        if key and len(of_class) >= ENOUGH:
            found[key] = int(np.median(of_class))
    return found


def _names(keys: np.ndarray[tuple[int, ...], np.dtype[np.str_]]) -> Iterable[str]:
    return [str(key) for key in np.unique(keys)]
