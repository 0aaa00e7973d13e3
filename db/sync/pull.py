"""Brings a station up to what the server knows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select, text

from db.engine import settings
from db.engine.among import among
from db.engine.connections import Database
from db.engine.tables import metadata, outbox, replica, setting
from db.kernel.clock import to_ms
from db.kernel.language import N_
from db.kernel.refusal import Refused
from db.sync.incoming import oldest_closing, read_touched
from db.sync.news import News, read_news
from db.sync.rebase import Known, Rebased, rebase

OWN_SETTINGS = frozenset({"station", "case.last_number", "search.edition", "server"})
"""Settings that mean something only in the file where they stand."""


@dataclass(frozen=True)
class Pulled:
    """What one look at the server brought."""

    news: News
    rebased: Rebased


@contextmanager
def snapshot(server: Database) -> Iterator[Connection]:
    """One unchanging view of the server: what is read first and what is read last belong together."""
    with server.troubles(), server.engine.connect() as connection:
        connection = connection.execution_options(isolation_level="REPEATABLE READ")
        connection.execute(text("SET TRANSACTION READ ONLY"))
        yield connection
        connection.rollback()


def pull(local: Database, server: Database) -> Pulled:
    """Take over everything since the last time; what waits here is put on top of it.

    Raises ``Refused("other_history")`` when the server is behind what this station has seen of it (a backup
    was put back): nothing is thrown away then.
    """
    with local.read() as connection:
        stand = connection.execute(select(replica)).one()
    with snapshot(server) as connection:
        _demand_same_history(connection, stand)
        news = read_news(connection, stand.xid)
        if news.anew:
            _add_whole(connection, news)
        with local.read() as own:
            known = _known_cases(own, news)
        since = oldest_closing(connection, to_ms(local.clock.now()))
        incoming = read_touched(connection, news.touched, since, known)
        head = connection.execute(text("SELECT seq, hash FROM journal_head")).one()
        theirs = server_settings(connection)
    if not news.is_empty:
        _take_settings(local, theirs)
    with local.read() as own:
        mine = own.execute(
            select(outbox.c.id).where(among(outbox.c.id, news.operations), outbox.c.state == "waiting")
        )
        settled = frozenset(mine.scalars())
    came = rebase(local, incoming, settled=settled, known=Known(news.until, head.seq, bytes(head.hash)))
    return Pulled(news, came)


def _demand_same_history(connection: Connection, stand: Any) -> None:
    if not stand.seq:
        return
    found = connection.execute(text("SELECT hash FROM journal WHERE seq = :seq"), {"seq": stand.seq}).scalar()
    head = connection.execute(text("SELECT seq FROM journal_head")).scalar()
    if head < stand.seq or (found is not None and bytes(found) != stand.seal):
        raise Refused(
            "other_history",
            N_(
                "The server was put back to an older state: it knows {theirs} entries, this station has seen {ours}."
                " Nothing here was changed; an administrator has to decide."
            ),
            theirs=head,
            ours=stand.seq,
        )


def _known_cases(own: Connection, news: News) -> frozenset[int]:
    """The cases among the news that this station has."""
    cases = metadata.tables["cases"]
    wanted: set[int] = set(news.touched.get("cases", ()))
    return frozenset(own.execute(select(cases.c.id).where(among(cases.c.id, wanted))).scalars())


def _add_whole(connection: Connection, news: News) -> None:
    """A bulk load names no rows: its tables are read whole."""
    for name in news.anew:
        table = metadata.tables[name]
        if "id" in table.c:
            ids = connection.execute(select(table.c.id)).scalars().all()
            news.touched[name] = news.touched.get(name, frozenset()) | frozenset(ids)


def server_settings(connection: Connection) -> dict[str, Any]:
    """The settings that hold for all stations."""
    rows = connection.execute(select(setting.c.key, setting.c.value).where(~setting.c.secret))
    return {
        row.key: row.value
        for row in rows
        if row.key not in OWN_SETTINGS and not row.key.startswith("replica.")
    }


def _take_settings(local: Database, theirs: dict[str, Any]) -> None:
    with local.read() as connection:
        ours = server_settings(connection)
    changed = {key: value for key, value in theirs.items() if ours.get(key) != value}
    if not changed:
        return
    with local.write_many() as writing:
        for key, value in changed.items():
            settings.put(writing, key, value)
