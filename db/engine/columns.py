"""Column types that mean the same on SQLite and PostgreSQL, and their values as the journal keeps them."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Date, Dialect, Integer, LargeBinary, Table, Text, Time
from sqlalchemy.types import TypeDecorator

from db.kernel.clock import from_ms, to_ms

BigId = BigInteger().with_variant(Integer, "sqlite")
"""A 63-bit id; on SQLite an ``INTEGER PRIMARY KEY`` is the row id itself."""

Codec = Callable[[Any], Any]


class Moment(TypeDecorator[datetime]):
    """An aware datetime kept as milliseconds since 1970 UTC: the live arrays read it without conversion."""

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


canonical = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode
"""JSON with sorted keys and no spaces."""


def id_column() -> Column[int]:
    """The primary key of every table that the journal knows."""
    return Column("id", BigId, primary_key=True, autoincrement=False)


def version_column() -> Column[int]:
    """Counts the changes of a row; ``UnitOfWork`` keeps it."""
    return Column("version", Integer, nullable=False, default=1, server_default="1")


_PLAIN: tuple[tuple[type[Any], Codec, Codec], ...] = (
    (Moment, to_ms, from_ms),
    (Date, date.isoformat, date.fromisoformat),
    (Time, time.isoformat, time.fromisoformat),
    (LargeBinary, lambda value: b64encode(value).decode("ascii"), b64decode),
)


def to_plain(column: Column[Any]) -> Codec | None:
    """What turns a value of this column into one that JSON can hold; ``None`` when it is one already."""
    return next((there for kind, there, _back in _PLAIN if isinstance(column.type, kind)), None)


def to_ours(column: Column[Any]) -> Codec | None:
    """What turns a value that the journal kept into one of this column; ``None`` when it is one already."""
    return next((back for kind, _there, back in _PLAIN if isinstance(column.type, kind)), None)


def from_plain(column: Column[Any], value: Any) -> Any:
    """The value of a column from what the journal kept."""
    code = to_ours(column)
    return value if value is None or code is None else code(value)


def defaults(table: Table) -> dict[str, Any]:
    """What the database puts into columns that an insert leaves out; those not named here become NULL."""
    found: dict[str, Any] = {}
    for column in table.c:
        if column.server_default is not None:
            word = str(column.server_default.arg)  # type: ignore[attr-defined]
            if isinstance(column.type, Boolean):
                found[column.name] = word == "1"
            else:
                found[column.name] = int(word) if isinstance(column.type, Integer) else word
    return found
