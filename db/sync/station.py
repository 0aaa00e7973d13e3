"""A station of a server: one thread that sends what was done here and takes over what was done elsewhere.

Nobody waits for it. It is woken by an act of this file, by the server's bell, or by time, and says how things
stand in a ``Standing`` whenever that changes.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from time import monotonic
from typing import TypeVar

import psycopg
from sqlalchemy import Connection, func, select, text
from sqlalchemy.engine import URL, make_url

from db.engine import outbox as sending
from db.engine import schema
from db.engine.bus import Bus, Outcome
from db.engine.connections import LOST_AFTER, Database, open_database
from db.engine.tables import outbox, replica
from db.kernel.actor import SYSTEM, Actor
from db.kernel.change import Changes
from db.kernel.clock import to_ms
from db.kernel.language import N_
from db.kernel.refusal import Refused, Unavailable
from db.people.commands import actor_of
from db.sync.pull import pull
from db.sync.push import push
from db.sync.standing import Line, Standing

LOOK_SECONDS = 2.0
"""How long the station waits for the bell before it looks by itself."""
BEAT_SECONDS = 10.0
"""How often it tells the server that it is there, and measures the clock."""
BACK_OFF_SECONDS = (0.5, 1.0, 2.0, 5.0)
SKEW_LIMIT_MS = 60_000
"""A clock that is further off is told to the person; acts keep their order all the same."""
T = TypeVar("T")
_log = logging.getLogger(__name__)


@dataclass
class Door:
    """One person's way into the server."""

    database: Database
    bus: Bus
    actor: Actor


class Station:
    """Keeps a replica and its server together; every method may be called from any thread."""

    def __init__(self, local: Database, address: str, told: Callable[[Standing], None] | None = None) -> None:
        self.local = local
        self.standing = Standing(since_ms=to_ms(local.clock.now()))
        self._address = make_url(address)
        self._told = told or (lambda _standing: None)
        self._doors: dict[int, Door] = {}
        self._awaited: dict[str, str] = {}
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._turn = threading.Lock()
        self._thread: threading.Thread | None = None
        self._bell: threading.Thread | None = None
        self._beat_at = 0.0
        self._heard: Callable[[], None] | None = None

    def sign_in(self, login: str, password: str) -> Actor:
        """Let a person in by the server. Raises ``Refused("wrong_password")`` and ``Unavailable``."""
        database = open_server(self._address, login, password)
        try:
            schema.demand_same(database)
            actor = actor_of(database, login)
        except BaseException:
            database.close()
            raise
        # One maker of ids for both: what the server draws for an act must not meet what this file draws.
        database.ids = self.local.ids
        before = self._doors.get(actor.account_id)
        self._doors[actor.account_id] = Door(database, Bus(database), actor)
        if before is not None:
            before.database.close()
        self.wake()
        return actor

    def await_line(self, login: str, password: str) -> None:
        """Let a person in as soon as there is a line: he or she works here without one until then."""
        self._awaited[login] = password
        self.wake()

    def sign_out(self, account_id: int) -> None:
        """Close a person's way; what he or she did and was not sent waits for the next time."""
        door = self._doors.pop(account_id, None)
        if door is not None:
            door.database.close()

    def start(self) -> None:
        """Begin to keep up."""
        self._stopping.clear()
        self._heard = self.local.subscribe(self._on_commit)
        self._thread = threading.Thread(target=self._keep_up, name="station", daemon=True)
        self._thread.start()
        self._bell = threading.Thread(target=self._listen, name="bell", daemon=True)
        self._bell.start()

    def stop(self, timeout: float = 10.0) -> None:
        """Stop, and close every way into the server."""
        self._stopping.set()
        self._wake.set()
        if self._heard is not None:
            self._heard()
            self._heard = None
        for thread in (self._thread, self._bell):
            if thread is not None and thread is not threading.current_thread():
                thread.join(timeout)
        self._thread = self._bell = None
        for account_id in list(self._doors):
            self.sign_out(account_id)

    def wake(self) -> None:
        """Look now."""
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

    def _door_of(self, actor: Actor) -> Door:
        door = self._doors.get(actor.account_id)
        if door is None or self.standing.line is Line.OFFLINE:
            raise Unavailable("offline", N_("This needs the server, and there is no line to it."))
        return door

    # The thread.

    def _on_commit(self, _changes: Changes) -> None:
        self._wake.set()

    def _keep_up(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                came = self._turn_once()
                failures = 0
                wait = LOOK_SECONDS if came else BACK_OFF_SECONDS[0]
            except Unavailable as trouble:
                self._say(line=Line.OFFLINE, trouble=trouble)
                wait = BACK_OFF_SECONDS[min(failures, len(BACK_OFF_SECONDS) - 1)]
                failures += 1
            except Refused as trouble:
                self._say(line=Line.BEHIND, trouble=trouble)
                wait = BACK_OFF_SECONDS[-1]
            except Exception as error:
                _log.exception("the station failed")
                trouble_ = Unavailable(
                    "station_failed",
                    N_("The line to the server failed: {reason}"),
                    reason=type(error).__name__,
                )
                self._say(line=Line.OFFLINE, trouble=trouble_)
                wait = BACK_OFF_SECONDS[-1]
            self._wake.wait(wait)

    def _turn_once(self) -> bool:
        """Send, take over, say how things stand. ``False`` while nobody is signed in."""
        for login, password in tuple(self._awaited.items()):
            try:
                self.sign_in(login, password)
            except Refused:
                # Another password, or no account any more: that takes the person's own hands.
                self._awaited.pop(login, None)
                raise
            self._awaited.pop(login, None)
        with self._turn:
            door = next(iter(self._doors.values()), None)
            if door is None:
                self._say()
                return False
            pushed = push(self.local, self._way)
            pull(self.local, door.database)
            skew = self._beat(door) if monotonic() >= self._beat_at else self.standing.skew_ms
        held = tuple(sorted(set(pushed.held.values())))
        heard = to_ms(self.local.clock.now())
        self._say(line=Line.LIVE, trouble=None, held_for=held, skew_ms=skew, heard_ms=heard)
        return True

    def _way(self, account_id: int) -> tuple[Bus, Actor] | None:
        # What the program did of itself goes by whoever is there.
        door = self._doors.get(account_id) or (
            next(iter(self._doors.values()), None) if account_id == 0 else None
        )
        return None if door is None else (door.bus, door.actor)

    def _beat(self, door: Door) -> int:
        """Tell the server how this station stands; how far our clock is ahead, in milliseconds."""
        before = to_ms(self.local.clock.now())
        with self.local.read() as connection:
            token = connection.execute(select(replica.c.token)).scalar_one()
        with door.database.troubles(), door.database.engine.begin() as connection:
            theirs = int(connection.execute(text("SELECT jw_now_ms()")).scalar_one())
            after = to_ms(self.local.clock.now())
            skew = (before + after) // 2 - theirs
            connection.execute(
                text(
                    "UPDATE station SET login = :login, waiting = :waiting, skew_ms = :skew,"
                    " seen_at = jw_now_ms() WHERE token = :token"
                ),
                {"login": door.actor.name, "waiting": self.standing.waiting, "skew": skew, "token": token},
            )
        self._beat_at = monotonic() + BEAT_SECONDS
        return skew

    def _say(self, **changed: object) -> None:
        with self.local.read() as connection:
            counts = dict(
                connection.execute(select(outbox.c.state, func.count()).group_by(outbox.c.state)).all()
            )
        new = replace(
            self.standing,
            waiting=counts.get(sending.WAITING, 0),
            parked=counts.get(sending.PARKED, 0),
            **changed,  # type: ignore[arg-type]
        )
        if new.line is not self.standing.line:
            new = replace(new, since_ms=to_ms(self.local.clock.now()))
        if new != self.standing:
            self.standing = new
            self._told(new)

    # The bell.

    def _listen(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            door = next(iter(self._doors.values()), None)
            if door is None:
                self._stopping.wait(BACK_OFF_SECONDS[0])
                continue
            try:
                url = door.database.engine.url
                with psycopg.connect(
                    _conninfo(url), autocommit=True, connect_timeout=5, **LOST_AFTER
                ) as connection:
                    connection.execute("LISTEN jingwei")
                    failures = 0
                    self._wake.set()
                    while not self._stopping.is_set() and door in self._doors.values():
                        for _notice in connection.notifies(timeout=0.5, stop_after=1):
                            self._wake.set()
            except psycopg.Error:
                wait = BACK_OFF_SECONDS[min(failures, len(BACK_OFF_SECONDS) - 1)]
                failures += 1
                self._stopping.wait(wait)


def open_server(address: URL, login: str, password: str) -> Database:
    """The server as one person opens it. Raises ``Refused("wrong_password")`` and ``Unavailable``."""
    url = address.set(username=login, password=password or None)
    try:
        return open_database(url.render_as_string(hide_password=False))
    except Unavailable as trouble:
        state = getattr(getattr(trouble.__cause__, "orig", None), "sqlstate", None)
        words = str(trouble.facts.get("reason", ""))
        if (state or "").startswith("28") or "authentication failed" in words or "does not exist" in words:
            raise Refused("wrong_password", N_("Name or password is not right.")) from trouble
        raise


def _conninfo(url: URL) -> str:
    waits = {name: str(value) for name, value in {**LOST_AFTER, "connect_timeout": 5}.items()}
    plain = url.set(drivername="postgresql").update_query_dict(waits)
    return plain.render_as_string(hide_password=False)
