"""Tells the server what was done here: each act once, under the name of who did it, by the server's own rules."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice, takewhile
from typing import Any

from sqlalchemy import Row, select

from db.engine import outbox as sending
from db.engine.among import among
from db.engine.bus import Bus
from db.engine.connections import Database
from db.engine.journal import last_touch
from db.engine.tables import journal, metadata, outbox
from db.engine.unit_of_work import Diff, UnitOfWork
from db.kernel.actor import Actor
from db.kernel.clock import to_ms
from db.kernel.command import from_plain
from db.kernel.language import N_, _
from db.kernel.refusal import Refused
from db.sync.batch import CHUNK, fast_forward
from db.sync.incoming import oldest_closing, read_touched
from db.sync.pull import snapshot
from db.sync.rebase import rebase

Door = Callable[[int], "tuple[Bus, Actor] | None"]
"""The way into the server for an account, by its id; ``None`` while that person is not signed in."""
Effect = Mapping[str, Mapping[int, Diff]]


@dataclass
class Pushed:
    """What became of the acts that waited."""

    settled: list[int] = field(default_factory=list)
    parked: dict[int, Refused] = field(default_factory=dict)
    held: dict[int, str] = field(default_factory=dict)
    """Acts of people who are not signed in, or that stand on such ones: operation → whose."""


def push(local: Database, door: Door, *, as_computed: bool = True) -> Pushed:
    """Send what waits, in the order in which it was done. Raises ``Unavailable`` when the server is gone: what
    was sent before is settled, the rest goes on waiting.

    What nothing has come between goes ``as_computed`` (``db/sync/batch.py``), unless the clock here is wrong.
    """
    pushed = Pushed()
    blocked: set[tuple[str, int]] = set()
    waiting = deque(_waiting(local))
    while waiting:
        operation, account = waiting[0]
        way = door(account)
        if way is not None and as_computed:
            alike = takewhile(lambda each: each[1] == account, islice(waiting, CHUNK))  # noqa: B023  used at once
            sent = fast_forward(local, way[0].database, [each for each, _whose in alike], blocked)
            for _each in sent:
                waiting.popleft()
            pushed.settled += sent
            if sent:
                continue
        waiting.popleft()
        act, effect = _read(local, operation)
        if act is None:
            # Parked meanwhile, because what it stood on was refused.
            continue
        rows = {(table, row_id) for table, ids in effect.items() for row_id in ids}
        if way is None or not blocked.isdisjoint(rows):
            blocked |= rows
            pushed.held[operation] = act.actor_name
            continue
        try:
            _send(local, act, effect, *way)
        except Refused as refusal:
            pushed.parked[operation] = refusal
        else:
            pushed.settled.append(operation)
    return pushed


def _waiting(local: Database) -> list[tuple[int, int]]:
    """The acts and whose they are, in the order in which they were done."""
    with local.read() as connection:
        waits = select(outbox.c.id, outbox.c.actor_id).where(outbox.c.state == sending.WAITING)
        return [
            (row.id, row.actor_id) for row in connection.execute(waits.order_by(outbox.c.at, outbox.c.id))
        ]


def _read(local: Database, operation: int) -> tuple[Row[Any] | None, Effect]:
    with local.read() as connection:
        waits = select(outbox).where(outbox.c.id == operation, outbox.c.state == sending.WAITING)
        act = connection.execute(waits).first()
        if act is None:
            return None, {}
        changes = connection.execute(select(journal.c.changes).where(journal.c.seq == act.seq)).scalar()
    return act, {table: dict(rows) for table, rows in (changes or {}).items()}


def _send(local: Database, act: Row[Any], effect: Effect, bus: Bus, actor: Actor) -> None:
    """One act to the server, and what came of it back into this file."""
    touched = {table: set(rows) for table, rows in effect.items()}
    parked: dict[int, Refused] = {}
    try:
        outcome = bus.replay(
            from_plain(act.command, act.arguments), actor, sending.act_of(act), merged(effect)
        )
        for table, ids in outcome.changes.touched.items():
            touched.setdefault(table, set()).update(ids)
    except Refused as refusal:
        parked[act.id] = refusal
    with snapshot(bus.database) as connection:
        since = oldest_closing(connection, to_ms(local.clock.now()))
        cases = metadata.tables["cases"]
        with local.read() as own:
            known = own.execute(
                select(cases.c.id).where(among(cases.c.id, touched.get("cases", ())))
            ).scalars()
            incoming = read_touched(connection, touched, since, frozenset(known))
    rebase(local, incoming, settled=frozenset() if parked else frozenset({act.id}), parked=parked)
    for refusal in parked.values():
        raise refusal


def merged(effect: Effect) -> Callable[[Any, UnitOfWork], Any]:
    """What lets an act pass over changes that do not concern it, and stops it before one that does.

    A concurrent change is harmless when it left alone every value that the act changed here, and state and
    unit of its cases; then the act is done on the rows as they are now.
    """

    def check(command: Any, unit: UnitOfWork) -> Any:
        for name, rows in effect.items():
            table = metadata.tables[name]
            changed = {i: diff for i, diff in rows.items() if "id" not in diff}
            current = unit.rows(table, list(changed))
            for row_id, diff in changed.items():
                row = current.get(row_id)
                if row is None:
                    raise _quicker(unit, name, row_id)
                for column, (before, after) in diff.items():
                    now = unit.plain(table, column, row[column])
                    if column != "version" and now not in (before, after):
                        raise _quicker(unit, name, row_id)
        if getattr(command, "versions", ()):
            cases = unit.rows(metadata.tables["cases"], command.case_ids)
            return replace(
                command, versions=tuple(cases[i]["version"] if i in cases else 0 for i in command.case_ids)
            )
        return command

    return check


def _quicker(unit: UnitOfWork, table: str, row_id: int) -> Refused:
    touch = last_touch(unit.connection, metadata.tables[table], row_id)
    return Refused(
        "changed_meanwhile",
        N_("{who} changed this meanwhile ({what})."),
        who=touch.actor_name if touch else "?",
        what=_(touch.command) if touch else "?",
        table=table,
        id=row_id,
    )
