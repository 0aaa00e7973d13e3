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
Ask = Callable[[Callable[[Any], Any]], Any]
"""Gives a question a connection to read by."""

PAGE = 100
"""Cases fetched at a time: three screens full."""


def search_work(core: Core, who: Actor, older: SearchWork | None = None) -> SearchWork:
    """The questions of the window, for one person; ``older``: the same put to a server."""

    def read(question: Callable[[Any], T]) -> T:
        with core.database.read() as connection:
            return question(connection)

    return SearchWork(
        *_questions(read, core, who),
        lambda: read(is_ready),
        lambda progress: rebuild(core.database, progress),
        older,
    )


def older_work(ask: Ask, core: Core, who: Actor) -> SearchWork:
    """The questions put to the server, which has all of history and keeps its own index."""
    return SearchWork(*_questions(ask, core, who), lambda: True, lambda _progress: 0)


def _questions(
    ask: Ask, core: Core, who: Actor
) -> tuple[Callable[[Query, int | None], Page], Callable[[Query], Count]]:
    def now_ms() -> int:
        return to_ms(core.clock.now())

    def find(query: Query, after: int | None) -> Page:
        return ask(lambda connection: search(connection, query, now_ms(), who, after=after, limit=PAGE))

    def count_of(query: Query) -> Count:
        return ask(lambda connection: count(connection, query, now_ms(), who))

    return find, count_of
