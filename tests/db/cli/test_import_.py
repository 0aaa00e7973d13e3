"""The verb prints its counts, makes no file on a trial, and says trouble in the reader's language."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from db.cli.main import EXIT_TROUBLE, run_verb
from db.kernel.language import set_language
from tests.db.exchange.kit import real_file, row, write_mapping, write_rows


def run(*words: object) -> int:
    return run_verb("import", ["import", "cases", *map(str, words)], "db.cli.import_")


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'room.db'}"


def test_the_counts_are_printed_as_json_and_a_second_run_takes_nothing(
    tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = (real_file(), "--mapping", "nyc311", "--db", url, "--errors", tmp_path / "p.csv", "--json")
    assert run(*words) == 0
    assert json.loads(capsys.readouterr().out) == {"taken": 1000, "skipped": 0, "marked": 23, "already": 0}
    assert run(*words) == 0
    assert json.loads(capsys.readouterr().out) == {"taken": 0, "skipped": 0, "marked": 0, "already": 1000}
    assert len((tmp_path / "p.csv").read_text(encoding="utf-8-sig").splitlines()) == 25


def test_a_trial_writes_no_case_and_makes_no_database(
    tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path, mapping = write_rows(tmp_path, row()), write_mapping(tmp_path)
    words = (path, "--mapping", mapping, "--db", url)
    assert run(*words, "--dry-run") == 0
    assert "1 would be taken" in capsys.readouterr().out
    assert not (tmp_path / "room.db").exists()
    assert run(*words) == 0
    assert run(*words, "--dry-run") == 0
    assert "1 there already" in capsys.readouterr().out


def test_the_report_names_what_was_skipped_and_what_the_mapping_does_not_know(
    tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_rows(tmp_path, row(Kind="Ghosts"), row(No="2", Lon="abc"))
    assert run(path, "--mapping", write_mapping(tmp_path), "--db", url) == 0
    told = capsys.readouterr().out
    assert "Ghosts" in told
    assert "Line 3, column Lon: This is not a number." in told
    assert "town.csv.problems.csv" in told


def test_a_file_that_cannot_be_read_leaves_no_database_behind(
    tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty.csv").touch()
    code = run(tmp_path / "empty.csv", "--mapping", write_mapping(tmp_path), "--db", url)
    assert code == EXIT_TROUBLE
    assert "is empty" in capsys.readouterr().err
    assert not (tmp_path / "room.db").exists()


def test_an_import_that_fails_takes_the_database_with_it_that_it_had_made(
    tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path, mapping = write_rows(tmp_path, row(), row(No="2", Lon="")), write_mapping(tmp_path)
    nowhere = tmp_path / "none" / "p.csv"
    assert run(path, "--mapping", mapping, "--db", url, "--errors", nowhere) == EXIT_TROUBLE
    assert not list(tmp_path.glob("room.db*"))
    assert run(path, "--mapping", mapping, "--db", url) == 0
    assert run(path, "--mapping", mapping, "--db", url, "--errors", nowhere) == 0
    assert (tmp_path / "room.db").exists()
    assert "2 there already" in capsys.readouterr().out


@pytest.mark.parametrize("mapping", ["none.toml", "town.csv"])
def test_a_mapping_that_is_none_is_told(
    tmp_path: Path, url: str, mapping: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_rows(tmp_path, row())
    assert run(path, "--mapping", tmp_path / mapping, "--db", url) == EXIT_TROUBLE
    assert mapping in capsys.readouterr().err


def test_trouble_is_told_in_one_sentence_without_a_trace(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    set_language("zh_CN")
    (tmp_path / "room.db").write_bytes(b"this is not a database")
    path = write_rows(tmp_path, row())
    code = run(path, "--mapping", write_mapping(tmp_path), "--db", f"sqlite:///{tmp_path / 'room.db'}")
    assert code == EXIT_TROUBLE
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 1
    assert "room.db" in told
