"""The server's bell: a thread that hears NOTIFY, so that news are looked at when they come."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic
from typing import Any

import psycopg
from sqlalchemy.engine import URL

from db.engine.connections import LOST_AFTER
from db.engine.patience import Patience, connect

CHANNEL = "jingwei"
ASK_SECONDS = 5.0
"""How often the line is asked whether it is still there: silence is what a bell does most."""
DEAF_SECONDS = 0.3
"""From so long a rest on the bell is taken off: while many ring, each of them costs the server something."""
CONNECT_SECONDS = 5
_LISTEN_SECONDS = 0.5
_AGAIN_SECONDS = (0.5, 1.0, 2.0, 5.0)


class Bell:
    """Calls ``rang`` on its own thread, with the number of the server's process that rang, 0 for nobody.

    What that answers is for how many seconds the bell need not be heard. What it does not hear the station
    finds by the clock all the same.
    """

    def __init__(self, where: Callable[[], URL | None], rang: Callable[[int], float]) -> None:
        self._where = where
        self._rang = rang
        self._patience = Patience(ASK_SECONDS)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="bell", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Listen no more."""
        self._stopping.set()
        self._patience.give_up()
        self._thread.join(timeout)

    def _listen(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            where = self._where()
            wait = _AGAIN_SECONDS[0]
            if where is not None:
                try:
                    self._hear(where)
                    failures = 0
                except psycopg.Error:
                    wait = _AGAIN_SECONDS[min(failures, len(_AGAIN_SECONDS) - 1)]
                    failures += 1
            self._stopping.wait(wait)

    def _hear(self, where: URL) -> None:
        """Listen until somebody else is to be listened for, or the line breaks."""
        with connect(self._patience, _conninfo(where), autocommit=True) as connection:
            asked = monotonic()
            rest = self._listen_anew(connection)
            while not self._stopping.is_set() and self._where() == where:
                if rest > DEAF_SECONDS:
                    connection.execute("UNLISTEN *")
                    self._stopping.wait(rest)
                    rest = self._listen_anew(connection)
                    asked = monotonic()
                    continue
                for notice in connection.notifies(timeout=_LISTEN_SECONDS, stop_after=1):
                    rest = self._rang(notice.pid)
                if monotonic() - asked > ASK_SECONDS:
                    connection.execute("SELECT 1")
                    asked = monotonic()

    def _listen_anew(self, connection: psycopg.Connection[Any]) -> float:
        connection.execute(f"LISTEN {CHANNEL}")
        # What was told before we listened.
        return self._rang(0)


def _conninfo(url: URL) -> str:
    waits = {name: str(value) for name, value in {**LOST_AFTER, "connect_timeout": CONNECT_SECONDS}.items()}
    plain = url.set(drivername="postgresql").update_query_dict(waits)
    return plain.render_as_string(hide_password=False)
