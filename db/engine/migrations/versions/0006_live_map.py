"""The live map: tracks, vehicles, sensitive places, rules by the time of day, the plan of patrols.

Never imports today's tables: this step must run for ever as it was written.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add what the map shows."""
    op.create_table(
        "sensitive_place",
        sa.Column("id", big, autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("name_en", sa.String(length=120), server_default="", nullable=False),
        sa.Column("lon", sa.Float(precision=53), nullable=False),
        sa.Column("lat", sa.Float(precision=53), nullable=False),
        sa.Column("radius", sa.Float(precision=53), nullable=False),
        sa.Column("visits_per_day", sa.Integer(), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sensitive_place")),
    )
    op.create_table(
        "time_rule",
        sa.Column("id", big, autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("name_en", sa.String(length=120), server_default="", nullable=False),
        sa.Column("prefix", sa.String(length=12), nullable=False),
        sa.Column("outline", sa.LargeBinary(), nullable=False),
        sa.Column("weekdays", sa.String(length=7), server_default="1111111", nullable=False),
        sa.Column("from_minute", sa.Integer(), nullable=False),
        sa.Column("to_minute", sa.Integer(), nullable=False),
        sa.Column("allowed", sa.Boolean(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_time_rule")),
    )
    op.create_table(
        "vehicle",
        sa.Column("id", big, autoincrement=False, nullable=False),
        sa.Column("code", sa.String(length=24), nullable=False),
        sa.Column("name", sa.String(length=60), server_default="", nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("unit_id", big, nullable=False),
        sa.Column("active", sa.Boolean(), server_default="1", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_vehicle_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vehicle")),
        sa.UniqueConstraint("code", name=op.f("uq_vehicle_code")),
    )
    op.create_table(
        "track",
        sa.Column("person_id", big, autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("lon", sa.Float(precision=53), nullable=False),
        sa.Column("lat", sa.Float(precision=53), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_track_person_id")),
        sa.PrimaryKeyConstraint("person_id", "at", name=op.f("pk_track")),
    )
    op.create_index("ix_track_at", "track", ["at"], unique=False)
    op.create_table(
        "track_view",
        sa.Column("id", big, autoincrement=False, nullable=False),
        sa.Column("person_id", big, nullable=False),
        sa.Column("begins_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("viewer_id", big, nullable=False),
        sa.Column("viewer_name", sa.String(length=80), nullable=False),
        sa.Column("reason", sa.String(length=400), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_track_view_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_track_view")),
    )
    op.create_index("ix_track_view_person_id", "track_view", ["person_id"], unique=False)
    op.create_table(
        "vehicle_position",
        sa.Column("vehicle_id", big, autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("lon", sa.Float(precision=53), nullable=False),
        sa.Column("lat", sa.Float(precision=53), nullable=False),
        sa.ForeignKeyConstraint(["vehicle_id"], ["vehicle.id"], name=op.f("fk_vehicle_position_vehicle_id")),
        sa.PrimaryKeyConstraint("vehicle_id", name=op.f("pk_vehicle_position")),
    )
    op.create_index("ix_vehicle_position_at", "vehicle_position", ["at"], unique=False)
    op.add_column("area", sa.Column("visits_per_day", sa.Float(precision=53), nullable=True))
    for table in ("area", "road", "water", "place"):
        op.add_column(table, sa.Column("ended_on", sa.Date(), nullable=True))


def downgrade() -> None:
    """Take it away; those rows are gone for good."""
    for table in ("place", "water", "road", "area"):
        op.drop_column(table, "ended_on")
    op.drop_column("area", "visits_per_day")
    op.drop_index("ix_track_view_person_id", table_name="track_view")
    op.drop_table("track_view")
    op.drop_index("ix_vehicle_position_at", table_name="vehicle_position")
    op.drop_table("vehicle_position")
    op.drop_index("ix_track_at", table_name="track")
    op.drop_table("track")
    op.drop_table("vehicle")
    op.drop_table("time_rule")
    op.drop_table("sensitive_place")
