"""Who is here: what the server knows of its stations, and what a station's own file tells of itself."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select, text

from db.engine import outbox as sending
from db.engine.connections import Database
from db.engine.tables import outbox, replica
from db.kernel.clock import to_ms
from db.sync.standing import Line, Standing

SILENT_MS = 15_000
"""A file that heard nothing for so long has no line: whoever keeps it looks every other second."""


@dataclass(frozen=True)
class StationRow:
    """A station as the server last heard of it; times in milliseconds, by the server's clock."""

    number: int
    name: str
    program: str
    login: str
    """The name of who sits there, as the server itself knows it (guard.sql: jw_check_station)."""
    waiting: int
    skew_ms: int
    behind_ms: int
    seen_ms: int
    token: str


def read_roll(connection: Connection) -> tuple[list[StationRow], int]:
    """The stations of a server by their numbers, and the server's time now (milliseconds since 1970)."""
    rows = connection.execute(
        text(
            "SELECT number, name, program, login, waiting, skew_ms, behind_ms, seen_at, token"
            " FROM station ORDER BY number"
        )
    )
    return [StationRow(*row) for row in rows], int(
        connection.execute(text("SELECT jw_now_ms()")).scalar_one()
    )


def own_token(connection: Connection) -> str:
    """How the server knows this station."""
    return str(connection.execute(select(replica.c.token)).scalar_one())


def standing_of(local: Database) -> Standing:
    """How a station stands, told from its file alone: for a screen that reads what another program keeps."""
    with local.read() as connection:
        synced = connection.execute(select(replica.c.synced_at)).scalar()
        found = connection.execute(select(outbox.c.state, func.count()).group_by(outbox.c.state))
        counts = {str(state): int(count) for state, count in found}
    heard = to_ms(synced) if synced is not None else 0
    is_live = to_ms(local.clock.now()) - heard < SILENT_MS
    return Standing(
        line=Line.LIVE if is_live else Line.OFFLINE,
        since_ms=heard,
        waiting=counts.get(sending.WAITING, 0),
        parked=sum(counts.get(state, 0) for state in sending.IN_TRAY),
        heard_ms=heard,
    )
