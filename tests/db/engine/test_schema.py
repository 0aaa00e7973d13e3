"""Tables and migrations say the same; a database is brought up to date once, one from the future refused."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

import db.bootstrap  # noqa: F401  every table is known then
from db.engine import schema
from db.engine.connections import Database, open_database
from db.engine.journal import verify
from db.engine.tables import metadata
from db.kernel.refusal import Refused, Unavailable
from db.registers.tables import place
from tests.db.engine.kit import entries, rows_of, write

HOME = {"id": 1, "kind": "school", "name": "实验小学", "lon": 117.1, "lat": 35.1}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database without a table, on both engines."""
    if request.param == "sqlite":
        database = open_database(f"sqlite:///{tmp_path / 'empty.db'}", create=True)
    else:
        database = open_database(request.getfixturevalue("empty_postgres_url"))
    yield database
    database.close()


SCRIPTS = ScriptDirectory(str(schema.SCRIPTS))


def walk(database: Database, to: str, *, down: bool = False) -> None:
    with database.engine.connect() as connection:
        if database.dialect == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        schema.migrate(connection, to, down=down)
        connection.commit()


def tables(database: Database) -> set[str]:
    with database.read() as connection:
        return set(inspect(connection).get_table_names())


def is_derived(table: str | None) -> bool:
    """Whether a table is the search index: made of the others, by each database in its own way."""
    return (table or "").startswith("case_words")


def test_the_tables_equal_the_migrations(empty: Database) -> None:
    schema.upgrade(empty)
    with empty.read() as connection:
        # On SQLite Alembic takes the default '' for another than ''.
        options = {
            "compare_type": True,
            "compare_server_default": empty.dialect != "sqlite",
            "include_name": lambda name, kind, _parents: kind != "table" or not is_derived(name),
        }
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []
    kept = {name for name in tables(empty) if not is_derived(name)}
    assert kept == set(metadata.tables) | {"alembic_version"}


def test_the_newest_step_is_the_one_that_the_program_names() -> None:
    assert SCRIPTS.get_current_head() == schema.HEAD
    assert len(SCRIPTS.get_heads()) == 1


def test_an_upgrade_may_be_repeated(empty: Database) -> None:
    schema.upgrade(empty)
    with empty.read() as connection:
        settings = connection.execute(text("SELECT count(*) FROM setting")).scalar()
    for _ in range(2):
        schema.upgrade(empty)
    with empty.read() as connection:
        assert schema.version_of(connection) == schema.HEAD
        assert connection.execute(text("SELECT count(*) FROM journal_head")).scalar() == 1
        assert connection.execute(text("SELECT count(*) FROM setting")).scalar() == settings


def test_programs_that_upgrade_at_once_do_it_once(empty: Database) -> None:
    failed: list[BaseException] = []

    def upgrade() -> None:
        try:
            schema.upgrade(empty)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=upgrade) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    with empty.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM journal_head")).scalar() == 1


def test_an_upgrade_that_fails_leaves_no_table(empty: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_connection: Any) -> None:
        raise RuntimeError("no rows")

    monkeypatch.setattr(schema, "_first_rows", fails)
    with pytest.raises(RuntimeError, match="no rows"):
        schema.upgrade(empty)
    assert tables(empty) == set()


def test_the_steps_can_be_walked_down_and_up_again(empty: Database) -> None:
    steps = [step.revision for step in SCRIPTS.walk_revisions()][::-1]
    schema.upgrade(empty)
    for step in (*steps[-2::-1], "base"):
        walk(empty, step, down=True)
    assert tables(empty) == {"alembic_version"}
    for step in steps:
        walk(empty, step)
    kept = {name for name in tables(empty) if not is_derived(name)}
    assert kept == set(metadata.tables) | {"alembic_version"}


def test_rows_and_chain_survive_the_steps_since_the_first(empty: Database) -> None:
    schema.upgrade(empty)
    schema.load_station(empty)
    write(empty, lambda u: u.insert(place, [HOME]))
    walk(empty, "0001", down=True)
    schema.upgrade(empty)
    write(empty, lambda u: u.update(place, {1: {"name": "新校"}}))
    assert rows_of(empty, place)[1]["name"] == "新校"
    assert len(entries(empty)) == 2
    with empty.read() as connection:
        assert verify(connection).whole


def test_a_newer_database_is_refused_with_both_steps(empty: Database) -> None:
    schema.upgrade(empty)
    with empty.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0099'"))
    with pytest.raises(Refused) as caught:
        schema.upgrade(empty)
    assert caught.value.code == "newer_database"
    assert "step 0099; this program knows " + schema.HEAD in caught.value.text()
    assert "geheim" not in caught.value.text()


@pytest.mark.parametrize("with_steps", [False, True])
def test_the_database_of_another_program_is_refused_and_left_alone(empty: Database, with_steps: bool) -> None:
    with empty.engine.begin() as connection:
        connection.execute(text("CREATE TABLE theirs (x integer)"))
        if with_steps:
            connection.execute(text("CREATE TABLE alembic_version (version_num varchar(32))"))
            connection.execute(text("INSERT INTO alembic_version VALUES ('0001')"))
    before = tables(empty)
    with pytest.raises(Refused) as caught:
        schema.upgrade(empty)
    assert caught.value.code == "not_a_database"
    assert tables(empty) == before


def test_an_empty_database_is_not_known_and_says_how_to_fill_it(empty: Database) -> None:
    assert schema.known_version(empty) is None
    with pytest.raises(Refused) as caught:
        schema.refuse_empty(empty)
    assert "jingwei demo create" in caught.value.text()


def test_a_database_without_its_station_is_not_complete(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.execute(text("DELETE FROM setting WHERE key = 'station'"))
    with pytest.raises(Unavailable) as caught:
        schema.load_station(database)
    assert caught.value.code == "no_station"


def test_a_database_is_untouched_until_the_first_command(database: Database) -> None:
    assert schema.is_untouched(database)
    write(database, lambda u: u.insert(place, [HOME]))
    assert not schema.is_untouched(database)


def test_readers_and_a_writer_share_a_file_from_its_upgrade_on(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'new.db'}", create=True)
    modes = []
    for _ in range(2):
        with database.read() as connection:
            modes.append(connection.exec_driver_sql("PRAGMA journal_mode").scalar())
        schema.upgrade(database)
    database.close()
    assert modes == ["delete", "wal"]
