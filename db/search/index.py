"""The full-text index over all cases: kept true by every write, and made anew when it has to be.

SQLite keeps it in an FTS5 table without content, whose row ids are case ids; a server in a table of its own
with a ``tsvector`` under a GIN index. Both get ready-made terms (db.search.rules): no parser or dictionary of
theirs has a say, so they find the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from sqlalchemy import BigInteger, Connection, func, select, type_coerce

from db.cases.tables import case as cases
from db.engine import settings
from db.engine.connections import Database
from db.engine.following import follows
from db.engine.unit_of_work import UnitOfWork
from db.kernel.actor import SYSTEM
from db.kernel.command import Reach, command
from db.kernel.language import N_
from db.search.rules import EDITION, READ, changed_terms, terms_of

Progress = Callable[[int, int], None]
"""Cases done, cases in all."""

_EDITION_KEY = "search.edition"
_CHUNK = 20_000


@command(
    "search.rebuild", permission="search.rebuild", label=N_("Rebuild the search index"), reach=Reach.HERE
)
@dataclass(frozen=True)
class RebuildIndex:
    """The name under which the index is written."""


def is_ready(connection: Connection) -> bool:
    """Whether the index is there and was made by this edition of the rules."""
    return bool(settings.get(connection, _EDITION_KEY) == EDITION)


@follows(cases, READ)
def keep_terms(
    connection: Connection, before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]
) -> None:
    """Bring the index along with the rows. One that is not ready is left alone until it is made anew."""
    if not is_ready(connection):
        return
    after_by_id = {row["id"]: row for row in after}
    gone: list[Entry] = []
    changed: list[Change] = []
    for row in before:
        now = after_by_id.pop(row["id"], None)
        if now is None:
            gone.append((row["id"], terms_of(row)))
            continue
        lost, won = changed_terms(row, now)
        if lost or won:
            changed.append((row["id"], lost, won))
    _take_out(connection, gone)
    _change(connection, changed)
    _put_in(connection, [(key, terms_of(row)) for key, row in after_by_id.items()])


def rebuild(database: Database, progress: Progress = lambda _done, _total: None) -> int:
    """Make the index anew from the rows; returns the number of cases. Nobody else can write meanwhile."""
    with database.write(SYSTEM, RebuildIndex()) as unit:
        return _rebuild(unit, progress)


def _rebuild(unit: UnitOfWork, progress: Progress) -> int:
    connection = unit.connection
    is_local = connection.dialect.name == "sqlite"
    total = connection.execute(select(func.count()).select_from(cases)).scalar_one()
    if is_local:
        connection.exec_driver_sql("INSERT INTO case_words(case_words) VALUES ('delete-all')")
    else:
        connection.exec_driver_sql("DELETE FROM case_words")
    columns = [
        type_coerce(cases.c[name], BigInteger) if name.endswith("_at") else cases.c[name] for name in READ
    ]
    names = ("id", *READ)
    last, done = -1, 0
    while True:
        statement = select(cases.c.id, *columns).where(cases.c.id > last).order_by(cases.c.id).limit(_CHUNK)
        rows = connection.execute(statement).all()
        if not rows:
            break
        _put_in(connection, ((row[0], terms_of(dict(zip(names, row, strict=True)))) for row in rows))
        last = rows[-1][0]
        done += len(rows)
        progress(done, total)
    if is_local:
        connection.exec_driver_sql("INSERT INTO case_words(case_words) VALUES ('optimize')")
    settings.put(unit, _EDITION_KEY, EDITION)
    return done


Entry = tuple[int, frozenset[str]]
Change = tuple[int, set[str], set[str]]
"""A case, the terms that it loses, and those that it wins."""


def _put_in(connection: Connection, entries: Iterable[Entry]) -> None:
    if connection.dialect.name == "sqlite":
        rows = [(key, " ".join(terms)) for key, terms in entries]
        statement = "INSERT INTO case_words(rowid, words) VALUES (?, ?)"
    else:
        rows = [(key, quoted(terms)) for key, terms in entries]
        statement = "INSERT INTO case_words(case_id, words) VALUES (%s, CAST(%s AS tsvector))"
    if rows:
        connection.exec_driver_sql(statement, rows)


def _take_out(connection: Connection, entries: Sequence[Entry]) -> None:
    if not entries:
        return
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(
            # Without content the index must be told what it knew.
            "INSERT INTO case_words(case_words, rowid, words) VALUES ('delete', ?, ?)",
            [(key, " ".join(terms)) for key, terms in entries],
        )
    else:
        connection.exec_driver_sql(
            "DELETE FROM case_words WHERE case_id = %s", [(key,) for key, _terms in entries]
        )


def _change(connection: Connection, changes: Sequence[Change]) -> None:
    """Take terms from cases and give them others; those that a case keeps are not touched."""
    if not changes:
        return
    if connection.dialect.name == "sqlite":
        # Without columns, positions and sizes the index is nothing but pairs of term and case, so it may be
        # told of some of them; for each case that goes one comes, which keeps its count of cases right.
        # In the order of the ids, lest it write a piece for each step back.
        rows: list[tuple[str | None, int, str]] = []
        for key, gone, come in sorted(changes, key=itemgetter(0)):
            rows += (("delete", key, " ".join(gone)), (None, key, " ".join(come)))
        connection.exec_driver_sql("INSERT INTO case_words(case_words, rowid, words) VALUES (?, ?, ?)", rows)
    else:
        rows_of = zip(*((key, " ".join(gone), quoted(come)) for key, gone, come in changes), strict=True)
        connection.exec_driver_sql(
            "UPDATE case_words SET words = ts_delete(words, string_to_array(gone, ' ')) || come::tsvector"
            " FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS new(id, gone, come)"
            " WHERE case_id = new.id",
            tuple(list(column) for column in rows_of),
        )


def quoted(terms: Iterable[str]) -> str:
    """Terms as the text of a ``tsvector``; they hold letters, digits and "_" only."""
    return " ".join(f"'{term}'" for term in terms)
