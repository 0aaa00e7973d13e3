"""What a person has at hand: own things, and what others share with one of the person's roles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, or_, select

from db.desk.rules import EVERYBODY
from db.desk.tables import kept as kept_table
from db.kernel.actor import Actor
from db.people.tables import role


@dataclass(frozen=True)
class KeptValue:
    """One thing that is kept; ``is_own`` of whoever asked."""

    id: int
    kind: str
    name: str
    owner_name: str
    is_own: bool
    shared_with: str
    pinned: bool
    content: Mapping[str, Any]
    kept_at: datetime
    version: int


@dataclass(frozen=True)
class RoleValue:
    """A role that something can be shared with."""

    code: str
    name: str
    name_en: str

    def label(self, language: str) -> str:
        """The name in a language."""
        return (self.name_en or self.name) if language == "en" else self.name


def kept(connection: Connection, who: Actor, kind: str = "") -> list[KeptValue]:
    """What ``who`` sees of a kind ("" = of all): own things first, each in the order of keeping."""
    seen = or_(kept_table.c.owner_id == who.account_id, kept_table.c.shared_with.in_([EVERYBODY, *who.roles]))
    query = select(kept_table).where(seen).order_by(kept_table.c.ordinal, kept_table.c.id)
    if kind:
        query = query.where(kept_table.c.kind == kind)
    found = [
        KeptValue(
            row.id,
            row.kind,
            row.name,
            row.owner_name,
            row.owner_id == who.account_id,
            row.shared_with,
            bool(row.pinned),
            row.content,
            row.kept_at,
            row.version,
        )
        for row in connection.execute(query)
    ]
    return sorted(found, key=lambda each: not each.is_own)


def roles(connection: Connection) -> list[RoleValue]:
    """The roles of this bureau."""
    rows = connection.execute(select(role.c.code, role.c.name, role.c.name_en).order_by(role.c.id))
    return [RoleValue(row.code, row.name, row.name_en) for row in rows]
