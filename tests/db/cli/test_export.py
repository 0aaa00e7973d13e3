"""``jingwei export geography`` as typed by an administrator."""

from __future__ import annotations

from pathlib import Path

import pytest

from db.cli.main import EXIT_TROUBLE, run_verb


def take(*words: object) -> int:
    return run_verb("import", ["import", "geography", *map(str, words)], "db.cli.import_")


def give(*words: object) -> int:
    return run_verb("export", ["export", "geography", *map(str, words)], "db.cli.export")


def test_a_shapefile_in_a_shifted_frame_says_that_it_must_be_told(
    tmp_path: Path, town_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "roads.shp"
    assert give(path, "--kind", "road", "--datum", "gcj-02", "--db", town_url) == 0
    assert "A .prj cannot name gcj-02" in capsys.readouterr().out
    assert take(path, "--kind", "road", "--db", town_url) == EXIT_TROUBLE
    assert "say in which frame" in capsys.readouterr().err
    assert take(path, "--kind", "road", "--datum", "gcj-02", "--db", town_url) == 0
