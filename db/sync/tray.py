"""What lies in the tray of a station: acts that the server refused, and acts that it has not heard of yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from db.engine import outbox as sending
from db.engine.among import among
from db.engine.connections import Database
from db.engine.rows import read_rows
from db.engine.tables import journal, metadata, outbox
from db.kernel.clock import to_ms
from db.kernel.command import command_label, from_plain
from db.kernel.refusal import Refused
from db.sync.incoming import Incoming
from db.sync.rebase import rebase

FIELDS = ("state", "unit_id", "holder_id", "category_id", "priority", "address", "due_at")
"""The columns of a case that people compare."""


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


def _laid(connection: Connection, row: Any) -> Laid:
    try:
        wanted = from_plain(row.command, row.arguments)
    except Refused:
        wanted = None
    refusal = None
    if row.refusal:
        refusal = Refused(row.refusal["code"], row.refusal["message"], **row.refusal["facts"])
    return Laid(
        row.id,
        row.state,
        command_label(row.command),
        wanted,
        row.arguments,
        row.actor_id,
        row.actor_name,
        to_ms(row.at),
        refusal,
        _cases(connection, row),
    )


def _cases(connection: Connection, row: Any) -> tuple[CaseSides, ...]:
    changes = connection.execute(select(journal.c.changes).where(journal.c.seq == row.seq)).scalar() or {}
    done: dict[int, Mapping[str, list[Any]]] = dict(changes.get("cases", ()))
    cases = metadata.tables["cases"]
    ids = sorted(done.keys() | set(row.arguments.get("case_ids") or ()))
    now = read_rows(connection, cases, ids)
    quicker = {} if row.state == sending.WAITING else _quicker(connection, ids, row)
    found = []
    for case_id in ids:
        theirs = now.get(case_id)
        diff = done.get(case_id, {})
        contrasts = tuple(
            Contrast(name, diff[name][1], _plain(theirs, name))
            for name in FIELDS
            if name in diff and (row.state == sending.WAITING or diff[name][1] != _plain(theirs, name))
        )
        who, verb, at_ms = quicker.get(case_id, ("", "", 0))
        number = theirs["number"] if theirs is not None else str(diff.get("number", ["", ""])[1])
        found.append(CaseSides(case_id, number, contrasts, who, verb, at_ms))
    return tuple(found)


def _plain(row: Mapping[str, Any] | None, name: str) -> Any:
    value = None if row is None else row[name]
    return to_ms(value) if name.endswith("_at") and value is not None else value


def _quicker(connection: Connection, ids: list[int], row: Any) -> dict[int, tuple[str, str, int]]:
    """The newest step of somebody else on each case."""
    step = metadata.tables["case_step"]
    rows = connection.execute(
        select(step.c.case_id, step.c.actor_name, step.c.verb, step.c.at)
        .where(among(step.c.case_id, ids), step.c.actor_id != row.actor_id)
        .order_by(step.c.at, step.c.id)
    )
    return {each.case_id: (each.actor_name, each.verb, to_ms(each.at)) for each in rows}


def drop(local: Database, operation: int) -> None:
    """Nobody wants this act any more."""
    rebase(local, Incoming(), dropped=frozenset({operation}))
