"""Reading people and units as plain values: who there is, and who is on duty."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import Connection, select, union

from db.calendars.queries import load_calendar
from db.calendars.rules import WorkingCalendar
from db.kernel.clock import to_ms
from db.people.tables import account, person, position, presence, unit

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
