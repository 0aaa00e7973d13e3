"""Data files are found in a checkout and in an installed package."""

from __future__ import annotations

from pathlib import Path

import pytest

from db.kernel import resources
from db.kernel.resources import resource


def test_the_reference_data_are_found() -> None:
    assert resource("reference", "transitions.csv").is_file()


def test_an_installed_package_looks_beside_its_modules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path / "db")
    assert resource("map") == tmp_path / "resources" / "map"
    (tmp_path / "db" / "resources").mkdir(parents=True)
    assert resource("map") == tmp_path / "db" / "resources" / "map"
