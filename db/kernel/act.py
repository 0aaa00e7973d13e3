"""An act as it was done once, so that it can be done again elsewhere and come to the same."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Act:
    """Number, moment, and everything that was drawn by lot: ids and case numbers."""

    operation: int
    at: datetime
    ids: tuple[tuple[int, int], ...] = ()
    """The ids that it gave out, in order, as (first, count)."""
    numbers: tuple[str, ...] = ()
