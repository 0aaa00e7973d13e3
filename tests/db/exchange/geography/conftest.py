"""A quarter of nine cells on both databases, and a register of every kind."""

from __future__ import annotations

from tests.db.engine.recycled import postgres_url, recycled  # noqa: F401  in place of the dearer one
from tests.db.registers.conftest import quarter  # noqa: F401
