"""The tables that keep the other tables honest: journal, its head, settings."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)

from db.engine.columns import Json, Moment

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

journal = Table(
    "journal",
    metadata,
    # Given by UnitOfWork while it holds the head, so that the order of numbers is the order of commits.
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("actor_id", BigInteger, nullable=False),
    Column("actor_name", String(80), nullable=False),
    Column("station", Integer, nullable=False),
    Column("command", String(60), nullable=False),
    # The command's own fields: what was asked for.
    Column("arguments", Json, nullable=False),
    # What it did: {table: [[id, {column: [before, after]}]]}; a row that came or went lists its id too.
    # A bulk load: {table*: {"rows": n, "sha256": digest}}.
    Column("changes", Json, nullable=False),
    # {table: [id, …]}, or null for a bulk load: what the feed reads.
    Column("touched", Json),
    # The entry that this one undoes.
    Column("undoes", BigInteger),
    # The number of the act, given where it was done: it comes into a journal once, however often it is sent.
    Column("operation", BigInteger),
    # When the server took it; ``at`` is when it was done. Empty in the journal of a single file.
    Column("received_at", BigInteger),
    Column("previous", LargeBinary(32), nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    # Undo asks for the newest act of one person that was not taken back.
    Index("ix_journal_actor_id", "actor_id", "seq"),
    Index(
        "ix_journal_operation",
        "operation",
        unique=True,
        sqlite_where=text("operation IS NOT NULL"),
        postgresql_where=text("operation IS NOT NULL"),
    ),
    Index(
        "ix_journal_undoes",
        "undoes",
        sqlite_where=text("undoes IS NOT NULL"),
        postgresql_where=text("undoes IS NOT NULL"),
    ),
)

journal_head = Table(
    "journal_head",
    metadata,
    # One row. Taking it first puts writers on PostgreSQL in a queue; on SQLite the write lock already does.
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    # The greatest id given so far: several programs share one station number, and their clocks may differ.
    Column("last_id", BigInteger, nullable=False, server_default="0"),
)

setting = Table(
    "setting",
    metadata,
    Column("key", String(60), primary_key=True),
    Column("value", Json, nullable=False),
    # Secrets of this database (the key of the contact digests) are neither journaled nor shown.
    Column("secret", Boolean, nullable=False, default=False, server_default="0"),
    Column("note", Text),
)

# Two officers for a mass change (双人复核): the command as it was proposed, and what the second one said.
proposal = Table(
    "proposal",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("command", String(60), nullable=False),
    Column("arguments", Json, nullable=False),
    # How many cases it is about.
    Column("size", Integer, nullable=False),
    Column("proposed_by", BigInteger, nullable=False),
    Column("proposed_by_name", String(80), nullable=False),
    Column("proposed_at", Moment, nullable=False),
    # waiting, confirmed, refused, withdrawn.
    Column("state", String(12), nullable=False),
    Column("decided_by", BigInteger),
    Column("decided_by_name", String(80), nullable=False, server_default=""),
    Column("decided_at", Moment),
    Column("answer", Text, nullable=False, server_default=""),
    Column("version", Integer, nullable=False, default=1, server_default="1"),
    Index(
        "ix_proposal_waiting",
        "state",
        sqlite_where=text("state = 'waiting'"),
        postgresql_where=text("state = 'waiting'"),
    ),
)

# Acts of this station that are on their way to the server, and what became of them. Never on a server.
outbox = Table(
    "outbox",
    metadata,
    # The operation.
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    # The entry of this file's own journal that holds what it did here; 0 while it stands undone.
    Column("seq", BigInteger, nullable=False),
    Column("at", Moment, nullable=False),
    Column("actor_id", BigInteger, nullable=False),
    Column("actor_name", String(80), nullable=False),
    Column("command", String(60), nullable=False),
    # In plain words, for it is to be done again.
    Column("arguments", Json, nullable=False),
    # The ids that it gave out, as [[first, count], …]: done again, it gives out the same ones.
    Column("ids", Json, nullable=False),
    # The case numbers likewise.
    Column("numbers", Json, nullable=False),
    # waiting, parked (the server refused), dropped, done.
    Column("state", String(8), nullable=False),
    # Why it was parked: {code, message, facts}, and the rows as the server has them.
    Column("refusal", Json),
    Column("decided_at", Moment),
    Index("ix_outbox_state", "state", "id"),
    Index("ix_outbox_seq", "seq", "state"),
)

# One row when this file is the replica of a server.
replica = Table(
    "replica",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    # The address, without a name and a password.
    Column("server", String(400), nullable=False),
    # How the server knows this station again.
    Column("token", String(64), nullable=False),
    # News are known up to here.
    Column("xid", BigInteger, nullable=False, server_default="0"),
    Column("news_id", BigInteger, nullable=False, server_default="0"),
    # The newest entry of the server's journal that was seen, and its seal: a restored server has another.
    Column("seq", BigInteger, nullable=False, server_default="0"),
    Column("seal", LargeBinary(32)),
    # {table: last key} while the first copy is under way; empty when it is whole.
    Column("copying", Json),
    Column("synced_at", Moment),
)

# Who has signed in on-line here, so that he or she may off-line, for some days.
grace = Table(
    "grace",
    metadata,
    Column("login", String(60), primary_key=True),
    Column("password_hash", String(200), nullable=False),
    Column("at", Moment, nullable=False),
    # Wrong passwords in a row, and until when nobody is let in after too many.
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("locked_until", Moment),
)
