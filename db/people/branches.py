"""The tree of units: what stands below one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import Connection, select

from db.people.tables import unit


def units_below(connection: Connection, ids: Iterable[int]) -> frozenset[int]:
    """These units with all that stand below them, at whatever depth."""
    found = set(ids)
    if not found:
        return frozenset()
    below: dict[int | None, list[int]] = defaultdict(list)
    for row in connection.execute(select(unit.c.id, unit.c.parent_id)):
        below[row.parent_id].append(row.id)
    waiting = list(found)
    while waiting:
        more = [child for child in below[waiting.pop()] if child not in found]
        found.update(more)
        waiting += more
    return frozenset(found)
