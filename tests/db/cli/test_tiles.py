"""``jingwei tiles`` as typed by an administrator."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from db.cli.main import EXIT_TROUBLE, run_verb
from db.demo.create import create_demo
from tests.db.tiles.drawn import mbtiles, pmtiles, png

TOWN = (117.0, 35.0, 117.3, 35.2)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('tiles') / 'tiny.db'}"
    create_demo(url, scale="tiny", accounts=False)
    return url


def run(*words: str) -> int:
    return run_verb("tiles", ["tiles", *words], "db.cli.tiles")


def test_info_tells_what_a_file_holds_and_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = mbtiles(tmp_path / "a.mbtiles", {(0, 0, 0): png((1, 2, 3))}, {"name": "town", "format": "jpg"})
    assert run("info", str(path)) == 0
    said = capsys.readouterr().out
    for words in (
        "MBTiles, png 256 × 256",
        "Zooms: 0–0",
        "Tiles: 1",
        "usually GCJ-02",
        "calls its tiles jpg",
    ):
        assert words in said
    assert run("info", str(path), "--json") == 0
    assert json.loads(capsys.readouterr().out)["format"] == "png"


def test_a_file_is_added_listed_raised_and_removed(
    tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = pmtiles(tmp_path / "a.pmtiles", {(0, 0, 0): png((1, 2, 3))}, TOWN, {"name": "town"})
    assert run("add", str(path), "--datum", "gcj02", "--db", url) == 0
    assert (
        run(
            "add",
            "--url",
            "https://t.example/{z}/{x}/{y}",
            "--name",
            "天地图",
            "--datum",
            "cgcs2000",
            "--db",
            url,
        )
        == 0
    )
    assert run("raise", "town", "--db", url) == 0
    capsys.readouterr()
    assert run("list", "--db", url, "--json") == 0
    sets = json.loads(capsys.readouterr().out)
    assert [(each["name"], each["datum"]) for each in sets] == [("天地图", "cgcs2000"), ("town", "gcj02")]
    for name in ("town", "天地图"):
        assert run("remove", name, "--db", url) == 0
    assert "No tiles" in capsys.readouterr().out


def test_a_datum_is_never_guessed_and_vector_tiles_are_not_taken(
    tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    raster = pmtiles(tmp_path / "a.pmtiles", {(0, 0, 0): png((1, 2, 3))}, TOWN)
    vector = pmtiles(tmp_path / "v.pmtiles", {(0, 0, 0): b"\x1a\x02"}, TOWN, kind=1)
    assert run("add", str(raster), "--db", url) == EXIT_TROUBLE
    assert "--datum" in capsys.readouterr().err
    assert run("add", str(vector), "--datum", "wgs84", "--db", url) == EXIT_TROUBLE
    assert "PNG, JPEG and WebP" in capsys.readouterr().err
    assert run("add", "--db", url) == EXIT_TROUBLE
    assert "Name a file" in capsys.readouterr().err
