"""What lies in the tray of a station: acts that the server refused, and acts that it has not heard of yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from db.engine import outbox as sending
from db.engine.among import among
from db.engine.bus import Bus, Outcome, handles
from db.engine.connections import Database
from db.engine.rows import read_rows
from db.engine.tables import journal, metadata, outbox
from db.engine.unit_of_work import UnitOfWork
from db.kernel.actor import Actor
from db.kernel.clock import from_ms, to_ms
from db.kernel.command import command, command_label, from_plain, without_private
from db.kernel.language import N_
from db.kernel.refusal import Refused
from db.kernel.refusal import from_plain as refusal_from_plain

FIELDS = ("state", "unit_id", "holder_id", "category_id", "priority", "address", "due_at")
"""The columns of a case that people compare."""


Wanted = Mapping[str, Mapping[str, list[Any]]]
"""Case → column → [before, after]."""


@command("sync.drop", permission="room.view", label=N_("Drop a refused act"), lasting=True)
@dataclass(frozen=True)
class Drop:
    """Nobody wants an act any more that the server refused: which one, what it was, and why."""

    operation: int
    name: str
    reason: str


@dataclass(frozen=True)
class Contrast:
    """A value as the act made it, and as the server has it now."""

    column: str
    mine: Any
    theirs: Any


@dataclass(frozen=True)
class CaseSides:
    """One case of an act; ``who`` did ``verb`` to it at ``at_ms``, later than the act: "" when nobody did."""

    case_id: int
    number: str
    address: str
    contrasts: tuple[Contrast, ...]
    who: str = ""
    verb: str = ""
    at_ms: int = 0


@dataclass(frozen=True)
class Laid:
    """An act in the tray."""

    operation: int
    state: str
    label: str
    command: Any
    """``None`` when this program does not know it."""
    arguments: Mapping[str, Any]
    actor_id: int
    who: str
    at_ms: int
    refusal: Refused | None
    cases: tuple[CaseSides, ...]


def read_tray(connection: Connection) -> list[Laid]:
    """What somebody has to look at, then what waits; each the oldest first."""
    states = (*sending.IN_TRAY, sending.WAITING)
    rows = connection.execute(
        select(outbox).where(outbox.c.state.in_(states)).order_by(outbox.c.at, outbox.c.id)
    ).all()
    return [_laid(connection, row) for row in sorted(rows, key=lambda row: row.state == sending.WAITING)]


def drop(local: Database, actor: Actor, operation: int, reason: str) -> None:
    """Drop a refused act for good. The journal keeps that, here and on the server.

    Raises ``Refused("not_in_tray")`` when it lies there no more.
    """
    with local.write_many() as writing:
        row = _lying(writing.connection, operation)
        with writing.unit(actor, Drop(operation, row.command, reason)) as unit:
            unit.keep()
        _take_out(writing.connection, row)


def do_again(bus: Bus, actor: Actor, operation: int, command: Any) -> Outcome:
    """Give ``command`` in place of a refused act, on the cases as they are now, and drop the old one.

    It is a new act with its own moment; a case that the old one made keeps the number that somebody may have
    been told. Raises ``Refused``: ``not_in_tray``, ``not_yours``, and what the rules say; then the old one
    stays in the tray.
    """
    local = bus.database
    with local.read() as connection:
        row = _lying(connection, operation)
    if row.actor_id != actor.account_id:
        raise Refused("not_yours", N_("{who} did it, and has to decide."), who=row.actor_name)
    # Nothing of a refused act stands on the server, so its ids are free; one that was done there keeps them.
    kept = sending.act_of(row) if row.state == sending.PARKED else None
    now = from_ms(to_ms(local.clock.now()))
    act = replace(kept, operation=local.ids(), at=now) if kept is not None else None
    outcome = bus.run(command, actor, act)
    with local.write_many() as writing:
        _take_out(writing.connection, row)
    return outcome


@handles(Drop)
def _drop(_command: Drop, unit: UnitOfWork) -> None:
    """On the server only the record: what is dropped has never been done there."""
    unit.keep()


def _lying(connection: Connection, operation: int) -> Row[Any]:
    lies = (outbox.c.id == operation, outbox.c.state.in_(sending.IN_TRAY))
    row = connection.execute(select(outbox).where(*lies)).first()
    if row is None:
        raise Refused("not_in_tray", N_("This act is not in the tray any more."))
    return row


def _take_out(connection: Connection, row: Row[Any]) -> None:
    done = sending.DONE if row.state == sending.PARTLY else sending.DROPPED
    values = {"state": done, "arguments": without_private(row.command, row.arguments)}
    connection.execute(update(outbox).where(outbox.c.id == row.id).values(values))


def _laid(connection: Connection, row: Any) -> Laid:
    try:
        wanted = from_plain(row.command, row.arguments)
    except Refused:
        wanted = None
    note = row.refusal or {}
    if row.state == sending.PARTLY and hasattr(wanted, "case_ids"):
        # What is left to do of it.
        wanted = replace(wanted, case_ids=tuple(map(int, note["wanted"])), versions=())
    return Laid(
        row.id,
        row.state,
        command_label(row.command),
        wanted,
        row.arguments,
        row.actor_id,
        row.actor_name,
        to_ms(row.at),
        refusal_from_plain(note) if note else None,
        _cases(connection, row, note.get("wanted")),
    )


def _cases(connection: Connection, row: Any, wanted: Wanted | None) -> tuple[CaseSides, ...]:
    """The cases that it is about: of a refused act those that it was refused for, of others all of them."""
    cases = metadata.tables["cases"]
    if wanted is None:
        changes = connection.execute(select(journal.c.changes).where(journal.c.seq == row.seq)).scalar() or {}
        wanted = {str(case_id): diff for case_id, diff in changes.get("cases", ())}
    ids = sorted({int(case_id) for case_id in wanted})
    if row.state != sending.PARTLY:
        ids = sorted({*ids, *(row.arguments.get("case_ids") or ())})
    now = read_rows(connection, cases, ids)
    quicker = {} if row.state == sending.WAITING else _quicker(connection, ids, row)
    found = []
    for case_id in ids:
        theirs, diff = now.get(case_id), wanted.get(str(case_id), {})
        contrasts = tuple(
            Contrast(name, diff[name][1], _plain(theirs, name)) for name in FIELDS if name in diff
        )
        who, verb, at_ms = quicker.get(case_id, ("", "", 0))
        number = theirs["number"] if theirs is not None else str(diff.get("number", ["", ""])[1])
        address = theirs["address"] if theirs is not None else str(diff.get("address", ["", ""])[1])
        found.append(CaseSides(case_id, number, address, contrasts, who, verb, at_ms))
    return tuple(found)


def _plain(row: Mapping[str, Any] | None, name: str) -> Any:
    """A value as the journal writes it."""
    value = None if row is None else row[name]
    return to_ms(value) if isinstance(value, datetime) else value


def _quicker(connection: Connection, ids: list[int], row: Any) -> dict[int, tuple[str, str, int]]:
    """The newest step of somebody else on each case."""
    step = metadata.tables["case_step"]
    rows = connection.execute(
        select(step.c.case_id, step.c.actor_name, step.c.verb, step.c.at)
        .where(among(step.c.case_id, ids), step.c.actor_id != row.actor_id)
        .order_by(step.c.at, step.c.id)
    )
    return {each.case_id: (each.actor_name, each.verb, to_ms(each.at)) for each in rows}
