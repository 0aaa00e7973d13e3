"""Reading people and units as plain values."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from db.people.tables import account, person, unit


@dataclass(frozen=True)
class UnitValue:
    """A unit as screens know it."""

    id: int
    code: str
    name: str
    name_en: str
    kind: str


def units(connection: Connection) -> list[UnitValue]:
    """All active units in the order of their codes."""
    rows = connection.execute(
        select(unit.c.id, unit.c.code, unit.c.name, unit.c.name_en, unit.c.kind)
        .where(unit.c.active)
        .order_by(unit.c.code)
    )
    return [UnitValue(*row) for row in rows]


@dataclass(frozen=True)
class AccountValue:
    """An account as the sign-in screen offers it: the login, and whose it is."""

    login: str
    name: str
    post: str


def accounts(connection: Connection) -> list[AccountValue]:
    """The active accounts, by login."""
    rows = connection.execute(
        select(account.c.login, person.c.name, person.c.post)
        .join(person, person.c.id == account.c.person_id)
        .where(account.c.active)
        .order_by(account.c.login)
    )
    return [AccountValue(*row) for row in rows]
