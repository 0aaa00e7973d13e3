"""Map data, the grid and the tracks as an administrator types them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from db.cli.main import EXIT_TROUBLE, run_verb
from db.demo.create import create_demo


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("geography") / "tiny.db"
    create_demo(f"sqlite:///{file}", scale="tiny", accounts=False)
    return file


@pytest.fixture
def url(town: Path, tmp_path: Path) -> str:
    return f"sqlite:///{shutil.copyfile(town, tmp_path / 'own.db')}"


def take(*words: object) -> int:
    return run_verb("import", ["import", "geography", *map(str, words)], "db.cli.import_")


def give(*words: object) -> int:
    return run_verb("export", ["export", "geography", *map(str, words)], "db.cli.export")


def test_what_was_written_is_there_already(
    tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "cells.shp"
    assert (
        give(path, "--kind", "cell", "--datum", "EPSG:4527", "--encoding", "gbk", "--db", url, "--json") == 0
    )
    count = json.loads(capsys.readouterr().out)["features"]
    assert count > 180
    assert take(path, "--kind", "cell", "--db", url, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["rows"], report["same"], report["new"], report["skipped"]) == (count, count, 0, 0)


def test_a_check_tells_bad_rows_and_writes_nothing(
    tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "places.geojson"
    assert give(path, "--kind", "sensitive", "--db", url) == 0
    document = json.loads(path.read_text("utf-8"))
    document["features"][0]["properties"]["kind"] = "网吧"
    document["features"][1]["properties"]["visits"] = 7
    path.write_text(json.dumps(document), "utf-8")
    words = (path, "--kind", "sensitive", "--db", url, "--errors", tmp_path / "p.csv")
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


def test_a_shapefile_in_a_shifted_frame_says_that_it_must_be_told(
    tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "roads.shp"
    assert give(path, "--kind", "road", "--datum", "gcj-02", "--db", url) == 0
    assert "A .prj cannot name gcj-02" in capsys.readouterr().out
    assert take(path, "--kind", "road", "--db", url) == EXIT_TROUBLE
    assert "say in which frame" in capsys.readouterr().err
    assert take(path, "--kind", "road", "--datum", "gcj-02", "--db", url) == 0


def test_the_grid_of_the_demo_is_sound_but_for_slivers(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["grid", "check", "--db", url]
    assert run_verb("grid", words, "db.cli.grid") == 0
    said = capsys.readouterr().out
    assert said.startswith("District: 21 areas")
    assert "Cell: " in said
    assert run_verb("grid", [*words, "--kind", "cell", "--json"], "db.cli.grid") == 0
    (report,) = json.loads(capsys.readouterr().out)
    assert (report["kind"], report["gaps"], report["overlaps"], report["crossings"]) == ("cell", [], [], [])


def test_tracks_are_cleaned_and_counted(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_verb("tracks", ["tracks", "clean", "--db", url, "--json"], "db.cli.tracks") == 0
    assert json.loads(capsys.readouterr().out) == {"erased": 0, "kept_days": 30}
    assert run_verb("tracks", ["tracks", "clean", "--db", url], "db.cli.tracks") == 0
    assert "tracks are kept for 30 days" in capsys.readouterr().out
