"""What a command on cases would do, told before it is done: by the very checks that carry it out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from sqlalchemy import BigInteger, Connection, func, select, type_coerce
from sqlalchemy import case as when

from db.cases.commands.moving import CaseRow, Moving, Plan, plan_of
from db.cases.rules import STATES
from db.cases.tables import case
from db.cases.workflow import Clock
from db.engine import settings
from db.engine.among import among
from db.engine.bus import demand_permission, wants_second_officer
from db.engine.unit_of_work import Reading
from db.kernel.actor import Actor
from db.kernel.clock import to_ms
from db.kernel.moved import LeftOut, Moved
from db.people.queries import on_duty

__all__ = ["Foresight", "LeftOut", "Moved", "UnitLoad", "foresee"]

Pair = tuple[int, int]
"""Before and after."""
_NOTHING = (0, 0, 0)


@dataclass(frozen=True)
class UnitLoad:
    """What a unit has in hand before and after; what is ``overdue`` is not ``due_today`` (still to come)."""

    unit_id: int
    open: Pair
    due_today: Pair
    overdue: Pair
    on_shift: tuple[str, ...]
    """Who is there now, as far as the program knows."""


@dataclass(frozen=True)
class Foresight:
    """What a command would do at this moment."""

    verb: str
    moving: tuple[int, ...]
    left_out: tuple[LeftOut, ...]
    restarting: tuple[int, ...]
    """Of those that move, the cases whose whole limit counts anew."""
    loads: tuple[UnitLoad, ...]
    """The units that win or lose a case, or whose cases change their light, most of them first."""
    second_officer: bool
    """Somebody else has to confirm it: more cases than the setting lets one officer move."""
    stamp: int
    """The journal's number when it was looked; a greater one now means that it may be otherwise."""
    versions: tuple[int, ...] = field(repr=False, default=())
    """The version of each case that moves: given to the command, nobody quicker is written over."""


def foresee(connection: Connection, command: Any, actor: Actor, now: datetime) -> Foresight:
    """What ``command`` would do if ``actor`` gave it now. Nothing is written.

    Raises ``Refused`` when it cannot be meant at all: not permitted, no such unit, a word that is empty.
    """
    demand_permission(command, actor)
    stamp = int(connection.exec_driver_sql("SELECT seq FROM journal_head").scalar() or 0)
    plan = plan_of(command, Reading(connection, actor, now))
    return Foresight(
        plan.verb,
        tuple(plan.moving),
        plan.left_out,
        tuple(i for i, each in plan.moving.items() if _counts_anew(each)),
        _loads(connection, plan, now),
        wants_second_officer(connection, command),
        stamp,
        tuple(each.was["version"] for each in plan.moving.values()),
    )


def _counts_anew(each: Moving) -> bool:
    if each.move.clock is Clock.START:
        return each.was["dispatched_at"] is not None
    return each.move.clock is Clock.RESTART


class _Day:
    """The moments that tell open, due today and overdue apart."""

    def __init__(self, connection: Connection, now: datetime) -> None:
        local = now.astimezone(settings.zone_of(connection))
        midnight = (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        self.now, self.midnight = now, midnight

    @cached_property
    def now_ms(self) -> int:
        return to_ms(self.now)

    @cached_property
    def midnight_ms(self) -> int:
        return to_ms(self.midnight)

    def counts(self, row: Mapping[str, Any]) -> tuple[int, int, int]:
        """What one case adds to its unit: open, due today, overdue."""
        if not STATES[row["state"]].open:
            return _NOTHING
        due = row["due_at"]
        if due is None:
            return 1, 0, 0
        stands = row["handled_at"] or row["paused_at"]
        if (stands or self.now) > due:
            return 1, 0, 1
        return 1, int(stands is None and due < self.midnight), 0


def _loads(connection: Connection, plan: Plan, now: datetime) -> tuple[UnitLoad, ...]:
    day = _Day(connection, now)
    changed: dict[int, Counter[int]] = {}

    def add(row: CaseRow, sign: int) -> None:
        if row["unit_id"] is not None:
            found = changed.setdefault(row["unit_id"], Counter())
            for place, count in enumerate(day.counts(row)):
                found[place] += sign * count

    for each in plan.moving.values():
        add(each.was, -1)
        add({**each.was, **each.change}, 1)
    touched = [unit_id for unit_id, difference in changed.items() if any(difference.values())]
    before = _standing(connection, touched, day)
    there = on_duty(connection, now) if touched else {}
    loads = []
    for unit_id in touched:
        had = before.get(unit_id, _NOTHING)
        pairs = [(count, count + changed[unit_id][place]) for place, count in enumerate(had)]
        loads.append(UnitLoad(unit_id, pairs[0], pairs[1], pairs[2], there.get(unit_id, ())))
    return tuple(sorted(loads, key=lambda load: -abs(load.open[1] - load.open[0])))


def _standing(connection: Connection, unit_ids: Iterable[int], day: _Day) -> dict[int, tuple[int, int, int]]:
    """What units have in hand, from the index of open cases alone."""
    due = type_coerce(case.c.due_at, BigInteger)
    stands = func.coalesce(
        type_coerce(case.c.handled_at, BigInteger), type_coerce(case.c.paused_at, BigInteger)
    )
    over = func.coalesce(stands, day.now_ms) > due
    today = stands.is_(None) & (due >= day.now_ms) & (due < day.midnight_ms)
    rows = connection.execute(
        select(
            case.c.unit_id,
            func.count(),
            func.sum(when((today, 1), else_=0)),
            func.sum(when((over, 1), else_=0)),
        )
        .where(among(case.c.unit_id, unit_ids), case.c.closed_at.is_(None))
        .group_by(case.c.unit_id)
    )
    return {row[0]: (int(row[1]), int(row[2]), int(row[3])) for row in rows}
