"""Moves cases along the table of transitions: all cases of a command, or none and the whole list of reasons.

Every move writes the case, a step of its history, the timer of its stage and the spans of its disposal clock.
``versions`` of a command (one per case, or none) say on which version of each the decision was made; a case
that has moved on since is refused.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import Connection, Table, func, select

from db.calendars.queries import load_calendar
from db.calendars.rules import Limit, LimitUnit, WorkingCalendar
from db.cases import clock as disposal
from db.cases.clock import PAUSED, RUNNING
from db.cases.rules import BEFORE_DISPATCH, STAGES, STATES
from db.cases.tables import case, photo, request, span, step, task, timer, transition
from db.cases.workflow import PREVIOUS, VERB_LABELS, Clock, Move, Workflow
from db.engine import settings
from db.engine.unit_of_work import UnitOfWork
from db.kernel.clock import from_ms, to_ms
from db.kernel.language import N_, _
from db.kernel.refusal import Refused, refuse_all
from db.kernel.text import clean
from db.people.tables import unit as unit_table

Ids = tuple[int, ...]
CaseRow = dict[str, Any]

STAGE_LIMITS = "stage.limits"
"""The setting with the limit of each stage: ``{stage: [minutes, counts working time only]}``; 0 = none."""

_IN_CHUNK = 500
_PHASES = {
    "handle": "after",
    "verify_true": "verify",
    "verify_false": "verify",
    "pass_check": "check",
    "fail_check": "check",
}
_RUNS = {Clock.START: "dispatch", Clock.RESTART: "rework", Clock.RESUME: "resume"}
_STANDS = {"grant_return": "return", "grant_suspend": "suspend", "handle": "check"}


class AboutCases(Protocol):
    """What the commands on cases have in common."""

    @property
    def case_ids(self) -> Ids: ...
    @property
    def versions(self) -> Ids: ...


@dataclass(frozen=True)
class _Moved:
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


def load_workflow(connection: Connection) -> Workflow:
    """The newest edition of the table of transitions."""
    newest = select(func.max(transition.c.edition)).scalar_subquery()
    rows = connection.execute(select(transition).where(transition.c.edition == newest))
    return Workflow(
        Move(r.from_state, r.verb, r.to_state, r.permission, frozenset(r.needs), Clock(r.clock)) for r in rows
    )


def advance(
    unit: UnitOfWork,
    verb: str,
    command: AboutCases,
    *,
    values: Callable[[CaseRow], CaseRow] = lambda _row: {},
    note: str = "",
    given: Callable[[CaseRow], Iterable[str]] = lambda _row: (),
    back_to: Callable[[CaseRow], str] | None = None,
    clock_of: Callable[[CaseRow, Clock], Clock] = lambda _row, clock: clock,
    clock_at: Callable[[CaseRow], datetime] | None = None,
) -> dict[int, CaseRow]:
    """Move cases by one verb: check every one, then write; returns the rows as they were before.

    ``values`` gives the further columns of one case and may refuse it; ``given`` what it has of that which
    the table demands. ``back_to`` is asked where the table says "previous", ``clock_of`` where the effect on
    the clock depends on the case, ``clock_at`` where the clock turned earlier than now.
    """
    note = clean(note, 2000)
    has = {"note", "reason"} if note else set()
    workflow = load_workflow(unit.connection)
    rows = unit.rows(case, command.case_ids)
    if "photo" in workflow.demands(verb):
        pictured = _pictured(unit.connection, list(rows), _PHASES.get(verb, "before"))
    else:
        pictured = frozenset()
    decided_on = dict(zip(command.case_ids, command.versions, strict=bool(command.versions)))
    moved: dict[int, _Moved] = {}
    calendar: WorkingCalendar | None = None
    faults: list[Refused] = []
    for case_id in dict.fromkeys(command.case_ids):
        row = rows.get(case_id)
        if row is None:
            faults.append(Refused("no_such_case", N_("There is no such case any more.")))
            continue
        try:
            enough = has | {"photo"} if case_id in pictured else has
            move = workflow.move(row["state"], verb, unit.actor, frozenset({*enough, *given(row)}))
            if decided_on.get(case_id, row["version"]) != row["version"]:
                raise Refused("changed_meanwhile", N_("It has changed since you looked."))
            move = replace(move, clock=clock_of(row, move.clock))
            change = dict(values(row))
            if move.clock in (Clock.START, Clock.RESTART, Clock.RESUME):
                calendar = calendar or load_calendar(unit.connection)
            at = clock_at(row) if clock_at else unit.now
            change = _clock(move.clock, {**row, **change}, at, calendar) | change
        except Refused as refusal:
            faults.append(_about(row, refusal, unit))
            continue
        change["state"] = back_to(row) if move.to_state == PREVIOUS and back_to else move.to_state
        was_open, is_open = STATES[row["state"]].open, STATES[change["state"]].open
        if was_open != is_open:
            change["closed_at"] = None if is_open else unit.now
        # Touched whatever changes, so that whoever decides on the case as it was before is told.
        change["version"] = row["version"] + 1
        moved[case_id] = _Moved(row, change, move)
    refuse_all(faults)
    write_steps(
        unit, [(m.move.verb, i, m.was["state"], m.to_state, m.unit_id) for i, m in moved.items()], note
    )
    unit.update(case, {case_id: each.change for case_id, each in moved.items()})
    _write_timers(unit, moved, calendar)
    _write_spans(unit, moved, clock_at)
    _drop_what_waits(unit, moved)
    return {case_id: each.was for case_id, each in moved.items()}


def remark(
    unit: UnitOfWork, verb: str, command: AboutCases, values: Callable[[CaseRow], CaseRow], note: str = ""
) -> dict[int, CaseRow]:
    """Write a step that leads nowhere and has no row in the table: the cases stay where they are.

    ``values`` gives what changes in one case and may refuse it. All cases or none,
    as with ``advance``; returns the rows as they were before.
    """
    rows = unit.rows(case, command.case_ids)
    decided_on = dict(zip(command.case_ids, command.versions, strict=bool(command.versions)))
    changes: dict[int, CaseRow] = {}
    faults: list[Refused] = []
    for case_id in dict.fromkeys(command.case_ids):
        row = rows.get(case_id)
        if row is None:
            faults.append(Refused("no_such_case", N_("There is no such case any more.")))
            continue
        try:
            if decided_on.get(case_id, row["version"]) != row["version"]:
                raise Refused("changed_meanwhile", N_("It has changed since you looked."))
            changes[case_id] = {**values(row), "version": row["version"] + 1}
        except Refused as refusal:
            faults.append(_about(row, refusal, unit))
    refuse_all(faults)
    write_steps(
        unit, [(verb, i, r["state"], r["state"], r["unit_id"]) for i, r in rows.items()], clean(note, 2000)
    )
    unit.update(case, changes)
    return rows


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


def demand_unit(connection: Connection, unit_id: int) -> None:
    """Refuse a unit that is not there or no longer active."""
    found = select(unit_table.c.id).where(unit_table.c.id == unit_id, unit_table.c.active)
    if not connection.execute(found).first():
        raise Refused("no_such_unit", N_("There is no such unit, or it is no longer active."))


def rows_about(
    connection: Connection, table: Table, case_ids: Sequence[int], *conditions: Any
) -> dict[int, list[dict[str, Any]]]:
    """Rows of a table by the case that they belong to, oldest first."""
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for begin in range(0, len(case_ids), _IN_CHUNK):
        chunk = list(case_ids[begin : begin + _IN_CHUNK])
        query = select(table).where(table.c.case_id.in_(chunk), *conditions).order_by(table.c.id)
        for row in connection.execute(query).mappings():
            found[row["case_id"]].append(dict(row))
    return found


def _pictured(connection: Connection, case_ids: Sequence[int], phase: str) -> frozenset[int]:
    return frozenset(rows_about(connection, photo, case_ids, photo.c.phase == phase))


def _about(row: CaseRow, refusal: Refused, unit: UnitOfWork) -> Refused:
    """A refusal with the number of its case; when somebody was quicker, with who did what, and when."""
    last = None
    if refusal.code in {"wrong_state", "changed_meanwhile"}:
        query = select(step.c.actor_name, step.c.verb, step.c.at).where(step.c.case_id == row["id"])
        last = unit.connection.execute(query.order_by(step.c.at.desc(), step.c.id.desc()).limit(1)).first()
    if last is None:
        return Refused(refusal.code, N_("{number}: {why}"), number=row["number"], why=refusal)
    return Refused(
        refusal.code,
        N_("{number}: {why} {when} {who}: {what}."),
        number=row["number"],
        why=refusal,
        when=settings.clock_text(unit.connection, last.at, unit.now),
        who=last.actor_name,
        what=_(VERB_LABELS.get(last.verb, last.verb)),
    )


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


def _write_timers(unit: UnitOfWork, moved: dict[int, _Moved], calendar: WorkingCalendar | None) -> None:
    """End the timers of the stages that were left, and begin those that were entered."""
    turned = {
        i: m
        for i, m in moved.items()
        if STAGES.get(m.was["state"]) != STAGES.get(m.to_state) or "due_at" in m.change
    }
    standing = rows_about(unit.connection, timer, list(turned), timer.c.ended_at.is_(None))
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
    unit: UnitOfWork, moved: dict[int, _Moved], clock_at: Callable[[CaseRow], datetime] | None
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
    unit.insert(span, rows)


def _turns(each: _Moved) -> bool:
    """Whether the stretch of the clock that stands before this move ends with it."""
    if each.move.clock in (Clock.START, Clock.RESTART):
        return True
    dispatched = each.was["dispatched_at"] is not None
    comes_back = not STATES[each.was["state"]].open and STATES[each.to_state].open
    return dispatched and (
        each.move.clock is not Clock.KEEP or each.ends or comes_back or each.move.verb == "reassign"
    )


def _follows(each: _Moved, last: CaseRow | None) -> tuple[str, str] | None:
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
        "id": unit.new_id(),
        "case_id": case_id,
        "kind": kind,
        "cause": cause,
        "began_at": began,
        "ended_at": ended,
        "by_name": unit.actor.name,
    }


def _drop_what_waits(unit: UnitOfWork, moved: dict[int, _Moved]) -> None:
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


def _ends_requests(each: _Moved) -> bool:
    if each.move.verb.startswith(("ask_", "grant_", "refuse_")):
        return False
    return each.ends or each.move.clock is not Clock.KEEP or each.move.verb == "reassign"
