"""Acts that wait, by the entry that tells what they did: found without walking through all of them.

Never imports today's tables: this step must run for ever as it was written.
"""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    op.create_index("ix_outbox_seq", "outbox", ["seq", "state"], unique=False)


def downgrade() -> None:
    """Take it away."""
    op.drop_index("ix_outbox_seq", table_name="outbox")
