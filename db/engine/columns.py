"""Column types that mean the same on SQLite and PostgreSQL."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Dialect, Integer, Text
from sqlalchemy.types import TypeDecorator

from db.kernel.clock import from_ms, to_ms

BigId = BigInteger().with_variant(Integer, "sqlite")
"""A 63-bit id; on SQLite an ``INTEGER PRIMARY KEY`` is the row id itself."""


class Moment(TypeDecorator[datetime]):
    """An aware datetime kept as milliseconds since 1970 UTC, so that the live arrays read it without conversion."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else to_ms(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else from_ms(value)


class Json(TypeDecorator[Any]):
    """Plain values as canonical JSON text: the same bytes on every database, so that they can be hashed."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else canonical(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def id_column() -> Column[int]:
    """The primary key of every table that the journal knows."""
    return Column("id", BigId, primary_key=True, autoincrement=False)


def version_column() -> Column[int]:
    """Counts the changes of a row; ``UnitOfWork`` keeps it."""
    return Column("version", Integer, nullable=False, default=1, server_default="1")
