"""Tests of one noun share a database on the server, emptied in between."""

from __future__ import annotations

from tests.db.engine.recycled import postgres_url, recycled  # noqa: F401  in place of the dearer one
