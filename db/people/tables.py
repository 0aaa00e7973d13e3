"""Units, the people in them, their accounts and roles, and where the collectors are."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, String, Table, UniqueConstraint

from db.engine.columns import BigId, Json, Moment, id_column, version_column
from db.engine.tables import metadata

unit = Table(
    "unit",
    metadata,
    id_column(),
    Column("code", String(24), nullable=False, unique=True),
    Column("name", String(100), nullable=False),
    Column("name_en", String(100), nullable=False, server_default=""),
    # district 街道, squad 中队, office 职能部门, company 公用企业, centre 监督指挥中心:
    # scores compare like with like.
    Column("kind", String(16), nullable=False),
    Column("parent_id", BigId, ForeignKey("unit.id")),
    Column("active", Boolean, nullable=False, server_default="1"),
    version_column(),
)

person = Table(
    "person",
    metadata,
    id_column(),
    Column("code", String(24), nullable=False, unique=True),
    Column("name", String(60), nullable=False),
    Column("unit_id", BigId, ForeignKey("unit.id"), nullable=False),
    # collector 采集员, acceptor 受理员, duty_leader 值班长, dispatcher 派遣员, handler 处置人员,
    # inspector 督查, administrator 管理员.
    Column("post", String(16), nullable=False),
    Column("active", Boolean, nullable=False, server_default="1"),
    version_column(),
    Index("ix_person_unit_id", "unit_id"),
)

account = Table(
    "account",
    metadata,
    id_column(),
    Column("login", String(60), nullable=False, unique=True),
    Column("person_id", BigId, ForeignKey("person.id"), nullable=False),
    Column("password_hash", String(200), nullable=False, info={"private": True}),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("locked_until", Moment),
    Column("must_change", Boolean, nullable=False, server_default="0"),
    Column("active", Boolean, nullable=False, server_default="1"),
    version_column(),
)

role = Table(
    "role",
    metadata,
    id_column(),
    Column("code", String(24), nullable=False, unique=True),
    Column("name", String(60), nullable=False),
    Column("name_en", String(60), nullable=False),
    Column("permissions", Json, nullable=False),
    version_column(),
)

account_role = Table(
    "account_role",
    metadata,
    id_column(),
    Column("account_id", BigId, ForeignKey("account.id"), nullable=False),
    Column("role_id", BigId, ForeignKey("role.id"), nullable=False),
    UniqueConstraint("account_id", "role_id"),
)

# Where an account may act; none of a kind = everywhere. Rows of one kind add up, kinds narrow one another.
account_scope = Table(
    "account_scope",
    metadata,
    id_column(),
    Column("account_id", BigId, ForeignKey("account.id"), nullable=False),
    # area 区域, unit 部门 or category 类别.
    Column("kind", String(10), nullable=False),
    # The area or the unit, with all below it.
    Column("reference_id", BigId),
    # The class: its kind and the beginning of its code, such as "matter 09".
    Column("prefix", String(24), nullable=False, server_default=""),
    version_column(),
    Index("ix_account_scope_account_id", "account_id"),
)

# Telemetry: who is looking at which case, and whether words are being typed into it. One row a window.
presence = Table(
    "presence",
    metadata,
    Column("session", String(40), primary_key=True),
    Column("account_id", BigId, ForeignKey("account.id"), nullable=False),
    Column("name", String(80), nullable=False),
    Column("case_id", BigId, nullable=False),
    Column("typing", Boolean, nullable=False, server_default="0"),
    Column("at", Moment, nullable=False),
    Index("ix_presence_case_id", "case_id"),
)

# Telemetry, not record: the newest place of each collector, written without a journal entry and overwritten.
position = Table(
    "position",
    metadata,
    Column("person_id", BigId, ForeignKey("person.id"), primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("lon", Float(53), nullable=False),
    Column("lat", Float(53), nullable=False),
    Index("ix_position_at", "at"),
)

# Where each collector was in working hours: kept for as long as the setting says (DOMAIN 6.5), then erased.
track = Table(
    "track",
    metadata,
    Column("person_id", BigId, ForeignKey("person.id"), primary_key=True, autoincrement=False),
    Column("at", Moment, primary_key=True, autoincrement=False),
    Column("lon", Float(53), nullable=False),
    Column("lat", Float(53), nullable=False),
    Index("ix_track_at", "at"),
)

# Who looked at whose track, and why: that of the person, not of a case (DOMAIN 6.5).
track_view = Table(
    "track_view",
    metadata,
    id_column(),
    Column("person_id", BigId, ForeignKey("person.id"), nullable=False),
    # The stretch of time that was shown.
    Column("begins_at", Moment, nullable=False),
    Column("ends_at", Moment, nullable=False),
    Column("viewer_id", BigId, nullable=False),
    Column("viewer_name", String(80), nullable=False),
    Column("reason", String(400), nullable=False),
    Column("at", Moment, nullable=False),
    version_column(),
    Index("ix_track_view_person_id", "person_id"),
)

vehicle = Table(
    "vehicle",
    metadata,
    id_column(),
    # The number plate.
    Column("code", String(24), nullable=False, unique=True),
    Column("name", String(60), nullable=False, server_default=""),
    # enforcement 执法车, sanitation 环卫车, service 抢修车.
    Column("kind", String(16), nullable=False),
    Column("unit_id", BigId, ForeignKey("unit.id"), nullable=False),
    Column("active", Boolean, nullable=False, server_default="1"),
    version_column(),
)

# Telemetry, as ``position``.
vehicle_position = Table(
    "vehicle_position",
    metadata,
    Column("vehicle_id", BigId, ForeignKey("vehicle.id"), primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("lon", Float(53), nullable=False),
    Column("lat", Float(53), nullable=False),
    Index("ix_vehicle_position_at", "at"),
)
