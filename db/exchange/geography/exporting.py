"""Writes a register as GeoJSON or Shapefile, in whatever frame, so that an import of the same file changes
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import shapely
from sqlalchemy import Connection, select

from db.exchange.geography.fields import Register
from db.exchange.geography.files import write
from db.exchange.geography.frames import Frame, frame_named
from db.kernel.language import N_
from db.kernel.refusal import Refused
from db.people.tables import unit
from db.registers.tables import area, category, component

_STATES = {"intact": "完好", "damaged": "破损", "lost": "丢失", "derelict": "废弃", "removed": "移除"}
"""As the attribute table of the standard writes them (DOMAIN 1.4)."""


def export_geography(
    connection: Connection, register: Register, path: Path, datum: str = "WGS-84", encoding: str = "utf-8"
) -> int:
    """Write what is in force of a register; returns how many features. The suffix of the file says the
    format.

    Raises ``Refused`` (unknown format or datum, nothing to write), ``Unavailable``.
    """
    frame: Frame = frame_named(datum)
    features = list(_features(connection, register))
    if not features:
        raise Refused("nothing_to_export", N_("There is nothing of this kind to write."))
    return write(path, register.headings(), features, frame, encoding)


def _features(connection: Connection, register: Register) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    table = register.table
    units = {row.id: row.code for row in connection.execute(select(unit.c.id, unit.c.code))}
    areas = {row.id: row.code for row in connection.execute(select(area.c.id, area.c.code))}
    query = select(table).order_by(table.c.id)
    if register.is_area:
        query = query.where(table.c.kind == register.kind, table.c.outline.is_not(None))
    if "ended_on" in table.c:
        query = query.where(table.c.ended_on.is_(None))
    if table is component:
        query = query.add_columns(category.c.code.label("class")).join(
            category, category.c.id == component.c.category_id
        )
    value_of = _values(register, units, areas)
    rows = [dict(row) for row in connection.execute(query).mappings()]
    if register.shape == "point":
        shapes = shapely.points([row["lon"] for row in rows], [row["lat"] for row in rows]) if rows else []
    else:
        shapes = shapely.from_wkb([row["line" if register.shape == "line" else "outline"] for row in rows])
    for shape, row in zip(shapes, rows, strict=True):
        yield shape, tuple(value_of[field.name](row) for field in register.fields)


def _values(
    register: Register, units: Mapping[int, str], areas: Mapping[int, str]
) -> dict[str, Callable[[Mapping[str, Any]], Any]]:
    """For each field, how its value comes from a row; texts, numbers and dates only."""
    own: dict[str, Callable[[Mapping[str, Any]], Any]] = {
        "parent": lambda row: areas.get(row["parent_id"], ""),
        "patrol": lambda row: areas.get(row["patrol_id"], ""),
        "unit": lambda row: units.get(row["unit_id"], ""),
        "cell": lambda row: areas.get(row["cell_id"], ""),
        "visits": lambda row: row["visits_per_day"],
        "from": lambda row: _clock(row["from_minute"]),
        "to": lambda row: _clock(row["to_minute"]),
        "allowed": lambda row: int(row["allowed"]),
    }
    if register.table is component:
        own["state"] = lambda row: _STATES[row["state"]]
    if "code" not in register.table.c:
        # What has no code of its own is known again by its number.
        own["code"] = lambda row: str(row["id"])
    return {field.name: own.get(field.name, _plain(field.name)) for field in register.fields}


def _plain(name: str) -> Callable[[Mapping[str, Any]], Any]:
    return lambda row: row[name]


def _clock(minute: int) -> str:
    """05:30; hours of the next day go on counting: 26:00."""
    return f"{minute // 60:02d}:{minute % 60:02d}"
