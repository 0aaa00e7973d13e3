"""``jingwei advice evaluate``: the table and the JSON tell the same counts."""

from __future__ import annotations

import json

import pytest

from db.cli.main import run_verb
from tests.db.advice.history import write_cases
from tests.db.duties.village import EAST, SQUAD_EAST, SQUAD_WEST, WEST, an, open_village, settle


@pytest.fixture
def url(sqlite_url: str) -> str:
    core = open_village(sqlite_url)
    settle(core, an(SQUAD_WEST, WEST), an(SQUAD_EAST, EAST))
    write_cases(core, 200, 102, SQUAD_WEST, days_ago=100)
    write_cases(core, 50, 102, SQUAD_WEST, days_ago=10)
    core.close()
    return sqlite_url


def evaluate(*words: str) -> int:
    return run_verb("advice", ["advice", "evaluate", *words], "db.cli.advice")


def test_the_table_has_a_row_for_each_threshold(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate("--months", "1", "--db", url) == 0
    out = capsys.readouterr().out
    assert "Learned from 200 closed cases" in out
    assert "asked about 50 after" in out
    (row,) = [line.split() for line in out.splitlines() if line.split()[:1] == ["0.97"]]
    assert row == ["0.97", "50", "100.00%", "100.000%"]


def test_the_json_has_precision_and_coverage(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate("--months", "1", "--json", "--db", url) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["learned"], facts["asked"]) == (200, 50)
    assert {row["threshold"]: (row["precision"], row["coverage"]) for row in facts["by_threshold"]}[0.97] == (
        1.0,
        1.0,
    )


def test_months_that_make_no_sense_are_refused(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate("--months", "0", "--db", url) == 2
    assert "1 to 120 months" in capsys.readouterr().err
