"""What only time brings about: the window of a database of its own sees to it each minute, and for a server
``jingwei server tend``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from db.advice.automatic import dispatch_automatically
from db.cases.commands.requests import ResumeDue
from db.engine.bus import Bus
from db.kernel.actor import SYSTEM
from db.people.tracking import CleanTracks, has_old_tracks


@dataclass(frozen=True)
class Upkeep:
    """What one look has done."""

    resumed: int
    """Suspended cases whose day has come."""
    erased: int
    """Points of tracks that were older than they may be."""
    dispatched: int
    """Cases that went by advice, where a supervisor lets them."""


def keep_up(bus: Bus, now: datetime) -> Upkeep:
    """Do what is due. Learns from history where nobody has yet, which takes seconds: never on a thread that
    draws. Raises ``Unavailable``.
    """
    resumed = int(bus.run(ResumeDue(), SYSTEM).result)
    erased = int(bus.run(CleanTracks(), SYSTEM).result) if has_old_tracks(bus.database) else 0
    return Upkeep(resumed, erased, dispatch_automatically(bus, now))
