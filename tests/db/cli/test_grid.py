"""``jingwei grid check`` as typed by an administrator."""

from __future__ import annotations

import json

import pytest

from db.cli.main import run_verb


def test_the_grid_of_the_demo_is_sound_but_for_slivers(
    town_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["grid", "check", "--db", town_url]
    assert run_verb("grid", words, "db.cli.grid") == 0
    said = capsys.readouterr().out
    assert said.startswith("District: 21 areas")
    assert "Cell: " in said
    assert run_verb("grid", [*words, "--kind", "cell", "--json"], "db.cli.grid") == 0
    (report,) = json.loads(capsys.readouterr().out)
    assert (report["kind"], report["gaps"], report["overlaps"], report["crossings"]) == ("cell", [], [], [])
