"""The acts of a station that are on their way to the server: written in the transaction of the act itself."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from sqlalchemy import ColumnElement, Connection, FromClause, exists, select
from sqlalchemy.dialects.sqlite import insert

from db.engine.tables import outbox, replica
from db.kernel.act import Act
from db.kernel.actor import Actor
from db.kernel.command import as_plain, command_name

WAITING, PARKED, PARTLY, DROPPED, DONE = "waiting", "parked", "partly", "dropped", "done"
"""Waiting to be sent; refused; done on the server but for some of its cases; given up; done there as here."""
IN_TRAY = (PARKED, PARTLY)
"""What somebody has to look at."""


class Done(Protocol):
    """A unit of work, as far as it matters here."""

    @property
    def command(self) -> object: ...
    @property
    def actor(self) -> Actor: ...
    @property
    def now(self) -> datetime: ...
    @property
    def operation(self) -> int | None: ...
    @property
    def allotted(self) -> list[tuple[int, int]]: ...
    @property
    def numbers(self) -> list[str]: ...


def enter(connection: Connection, unit: Done, seq: int) -> None:
    """Note an act to be sent; one that is done again after a pull keeps its place and its moment."""
    row = {
        "id": unit.operation,
        "seq": seq,
        "at": unit.now,
        "actor_id": unit.actor.account_id,
        "actor_name": unit.actor.name,
        "command": command_name(type(unit.command)),
        "arguments": as_plain(unit.command),
        "ids": unit.allotted,
        "numbers": unit.numbers,
        "state": WAITING,
    }
    connection.execute(_ENTERED, row)


def latest(connection: Connection) -> datetime | None:
    """The moment of the newest act that waits; ``None`` when none does."""
    return connection.execute(_NEWEST).scalar()


# Made once: they go with every act.
_into = insert(outbox)
_ENTERED = _into.on_conflict_do_update(
    index_elements=["id"], set_={name: _into.excluded[name] for name in ("seq", "ids", "numbers")}
)
_NEWEST = select(outbox.c.at).where(outbox.c.state == WAITING).order_by(outbox.c.id.desc()).limit(1)


def waiting(connection: Connection) -> int:
    """How many acts the server has not heard of yet."""
    return len(connection.execute(select(outbox.c.id).where(outbox.c.state == WAITING)).all())


def is_station(connection: Connection) -> bool:
    """Whether this is a station's file. A server has such tables too, and nobody may look there."""
    if connection.dialect.name != "sqlite":
        return False
    return connection.execute(select(replica.c.id)).first() is not None


def stands(entry: FromClause, but: int | None = None) -> ColumnElement[bool]:
    """In a station's file, whether an entry was not put back since, and is of another act than ``but``.

    An act that is done again has several entries; the one that counts is the one that the outbox names.
    """
    named = exists().where(outbox.c.seq == entry.c.seq, outbox.c.state.in_((WAITING, PARTLY, DONE)))
    return named if but is None else named.where(outbox.c.id != but)


def act_of(row: object) -> Act:
    """The act in a row of the outbox, to be done again."""
    ids = tuple((int(first), int(count)) for first, count in row.ids)  # type: ignore[attr-defined]
    return Act(row.id, row.at, ids, tuple(row.numbers))  # type: ignore[attr-defined]
