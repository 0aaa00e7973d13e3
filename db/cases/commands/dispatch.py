"""Who has a case in hand: dispatch, helping units, reassignment, and back to acceptance."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from db.cases.commands.moving import (
    CaseRow,
    Ids,
    Plan,
    demand_holder,
    moves,
    plan,
    rows_about,
)
from db.cases.scope import demand_target
from db.cases.tables import involved
from db.engine.unit_of_work import Reading, UnitOfWork
from db.kernel.command import command
from db.kernel.language import N_
from db.kernel.refusal import Refused

MAIN, HELPER = "main", "helper"


@command("case.dispatch", permission="case.dispatch", label=N_("Dispatch cases"))
@dataclass(frozen=True)
class Dispatch:
    """派遣: a unit gets the case, others may help it, and the disposal clock starts.

    ``holder_id`` names the person of that unit who is to handle it; None = whoever leads the unit.
    """

    case_ids: Ids
    unit_id: int
    helpers: Ids = ()
    versions: Ids = ()
    leave_out: bool = False
    holder_id: int | None = None


@command("case.reassign", permission="case.dispatch", label=N_("Reassign cases"))
@dataclass(frozen=True)
class Reassign:
    """改派: another unit gets the case, or another person of the same; the limit goes on running."""

    case_ids: Ids
    unit_id: int
    reason: str
    versions: Ids = ()
    leave_out: bool = False
    holder_id: int | None = None


@command("case.add_helper", permission="case.dispatch", label=N_("Add helping unit"))
@dataclass(frozen=True)
class AddHelper:
    """增加协办: another unit helps; who answers for the case stays."""

    case_ids: Ids
    unit_id: int
    versions: Ids = ()
    leave_out: bool = False


@command("case.send_back", permission="case.dispatch", label=N_("Send cases back"))
@dataclass(frozen=True)
class SendBack:
    """退回受理: nobody can be found to handle it; it is to be accepted anew, or ended."""

    case_ids: Ids
    reason: str
    versions: Ids = ()
    leave_out: bool = False


@moves(Dispatch)
def plan_dispatch(command: Dispatch, view: Reading) -> Plan:
    """Give cases to a unit."""
    for unit_id in (command.unit_id, *command.helpers):
        demand_target(view, unit_id)
    demand_holder(view.connection, command.holder_id, command.unit_id)
    if command.unit_id in command.helpers:
        raise Refused("same_unit", N_("This unit has it already."))

    def to_unit(row: CaseRow) -> CaseRow:
        return {
            "unit_id": command.unit_id,
            "holder_id": command.holder_id,
            "dispatched_at": row["dispatched_at"] or view.now,
        }

    def take_part(unit: UnitOfWork, moved: dict[int, CaseRow]) -> None:
        involve(unit, moved, command.unit_id, MAIN)
        for helper in dict.fromkeys(command.helpers):
            involve(unit, moved, helper, HELPER)

    return plan(view, "dispatch", command, values=to_unit, given=lambda _row: ("unit",), then=take_part)


@moves(Reassign)
def _reassign(command: Reassign, view: Reading) -> Plan:
    demand_target(view, command.unit_id)
    demand_holder(view.connection, command.holder_id, command.unit_id)

    def other(row: CaseRow) -> CaseRow:
        if row["unit_id"] != command.unit_id:
            return {
                "unit_id": command.unit_id,
                "holder_id": command.holder_id,
                "moves": row["moves"] + 1,
            }
        if command.holder_id is None:
            raise Refused("same_unit", N_("This unit has it already."))
        if row["holder_id"] == command.holder_id:
            raise Refused("same_holder", N_("This person has it already."))
        return {"holder_id": command.holder_id}

    def hand_over(unit: UnitOfWork, moved: dict[int, CaseRow]) -> None:
        ids = [case_id for case_id, row in moved.items() if row["unit_id"] != command.unit_id]
        release(unit, ids, (involved.c.role == MAIN) | (involved.c.unit_id == command.unit_id))
        involve(unit, ids, command.unit_id, MAIN)

    return plan(
        view,
        "reassign",
        command,
        values=other,
        note=command.reason,
        given=lambda _row: ("unit",),
        then=hand_over,
    )


@moves(AddHelper)
def _add_helper(command: AddHelper, view: Reading) -> Plan:
    demand_target(view, command.unit_id)
    helping = rows_about(
        view.connection,
        involved,
        command.case_ids,
        involved.c.unit_id == command.unit_id,
        involved.c.until.is_(None),
    )

    def not_yet(row: CaseRow) -> CaseRow:
        if row["unit_id"] == command.unit_id or row["id"] in helping:
            raise Refused("same_unit", N_("This unit has it already."))
        return {}

    return plan(
        view,
        "add_helper",
        command,
        values=not_yet,
        given=lambda _row: ("unit",),
        then=lambda unit, moved: involve(unit, moved, command.unit_id, HELPER),
    )


@moves(SendBack)
def _send_back(command: SendBack, view: Reading) -> Plan:
    return plan(view, "send_back", command, note=command.reason)


def involve(unit: UnitOfWork, case_ids: Iterable[int], unit_id: int, role: str) -> None:
    """A unit takes part in cases from now on."""
    ids = list(case_ids)
    unit.insert(
        involved,
        [
            {"id": new_id, "case_id": case_id, "unit_id": unit_id, "role": role, "since": unit.now}
            for new_id, case_id in zip(unit.new_ids(len(ids)), ids, strict=True)
        ],
    )


def release(unit: UnitOfWork, case_ids: Iterable[int], *conditions: object) -> None:
    """Units that take part in cases do so no longer."""
    rows = rows_about(unit.connection, involved, list(case_ids), involved.c.until.is_(None), *conditions)
    unit.update(involved, {row["id"]: {"until": unit.now} for each in rows.values() for row in each})
