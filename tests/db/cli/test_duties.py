"""``jingwei duties``: the proof as words, as JSON and as exit code; the matrix as a file and back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from db.bootstrap import open_core
from db.cli.main import run_verb
from db.duties.queries import duties
from tests.db.duties.village import EAST, ROADS, SQUAD_EAST, WEST, an, open_village, settle


@pytest.fixture
def url(sqlite_url: str) -> str:
    core = open_village(sqlite_url)
    settle(core, an(ROADS, WEST), an(SQUAD_EAST, EAST, "09", "matter", row_id=8))
    core.close()
    return sqlite_url


def duties_verb(*words: str) -> int:
    return run_verb("duties", ["duties", *words], "db.cli.duties")


def test_a_hole_is_told_and_makes_the_exit_code_one(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert duties_verb("check", "--on", "2026-03-16", "--db", url) == 1
    out = capsys.readouterr().out
    assert out.startswith("2026-03-16: 8 cells × 403 classes = 3,224; ")
    assert "  district20, components: nobody\n" in out
    assert "0 overlaps\n" in out


def test_as_json_it_says_the_same(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    duties_verb("check", "--on", "2026-03-16", "--json", "--db", url)
    facts = json.loads(capsys.readouterr().out)
    assert facts["covered"] == facts["pairs"] - 4 * (403 - 21)
    assert facts["percent"] == pytest.approx(100 * facts["covered"] / facts["pairs"])
    assert {"area_id": EAST, "why": "nobody"}.items() <= facts["holes"][0].items()
    assert facts["holderless"] == []


def test_when_everything_has_a_keeper_the_exit_code_is_zero(
    sqlite_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    core = open_village(sqlite_url)
    settle(core, an(ROADS))
    core.close()
    assert duties_verb("check", "--db", sqlite_url) == 0
    assert "100.000 %" in capsys.readouterr().out


def test_the_matrix_goes_out_is_edited_and_comes_back(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "matrix.csv"
    assert duties_verb("export", str(file), "--on", "2026-03-16", "--db", url) == 0
    text = file.read_text(encoding="utf-8-sig").replace("U2", "U3").replace("2024-01-01", "2026/4/1")
    file.write_text(text, encoding="utf-8-sig")
    assert duties_verb("import", str(file), "--db", url) == 0
    assert "2 rows read, 2 rows of the matrix changed" in capsys.readouterr().out
    core = open_core(url)
    with core.database.read() as connection:
        east = [(each.unit_id, each.valid_from.isoformat()) for each in duties(connection) if each.prefix]
    core.close()
    assert east == [(SQUAD_EAST, "2024-01-01"), (ROADS, "2026-04-01")]


def test_bad_rows_are_all_told_and_nothing_is_written(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "matrix.csv"
    head = "kind,class,area_kind,area,unit,person,valid_from,valid_to"
    file.write_text(f"{head}\n,,city,0001,U3,,2026-04-01,\n,,city,0001,U9,,2026-04-01,\n,,town,,U3,,,\n")
    assert duties_verb("import", str(file), "--db", url) == 2
    told = capsys.readouterr().err.splitlines()
    assert told == ["Line 3: there is no unit “U9”.", "Line 4: there is no area_kind “town”."]
    assert duties_verb("list", "--on", "2026-05-01", "--db", url) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


@pytest.mark.parametrize("words", [("check", "--on", "soon"), ("import", "/no/such/file.csv")])
def test_trouble_is_one_sentence(
    url: str, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert duties_verb(*words, "--db", url) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
