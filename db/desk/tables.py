"""What officers keep at hand: filters and selections of cases, and views of the map, own or shared."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table

from db.engine.columns import BigId, Json, Moment, id_column, version_column
from db.engine.tables import metadata

kept = Table(
    "kept",
    metadata,
    id_column(),
    # filter: a saved filter; selection: the cases themselves, by id; view: a place on the map.
    Column("kind", String(12), nullable=False),
    Column("name", String(60), nullable=False),
    Column("owner_id", BigId, ForeignKey("account.id"), nullable=False),
    Column("owner_name", String(80), nullable=False),
    # The role that sees it too; empty = nobody else, * = everybody.
    Column("shared_with", String(24), nullable=False, server_default=""),
    # Stands in the strip, or on the wall, for whoever sees it.
    Column("pinned", Boolean, nullable=False, server_default="0"),
    Column("ordinal", Integer, nullable=False, server_default="0"),
    # The filter, the ids of the cases, or place and zoom: as plain values.
    Column("content", Json, nullable=False),
    Column("kept_at", Moment, nullable=False),
    version_column(),
    Index("ix_kept_owner_id", "owner_id"),
)
