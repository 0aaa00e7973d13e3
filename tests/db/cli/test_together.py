"""A server, two stations and a line that can be cut, set up to be tried out, and gone afterwards."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from db.cli import together
from db.demo.staff import PASSWORD
from db.kernel.refusal import Unavailable
from db.sync.door import open_server
from db.sync.seat import server_address

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
