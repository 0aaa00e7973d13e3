"""``jingwei import geography`` as typed by an administrator."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from db.cli.main import EXIT_TROUBLE, run_verb


def take(*words: object) -> int:
    return run_verb("import", ["import", "geography", *map(str, words)], "db.cli.import_")


def give(*words: object) -> int:
    return run_verb("export", ["export", "geography", *map(str, words)], "db.cli.export")


def test_what_was_written_is_there_already(
    tmp_path: Path, town_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "cells.shp"
    assert (
        give(path, "--kind", "cell", "--datum", "EPSG:4527", "--encoding", "gbk", "--db", town_url, "--json")
        == 0
    )
    count = json.loads(capsys.readouterr().out)["features"]
    assert count > 180
    assert take(path, "--kind", "cell", "--db", town_url, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["rows"], report["same"], report["new"], report["skipped"]) == (count, count, 0, 0)


def test_a_check_tells_bad_rows_and_writes_nothing(
    tmp_path: Path, town_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "places.geojson"
    assert give(path, "--kind", "sensitive", "--db", town_url) == 0
    document = json.loads(path.read_text("utf-8"))
    document["features"][0]["properties"]["kind"] = "网吧"
    document["features"][1]["properties"]["visits"] = 7
    path.write_text(json.dumps(document), "utf-8")
    words = (path, "--kind", "sensitive", "--db", town_url, "--errors", tmp_path / "p.csv")
    capsys.readouterr()
    assert take(*words, "--check") == 0
    said = capsys.readouterr().out
    assert "Row 1, kind: This word is not known here; a mapping can say what it means. “网吧”" in said
    assert "1 changed" in said
    assert "Nothing was written." in said
    assert str(tmp_path / "p.csv") in said
    assert take(*words) == 0
    assert take(*words) == 0
    assert "changed" not in capsys.readouterr().out.split("features in")[-1]


def test_a_check_without_a_database_makes_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.geojson"
    path.write_text("{}")
    assert (
        take(path, "--kind", "cell", "--check", "--db", f"sqlite:///{tmp_path / 'none.db'}") == EXIT_TROUBLE
    )
    assert not (tmp_path / "none.db").exists()
    assert capsys.readouterr().err
