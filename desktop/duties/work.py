"""What the screen of duties asks for and does not know how; each is called off the GUI thread."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from db.duties.book import DutyBook
from db.registers.queries import BaseMap


@dataclass(frozen=True)
class DutyWork:
    """All may raise ``Trouble``."""

    read: Callable[[], DutyBook]
    """The matrix as it stands."""
    outlines: Callable[[], BaseMap]
    """The shapes of the areas."""
    run: Callable[[Any], object]
    """A command of the matrix."""
    in_hand: Callable[[Iterable[int], Iterable[int]], dict[int, int]]
    """Open cases by unit, of some classes in some cells."""
