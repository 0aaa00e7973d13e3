"""Brings a database to the shape that this program knows, and refuses one from the future."""

from __future__ import annotations

import secrets
from pathlib import Path

from sqlalchemy import Connection, insert, inspect, select, text

from db.engine.connections import Database
from db.engine.tables import journal_head, replica, setting
from db.kernel.ids import random_station
from db.kernel.language import N_
from db.kernel.refusal import Refused, Unavailable

SCRIPTS = Path(__file__).parent / "migrations"
HEAD = "0009"
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


def known_version(database: Database) -> str | None:
    """The step at which a database stands, ``None`` when it is empty; refuses a foreign or newer one."""
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
    return version


def owns(database: Database) -> bool:
    """Whether this program may shape the tables: a file that it may write, on a server their owner."""
    if database.dialect == "sqlite":
        return not database.read_only
    with database.read() as connection:
        found = connection.execute(
            text(
                "SELECT pg_has_role(c.relowner, 'USAGE') FROM pg_class c"
                " WHERE c.oid = to_regclass('public.journal_head')"
            )
        ).scalar()
    # Without tables there is nobody to ask yet.
    return found is not False


def demand_same(database: Database) -> None:
    """Refuse a server that another version of the program has shaped: both sides must mean the same."""
    version = known_version(database)
    if version != HEAD:
        raise Refused(
            "older_server",
            N_(
                "The server {path} has step {theirs}, this program {ours}; an administrator has to update it."
            ),
            path=database.where,
            theirs=version,
            ours=HEAD,
        )


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
    version = known_version(database)
    if not database.read_only:
        _share(database)
    if version == HEAD:
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
            migrate(connection, HEAD)
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
    """Give the id maker of this process the station of its database, and tell a replica from others."""
    with database.read() as connection:
        row = connection.execute(select(setting.c.value).where(setting.c.key == "station")).first()
        # A server has the table for the sake of one chain of migrations, and never a row in it.
        if database.dialect == "sqlite":
            database.is_replica = connection.execute(select(replica.c.id)).first() is not None
    if row is None:
        raise Unavailable("no_station", N_("{path} is not complete; create it again."), path=database.where)
    database.use_station(int(row.value))


def migrate(connection: Connection, to: str, *, down: bool = False) -> None:
    """Walk up or down to a step (``base``: to no tables at all); the caller ends the transaction."""
    # Loaded only when there is a step to take: every other start would pay a tenth of a second for it.
    from alembic import command
    from alembic.config import Config

    config = Config()
    # Alembic reads "%" as the beginning of a placeholder.
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    walk = command.downgrade if down else command.upgrade
    walk(config, to)


def _share(database: Database) -> None:
    """Let readers go on while one writes (WAL); a file keeps that mode once it has it.

    Not done on opening: the file might be another program's.
    """
    if database.dialect == "sqlite":
        with database.troubles(), database.engine.connect() as connection:
            if connection.exec_driver_sql("PRAGMA journal_mode").scalar() != "wal":
                connection.exec_driver_sql("PRAGMA journal_mode = WAL")


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
