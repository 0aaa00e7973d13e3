"""Signing in without a line: for some days, who was let in by the server may come in by this file alone."""

from __future__ import annotations

from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.dialects.sqlite import insert

from db.engine import settings
from db.engine.columns import canonical
from db.engine.connections import Database
from db.engine.tables import grace, replica
from db.kernel.actor import Actor, Scope
from db.kernel.language import N_
from db.kernel.refusal import Refused
from db.people.commands import actor_of
from db.people.rules import LOCK_OUT, MAX_FAILURES

DAYS = "sync.grace_days"
"""The setting with the days for which it holds."""
DEFAULT_DAYS = 7
SCOPE = "replica.scope"
"""The setting of a station's file with the reading scope that it was filled under."""
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
"""As in ``db.people.commands``: Argon2id with OWASP's least parameters."""


def remember(local: Database, login: str, password: str) -> None:
    """Note that the server has let somebody in just now. The password is kept as an Argon2 hash only."""
    row = {
        "login": login,
        "password_hash": _hasher.hash(password),
        "at": local.clock.now(),
        "failures": 0,
        "locked_until": None,
    }
    with local.write_many() as writing:
        writing.connection.execute(
            insert(grace).values(row).on_conflict_do_update(index_elements=["login"], set_=row)
        )


def demand_scope(local: Database, scope: Scope) -> None:
    """Keep a file to one reading scope: the first that comes gives it, and others are told to have their own.

    Raises ``Refused("other_scope")``.
    """
    mine = canonical([sorted(scope.areas), sorted(scope.units), list(scope.prefixes)])
    with local.read() as connection:
        known = settings.get(connection, SCOPE)
    if known is None:
        with local.write_many() as writing:
            settings.put(writing, SCOPE, mine)
    elif known != mine:
        raise Refused(
            "other_scope",
            # zh: 您的管辖范围已变更，请重新登录。
            N_("What you may see has changed; sign in again."),
        )


def forget(local: Database, login: str) -> None:
    """The server lets this person in no more with what was remembered: neither does this file."""
    with local.write_many() as writing:
        writing.connection.execute(delete(grace).where(grace.c.login == login))


def admit(local: Database, login: str, password: str) -> Actor | None:
    """The person, by what this computer remembers; ``None`` for a name that was never signed in here.

    Raises ``Refused``: ``wrong_password``; ``locked_out`` after five in a row, for 15 minutes, as the server
    would (DOMAIN 6.6); ``grace_over`` when it is too long ago; ``clock_back`` when the clock was put back,
    which buys no days; ``no_such_account`` for one that was closed meanwhile.
    """
    now = local.clock.now()
    with local.read() as connection:
        row = connection.execute(select(grace).where(grace.c.login == login)).first()
        days = int(settings.get(connection, DAYS, DEFAULT_DAYS))
        known = _latest(connection)
    if row is None:
        return None
    if row.locked_until is not None and now < row.locked_until:
        raise Refused(
            "locked_out",
            N_("Too many wrong passwords. This account opens again in {minutes} min."),
            minutes=int((row.locked_until - now).total_seconds() // 60) + 1,
        )
    if known is not None and now < known - timedelta(minutes=5):
        raise Refused(
            "clock_back",
            # zh: 本机时钟早于上次使用的时间，请校准后再登录。
            N_("The clock of this computer is earlier than when it was used last; set it right first."),
        )
    try:
        _hasher.verify(row.password_hash, password)
    except VerificationError:
        # After a lock-out the count begins anew.
        failures = 1 if row.locked_until is not None else row.failures + 1
        _count(local, login, failures, now + LOCK_OUT if failures >= MAX_FAILURES else None)
        raise Refused("wrong_password", N_("Name or password is not right.")) from None
    if now - row.at > timedelta(days=days):
        raise Refused(
            "grace_over",
            # zh: 离线登录期限为 {days} 天，已超过；请连接服务器后登录。
            N_("Without the server you may sign in for {days} days after the last time; that is over."),
            days=days,
        )
    if row.failures:
        _count(local, login, 0, None)
    return actor_of(local, login)


def _latest(connection: Connection) -> datetime | None:
    """The latest moment of which this file knows that it has been."""
    moments = (
        connection.execute(select(func.max(grace.c.at))).scalar(),
        connection.execute(select(replica.c.synced_at)).scalar(),
    )
    return max((moment for moment in moments if moment is not None), default=None)


def _count(local: Database, login: str, failures: int, locked_until: datetime | None) -> None:
    values = {"failures": failures, "locked_until": locked_until}
    with local.write_many() as writing:
        writing.connection.execute(update(grace).where(grace.c.login == login).values(values))
