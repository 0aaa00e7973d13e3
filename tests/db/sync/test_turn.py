"""Of two programs of one computer the second waits until the first has made the file, or died over it."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from db.kernel.refusal import Unavailable
from db.sync.turn import turn

HOLD = """
import sys, pathlib
from db.sync.turn import turn
with turn(pathlib.Path(sys.argv[1]), lambda: None):
    print("mine", flush=True)
    sys.stdin.read()
"""


class EnoughError(Exception):
    """Whoever waits has had enough."""


def enough() -> None:
    raise EnoughError


def test_a_turn_that_nobody_holds_is_ours_at_once(tmp_path: Path) -> None:
    for _each in range(2):
        with turn(tmp_path / "room.db", enough):
            pass


def test_the_second_waits_until_the_first_has_ended_however_it_ends(tmp_path: Path) -> None:
    path = tmp_path / "room.db"
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert other.stdout is not None
    assert other.stdin is not None
    assert other.stdout.readline() == b"mine\n"
    with pytest.raises(EnoughError), turn(path, enough):
        pass
    waited: list[int] = []

    def kill() -> None:
        waited.append(1)
        other.kill()

    with turn(path, kill):
        assert waited
    other.wait()
    other.stdin.close()
    other.stdout.close()


def test_threads_of_one_program_wait_for_one_another_too(tmp_path: Path) -> None:
    path, inside = tmp_path / "room.db", []

    def work() -> None:
        with turn(path, lambda: None):
            inside.append(1)
            assert len(inside) == 1
            inside.clear()

    threads = [threading.Thread(target=work) for _each in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert inside == []


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unavailable), turn(tmp_path / "nowhere" / "room.db", enough):
        pass
