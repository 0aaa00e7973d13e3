"""Looks into the index, and asks it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, delete, func, select, text

from db.cases.tables import case as cases
from db.engine.connections import Database
from db.kernel.actor import SYSTEM, Actor
from db.kernel.clock import to_ms
from db.search.queries import Page, search
from db.search.rules import Query, terms_of
from tests.db.live.city import NOW

NOW_MS = to_ms(NOW)


def indexed(database: Database) -> dict[int, frozenset[str]]:
    """Case → its terms, as the database keeps them."""
    found: dict[int, set[str]] = {}
    with database.read() as connection:
        for key, term in _kept(connection):
            found.setdefault(key, set()).add(term)
    return {key: frozenset(terms) for key, terms in found.items()}


def expected(database: Database) -> dict[int, frozenset[str]]:
    """Case → the terms of its row."""
    with database.read() as connection:
        rows = connection.execute(select(cases)).mappings().all()
    return {row["id"]: terms_of(row) for row in rows}


def found(database: Database, query: Query | str, who: Actor = SYSTEM, **how: Any) -> list[int]:
    """The ids of all pages, in their order."""
    asked = Query(query) if isinstance(query, str) else query
    ids: list[int] = []
    with database.read() as connection:
        page = search(connection, asked, NOW_MS, who, **how)
        ids += _ids(page)
        while page.next is not None:
            page = search(connection, asked, NOW_MS, who, after=page.next, **how)
            ids += _ids(page)
    return ids


def forget_cases(database: Database) -> None:
    """Back to no case at all, behind everybody's back."""
    with database.engine.begin() as connection:
        connection.execute(delete(cases))
        if database.dialect == "sqlite":
            connection.execute(text("INSERT INTO case_words(case_words) VALUES ('delete-all')"))
        else:
            connection.execute(text("DELETE FROM case_words"))


def case_count(database: Database) -> int:
    with database.read() as connection:
        return int(connection.execute(select(func.count()).select_from(cases)).scalar_one())


def _ids(page: Page) -> list[int]:
    return [hit.id for hit in page.hits]


def _kept(connection: Connection) -> list[tuple[int, str]]:
    if connection.dialect.name == "sqlite":
        shown = "USING fts5vocab('main', 'case_words', 'instance')"
        connection.execute(text(f"CREATE VIRTUAL TABLE IF NOT EXISTS temp.kept {shown}"))
        rows = connection.execute(text("SELECT doc, term FROM temp.kept"))
    else:
        rows = connection.execute(text("SELECT case_id, unnest(tsvector_to_array(words)) FROM case_words"))
    return [(int(key), str(term)) for key, term in rows]
