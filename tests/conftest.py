"""What every test may ask for, and what none may leave behind: warnings, threads, transactions."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

# Before anything reads them: the tests speak English, draw off screen, and never see the user's own files.
_HOME = tempfile.TemporaryDirectory(prefix="jw-home-")
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ["JINGWEI_LANG"] = "en"
for _name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"):
    _folder = Path(_HOME.name, _name.lower())
    _folder.mkdir(mode=0o700)
    os.environ[_name] = str(_folder)

import logging

import hypothesis
import pytest

from db.kernel.language import set_language
from tests.kit.databases import PostgresTemplate, SqliteTemplate, has_open_transaction
from tests.kit.postgres import PostgresServer
from tests.kit.stray import Eavesdropper, threads_left

# A machine under load is no fault of the code, and a gate must say the same thing twice.
hypothesis.settings.register_profile("gate", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("gate")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whoever asks for the server is marked as needing it."""
    for item in items:
        if "postgres" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.postgres)


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    """Each test begins in English; one that speaks Chinese leaves no trace."""
    set_language("en")
    yield
    set_language("en")


@pytest.fixture(autouse=True)
def no_stray_log(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail on a record of WARNING or above, unless ``@pytest.mark.expects_log("pattern", …)`` told so."""
    ear = Eavesdropper()
    root = logging.getLogger()
    root.addHandler(ear)
    yield
    root.removeHandler(ear)
    expected = tuple(pattern for mark in request.node.iter_markers("expects_log") for pattern in mark.args)
    complaints = ear.complaints(expected)
    assert not complaints, "\n".join(complaints)


@pytest.fixture(autouse=True)
def no_stray_thread() -> Iterator[None]:
    """Fail when a thread that the test started outlives it."""
    before = set(threading.enumerate())
    yield
    left = threads_left(before)
    assert not left, f"threads left running: {', '.join(left)}"


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """The server of this test process, started when the first test asks for it."""
    server = PostgresServer()
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def postgres_template(postgres: PostgresServer) -> PostgresTemplate:
    """Copies of a database with today's schema, on PostgreSQL."""
    return PostgresTemplate(postgres)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> SqliteTemplate:
    """Copies of a database with today's schema, on SQLite."""
    return SqliteTemplate(tmp_path_factory.mktemp("template"))


@pytest.fixture
def sqlite_url(sqlite_template: SqliteTemplate, tmp_path: Path) -> Iterator[str]:
    """A fresh SQLite database with today's schema and nothing in it."""
    file = tmp_path / "test.db"
    yield sqlite_template.copy_to(file)
    assert not has_open_transaction(file), "a transaction was left open"


@pytest.fixture
def postgres_url(postgres_template: PostgresTemplate) -> Iterator[str]:
    """A fresh PostgreSQL database with today's schema and nothing in it."""
    server = postgres_template.server
    name = postgres_template.copy()
    yield server.url(name)
    left = server.open_transactions(name)
    server.drop(name)
    assert not left, f"transactions left open after: {left}"


@pytest.fixture
def empty_postgres_url(postgres: PostgresServer) -> Iterator[str]:
    """A PostgreSQL database without a schema."""
    name = postgres.create()
    yield postgres.url(name)
    postgres.drop(name)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    """The test runs twice, each time with a fresh database: once on SQLite, once on PostgreSQL."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return url
