"""What people do with cases; each command moves them along the table of transitions.

A command on several cases is all or nothing: when some cannot move, it is refused with the whole list.
``versions`` (one per case, or none) say on which version of each the decision was made; a case that has moved
on since is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from sqlalchemy import Connection, func, select

from db.calendars.queries import load_calendar
from db.calendars.rules import SOON_SHARE, Limit, LimitUnit, WorkingCalendar
from db.cases.rules import SOURCES, STATES
from db.cases.tables import case, reporter, step, transition
from db.cases.workflow import VERB_LABELS, Clock, Move, Workflow
from db.engine import settings
from db.engine.bus import handles
from db.engine.unit_of_work import UnitOfWork
from db.kernel.clock import from_ms, to_ms
from db.kernel.command import command
from db.kernel.language import N_, _
from db.kernel.refusal import Refused, refuse_all
from db.kernel.text import clean, one_line
from db.people.tables import person
from db.people.tables import unit as unit_table
from db.registers.locating import locator_of
from db.registers.tables import category, component, condition

Ids = tuple[int, ...]


@command("case.report", permission="case.report", label=N_("Report case"))
@dataclass(frozen=True)
class Report:
    """A new case, from whatever source; cell, community and district follow from the point (WGS-84)."""

    source: str
    category_id: int
    description: str = ""
    address: str = ""
    lon: float | None = None
    lat: float | None = None
    component_id: int | None = None
    reported_by: int | None = None
    reporter_name: str = ""
    reporter_phone: str = ""
    private_fields: ClassVar[frozenset[str]] = frozenset({"reporter_name", "reporter_phone"})


@command("case.accept", permission="case.accept", label=N_("Accept cases"))
@dataclass(frozen=True)
class Accept:
    """受理: the report is taken in."""

    case_ids: Ids
    versions: Ids = ()


@command("case.register", permission="case.register", label=N_("Register cases"))
@dataclass(frozen=True)
class Register:
    """立案: a filing condition is picked, and its limit is frozen into the case. None = the class's first."""

    case_ids: Ids
    condition_id: int | None = None
    versions: Ids = ()


@command("case.reject", permission="case.accept", label=N_("Reject cases"))
@dataclass(frozen=True)
class Reject:
    """不予受理."""

    case_ids: Ids
    reason: str
    versions: Ids = ()


@command("case.void", permission="case.void", label=N_("Void cases"))
@dataclass(frozen=True)
class Void:
    """作废: filed in error; leaves the statistics."""

    case_ids: Ids
    reason: str
    versions: Ids = ()


@command("case.dispatch", permission="case.dispatch", label=N_("Dispatch cases"))
@dataclass(frozen=True)
class Dispatch:
    """派遣: a unit gets the case, and the disposal clock starts."""

    case_ids: Ids
    unit_id: int
    versions: Ids = ()


@command("case.reassign", permission="case.dispatch", label=N_("Reassign cases"))
@dataclass(frozen=True)
class Reassign:
    """改派: another unit gets the case; the limit goes on running."""

    case_ids: Ids
    unit_id: int
    reason: str
    versions: Ids = ()


@command("case.receive", permission="case.handle", label=N_("Receive cases"))
@dataclass(frozen=True)
class Receive:
    """接收: the unit has taken it in hand."""

    case_ids: Ids
    versions: Ids = ()


@command("case.handle", permission="case.handle", label=N_("Hand back cases"))
@dataclass(frozen=True)
class Handle:
    """处置完成: this moment decides on time or overdue."""

    case_ids: Ids
    note: str
    versions: Ids = ()


@command("case.pass_check", permission="case.check", label=N_("Pass the check"))
@dataclass(frozen=True)
class PassCheck:
    """核查通过."""

    case_ids: Ids
    note: str = ""
    versions: Ids = ()


@command("case.fail_check", permission="case.check", label=N_("Fail the check"))
@dataclass(frozen=True)
class FailCheck:
    """核查不通过: the same unit again, counted as rework; its clock begins anew."""

    case_ids: Ids
    reason: str
    versions: Ids = ()


@command("case.close", permission="case.close", label=N_("Close cases"))
@dataclass(frozen=True)
class Close:
    """结案."""

    case_ids: Ids
    versions: Ids = ()


@handles(Report)
def _report(command: Report, unit: UnitOfWork) -> int:
    refuse_all(_report_faults(command, unit.connection))
    workflow = load_workflow(unit.connection)
    move = workflow.move("", "report", unit.actor)
    where = locator_of(unit.connection).locate(command.lon, command.lat)
    case_id = unit.new_id()
    unit.insert(
        case,
        [
            {
                "id": case_id,
                "number": _next_number(unit),
                "state": move.to_state,
                "source": command.source,
                "category_id": command.category_id,
                "description": clean(command.description),
                "address": one_line(command.address, 200),
                "lon": command.lon,
                "lat": command.lat,
                "district_id": where.district_id,
                "community_id": where.community_id,
                "patrol_id": where.patrol_id,
                "cell_id": where.cell_id,
                "component_id": command.component_id,
                "reporter_person_id": command.reported_by,
                "reported_at": unit.now,
            }
        ],
    )
    if command.reporter_name or command.reporter_phone:
        unit.insert(
            reporter,
            [
                {
                    "id": unit.new_id(),
                    "case_id": case_id,
                    "name": one_line(command.reporter_name, 60),
                    "phone": one_line(command.reporter_phone, 40),
                }
            ],
        )
    _add_steps(unit, move, {case_id: {"state": "", "unit_id": None}}, "")
    return case_id


def _report_faults(command: Report, connection: Connection) -> list[Refused]:
    faults = []
    if command.source not in SOURCES:
        faults.append(Refused("unknown_source", N_("There is no source “{source}”."), source=command.source))
    for table, row_id, code, message in (
        (category, command.category_id, "unknown_category", N_("Choose a category.")),
        (component, command.component_id, "unknown_component", N_("There is no such component.")),
        (person, command.reported_by, "unknown_person", N_("There is no such person.")),
    ):
        if (
            row_id is not None
            and not connection.execute(select(table.c.id).where(table.c.id == row_id)).first()
        ):
            faults.append(Refused(code, message, id=row_id))
    lon, lat = command.lon, command.lat
    if lon is None or lat is None:
        if lon is not lat:
            faults.append(Refused("half_a_point", N_("A position needs longitude and latitude.")))
    elif not on_earth(lon, lat):
        faults.append(Refused("not_on_earth", N_("{lon}, {lat} is not a place on earth."), lon=lon, lat=lat))
    return faults


@handles(Accept)
def _accept(command: Accept, unit: UnitOfWork) -> int:
    return _advance(unit, "accept", command)


@handles(Register)
def _register(command: Register, unit: UnitOfWork) -> int:
    rows = unit.rows(case, command.case_ids)
    conditions = _conditions(
        unit.connection, {row["category_id"] for row in rows.values()}, command.condition_id
    )

    def freeze(row: dict[str, Any]) -> dict[str, Any]:
        found = conditions.get(row["category_id"])
        if found is None:
            raise Refused("needed", N_("Choose the filing condition; it sets the limit."))
        return {
            "condition_id": found.id,
            "limit_amount": found.limit_amount,
            "limit_unit": found.limit_unit,
            "filed_at": unit.now,
        }

    return _advance(unit, "register", command, values=freeze, given={"condition"})


@handles(Reject)
def _reject(command: Reject, unit: UnitOfWork) -> int:
    return _advance(unit, "reject", command, note=command.reason)


@handles(Void)
def _void(command: Void, unit: UnitOfWork) -> int:
    return _advance(unit, "void", command, note=command.reason)


@handles(Dispatch)
def _dispatch(command: Dispatch, unit: UnitOfWork) -> int:
    _demand_unit(unit.connection, command.unit_id)
    values = {"unit_id": command.unit_id, "dispatched_at": unit.now}
    return _advance(unit, "dispatch", command, values=lambda _row: dict(values), given={"unit"})


@handles(Reassign)
def _reassign(command: Reassign, unit: UnitOfWork) -> int:
    _demand_unit(unit.connection, command.unit_id)

    def other(row: dict[str, Any]) -> dict[str, Any]:
        if row["unit_id"] == command.unit_id:
            raise Refused("same_unit", N_("This unit has it already."))
        return {"unit_id": command.unit_id, "moves": row["moves"] + 1}

    return _advance(unit, "reassign", command, values=other, note=command.reason, given={"unit"})


@handles(Receive)
def _receive(command: Receive, unit: UnitOfWork) -> int:
    return _advance(unit, "receive", command)


@handles(Handle)
def _handle(command: Handle, unit: UnitOfWork) -> int:
    return _advance(unit, "handle", command, note=command.note)


@handles(PassCheck)
def _pass(command: PassCheck, unit: UnitOfWork) -> int:
    return _advance(unit, "pass_check", command, note=command.note)


@handles(FailCheck)
def _fail(command: FailCheck, unit: UnitOfWork) -> int:
    return _advance(
        unit,
        "fail_check",
        command,
        values=lambda row: {"reworks": row["reworks"] + 1},
        note=command.reason,
    )


@handles(Close)
def _close(command: Close, unit: UnitOfWork) -> int:
    return _advance(unit, "close", command)


def load_workflow(connection: Connection) -> Workflow:
    """The newest edition of the table of transitions."""
    newest = select(func.max(transition.c.edition)).scalar_subquery()
    rows = connection.execute(select(transition).where(transition.c.edition == newest))
    return Workflow(
        Move(r.from_state, r.verb, r.to_state, r.permission, frozenset(r.needs), Clock(r.clock)) for r in rows
    )


def on_earth(lon: float, lat: float) -> bool:
    """Whether a pair of degrees is a place; NaN is none."""
    return -180 <= lon <= 180 and -90 <= lat <= 90


class _AboutCases(Protocol):
    """What the commands on cases have in common."""

    @property
    def case_ids(self) -> Ids: ...
    @property
    def versions(self) -> Ids: ...


def _advance(
    unit: UnitOfWork,
    verb: str,
    command: _AboutCases,
    *,
    values: Callable[[dict[str, Any]], dict[str, Any]] = lambda _row: {},
    note: str = "",
    given: set[str] | None = None,
) -> int:
    """Move cases by one verb: check every one, then write rows and steps; returns how many moved."""
    note = clean(note, 2000)
    has = frozenset((given or set()) | ({"note", "reason"} if note else set()))
    workflow = load_workflow(unit.connection)
    rows = unit.rows(case, command.case_ids)
    decided_on = dict(zip(command.case_ids, command.versions, strict=bool(command.versions)))
    changes: dict[int, dict[str, Any]] = {}
    moves: dict[int, Move] = {}
    calendar: WorkingCalendar | None = None
    faults: list[Refused] = []
    for case_id in dict.fromkeys(command.case_ids):
        row = rows.get(case_id)
        if row is None:
            faults.append(Refused("no_such_case", N_("There is no such case any more.")))
            continue
        try:
            move = moves[case_id] = workflow.move(row["state"], verb, unit.actor, has)
            if decided_on.get(case_id, row["version"]) != row["version"]:
                raise Refused("changed_meanwhile", N_("It has changed since you looked."))
            change = values(row)
            if move.clock in (Clock.START, Clock.RESTART):
                calendar = calendar or load_calendar(unit.connection)
            change |= _clock(move, {**row, **change}, unit, calendar)
        except Refused as refusal:
            faults.append(_about(row, refusal, unit))
            continue
        change["state"] = move.to_state
        if not STATES[move.to_state].open:
            change["closed_at"] = unit.now
        changes[case_id] = change
    refuse_all(faults)
    for move in set(moves.values()):
        after = {
            i: {**rows[i], "unit_id": changes[i].get("unit_id", rows[i]["unit_id"])}
            for i in changes
            if moves[i] == move
        }
        _add_steps(unit, move, after, note)
    unit.update(case, changes)
    return len(changes)


def _about(row: dict[str, Any], refusal: Refused, unit: UnitOfWork) -> Refused:
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


def _clock(
    move: Move, row: dict[str, Any], unit: UnitOfWork, calendar: WorkingCalendar | None
) -> dict[str, Any]:
    """What a move does to the disposal clock of one case."""
    if move.clock is Clock.STOP:
        return {"handled_at": unit.now}
    if calendar is None or move.clock is Clock.KEEP:
        return {}
    if row["limit_amount"] is None:
        raise Refused("no_limit", N_("The case has no limit; register it with a filing condition first."))
    limit = Limit(row["limit_amount"], LimitUnit(row["limit_unit"]))
    now = to_ms(unit.now)
    return {
        "handled_at": None,
        "due_at": from_ms(calendar.due(now, limit)),
        "soon_at": from_ms(calendar.due(now, limit, SOON_SHARE)),
    }


def _add_steps(unit: UnitOfWork, move: Move, rows: dict[int, dict[str, Any]], note: str) -> None:
    ids = unit.new_ids(len(rows))
    unit.insert(
        step,
        [
            {
                "id": step_id,
                "case_id": case_id,
                "at": unit.now,
                "verb": move.verb,
                "from_state": row["state"],
                "to_state": move.to_state,
                "actor_id": unit.actor.account_id,
                "actor_name": unit.actor.name,
                "unit_id": row["unit_id"],
                "note": note,
            }
            for step_id, (case_id, row) in zip(ids, rows.items(), strict=True)
        ],
    )


def _conditions(connection: Connection, categories: set[int], chosen: int | None) -> dict[int, Any]:
    """The filing condition of each class: the chosen one, or the first that is in force."""
    query = select(condition).where(condition.c.category_id.in_(categories), condition.c.valid_to.is_(None))
    if chosen is not None:
        query = query.where(condition.c.id == chosen)
    found: dict[int, Any] = {}
    for row in connection.execute(query.order_by(condition.c.ordinal)):
        found.setdefault(row.category_id, row)
    return found


def _demand_unit(connection: Connection, unit_id: int) -> None:
    if not connection.execute(
        select(unit_table.c.id).where(unit_table.c.id == unit_id, unit_table.c.active)
    ).first():
        raise Refused("no_such_unit", N_("There is no such unit, or it is no longer active."))


def _next_number(unit: UnitOfWork) -> str:
    """Day, station and a running number: unique without asking anyone, and never given twice.

    The last one is kept apart from the cases: an undone report takes its row away, but not the number that
    somebody may have been told.
    """
    zone = settings.zone_of(unit.connection)
    prefix = f"{unit.now.astimezone(zone):%Y%m%d}{unit.station:04d}"
    given = settings.get(unit.connection, _LAST_NUMBER, "")
    standing = unit.connection.execute(
        select(case.c.number)
        .where(case.c.number >= prefix, case.c.number < prefix + "~")
        .order_by(func.length(case.c.number).desc(), case.c.number.desc())
        .limit(1)
    ).scalar()
    running = [int(n.removeprefix(prefix)) for n in (given, standing) if n and n.startswith(prefix)]
    number = f"{prefix}{max(running, default=0) + 1:05d}"
    settings.put(unit, _LAST_NUMBER, number)
    return number


_LAST_NUMBER = "case.last_number"
