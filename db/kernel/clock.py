"""Where the time comes from: the computer's clock, or one that a test sets by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class Clock(Protocol):
    """Anything that tells the time as an aware datetime in UTC."""

    def now(self) -> datetime: ...


class SystemClock:
    """The computer's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class SetClock:
    """A clock that stands still until it is moved; for tests, replays and the demo generator."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def advance(self, by: timedelta) -> None:
        self.at += by


class CorrectedClock:
    """A clock that is known to be wrong, set right."""

    def __init__(self, own: Clock, ahead_ms: int = 0) -> None:
        self.own = own
        self.ahead_ms = ahead_ms
        """How far ``own`` is ahead, in milliseconds."""

    def now(self) -> datetime:
        return self.own.now() - self.ahead_ms * _MILLISECOND


def to_ms(moment: datetime) -> int:
    """An aware datetime as whole milliseconds since 1970 UTC."""
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    return (moment - _EPOCH) // _MILLISECOND


def from_ms(milliseconds: int) -> datetime:
    """Milliseconds since 1970 as an aware datetime in UTC."""
    return _EPOCH + milliseconds * _MILLISECOND
