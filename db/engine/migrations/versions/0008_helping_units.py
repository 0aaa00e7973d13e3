"""Helping units: a small index of those that help at present, beside the long list of who was ever in charge.

Never imports today's tables: this step must run for ever as it was written.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

HELPING = sa.text("role = 'helper' AND until IS NULL")


def upgrade() -> None:
    """Add the index."""
    op.create_index(
        "ix_case_unit_helping",
        "case_unit",
        ["case_id", "unit_id"],
        unique=False,
        sqlite_where=HELPING,
        postgresql_where=HELPING,
    )


def downgrade() -> None:
    """Take it away."""
    op.drop_index(
        "ix_case_unit_helping", table_name="case_unit", sqlite_where=HELPING, postgresql_where=HELPING
    )
