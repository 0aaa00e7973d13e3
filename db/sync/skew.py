"""The clock of a station, set right by the server's: measured while there is a line, kept for without one."""

from __future__ import annotations

from sqlalchemy import Connection, text

from db.engine import settings
from db.engine.connections import Database
from db.kernel.clock import CorrectedClock, to_ms

AHEAD = "replica.clock_ahead"
"""The setting of a station's file with how far this computer's clock was ahead at last, in milliseconds."""
NOTICED_MS = 50
"""What a measurement over a line is not to be trusted with."""


def keep_time(local: Database) -> CorrectedClock:
    """Let a station's file go by the server's time, as far as that is known; its clock from now on."""
    if not isinstance(local.clock, CorrectedClock):
        with local.read() as connection:
            ahead_ms = int(settings.get(connection, AHEAD, 0))
        local.clock = CorrectedClock(local.clock, ahead_ms)
    return local.clock


def measure(server: Connection, clock: CorrectedClock) -> int:
    """How far this computer's clock is ahead of the server's, in milliseconds; wrong by half a round trip."""
    before = to_ms(clock.own.now())
    theirs = int(server.execute(text("SELECT jw_now_ms()")).scalar_one())
    return (before + to_ms(clock.own.now())) // 2 - theirs


def correct(local: Database, ahead_ms: int) -> None:
    """Go by what was measured, from now on and after the next start."""
    clock = keep_time(local)
    if abs(ahead_ms - clock.ahead_ms) <= NOTICED_MS:
        return
    clock.ahead_ms = ahead_ms
    with local.write_many() as writing:
        settings.put(writing, AHEAD, ahead_ms)
