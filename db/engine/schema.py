"""Brings a database to the shape that this program knows, and refuses one from the future."""

from __future__ import annotations

import secrets
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, insert, inspect, select, text

from db.engine.connections import Database, begin_write, translated
from db.engine.tables import journal_head, setting
from db.kernel.ids import random_station
from db.kernel.language import N_
from db.kernel.refusal import Refused, Unavailable

_SCRIPTS = Path(__file__).parent / "migrations"
HEAD = "0001"
"""The newest step; a test holds it against the scripts, so that a start need not load Alembic to know."""


def version_of(connection: Connection) -> str | None:
    """The step at which a database stands; ``None`` when it has no tables of ours."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def demand_known(database: Database) -> bool:
    """Whether the database has our tables already; refuses a foreign or newer one."""
    with database.read() as connection:
        version = version_of(connection)
        if version is None:
            if inspect(connection).get_table_names():
                raise Refused("not_a_database", N_("{path} is not a Jingwei database."), path=database.url)
            return False
    if version > HEAD:
        raise Refused(
            "newer_database",
            N_(
                "{path} was written by a newer Jingwei (step {theirs}; this program knows {ours}). Update the program."
            ),
            path=database.url,
            theirs=version,
            ours=HEAD,
        )
    return True


def refuse_empty(database: Database) -> None:
    """Say that a database has no tables yet, where none may be made."""
    raise Refused(
        "empty_database",
        N_(
            "{path} is empty. “jingwei demo create” fills one with a demo city, “jingwei import” with your cases."
        ),
        path=database.url,
    )


def upgrade(database: Database) -> None:
    """Run the steps that are missing, in one transaction; safe to call on every start."""
    if demand_known(database):
        with database.read() as connection:
            if version_of(connection) == HEAD:
                return
    with translated(database.url), database.engine.connect() as connection:
        try:
            begin_write(connection, database.dialect, locking_head=False)
            command.upgrade(_config(connection), "head")
            _first_rows(connection)
            connection.commit()
        except BaseException:
            connection.rollback()
            raise


def load_station(database: Database) -> None:
    """Give the id maker of this process the station number of its database."""
    with database.read() as connection:
        row = connection.execute(select(setting.c.value).where(setting.c.key == "station")).first()
    if row is None:
        raise Unavailable("no_station", N_("{path} is not complete; create it again."), path=database.url)
    database.use_station(int(row.value))


def scripts() -> ScriptDirectory:
    """The migration steps, for the tests."""
    return ScriptDirectory.from_config(_config(None))


def context_of(connection: Connection) -> MigrationContext:
    """Alembic's view of a database, for comparing tables with migrations."""
    return MigrationContext.configure(connection)


def _config(connection: Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.attributes["connection"] = connection
    return config


def _first_rows(connection: Connection) -> None:
    if connection.execute(select(journal_head.c.id)).first() is None:
        connection.execute(insert(journal_head).values(id=1, seq=0, hash=bytes(32)))
        connection.execute(
            insert(setting),
            [
                {"key": "station", "value": random_station(), "secret": False},
                {"key": "journal.key", "value": secrets.token_hex(32), "secret": True},
            ],
        )
