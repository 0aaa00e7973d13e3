"""Reading people and units as plain values: who there is, what each may do, and who is on duty."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import Connection, func, select, union

from db.calendars.queries import load_calendar
from db.calendars.rules import WorkingCalendar
from db.engine.tables import journal
from db.kernel.clock import to_ms
from db.people.rules import keeps_to_own_unit
from db.people.tables import account, account_role, account_scope, person, position, presence, role, unit

SEEN = timedelta(minutes=15)
"""A position so old still says that its person is out."""
AT_DESK = timedelta(minutes=1)
"""A sign of presence so old still says that its person is there."""


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


def must_change(connection: Connection, account_id: int) -> bool:
    """Whether somebody else set the password of an account, which its owner has not changed since."""
    query = select(account.c.must_change).where(account.c.id == account_id)
    return bool(connection.execute(query).scalar())


@dataclass(frozen=True)
class RoleLine:
    """A role with the permissions that it gives."""

    code: str
    name: str
    name_en: str
    permissions: tuple[str, ...]

    def label(self, language: str) -> str:
        """The name in a language."""
        return (self.name_en or self.name) if language == "en" else self.name


@dataclass(frozen=True)
class AccountLine:
    """An account as whoever manages people sees it; ids of areas and units as they were given."""

    id: int
    login: str
    name: str
    unit_id: int
    post: str
    active: bool
    must_change: bool
    locked_until: datetime | None
    roles: tuple[str, ...]
    areas: tuple[int, ...]
    units: tuple[int, ...]
    prefixes: tuple[str, ...]
    keeps_to_own_unit: bool
    """Without units of its own it acts only on cases of the own unit: its roles handle and give none out."""
    last_at: datetime | None
    """Its newest act, as far as the newest ``LOOKED_BACK`` entries of the journal tell."""


@dataclass(frozen=True)
class AccountBook:
    """All accounts, the closed ones last, and all roles."""

    accounts: tuple[AccountLine, ...]
    roles: tuple[RoleLine, ...]


LOOKED_BACK = 20_000
"""So many entries of the journal are asked who did something last."""


def account_book(connection: Connection) -> AccountBook:
    """The accounts with what each may do, and where."""
    roles = tuple(
        RoleLine(row.code, row.name, row.name_en, tuple(row.permissions))
        for row in connection.execute(select(role).order_by(role.c.code))
    )
    gives = {each.code: each.permissions for each in roles}
    held: dict[int, list[str]] = defaultdict(list)
    for row in connection.execute(
        select(account_role.c.account_id, role.c.code)
        .join(role, role.c.id == account_role.c.role_id)
        .order_by(role.c.id)
    ):
        held[row.account_id].append(row.code)
    bound: dict[tuple[int, str], list[Any]] = defaultdict(list)
    for row in connection.execute(select(account_scope).order_by(account_scope.c.id)):
        bound[row.account_id, row.kind].append(row.prefix if row.kind == "category" else row.reference_id)
    newest = select(func.max(journal.c.seq)).scalar_subquery()
    last = {
        row.actor_id: row.at
        for row in connection.execute(
            select(journal.c.actor_id, func.max(journal.c.at).label("at"))
            .where(journal.c.seq > newest - LOOKED_BACK)
            .group_by(journal.c.actor_id)
        )
    }
    people = connection.execute(
        select(account, person.c.name, person.c.unit_id, person.c.post)
        .join(person, person.c.id == account.c.person_id)
        .order_by(account.c.active.desc(), account.c.login)
    )
    found = []
    for row in people:
        codes = tuple(held[row.id])
        permissions = frozenset(permission for code in codes for permission in gives[code])
        found.append(
            AccountLine(
                row.id,
                row.login,
                row.name,
                row.unit_id,
                row.post,
                row.active,
                row.must_change,
                row.locked_until,
                codes,
                tuple(bound[row.id, "area"]),
                tuple(bound[row.id, "unit"]),
                tuple(bound[row.id, "category"]),
                keeps_to_own_unit(permissions),
                last.get(row.id),
            )
        )
    return AccountBook(tuple(found), roles)


def on_duty(connection: Connection, now: datetime) -> dict[int, tuple[str, ...]]:
    """The names of those who are on shift, by unit; a unit of which nobody is known has no entry.

    What it knows: active persons whose device told a place in the last 15 minutes, or whose desk said in the
    last minute that somebody sits at it. In working time, of a unit without either, its leader: the active
    person of the post ``leader``, else the first by code. What it does not know: rosters and leave; who is
    out without a device; and that a device may lie on a table.
    """
    out = select(position.c.person_id).where(position.c.at >= now - SEEN, position.c.at <= now + SEEN)
    at_desk = (
        select(account.c.person_id)
        .join(presence, presence.c.account_id == account.c.id)
        .where(presence.c.at >= now - AT_DESK)
    )
    seen = set(connection.execute(union(out, at_desk)).scalars())
    people = connection.execute(
        select(person.c.id, person.c.name, person.c.unit_id, person.c.post)
        .join(unit, unit.c.id == person.c.unit_id)
        .where(person.c.active, unit.c.active)
        .order_by(person.c.code)
    ).all()
    found: dict[int, list[str]] = defaultdict(list)
    for each in people:
        if each.id in seen:
            found[each.unit_id].append(each.name)
    if _is_working_time(load_calendar(connection), to_ms(now)):
        seen_of = set(found)
        for each in sorted(people, key=lambda row: row.post != "leader"):
            if each.unit_id not in seen_of and not found[each.unit_id]:
                found[each.unit_id].append(each.name)
    return {unit_id: tuple(names) for unit_id, names in found.items()}


def _is_working_time(calendar: WorkingCalendar, now_ms: int) -> bool:
    """Whether the office works at a moment; in a year that the calendar does not know, nobody says so."""
    worked = calendar.worked(np.array([now_ms, now_ms + 60_000]))
    return bool(worked[1] > worked[0])
