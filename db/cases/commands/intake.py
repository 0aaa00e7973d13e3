"""How a case begins: report, verification (核实), acceptance, filing, and the ways out of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Connection, bindparam, func, select

from db.cases.commands.moving import (
    CaseRow,
    Ids,
    Plan,
    begin_timer,
    load_workflow,
    moves,
    plan,
    rows_about,
    stage_due,
    write_steps,
)
from db.cases.rules import SOURCES
from db.cases.tables import case, reporter, task
from db.engine import settings
from db.engine.bus import handles
from db.engine.rows import read_raw
from db.engine.unit_of_work import Reading, UnitOfWork
from db.kernel.command import command
from db.kernel.language import N_
from db.kernel.refusal import Refused, refuse_all
from db.kernel.text import clean, one_line
from db.people.tables import person
from db.registers.locating import locator_of
from db.registers.tables import category, component, condition


@command("case.report", permission="case.report", label=N_("Report case"))
@dataclass(frozen=True)
class Report:
    """A new case, from whatever source; cell, community and district follow from the point (WGS-84).

    ``condition_id`` is the filing condition that the report seems to meet: proposed here, decided at filing.
    ``original_x``, ``original_y`` and ``datum`` keep the pair as it was given, before it became WGS-84;
    ``foreign_due_at`` is when the system it came from wants its answer.
    """

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
    wants_answer: bool = False
    original_x: float | None = None
    original_y: float | None = None
    datum: str | None = None
    foreign_system: str | None = None
    foreign_number: str | None = None
    foreign_due_at: datetime | None = None
    condition_id: int | None = None
    private_fields: ClassVar[frozenset[str]] = frozenset({"reporter_name", "reporter_phone"})


@command("case.accept", permission="case.accept", label=N_("Accept cases"))
@dataclass(frozen=True)
class Accept:
    """受理: the report is taken in."""

    case_ids: Ids
    versions: Ids = ()
    leave_out: bool = False


@command("case.send_verify", permission="case.accept", label=N_("Send cases to verify"))
@dataclass(frozen=True)
class SendVerify:
    """发核实: a collector is to look whether the report is true, before it is filed."""

    case_ids: Ids
    person_id: int | None = None
    note: str = ""
    versions: Ids = ()
    leave_out: bool = False


@command("case.verify_true", permission="case.verify", label=N_("Verify cases as true"))
@dataclass(frozen=True)
class VerifyTrue:
    """核实属实."""

    case_ids: Ids
    note: str = ""
    versions: Ids = ()
    leave_out: bool = False


@command("case.verify_false", permission="case.verify", label=N_("Verify cases as not true"))
@dataclass(frozen=True)
class VerifyFalse:
    """核实不实: the report ends here."""

    case_ids: Ids
    reason: str
    versions: Ids = ()
    leave_out: bool = False


@command("case.register", permission="case.register", label=N_("Register cases"))
@dataclass(frozen=True)
class Register:
    """立案: a filing condition is picked, and its limit is frozen into the case.

    None = the one proposed with the report, else the class's first.
    """

    case_ids: Ids
    condition_id: int | None = None
    versions: Ids = ()
    leave_out: bool = False


@command("case.reject", permission="case.accept", label=N_("Reject cases"))
@dataclass(frozen=True)
class Reject:
    """不予受理."""

    case_ids: Ids
    reason: str
    versions: Ids = ()
    leave_out: bool = False


@command("case.void", permission="case.void", label=N_("Void cases"))
@dataclass(frozen=True)
class Void:
    """作废: filed in error; leaves the statistics."""

    case_ids: Ids
    reason: str
    versions: Ids = ()
    leave_out: bool = False


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
                "number": next_number(unit),
                "state": move.to_state,
                "source": command.source,
                "category_id": command.category_id,
                "condition_id": command.condition_id,
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
                "original_x": command.original_x,
                "original_y": command.original_y,
                "datum": command.datum,
                "foreign_system": command.foreign_system,
                "foreign_number": command.foreign_number,
                "foreign_due_at": command.foreign_due_at,
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
                    "wants_answer": command.wants_answer,
                }
            ],
        )
    write_steps(unit, [("report", case_id, "", move.to_state, None)], "")
    begin_timer(unit, [case_id], move.to_state)
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
        if row_id is not None and not read_raw(connection, table, [row_id], ("id",)):
            faults.append(Refused(code, message, id=row_id))
    if command.condition_id is not None:
        of_class = select(condition.c.id).where(
            condition.c.id == command.condition_id, condition.c.category_id == command.category_id
        )
        if not connection.execute(of_class).first():
            faults.append(Refused("unknown_condition", N_("The category has no such filing condition.")))
    lon, lat = command.lon, command.lat
    if lon is None or lat is None:
        if lon is not lat:
            faults.append(Refused("half_a_point", N_("A position needs longitude and latitude.")))
    elif not on_earth(lon, lat):
        faults.append(Refused("not_on_earth", N_("{lon}, {lat} is not a place on earth."), lon=lon, lat=lat))
    if command.foreign_number is not None:
        known = select(case.c.number).where(
            case.c.foreign_system == command.foreign_system, case.c.foreign_number == command.foreign_number
        )
        number = connection.execute(known).scalar()
        if number is not None:
            faults.append(
                Refused(
                    "known_already",
                    N_("{foreign} is here already, as {number}."),
                    foreign=command.foreign_number,
                    number=number,
                )
            )
    return faults


@moves(Accept)
def _accept(command: Accept, view: Reading) -> Plan:
    return plan(view, "accept", command)


@moves(SendVerify)
def _send_verify(command: SendVerify, view: Reading) -> Plan:
    demand_person(view.connection, command.person_id)
    return plan(
        view,
        "send_verify",
        command,
        note=command.note,
        then=lambda unit, moved: send_task(unit, "verify", moved, command.person_id),
    )


@moves(VerifyTrue)
def _verify_true(command: VerifyTrue, view: Reading) -> Plan:
    return plan(
        view,
        "verify_true",
        command,
        note=command.note,
        then=lambda unit, moved: answer_task(unit, "verify", moved, "true", command.note),
    )


@moves(VerifyFalse)
def _verify_false(command: VerifyFalse, view: Reading) -> Plan:
    return plan(
        view,
        "verify_false",
        command,
        note=command.reason,
        then=lambda unit, moved: answer_task(unit, "verify", moved, "false", command.reason),
    )


@moves(Register)
def _register(command: Register, view: Reading) -> Plan:
    rows = view.rows(case, command.case_ids)
    conditions = filing_conditions(view.connection, {row["category_id"] for row in rows.values()})

    def freeze(row: CaseRow) -> CaseRow:
        of_class = conditions.get(row["category_id"], {})
        wanted = command.condition_id or row["condition_id"]
        found = of_class.get(wanted) if wanted else next(iter(of_class.values()), None)
        if found is None:
            raise Refused("needed", N_("Choose the filing condition; it sets the limit."))
        return {
            "condition_id": found.id,
            "condition_version": found.version,
            "limit_amount": found.limit_amount,
            "limit_unit": found.limit_unit,
            "filed_at": view.now,
        }

    return plan(view, "register", command, values=freeze, given=lambda _row: ("condition",))


@moves(Reject)
def _reject(command: Reject, view: Reading) -> Plan:
    return plan(view, "reject", command, note=command.reason)


@moves(Void)
def _void(command: Void, view: Reading) -> Plan:
    return plan(view, "void", command, note=command.reason)


def on_earth(lon: float, lat: float) -> bool:
    """Whether a pair of degrees is a place; NaN is none."""
    return -180 <= lon <= 180 and -90 <= lat <= 90


def demand_person(connection: Connection, person_id: int | None) -> None:
    """Refuse somebody who is not there or no longer active."""
    found = select(person.c.id).where(person.c.id == person_id, person.c.active)
    if person_id is not None and not connection.execute(found).first():
        raise Refused("unknown_person", N_("There is no such person."), id=person_id)


def send_task(unit: UnitOfWork, kind: str, case_ids: Iterable[int], person_id: int | None) -> None:
    """Send a collector out to verify or check, with the stage's limit."""
    due = stage_due(unit, kind)
    unit.insert(
        task,
        [
            {
                "id": unit.new_id(),
                "case_id": case_id,
                "kind": kind,
                "person_id": person_id,
                "sent_by_name": unit.actor.name,
                "sent_at": unit.now,
                "due_at": due,
            }
            for case_id in case_ids
        ],
    )


def answer_task(unit: UnitOfWork, kind: str, case_ids: Iterable[int], result: str, note: str) -> None:
    """What the collector found; a case for which nobody was sent out has no task to answer."""
    out = rows_about(unit.connection, task, list(case_ids), task.c.kind == kind, task.c.answered_at.is_(None))
    answer = {
        "result": result,
        "note": clean(note, 2000),
        "answered_by_name": unit.actor.name,
        "answered_at": unit.now,
    }
    unit.update(task, {row["id"]: answer for rows in out.values() for row in rows})


def filing_conditions(connection: Connection, categories: set[int]) -> dict[int, dict[int, Any]]:
    """The filing conditions in force of each class, by id, in their order."""
    query = select(condition).where(condition.c.category_id.in_(categories), condition.c.valid_to.is_(None))
    found: dict[int, dict[int, Any]] = {}
    for row in connection.execute(query.order_by(condition.c.ordinal)):
        found.setdefault(row.category_id, {})[row.id] = row
    return found


def next_number(unit: UnitOfWork) -> str:
    """Day, station and a running number: unique without asking anyone, and never given twice.

    The last one is kept apart from the cases: an undone report takes its row away, but not the number that
    somebody may have been told.
    """
    if (known := unit.given_number()) is not None:
        unit.numbers.append(known)
        return known
    zone = settings.zone_of(unit.connection)
    prefix = f"{unit.now.astimezone(zone):%Y%m%d}{unit.station:04d}"
    given = settings.get(unit.connection, _LAST_NUMBER, "")
    standing = unit.connection.execute(_NEWEST_NUMBER, {"prefix": prefix, "beyond": prefix + "~"}).scalar()
    running = [int(n.removeprefix(prefix)) for n in (given, standing) if n and n.startswith(prefix)]
    number = f"{prefix}{max(running, default=0) + 1:05d}"
    settings.put(unit, _LAST_NUMBER, number)
    unit.numbers.append(number)
    return number


_LAST_NUMBER = "case.last_number"
_NEWEST_NUMBER = (
    select(case.c.number)
    .where(case.c.number >= bindparam("prefix"), case.c.number < bindparam("beyond"))
    .order_by(func.length(case.c.number).desc(), case.c.number.desc())
    .limit(1)
)
