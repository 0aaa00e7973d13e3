"""Time-ordered 63-bit ids that stations can make on their own, without asking anyone.

42 bits of milliseconds since 2020 (good until 2159), 10 bits of station, 11 bits of sequence. They sort by
the time of making, fit one BIGINT (SQLite's own row id, no second index) and one numpy ``int64``.
"""

from __future__ import annotations

import secrets
import threading
import time

EPOCH_MS = 1_577_836_800_000
"""2020-01-01T00:00:00Z in milliseconds since 1970."""

_STATION_BITS = 10
_SEQUENCE_BITS = 11
TIME_SHIFT = _STATION_BITS + _SEQUENCE_BITS
"""An id shifted right by so many bits is the moment of its making, in milliseconds since ``EPOCH_MS``."""
STATIONS = 1 << _STATION_BITS
_PER_MS = 1 << _SEQUENCE_BITS


class IdMaker:
    """Makes ids that never repeat and never run backwards, even when the computer's clock is set back."""

    def __init__(self, station: int) -> None:
        if not 0 <= station < STATIONS:
            raise ValueError(f"station must be 0..{STATIONS - 1}, not {station}")
        self.station = station
        self._lock = threading.Lock()
        self._last_ms = 0
        self._sequence = 0

    def __call__(self) -> int:
        """The next id."""
        return self.block(1)[0]

    def block(self, count: int) -> list[int]:
        """``count`` ids in ascending order."""
        with self._lock:
            now = time.time_ns() // 1_000_000 - EPOCH_MS
            if now > self._last_ms:
                self._last_ms, self._sequence = now, 0
            made = []
            for _ in range(count):
                made.append(self._compose())
                self._sequence += 1
                if self._sequence == _PER_MS:
                    self._sequence = 0
                    self._last_ms += 1
            return made

    @property
    def last(self) -> int:
        """No id made so far is greater than this one."""
        with self._lock:
            return self._compose()

    def after(self, made_id: int) -> None:
        """Make no more ids as early as ``made_id``: another process of this station may have made it."""
        with self._lock:
            if made_id > self._compose():
                self._last_ms, self._sequence = (made_id >> TIME_SHIFT) + 1, 0

    def _compose(self) -> int:
        return self._last_ms << TIME_SHIFT | self.station << _SEQUENCE_BITS | self._sequence


def made_at_ms(made_id: int) -> int:
    """When an id was made, in milliseconds since 1970 UTC."""
    return (made_id >> TIME_SHIFT) + EPOCH_MS


def station_of(made_id: int) -> int:
    """The number of the station that made an id."""
    return (made_id >> _SEQUENCE_BITS) & (STATIONS - 1)


def first_id_at(milliseconds: int) -> int:
    """No id made at that moment (since 1970 UTC) or later is smaller than this one."""
    return max(milliseconds - EPOCH_MS, 0) << TIME_SHIFT


def random_station() -> int:
    """A station number for a database that no server has numbered yet."""
    return secrets.randbelow(STATIONS)
