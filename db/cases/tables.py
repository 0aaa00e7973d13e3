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
    # The person of that unit who has it; empty: whoever leads the unit. No foreign key: see parent_id.
    Column("holder_id", BigId),
    # 0 ordinary 一般, 1 important 重要, 2 urgent 紧急.
    Column("priority", Integer, nullable=False, server_default="0"),
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
    # The version of the filing condition when its limit was frozen.
    Column("condition_version", Integer),
    # Postponements granted since the limit last began to count: each dispatch and rework begins with none.
    Column("extensions", Integer, nullable=False, server_default="0"),
    # The disposal clock stands since then (suspended, or handed back and checked); empty while it runs.
    Column("paused_at", Moment),
    # An appeal was granted: the overdue stays a fact and leaves the score.
    Column("exempt", Boolean, nullable=False, server_default="0"),
    # No foreign keys on these two: SQLite cannot add one to a table that exists.
    Column("parent_id", BigId),
    # A duplicate: it goes on inside the case it was merged into, and can be taken out again.
    Column("merged_into_id", BigId),
    # The pair of coordinates as it was given, before it became WGS-84, with its datum.
    Column("original_x", Float(53)),
    Column("original_y", Float(53)),
    Column("datum", String(12)),
    # When the system it came from wants its answer (12345 and others).
    Column("foreign_due_at", Moment),
    Column("reworks", Integer, nullable=False, server_default="0"),
    Column("moves", Integer, nullable=False, server_default="0"),
    # Number in the system it came from; with its name it tells a second import what it has already.
    Column("foreign_system", String(40)),
    Column("foreign_number", String(60)),
    version_column(),
    UniqueConstraint("foreign_system", "foreign_number"),
    Index("ix_cases_parent_id", "parent_id"),
    Index("ix_cases_merged_into_id", "merged_into_id"),
    Index("ix_cases_component_id", "component_id"),
    Index("ix_cases_lon_lat", "lon", "lat"),
    Index("ix_cases_closed_at", "closed_at"),
    Index("ix_cases_reported_at", "reported_at"),
    # Also what the load of a unit is counted from, without a look at the rows.
    Index(
        "ix_cases_open",
        "unit_id",
        "due_at",
        "handled_at",
        "paused_at",
        sqlite_where=text("closed_at IS NULL"),
        postgresql_where=text("closed_at IS NULL"),
    ),
    # Undo of an act asks whether any newer one touched the case, in whatever column; and it calls it so.
    info={"whole": "number"},
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
    # Whose hands a case went through.
    Index("ix_case_step_actor_name", "actor_name", "case_id"),
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
    Index("ix_reporter_phone", "phone"),
)

# What a unit asks for and somebody else decides (DOMAIN 2.4).
request = Table(
    "case_request",
    metadata,
    id_column(),
    Column("case_id", BigId, ForeignKey("cases.id"), nullable=False),
    # postpone 延期, return 回退, suspend 挂账, appeal 申诉.
    Column("kind", String(12), nullable=False),
    # pending, granted, refused, withdrawn.
    Column("state", String(12), nullable=False),
    Column("reason", Text, nullable=False),
    # Postponement: how much more, in the case's own unit. Suspension: until when.
    Column("amount", Integer),
    Column("until", Moment),
    Column("evidence", Text, nullable=False, server_default=""),
    Column("asked_by", BigId, nullable=False),
    Column("asked_by_name", String(80), nullable=False),
    Column("asked_at", Moment, nullable=False),
    Column("decided_by", BigId),
    Column("decided_by_name", String(80), nullable=False, server_default=""),
    Column("decided_at", Moment),
    Column("answer", Text, nullable=False, server_default=""),
    version_column(),
    Index("ix_case_request_case_id", "case_id"),
    Index(
        "ix_case_request_pending",
        "kind",
        sqlite_where=text("state = 'pending'"),
        postgresql_where=text("state = 'pending'"),
    ),
)

# 督办 and 催办: they change neither state nor clock, and the first wants an answer.
order = Table(
    "case_order",
    metadata,
    id_column(),
    Column("case_id", BigId, ForeignKey("cases.id"), nullable=False),
    # supervise or urge.
    Column("kind", String(12), nullable=False),
    # ordinary, important, leader.
    Column("level", String(12), nullable=False, server_default="ordinary"),
    Column("demand", Text, nullable=False),
    Column("given_by", BigId, nullable=False),
    Column("given_by_name", String(80), nullable=False),
    Column("given_at", Moment, nullable=False),
    Column("answer_due_at", Moment),
    Column("answer", Text, nullable=False, server_default=""),
    Column("answered_by_name", String(80), nullable=False, server_default=""),
    Column("answered_at", Moment),
    version_column(),
    Index("ix_case_order_case_id", "case_id"),
)

# 核实 (before filing) and 核查 (before closing) sent to a collector.
task = Table(
    "case_task",
    metadata,
    id_column(),
    Column("case_id", BigId, ForeignKey("cases.id"), nullable=False),
    # verify or check.
    Column("kind", String(8), nullable=False),
    Column("person_id", BigId, ForeignKey("person.id")),
    Column("sent_by_name", String(80), nullable=False),
    Column("sent_at", Moment, nullable=False),
    Column("due_at", Moment),
    # true 属实, false 不实, passed 通过, failed 不通过, dropped; empty while it is out.
    Column("result", String(8), nullable=False, server_default=""),
    Column("note", Text, nullable=False, server_default=""),
    Column("answered_by_name", String(80), nullable=False, server_default=""),
    Column("answered_at", Moment),
    version_column(),
    Index("ix_case_task_case_id", "case_id"),
)

# One row a stage that a case has entered (PEERS 9.2: never one deadline column for all stages).
timer = Table(
    "case_timer",
    metadata,
    id_column(),
    Column("case_id", BigId, ForeignKey("cases.id"), nullable=False),
    # accept, verify, register, dispatch, handle, check, close.
    Column("stage", String(10), nullable=False),
    Column("began_at", Moment, nullable=False),
    Column("due_at", Moment),
    Column("ended_at", Moment),
    # Who ended it.
    Column("by_name", String(80), nullable=False, server_default=""),
    version_column(),
    Index("ix_case_timer_case_id", "case_id"),
)

# Every minute of the disposal clock since dispatch: running or paused, why, and by whom.
span = Table(
    "case_span",
    metadata,
    id_column(),
    Column("case_id", BigId, ForeignKey("cases.id"), nullable=False),
    # running or paused.
    Column("kind", String(8), nullable=False),
    # dispatch, reassign, rework, resume; suspend, check, return, merge.
    Column("cause", String(12), nullable=False),
    Column("began_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("by_name", String(80), nullable=False),
    version_column(),
    Index("ix_case_span_case_id", "case_id"),
)

# The unit in charge stands in cases.unit_id; here are its helpers, and who was in charge before.
involved = Table(
    "case_unit",
    metadata,
    id_column(),
    Column("case_id", BigId, ForeignKey("cases.id"), nullable=False),
    Column("unit_id", BigId, ForeignKey("unit.id"), nullable=False),
    # main or helper.
    Column("role", String(8), nullable=False),
    Column("since", Moment, nullable=False),
    Column("until", Moment),
    version_column(),
    Index("ix_case_unit_case_id", "case_id"),
    # Whoever helps at present: few, and asked for with every case that is shown.
    Index(
        "ix_case_unit_helping",
        "case_id",
        "unit_id",
        sqlite_where=text("role = 'helper' AND until IS NULL"),
        postgresql_where=text("role = 'helper' AND until IS NULL"),
    ),
)

# The file itself lies beside the database under its SHA-256; a row never holds it.
photo = Table(
    "case_photo",
    metadata,
    id_column(),
    Column("case_id", BigId, ForeignKey("cases.id"), nullable=False),
    # before, after, verify, check.
    Column("phase", String(8), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("name", String(120), nullable=False),
    Column("mime", String(40), nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("added_by_name", String(80), nullable=False),
    Column("added_at", Moment, nullable=False),
    version_column(),
    Index("ix_case_photo_case_id", "case_id"),
    Index("ix_case_photo_sha256", "sha256"),
)

# Who looked at whose contact, and why (DOMAIN 6.5: a log per person and record).
contact_view = Table(
    "contact_view",
    metadata,
    id_column(),
    Column("case_id", BigId, ForeignKey("cases.id"), nullable=False),
    Column("viewer_id", BigId, nullable=False),
    Column("viewer_name", String(80), nullable=False),
    Column("reason", String(400), nullable=False),
    Column("at", Moment, nullable=False),
    version_column(),
    Index("ix_contact_view_case_id", "case_id"),
)

# Words that a bureau puts on cases to find them again.
tag = Table(
    "case_tag",
    metadata,
    id_column(),
    Column("case_id", BigId, ForeignKey("cases.id"), nullable=False),
    Column("word", String(30), nullable=False),
    version_column(),
    UniqueConstraint("case_id", "word"),
    Index("ix_case_tag_word", "word"),
)

# A case taken from the shared pool: one holder at a time, until the lease runs out or is given back.
claim = Table(
    "case_claim",
    metadata,
    id_column(),
    Column("case_id", BigId, ForeignKey("cases.id"), nullable=False, unique=True),
    Column("account_id", BigId, ForeignKey("account.id"), nullable=False),
    Column("name", String(80), nullable=False),
    Column("claimed_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    version_column(),
    Index("ix_case_claim_account_id", "account_id"),
    # It runs out by itself, and taking back the act that ended it does not give it back.
    info={"passing": True},
)
