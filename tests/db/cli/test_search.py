"""``jingwei search`` as typed by a person: it finds what plain SQL finds, and makes a missing index."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from db.cli.main import EXIT_TROUBLE, run_verb
from db.demo.create import create_demo
from db.kernel.language import set_language

LIKE = """
    SELECT count(*) FROM cases
    JOIN category ON category.id = cases.category_id
    LEFT JOIN unit ON unit.id = cases.unit_id
    LEFT JOIN area AS district ON district.id = cases.district_id
    LEFT JOIN area AS community ON community.id = cases.community_id
    WHERE cases.address LIKE :w OR cases.description LIKE :w OR category.name LIKE :w OR unit.name LIKE :w
        OR district.name LIKE :w OR community.name LIKE :w
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("search") / "tiny.db"
    create_demo(f"sqlite:///{file}", scale="tiny", accounts=False)
    return file


def run(file: Path, *words: str) -> int:
    return run_verb("search", ["search", *words, "--db", f"sqlite:///{file}"], "db.cli.search")


@pytest.mark.parametrize("word", ["井盖", "路", "垃圾", "荆河", "路面破损", "街道"])
def test_it_finds_what_like_finds(file: Path, word: str, capsys: pytest.CaptureFixture[str]) -> None:
    run(file, word, "--limit", "100000", "--json")
    told = json.loads(capsys.readouterr().out)
    with closing(sqlite3.connect(file)) as connection:
        counted = connection.execute(LIKE, {"w": f"%{word}%"}).fetchone()[0]
    assert len(told["hits"]) == told["count"] == counted
    assert not told["more"]


def test_a_line_shows_number_day_class_place_and_state(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    set_language("zh_CN")
    assert run(file, "井盖", "--limit", "1") == 0
    line, total = capsys.readouterr().out.splitlines()
    number, day, category, _place, _state = line.split("  ")
    assert number.startswith(day.replace("-", ""))
    assert "井盖" in line
    assert category
    assert total


def test_options_narrow_and_a_name_that_nobody_bears_is_refused(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(file, "--state", "closed", "--since", "2020-01-01", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert {hit["state"] for hit in told["hits"]} == {"closed"}
    assert run(file, "--until", "2020-01-01") == 1
    assert "0 cases" in capsys.readouterr().out
    assert run(file, "--unit", "no such unit") == EXIT_TROUBLE
    assert "no such unit" in capsys.readouterr().err


def test_a_missing_index_is_made_first_and_a_rebuild_can_be_asked_for(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("DELETE FROM setting WHERE key = 'search.edition'")
        connection.commit()
    assert run(file, "井盖") == 0
    assert "made anew" in capsys.readouterr().err
    assert run(file, "--rebuild") == 0
    told = capsys.readouterr()
    assert "made anew" in told.err
    assert told.out == ""


def test_a_day_that_is_none_is_refused(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run(file, "--since", "yesterday")
    assert "is no day" in capsys.readouterr().err
