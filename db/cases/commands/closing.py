"""How a case ends: the check of the fix (核查), rework, closing, and closing by force."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from db.cases.commands.intake import answer_task, demand_person, send_task
from db.cases.commands.moving import CaseRow, Ids, Plan, moves, plan, rows_about
from db.cases.tables import case, task
from db.engine.among import among
from db.engine.unit_of_work import Reading
from db.kernel.command import command
from db.kernel.language import N_
from db.kernel.refusal import Refused


@command("case.send_check", permission="case.accept", label=N_("Send cases to check"))
@dataclass(frozen=True)
class SendCheck:
    """发核查: a collector is to look whether the fix is real."""

    case_ids: Ids
    person_id: int | None = None
    note: str = ""
    versions: Ids = ()
    leave_out: bool = False


@command("case.pass_check", permission="case.check", label=N_("Pass the check"))
@dataclass(frozen=True)
class PassCheck:
    """核查通过."""

    case_ids: Ids
    note: str = ""
    versions: Ids = ()
    leave_out: bool = False


@command("case.fail_check", permission="case.check", label=N_("Fail the check"))
@dataclass(frozen=True)
class FailCheck:
    """核查不通过: the same unit again, counted as rework; its clock begins anew."""

    case_ids: Ids
    reason: str
    versions: Ids = ()
    leave_out: bool = False


@command("case.close", permission="case.close", label=N_("Close cases"))
@dataclass(frozen=True)
class Close:
    """结案; a case that was split waits for its parts."""

    case_ids: Ids
    versions: Ids = ()
    leave_out: bool = False


@command("case.force_close", permission="case.force", label=N_("Close cases by force"))
@dataclass(frozen=True)
class ForceClose:
    """强制结案: closed without a passed check; shown apart in the statistics."""

    case_ids: Ids
    reason: str
    versions: Ids = ()
    leave_out: bool = False


@moves(SendCheck)
def _send_check(command: SendCheck, view: Reading) -> Plan:
    demand_person(view.connection, command.person_id)
    out = rows_about(
        view.connection, task, command.case_ids, task.c.kind == "check", task.c.answered_at.is_(None)
    )

    def once(row: CaseRow) -> CaseRow:
        if row["id"] in out:
            raise Refused("sent_already", N_("Somebody is out already to check it."))
        return {}

    return plan(
        view,
        "send_check",
        command,
        values=once,
        note=command.note,
        then=lambda unit, moved: send_task(unit, "check", moved, command.person_id),
    )


@moves(PassCheck)
def _pass(command: PassCheck, view: Reading) -> Plan:
    return plan(
        view,
        "pass_check",
        command,
        note=command.note,
        then=lambda unit, moved: answer_task(unit, "check", moved, "passed", command.note),
    )


@moves(FailCheck)
def _fail(command: FailCheck, view: Reading) -> Plan:
    return plan(
        view,
        "fail_check",
        command,
        values=lambda row: {"reworks": row["reworks"] + 1},
        note=command.reason,
        then=lambda unit, moved: answer_task(unit, "check", moved, "failed", command.reason),
    )


@moves(Close)
def _close(command: Close, view: Reading) -> Plan:
    # Which parts are open is asked of the rows: with it in the query SQLite walks all open cases.
    parts = select(case.c.parent_id, case.c.closed_at).where(among(case.c.parent_id, command.case_ids))
    waiting = {row.parent_id for row in view.connection.execute(parts) if row.closed_at is None}

    def whole(row: CaseRow) -> CaseRow:
        if row["id"] in waiting:
            raise Refused("parts_open", N_("Parts of it are still open."))
        return {}

    return plan(view, "close", command, values=whole)


@moves(ForceClose)
def _force(command: ForceClose, view: Reading) -> Plan:
    return plan(view, "force_close", command, note=command.reason)
