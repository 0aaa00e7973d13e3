"""Connections to a server that do not wait for ever: a line that dies in the middle says nothing."""

from __future__ import annotations

import threading
from collections.abc import Generator
from time import monotonic
from typing import Any

import psycopg


class Patience:
    """How long the connections of one person wait in silence, and an end to all their waiting."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._over = threading.Event()

    def give_up(self) -> None:
        """Let every connection that waits, now or later, break off within a tenth of a second."""
        self._over.set()

    def watched(self, work: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
        """A psycopg generator that is broken off after too much silence.

        It is asked ten times a second, also when nothing came (``ready`` is 0 then). Keepalives notice a
        computer that is gone; this notices a line that takes every byte and brings none back.
        """
        silent_since = monotonic()
        try:
            wanted = next(work)
            while True:
                ready = yield wanted
                if ready:
                    silent_since = monotonic()
                elif self._over.is_set():
                    raise psycopg.OperationalError("the connection was given up")
                elif monotonic() - silent_since > self.seconds:
                    raise psycopg.OperationalError(f"no answer for {self.seconds:g} seconds")
                wanted = work.send(ready)
        except StopIteration as done:
            return done.value


class PatientConnection(psycopg.Connection[Any]):
    """A connection that breaks when its patience is at an end."""

    patience: Patience | None = None

    def wait(self, gen: Generator[Any, Any, Any], *options: Any, **more: Any) -> Any:
        if self.patience is None:
            return super().wait(gen, *options, **more)
        try:
            return super().wait(self.patience.watched(gen), *options, **more)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == psycopg.pq.TransactionStatus.ACTIVE:
                # Nobody knows what the server made of it: nothing can follow on this connection.
                self.pgconn.finish()
            raise


def connect(patience: Patience, *where: Any, **how: Any) -> PatientConnection:
    """A connection with this patience."""
    connection = PatientConnection.connect(*where, **how)
    connection.patience = patience
    return connection
