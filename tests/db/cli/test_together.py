"""A server, two stations and a line that can be cut, set up to be tried out, and gone afterwards."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from db.cli import together
from db.demo.staff import PASSWORD
from db.kernel.refusal import Unavailable
from db.sync.door import open_server
from db.sync.seat import server_address
from tests.kit.source import ROOT

pytestmark = pytest.mark.postgres


def way_in(words: list[str]) -> tuple[str, str]:
    """The address and the name with which a window is opened."""
    return server_address(words[words.index("--server") + 1]), words[words.index("--user") + 1]


def test_both_come_in_and_one_of_them_can_be_cut_off(capsys: pytest.CaptureFixture[str]) -> None:
    with together.town("small") as (stations, line):
        assert [way_in(words)[1] for words in stations] == [together.ONE, together.OTHER]
        folders = [Path(words[words.index("--folder") + 1]) for words in stations]
        for words in stations:
            address, login = way_in(words)
            open_server(make_url(address), login, PASSWORD).close()
        line.cut()
        address, login = way_in(stations[0])
        with pytest.raises(Unavailable):
            open_server(make_url(address), login, PASSWORD)
        address, login = way_in(stations[1])
        open_server(make_url(address), login, PASSWORD).close()
        home = folders[0].parent
        assert home.exists()
    assert not home.exists(), "something is left behind"
    assert PASSWORD not in capsys.readouterr().out


class Line:
    """Keeps what was done to it."""

    def __init__(self) -> None:
        self.is_cut = False
        self.done: list[str] = []

    def cut(self) -> None:
        self.is_cut = True
        self.done.append("cut")

    def mend(self) -> None:
        self.is_cut = False
        self.done.append("mend")


def test_each_line_typed_cuts_or_mends_and_says_what_the_next_does(
    capsys: pytest.CaptureFixture[str],
) -> None:
    line = Line()
    together.turns(line, io.StringIO("\n\n\n"))  # type: ignore[arg-type]
    assert line.done == ["cut", "mend", "cut"]
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 4
    assert ["cut" in words.split(".")[0] for words in said] == [False, True, False, True]


STANDING_TOWN = """
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from db.cli import together


@contextmanager
def town(_scale: str) -> Iterator[tuple[list[list[str]], Any]]:
    try:
        yield [], SimpleNamespace(is_cut=False)
    finally:
        print("taken down", flush=True)


together.town = town
raise SystemExit(together.run(Namespace(scale="small", no_windows=True)))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are a matter of POSIX")
@pytest.mark.parametrize("end", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_however_it_is_ended_everything_is_taken_down(end: str) -> None:
    """A terminal that is closed, or a computer that is shut down, ends it as Ctrl+C does."""
    program = subprocess.Popen(
        [sys.executable, "-c", STANDING_TOWN],
        cwd=ROOT,
        env={**os.environ, "JINGWEI_LANG": "en"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert program.stdout is not None
    # It waits for a line to be typed.
    assert any("Ctrl+C ends everything" in line for line in program.stdout)
    program.send_signal(signal.Signals[end])
    out, err = program.communicate(timeout=120)
    assert (program.returncode, err) == (0, "")
    assert out.split("\n")[-3:] == ["taken down", "Server, city and stations are gone again.", ""]
