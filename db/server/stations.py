"""The stations of a server as it knows them: number, name, program, who sits there, how far behind."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

CONNECTIONS_EACH = 3
"""A station holds the bell, and one or two for the person who is signed in."""
SEEN_MS = 30_000
"""A station that told nothing for so long is away; it tells every ten seconds."""


@dataclass(frozen=True)
class StationValue:
    """A station; moments in milliseconds since 1970, of the server's clock."""

    number: int
    name: str
    program: str
    person: str
    waiting: int
    skew_ms: int
    behind_ms: int
    seen_at: int
    is_there: bool


def stations(connection: Connection) -> list[StationValue]:
    """All stations by number."""
    rows = connection.execute(
        text(
            "SELECT number, name, program, login, waiting, skew_ms, behind_ms, seen_at,"
            " seen_at > jw_now_ms() - :seen FROM station ORDER BY number"
        ),
        {"seen": SEEN_MS},
    )
    return [StationValue(*row) for row in rows]
