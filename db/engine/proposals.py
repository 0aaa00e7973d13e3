"""Two officers for a mass change (双人复核): one proposes a command, another who may give it confirms it.

Above the setting ``two_officers.above`` the bus refuses a command on cases, and it is proposed instead; an
undo by which more cases go back is bound likewise. The proposal keeps the command and the versions of the
cases as they were seen. Confirmed, the command is carried out as of then; cases that somebody has changed
meanwhile are left out and listed. Both officers stand in the journal: one in the entry of the proposal, the
other in the entry that confirms it and moves the cases, or takes back the first.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from db.engine.bus import (
    OWN,
    Bus,
    Undo,
    carry_out,
    demand_permission,
    entry_of,
    handles,
    undo_entry,
)
from db.engine.columns import canonical
from db.engine.tables import metadata, proposal
from db.engine.undoing import CANNOT
from db.engine.unit_of_work import UnitOfWork
from db.kernel.actor import Actor
from db.kernel.command import (
    Reach,
    as_plain,
    command,
    command_label,
    command_name,
    command_permissions,
    from_plain,
)
from db.kernel.language import N_, _
from db.kernel.refusal import Refused
from db.kernel.text import clean

WAITING, CONFIRMED, REFUSED, WITHDRAWN = "waiting", "confirmed", "refused", "withdrawn"


@command("proposal.propose", permission="proposal", label=N_("Propose a mass change"), reach=Reach.SERVER)
@dataclass(frozen=True)
class Propose:
    """Ask a second officer for a command on many cases: its name in the journal, its fields as JSON."""

    name: str
    arguments: str


# zh: 确认批量变更
@command("proposal.confirm", permission="proposal", label=N_("Confirm a mass change"), reach=Reach.SERVER)
@dataclass(frozen=True)
class ConfirmProposal:
    """The second officer lets it happen, as of now."""

    proposal_id: int


@command("proposal.refuse", permission="proposal", label=N_("Refuse a mass change"), reach=Reach.SERVER)
@dataclass(frozen=True)
class RefuseProposal:
    """The second officer does not, and says why."""

    proposal_id: int
    answer: str


@command("proposal.withdraw", permission="proposal", label=N_("Withdraw a mass change"), reach=Reach.SERVER)
@dataclass(frozen=True)
class WithdrawProposal:
    """Whoever proposed it no longer wants it."""

    proposal_id: int


@dataclass(frozen=True)
class ProposalValue:
    """A proposal that waits for a second officer."""

    id: int
    name: str
    """The command's name in the journal; ``command_label`` has the words."""
    arguments: dict[str, Any]
    size: int
    proposed_by: int
    proposed_by_name: str
    proposed_at: datetime

    @property
    def label(self) -> str:
        """The English label of the command."""
        return command_label(self.name)

    @property
    def command(self) -> Any:
        """The command itself, as it was proposed; raises ``Refused`` when this program does not know it."""
        return from_plain(self.name, self.arguments)


def propose(bus: Bus, command: Any, actor: Actor) -> int:
    """Propose a command on cases; the id of the proposal.

    Raises ``Refused``: ``not_permitted`` when the person may not even propose it.
    """
    asked = Propose(command_name(type(command)), canonical(as_plain(command)))
    return int(bus.run(asked, actor).result)


def waiting(connection: Connection) -> list[ProposalValue]:
    """What waits for a second officer, oldest first."""
    rows = connection.execute(
        select(
            proposal.c.id,
            proposal.c.command,
            proposal.c.arguments,
            proposal.c.size,
            proposal.c.proposed_by,
            proposal.c.proposed_by_name,
            proposal.c.proposed_at,
        )
        .where(proposal.c.state == WAITING)
        .order_by(proposal.c.id)
    )
    return [ProposalValue(*row) for row in rows]


@handles(Propose)
def _propose(command: Propose, unit: UnitOfWork) -> int:
    wanted = from_plain(command.name, json.loads(command.arguments))
    demand_permission(wanted, unit.actor)
    if isinstance(wanted, Undo):
        entry = _demand_entry(unit, wanted)
        if entry["actor_id"] != unit.actor.account_id and not unit.actor.may("undo.any"):
            raise Refused("not_yours", N_("Only {who} can undo this."), who=entry["actor_name"])
        # By its number here: the second officer may sit at another computer.
        wanted, size = Undo(entry["seq"], leave_out=True), len(entry["changes"].get("cases", ()))
    else:
        size = len(getattr(wanted, "case_ids", ()))
    if not size:
        raise Refused("no_cases", N_("Only a change of cases is proposed."))
    if getattr(wanted, "versions", None) == ():
        wanted = replace(wanted, versions=_versions(unit, wanted.case_ids))
    proposal_id = unit.new_id()
    unit.insert(
        proposal,
        [
            {
                "id": proposal_id,
                "command": command.name,
                "arguments": as_plain(wanted),
                "size": size,
                "proposed_by": unit.actor.account_id,
                "proposed_by_name": unit.actor.name,
                "proposed_at": unit.now,
                "state": WAITING,
            }
        ],
    )
    return proposal_id


@handles(ConfirmProposal)
def _confirm(command: ConfirmProposal, unit: UnitOfWork) -> Any:
    row = _waiting(unit, command.proposal_id)
    wanted = _demand_another(unit, row)
    if any(field.name == "leave_out" for field in fields(wanted)):
        wanted = replace(wanted, leave_out=True)
    _decide(unit, row, CONFIRMED)
    if isinstance(wanted, Undo):
        return undo_entry(wanted, unit, row["proposed_by"], is_confirmed=True)
    return carry_out(wanted, unit)


@handles(RefuseProposal)
def _refuse(command: RefuseProposal, unit: UnitOfWork) -> None:
    row = _waiting(unit, command.proposal_id)
    _demand_another(unit, row)
    if not clean(command.answer):
        raise Refused("needed", N_("A reason is required."), what="reason")
    _decide(unit, row, REFUSED, clean(command.answer, 2000))


@handles(WithdrawProposal)
def _withdraw(command: WithdrawProposal, unit: UnitOfWork) -> None:
    row = _waiting(unit, command.proposal_id)
    if row["proposed_by"] != unit.actor.account_id:
        raise Refused("not_yours", N_("Only {who} can withdraw this."), who=row["proposed_by_name"])
    _decide(unit, row, WITHDRAWN)


def _waiting(unit: UnitOfWork, proposal_id: int) -> dict[str, Any]:
    row = unit.rows(proposal, [proposal_id]).get(proposal_id)
    if row is None:
        raise Refused("no_such_proposal", N_("There is no such proposal."), id=proposal_id)
    if row["state"] != WAITING:
        raise Refused("decided_already", N_("{who} decided on it already."), who=row["decided_by_name"])
    return row


def _demand_another(unit: UnitOfWork, row: dict[str, Any]) -> Any:
    """The command of a proposal; refuse whoever proposed it, and whoever might not give it."""
    if row["proposed_by"] == unit.actor.account_id:
        raise Refused("own_proposal", N_("You proposed it yourself; a second officer has to decide."))
    wanted = from_plain(row["command"], row["arguments"])
    demand_permission(wanted, unit.actor)
    if isinstance(wanted, Undo):
        _demand_entry(unit, wanted)
    return wanted


def _demand_entry(unit: UnitOfWork, undo: Undo) -> RowMapping:
    """The entry that is to be taken back; refuse whoever might not do again what it did."""
    entry = entry_of(undo, unit.connection)
    if entry is None or entry["is_bulk"]:
        raise Refused("cannot_undo", CANNOT)
    name = str(entry["command"])
    if name == command_name(ConfirmProposal):
        proposal_id = entry["arguments"]["proposal_id"]
        name = unit.rows(proposal, [proposal_id])[proposal_id]["command"]
    needed = command_permissions().get(name, "")
    if needed not in OWN and not unit.actor.may(needed):
        raise Refused(
            "not_permitted",
            N_("{who} may not do this: {what}."),
            who=unit.actor.name,
            what=_(command_label(name)),
        )
    return entry


def _versions(unit: UnitOfWork, case_ids: tuple[int, ...]) -> tuple[int, ...]:
    """The versions of cases as they stand; 0 for one that is not there."""
    rows = unit.rows(metadata.tables["cases"], case_ids)
    return tuple(rows[i]["version"] if i in rows else 0 for i in case_ids)


def _decide(unit: UnitOfWork, row: dict[str, Any], state: str, answer: str = "") -> None:
    unit.update(
        proposal,
        {
            row["id"]: {
                "state": state,
                "decided_by": unit.actor.account_id,
                "decided_by_name": unit.actor.name,
                "decided_at": unit.now,
                "answer": answer,
            }
        },
    )
