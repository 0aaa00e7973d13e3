"""A tiny town of its own for each test that types a verb about the map."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from db.demo.create import create_demo


@pytest.fixture(scope="session")
def tiny_town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("town") / "tiny.db"
    create_demo(f"sqlite:///{file}", scale="tiny", accounts=False)
    return file


@pytest.fixture
def town_url(tiny_town: Path, tmp_path: Path) -> str:
    return f"sqlite:///{shutil.copyfile(tiny_town, tmp_path / 'own.db')}"
