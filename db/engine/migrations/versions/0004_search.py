"""The index over all cases, and the ways from a person's or a telephone's name to the cases.

Never imports today's tables: this step must run for ever as it was written.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the empty index. Where there are cases already it waits to be filled: that can take minutes."""
    op.create_index("ix_case_step_actor_name", "case_step", ["actor_name", "case_id"], unique=False)
    op.create_index("ix_reporter_phone", "reporter", ["phone"], unique=False)
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE VIRTUAL TABLE case_words USING fts5("
            "words, content='', columnsize=0, detail=none, tokenize=\"ascii tokenchars '_'\")"
        )
        # Terms are gathered in memory up to so many bytes before a piece of the index is written.
        op.execute("INSERT INTO case_words(case_words, rank) VALUES ('hashsize', 33554432)")
    else:
        op.execute("CREATE TABLE case_words (case_id bigint PRIMARY KEY, words tsvector NOT NULL)")
        op.execute("CREATE INDEX ix_case_words_words ON case_words USING gin (words)")
        # The planner must know rare terms from common ones: those it fetches, along these it walks.
        op.execute("ALTER TABLE case_words ALTER COLUMN words SET STATISTICS 1000")
    if op.get_bind().execute(sa.text("SELECT 1 FROM cases LIMIT 1")).first() is None:
        op.execute("INSERT INTO setting (key, value) VALUES ('search.edition', '1')")


def downgrade() -> None:
    """Remove them."""
    op.execute("DELETE FROM setting WHERE key = 'search.edition'")
    op.execute("DROP TABLE case_words")
    op.drop_index("ix_reporter_phone", table_name="reporter")
    op.drop_index("ix_case_step_actor_name", table_name="case_step")
