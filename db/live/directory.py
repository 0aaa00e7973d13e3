"""Names behind the ids: units, categories, areas and people, read once and asked for every painted row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from sqlalchemy import Connection, select

from db.people.tables import person, unit
from db.registers.tables import area, category


@dataclass(frozen=True)
class Entry:
    """One named thing; ``kind`` is its own table's (unit kind, area kind, matter or component, post)."""

    id: int
    code: str
    name: str
    name_en: str = ""
    kind: str = ""
    parent_id: int | None = None
    """The unit or area above it; for a person the unit."""
    major: str = ""
    """Of a category: the key of its major class, as ``Filter.majors`` takes it."""
    active: bool = True

    def label(self, language: str) -> str:
        """The name in a language; the Chinese name when there is no English one."""
        return (self.name_en or self.name) if language == "en" else self.name


@dataclass(frozen=True, eq=False)
class Directory:
    """What ids are called, in the order of their official codes."""

    units: Mapping[int, Entry] = field(default_factory=dict)
    categories: Mapping[int, Entry] = field(default_factory=dict)
    areas: Mapping[int, Entry] = field(default_factory=dict)
    """City, districts, communities, patrol areas and cells together; ``Entry.kind`` tells them apart."""
    persons: Mapping[int, Entry] = field(default_factory=dict)
    majors: Mapping[str, Entry] = field(default_factory=dict)

    def entry(self, kind: str, key: int | str) -> Entry | None:
        """The entry of a unit, category, person, major or kind of area; ``None`` if unknown."""
        if isinstance(key, str):
            return self.majors.get(key)
        return self._by_kind[kind].get(key)

    def label(self, kind: str, key: int | str, language: str) -> str:
        """What an id is called in a language; "" for none, the bare number for an id nobody knows."""
        if not key:
            return ""
        found = self.entry(kind, key)
        return found.label(language) if found is not None else str(key)

    def of(self, kind: str) -> tuple[Entry, ...]:
        """All entries of a kind in the order of their codes."""
        if kind == "major":
            return tuple(self.majors.values())
        entries = self._by_kind[kind].values()
        if self._by_kind[kind] is self.areas:
            return tuple(entry for entry in entries if entry.kind == kind)
        return tuple(entries)

    def order(self, kind: str) -> dict[int, int]:
        """The place of each id in the order of codes, from 1: what a column is sorted by."""
        return {key: place for place, key in enumerate(self._by_kind[kind], start=1)}

    @cached_property
    def major_of(self) -> dict[int, str]:
        """The key of the major class of each category."""
        return {key: entry.major for key, entry in self.categories.items()}

    @cached_property
    def _by_kind(self) -> dict[str, Mapping[int, Entry]]:
        return {
            "unit": self.units,
            "category": self.categories,
            "person": self.persons,
            **dict.fromkeys(("city", "district", "community", "patrol", "cell", "area"), self.areas),
        }


REGISTERS = frozenset({"unit", "category", "area", "person"})
"""The tables that a directory is made of."""


def load_directory(connection: Connection) -> Directory:
    """Read all names; about 10,000 narrow rows in a city of full size."""
    units = {
        row.id: Entry(
            row.id, row.code, row.name, row.name_en, row.kind, row.parent_id, active=bool(row.active)
        )
        for row in connection.execute(
            select(
                unit.c.id,
                unit.c.code,
                unit.c.name,
                unit.c.name_en,
                unit.c.kind,
                unit.c.parent_id,
                unit.c.active,
            ).order_by(unit.c.code)
        )
    }
    categories: dict[int, Entry] = {}
    majors: dict[str, Entry] = {}
    listed = connection.execute(
        select(
            category.c.id,
            category.c.standard,
            category.c.kind,
            category.c.code,
            category.c.name,
            category.c.name_en,
            category.c.major,
            category.c.major_name,
            category.c.major_name_en,
        ).order_by(category.c.standard, category.c.kind, category.c.code)
    )
    for row in listed:
        # A code is unique only together with its standard and kind (DOMAIN 0.2).
        key = f"{row.standard}/{row.kind}/{row.major}"
        categories[row.id] = Entry(row.id, row.code, row.name, row.name_en, row.kind, major=key)
        majors.setdefault(key, Entry(0, row.major, row.major_name, row.major_name_en, row.kind, major=key))
    areas = {
        row.id: Entry(row.id, row.code, row.name, row.name_en, row.kind, row.parent_id)
        for row in connection.execute(
            select(
                area.c.id, area.c.code, area.c.name, area.c.name_en, area.c.kind, area.c.parent_id
            ).order_by(area.c.kind, area.c.code)
        )
    }
    persons = {
        row.id: Entry(row.id, row.code, row.name, "", row.post, row.unit_id, active=bool(row.active))
        for row in connection.execute(
            select(
                person.c.id, person.c.code, person.c.name, person.c.post, person.c.unit_id, person.c.active
            ).order_by(person.c.code)
        )
    }
    return Directory(units, categories, areas, persons, majors)
