"""What the unit does with a case that it was given."""

from __future__ import annotations

from dataclasses import dataclass

from db.cases.commands.moving import Ids, advance
from db.engine.bus import handles
from db.engine.unit_of_work import UnitOfWork
from db.kernel.command import command
from db.kernel.language import N_


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


@handles(Receive)
def _receive(command: Receive, unit: UnitOfWork) -> int:
    return len(advance(unit, "receive", command))


@handles(Handle)
def _handle(command: Handle, unit: UnitOfWork) -> int:
    return len(advance(unit, "handle", command, note=command.note))
