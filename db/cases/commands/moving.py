"""Moves cases along the table of transitions: first every case is checked and the move planned, then written.

A command moves all its cases, or none and tells the whole list of reasons; with ``leave_out`` those that
cannot move stay where they are and are listed. What is foreseen (``db.cases.foresight``) is the same plan.

Every move writes the case, a step of its history, the timer of its stage and the spans of its disposal clock.
``versions`` of a command (one per case, or none) say on which version of each the decision was made; a case
that has moved on since is refused.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, Table, select

from db.calendars.queries import load_calendar
from db.calendars.rules import Limit, LimitUnit, WorkingCalendar
from db.cases import clock as disposal
from db.cases.clock import PAUSED, RUNNING
from db.cases.leases import POOL, breaks_claim, end_leases, held_by_others
from db.cases.rules import BEFORE_DISPATCH, STAGES, STATES
from db.cases.scope import beyond
from db.cases.tables import case, photo, request, span, step, task, timer
from db.cases.workflow import PREVIOUS, VERB_LABELS, Clock, Move, Workflow
from db.engine import settings
from db.engine.among import among, among_given
from db.engine.bus import handles
from db.engine.rows import fetch, fetched
from db.engine.unit_of_work import Reading, UnitOfWork
from db.kernel.clock import from_ms, to_ms
from db.kernel.language import N_, _
from db.kernel.moved import LeftOut, Moved
from db.kernel.refusal import Refused, refuse_all
from db.kernel.text import clean
from db.people.tables import person

Ids = tuple[int, ...]
CaseRow = dict[str, Any]

STAGE_LIMITS = "stage.limits"
"""The setting with the limit of each stage: ``{stage: [minutes, counts working time only]}``; 0 = none."""

_PHASES = {
    "handle": "after",
    "verify_true": "verify",
    "verify_false": "verify",
    "pass_check": "check",
    "fail_check": "check",
}
_QUICKER = frozenset({"wrong_state", "changed_meanwhile"})
"""Refusals behind which there is somebody who was quicker."""
_GOES_ON = frozenset({Clock.START, Clock.RESTART, Clock.RESUME})
_RUNS = {Clock.START: "dispatch", Clock.RESTART: "rework", Clock.RESUME: "resume"}
_STANDS = {"grant_return": "return", "grant_suspend": "suspend", "handle": "check"}


class AboutCases(Protocol):
    """What the commands on cases have in common; some know ``leave_out`` besides."""

    @property
    def case_ids(self) -> Ids: ...
    @property
    def versions(self) -> Ids: ...


@dataclass(frozen=True)
class Moving:
    """One case on its move: as it was, what changes, and by which row of the table."""

    was: CaseRow
    change: CaseRow
    move: Move

    @property
    def to_state(self) -> str:
        return str(self.change["state"])

    @property
    def ends(self) -> bool:
        return STATES[self.was["state"]].open and not STATES[self.to_state].open

    @property
    def unit_id(self) -> int | None:
        found: int | None = self.change.get("unit_id", self.was["unit_id"])
        # A step says who had the case, also when it lost it by that step.
        return found if found is not None else self.was["unit_id"]


Then = Callable[[UnitOfWork, dict[int, CaseRow]], None]
"""What else a command writes, given the rows of the cases that moved as they were before."""


@dataclass(frozen=True)
class Plan:
    """What a command is going to do: every case checked, nothing written yet."""

    verb: str
    moving: dict[int, Moving]
    left_out: tuple[LeftOut, ...]
    note: str = ""
    then: Then | None = None
    clock_at: Callable[[CaseRow], datetime] | None = None
    calendar: WorkingCalendar | None = None


Planner = Callable[[Any, Reading], Plan]
P = TypeVar("P", bound=Planner)
_planners: dict[type, Planner] = {}


def moves(command_type: type) -> Callable[[P], P]:
    """Mark the one function that plans a command on cases; carrying out and foreseeing both go through it.

    The command then answers with the number of cases that moved, or with ``Moved`` when it may leave out.
    """

    def mark(planner: P) -> P:
        _planners[command_type] = planner

        def carry(command: Any, unit: UnitOfWork) -> int | Moved:
            plan = planner(command, unit)
            may_leave_out = bool(getattr(command, "leave_out", False))
            moved = tuple(carry_out(unit, plan, leave_out=may_leave_out))
            return Moved(moved, plan.left_out) if may_leave_out else len(moved)

        handles(command_type)(carry)
        return planner

    return mark


def plan_of(command: Any, view: Reading) -> Plan:
    """What a command would do now; raises ``Refused`` when it cannot be meant at all (no such unit …)."""
    return _planners[type(command)](command, view)


def foreseeable(command_type: type) -> bool:
    """Whether commands of this type are planned before they are carried out."""
    return command_type in _planners


def load_workflow(connection: Connection) -> Workflow:
    """The newest edition of the table of transitions."""
    return _workflow(tuple(map(tuple, fetched(connection.exec_driver_sql(_MOVES)))))


_MOVES = (
    "SELECT from_state, verb, to_state, permission, needs, clock FROM transition"
    " WHERE edition = (SELECT max(edition) FROM transition)"
)


@lru_cache(maxsize=4)
def _workflow(rows: tuple[tuple[str, ...], ...]) -> Workflow:
    """The table is asked for with every command, and changes with the law."""
    return Workflow(
        Move(before, verb, after, permission, frozenset(json.loads(needs)), Clock(clock))
        for before, verb, after, permission, needs, clock in rows
    )


def plan(
    view: Reading,
    verb: str,
    command: AboutCases,
    *,
    values: Callable[[CaseRow], CaseRow] = lambda _row: {},
    note: str = "",
    given: Callable[[CaseRow], Iterable[str]] = lambda _row: (),
    back_to: Callable[[CaseRow], str] | None = None,
    clock_of: Callable[[CaseRow, Clock], Clock] = lambda _row, clock: clock,
    clock_at: Callable[[CaseRow], datetime] | None = None,
    then: Then | None = None,
) -> Plan:
    """Check every case of a command that moves them by one verb of the table.

    ``values`` gives the further columns of one case and may refuse it; ``given`` what it has of that which
    the table demands. ``back_to`` is asked where the table says "previous", ``clock_of`` where the effect on
    the clock depends on the case, ``clock_at`` where the clock turned earlier than now. ``then`` writes what
    goes with it.
    """
    note = clean(note, 2000)
    has = frozenset({"note", "reason"} if note else ())
    workflow = load_workflow(view.connection)
    if "photo" in workflow.demands(verb):
        pictured = _pictured(view.connection, command.case_ids, _PHASES.get(verb, "before"))
    else:
        pictured = frozenset()
    calendar: WorkingCalendar | None = None

    known: dict[tuple[str, frozenset[str]], Move] = {}

    def move_of(row: CaseRow) -> Move:
        enough = has.union(given(row), ("photo",) if row["id"] in pictured else ())
        move = known.get((row["state"], enough))
        if move is None:
            move = workflow.move(row["state"], verb, view.actor, enough)
            known[row["state"], enough] = move
        clock = clock_of(row, move.clock)
        return move if clock is move.clock else replace(move, clock=clock)

    def change_of(row: CaseRow, move: Move) -> CaseRow:
        nonlocal calendar
        change = dict(values(row))
        if move.clock in _GOES_ON:
            calendar = calendar or load_calendar(view.connection)
        at = clock_at(row) if clock_at else view.now
        change = _clock(move.clock, {**row, **change}, at, calendar) | change
        change["state"] = back_to(row) if move.to_state == PREVIOUS and back_to else move.to_state
        was_open, is_open = STATES[row["state"]].open, STATES[change["state"]].open
        if was_open != is_open:
            change["closed_at"] = None if is_open else view.now
        return change

    moving, left_out = _checked(view, command, move_of, change_of)
    return Plan(verb, moving, left_out, note, then, clock_at, calendar)


def plan_remark(
    view: Reading,
    verb: str,
    command: AboutCases,
    values: Callable[[CaseRow], CaseRow] = lambda _row: {},
    note: str = "",
    then: Then | None = None,
) -> Plan:
    """Check every case of a command whose step leads nowhere and has no row in the table of moves.

    ``values`` gives what changes in one case and may refuse it.
    """

    def stays(row: CaseRow) -> Move:
        return Move(row["state"], verb, row["state"], "", frozenset(), Clock.KEEP)

    moving, left_out = _checked(
        view, command, stays, lambda row, move: {**values(row), "state": move.to_state}
    )
    return Plan(verb, moving, left_out, clean(note, 2000), then)


def _checked(
    view: Reading,
    command: AboutCases,
    move_of: Callable[[CaseRow], Move],
    change_of: Callable[[CaseRow, Move], CaseRow],
) -> tuple[dict[int, Moving], tuple[LeftOut, ...]]:
    """Each case of a command once: on its move, or left out with the reason."""
    rows = view.rows(case, command.case_ids)
    decided_on = dict(zip(command.case_ids, command.versions, strict=bool(command.versions)))
    outside = beyond(view.connection, view.actor, rows.values())
    claimed = held_by_others(view.connection, view.actor, view.now, rows)
    moving: dict[int, Moving] = {}
    faults: list[tuple[int, Refused]] = []
    for case_id in dict.fromkeys(command.case_ids):
        row = rows.get(case_id)
        try:
            if row is None:
                raise Refused("no_such_case", N_("There is no such case any more."))
            if case_id in outside:
                raise outside[case_id]
            move = move_of(row)
            if case_id in claimed and breaks_claim(move):
                raise claimed[case_id]
            if decided_on.get(case_id, row["version"]) != row["version"]:
                raise Refused("changed_meanwhile", N_("It has changed since you looked."))
            change = change_of(row, move)
        except Refused as refusal:
            faults.append((case_id, refusal))
            continue
        if change.get("unit_id", row["unit_id"]) != row["unit_id"]:
            # A person answers for a case within one unit.
            change.setdefault("holder_id", None)
        # Touched whatever changes, so that whoever decides on the case as it was before is told.
        change["version"] = row["version"] + 1
        moving[case_id] = Moving(row, change, move)
    return moving, _left_out(view, rows, faults)


def carry_out(unit: UnitOfWork, plan: Plan, *, leave_out: bool = False) -> dict[int, CaseRow]:
    """Write what was planned; returns the rows that moved, as they were before.

    Raises what the plan refused: all of it when nothing is to be left out, or when nothing would move.
    """
    moving = plan.moving
    if plan.left_out and not (leave_out and moving):
        refuse_all([each.refusal for each in plan.left_out])
    write_steps(
        unit,
        [(m.move.verb, i, m.was["state"], m.to_state, m.unit_id) for i, m in moving.items()],
        plan.note,
    )
    unit.update(case, {case_id: each.change for case_id, each in moving.items()})
    _write_timers(unit, moving, plan.calendar)
    _write_spans(unit, moving, plan.clock_at)
    were = {case_id: each.was for case_id, each in moving.items()}
    if plan.then is not None:
        plan.then(unit, were)
    _drop_what_waits(unit, moving)
    # With the stage in which it was made, a claim ends.
    left = [i for i, m in moving.items() if m.was["state"] in POOL and m.was["state"] != m.to_state]
    end_leases(unit, left)
    return were


def advance(unit: UnitOfWork, verb: str, command: AboutCases, **how: Any) -> dict[int, CaseRow]:
    """Plan and carry out at once, all cases or none: for what has more to it than moving cases."""
    return carry_out(unit, plan(unit, verb, command, **how))


def write_steps(unit: UnitOfWork, taken: Sequence[tuple[str, int, str, str, int | None]], note: str) -> None:
    """Add steps to the histories of cases: verb, case, from, to, unit in charge."""
    unit.insert(
        step,
        [
            {
                "id": step_id,
                "case_id": case_id,
                "at": unit.now,
                "verb": verb,
                "from_state": before,
                "to_state": after,
                "actor_id": unit.actor.account_id,
                "actor_name": unit.actor.name,
                "unit_id": unit_id,
                "note": note,
            }
            for step_id, (verb, case_id, before, after, unit_id) in zip(
                unit.new_ids(len(taken)), taken, strict=True
            )
        ],
    )


def begin_timer(unit: UnitOfWork, case_ids: Iterable[int], state: str) -> None:
    """Start the time of the first stage of new cases."""
    due = _stage_due(unit, STAGES[state], None)
    unit.insert(timer, [_timer(unit, case_id, STAGES[state], due) for case_id in case_ids])


def stage_due(unit: UnitOfWork, stage: str) -> datetime | None:
    """When a stage that begins now is to be over; ``None`` without a limit."""
    return _stage_due(unit, stage, None)


def limit_of(row: CaseRow) -> Limit | None:
    """The limit that was frozen into a case."""
    if row["limit_amount"] is None:
        return None
    return Limit(row["limit_amount"], LimitUnit(row["limit_unit"]))


def demand_holder(connection: Connection, holder_id: int | None, unit_id: int) -> None:
    """Refuse a person who is not one of the unit's own, or no longer active."""
    found = select(person.c.id).where(person.c.id == holder_id, person.c.unit_id == unit_id, person.c.active)
    if holder_id is not None and not connection.execute(found).first():
        raise Refused("not_of_unit", N_("There is no such person in this unit."), id=holder_id)


def rows_about(
    connection: Connection, table: Table, case_ids: Sequence[int], *conditions: Any
) -> dict[int, list[dict[str, Any]]]:
    """Rows of a table by the case that they belong to, oldest first."""
    if not case_ids:
        return defaultdict(list)
    query = select(table).where(among(table.c.case_id, case_ids), *conditions).order_by(table.c.id)
    return _by_case(fetch(connection, table, query))


def _by_case(rows: Iterable[dict[str, Any]]) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        found[row["case_id"]].append(row)
    return found


def _pictured(connection: Connection, case_ids: Sequence[int], phase: str) -> frozenset[int]:
    return frozenset(rows_about(connection, photo, case_ids, photo.c.phase == phase))


def _left_out(
    view: Reading, rows: Mapping[int, CaseRow], faults: Sequence[tuple[int, Refused]]
) -> tuple[LeftOut, ...]:
    """Refusals with the numbers of their cases; when somebody was quicker, with who did what, and when."""
    quicker = _last_steps(view, [i for i, refusal in faults if refusal.code in _QUICKER])
    zone = settings.zone_of(view.connection) if quicker else None
    found: list[LeftOut] = []
    for case_id, refusal in faults:
        row = rows.get(case_id)
        last = quicker.get(case_id)
        if row is None:
            found.append(LeftOut(case_id, "", refusal))
            continue
        if last is None or zone is None:
            told = Refused(refusal.code, N_("{number}: {why}"), number=row["number"], why=refusal)
        else:
            told = Refused(
                refusal.code,
                N_("{number}: {why} {when} {who}: {what}."),
                number=row["number"],
                why=refusal,
                when=settings.clock_in(zone, last.at, view.now),
                who=last.actor_name,
                what=_(VERB_LABELS.get(last.verb, last.verb)),
            )
        found.append(LeftOut(case_id, row["number"], told))
    return tuple(found)


def _last_steps(view: Reading, case_ids: Sequence[int]) -> dict[int, Any]:
    """The newest step of each case, by the index on case and moment."""
    if not case_ids:
        return {}
    one = step.alias()
    newest = (
        select(one.c.id)
        .where(one.c.case_id == case.c.id)
        .order_by(one.c.at.desc(), one.c.id.desc())
        .limit(1)
        .correlate(case)
        .scalar_subquery()
    )
    query = select(step.c.case_id, step.c.actor_name, step.c.verb, step.c.at).where(
        among(case.c.id, case_ids)
    )
    found = view.connection.execute(query.select_from(case).join(step, step.c.id == newest))
    return {row.case_id: row for row in found}


def _clock(clock: Clock, row: CaseRow, at: datetime, calendar: WorkingCalendar | None) -> CaseRow:
    """What a move does to the disposal clock of one case."""
    if clock is Clock.STOP:
        return {"handled_at": at, "paused_at": at}
    if clock is Clock.PAUSE:
        return {"paused_at": at}
    if calendar is None or clock is Clock.KEEP:
        return {}
    limit = limit_of(row)
    if clock is Clock.RESUME:
        if limit is None or row["due_at"] is None or row["paused_at"] is None:
            return {"paused_at": None}
        paused, now = to_ms(row["paused_at"]), to_ms(at)
        due, soon = (
            disposal.resumed(calendar, limit, to_ms(row[name]), paused, now) for name in ("due_at", "soon_at")
        )
        return {"paused_at": None, "due_at": from_ms(due), "soon_at": from_ms(soon)}
    if limit is None:
        raise Refused("no_limit", N_("The case has no limit; register it with a filing condition first."))
    due, soon = disposal.begun(calendar, limit, to_ms(at))
    return {
        "handled_at": None,
        "paused_at": None,
        "extensions": 0,
        "due_at": from_ms(due),
        "soon_at": from_ms(soon),
    }


def _write_timers(unit: UnitOfWork, moved: dict[int, Moving], calendar: WorkingCalendar | None) -> None:
    """End the timers of the stages that were left, and begin those that were entered."""
    turned = {
        i: m
        for i, m in moved.items()
        if STAGES.get(m.was["state"]) != STAGES.get(m.to_state) or "due_at" in m.change
    }
    standing = _by_case(fetch(unit.connection, timer, _STANDING, {"case_ids": list(turned)}))
    changes: dict[int, CaseRow] = {}
    begun: list[CaseRow] = []
    dues: dict[str, datetime | None] = {}
    for case_id, each in turned.items():
        stage = STAGES.get(each.to_state)
        goes_on = False
        for row in standing.get(case_id, ()):
            if row["stage"] == stage:
                goes_on = True
                if stage == "handle" and "due_at" in each.change:
                    changes[row["id"]] = {"due_at": each.change["due_at"]}
            else:
                changes[row["id"]] = {"ended_at": unit.now, "by_name": unit.actor.name}
        if stage is None or goes_on:
            continue
        if stage == "handle":
            due = each.change.get("due_at", each.was["due_at"])
        else:
            due = dues[stage] if stage in dues else dues.setdefault(stage, _stage_due(unit, stage, calendar))
        begun.append(_timer(unit, case_id, stage, due))
    unit.update(timer, changes)
    unit.insert(timer, begun)


# Asked with every move, so it is made once.
_STANDING = (
    select(timer)
    .where(among_given(timer.c.case_id, "case_ids"), timer.c.ended_at.is_(None))
    .order_by(timer.c.id)
)


def _timer(unit: UnitOfWork, case_id: int, stage: str, due: datetime | None) -> CaseRow:
    return {"id": unit.new_id(), "case_id": case_id, "stage": stage, "began_at": unit.now, "due_at": due}


def _stage_due(unit: UnitOfWork, stage: str, calendar: WorkingCalendar | None) -> datetime | None:
    minutes, at_work = settings.get(unit.connection, STAGE_LIMITS, {}).get(stage, (0, 0))
    if not minutes:
        return None
    if not at_work:
        return unit.now + timedelta(minutes=minutes)
    calendar = calendar or load_calendar(unit.connection)
    hour = Limit(1, LimitUnit.WORKING_HOUR)
    return from_ms(disposal.later(calendar, hour, to_ms(unit.now), minutes * 60_000))


def _write_spans(
    unit: UnitOfWork, moved: dict[int, Moving], clock_at: Callable[[CaseRow], datetime] | None
) -> None:
    """End the stretch of the clock that was running or standing, and begin the next one."""
    turned = {i: m for i, m in moved.items() if _turns(m)}
    standing = rows_about(unit.connection, span, list(turned))
    changes: dict[int, CaseRow] = {}
    rows: list[CaseRow] = []
    for case_id, each in turned.items():
        at = clock_at(each.was) if clock_at else unit.now
        known = standing.get(case_id, [])
        made = _spans_before(unit, case_id, each.was) if not known else []
        rows += made
        last = (known or made)[-1] if known or made else None
        if last is not None and last["ended_at"] is None:
            if made:
                last["ended_at"] = at
            else:
                changes[last["id"]] = {"ended_at": at}
        elif last is not None and last["ended_at"] < at:
            # It had ended, and comes back.
            rows.append(_span(unit, case_id, PAUSED, "merge", last["ended_at"], at))
        follows = _follows(each, last)
        if follows is not None:
            rows.append(_span(unit, case_id, *follows, at))
    unit.update(span, changes)
    for row, new_id in zip(rows, unit.new_ids(len(rows)), strict=True):
        row["id"] = new_id
    unit.insert(span, rows)


def _turns(each: Moving) -> bool:
    """Whether the stretch of the clock that stands before this move ends with it."""
    if each.move.clock in (Clock.START, Clock.RESTART):
        return True
    dispatched = each.was["dispatched_at"] is not None
    comes_back = not STATES[each.was["state"]].open and STATES[each.to_state].open
    return dispatched and (
        each.move.clock is not Clock.KEEP or each.ends or comes_back or each.move.verb == "reassign"
    )


def _follows(each: Moving, last: CaseRow | None) -> tuple[str, str] | None:
    """Kind and cause of the stretch that begins with a move; ``None`` when the case has ended."""
    if each.ends:
        return None
    clock, verb = each.move.clock, each.move.verb
    if clock in _RUNS:
        return RUNNING, _RUNS[clock]
    if clock is Clock.STOP or clock is Clock.PAUSE:
        return PAUSED, _STANDS.get(verb, "suspend" if clock is Clock.PAUSE else "check")
    if verb == "reassign":
        return RUNNING, "reassign"
    # Back as it was.
    return (last["kind"], last["cause"]) if last is not None else None


def _spans_before(unit: UnitOfWork, case_id: int, row: CaseRow) -> list[CaseRow]:
    """The stretches of a case that was dispatched before spans were kept, or came from elsewhere."""
    began, handled = row["dispatched_at"], row["handled_at"]
    if began is None or row["state"] in BEFORE_DISPATCH:
        return []
    first = _span(unit, case_id, RUNNING, "dispatch", began, handled) | {"by_name": ""}
    if handled is None:
        return [first]
    return [first, _span(unit, case_id, PAUSED, "check", handled) | {"by_name": ""}]


def _span(
    unit: UnitOfWork, case_id: int, kind: str, cause: str, began: datetime, ended: datetime | None = None
) -> CaseRow:
    return {
        "case_id": case_id,
        "kind": kind,
        "cause": cause,
        "began_at": began,
        "ended_at": ended,
        "by_name": unit.actor.name,
    }


def _drop_what_waits(unit: UnitOfWork, moved: dict[int, Moving]) -> None:
    """Requests that nobody needs to decide any more are withdrawn, tasks of an ended case are dropped."""
    gone = [i for i, m in moved.items() if _ends_requests(m)]
    pending = rows_about(unit.connection, request, gone, request.c.state == "pending")
    unit.update(
        request,
        {
            row["id"]: {"state": "withdrawn", "decided_at": unit.now, "decided_by_name": unit.actor.name}
            for each in pending.values()
            for row in each
        },
    )
    ended = [i for i, m in moved.items() if m.ends]
    out = rows_about(unit.connection, task, ended, task.c.answered_at.is_(None))
    dropped = {"result": "dropped", "answered_at": unit.now, "answered_by_name": unit.actor.name}
    unit.update(task, {row["id"]: dropped for each in out.values() for row in each})


def _ends_requests(each: Moving) -> bool:
    if each.move.verb.startswith(("ask_", "grant_", "refuse_")):
        return False
    return each.ends or each.move.clock is not Clock.KEEP or each.move.verb == "reassign"
