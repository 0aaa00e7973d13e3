"""A server that was put back to an older state, and a station that is ahead of it.

The station says so and changes nothing (``Refused("other_history")`` of ``pull``). When somebody has decided
that the server is right all the same, the station takes its rows, and sends again what it did and the server
has lost. What other stations did they send themselves; where one act stood on another's, the tray of the one
that came too early keeps it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, text, update

from db.engine import outbox as sending
from db.engine.among import among
from db.engine.connections import Database
from db.engine.tables import journal, outbox, replica
from db.kernel.command import command_label
from db.kernel.refusal import Refused
from db.sync.incoming import oldest_closing, read_all
from db.sync.news import horizon
from db.sync.pull import (
    demand_same_history,
    server_settings,
    snapshot,
    take_settings,
    taken_acts,
    where_it_stands,
)
from db.sync.rebase import Decided, Known, Rebased, rebase


@dataclass(frozen=True)
class Rejoined:
    """What a station found when it came back to a server of an older state."""

    lost: int
    """Acts that the server had once and has no more: they wait to be sent again."""
    bare: int
    """Those of them whose contact was left to the server, and is gone with its newer state."""
    rebased: Rebased


@dataclass(frozen=True)
class LostAct:
    """An act that the server had once."""

    at: datetime
    who: str
    command: str
    cases: int
    """How many cases it touched."""
    is_bare: bool
    """Whether a citizen's contact that was given with it is lost."""


@dataclass(frozen=True)
class Foreseen:
    """What ``rejoin`` would do."""

    theirs: int
    """Entries that the server knows."""
    ours: int
    """Entries of the server that this station has seen."""
    is_other: bool
    """Whether the server is another one, or an older state of the same."""
    lost: tuple[LostAct, ...]
    waiting: int
    """Acts that wait here anyway."""


def foresee(local: Database, server: Database) -> Foreseen:
    """What ``rejoin`` would do now; nothing is changed."""
    with local.read() as own, snapshot(server) as connection:
        waiting, lost, _taken = _acts(own, connection)
        bare = _bare(own, lost)
        found = own.execute(
            select(outbox.c.id, outbox.c.at, outbox.c.actor_name, outbox.c.command, journal.c.touched)
            .join(journal, journal.c.seq == outbox.c.seq, isouter=True)
            .where(among(outbox.c.id, lost))
            .order_by(outbox.c.at, outbox.c.id)
        ).all()
        acts = tuple(
            LostAct(
                row.at,
                row.actor_name,
                command_label(row.command),
                len((row.touched or {}).get("cases", ())),
                row.id in bare,
            )
            for row in found
        )
        stand = own.execute(select(replica)).one()
        there = where_it_stands(connection, stand.seq)
        try:
            demand_same_history(stand, there)
            is_other = False
        except Refused:
            is_other = True
    return Foreseen(there.seq, stand.seq, is_other, acts, len(waiting))


def _acts(
    own: Connection, server: Connection
) -> tuple[list[int], list[int], dict[int, Mapping[str, list[int]]]]:
    """Acts of this station: those that wait, those that the server has lost, and those that it has."""
    states = (sending.DONE, sending.PARTLY)
    done = list(own.execute(select(outbox.c.id).where(outbox.c.state.in_(states))).scalars())
    waiting = list(own.execute(select(outbox.c.id).where(outbox.c.state == sending.WAITING)).scalars())
    taken = taken_acts(server, [*done, *waiting])
    return waiting, [operation for operation in done if operation not in taken], taken


def _bare(own: Connection, lost: Sequence[int]) -> frozenset[int]:
    # Of what was left out of the journal, a mark is left there.
    bare = select(outbox.c.id).join(journal, journal.c.seq == outbox.c.seq)
    bare = bare.where(among(outbox.c.id, lost), text("""journal.arguments LIKE '%:"#"%'"""))
    return frozenset(own.execute(bare).scalars())


def rejoin(local: Database, server: Database) -> Rejoined:
    """Take the server as it is now for the truth. Acts that wait here or have been lost there are done again
    on top of it; those that no longer can be lie in the tray.
    """
    with local.read() as own, snapshot(server) as connection:
        waiting, lost, taken = _acts(own, connection)
        everything = read_all(connection, oldest_closing(connection), own)
        head = connection.execute(text("SELECT seq, hash FROM journal_head")).one()
        known = Known(horizon(connection), head.seq, bytes(head.hash))
        theirs, ours = server_settings(connection), server_settings(own)
        without_contact = len(_bare(own, lost))
    take_settings(local, ours, theirs)
    with local.write_many() as writing:
        again = {"state": sending.WAITING, "refusal": None, "decided_at": None}
        writing.connection.execute(update(outbox).where(among(outbox.c.id, lost)).values(again))
    settled = {i: frozenset(rows.get("cases", ())) for i, rows in taken.items() if i in set(waiting)}
    came = rebase(local, everything, Decided(settled), known, whole=True)
    return Rejoined(len(lost), without_contact, came)
