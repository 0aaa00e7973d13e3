"""Ids of the demo city: a moment and a sequence like all others, but the invented moment, never the
clock's.
"""

from __future__ import annotations

import numpy as np

from db.demo.partition import Ints
from db.kernel.ids import EPOCH_MS

_LOW_BITS = 21
"""Station (0 for the demo city) and sequence of ``db.kernel.ids``."""
_PER_MS = 1 << 11
REGISTERS_AT_MS = 1_704_067_200_000
"""2024-01-01T00:00:00Z: when the registers of the demo city pretend to have been made."""


class Counter:
    """Ascending ids from one moment on, for registers and steps."""

    def __init__(self, at_ms: int = REGISTERS_AT_MS) -> None:
        self._at = at_ms - EPOCH_MS
        self._given = 0

    def take(self, many: int) -> list[int]:
        """``many`` fresh ids."""
        numbers = np.arange(self._given, self._given + many, dtype=np.int64)
        self._given += many
        taken: list[int] = (((self._at + numbers // _PER_MS) << _LOW_BITS) | numbers % _PER_MS).tolist()
        return taken


def ids_at(moments: Ints) -> Ints:
    """Ids for rows made at these moments (ascending, milliseconds), told apart within a millisecond."""
    first = np.searchsorted(moments, moments, side="left")
    sequence = np.arange(len(moments)) - first
    if len(sequence) and int(sequence.max()) >= _PER_MS:
        raise ValueError("too many rows within one millisecond")
    ids: Ints = ((moments - EPOCH_MS) << _LOW_BITS) | sequence
    return ids
