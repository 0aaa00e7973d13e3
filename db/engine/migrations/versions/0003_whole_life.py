"""The whole life of a case: requests, orders, tasks, timers, spans, photos, views of contacts.

Windows gain seasons, and what one working day is gains a table.

Never imports today's tables: this step must run for ever as it was written.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add what a case gains."""
    op.create_table(
        "case_order",
        sa.Column("id", big, autoincrement=False, nullable=False),
        sa.Column("case_id", big, nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("level", sa.String(length=12), server_default="ordinary", nullable=False),
        sa.Column("demand", sa.Text(), nullable=False),
        sa.Column("given_by", big, nullable=False),
        sa.Column("given_by_name", sa.String(length=80), nullable=False),
        sa.Column("given_at", sa.BigInteger(), nullable=False),
        sa.Column("answer_due_at", sa.BigInteger(), nullable=True),
        sa.Column("answer", sa.Text(), server_default="", nullable=False),
        sa.Column("answered_by_name", sa.String(length=80), server_default="", nullable=False),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_case_order_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_order")),
    )
    op.create_index("ix_case_order_case_id", "case_order", ["case_id"], unique=False)
    op.create_table(
        "case_photo",
        sa.Column("id", big, autoincrement=False, nullable=False),
        sa.Column("case_id", big, nullable=False),
        sa.Column("phase", sa.String(length=8), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("mime", sa.String(length=40), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("added_by_name", sa.String(length=80), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_case_photo_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_photo")),
    )
    op.create_index("ix_case_photo_case_id", "case_photo", ["case_id"], unique=False)
    op.create_index("ix_case_photo_sha256", "case_photo", ["sha256"], unique=False)
    op.create_table(
        "case_request",
        sa.Column("id", big, autoincrement=False, nullable=False),
        sa.Column("case_id", big, nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=True),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("evidence", sa.Text(), server_default="", nullable=False),
        sa.Column("asked_by", big, nullable=False),
        sa.Column("asked_by_name", sa.String(length=80), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("decided_by", big, nullable=True),
        sa.Column("decided_by_name", sa.String(length=80), server_default="", nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("answer", sa.Text(), server_default="", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_case_request_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_request")),
    )
    op.create_index("ix_case_request_case_id", "case_request", ["case_id"], unique=False)
    op.create_index(
        "ix_case_request_pending",
        "case_request",
        ["kind"],
        unique=False,
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_table(
        "case_span",
        sa.Column("id", big, autoincrement=False, nullable=False),
        sa.Column("case_id", big, nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("cause", sa.String(length=12), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("by_name", sa.String(length=80), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_case_span_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_span")),
    )
    op.create_index("ix_case_span_case_id", "case_span", ["case_id"], unique=False)
    op.create_table(
        "case_task",
        sa.Column("id", big, autoincrement=False, nullable=False),
        sa.Column("case_id", big, nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("person_id", big, nullable=True),
        sa.Column("sent_by_name", sa.String(length=80), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("result", sa.String(length=8), server_default="", nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("answered_by_name", sa.String(length=80), server_default="", nullable=False),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_case_task_case_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_case_task_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_task")),
    )
    op.create_index("ix_case_task_case_id", "case_task", ["case_id"], unique=False)
    op.create_table(
        "case_timer",
        sa.Column("id", big, autoincrement=False, nullable=False),
        sa.Column("case_id", big, nullable=False),
        sa.Column("stage", sa.String(length=10), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("by_name", sa.String(length=80), server_default="", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_case_timer_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_timer")),
    )
    op.create_index("ix_case_timer_case_id", "case_timer", ["case_id"], unique=False)
    op.create_table(
        "case_unit",
        sa.Column("id", big, autoincrement=False, nullable=False),
        sa.Column("case_id", big, nullable=False),
        sa.Column("unit_id", big, nullable=False),
        sa.Column("role", sa.String(length=8), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_case_unit_case_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_case_unit_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_unit")),
    )
    op.create_index("ix_case_unit_case_id", "case_unit", ["case_id"], unique=False)
    op.create_table(
        "contact_view",
        sa.Column("id", big, autoincrement=False, nullable=False),
        sa.Column("case_id", big, nullable=False),
        sa.Column("viewer_id", big, nullable=False),
        sa.Column("viewer_name", sa.String(length=80), nullable=False),
        sa.Column("reason", sa.String(length=400), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_contact_view_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_view")),
    )
    op.create_index("ix_contact_view_case_id", "contact_view", ["case_id"], unique=False)
    op.create_table(
        "working_day_rule",
        sa.Column("id", big, autoincrement=False, nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("rule", sa.String(length=12), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_working_day_rule")),
        sa.UniqueConstraint("valid_from", name=op.f("uq_working_day_rule_valid_from")),
    )
    op.add_column("working_window", sa.Column("season_from", sa.String(length=5), nullable=True))
    op.add_column("working_window", sa.Column("season_to", sa.String(length=5), nullable=True))
    op.add_column("cases", sa.Column("condition_version", sa.Integer(), nullable=True))
    op.add_column("cases", sa.Column("extensions", sa.Integer(), server_default="0", nullable=False))
    op.add_column("cases", sa.Column("paused_at", sa.BigInteger(), nullable=True))
    op.add_column("cases", sa.Column("exempt", sa.Boolean(), server_default="0", nullable=False))
    op.add_column("cases", sa.Column("parent_id", big, nullable=True))
    op.add_column("cases", sa.Column("merged_into_id", big, nullable=True))
    op.add_column("cases", sa.Column("original_x", sa.Float(precision=53), nullable=True))
    op.add_column("cases", sa.Column("original_y", sa.Float(precision=53), nullable=True))
    op.add_column("cases", sa.Column("datum", sa.String(length=12), nullable=True))
    op.add_column("cases", sa.Column("foreign_due_at", sa.BigInteger(), nullable=True))
    op.create_index("ix_cases_component_id", "cases", ["component_id"], unique=False)
    op.create_index("ix_cases_lon_lat", "cases", ["lon", "lat"], unique=False)
    op.create_index("ix_component_lon_lat", "component", ["lon", "lat"], unique=False)
    op.create_index("ix_cases_merged_into_id", "cases", ["merged_into_id"], unique=False)
    op.create_index("ix_cases_parent_id", "cases", ["parent_id"], unique=False)


def downgrade() -> None:
    """Take it away; those rows are gone for good."""
    op.drop_index("ix_cases_parent_id", table_name="cases")
    op.drop_index("ix_cases_merged_into_id", table_name="cases")
    op.drop_index("ix_component_lon_lat", table_name="component")
    op.drop_index("ix_cases_lon_lat", table_name="cases")
    op.drop_index("ix_cases_component_id", table_name="cases")
    op.drop_column("cases", "foreign_due_at")
    op.drop_column("cases", "datum")
    op.drop_column("cases", "original_y")
    op.drop_column("cases", "original_x")
    op.drop_column("cases", "merged_into_id")
    op.drop_column("cases", "parent_id")
    op.drop_column("cases", "exempt")
    op.drop_column("cases", "paused_at")
    op.drop_column("cases", "extensions")
    op.drop_column("cases", "condition_version")
    op.drop_column("working_window", "season_to")
    op.drop_column("working_window", "season_from")
    op.drop_table("working_day_rule")
    op.drop_index("ix_contact_view_case_id", table_name="contact_view")
    op.drop_table("contact_view")
    op.drop_index("ix_case_unit_case_id", table_name="case_unit")
    op.drop_table("case_unit")
    op.drop_index("ix_case_timer_case_id", table_name="case_timer")
    op.drop_table("case_timer")
    op.drop_index("ix_case_task_case_id", table_name="case_task")
    op.drop_table("case_task")
    op.drop_index("ix_case_span_case_id", table_name="case_span")
    op.drop_table("case_span")
    op.drop_index(
        "ix_case_request_pending",
        table_name="case_request",
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.drop_index("ix_case_request_case_id", table_name="case_request")
    op.drop_table("case_request")
    op.drop_index("ix_case_photo_sha256", table_name="case_photo")
    op.drop_index("ix_case_photo_case_id", table_name="case_photo")
    op.drop_table("case_photo")
    op.drop_index("ix_case_order_case_id", table_name="case_order")
    op.drop_table("case_order")
