"""What the unit does with a case that it was given."""

from __future__ import annotations

from dataclasses import dataclass

from db.cases.commands.moving import Ids, Plan, moves, plan
from db.engine.unit_of_work import Reading
from db.kernel.command import command
from db.kernel.language import N_


@command("case.receive", permission="case.handle", label=N_("Receive cases"))
@dataclass(frozen=True)
class Receive:
    """接收: the unit has taken it in hand."""

    case_ids: Ids
    versions: Ids = ()
    leave_out: bool = False


@command("case.handle", permission="case.handle", label=N_("Hand back cases"))
@dataclass(frozen=True)
class Handle:
    """处置完成: this moment decides on time or overdue."""

    case_ids: Ids
    note: str
    versions: Ids = ()
    leave_out: bool = False


@moves(Receive)
def _receive(command: Receive, view: Reading) -> Plan:
    return plan(view, "receive", command)


@moves(Handle)
def _handle(command: Handle, view: Reading) -> Plan:
    return plan(view, "handle", command, note=command.note)
