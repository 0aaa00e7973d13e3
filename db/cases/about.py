"""The cases about one component of the city: what the map says when it is clicked."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import BigInteger, Connection, select, type_coerce

from db.cases.tables import case


class CaseAbout(NamedTuple):
    """A case in short; ``reported_at`` in milliseconds since 1970 UTC."""

    id: int
    number: str
    state: str
    category_id: int
    reported_at: int


def cases_about(connection: Connection, component_id: int, limit: int = 50) -> list[CaseAbout]:
    """Cases of all times that name this component, the newest first."""
    c = case.c
    reported = type_coerce(c.reported_at, BigInteger).label("reported_at")
    rows = connection.execute(
        select(c.id, c.number, c.state, c.category_id, reported)
        .where(c.component_id == component_id)
        .order_by(reported.desc(), c.id.desc())
        .limit(limit)
    )
    return [CaseAbout(*row) for row in rows]
