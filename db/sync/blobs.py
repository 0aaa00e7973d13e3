"""Photos on their way between a station and its server: by hash, in parts, both ways, after the rows."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from time import monotonic

from sqlalchemy import Connection, select, text

from db.cases.photos import PhotoStore, photo_store
from db.cases.tables import photo
from db.engine.connections import Database
from db.kernel.ids import made_at_ms, station_of
from db.kernel.refusal import Refused
from db.sync.standing import PhotoWay, Way

PART = 262_144
"""Bytes of one part: a cut loses no more than this."""
PARTS_A_STEP = 8
"""After so many parts the rows have their turn again."""
ASKED_AT_ONCE = 200
AGAIN_SECONDS = 30.0
"""A photo that nobody has sent yet is asked for so often."""
LOST_MS = 86_400_000
"""A station that was here so long after it took a photo, and has sent nothing of it, has it no more."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Wanted:
    """A photo that rows speak of; ``id`` tells where and when it was taken in."""

    sha256: str
    mime: str
    bytes: int
    id: int


class Photos:
    """Brings the photos of a file and its server together, some parts at a time.

    ``step`` belongs to one thread; the rest may be called from any.
    """

    def __init__(self, local: Database) -> None:
        self._local = local
        self._store = photo_store(local)
        self._settled: set[str] = set()
        self._waiting: list[Wanted] | None = None
        self._absent_until: dict[str, float] = {}
        self._absent: dict[str, PhotoWay] = {}
        self._looked_at: dict[str, Wanted] = {}
        self._look_again = threading.Event()

    def look_again(self) -> None:
        """Rows of photos have come or gone."""
        self._look_again.set()

    def way_of(self, wanted: Wanted) -> PhotoWay:
        """How it stands with a photo that somebody looks at and that is not here.

        It comes before others, also when it is of a case that this file does not keep.
        """
        if wanted.sha256 not in self._looked_at:
            self._looked_at[wanted.sha256] = wanted
            self._look_again.set()
        absent = self._absent.get(wanted.sha256)
        if absent is not None:
            return absent
        arrived = self._store.arrived(wanted.sha256, wanted.mime)
        return PhotoWay(Way.COMING, min(arrived / max(wanted.bytes, 1), 1.0))

    def step(self, server: Database) -> bool:
        """Move some parts; whether there is more to do at once. Raises ``Unavailable``."""
        now = monotonic()
        if self._look_again.is_set():
            self._look_again.clear()
            self._waiting = None
        for sha256 in [each for each, until in self._absent_until.items() if until <= now]:
            del self._absent_until[sha256]
            self._waiting = None
        if self._waiting is None:
            self._waiting = self._unsettled()
        batch, left = self._waiting[:ASKED_AT_ONCE], PARTS_A_STEP
        if not batch:
            return False
        with server.troubles(), server.engine.connect() as connection:
            there = _parts(connection, [each.sha256 for each in batch])
            for each in batch:
                parts, size = there.get(each.sha256, (0, 0))
                moved = self._move(connection, each, parts, size, left)
                left -= moved
                if left <= 0:
                    return True
                self._waiting.remove(each)
        return bool(self._waiting)

    def _unsettled(self) -> list[Wanted]:
        """What may have to be moved: first what somebody looks at, then the newest."""
        query = select(photo.c.sha256, photo.c.mime, photo.c.bytes, photo.c.id).order_by(photo.c.id.desc())
        found = dict(self._looked_at)
        with self._local.read() as connection:
            for row in connection.execute(query):
                found.setdefault(row.sha256, Wanted(*row))
        past = self._settled | self._absent_until.keys()
        return [each for sha256, each in found.items() if sha256 not in past]

    def _move(self, connection: Connection, each: Wanted, parts: int, size: int, left: int) -> int:
        """Move at most ``left`` parts of one photo; how many, or ``left`` while it is not through."""
        try:
            path = self._store.find(each.sha256, each.mime)
            is_there = size == each.bytes
            if path is not None or is_there:
                self._absent.pop(each.sha256, None)
            if path is not None and is_there:
                moved = 0
            elif path is not None:
                content = path.read_bytes()
                moved = _send(connection, each.sha256, content, parts, left)
                is_there = (parts + moved) * PART >= len(content)
            elif is_there:
                moved = _fetch(connection, self._store, each, left)
                path = self._store.find(each.sha256, each.mime)
            else:
                # Whoever took it has not sent all of it yet.
                self._absent[each.sha256] = _whereabouts(connection, each, self._local.ids.station)
                self._absent_until[each.sha256] = monotonic() + AGAIN_SECONDS
                return 0
        except (Refused, OSError) as error:
            _log.info("photo %s could not be moved: %s", each.sha256[:12], error)
            self._absent_until[each.sha256] = monotonic() + AGAIN_SECONDS
            return 0
        if path is None or not is_there:
            return left
        self._settled.add(each.sha256)
        self._looked_at.pop(each.sha256, None)
        return moved


def _whereabouts(connection: Connection, each: Wanted, own: int) -> PhotoWay:
    """Whether a photo that the server has not can still come: it lies at the station that took it in."""
    number = station_of(each.id)
    row = connection.execute(_STATION, {"number": number}).first()
    taken_at = made_at_ms(each.id)
    if number == own or row is None or row.seen_at > taken_at + LOST_MS:
        return PhotoWay(Way.LOST)
    return PhotoWay(Way.UNSENT, station=row.name)


def _parts(connection: Connection, wanted: Iterable[str]) -> dict[str, tuple[int, int]]:
    """Of photos, how many parts the server has, and their bytes."""
    found = connection.execute(_STANDING, {"wanted": list(wanted)})
    return {row.sha256: (row.parts, row.size) for row in found}


def _send(connection: Connection, sha256: str, content: bytes, begin: int, most: int) -> int:
    places = range(begin, min(begin + most, -(-len(content) // PART)))
    for place in places:
        part = content[place * PART : (place + 1) * PART]
        connection.execute(_SEND, {"sha256": sha256, "part": place, "bytes": part})
        # Each for itself: what has arrived need not be sent again.
        connection.commit()
    return len(places)


def _fetch(connection: Connection, store: PhotoStore, each: Wanted, most: int) -> int:
    begin = store.arrived(each.sha256, each.mime) // PART
    for moved, place in enumerate(range(begin, begin + most), 1):
        part = connection.execute(_FETCH, {"sha256": each.sha256, "part": place}).scalar_one()
        if store.add_part(each.sha256, each.mime, place * PART, bytes(part), each.bytes):
            return moved
    return most


_STANDING = text(
    "SELECT sha256, count(*) AS parts, CAST(sum(octet_length(bytes)) AS bigint) AS size"
    " FROM blob WHERE sha256 = ANY (:wanted) GROUP BY sha256"
)
_STATION = text("SELECT name, seen_at FROM station WHERE number = :number")
_SEND = text("INSERT INTO blob (sha256, part, bytes) VALUES (:sha256, :part, :bytes) ON CONFLICT DO NOTHING")
_FETCH = text("SELECT bytes FROM blob WHERE sha256 = :sha256 AND part = :part")
