"""Measurements of this station on their way up: positions and presence, the newest only, unjournaled."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Table, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError

from db.engine.connections import Database
from db.engine.rows import fetch
from db.engine.tables import metadata
from db.sync.incoming import MEASURED

_log = logging.getLogger(__name__)


def send_measured(local: Database, server: Database, tables: Iterable[str]) -> int:
    """Tell the server what is newer here; returns how many rows were. Raises ``Unavailable``.

    What the server has just told is not told back, so two stations do not keep one another awake. A row that
    the server does not take from this person is left out: another will come.
    """
    sent = 0
    for name in tables:
        table = metadata.tables[name]
        with local.read() as own:
            ours = fetch(own, table, select(table))
        if not ours:
            continue
        with server.troubles(), server.engine.begin() as connection:
            newer = _newer(connection, table, ours)
            if newer:
                try:
                    with connection.begin_nested():
                        connection.execute(_upsert(table), newer)
                    sent += len(newer)
                except DBAPIError as error:
                    if error.connection_invalidated:
                        raise
                    _log.info("measurements of %s were not taken: %s", name, error.orig)
    return sent


def _newer(connection: Connection, table: Table, ours: list[dict[str, Any]]) -> list[dict[str, Any]]:
    key = [column.name for column in table.primary_key]
    known = {
        tuple(row[:-1]): row[-1]
        for row in connection.execute(select(*(table.c[name] for name in key), table.c.at))
    }
    return [
        row
        for row in ours
        if (theirs := known.get(tuple(row[name] for name in key))) is None or theirs < row["at"]
    ]


def _upsert(table: Table) -> Any:
    key = [column.name for column in table.primary_key]
    statement = insert(table)
    values = {column.name: statement.excluded[column.name] for column in table.c if column.name not in key}
    # Another station may have told a newer one since we looked.
    return statement.on_conflict_do_update(
        index_elements=key, set_=values, where=table.c.at < statement.excluded.at
    )


def told_measured(touched: Iterable[str]) -> frozenset[str]:
    """Of the tables that a commit has touched, those with measurements."""
    return frozenset(MEASURED).intersection(touched)
