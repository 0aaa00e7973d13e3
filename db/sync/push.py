"""Tells the server what was done here: each act once, in its person's name, by the server's own rules."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import takewhile
from typing import Any

from sqlalchemy import Row, func, select, text
from sqlalchemy.exc import OperationalError

from db.engine import outbox as sending
from db.engine.bus import Bus
from db.engine.connections import Database
from db.engine.tables import outbox
from db.kernel.act import Act
from db.kernel.actor import SYSTEM, Actor
from db.kernel.clock import from_ms
from db.kernel.command import from_plain
from db.kernel.refusal import Refused, Unavailable
from db.sync.batch import CHUNK, fast_forward
from db.sync.concurrent import adapted
from db.sync.pull import pull
from db.sync.rebase import fault_of
from db.sync.waiting import Key, effect_of, waiting_of

_WAITING = "SELECT id, actor_id FROM outbox WHERE state = ? ORDER BY id"
Door = Callable[[int], "tuple[Bus, Actor] | None"]
"""The way into the server for an account, by its id; ``None`` while that person is not signed in."""

_log = logging.getLogger(__name__)


@dataclass
class Pushed:
    """What became of the acts that waited."""

    settled: list[int] = field(default_factory=list)
    parked: dict[int, Refused] = field(default_factory=dict)
    held: dict[int, str] = field(default_factory=dict)
    """Acts of people who are not signed in, or that stand on such ones: operation → whose. Of each person at
    least the first.
    """


def push(local: Database, door: Door, *, as_computed: bool = True) -> Pushed:
    """Send what waits, in the order in which it was done.

    What nothing has come between goes ``as_computed`` (``db/sync/batch.py``), unless the clock here is wrong.
    What the server made of any other act is taken over before the next one that stands on it is sent, and at
    the end. Raises ``Unavailable`` when the server is gone: what it has taken is found by the next ``pull``,
    and the rest goes on waiting.
    """
    return _Sending(local, door, as_computed).run()


class _Sending:
    """One walk through what waits."""

    def __init__(self, local: Database, door: Door, as_computed: bool) -> None:
        self._local = local
        self._door = door
        self._as_computed = as_computed
        self._pushed = Pushed()
        self._blocked: set[Key] = set()
        # What stands otherwise on the server than here, until it is taken over.
        self._unlike: set[Key] = set()
        self._refused: dict[int, Refused] = {}
        self._server: Database | None = None

    def run(self) -> Pushed:
        with self._local.read() as connection:
            found = connection.exec_driver_sql(_WAITING, (sending.WAITING,))
            waiting = [(int(operation), int(person)) for operation, person in found]
        if self._nobody_is_there({person for _operation, person in waiting}):
            return self._pushed
        while waiting:
            sent = self._forward(waiting)
            if not sent:
                self._send_first(waiting[0][0])
                sent = 1
            del waiting[:sent]
        self._take_over()
        return self._pushed

    def _nobody_is_there(self, people: set[int]) -> bool:
        """Whether all that waits is of people who are not signed in: then nothing has to be looked at."""
        if any(self._door(person) is not None for person in people):
            return False
        first = select(func.min(outbox.c.id).label("id"), outbox.c.actor_id, outbox.c.actor_name)
        first = first.where(outbox.c.state == sending.WAITING).group_by(outbox.c.actor_id)
        with self._local.read() as connection:
            self._pushed.held |= {act.id: act.actor_name for act in connection.execute(first)}
        return True

    def _forward(self, waiting: list[tuple[int, int]]) -> int:
        """How many of the next acts could go as they were done here."""
        person = waiting[0][1]
        way = self._door(person)
        if way is None or person == SYSTEM.account_id or not self._as_computed:
            return 0
        theirs = [
            operation for operation, _whose in takewhile(lambda each: each[1] == person, waiting[:CHUNK])
        ]
        sent = fast_forward(self._local, way[0].database, theirs, self._blocked | self._unlike)
        self._pushed.settled += sent
        return len(sent)

    def _send_first(self, operation: int) -> None:
        act, keys = self._read(operation)
        if not self._unlike.isdisjoint(keys):
            self._take_over()
            act, keys = self._read(operation)
        if act is None:
            # Parked meanwhile, because what it stood on was refused.
            return
        way = self._door(act.actor_id) if self._blocked.isdisjoint(keys) else None
        if way is None:
            self._blocked |= keys
            self._pushed.held[operation] = act.actor_name
            return
        bus, person = way
        self._server = bus.database
        self._unlike |= keys
        try:
            self._replay(act, bus, SYSTEM if act.actor_id == SYSTEM.account_id else person)
        except Refused as refusal:
            self._refused[operation] = refusal
            self._pushed.parked[operation] = refusal
        else:
            self._pushed.settled.append(operation)

    def _read(self, operation: int) -> tuple[Row[Any] | None, set[Key]]:
        """An act that still waits, and what it stands on."""
        with self._local.read() as connection:
            waits = select(outbox).where(outbox.c.id == operation, outbox.c.state == sending.WAITING)
            act = connection.execute(waits).first()
            return act, set() if act is None else set(waiting_of(self._local).keys_of(connection, operation))

    def _replay(self, act: Row[Any], bus: Bus, actor: Actor) -> None:
        with self._local.read() as connection:
            effect = effect_of(connection, act)
        try:
            wanted = from_plain(act.command, act.arguments)
            moment = min(act.at, _now_of(bus.database))
            again: Act = replace(sending.act_of(act), at=moment)
            bus.replay(wanted, actor, again, lambda command, unit: adapted(command, unit, effect))
        except (Refused, Unavailable, OperationalError):
            raise
        except Exception as error:
            # A fault of the program must not stop all that comes after this act.
            _log.exception("the server failed over act %s (%s)", act.id, act.command)
            raise fault_of(error) from error

    def _take_over(self) -> None:
        """What the server made of the acts that were sent."""
        if self._server is not None:
            pull(self._local, self._server, self._refused)
        self._unlike.clear()
        self._refused.clear()
        self._server = None


def _now_of(server: Database) -> datetime:
    """The server's own time: no act is later than that, however wrong the clock was by which it was done."""
    with server.read() as connection:
        return from_ms(int(connection.execute(text("SELECT jw_now_ms()")).scalar_one()))
