"""Lets people in by the database itself: each account has a PostgreSQL login of its own name."""

from __future__ import annotations

from collections.abc import Iterable

from psycopg import sql
from sqlalchemy import Connection, text

from db.kernel.language import N_
from db.kernel.refusal import Refused
from db.people.rules import password_faults
from db.server.setup import MEMBER, OWNER, group_of

RESERVED = frozenset({OWNER, MEMBER, "postgres", "public"})


def let_in(connection: Connection, login: str, password: str, roles: Iterable[str]) -> None:
    """Give an account its login, or a new password; the server is sent only the SCRAM verifier of it.

    Raises ``Refused``: a password that breaks the rules, a name that the server keeps for itself.
    """
    if login in RESERVED or login.startswith(("pg_", "jw_")):
        raise Refused("login_reserved", N_("The name {login} is kept for the server itself."), login=login)
    for fault in password_faults(password):
        raise fault
    driver = connection.connection.driver_connection
    # Roles are made by the administrator, not by the owner of the tables.
    driver.execute("SET LOCAL ROLE NONE")
    verifier = driver.pgconn.encrypt_password(password.encode(), login.encode(), b"scram-sha-256").decode()
    known = connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :name"), {"name": login}).first()
    word = "ALTER" if known else "CREATE"
    make = sql.SQL(word + " ROLE {} LOGIN PASSWORD {}")
    driver.execute(make.format(sql.Identifier(login), sql.Literal(verifier)))
    for group in (MEMBER, *(group_of(role) for role in roles)):
        driver.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(group), sql.Identifier(login)))


def shut_out(connection: Connection, login: str) -> None:
    """Take the login away; what its owner did stays."""
    driver = connection.connection.driver_connection
    driver.execute("SET LOCAL ROLE NONE")
    driver.execute(sql.SQL("ALTER ROLE {} NOLOGIN").format(sql.Identifier(login)))
    ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = :name"
    connection.execute(text(ended), {"name": login})
