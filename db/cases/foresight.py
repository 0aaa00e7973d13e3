"""What a command on cases would do, told before it is done: by the very checks that carry it out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from db.cases.commands.moving import Moving, Plan, plan_of
from db.cases.rules import STATES
from db.cases.tables import case
from db.cases.workflow import Clock, Move
from db.engine import settings
from db.engine.bus import Undo, demand_permission, entry_of, undo_wants_second_officer, wants_second_officer
from db.engine.rows import uncollected
from db.engine.undoing import CANNOT, recall
from db.engine.unit_of_work import Reading
from db.kernel.actor import Actor
from db.kernel.clock import to_ms
from db.kernel.moved import LeftOut, Moved
from db.kernel.refusal import Refused
from db.people.queries import on_duty

__all__ = ["Foresight", "LeftOut", "Moved", "UnitLoad", "foresee", "foresee_undo"]

UNDO = "undo"

Pair = tuple[int, int]
"""Before and after."""
Counts = tuple[int, int, int]
"""Open, due today, overdue."""
_NOTHING = (0, 0, 0)
_UNREAD = frozenset(
    {
        "source",
        "reported_at",
        "filed_at",
        "condition_version",
        "exempt",
        "parent_id",
        "merged_into_id",
        "address",
        "description",
        "original_x",
        "original_y",
        "datum",
        "foreign_system",
        "foreign_number",
        "foreign_due_at",
        "reporter_person_id",
        "component_id",
    }
)
"""What no rule of a move looks at: reading it for ten thousand cases took longer than judging them."""
_TURNING = frozenset({"due_at", "handled_at", "paused_at"})
_COUNTED = _TURNING | {"state"}


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
    with uncollected():
        plan = plan_of(command, Reading(connection, actor, now, _UNREAD))
        loads = _loads(connection, plan, now)
    return Foresight(
        plan.verb,
        tuple(plan.moving),
        plan.left_out,
        tuple(i for i, each in plan.moving.items() if _counts_anew(each)),
        loads,
        wants_second_officer(connection, command),
        stamp,
        tuple(each.was["version"] for each in plan.moving.values()),
    )


def foresee_undo(connection: Connection, command: Undo, actor: Actor, now: datetime) -> Foresight:
    """What taking back an entry would do now, told in the same way. Nothing is written."""
    entry = entry_of(command, connection)
    if entry is None or entry["is_bulk"]:
        raise Refused("cannot_undo", CANNOT)
    reading = Reading(connection, actor, now, _UNREAD)
    with uncollected():
        found = recall(Reading(connection, actor, now), entry)
        if found.fault is not None:
            raise found.fault
        ids = sorted(found.wholes - found.lost.keys())
        were, values = reading.rows(case, ids), found.restored(case) if case in found.diffs else {}
        moving = {}
        for case_id in ids:
            was, change = were[case_id], values.get(case_id, {})
            state = change.get("state", was["state"])
            step = Move(was["state"], UNDO, state, "", frozenset(), Clock.KEEP)
            moving[case_id] = Moving(was, {**change, "state": state}, step)
        left_out = tuple(found.lost.values())
        loads = _loads(connection, Plan(UNDO, moving, left_out), now)
        second_officer = undo_wants_second_officer(connection, entry, len(ids))
    return Foresight(UNDO, tuple(ids), left_out, (), loads, second_officer, entry["seq"])


def _counts_anew(each: Moving) -> bool:
    if each.move.clock is Clock.START:
        return each.was["dispatched_at"] is not None
    return each.move.clock is Clock.RESTART


class _Day:
    """The moments that tell open, due today and overdue apart."""

    def __init__(self, connection: Connection, now: datetime) -> None:
        local = now.astimezone(settings.zone_of(connection))
        tomorrow = (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        self.now = now
        self.midnight = tomorrow.astimezone(UTC)

    def counts(self, row: Mapping[str, Any]) -> Counts:
        """What one case adds to its unit."""
        if not STATES[row["state"]].open:
            return _NOTHING
        due, stands = row["due_at"], row["handled_at"] or row["paused_at"]
        if due is None:
            return 1, 0, 0
        if (stands or self.now) > due:
            return 1, 0, 1
        return 1, int(stands is None and due < self.midnight), 0


def _loads(connection: Connection, plan: Plan, now: datetime) -> tuple[UnitLoad, ...]:
    day = _Day(connection, now)
    # Thousands of cases are of a few kinds only: counted by kind first, the sums are short.
    kinds: Counter[tuple[int | None, Counts, int]] = Counter()
    for each in plan.moving.values():
        was, change = each.was, each.change
        before = after = day.counts(was)
        if change["state"] != was["state"] or not _TURNING.isdisjoint(change):
            after = day.counts({name: change.get(name, was[name]) for name in _COUNTED})
        kinds[was["unit_id"], before, -1] += 1
        kinds[change.get("unit_id", was["unit_id"]), after, 1] += 1
    changed: dict[int, list[int]] = {}
    for (unit_id, counts, sign), times in kinds.items():
        if unit_id is not None:
            found = changed.setdefault(unit_id, [0, 0, 0])
            for place, count in enumerate(counts):
                found[place] += sign * times * count
    touched = [unit_id for unit_id, difference in changed.items() if any(difference)]
    standing = _standing(connection, touched, day)
    there = on_duty(connection, now) if touched else {}
    loads = []
    for unit_id in touched:
        had = standing.get(unit_id, _NOTHING)
        pairs = [(count, count + changed[unit_id][place]) for place, count in enumerate(had)]
        loads.append(UnitLoad(unit_id, pairs[0], pairs[1], pairs[2], there.get(unit_id, ())))
    return tuple(sorted(loads, key=lambda load: -abs(load.open[1] - load.open[0])))


_STANDING = """
SELECT unit_id,
  count(*),
  sum(CASE WHEN handled_at IS NULL AND paused_at IS NULL AND due_at >= :now AND due_at < :midnight
      THEN 1 ELSE 0 END),
  sum(CASE WHEN coalesce(handled_at, paused_at, :now) > due_at THEN 1 ELSE 0 END)
FROM cases {index} WHERE closed_at IS NULL AND unit_id IN ({units}) GROUP BY unit_id
"""


def _standing(connection: Connection, unit_ids: Iterable[int], day: _Day) -> dict[int, Counts]:
    """What units have in hand, from the index of open cases alone."""
    # Left to itself SQLite walks the rows of all open cases: it has no figures of how few units there are.
    index = "INDEXED BY ix_cases_open" if connection.dialect.name == "sqlite" else ""
    wanted = ", ".join(map(str, unit_ids))
    if not wanted:
        return {}
    rows = connection.execute(
        text(_STANDING.format(index=index, units=wanted)),
        {"now": to_ms(day.now), "midnight": to_ms(day.midnight)},
    )
    return {row[0]: (int(row[1]), int(row[2]), int(row[3])) for row in rows}
