"""Settings of one database: plain values by key, and the office's clock that follows from one of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, bindparam, delete, insert, select

from db.engine.tables import setting

_AHEAD = "settings"
DEFAULT_ZONE = "Asia/Shanghai"

# Asked with every act: making the statement anew took four times as long as asking.
_VALUE = select(setting.c.value).where(setting.c.key == bindparam("name"))
_DELETED = delete(setting).where(setting.c.key == bindparam("name"))
_PUT = insert(setting)


class Writing(Protocol):
    """A unit of work, as far as it matters here."""

    @property
    def connection(self) -> Connection: ...


def get(connection: Connection, key: str, default: Any = None) -> Any:
    """The value of a setting, or ``default`` when it was never put."""
    ahead = connection.info.get(_AHEAD)
    if ahead is not None and key in ahead:
        return default if ahead[key] is None else ahead[key]
    found = connection.execute(_VALUE, {"name": key}).first()
    return default if found is None else found.value


@contextmanager
def read_ahead(connection: Connection, known: Mapping[str, Any]) -> Iterator[None]:
    """Within the block these settings (``None``: never put) are not asked for again: somebody has read them
    in this transaction, and now only sends.
    """
    # Kept here: a connection that breaks within the block has none any more.
    info = connection.info
    info[_AHEAD] = known
    try:
        yield
    finally:
        info.pop(_AHEAD, None)


def put(unit: Writing, key: str, value: Any) -> None:
    """Set a setting within a unit of work. The journal does not list it, and undo leaves it alone."""
    unit.connection.execute(_DELETED, {"name": key})
    unit.connection.execute(_PUT, {"key": key, "value": value})


def zone_of(connection: Connection) -> ZoneInfo:
    """The time zone of the city."""
    return ZoneInfo(get(connection, "city.zone", DEFAULT_ZONE))


def clock_text(connection: Connection, at: datetime, now: datetime) -> str:
    """A moment as a clock in the city shows it; with the day when that is not today's."""
    return clock_in(zone_of(connection), at, now)


def clock_in(zone: ZoneInfo, at: datetime, now: datetime) -> str:
    """A moment as a clock in a zone shows it; with the day when that is not today's."""
    local, today = at.astimezone(zone), now.astimezone(zone).date()
    return f"{local:%H:%M}" if local.date() == today else f"{local:%Y-%m-%d %H:%M}"
