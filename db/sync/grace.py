"""Signing in without a line: for some days, who was let in by the server may come in by this file alone."""

from __future__ import annotations

from datetime import timedelta

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert

from db.engine import settings
from db.engine.connections import Database
from db.engine.tables import grace
from db.kernel.actor import Actor
from db.kernel.clock import from_ms, to_ms
from db.kernel.language import N_
from db.kernel.refusal import Refused
from db.people.commands import actor_of

DAYS = "sync.grace_days"
"""The setting with the days for which it holds."""
DEFAULT_DAYS = 7
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


def remember(local: Database, login: str, password: str) -> None:
    """Note that the server has let somebody in just now. The password is kept as an Argon2 hash only."""
    row = {"login": login, "password_hash": _hasher.hash(password), "at": local.clock.now()}
    again = {name: row[name] for name in ("password_hash", "at")}
    with local.write_many() as writing:
        writing.connection.execute(
            insert(grace).values(row).on_conflict_do_update(index_elements=["login"], set_=again)
        )


def admit(local: Database, login: str, password: str) -> Actor | None:
    """The person, by what this computer remembers; ``None`` for a name that was never signed in here.

    Raises ``Refused``: ``wrong_password``, or ``grace_over`` when it is too long ago, or in the future: a
    clock that was put back buys no days.
    """
    with local.read() as connection:
        row = connection.execute(select(grace).where(grace.c.login == login)).first()
        days = int(settings.get(connection, DAYS, DEFAULT_DAYS))
    if row is None:
        return None
    try:
        _hasher.verify(row.password_hash, password)
    except VerificationError:
        raise Refused("wrong_password", N_("Name or password is not right.")) from None
    age = from_ms(to_ms(local.clock.now())) - row.at
    if not timedelta(minutes=-5) <= age <= timedelta(days=days):
        raise Refused(
            "grace_over",
            # zh: 离线登录期限为 {days} 天，已超过；请连接服务器后登录。
            N_("Without the server you may sign in for {days} days after the last time; that is over."),
            days=days,
        )
    return actor_of(local, login)
