"""What a database knows already that an import must respect: classes, units, districts, numbers, the city."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, or_, select

from db.cases.tables import case
from db.engine import settings
from db.exchange.mapping import CaseMapping, Target
from db.people.tables import unit
from db.registers.reference import read_categories, stable_id
from db.registers.tables import area, category


@dataclass(frozen=True)
class Known:
    """The state of a database before an import."""

    categories: Mapping[Target, int]
    units: Mapping[str, int] = field(default_factory=dict)
    """Ids by code and by name, both in small letters."""
    districts: Mapping[str, int] = field(default_factory=dict)
    city_area: int | None = None
    has_city: bool = False
    foreign_numbers: frozenset[str] = frozenset()
    """Numbers of this source that are there already."""
    numbers: frozenset[str] = frozenset()
    """Case numbers of ours that begin like those of this source."""


def known_in(connection: Connection, mapping: CaseMapping) -> Known:
    """What this database knows."""
    categories = {
        Target(row.standard, row.kind, row.code): row.id
        for row in connection.execute(
            select(category.c.id, category.c.standard, category.c.kind, category.c.code)
        )
    }
    areas = connection.execute(
        select(area.c.id, area.c.kind, area.c.code, area.c.name, area.c.name_en)
        .where(area.c.kind.in_(("city", "district")))
        .order_by(area.c.id)
    ).all()
    # Closed units too: what was theirs stays theirs.
    units = connection.execute(
        select(unit.c.id, unit.c.code, unit.c.name, unit.c.name_en).order_by(unit.c.id)
    ).all()
    foreign, numbers = taken_numbers(connection, mapping.system, mapping.number_prefix)
    return Known(
        categories=categories,
        units=_by_names((row.id, (row.name_en, row.name, row.code)) for row in units),
        districts=_by_names(
            (row.id, (row.name_en, row.name, row.code)) for row in areas if row.kind == "district"
        ),
        city_area=next((row.id for row in areas if row.kind == "city"), None),
        has_city=bool(settings.get(connection, "city.name")),
        foreign_numbers=foreign,
        numbers=numbers,
    )


def known_without_database() -> Known:
    """What a fresh database will know: the code lists that ship with the program."""
    return Known(
        {
            Target(row.standard, row.kind, row.code): stable_id("category", row.key)
            for row in read_categories()
        }
    )


def class_names(mapping: CaseMapping) -> dict[str, tuple[str, str]]:
    """What to call the class of each word of a mapping: its name in Chinese and in English."""
    shipped = {
        Target(row.standard, row.kind, row.code): (row.name, row.name_en or row.name)
        for row in read_categories()
    }
    own = {extension.target: (extension.name, extension.name_en) for extension in mapping.extensions}
    names = {**shipped, **own}
    return {
        word: names.get(target, (target.code, target.code)) for word, target in mapping.categories.items()
    }


def taken_numbers(
    connection: Connection, system: str, number_prefix: str
) -> tuple[frozenset[str], frozenset[str]]:
    """The numbers of a source that are there, and our own numbers of other cases that begin with its
    prefix.
    """
    foreign = frozenset(
        connection.execute(
            select(case.c.foreign_number).where(
                case.c.foreign_system == system, case.c.foreign_number.is_not(None)
            )
        ).scalars()
    )
    ours = frozenset(
        connection.execute(
            select(case.c.number).where(
                case.c.number.startswith(number_prefix, autoescape=True),
                or_(case.c.foreign_system.is_(None), case.c.foreign_system != system),
            )
        ).scalars()
    )
    return foreign, ours


def _by_names(rows: Iterable[tuple[int, tuple[str, ...]]]) -> dict[str, int]:
    """Ids by each name; where two share a name the code counts for more, and the older row."""
    found: dict[str, int] = {}
    listed = list(rows)
    for place in (2, 1, 0):
        for row_id, names in listed:
            if names[place]:
                found.setdefault(names[place].casefold(), row_id)
    return found
