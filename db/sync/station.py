"""A station of a server: one thread that sends what was done here and takes over what was done elsewhere.

Nobody waits for it. It is woken by an act of this file, by the server's bell, or by time, and says how things
stand in a ``Standing`` whenever that changes. It never holds the lock of the local file while it waits for
the network, so an act is as quick beside a dead line as without one.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from dataclasses import replace
from time import monotonic
from typing import TypeVar

from sqlalchemy import Connection, select, text, update
from sqlalchemy.engine import URL, make_url

from db.engine import outbox as sending
from db.engine import schema
from db.engine.bus import Bus, Outcome
from db.engine.connections import Database
from db.engine.tables import replica
from db.kernel.actor import Actor
from db.kernel.change import Changes
from db.kernel.clock import to_ms
from db.kernel.language import N_
from db.kernel.program import program_version
from db.kernel.refusal import Refused, Trouble, Unavailable
from db.sync.batch import SKEW_MS
from db.sync.bell import Bell
from db.sync.blobs import Photos, Wanted
from db.sync.door import Door, is_shut
from db.sync.grace import demand_scope, forget
from db.sync.measured import send_measured, told_measured
from db.sync.pull import pull
from db.sync.push import Pushed, push
from db.sync.rejoin import Rejoined, rejoin
from db.sync.skew import correct, keep_time, measure
from db.sync.standing import Line, PhotoWay, Standing, Way

LOOK_SECONDS = 2.0
"""How long the station waits for the bell before it looks by itself."""
BEAT_SECONDS = 10.0
"""How often it tells the server that it is there, measures the clock, and asks for the server's version."""
MEASURED_SECONDS = 1.0
"""Positions and presence go up at most so often."""
SHARE = 0.5
"""All stations of a server together spend at most so much of one processor's time on taking over news while
these keep coming, and as much on sending acts: each rests after it for what it took, times the stations there
are beyond a ``FEW``, over this. What comes meanwhile goes together.
"""
FEW = 5
"""So many stations do not crowd a server: each rests only for as long as it took."""
REST_SECONDS = 8.0
"""No station rests longer than this from taking over news."""
SEND_REST_SECONDS = 1.0
"""And no longer than this from sending."""
LATE_SECONDS = 3.0
"""A look that takes longer than this is told: what is shown may be behind."""
BACK_OFF_SECONDS = (0.5, 1.0, 2.0, 5.0)
SKEW_LIMIT_MS = 60_000
"""A clock that is further off is told to the person; acts keep their order all the same."""
T = TypeVar("T")
_log = logging.getLogger(__name__)


class Station:
    """Keeps a replica and its server together; every method may be called from any thread."""

    def __init__(self, local: Database, address: str, told: Callable[[Standing], None] | None = None) -> None:
        self.local = local
        self._clock = keep_time(local)
        self.standing = Standing(since_ms=to_ms(local.clock.now()))
        self._address = make_url(address)
        self._told = told or (lambda _standing: None)
        self._saying = threading.Lock()
        self._doors: dict[int, Door] = {}
        self._awaited: dict[str, str] = {}
        self._wake = threading.Event()
        self._acted = threading.Event()
        self._stopping = threading.Event()
        self._turn = threading.Lock()
        self._thread: threading.Thread | None = None
        self._watch: threading.Thread | None = None
        self._bell: Bell | None = None
        self._looking_since: float | None = None
        self._beat_at = 0.0
        # Whether the bell rang since the last look at the news, when that was, and until when it has to do.
        self._rang = threading.Event()
        self._looked_at = 0.0
        self._rests_until = 0.0
        # What became of the acts the last time, until when the next ones wait for company, whether any do.
        self._sent: tuple[Pushed, Unavailable | None] = (Pushed(), None)
        self._sends_from = 0.0
        self._holds_back = False
        self._crowd = 1
        self._photos = Photos(local)
        self._measured: set[str] = set()
        self._measured_at = 0.0
        self._heard: Callable[[], None] | None = None

    def sign_in(self, login: str, password: str) -> Actor:
        """Let a person in by the server. Raises ``Refused("wrong_password")`` and ``Unavailable``."""
        door = Door.open(self._address, login, password, self.local.ids)
        try:
            demand_scope(self.local, door.actor.scope)
        except Refused:
            door.close()
            raise
        door.database.clock = self._clock
        before = self._doors.get(door.actor.account_id)
        self._doors[door.actor.account_id] = door
        if before is not None:
            before.close()
        self._beat_at = 0.0
        self.wake()
        return door.actor

    def await_line(self, login: str, password: str) -> None:
        """Let a person in as soon as there is a line: he or she works here without one until then."""
        self._awaited[login] = password
        self.wake()

    def sign_out(self, account_id: int) -> None:
        """Close a person's way; what he or she did and was not sent waits for the next time."""
        door = self._doors.pop(account_id, None)
        if door is not None:
            door.close()

    def start(self) -> None:
        """Begin to keep up."""
        self._stopping.clear()
        self._heard = self.local.subscribe(self._on_commit)
        self._thread = threading.Thread(target=self._keep_up, name="station", daemon=True)
        self._watch = threading.Thread(target=self._watch_over, name="station watch", daemon=True)
        self._bell = Bell(self._where, self._on_ring)
        self._thread.start()
        self._watch.start()
        self._bell.start()

    def stop(self, timeout: float = 10.0) -> None:
        """Stop, and close every way into the server, also one that is waiting for an answer."""
        self._stopping.set()
        self._wake.set()
        if self._heard is not None:
            self._heard()
            self._heard = None
        for door in list(self._doors.values()):
            door.break_off()
        if self._bell is not None:
            self._bell.stop(timeout)
        for thread in (self._thread, self._watch):
            if thread is not None and thread is not threading.current_thread():
                thread.join(timeout)
        self._thread = self._watch = self._bell = None
        # Only now: what a thread still held has come back, and is closed with the rest.
        for account_id in list(self._doors):
            self.sign_out(account_id)

    def wake(self) -> None:
        """Look now."""
        self._rests_until = self._sends_from = 0.0
        self._rang.set()
        self._wake.set()

    def run_on_server(self, command: object, actor: Actor) -> Outcome:
        """Carry out a command that only the server can decide, and take over what came of it.

        Raises ``Unavailable("offline")`` without a line.
        """
        door = self._door_of(actor)
        outcome = door.bus.run(command, door.actor)
        with self._turn:
            pull(self.local, door.database)
        return outcome

    def ask(self, actor: Actor, question: Callable[[Connection], T]) -> T:
        """Ask the server what this file does not hold, under the rights of that person.

        Raises ``Unavailable("offline")`` without a line.
        """
        with self._door_of(actor).database.read() as connection:
            return question(connection)

    def photo_way(self, wanted: Wanted) -> PhotoWay:
        """How it stands with a photo that somebody looks at and that is not here: it comes before others.

        Reads the disk. Raises ``Refused("not_a_photo")`` for what cannot be one.
        """
        found = self._photos.way_of(wanted)
        if found.way is Way.COMING and self.standing.line is Line.OFFLINE:
            return replace(found, way=Way.NO_LINE)
        return found

    def rejoin(self, actor: Actor) -> Rejoined:
        """Take a server that was put back to an older state for the truth, and send again what it has lost.

        Raises ``Unavailable("offline")`` without a line.
        """
        door = self._door_of(actor)
        with self._turn:
            found = rejoin(self.local, door.database)
        self.wake()
        return found

    def _door_of(self, actor: Actor) -> Door:
        door = self._doors.get(actor.account_id)
        if door is None or self.standing.line is Line.OFFLINE:
            raise Unavailable("offline", N_("This needs the server, and there is no line to it."))
        return door

    # The thread.

    def _on_commit(self, changes: Changes) -> None:
        if changes.bulk or "case_photo" in changes.touched:
            self._photos.look_again()
        if threading.current_thread() is self._thread:
            # What it has just taken over itself.
            return
        self._measured |= told_measured(changes.touched)
        self._acted.set()
        self._wake.set()

    def _on_ring(self, backend: int) -> float:
        """The bell, rung by a process of the server; for how long, in seconds, it need not be heard."""
        if any(backend in door.backends for door in list(self._doors.values())):
            # What this station has just sent itself.
            return 0.0
        self._rang.set()
        rest = self._rests_until - monotonic()
        if rest <= 0:
            self._wake.set()
        return rest

    def _keep_up(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            self._wake.clear()
            self._looking_since = monotonic()
            trouble: Trouble | None = None
            try:
                wait = self._look()
            except (Refused, Unavailable) as told:
                trouble = told
            except Exception as error:
                if not self._stopping.is_set():
                    _log.exception("the station failed")
                trouble = Unavailable(
                    "station_failed",
                    N_("The line to the server failed: {reason}"),
                    reason=type(error).__name__,
                )
            self._looking_since = None
            if self._stopping.is_set():
                return
            if trouble is None:
                failures = 0
                self._wake.wait(wait)
            else:
                self._say(
                    line=Line.OFFLINE if isinstance(trouble, Unavailable) else Line.BEHIND, trouble=trouble
                )
                # Many stations that lost the same server must not come back in the same moment, and an act
                # of this file is no reason to knock earlier.
                longest = BACK_OFF_SECONDS[min(failures, len(BACK_OFF_SECONDS) - 1)]
                self._stopping.wait(longest * random.uniform(0.5, 1.0))
                failures += 1

    def _look(self) -> float:
        """Send, take over, say how things stand; when to look again, in seconds."""
        self._let_in()
        with self._turn:
            door = next(iter(self._doors.values()), None)
            if door is None:
                self._say()
                return BACK_OFF_SECONDS[0]
            try:
                skew = self._beat(door) if monotonic() >= self._beat_at else self.standing.skew_ms
                pushed, stuck = self._send(skew)
                self._send_measured(door)
                heard = self._hear(door)
            except Unavailable as trouble:
                if is_shut(trouble):
                    self.sign_out(door.actor.account_id)
                    raise Unavailable(
                        "shut_out",
                        N_(
                            "The server does not let {who} in any more; sign in again."
                            " What is done here meanwhile waits."
                        ),
                        who=door.actor.name,
                    ) from trouble
                raise
        self._say(
            line=Line.LIVE if stuck is None else Line.BEHIND,
            trouble=stuck,
            held_for=tuple(sorted(set(pushed.held.values()))),
            skew_ms=skew,
            heard_ms=heard,
        )
        return 0.0 if self._photos.step(door.database) else self._until_next()

    def _hear(self, door: Door) -> int:
        """Take over the news, when it is time to; up to when they are known here, in milliseconds."""
        began = monotonic()
        is_due = self._rang.is_set() or began >= self._looked_at + LOOK_SECONDS
        if not is_due or began < self._rests_until:
            return self.standing.heard_ms
        self._rang.clear()
        now = to_ms(self.local.clock.now())
        pull(self.local, door.database)
        self._looked_at = monotonic()
        self._rests_until = self._looked_at + self._rest(self._looked_at - began, REST_SECONDS)
        return now

    def _rest(self, took: float, longest: float) -> float:
        """How long to leave the server to others after what took so long, in seconds."""
        # By lot, or all that heard the bell in one moment would come back in one.
        share = max(1.0, (self._crowd - FEW) / SHARE)
        return min(took * share, longest) * random.uniform(0.5, 1.0)

    def _until_next(self) -> float:
        """When to look again unless something happens here, in seconds."""
        now = monotonic()
        moment = now if self._rang.is_set() else self._looked_at + LOOK_SECONDS
        moment = self._rests_until if self._rests_until > now else moment
        if self._holds_back:
            moment = min(moment, self._sends_from)
        return max(moment - now, 0.0)

    def _let_in(self) -> None:
        for login, password in tuple(self._awaited.items()):
            try:
                self.sign_in(login, password)
            except Refused as why:
                # Another password, or no account any more: that takes the person's own hands.
                self._awaited.pop(login, None)
                if why.code in ("wrong_password", "no_such_account"):
                    forget(self.local, login)
                raise
            self._awaited.pop(login, None)

    def _send(self, skew_ms: int) -> tuple[Pushed, Unavailable | None]:
        """What became of the acts that wait; a server that can still be read stops none of the news."""
        began = monotonic()
        self._holds_back = began < self._sends_from
        if self._holds_back:
            return self._sent
        try:
            self._sent = push(self.local, self._way, as_computed=abs(skew_ms) <= SKEW_MS), None
        except Unavailable as trouble:
            if trouble.code == "database_lost":
                raise
            self._sent = Pushed(), trouble
        now = monotonic()
        self._sends_from = now + self._rest(now - began, SEND_REST_SECONDS)
        return self._sent

    def _send_measured(self, door: Door) -> None:
        if self._measured and monotonic() >= self._measured_at:
            self._measured_at = monotonic() + MEASURED_SECONDS
            tables, self._measured = self._measured, set()
            send_measured(self.local, door.database, sorted(tables))

    def _way(self, account_id: int) -> tuple[Bus, Actor] | None:
        # What the program did of itself goes by whoever is there.
        door = self._doors.get(account_id) or (
            next(iter(self._doors.values()), None) if account_id == 0 else None
        )
        return None if door is None else (door.bus, door.actor)

    def _where(self) -> URL | None:
        """Where the bell is to be heard."""
        door = next(iter(self._doors.values()), None)
        return None if door is None else door.database.engine.url

    def _beat(self, door: Door) -> int:
        """Tell the server how this station stands; how far our clock is ahead, in milliseconds.

        Raises ``Refused`` when the server has been brought to another version meanwhile.
        """
        schema.demand_same(door.database)
        standing = self.standing
        with self.local.read() as connection:
            token = connection.execute(select(replica.c.token)).scalar_one()
        with door.database.troubles(), door.database.engine.begin() as connection:
            skew = measure(connection, self._clock)
            now = to_ms(self._clock.now())
            facts = {
                "program": program_version(),
                "login": door.actor.name,
                "waiting": standing.waiting,
                "skew": skew,
                "behind": now - standing.heard_ms if standing.heard_ms else 0,
                "token": token,
            }
            connection.execute(_BEAT, facts)
            self._crowd = int(connection.execute(_CROWD, {"recent": PRESENT_MS}).scalar_one())
        correct(self.local, skew)
        with self.local.write_many() as writing:
            # Whoever reads only the file knows by it that somebody keeps it up.
            writing.connection.execute(update(replica).values(synced_at=self.local.clock.now()))
        self._beat_at = monotonic() + BEAT_SECONDS
        return skew

    def _watch_over(self) -> None:
        """Say what the thread itself cannot while it waits: that more has been done here, and that what is
        shown may be behind.
        """
        while not self._stopping.wait(LATE_SECONDS / 6):
            since = self._looking_since
            is_late = since is not None and monotonic() - since > LATE_SECONDS
            if is_late and self.standing.line is Line.LIVE:
                self._say(line=Line.BEHIND)
            elif self._acted.is_set():
                self._acted.clear()
                self._say()

    def _say(self, **changed: object) -> None:
        with self._saying:
            with self.local.read() as connection:
                # Past SQLAlchemy: it is asked after every act.
                found = connection.exec_driver_sql(_COUNTS)
                counts = {str(state): int(count) for state, count in found}
            new = replace(
                self.standing,
                waiting=counts.get(sending.WAITING, 0),
                parked=sum(counts.get(state, 0) for state in sending.IN_TRAY),
                **changed,  # type: ignore[arg-type]
            )
            if new.line is not self.standing.line:
                new = replace(new, since_ms=to_ms(self.local.clock.now()))
            if new == self.standing:
                return
            self.standing = new
        self._told(new)


_COUNTS = "SELECT state, count(*) FROM outbox GROUP BY state"
PRESENT_MS = 30_000
"""Who has told within this time counts as being there."""
_CROWD = text("SELECT greatest(count(*), 1) FROM station WHERE seen_at > jw_now_ms() - :recent")
_BEAT = text(
    "UPDATE station SET program = :program, login = :login, waiting = :waiting, skew_ms = :skew,"
    " behind_ms = :behind, seen_at = jw_now_ms() WHERE token = :token"
)
