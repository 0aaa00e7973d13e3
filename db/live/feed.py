"""Reads the live cases and keeps watch: every commit, of this process or another, becomes a delta."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import BigInteger, Connection, select, type_coerce

from db.cases.queries import live_rows
from db.engine import settings
from db.engine.connections import Database
from db.engine.tables import journal, journal_head
from db.kernel.change import Changes
from db.kernel.clock import Clock, SystemClock, from_ms, to_ms
from db.kernel.language import N_
from db.kernel.refusal import Trouble, Unavailable
from db.live.claims import NO_CLAIMS, Claims, read_claims
from db.live.days import day_start
from db.live.delta import Delta
from db.live.directory import REGISTERS, load_directory
from db.live.people import NOBODY, People
from db.people.presence import Present, all_present
from db.people.tables import position

CASE_TABLES = frozenset({"cases", "case_step", "reporter", "case_claim", "case_tag"})
"""Tables whose changes reach the screen as rows; all others are registers."""
DEFAULT_ZONE = "Asia/Shanghai"
MANY = 20_000
"""So many touched cases are read faster as a snapshot."""

_log = logging.getLogger(__name__)
_POLL_SECONDS = {"sqlite": 0.05, "postgresql": 0.2}
_PLACES_SECONDS = 1.0
# Positions are stamped by the device and may be handed in late.
_PLACES_OVERLAP_MS = 120_000
_BACK_OFF_SECONDS = (0.2, 0.5, 1.0, 2.0)
# While a bulk load runs, snapshots take at most a fifth of the time, and none waits longer than this.
_LONGEST_WAIT_SECONDS = 2.0

Told = Callable[[Delta], None]
Troubled = Callable[[Unavailable], None]


@dataclass(frozen=True)
class _Touched:
    """What the journal says since the last look; ``all`` = too much to name."""

    seq: int
    hash: bytes
    cases: frozenset[int] = frozenset()
    registers: frozenset[str] = frozenset()
    all: bool = False


@dataclass
class _Seen:
    """How far the feed has read."""

    seq: int = -1
    hash: bytes = b""
    places: dict[int, int] = field(default_factory=dict)
    claims: Claims = NO_CLAIMS
    present: tuple[Present, ...] = ()


class Feed:
    """The one reader behind a board: ``snapshot`` once, then deltas from a thread of its own.

    The journal is the truth about what changed; a commit heard in this process and a changed ``data_version``
    are only reasons to look. A look that fails leaves the feed where it was, so nothing is ever skipped.
    """

    def __init__(self, database: Database, clock: Clock | None = None) -> None:
        self.database = database
        self.clock = clock or SystemClock()
        self.zone = ZoneInfo(DEFAULT_ZONE)
        """The zone of the city; known after the first snapshot."""
        self.fresh_at_ms = 0
        """The last moment at which what was delivered was known to be complete; 0 = never."""
        self.trouble: Unavailable | None = None
        """Why the feed cannot read at present."""
        self._seen = _Seen()
        self._version: int | None = None
        self._file: tuple[int, int] | None = None
        self._full_wanted = True
        self._full_not_before = 0.0
        self._places_at = 0.0
        self._own: deque[Changes] = deque()
        self._looking = threading.Lock()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._unsubscribe: Callable[[], None] | None = None

    def snapshot(self) -> Delta:
        """Everything that belongs on the screen now, with names and people; raises ``Unavailable``."""
        with self._looking:
            return self._snapshot()

    def start(self, told: Told, troubled: Troubled | None = None) -> None:
        """Keep watch until ``stop``: ``told`` and ``troubled`` are called on the feed's own thread.

        Without a snapshot before, the first delta is one. ``troubled`` hears of each new trouble once; the
        first delta after it, be it empty, says that it is over.
        """
        if self._thread is not None:
            raise RuntimeError("this feed is running")
        self._stopping.clear()
        self._unsubscribe = self.database.subscribe(self._on_commit)
        self._thread = threading.Thread(
            target=self._watch, args=(told, troubled), name="live feed", daemon=True
        )
        self._wake.set()
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Stop watching; nothing is called any more when this returns, unless the database itself hangs."""
        if self._thread is None:
            return
        self._stopping.set()
        self._wake.set()
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        if self._thread is not threading.current_thread():
            self._thread.join(timeout)
        self._thread = None

    def age_ms(self) -> int:
        """How long ago what was delivered was known to be complete."""
        return to_ms(self.clock.now()) - self.fresh_at_ms

    # The thread.

    def _on_commit(self, changes: Changes) -> None:
        """On the thread that wrote: of what this process did itself the journal need not be asked."""
        if changes.seq:
            self._own.append(changes)
        self._wake.set()

    def _watch(self, told: Told, troubled: Troubled | None) -> None:
        poll = _POLL_SECONDS[self.database.dialect]
        wait, failures = poll, 0
        while True:
            heard = self._wake.wait(wait)
            self._wake.clear()
            if self._stopping.is_set():
                return
            try:
                with self._looking:
                    delta = self._look(heard)
                recovered = self.trouble is not None
                self.trouble = None
                failures, wait = 0, poll
                if delta is None and recovered:
                    delta = Delta(at_ms=self.fresh_at_ms, seq=self._seen.seq)
                if delta is not None and not self._stopping.is_set():
                    told(delta)
            except Exception as error:
                trouble = self._trouble_of(error)
                is_new = self.trouble is None or self.trouble.code != trouble.code
                self.trouble = trouble
                wait = _BACK_OFF_SECONDS[min(failures, len(_BACK_OFF_SECONDS) - 1)]
                failures += 1
                if is_new and troubled is not None and not self._stopping.is_set():
                    troubled(trouble)

    def _trouble_of(self, error: Exception) -> Unavailable:
        # What was read may not have been delivered: begin anew.
        if isinstance(error, Unavailable):
            return error
        self._full_wanted = True
        if isinstance(error, Trouble):
            return Unavailable(error.code, error.message, **error.facts)
        _log.exception("the live feed failed")
        return Unavailable(
            "feed_failed", N_("The live data cannot be read: {reason}"), reason=type(error).__name__
        )

    # One look.

    def _look(self, heard: bool) -> Delta | None:
        """What is new; ``None`` when nothing is."""
        self._check_file()
        now_ms = to_ms(self.clock.now())
        # Asked before reading: what is committed meanwhile shows as another version at the next look.
        version = self.database.data_version()
        if self._full_wanted:
            delta = self._full(version)
        elif heard or version != self._version:
            delta = self._changed(version, now_ms)
        elif monotonic() >= self._places_at and self._moves_unheard():
            delta = self._moved(now_ms)
        else:
            delta = None
            self.fresh_at_ms = now_ms
        return delta

    def _moves_unheard(self) -> bool:
        """Whether things change of which no version tells: telemetry on a server, forgetting anywhere."""
        return self.database.dialect != "sqlite" or bool(self._seen.present)

    def _check_file(self) -> None:
        """Notice a file taken away or exchanged: an open connection would go on reading the old one."""
        path = self.database.path
        if path is None:
            return
        try:
            status = path.stat()
        except OSError as error:
            raise Unavailable(
                "database_gone", N_("The database {path} is not there."), path=str(path)
            ) from error
        found = (status.st_dev, status.st_ino)
        if self._file is not None and found != self._file:
            self.database.close()
            self._full_wanted = True
        self._file = found

    def _full(self, version: int) -> Delta | None:
        if monotonic() < self._full_not_before:
            return None
        delta = self._snapshot()
        self._version = version
        return delta

    def _changed(self, version: int, now_ms: int) -> Delta | None:
        with self.database.read() as connection:
            touched = self._touched(connection)
            if touched.all:
                self._full_wanted = True
            else:
                delta = self._delta(connection, touched, now_ms)
                self._advance(touched, now_ms)
                self._version = version
                return None if delta.is_empty else delta
        return self._full(version)

    def _delta(self, connection: Connection, touched: _Touched, now_ms: int) -> Delta:
        ids = sorted(touched.cases)
        columns = live_rows(connection, ids, day_start(now_ms, self.zone))
        names_touched = not touched.registers.isdisjoint(REGISTERS)
        return Delta(
            at_ms=now_ms,
            seq=touched.seq,
            columns=columns,
            gone=np.setdiff1d(np.array(ids, dtype=np.int64), np.asarray(columns["id"])),
            registers_changed=touched.registers,
            directory=load_directory(connection) if names_touched else None,
            # Last: they remember what they gave, and what is raised after them would be lost.
            **self._standing(connection, now_ms),
            people=self._people(connection),
        )

    def _moved(self, now_ms: int) -> Delta | None:
        with self.database.read() as connection:
            standing = self._standing(connection, now_ms)
            people = self._people(connection)
        self.fresh_at_ms = now_ms
        delta = Delta(at_ms=now_ms, seq=self._seen.seq, people=people, **standing)
        return None if delta.is_empty else delta

    def _standing(self, connection: Connection, now_ms: int) -> dict[str, Any]:
        """Claims and presence: read whole, they are few; told when they are others than at the last look."""
        claims = read_claims(connection, now_ms)
        present = tuple(all_present(connection, from_ms(now_ms)))
        told: dict[str, Any] = {}
        # A claim that ended by the clock ends on the board by itself.
        if claims != self._seen.claims.at(now_ms):
            told["claims"] = claims
        if present != self._seen.present:
            told["present"] = present
        self._seen.claims, self._seen.present = claims, present
        return told

    def _snapshot(self) -> Delta:
        began = monotonic()
        now_ms = to_ms(self.clock.now())
        with self.database.read() as connection:
            # The head first: what is committed while the rows are read is read once more, never missed.
            seq, digest = _head(connection)
            self.zone = ZoneInfo(str(settings.get(connection, "city.zone", DEFAULT_ZONE)))
            columns = live_rows(connection, None, day_start(now_ms, self.zone))
            self._seen = replace(self._seen, places={}, claims=NO_CLAIMS, present=())
            standing = self._standing(connection, now_ms)
            delta = Delta(
                at_ms=now_ms,
                seq=seq,
                full=True,
                columns=columns,
                directory=load_directory(connection),
                people=self._people(connection),
                people_full=True,
                claims=standing.get("claims", NO_CLAIMS),
                present=standing.get("present", ()),
            )
        self._advance(_Touched(seq, digest), now_ms)
        self._full_wanted = False
        took = monotonic() - began
        self._full_not_before = monotonic() + min(4 * took, _LONGEST_WAIT_SECONDS)
        return delta

    def _advance(self, touched: _Touched, now_ms: int) -> None:
        self._seen.seq, self._seen.hash = touched.seq, touched.hash
        self.fresh_at_ms = now_ms

    def _touched(self, connection: Connection) -> _Touched:
        seq, digest = _head(connection)
        if (seq, digest) == (self._seen.seq, self._seen.hash):
            return _Touched(seq, digest)
        if seq < self._seen.seq or not self._continues(connection):
            # Another history: a backup was put back.
            return _Touched(seq, digest, all=True)
        own = self._taken_own(seq)
        if own is not None:
            return _gathered(seq, digest, own)
        entries = connection.execute(
            select(journal.c.touched)
            .where(journal.c.seq > self._seen.seq, journal.c.seq <= seq)
            .order_by(journal.c.seq)
        ).scalars()
        return _gathered(seq, digest, entries)

    def _taken_own(self, seq: int) -> list[Mapping[str, Collection[int]] | None] | None:
        """What was touched up to an entry, when this process wrote all of it; ``None`` when others have, too.

        Ten thousand ids need then not be read out of an entry of ten megabytes.
        """
        own: dict[int, Changes] = {}
        while self._own and self._own[0].seq <= seq:
            changes = self._own.popleft()
            own[changes.seq] = changes
        wanted = range(self._seen.seq + 1, seq + 1)
        if not all(each in own for each in wanted):
            return None
        return [None if own[each].bulk else own[each].touched for each in wanted]

    def _continues(self, connection: Connection) -> bool:
        """Whether the entry at which the feed stands is still in the journal, unaltered."""
        if self._seen.seq == 0:
            return True
        found = connection.execute(
            select(journal.c.hash).where(journal.c.seq == self._seen.seq)
        ).scalar_one_or_none()
        return found is not None and bytes(found) == self._seen.hash

    def _people(self, connection: Connection) -> People:
        """The positions that are new since the last look."""
        self._places_at = monotonic() + _PLACES_SECONDS
        known = self._seen.places
        at = type_coerce(position.c.at, BigInteger)
        since = max(known.values(), default=_PLACES_OVERLAP_MS) - _PLACES_OVERLAP_MS
        rows = connection.execute(
            select(position.c.person_id, position.c.lon, position.c.lat, at).where(at >= since)
        ).all()
        fresh = [row for row in rows if known.get(row[0]) != row[3]]
        if not fresh:
            return NOBODY
        known.update((row[0], row[3]) for row in fresh)
        ids, lon, lat, moments = zip(*fresh, strict=True)
        return People(
            np.array(ids, dtype=np.int64),
            np.array(lon, dtype=np.float64),
            np.array(lat, dtype=np.float64),
            np.array(moments, dtype=np.int64),
        )


def _head(connection: Connection) -> tuple[int, bytes]:
    row = connection.execute(select(journal_head.c.seq, journal_head.c.hash)).one()
    return int(row.seq), bytes(row.hash)


def _gathered(seq: int, digest: bytes, entries: Iterable[Mapping[str, Collection[int]] | None]) -> _Touched:
    cases: set[int] = set()
    registers: set[str] = set()
    for entry in entries:
        if entry is None:
            return _Touched(seq, digest, all=True)
        for table, ids in entry.items():
            if table == "cases":
                cases.update(ids)
            elif ids and table not in CASE_TABLES:
                registers.add(table)
        if len(cases) > MANY:
            return _Touched(seq, digest, all=True)
    return _Touched(seq, digest, frozenset(cases), frozenset(registers))
