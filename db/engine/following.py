"""Functions that follow a table: they run in the transaction of every write to it, whoever writes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import Any, TypeVar

from sqlalchemy import Connection, Table

Rows = Sequence[Mapping[str, Any]]
Follower = Callable[[Connection, Rows, Rows], None]
"""Connection, rows as they were, rows as they are now; a row that came is only in the second, one that went
only in the first. Moments are datetimes or milliseconds; in a bulk load columns may be missing.
"""
F = TypeVar("F", bound=Follower)

_followers: dict[str, list[Follower]] = {}
_looked_at: dict[str, set[str]] = {}


def follows(table: Table, columns: Iterable[str] = ()) -> Callable[[F], F]:
    """Mark a function that keeps something true about the rows of a table.

    It hears of inserts, updates, deletes and bulk loads through ``UnitOfWork``, so of commands, imports, the
    demo and undo alike. When it raises, nothing is written. ``columns`` are those that it looks at besides
    the id, all when none is named: of a change of others it need not hear, and they may be missing then.
    """

    def mark(function: F) -> F:
        known = _followers.setdefault(table.name, [])
        if function not in known:
            known.append(function)
            _looked_at.setdefault(table.name, set()).update(columns or table.c.keys(), ("id",))
        return function

    return mark


def followers_of(table: Table) -> Sequence[Follower]:
    """Who follows a table."""
    return _followers.get(table.name, ())


def looked_at(table: Table) -> Set[str]:
    """The columns that any of them looks at."""
    return _looked_at.get(table.name, frozenset())
