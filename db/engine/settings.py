"""Settings of one database: plain values by key, journaled like every other row."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, delete, insert, select

from db.engine.tables import setting
from db.engine.unit_of_work import UnitOfWork


def get(connection: Connection, key: str, default: Any = None) -> Any:
    """The value of a setting, or ``default`` when it was never put."""
    found = connection.execute(select(setting.c.value).where(setting.c.key == key)).first()
    return default if found is None else found.value


def put(unit: UnitOfWork, key: str, value: Any) -> None:
    """Set a setting within a unit of work; the journal names it in the command's own arguments."""
    unit.connection.execute(delete(setting).where(setting.c.key == key))
    unit.connection.execute(insert(setting).values(key=key, value=value))
