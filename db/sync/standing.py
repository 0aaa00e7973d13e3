"""How a station stands with its server: what the strip of the room says, and the wall."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from db.kernel.refusal import Trouble


class Line(StrEnum):
    """How the line to the server stands."""

    JOINING = "joining"
    LIVE = "live"
    BEHIND = "behind"
    OFFLINE = "offline"


class Way(StrEnum):
    """How it stands with a photo whose file is not here."""

    COMING = "coming"
    """The server has it."""
    UNSENT = "unsent"
    """The station that took it has not sent it yet."""
    NO_LINE = "no_line"
    LOST = "lost"
    """Nobody has it any more."""


@dataclass(frozen=True)
class PhotoWay:
    """How a photo comes here: the share of its bytes that has arrived (0 to 1), and from which station it is
    waited for ("" when that is not the point).
    """

    way: Way
    share: float = 0.0
    station: str = ""


@dataclass(frozen=True)
class Standing:
    """What is known of the line, of what waits, and of the clock."""

    line: Line = Line.JOINING
    since_ms: int = 0
    """Since when it is so, in milliseconds since 1970."""
    waiting: int = 0
    parked: int = 0
    held_for: tuple[str, ...] = ()
    """Whose acts wait because they are not signed in here."""
    skew_ms: int = 0
    """How far this computer's clock is ahead of the server's."""
    trouble: Trouble | None = None
    heard_ms: int = 0
    """Up to when everything that the server knew is known here, by this computer's clock; 0 = never yet."""
