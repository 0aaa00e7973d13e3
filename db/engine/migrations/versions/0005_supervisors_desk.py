"""The supervisor's desk: duties, scopes, claims, presence, tags, priorities, proposals, kept filters.

Never imports today's tables: this step must run for ever as it was written.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add what the desk needs."""
    op.create_table(
        "proposal",
        sa.Column("id", big, autoincrement=False, nullable=False),
        sa.Column("command", sa.String(length=60), nullable=False),
        sa.Column("arguments", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("proposed_by", sa.BigInteger(), nullable=False),
        sa.Column("proposed_by_name", sa.String(length=80), nullable=False),
        sa.Column("proposed_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_by_name", sa.String(length=80), server_default="", nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("answer", sa.Text(), server_default="", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposal")),
    )
    op.create_index(
        "ix_proposal_waiting",
        "proposal",
        ["state"],
        unique=False,
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_table(
        "duty",
        sa.Column("id", big, autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=10), server_default="", nullable=False),
        sa.Column("prefix", sa.String(length=12), server_default="", nullable=False),
        sa.Column("area_id", big, nullable=False),
        sa.Column("unit_id", big, nullable=False),
        sa.Column("person_id", big, nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("note", sa.String(length=200), server_default="", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(["area_id"], ["area.id"], name=op.f("fk_duty_area_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_duty_person_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_duty_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duty")),
    )
    op.create_index("ix_duty_area_id", "duty", ["area_id"], unique=False)
    op.create_index("ix_duty_unit_id", "duty", ["unit_id"], unique=False)
    op.create_table(
        "account_scope",
        sa.Column("id", big, autoincrement=False, nullable=False),
        sa.Column("account_id", big, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("reference_id", big, nullable=True),
        sa.Column("prefix", sa.String(length=24), server_default="", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_account_scope_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_scope")),
    )
    op.create_index("ix_account_scope_account_id", "account_scope", ["account_id"], unique=False)
    op.create_table(
        "kept",
        sa.Column("id", big, autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("owner_id", big, nullable=False),
        sa.Column("owner_name", sa.String(length=80), nullable=False),
        sa.Column("shared_with", sa.String(length=24), server_default="", nullable=False),
        sa.Column("pinned", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("ordinal", sa.Integer(), server_default="0", nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("kept_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["account.id"], name=op.f("fk_kept_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kept")),
    )
    op.create_index("ix_kept_owner_id", "kept", ["owner_id"], unique=False)
    op.create_table(
        "presence",
        sa.Column("session", sa.String(length=40), nullable=False),
        sa.Column("account_id", big, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("case_id", big, nullable=False),
        sa.Column("typing", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_presence_account_id")),
        sa.PrimaryKeyConstraint("session", name=op.f("pk_presence")),
    )
    op.create_index("ix_presence_case_id", "presence", ["case_id"], unique=False)
    op.create_table(
        "case_claim",
        sa.Column("id", big, autoincrement=False, nullable=False),
        sa.Column("case_id", big, nullable=False),
        sa.Column("account_id", big, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("claimed_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_case_claim_account_id")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_case_claim_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_claim")),
        sa.UniqueConstraint("case_id", name=op.f("uq_case_claim_case_id")),
    )
    op.create_index("ix_case_claim_account_id", "case_claim", ["account_id"], unique=False)
    op.create_table(
        "case_tag",
        sa.Column("id", big, autoincrement=False, nullable=False),
        sa.Column("case_id", big, nullable=False),
        sa.Column("word", sa.String(length=30), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_case_tag_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_tag")),
        sa.UniqueConstraint("case_id", "word", name=op.f("uq_case_tag_case_id_word")),
    )
    op.create_index("ix_case_tag_word", "case_tag", ["word"], unique=False)
    op.add_column("cases", sa.Column("holder_id", big, nullable=True))
    op.add_column("cases", sa.Column("priority", sa.Integer(), server_default="0", nullable=False))
    _index_open_cases("unit_id", "due_at", "handled_at", "paused_at")


def _index_open_cases(*columns: str) -> None:
    op.drop_index("ix_cases_open", table_name="cases")
    is_open = sa.text("closed_at IS NULL")
    op.create_index("ix_cases_open", "cases", list(columns), sqlite_where=is_open, postgresql_where=is_open)


def downgrade() -> None:
    """Take it away; those rows are gone for good."""
    _index_open_cases("due_at")
    op.drop_column("cases", "priority")
    op.drop_column("cases", "holder_id")
    op.drop_index("ix_case_tag_word", table_name="case_tag")
    op.drop_table("case_tag")
    op.drop_index("ix_case_claim_account_id", table_name="case_claim")
    op.drop_table("case_claim")
    op.drop_index("ix_presence_case_id", table_name="presence")
    op.drop_table("presence")
    op.drop_index("ix_kept_owner_id", table_name="kept")
    op.drop_table("kept")
    op.drop_index("ix_account_scope_account_id", table_name="account_scope")
    op.drop_table("account_scope")
    op.drop_index("ix_duty_unit_id", table_name="duty")
    op.drop_index("ix_duty_area_id", table_name="duty")
    op.drop_table("duty")
    op.drop_index(
        "ix_proposal_waiting",
        table_name="proposal",
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.drop_table("proposal")
