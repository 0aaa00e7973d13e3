"""One of many ids: a condition that takes ten thousand of them in a single bound value."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import BigInteger, Dialect, bindparam
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import Boolean, TypeDecorator


class _Ids(TypeDecorator[Any]):
    """Ids as the database takes them: an array on a server, JSON on SQLite, which has none."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        return ARRAY(BigInteger) if dialect.name == "postgresql" else self.impl_instance

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        return value if dialect.name == "postgresql" else json.dumps(value)


class _Among(FunctionElement[bool]):
    """``column`` is one of the ids."""

    type = Boolean()
    inherit_cache = True

    def self_group(self, against: Any = None) -> Any:
        # It is a condition as it stands; compared with 1, as SQLite's flags are, no index would be used.
        return self


@compiles(_Among, "sqlite")
def _local(element: Any, compiler: Any, **kw: Any) -> str:
    column, ids = element.clauses
    value, listed = compiler.process(column, **kw), compiler.process(ids, **kw)
    return f"{value} IN (SELECT value FROM json_each({listed}))"  # noqa: S608  compiled by SQLAlchemy


@compiles(_Among, "postgresql")
def _served(element: Any, compiler: Any, **kw: Any) -> str:
    column, ids = element.clauses
    return f"{compiler.process(column, **kw)} = ANY({compiler.process(ids, **kw)})"


def among(column: ColumnElement[Any], ids: Iterable[int]) -> ColumnElement[bool]:
    """Whether ``column`` is one of ``ids``: one statement for any number of them, read by its index.

    Lists of bound values have an end, and making the text of a statement for each chunk costs more than
    reading the rows.
    """
    return _Among(column, bindparam(None, list(ids), type_=_Ids(), unique=True))


def among_given(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """The same in a statement that is made once; the list of ids is given by this name at each execution."""
    return _Among(column, bindparam(name, type_=_Ids()))
