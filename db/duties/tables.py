"""Who is responsible (事事有人管): class of matter × area → unit → person, and on which days."""

from __future__ import annotations

from sqlalchemy import Column, Date, ForeignKey, Index, String, Table

from db.engine.columns import BigId, id_column, version_column
from db.engine.tables import metadata

duty = Table(
    "duty",
    metadata,
    id_column(),
    # component 部件 or matter 事项; empty = both.
    Column("kind", String(10), nullable=False, server_default=""),
    # The beginning of the class's code in GB/T 47678.5-2026: two digits a major, five a minor, none all.
    Column("prefix", String(12), nullable=False, server_default=""),
    # Cell, patrol area, community, district or the city: the smallest that is named wins.
    Column("area_id", BigId, ForeignKey("area.id"), nullable=False),
    Column("unit_id", BigId, ForeignKey("unit.id"), nullable=False),
    # Empty: whoever leads the unit.
    Column("person_id", BigId, ForeignKey("person.id")),
    Column("valid_from", Date, nullable=False),
    # The last day; empty = until further notice.
    Column("valid_to", Date),
    Column("note", String(200), nullable=False, server_default=""),
    version_column(),
    Index("ix_duty_area_id", "area_id"),
    Index("ix_duty_unit_id", "unit_id"),
)
