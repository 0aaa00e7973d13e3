"""Brings a database to the shape that this program knows, and refuses one from the future."""

from __future__ import annotations

import secrets
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, insert, inspect, select, text

from db.engine.connections import Database
from db.engine.tables import journal_head, setting
from db.kernel.ids import random_station
from db.kernel.language import N_
from db.kernel.refusal import Refused, Unavailable

_SCRIPTS = Path(__file__).parent / "migrations"
HEAD = "0004"
"""The newest step; a test holds it against the scripts, so that a start need not load them to know."""

_ONE_AT_A_TIME = 0x4A57
"""The key of the lock that lets only one program bring a server's database up to date."""


def version_of(connection: Connection) -> str | None:
    """The step at which a database stands; ``None`` when it has no tables at all.

    Raises ``Refused("not_a_database")`` when the tables there are not ours.
    """
    names = set(inspect(connection).get_table_names())
    if not names:
        return None
    version = None
    if {"alembic_version", "journal_head"} <= names:
        version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if version is None:
        url = connection.engine.url
        where = (
            url.database if url.get_backend_name() == "sqlite" else url.render_as_string(hide_password=True)
        )
        raise Refused("not_a_database", N_("{path} is not a Jingwei database."), path=where)
    return str(version)


def demand_known(database: Database) -> bool:
    """Whether the database has our tables already; refuses a foreign or newer one."""
    with database.read() as connection:
        version = version_of(connection)
    if version is not None and version > HEAD:
        raise Refused(
            "newer_database",
            N_(
                "{path} was written by a newer Jingwei (step {theirs}; this program knows {ours})."
                " Update the program."
            ),
            path=database.where,
            theirs=version,
            ours=HEAD,
        )
    return version is not None


def refuse_empty(database: Database) -> None:
    """Say that a database has no tables yet, where none may be made."""
    raise Refused(
        "empty_database",
        N_(
            "{path} is empty. “jingwei demo create” fills one with a demo city,"
            " “jingwei import” with your cases."
        ),
        path=database.where,
    )


def upgrade(database: Database) -> None:
    """Run the steps that are missing, in one transaction; safe to call on every start."""
    demand_known(database)
    with database.read() as connection:
        if version_of(connection) == HEAD:
            return
    if database.read_only:
        raise Unavailable(
            "read_only_and_older",
            N_(
                "{where} is read-only and was written by an older Jingwei;"
                " open it once where it can be written."
            ),
            where=database.where,
        )
    with database.troubles(), database.engine.connect() as connection:
        try:
            if database.dialect == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ONE_AT_A_TIME})")
            command.upgrade(config_of(connection), "head")
            _first_rows(connection)
            connection.commit()
        except BaseException:
            connection.rollback()
            raise


def is_untouched(database: Database) -> bool:
    """Whether nothing was ever written by a command."""
    with database.read() as connection:
        return connection.execute(select(journal_head.c.seq)).scalar() == 0


def load_station(database: Database) -> None:
    """Give the id maker of this process the station number of its database."""
    with database.read() as connection:
        row = connection.execute(select(setting.c.value).where(setting.c.key == "station")).first()
    if row is None:
        raise Unavailable("no_station", N_("{path} is not complete; create it again."), path=database.where)
    database.use_station(int(row.value))


def config_of(connection: Connection | None) -> Config:
    """Alembic's settings for our steps, on a connection whose transaction the caller ends."""
    config = Config()
    # Alembic reads "%" as the beginning of a placeholder.
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def scripts() -> ScriptDirectory:
    """The migration steps, in order."""
    return ScriptDirectory.from_config(config_of(None))


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
