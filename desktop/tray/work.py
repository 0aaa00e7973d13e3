"""What the tray shows, and what it asks for and does not know how."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Difference:
    """One field of a case as the act wanted it, and as the server has it now, in words."""

    field: str
    mine: str
    theirs: str


@dataclass(frozen=True)
class Side:
    """One case of an act: where the two sides differ, and who was quicker."""

    case_id: int
    number: str
    place: str
    differences: tuple[Difference, ...]
    who: str = ""
    what: str = ""
    at_ms: int = 0
    """The newest step of somebody else on it: nothing when nobody was quicker."""


@dataclass(frozen=True)
class TrayAct:
    """An act that the server refused, or has not heard of yet."""

    operation: int
    label: str
    """What was done, in words."""
    who: str
    is_own: bool
    """Whether it was done by who is signed in."""
    at_ms: int
    is_parked: bool
    why: str
    """Why the server refused it."""
    words: str
    """What its author wrote with it."""
    size: int
    """How many cases it is about; 0 when about none."""
    sides: tuple[Side, ...]
    may_edit: bool
    """Whether a dialog asks for what it needs."""
    command: Any = None
    """The command itself; ``None`` when this program does not know it."""


@dataclass(frozen=True)
class TrayWork:
    """All may raise ``Trouble``."""

    read: Callable[[], Sequence[TrayAct]]
    """Those to decide first, then those that wait, each the oldest first."""
    drop: Callable[[int, str], Any]
    """Nobody wants it any more: the act and the reason, which the journal keeps."""
    again: Callable[[TrayAct], Awaitable[Any]]
    """Do it on the new state."""


@dataclass(frozen=True)
class StationLine:
    """A station of the server as the server last heard of it."""

    number: int
    name: str
    person: str
    program: str
    waiting: int
    skew_ms: int
    behind_ms: int
    seen_ms: int
    """When it was last heard, by the server's clock."""
    is_here: bool
