"""The one way in which a station's file is changed from outside: the server's rows under the station's acts.

Acts that the server has not heard of yet stand on rows as they were. When those rows change, the acts that
met them are put back, the server's rows are written, and the acts are done again: the same acts, with their
numbers, ids and moments. One transaction, so that the screen sees only what came of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, Table, select, update

from db.engine import outbox as sending
from db.engine.bus import carry_out
from db.engine.columns import from_plain
from db.engine.connections import Database, Writing
from db.engine.tables import journal, metadata, outbox, replica
from db.engine.unit_of_work import Diff, UnitOfWork
from db.kernel.actor import SYSTEM, Actor
from db.kernel.command import Reach, command
from db.kernel.command import from_plain as command_from_plain
from db.kernel.language import N_
from db.kernel.refusal import Refused
from db.sync.incoming import Incoming, mirrored

Key = tuple[str, int]


@command("sync.take_over", permission="*", label=N_("Taken over"), lasting=True, reach=Reach.HERE)
@dataclass(frozen=True)
class TakeOver:
    """What the server knows, up to an entry of its journal (0: it was asked for some rows only)."""

    seq: int = 0


@dataclass(frozen=True)
class Known:
    """How far a station has heard of the server: the cursor of its news, its newest entry and the seal of it."""

    xid: int
    seq: int
    seal: bytes


@dataclass
class Rebased:
    """What became of the acts that were done again."""

    again: list[int] = field(default_factory=list)
    parked: dict[int, Refused] = field(default_factory=dict)


def rebase(
    database: Database,
    incoming: Incoming,
    *,
    settled: frozenset[int] = frozenset(),
    parked: Mapping[int, Refused] | None = None,
    dropped: frozenset[int] = frozenset(),
    known: Known | None = None,
) -> Rebased:
    """Write the server's rows, with the acts that still wait on top of them.

    ``settled`` are acts whose effect is now among the server's rows, ``parked`` those that the server refused,
    ``dropped`` those that nobody wants any more: what they did here is put back and not done again.
    """
    parked = dict(parked or {})
    over = settled | parked.keys() | dropped
    came = Rebased(parked=parked)
    with database.write_many() as writing:
        acts = _acts(writing)
        effects = {act.id: _effect(writing, act) for act in acts}
        affected = _affected(acts, effects, incoming, over)
        with writing.unit(SYSTEM, TakeOver(known.seq if known else 0)) as unit:
            base = _put_back(unit, [effects[act.id] for act in reversed(affected)])
            for table in mirrored():
                base.setdefault(table.name, {}).update(incoming.rows.get(table.name, {}))
                base[table.name].update(dict.fromkeys(incoming.gone.get(table.name, ())))
            _write(unit, base)
        for act in affected:
            if act.id not in over:
                _do_again(writing, act, came)
        _note(writing, settled, came.parked, dropped, known, database)
    return came


def _acts(writing: Writing) -> Sequence[Row[Any]]:
    """The acts that the server has not settled, in the order in which they were done."""
    waits = outbox.c.state == sending.WAITING
    return writing.connection.execute(select(outbox).where(waits).order_by(outbox.c.at, outbox.c.id)).all()


def _effect(writing: Writing, act: Row[Any]) -> dict[str, dict[int, Diff]]:
    """What an act did here: before and after of every row, from this file's own journal."""
    changes = writing.connection.execute(select(journal.c.changes).where(journal.c.seq == act.seq)).scalar()
    return {table: dict(rows) for table, rows in (changes or {}).items()}


def _affected(
    acts: Sequence[Row[Any]],
    effects: Mapping[int, Mapping[str, Mapping[int, Diff]]],
    incoming: Incoming,
    over: frozenset[int] | set[int],
) -> list[Row[Any]]:
    """Those acts that stand on rows which change, and those that stand on theirs."""
    dirty: set[Key] = {(table, i) for table in (*incoming.rows, *incoming.gone) for i in incoming.ids(table)}
    found = []
    for act in acts:
        touched = {(table, row_id) for table, rows in effects[act.id].items() for row_id in rows}
        if act.id in over or not dirty.isdisjoint(touched):
            found.append(act)
            dirty |= touched
    return found


def _put_back(
    unit: UnitOfWork, effects: Sequence[Mapping[str, Mapping[int, Diff]]]
) -> dict[str, dict[int, dict[str, Any] | None]]:
    """The rows as they were before these acts (the newest first); ``None`` for a row that was not there."""
    base: dict[str, dict[int, dict[str, Any] | None]] = defaultdict(dict)
    for effect in effects:
        for name, rows in effect.items():
            table = metadata.tables[name]
            current = unit.rows(table, list(rows))
            of_table = base[name]
            for row_id, diff in rows.items():
                if row_id not in of_table:
                    of_table[row_id] = dict(current[row_id]) if row_id in current else None
                of_table[row_id] = _before(table, row_id, diff, of_table[row_id])
    return base


def _before(table: Table, row_id: int, diff: Diff, after: dict[str, Any] | None) -> dict[str, Any] | None:
    if "id" in diff and diff["id"][0] is None:
        return None
    row = dict(after) if after is not None else {"id": row_id}
    for name, (was, _is) in diff.items():
        # A private value stands in the journal as a digest only; no act changes one that was there before.
        if not table.c[name].info.get("private"):
            row[name] = from_plain(table.c[name], was)
    return row


def _write(unit: UnitOfWork, base: Mapping[str, Mapping[int, dict[str, Any] | None]]) -> None:
    """Make the rows so; a row goes before the one that it points to, and comes after it."""
    tables = [table for table in metadata.sorted_tables if base.get(table.name)]
    for table in reversed(tables):
        gone = [row_id for row_id, row in base[table.name].items() if row is None]
        unit.mirror(table, [], gone)
    for table in tables:
        unit.mirror(table, [row for row in base[table.name].values() if row is not None])


def _do_again(writing: Writing, act: Row[Any], came: Rebased) -> None:
    actor = Actor(act.actor_id, act.actor_name, frozenset({"*"}))
    wanted = command_from_plain(act.command, act.arguments)
    try:
        with writing.attempt(), writing.unit(actor, wanted, sending.act_of(act)) as unit:
            carry_out(wanted, unit)
    except Refused as refusal:
        came.parked[act.id] = refusal
    else:
        came.again.append(act.id)


def _note(
    writing: Writing,
    settled: frozenset[int],
    parked: Mapping[int, Refused],
    dropped: frozenset[int],
    known: Known | None,
    database: Database,
) -> None:
    connection, now = writing.connection, database.clock.now()
    for ids, state in ((settled, sending.DONE), (dropped, sending.DROPPED)):
        if ids:
            connection.execute(update(outbox).where(outbox.c.id.in_(ids)).values(state=state, decided_at=now))
    for operation, refusal in parked.items():
        told = {"code": refusal.code, "message": refusal.message, "facts": _plain_facts(refusal)}
        connection.execute(
            update(outbox)
            .where(outbox.c.id == operation)
            .values(state=sending.PARKED, refusal=told, decided_at=now)
        )
    if known is not None:
        connection.execute(
            update(replica).values(xid=known.xid, seq=known.seq, seal=known.seal, synced_at=now)
        )


def _plain_facts(refusal: Refused) -> dict[str, str]:
    return {
        name: fact.text() if isinstance(fact, Refused) else str(fact) for name, fact in refusal.facts.items()
    }
