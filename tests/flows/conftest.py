"""A bureau with reference data in it, made once and copied for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flows.bureau import Bureau, copy_of, fill
from tests.kit.databases import SqliteTemplate


@pytest.fixture(scope="session")
def bureau_file(sqlite_template: SqliteTemplate, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A filled database, to be copied."""
    file = tmp_path_factory.mktemp("bureau") / "bureau.db"
    fill(sqlite_template.copy_to(file)).close()
    return file


@pytest.fixture
def bureau(bureau_file: Path, tmp_path: Path) -> Iterator[Bureau]:
    """On SQLite, Monday at ten."""
    bureau = copy_of(bureau_file, tmp_path / "bureau.db")
    yield bureau
    bureau.core.close()
