"""``jingwei demo`` as typed by a person."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from db.cli.main import run_verb
from db.demo.create import create_demo


def demo(*words: str) -> int:
    return run_verb("demo", ["demo", *words], "db.cli.demo")


def test_traffic_prints_what_it_did(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = f"sqlite:///{tmp_path / 'tiny.db'}"
    create_demo(url, scale="tiny", accounts=False)
    assert demo("traffic", "--rate", "20", "--seconds", "0.5", "--db", url, "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["changes"] >= 8
    assert facts["refused"] == 0


def test_an_existing_file_is_refused_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.db"
    shutil.copyfile(__file__, file)
    assert demo("create", "--scale", "small", "--db", f"sqlite:///{file}") == 2
    assert "never overwrites" in capsys.readouterr().err


def test_a_moment_that_is_none_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = f"sqlite:///{tmp_path / 'x.db'}"
    assert demo("create", "--scale", "small", "--as-of", "yesterday", "--db", url) == 2
    assert "is not a moment" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
