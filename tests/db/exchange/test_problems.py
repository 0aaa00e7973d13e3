"""The list of problems opens in a spreadsheet without doing anything there."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from db.exchange.problems import KEPT, Problem, ProblemList, Reason, harmless
from db.kernel.refusal import Unavailable


def problem(line: int = 2, value: str = "abc") -> Problem:
    return Problem(line, "Lon", value, Reason.NOT_A_NUMBER, skipped=True)


def test_the_list_is_utf8_with_a_mark_and_has_five_columns(tmp_path: Path) -> None:
    problems = ProblemList()
    problems.add(problem(value='=HYPERLINK("x")'))
    problems.add(Problem(9, "地址", "长" * 200, Reason.CUT, skipped=False, limit=200))
    path = tmp_path / "p.csv"
    problems.save(path)
    problems.close()
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
    assert rows[0] == ["Line", "Column", "Value", "Reason", "What was done"]
    assert rows[1] == ["2", "Lon", '\'=HYPERLINK("x")', "This is not a number.", "Skipped"]
    assert rows[2] == ["9", "地址", "长" * 80, "The text was cut to 200 characters.", "Taken"]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("text", ["=1+1", "+86", "-1", "@x", " =1", "\t=1", "\0=1"])
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(text: str) -> None:
    assert harmless(text).startswith("'")


def test_only_the_first_problems_stay_in_memory(tmp_path: Path) -> None:
    problems = ProblemList()
    for line in range(KEPT + 100):
        problems.add(problem(line))
    problems.save(tmp_path / "p.csv")
    assert len(problems) == KEPT + 100
    assert len(problems.first) == KEPT
    assert len((tmp_path / "p.csv").read_text(encoding="utf-8").splitlines()) == KEPT + 101
    problems.close()


def test_a_list_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    problems = ProblemList()
    problems.add(problem())
    with pytest.raises(Unavailable, match="cannot be written"):
        problems.save(tmp_path / "no such folder" / "p.csv")
    (tmp_path / "taken").mkdir()
    with pytest.raises(Unavailable):
        problems.save(tmp_path / "taken")
    problems.close()
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]
