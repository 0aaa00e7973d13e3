"""Who is looking at which case, and who is writing in it: telemetry, forgotten after 45 seconds.

A window says that it is there again and again; nothing is journaled, and nothing needs to be taken back when
a program dies.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select

from db.engine.connections import Database
from db.kernel.actor import Actor
from db.kernel.command import Reach, command
from db.kernel.language import N_
from db.people.tables import presence

FORGOTTEN = timedelta(seconds=45)
"""So old, a sign of presence says nothing any more."""
SAID_EVERY = timedelta(seconds=15)
"""How often a window says that it is still there: two of three signs may be lost."""
_KEPT = timedelta(days=1)
IN_THE_ROOM = 0
"""The case of who is at the desk and looks at none."""


@command("people.be_present", permission="room.view", label=N_("Say who is at the desk"), reach=Reach.HERE)
@dataclass(frozen=True)
class BePresent:
    """Names the writer of presence; it never reaches the journal."""


@dataclass(frozen=True)
class Present:
    """Somebody at a case."""

    case_id: int
    account_id: int
    name: str
    typing: bool


def say(
    database: Database, session: str, actor: Actor, case_id: int = IN_THE_ROOM, typing: bool = False
) -> None:
    """Tell that a window of a person looks at a case; ``session`` names the window, at most 40 characters.

    Who is no account (the program itself) leaves no trace. May raise ``Unavailable``.
    """
    if actor.account_id:
        _write(database, session, actor, case_id, typing, now=True)


def leave(database: Database, session: str, actor: Actor) -> None:
    """Tell that a window was closed; without it, it is forgotten by itself. May raise ``Unavailable``."""
    if actor.account_id:
        _write(database, session, actor, IN_THE_ROOM, typing=False, now=False)


def present(connection: Connection, now: datetime) -> dict[int, list[tuple[str, bool]]]:
    """Who is at which case, by name, and whether he or she is writing; each person once a case."""
    found: dict[int, dict[int, Present]] = defaultdict(dict)
    for each in all_present(connection, now):
        known = found[each.case_id].get(each.account_id)
        if known is None or each.typing:
            found[each.case_id][each.account_id] = each
    return {
        case_id: sorted((each.name, each.typing) for each in people.values())
        for case_id, people in found.items()
    }


def who_is_at(connection: Connection, case_id: int, now: datetime) -> list[tuple[str, bool]]:
    """The same for one case."""
    return present(connection, now).get(case_id, [])


def all_present(connection: Connection, now: datetime) -> list[Present]:
    """Every window that looks at a case, in the order of cases and accounts."""
    rows = connection.execute(
        select(presence.c.case_id, presence.c.account_id, presence.c.name, presence.c.typing)
        .where(presence.c.at > now - FORGOTTEN, presence.c.case_id != IN_THE_ROOM)
        .order_by(presence.c.case_id, presence.c.account_id, presence.c.session)
    )
    return [Present(row.case_id, row.account_id, row.name, bool(row.typing)) for row in rows]


def _write(database: Database, session: str, actor: Actor, case_id: int, typing: bool, *, now: bool) -> None:
    with database.write(actor, BePresent()) as unit:
        # Windows that have long been closed: nobody counts them, and the table stays as small as the room.
        unit.connection.execute(delete(presence).where(presence.c.at < unit.now - _KEPT))
        row = {
            "session": session[:40],
            "account_id": actor.account_id,
            "name": actor.name,
            "case_id": case_id,
            "typing": typing,
            "at": unit.now if now else unit.now - FORGOTTEN,
        }
        unit.telemetry(presence, [row])
