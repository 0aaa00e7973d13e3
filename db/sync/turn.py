"""One program of a computer at a time: whoever makes a station's file holds its turn, the others wait.

The turn is a lock of the operating system on a file of its own, so it ends with the program, in any case.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from db.kernel.language import N_
from db.kernel.refusal import Unavailable

LOOK_SECONDS = 0.3
"""How often whoever waits is asked whether to go on waiting."""


@contextmanager
def turn(path: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the turn of the file at ``path``; ``waiting`` is called again and again until it is ours, and ends
    the waiting by what it raises. Raises ``Unavailable`` when the folder cannot be written.
    """
    try:
        gate = sqlite3.connect(f"{path}.turn", timeout=LOOK_SECONDS, isolation_level=None)
    except sqlite3.OperationalError as error:
        raise _closed(path, error) from error
    with closing(gate):
        while True:
            try:
                gate.execute("BEGIN EXCLUSIVE")
                break
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                    raise _closed(path, error) from error
            waiting()
        yield


def _closed(path: Path, error: sqlite3.Error) -> Unavailable:
    return Unavailable(
        "cannot_open", N_("{path} cannot be opened: {reason}"), path=str(path), reason=str(error)
    )
