"""Lets people in by the database itself: each account has a PostgreSQL login of its own name.

Roles of PostgreSQL belong to the whole server; only its administrator makes them, never the owner of the
tables. Every connection here is therefore one that works as the owner and may step back from that.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from psycopg import sql
from sqlalchemy import Connection, text

from db.kernel.language import N_
from db.kernel.refusal import Refused, refuse_all
from db.people.rules import password_faults
from db.server.setup import MEMBER, OWNER, group_of

RESERVED = frozenset({OWNER, MEMBER, "postgres", "public"})
KEEPER = "jw_keeper"
"""Who tends a server from another computer, by “jingwei server tend”."""
LONGEST = 63
"""Bytes of a name that PostgreSQL tells apart."""
IDLE = "60s"
"""How long a member may leave a transaction open and idle: the row of the journal's head is everybody's."""


def let_in(connection: Connection, login: str, password: str, roles: Iterable[str]) -> None:
    """Give an account its login, or a new password; the server is sent only the SCRAM verifier of it.

    Raises ``Refused``: a password that breaks the rules, a name that the server keeps for itself.
    """
    demand_free(login)
    refuse_all(password_faults(password))
    with _administrator(connection) as driver:
        name = sql.Identifier(login)
        _give_login(connection, driver, login, password)
        idle = "ALTER ROLE {} SET idle_in_transaction_session_timeout = {}"
        driver.execute(sql.SQL(idle).format(name, sql.Literal(IDLE)))
        driver.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(MEMBER), name))
    set_groups(connection, login, roles)


def let_keeper_in(connection: Connection, password: str) -> None:
    """Give the service that tends a server a login, or a new password. It owns the tables and no more."""
    with _administrator(connection) as driver:
        _give_login(connection, driver, KEEPER, password)
        driver.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(OWNER), sql.Identifier(KEEPER)))
        database = sql.Identifier(driver.info.dbname)
        driver.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, sql.Identifier(KEEPER)))


def set_groups(connection: Connection, login: str, roles: Iterable[str]) -> None:
    """Make a login a member of the groups of these roles, and of no other."""
    wanted = {group_of(role) for role in roles}
    groups = text(
        "SELECT g.rolname FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid"
        " JOIN pg_roles l ON l.oid = m.member WHERE l.rolname = :login AND g.rolname LIKE 'jw\\_%'"
    )
    standing = set(connection.execute(groups, {"login": login}).scalars()) - {MEMBER, OWNER}
    with _administrator(connection) as driver:
        for word, names in (("GRANT {} TO {}", wanted - standing), ("REVOKE {} FROM {}", standing - wanted)):
            for group in sorted(names):
                driver.execute(sql.SQL(word).format(sql.Identifier(group), sql.Identifier(login)))


def shut_out(connection: Connection, login: str) -> None:
    """Take the login away, and end what it has open; what its owner did stays."""
    with _administrator(connection) as driver:
        if has_login(connection, login):
            driver.execute(sql.SQL("ALTER ROLE {} NOLOGIN").format(sql.Identifier(login)))
        ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s"
        driver.execute(ended, [login])


def has_login(connection: Connection, login: str) -> bool:
    """Whether the server knows a name, be it allowed in or not."""
    known = text("SELECT 1 FROM pg_roles WHERE rolname = :login")
    return connection.execute(known, {"login": login}).first() is not None


def new_password() -> str:
    """A password that keeps the rules and can be read out: four groups without signs that look alike."""
    signs = "abcdefghkmnpqrstuvwxyz"
    groups = ["".join(secrets.choice(signs) for _ in range(4)) for _ in range(3)]
    number = "".join(secrets.choice("23456789") for _ in range(4))
    return "-".join([groups[0].capitalize(), *groups[1:], number])


def demand_free(login: str) -> None:
    """Refuse a name that the server keeps for itself, or cannot tell from others."""
    if login in RESERVED or login.startswith(("pg_", "jw_")) or len(login.encode()) > LONGEST or not login:
        raise Refused(
            "login_reserved",
            N_("A server cannot take the name {login}: it is kept for the server itself, or too long."),
            login=login,
        )


def _give_login(connection: Connection, driver: Any, login: str, password: str) -> None:
    verifier = driver.pgconn.encrypt_password(password.encode(), login.encode(), b"scram-sha-256").decode()
    word = "ALTER" if has_login(connection, login) else "CREATE"
    statement = sql.SQL(word + " ROLE {} LOGIN PASSWORD {}")
    driver.execute(statement.format(sql.Identifier(login), sql.Literal(verifier)))


@contextmanager
def _administrator(connection: Connection) -> Iterator[Any]:
    """The driver's connection as the login that opened it, not as the owner of the tables."""
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute("SET LOCAL ROLE NONE")
    try:
        yield driver
    finally:
        if driver.info.transaction_status.name == "INTRANS":
            driver.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(OWNER)))
