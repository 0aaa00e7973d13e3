"""Rows of the calendar's tests, and a way to look at what stands in its tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from typing import Any

from sqlalchemy import Table, select

from db.engine.connections import Database
from db.kernel.command import command

STANDING: dict[str, Any] = {"begins": time(8), "ends": time(16)}


@command("test.calendar_write", permission="*", label="Write")
@dataclass(frozen=True)
class Write:
    """Whatever a test wants written."""


def rows_of(database: Database, table: Table) -> list[tuple[Any, ...]]:
    """All rows without id and version, in order of their first column."""
    columns = [column for column in table.c if column.name not in ("id", "version")]
    with database.read() as connection:
        return sorted((tuple(row) for row in connection.execute(select(*columns))), key=str)
