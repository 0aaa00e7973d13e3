"""The greatest id given so far, and the ways by which undo finds an act.

Never imports today's tables: this step must run for ever as it was written.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""
    op.add_column("journal_head", sa.Column("last_id", sa.BigInteger(), server_default="0", nullable=False))
    op.create_index("ix_journal_actor_id", "journal", ["actor_id", "seq"], unique=False)
    op.create_index(
        "ix_journal_undoes",
        "journal",
        ["undoes"],
        unique=False,
        sqlite_where=sa.text("undoes IS NOT NULL"),
        postgresql_where=sa.text("undoes IS NOT NULL"),
    )


def downgrade() -> None:
    """Remove them."""
    op.drop_index("ix_journal_undoes", table_name="journal")
    op.drop_index("ix_journal_actor_id", table_name="journal")
    op.drop_column("journal_head", "last_id")
