"""Where the day of a city begins and ends, in milliseconds since 1970 UTC."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from db.kernel.clock import from_ms, to_ms


def day_of(now_ms: int, zone: ZoneInfo) -> date:
    """The local date of a moment."""
    return from_ms(now_ms).astimezone(zone).date()


def midnight(day: date, zone: ZoneInfo) -> int:
    """The moment at which a local day begins."""
    return to_ms(datetime.combine(day, time(), zone))


def day_start(now_ms: int, zone: ZoneInfo) -> int:
    """The last local midnight at or before a moment."""
    return midnight(day_of(now_ms, zone), zone)


def next_day_start(now_ms: int, zone: ZoneInfo) -> int:
    """The first local midnight after a moment."""
    return midnight(day_of(now_ms, zone) + timedelta(days=1), zone)


def clock_words(moment_ms: int, zone: ZoneInfo) -> str:
    """The local time of a moment of today: 14:20."""
    return f"{from_ms(moment_ms).astimezone(zone):%H:%M}"
