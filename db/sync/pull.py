"""Brings a station up to what the server knows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, bindparam, delete, select

from db.engine import outbox as sending
from db.engine import settings
from db.engine.among import among, among_given
from db.engine.connections import Database
from db.engine.rows import at_once, fetch, fetched
from db.engine.tables import metadata, outbox, replica, setting
from db.kernel.actor import SYSTEM
from db.kernel.clock import to_ms
from db.kernel.command import Reach, command
from db.kernel.ids import first_id_at
from db.kernel.language import N_
from db.kernel.refusal import Refused
from db.sync.incoming import (
    APART,
    DEFAULT_MONTHS,
    MEASURED,
    MONTHS,
    Incoming,
    mirrored,
    oldest_kept,
    read_aged,
    read_all,
    read_touched,
)
from db.sync.news import NEWS, News, Told, gather
from db.sync.rebase import Decided, Heard, Known, Rebased, rebase
from db.sync.waiting import Waiting, waiting_acts, waiting_of

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
        connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
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
        stand = own.execute(_REPLICA).one()
        with snapshot(server) as connection:
            found = _first_answers(connection, stand, local.ids.station)
            there, theirs = found.there, found.settings
            demand_same_history(stand, there)
            news = gather(found.news, there.until, partial(_settled, own))
            # Who was away for longer than the news are kept takes everything anew.
            untold = stand.xid < there.news_from
            if untold:
                taken = taken_acts(connection, [act.id for act in waiting_acts(own)])
            else:
                taken = _still_waiting(own, found.taken)
            touched = _touched(connection, news, taken, own, refused, waiting_of(local))
            since = oldest_kept(there.now_ms, found.months)
            if untold:
                incoming = read_all(connection, since, own)
            else:
                incoming = read_touched(connection, touched, since, own) if touched else Incoming()
            measured = _read_measured(connection, news)
            heard: list[Heard] = []
            heard_all = True
            if there.seq > stand.seq:
                heard, heard_all = _others_acts(connection, stand.seq, local.ids.station, news)
        for name, ids in read_aged(own, since).gone.items():
            incoming.gone[name] = incoming.gone.get(name, set()) | ids
        ours = server_settings(own)
    take_settings(local, ours, theirs)
    _take_measured(local, measured)
    settled = {operation: frozenset(rows.get("cases", ())) for operation, rows in taken.items()}
    decided = Decided(settled, {op: why for op, why in refused.items() if op not in settled})
    known = Known(news.until, there.seq, there.hash, heard, heard_all)
    _forget_old(local)
    tells = decided.operations or any(incoming.ids(table.name) for table in mirrored())
    if news.is_empty and not tells and news.until - stand.xid < SILENT:
        return Pulled(news, Rebased())
    return Pulled(news, rebase(local, incoming, decided, known, whole=untold))


class There(NamedTuple):
    """Where a server stands, as a station asks it."""

    until: int
    """Everything before this transaction has ended."""
    seq: int
    hash: bytes
    seal: bytes
    """Of the newest entry that this station has seen, as it stands on the server now."""
    now_ms: int
    news_from: int
    """From this transaction on the news are still there."""


@dataclass(frozen=True)
class _Answers:
    """What is asked of a server whatever has happened."""

    news: Sequence[Told]
    there: There
    months: int
    settings: dict[str, Any]
    taken: dict[int, dict[str, list[int]]]
    """The acts of this station that the server took since, also those that the cursor does not reach yet,
    with the rows that they touched there. Whatever it took before, this station has heard of.
    """


def _first_answers(connection: Connection, stand: Row[Any], station: int) -> _Answers:
    """All of it in one round trip."""
    with at_once(connection) as driver:
        news = driver.execute(NEWS, (stand.xid,))
        standing = driver.execute(_STAND, (stand.seq,))
        put = driver.execute("SELECT key, value FROM setting WHERE NOT secret")
        taken = driver.execute(_TAKEN_SINCE, (stand.xid, station))
    values = {key: json.loads(value) for key, value in put}
    return _Answers(
        news.fetchall(),
        _there(standing.fetchone()),
        values.get(MONTHS, DEFAULT_MONTHS),
        _shared(values.items()),
        dict(taken.fetchall()),
    )


_REPLICA = select(replica)
_DONE = select(outbox.c.id).where(among_given(outbox.c.id, "operations"), outbox.c.state == sending.DONE)
_TAKEN_SINCE = (
    "SELECT operation, CAST(touched AS json) FROM news"
    " WHERE xid >= %s AND (operation >> 11) & 1023 = %s AND touched IS NOT NULL"
)
_STAND = """
    SELECT jw_horizon(), h.seq, h.hash, jw_seal_of(%s::bigint), jw_now_ms(), t.news_from
    FROM journal_head h, tending t
"""


def where_it_stands(connection: Connection, seq: int) -> There:
    """Where the server stands; ``seq`` is the newest entry of its journal that the station has seen."""
    return _there(connection.exec_driver_sql(_STAND, (seq,)).one())


def _there(row: Any) -> There:
    until, seq, digest, seal, now_ms, news_from = row
    return There(until, seq, bytes(digest), bytes(seal or b""), now_ms, news_from)


def _settled(own: Connection, operations: Sequence[int]) -> set[int]:
    """Those of the acts whose rows are the same here and there already."""
    return set(own.execute(_DONE, {"operations": list(operations)}).scalars())


def _still_waiting(
    own: Connection, taken: Mapping[int, Mapping[str, list[int]]]
) -> dict[int, Mapping[str, list[int]]]:
    """Of acts that the server has taken, those that wait here."""
    waits = (among(outbox.c.id, taken), outbox.c.state == sending.WAITING)
    still = set(own.execute(select(outbox.c.id).where(*waits)).scalars()) if taken else set()
    return {operation: touched for operation, touched in taken.items() if operation in still}


def taken_acts(connection: Connection, operations: Sequence[int]) -> dict[int, Mapping[str, list[int]]]:
    """Which of these acts the server has taken at any time, with the rows that they touched there."""
    if not operations:
        return {}
    found = connection.exec_driver_sql(_TAKEN, (list(operations),))
    return {row.operation: row.touched for row in found}


_TAKEN = "SELECT operation, CAST(touched AS json) AS touched FROM jw_taken(CAST(%s AS bigint[]))"


def server_settings(connection: Connection) -> dict[str, Any]:
    """The settings that hold for all stations."""
    return _shared(map(tuple, connection.execute(_SETTINGS)))


_SETTINGS = select(setting.c.key, setting.c.value).where(~setting.c.secret)


def _shared(rows: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    return {key: value for key, value in rows if key not in OWN_SETTINGS and not key.startswith(OWN_PREFIX)}


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


def demand_same_history(stand: Row[Any], there: There) -> None:
    """Refuse a server that does not know what a station (its row of ``replica``) has seen of it."""
    # Numbers of transactions begin anew on a server that was made from a copy.
    if there.seq < stand.seq or there.until < stand.xid or (stand.seq and there.seal != stand.seal):
        raise other_history(there.seq, stand.seq)


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


def _others_acts(connection: Connection, since: int, station: int, news: News) -> tuple[list[Heard], bool]:
    """What others have done since an entry, the newest first, and whether that is all of it.

    What this station did it has in its own journal.
    """
    heard: list[Heard] = []
    rows = 0
    newest = fetched(connection.exec_driver_sql(_THEIRS, (since, station, HEARD + 1)))
    for seq, who, what, at, undoes, told in newest:
        if told is None or len(heard) == HEARD:
            return heard, False
        # Mostly the news have told the same already.
        every = news.entries[seq] if seq in news.entries else json.loads(told)
        touched = {name: ids for name, ids in every.items() if _is_told_apart(name)}
        rows += sum(map(len, touched.values()))
        if rows > HEARD_ROWS:
            return heard, False
        heard.append((seq, who, what, at, undoes, touched))
    return heard, True


_THEIRS = (
    "SELECT seq, actor_name, command, at, undoes, touched FROM journal"
    " WHERE seq > %s AND coalesce((operation >> 11) & 1023, -1) <> %s ORDER BY seq DESC LIMIT %s"
)


@cache
def _is_told_apart(name: str) -> bool:
    """Whether rows of a table are told of by themselves: of parts, whoever asks goes by their case."""
    return name not in APART and "case_id" not in metadata.tables[name].c


def _forget_old(local: Database) -> None:
    """Acts that were decided long ago: no backup of the server is as old as that."""
    with local.read() as own:
        days = int(settings.get(own, KEEP_DAYS, DEFAULT_KEEP_DAYS))
        oldest = first_id_at(to_ms(local.clock.now()) - days * 86_400_000)
        found = own.execute(_ONE_OVER, {"oldest": oldest}).first()
    if found is not None:
        with local.write_many() as writing:
            writing.connection.execute(delete(outbox).where(*_OVER), {"oldest": oldest})


_OVER = (
    outbox.c.state.in_((sending.DONE, sending.DROPPED)),
    outbox.c.id < bindparam("oldest"),
)
_ONE_OVER = select(outbox.c.id).where(*_OVER).limit(1)


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
