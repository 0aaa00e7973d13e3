"""What a person has at hand: things kept, own or shared with a role, and own acts that can be undone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, exists, or_, select

from db.desk.rules import EVERYBODY
from db.desk.tables import kept as kept_table
from db.engine import outbox
from db.engine.bus import undoable as undoable_entry
from db.engine.proposals import WAITING, ProposalValue, waiting
from db.engine.rows import uncollected
from db.engine.tables import journal, proposal
from db.engine.undoing import Undoable
from db.engine.unit_of_work import Reading
from db.kernel.actor import Actor
from db.kernel.command import command_label, lasting_commands
from db.people.tables import role

__all__ = [
    "DecidedProposal",
    "KeptValue",
    "OwnAct",
    "ProposalValue",
    "RoleValue",
    "Undoable",
    "decided_proposals",
    "kept",
    "own_acts",
    "roles",
    "undoable",
    "waiting",
]
# What screens ask for of the engine, they ask for here.


@dataclass(frozen=True)
class KeptValue:
    """One thing that is kept; ``is_own`` of whoever asked."""

    id: int
    kind: str
    name: str
    owner_name: str
    is_own: bool
    shared_with: str
    pinned: bool
    content: Mapping[str, Any]
    kept_at: datetime
    version: int


@dataclass(frozen=True)
class RoleValue:
    """A role that something can be shared with."""

    code: str
    name: str
    name_en: str

    def label(self, language: str) -> str:
        """The name in a language."""
        return (self.name_en or self.name) if language == "en" else self.name


def kept(connection: Connection, who: Actor, kind: str = "") -> list[KeptValue]:
    """What ``who`` sees of a kind ("" = of all): own things first, each in the order of keeping."""
    seen = or_(kept_table.c.owner_id == who.account_id, kept_table.c.shared_with.in_([EVERYBODY, *who.roles]))
    query = select(kept_table).where(seen).order_by(kept_table.c.ordinal, kept_table.c.id)
    if kind:
        query = query.where(kept_table.c.kind == kind)
    found = [
        KeptValue(
            row.id,
            row.kind,
            row.name,
            row.owner_name,
            row.owner_id == who.account_id,
            row.shared_with,
            bool(row.pinned),
            row.content,
            row.kept_at,
            row.version,
        )
        for row in connection.execute(query)
    ]
    return sorted(found, key=lambda each: not each.is_own)


def roles(connection: Connection) -> list[RoleValue]:
    """The roles of this bureau."""
    rows = connection.execute(select(role.c.code, role.c.name, role.c.name_en).order_by(role.c.id))
    return [RoleValue(row.code, row.name, row.name_en) for row in rows]


@dataclass(frozen=True)
class OwnAct:
    """One of a person's own acts; ``size`` is how many cases it was about, or rows when it was about none."""

    seq: int
    label: str
    """Marked English."""
    at: datetime
    size: int


def own_acts(connection: Connection, who: Actor, limit: int = 20) -> list[OwnAct]:
    """The newest acts of a person that were not taken back and can be, in whole or in part, newest first."""
    later = journal.alias()
    undone = exists().where(later.c.undoes == journal.c.seq)
    query = select(journal.c.seq, journal.c.command, journal.c.at, journal.c.touched)
    if outbox.is_station(connection):
        undone = undone.where(outbox.stands(later))
        query = query.where(outbox.stands(journal))
    rows = connection.execute(
        query.where(
            journal.c.actor_id == who.account_id,
            journal.c.undoes.is_(None),
            # A bulk load has no rows of its own to put back.
            journal.c.touched.is_not(None),
            journal.c.command.not_in(lasting_commands()),
            ~undone,
        )
        .order_by(journal.c.seq.desc())
        .limit(limit)
    )
    return [OwnAct(row.seq, command_label(row.command), row.at, _size(row.touched)) for row in rows]


def _size(touched: Mapping[str, list[int]]) -> int:
    return len(touched.get("cases", ())) or sum(map(len, touched.values()))


def undoable(connection: Connection, who: Actor, seq: int, now: datetime) -> Undoable | None:
    """What undoing an act would take back now, and what of it is lost; ``None`` when there is no such act."""
    entry = connection.execute(select(journal).where(journal.c.seq == seq)).mappings().one_or_none()
    if entry is None or entry["touched"] is None:
        return None
    with uncollected():
        return undoable_entry(Reading(connection, who, now), entry)


@dataclass(frozen=True)
class DecidedProposal:
    """What became of a proposal: ``state`` is confirmed, refused or withdrawn, ``answer`` the words."""

    id: int
    label: str
    """Marked English."""
    size: int
    proposed_at: datetime
    state: str
    decided_by_name: str
    decided_at: datetime
    answer: str


def decided_proposals(connection: Connection, who: Actor, limit: int = 10) -> list[DecidedProposal]:
    """What a person proposed and somebody decided on, newest decision first."""
    rows = connection.execute(
        select(proposal)
        .where(proposal.c.proposed_by == who.account_id, proposal.c.state != WAITING)
        .order_by(proposal.c.decided_at.desc(), proposal.c.id.desc())
        .limit(limit)
    )
    return [
        DecidedProposal(
            row.id,
            command_label(row.command),
            row.size,
            row.proposed_at,
            row.state,
            row.decided_by_name,
            row.decided_at,
            row.answer,
        )
        for row in rows
    ]
