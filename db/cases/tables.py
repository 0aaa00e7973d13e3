"""Cases, the steps that each has taken, who reported it, and the table of allowed moves."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from db.engine.columns import BigId, Json, Moment, id_column, version_column
from db.engine.tables import metadata

transition = Table(
    "transition",
    metadata,
    id_column(),
    Column("edition", Integer, nullable=False),
    # Empty for the verb that begins a case.
    Column("from_state", String(20), nullable=False),
    Column("verb", String(20), nullable=False),
    Column("to_state", String(20), nullable=False),
    Column("permission", String(40), nullable=False),
    # What the verb cannot do without: unit, reason, condition, note.
    Column("needs", Json, nullable=False),
    # What it does to the disposal clock: start, restart, stop, resume, or nothing.
    Column("clock", String(10), nullable=False, server_default=""),
    version_column(),
    UniqueConstraint("edition", "from_state", "verb"),
)

case = Table(
    "cases",
    metadata,
    id_column(),
    Column("number", String(24), nullable=False, unique=True),
    Column("state", String(20), nullable=False),
    Column("source", String(16), nullable=False),
    Column("category_id", BigId, ForeignKey("category.id"), nullable=False),
    Column("condition_id", BigId, ForeignKey("filing_condition.id")),
    Column("description", Text, nullable=False, server_default=""),
    Column("address", String(200), nullable=False, server_default=""),
    # WGS-84; both empty means "no position".
    Column("lon", Float(53)),
    Column("lat", Float(53)),
    Column("district_id", BigId, ForeignKey("area.id")),
    Column("community_id", BigId, ForeignKey("area.id")),
    Column("patrol_id", BigId, ForeignKey("area.id")),
    Column("cell_id", BigId, ForeignKey("area.id")),
    Column("component_id", BigId, ForeignKey("component.id")),
    # The unit that has the case in hand; empty until it is dispatched.
    Column("unit_id", BigId, ForeignKey("unit.id")),
    Column("reporter_person_id", BigId, ForeignKey("person.id")),
    Column("reported_at", Moment, nullable=False),
    Column("filed_at", Moment),
    Column("dispatched_at", Moment),
    # Handed back by the unit: this moment decides on time or overdue (DOMAIN 2.3 row 13).
    Column("handled_at", Moment),
    # The moment it reached an end state, whichever that was.
    Column("closed_at", Moment),
    # Frozen when the case is filed; a later change of rules never touches it.
    Column("limit_amount", Integer),
    Column("limit_unit", String(16)),
    Column("due_at", Moment),
    # When 80 % of the limit has gone (DOMAIN 2.5).
    Column("soon_at", Moment),
    Column("reworks", Integer, nullable=False, server_default="0"),
    Column("moves", Integer, nullable=False, server_default="0"),
    # Number in the system it came from; with its name it tells a second import what it has already.
    Column("foreign_system", String(40)),
    Column("foreign_number", String(60)),
    version_column(),
    UniqueConstraint("foreign_system", "foreign_number"),
    Index("ix_cases_closed_at", "closed_at"),
    Index("ix_cases_reported_at", "reported_at"),
    Index(
        "ix_cases_open",
        "due_at",
        sqlite_where=text("closed_at IS NULL"),
        postgresql_where=text("closed_at IS NULL"),
    ),
)

step = Table(
    "case_step",
    metadata,
    id_column(),
    Column("case_id", BigId, ForeignKey("cases.id"), nullable=False),
    Column("at", Moment, nullable=False),
    Column("verb", String(20), nullable=False),
    Column("from_state", String(20), nullable=False),
    Column("to_state", String(20), nullable=False),
    Column("actor_id", BigId, nullable=False),
    Column("actor_name", String(80), nullable=False),
    Column("unit_id", BigId, ForeignKey("unit.id")),
    Column("note", Text, nullable=False, server_default=""),
    version_column(),
    Index("ix_case_step_case_id_at", "case_id", "at"),
)

# A citizen's name and number stand apart from the case: other permission, other lifetime, never on the map.
reporter = Table(
    "reporter",
    metadata,
    id_column(),
    Column("case_id", BigId, ForeignKey("cases.id"), nullable=False, unique=True),
    Column("name", String(60), nullable=False, server_default="", info={"private": True}),
    Column("phone", String(40), nullable=False, server_default="", info={"private": True}),
    Column("wants_answer", Boolean, nullable=False, server_default="0"),
    version_column(),
)
