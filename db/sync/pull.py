"""Brings a station up to what the server knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection, Integer, Row, delete, literal_column, select, text

from db.engine import outbox as sending
from db.engine import settings
from db.engine.among import among
from db.engine.connections import Database
from db.engine.rows import fetch
from db.engine.tables import journal, metadata, outbox, replica, setting
from db.kernel.actor import SYSTEM
from db.kernel.clock import to_ms
from db.kernel.command import Reach, command
from db.kernel.ids import first_id_at
from db.kernel.language import N_
from db.kernel.refusal import Refused
from db.sync.incoming import APART, MEASURED, mirrored, oldest_closing, read_aged, read_touched
from db.sync.news import News, read_news
from db.sync.rebase import Decided, Heard, Known, Rebased, rebase
from db.sync.waiting import Waiting, waiting_of

OWN_SETTINGS = frozenset({"station", "case.last_number", "search.edition", "server", "map.tiles"})
"""Settings that mean something only in the file where they stand."""
OWN_PREFIX = "replica."
"""So begin the settings that tell how this very file stands."""
KEEP_DAYS = "sync.keep_days"
"""The setting: for how many days an act that the server has is kept here too; the server may be put back."""
DEFAULT_KEEP_DAYS = 14
HEARD = 200
"""So many of others' entries that come at once are kept with who did what to which rows."""
HEARD_ROWS = 10_000
"""And so many of their rows."""
SILENT = 1000
"""So many transactions that told nothing are read past again before the cursor is written anew."""


@command("sync.hear", permission="*", label=N_("Heard"), lasting=True, reach=Reach.HERE)
@dataclass(frozen=True)
class Hear:
    """Measurements of other stations: never journaled."""


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


def pull(local: Database, server: Database, refused: Mapping[int, Refused] | None = None) -> Pulled:
    """Take over everything since the last time; what waits here is put on top of it.

    ``refused`` are acts of this station that the server has just refused. Whether it has taken one is asked
    of the server itself, so an answer that was lost on the way is found. Raises ``Refused("other_history")``
    when the server is behind what this station has seen of it (a backup was put back): nothing is lost then.
    """
    refused = refused or {}
    with local.read() as own:
        stand = own.execute(select(replica)).one()
        with snapshot(server) as connection:
            news = read_news(connection, stand.xid, partial(_settled, own))
            _demand_same_history(connection, stand, news)
            taken = _newly_taken(connection, stand.xid, own, local.ids.station)
            touched = _touched(connection, news, taken, own, refused, waiting_of(local))
            since = oldest_closing(connection)
            incoming = read_touched(connection, touched, since, own)
            head = connection.execute(text("SELECT seq, hash FROM journal_head")).one()
            theirs = server_settings(connection)
            measured = _read_measured(connection, news)
            heard, heard_all = _others_acts(connection, stand.seq, local.ids.station)
        for name, ids in read_aged(own, since).gone.items():
            incoming.gone[name] = incoming.gone.get(name, set()) | ids
        ours = server_settings(own)
    take_settings(local, ours, theirs)
    _take_measured(local, measured)
    settled = {operation: frozenset(rows.get("cases", ())) for operation, rows in taken.items()}
    decided = Decided(settled, {op: why for op, why in refused.items() if op not in settled})
    known = Known(news.until, head.seq, bytes(head.hash), heard, heard_all)
    _forget_old(local)
    tells = decided.operations or any(incoming.ids(table.name) for table in mirrored())
    if news.is_empty and not tells and news.until - stand.xid < SILENT:
        return Pulled(news, Rebased())
    return Pulled(news, rebase(local, incoming, decided, known))


def _settled(own: Connection, operations: Sequence[int]) -> set[int]:
    """Those of the acts whose rows are the same here and there already."""
    done = select(outbox.c.id).where(among(outbox.c.id, operations), outbox.c.state == sending.DONE)
    return set(own.execute(done).scalars())


def _newly_taken(
    connection: Connection, since: int, own: Connection, station: int
) -> dict[int, dict[str, list[int]]]:
    """Which of the acts that wait here the server has taken, with the rows that they touched there.

    Whatever it took before ``since`` this station has heard of: only what is newer is asked for, and also
    what the cursor does not reach yet.
    """
    found = connection.execute(_TAKEN_SINCE, {"since": since, "station": station})
    taken = {row.operation: row.touched for row in found}
    waits = (among(outbox.c.id, taken), outbox.c.state == sending.WAITING)
    still = set(own.execute(select(outbox.c.id).where(*waits)).scalars()) if taken else set()
    return {operation: touched for operation, touched in taken.items() if operation in still}


_TAKEN_SINCE = text(
    "SELECT operation, CAST(touched AS json) AS touched FROM news"
    " WHERE xid >= :since AND (operation >> 11) & 1023 = :station AND touched IS NOT NULL"
)


def taken_acts(connection: Connection, operations: Sequence[int]) -> dict[int, dict[str, list[int]]]:
    """Which of these acts the server has taken at any time, with the rows that they touched there."""
    if not operations:
        return {}
    found = connection.execute(_TAKEN, {"operations": list(operations)})
    return {row.operation: row.touched for row in found}


_TAKEN = text(
    "SELECT operation, CAST(touched AS json) AS touched FROM news"
    " WHERE operation = ANY (:operations) AND touched IS NOT NULL"
)


def server_settings(connection: Connection) -> dict[str, Any]:
    """The settings that hold for all stations."""
    rows = connection.execute(select(setting.c.key, setting.c.value).where(~setting.c.secret))
    return {
        row.key: row.value
        for row in rows
        if row.key not in OWN_SETTINGS and not row.key.startswith(OWN_PREFIX)
    }


def other_history(theirs: int, ours: int) -> Refused:
    """The server is not the one that this station knew, or is it at an earlier time."""
    return Refused(
        "other_history",
        N_(
            "The server was put back to an older state: it knows {theirs} entries, this station has seen"
            " {ours}. Nothing here was changed; an administrator has to decide."
        ),
        theirs=theirs,
        ours=ours,
    )


def _demand_same_history(connection: Connection, stand: Row[Any], news: News) -> None:
    seal = connection.execute(text("SELECT jw_seal_of(:seq)"), {"seq": stand.seq}).scalar()
    head = connection.execute(text("SELECT seq FROM journal_head")).scalar_one()
    # Numbers of transactions begin anew on a server that was made from a copy.
    if head < stand.seq or news.until < stand.xid or (stand.seq and bytes(seal or b"") != stand.seal):
        raise other_history(head, stand.seq)


def _touched(
    connection: Connection,
    news: News,
    taken: Mapping[int, Mapping[str, list[int]]],
    own: Connection,
    refused: Mapping[int, Refused],
    waiting: Waiting,
) -> dict[str, set[int]]:
    """The rows to be read: of the news, of our own acts, and what the refused ones would have changed."""
    touched = {name: set(ids) for name, ids in news.touched.items()}
    for name in news.anew:
        # A bulk load names no rows: its tables are read whole.
        table = metadata.tables[name]
        if "id" in table.c:
            touched.setdefault(name, set()).update(connection.execute(select(table.c.id)).scalars())
    for rows in taken.values():
        for name, ids in rows.items():
            touched.setdefault(name, set()).update(ids)
    for operation in refused:
        for name, row_id in waiting.keys_of(own, operation):
            touched.setdefault(name, set()).add(row_id)
    return touched


def _others_acts(connection: Connection, since: int, station: int) -> tuple[list[Heard], bool]:
    """What others have done since an entry, the newest first, and whether that is all of it.

    What this station did it has in its own journal.
    """
    theirs = literal_column("coalesce((operation >> 11) & 1023, -1)", Integer) != station
    columns = ("seq", "actor_name", "command", "at", "undoes", "touched")
    newest = select(*(journal.c[name] for name in columns)).where(journal.c.seq > since, theirs)
    heard: list[Heard] = []
    rows = 0
    for entry in connection.execute(newest.order_by(journal.c.seq.desc()).limit(HEARD + 1)):
        # Of parts, whoever asks goes by the case that they belong to.
        touched = {
            name: ids
            for name, ids in (entry.touched or {}).items()
            if name not in APART and "case_id" not in metadata.tables[name].c
        }
        rows += sum(map(len, touched.values()))
        if entry.touched is None or len(heard) == HEARD or rows > HEARD_ROWS:
            return heard, False
        heard.append((entry.seq, entry.actor_name, entry.command, to_ms(entry.at), entry.undoes, touched))
    return heard, True


def _forget_old(local: Database) -> None:
    """Acts that were decided long ago: no backup of the server is as old as that."""
    over = outbox.c.state.in_((sending.DONE, sending.DROPPED))
    with local.read() as own:
        days = int(settings.get(own, KEEP_DAYS, DEFAULT_KEEP_DAYS))
        oldest = first_id_at(to_ms(local.clock.now()) - days * 86_400_000)
        found = own.execute(select(outbox.c.id).where(over, outbox.c.id < oldest).limit(1)).first()
    if found is not None:
        with local.write_many() as writing:
            writing.connection.execute(delete(outbox).where(over, outbox.c.id < oldest))


def take_settings(local: Database, ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> None:
    """Put the settings of the server in place of ours."""
    changed = {key: value for key, value in theirs.items() if key not in ours or ours[key] != value}
    gone = ours.keys() - theirs.keys()
    if not changed and not gone:
        return
    with local.write_many() as writing:
        for key, value in changed.items():
            settings.put(writing, key, value)
        writing.connection.execute(delete(setting).where(setting.c.key.in_(gone)))


def _read_measured(connection: Connection, news: News) -> dict[str, list[dict[str, Any]]]:
    """The newest measurements, of the tables that have any."""
    tables = (metadata.tables[name] for name in MEASURED if name in news.measured)
    return {table.name: fetch(connection, table, select(table)) for table in tables}


def _take_measured(local: Database, measured: Mapping[str, list[dict[str, Any]]]) -> None:
    for name, theirs in measured.items():
        table = metadata.tables[name]
        keys = [column.name for column in table.primary_key]
        with local.write_many() as writing:
            ours = {
                tuple(row[key] for key in keys): row
                for row in fetch(writing.connection, table, select(table))
            }
            newer = [
                row
                for row in theirs
                if (known := ours.get(tuple(row[key] for key in keys))) is None or known["at"] < row["at"]
            ]
            with writing.unit(SYSTEM, Hear()) as unit:
                unit.telemetry(table, newer)
