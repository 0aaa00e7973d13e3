"""A server that was put back to an older state, and a station that is ahead of it.

The station says so and changes nothing (``Refused("other_history")`` of ``pull``). When somebody has decided
that the server is right all the same, the station takes its rows, and sends again what it did and the server
has lost. What other stations did they send themselves; where one act stood on another's, the tray of the one
that came too early keeps it.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select, text, update

from db.engine import outbox as sending
from db.engine.among import among
from db.engine.connections import Database
from db.engine.tables import journal, outbox
from db.sync.incoming import oldest_closing, read_all
from db.sync.news import horizon
from db.sync.pull import server_settings, snapshot, take_settings, taken_acts
from db.sync.rebase import Decided, Known, Rebased, rebase


@dataclass(frozen=True)
class Rejoined:
    """What a station found when it came back to a server of an older state."""

    lost: int
    """Acts that the server had once and has no more: they wait to be sent again."""
    bare: int
    """Those of them whose contact was left to the server, and is gone with its newer state."""
    rebased: Rebased


def rejoin(local: Database, server: Database) -> Rejoined:
    """Take the server as it is now for the truth. Acts that wait here or have been lost there are done again
    on top of it; those that no longer can be lie in the tray.
    """
    with local.read() as own, snapshot(server) as connection:
        states = (sending.DONE, sending.PARTLY)
        done = list(own.execute(select(outbox.c.id).where(outbox.c.state.in_(states))).scalars())
        waiting = list(own.execute(select(outbox.c.id).where(outbox.c.state == sending.WAITING)).scalars())
        taken = taken_acts(connection, [*done, *waiting])
        everything = read_all(connection, oldest_closing(connection), own)
        head = connection.execute(text("SELECT seq, hash FROM journal_head")).one()
        known = Known(horizon(connection), head.seq, bytes(head.hash))
        theirs, ours = server_settings(connection), server_settings(own)
        lost = [operation for operation in done if operation not in taken]
        # Of what was left out of the journal, a mark is left there.
        bare = select(outbox.c.id).join(journal, journal.c.seq == outbox.c.seq)
        bare = bare.where(among(outbox.c.id, lost), text("""journal.arguments LIKE '%:"#"%'"""))
        without_contact = len(own.execute(bare).all())
    take_settings(local, ours, theirs)
    with local.write_many() as writing:
        again = {"state": sending.WAITING, "refusal": None, "decided_at": None}
        writing.connection.execute(update(outbox).where(among(outbox.c.id, lost)).values(again))
    settled = {i: frozenset(rows.get("cases", ())) for i, rows in taken.items() if i in set(waiting)}
    came = rebase(local, everything, Decided(settled), known, whole=True)
    return Rejoined(len(lost), without_contact, came)
