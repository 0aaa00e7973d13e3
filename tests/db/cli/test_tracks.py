"""``jingwei tracks clean`` as typed by an administrator."""

from __future__ import annotations

import json

import pytest

from db.cli.main import run_verb


def test_tracks_are_cleaned_and_counted(town_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_verb("tracks", ["tracks", "clean", "--db", town_url, "--json"], "db.cli.tracks") == 0
    assert json.loads(capsys.readouterr().out) == {"erased": 0, "kept_days": 30}
    assert run_verb("tracks", ["tracks", "clean", "--db", town_url], "db.cli.tracks") == 0
    assert "tracks are kept for 30 days" in capsys.readouterr().out
