"""Who could look after a case: the collectors nearest to a point, with what each has in hand already."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from db.cases.tables import task
from db.people.tracking import NearPerson, nearest


@dataclass(frozen=True)
class Available:
    """A collector near a point, and how many tasks he was sent and has not answered."""

    person: NearPerson
    tasks: int


def nearest_available(
    connection: Connection, lon: float, lat: float, now: datetime, limit: int = 8
) -> list[Available]:
    """The nearest collectors (WGS-84 degrees), whoever is lost last; the load is told, not weighed."""
    found = nearest(connection, lon, lat, now, limit)
    rows = connection.execute(
        select(task.c.person_id, func.count())
        .where(task.c.person_id.in_([each.id for each in found]), task.c.answered_at.is_(None))
        .group_by(task.c.person_id)
    )
    loads = {person_id: int(count) for person_id, count in rows}
    return [Available(each, loads.get(each.id, 0)) for each in found]
