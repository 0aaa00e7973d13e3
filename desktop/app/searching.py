"""What the search window asks for, answered by the database of a session."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from db.bootstrap import Core
from db.kernel.actor import Actor
from db.kernel.clock import to_ms
from db.search.index import is_ready, rebuild
from db.search.queries import Count, Page, count, search
from db.search.rules import Query
from desktop.search.window import SearchWork

T = TypeVar("T")

PAGE = 100
"""Cases fetched at a time: three screens full."""


def search_work(core: Core, who: Actor) -> SearchWork:
    """The questions of the window, for one person."""

    def read(question: Callable[[Any], T]) -> T:
        with core.database.read() as connection:
            return question(connection)

    def now_ms() -> int:
        return to_ms(core.clock.now())

    def find(query: Query, after: int | None) -> Page:
        return read(lambda connection: search(connection, query, now_ms(), who, after=after, limit=PAGE))

    def count_of(query: Query) -> Count:
        return read(lambda connection: count(connection, query, now_ms(), who))

    return SearchWork(
        find,
        count_of,
        lambda: read(is_ready),
        lambda progress: rebuild(core.database, progress),
    )
