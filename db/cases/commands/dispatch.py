"""Who has a case in hand: dispatch, helping units, reassignment, and back to acceptance."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from db.cases.commands.moving import CaseRow, Ids, advance, demand_unit, rows_about
from db.cases.tables import involved
from db.engine.bus import handles
from db.engine.unit_of_work import UnitOfWork
from db.kernel.command import command
from db.kernel.language import N_
from db.kernel.refusal import Refused

MAIN, HELPER = "main", "helper"


@command("case.dispatch", permission="case.dispatch", label=N_("Dispatch cases"))
@dataclass(frozen=True)
class Dispatch:
    """派遣: a unit gets the case, others may help it, and the disposal clock starts."""

    case_ids: Ids
    unit_id: int
    helpers: Ids = ()
    versions: Ids = ()


@command("case.reassign", permission="case.dispatch", label=N_("Reassign cases"))
@dataclass(frozen=True)
class Reassign:
    """改派: another unit gets the case; the limit goes on running."""

    case_ids: Ids
    unit_id: int
    reason: str
    versions: Ids = ()


@command("case.add_helper", permission="case.dispatch", label=N_("Add helping unit"))
@dataclass(frozen=True)
class AddHelper:
    """增加协办: another unit helps; who answers for the case stays."""

    case_ids: Ids
    unit_id: int
    versions: Ids = ()


@command("case.send_back", permission="case.dispatch", label=N_("Send cases back"))
@dataclass(frozen=True)
class SendBack:
    """退回受理: nobody can be found to handle it; it is to be accepted anew, or ended."""

    case_ids: Ids
    reason: str
    versions: Ids = ()


@handles(Dispatch)
def dispatch(command: Dispatch, unit: UnitOfWork) -> int:
    """Give cases to a unit."""
    for unit_id in (command.unit_id, *command.helpers):
        demand_unit(unit.connection, unit_id)
    if command.unit_id in command.helpers:
        raise Refused("same_unit", N_("This unit has it already."))

    def to_unit(row: CaseRow) -> CaseRow:
        return {"unit_id": command.unit_id, "dispatched_at": row["dispatched_at"] or unit.now}

    moved = advance(unit, "dispatch", command, values=to_unit, given=lambda _row: ("unit",))
    involve(unit, moved, command.unit_id, MAIN)
    for helper in dict.fromkeys(command.helpers):
        involve(unit, moved, helper, HELPER)
    return len(moved)


@handles(Reassign)
def _reassign(command: Reassign, unit: UnitOfWork) -> int:
    demand_unit(unit.connection, command.unit_id)

    def other(row: CaseRow) -> CaseRow:
        if row["unit_id"] == command.unit_id:
            raise Refused("same_unit", N_("This unit has it already."))
        return {"unit_id": command.unit_id, "moves": row["moves"] + 1}

    moved = advance(
        unit, "reassign", command, values=other, note=command.reason, given=lambda _row: ("unit",)
    )
    release(unit, moved, involved.c.role == MAIN)
    release(unit, moved, involved.c.unit_id == command.unit_id)
    involve(unit, moved, command.unit_id, MAIN)
    return len(moved)


@handles(AddHelper)
def _add_helper(command: AddHelper, unit: UnitOfWork) -> int:
    demand_unit(unit.connection, command.unit_id)
    helping = rows_about(
        unit.connection,
        involved,
        command.case_ids,
        involved.c.unit_id == command.unit_id,
        involved.c.until.is_(None),
    )

    def not_yet(row: CaseRow) -> CaseRow:
        if row["unit_id"] == command.unit_id or row["id"] in helping:
            raise Refused("same_unit", N_("This unit has it already."))
        return {}

    moved = advance(unit, "add_helper", command, values=not_yet, given=lambda _row: ("unit",))
    involve(unit, moved, command.unit_id, HELPER)
    return len(moved)


@handles(SendBack)
def _send_back(command: SendBack, unit: UnitOfWork) -> int:
    return len(advance(unit, "send_back", command, note=command.reason))


def involve(unit: UnitOfWork, case_ids: Iterable[int], unit_id: int, role: str) -> None:
    """A unit takes part in cases from now on."""
    unit.insert(
        involved,
        [
            {"id": unit.new_id(), "case_id": case_id, "unit_id": unit_id, "role": role, "since": unit.now}
            for case_id in case_ids
        ],
    )


def release(unit: UnitOfWork, case_ids: Iterable[int], *conditions: object) -> None:
    """Units that take part in cases do so no longer."""
    rows = rows_about(unit.connection, involved, list(case_ids), involved.c.until.is_(None), *conditions)
    unit.update(involved, {row["id"]: {"until": unit.now} for each in rows.values() for row in each})
