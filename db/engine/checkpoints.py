"""Copies what mass acts left in SQLite's log into the database file, while nobody waits for it.

A commit is durable as soon as the log is; SQLite then copies the log into the file before it answers, as soon
as there are a thousand pages in it. After a mass act that is a sixth of all its time.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from sqlalchemy import Connection

REST_SECONDS = 1.0
"""How long after a mass act: first its windows draw what has become of the cases."""
_PAGES = 1000
"""At how many pages in the log a commit copies it: SQLite's own number."""
_MOST = 4
"""After so many mass acts that left no time for it the next one copies the log itself, lest it grow."""

_log = logging.getLogger(__name__)


class Checkpoints:
    """Those of one database file. ``later`` is called by one thread at a time."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        self._timer: threading.Timer | None = None
        self._waiting = 0

    @contextmanager
    def later(self, connection: Connection) -> Iterator[None]:
        """A commit within this block does not wait for the copying, which follows when there is time."""
        if self._waiting == _MOST:
            yield
            self._waiting = 0
            return
        connection.exec_driver_sql("PRAGMA wal_autocheckpoint = 0")
        try:
            yield
        finally:
            connection.exec_driver_sql(f"PRAGMA wal_autocheckpoint = {_PAGES}")
        self._waiting += 1
        if self._timer is not None:
            self._timer.cancel()
        self._timer = threading.Timer(REST_SECONDS, self._copy)
        self._timer.daemon = True
        self._timer.start()

    def wait(self) -> None:
        """Until everything is copied, or has failed to be."""
        if self._timer is not None:
            self._timer.join()

    def close(self) -> None:
        """Leave what is not begun to whoever closes the file last: SQLite copies it then."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer.join()

    def _copy(self) -> None:
        try:
            with closing(self._connect()) as connection:
                # Passive: it holds up neither who reads nor who writes.
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
            self._waiting = 0
        except sqlite3.Error:
            # Nothing is lost: it stands in the log, and another commit copies it.
            _log.warning("the log was not copied into the database file", exc_info=True)
