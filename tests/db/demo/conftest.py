"""A tiny demo city, made once for all tests that only look at it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from db.bootstrap import Core, open_core
from db.demo.city import City, build_city
from db.demo.create import create_demo
from db.kernel.clock import SetClock

NOW = datetime(2026, 9, 18, 7, 0, tzinfo=UTC)
"""Friday afternoon, three o'clock in Tengzhou."""


@pytest.fixture(scope="session")
def city() -> City:
    return build_city(1, 200)


@pytest.fixture(scope="session")
def tiny_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("demo") / "tiny.db"
    create_demo(f"sqlite:///{file}", scale="tiny", seed=1, as_of=NOW, accounts=False)
    return file


@pytest.fixture
def tiny(tiny_file: Path) -> Iterator[Core]:
    core = open_core(f"sqlite:///{tiny_file}", clock=SetClock(NOW))
    yield core
    core.close()
