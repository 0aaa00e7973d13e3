"""The tree of units: what stands below one, and to whom somebody who is bound to a part may give cases."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, FromClause, column, func, select
from sqlalchemy import table as light_table

from db.kernel.actor import Scope
from db.people.tables import unit

Tree = Mapping[int, int | None]
"""What stands above each."""

# The registers and the list of duties stand above the people: only these columns are asked.
_area = light_table("area", column("id"), column("parent_id"))
_duty = light_table("duty", column("area_id"), column("unit_id"), column("valid_to"))


def units_below(connection: Connection, ids: Iterable[int]) -> frozenset[int]:
    """These units with all that stand below them, at whatever depth."""
    found = set(ids)
    return frozenset(_with_below(_tree(connection, unit), found) if found else ())


def targets(connection: Connection, scope: Scope) -> frozenset[int] | None:
    """The units that somebody with this scope may give cases to; ``None``: any.

    Dispatch has two levels: the second gives to its own and hands back up what is not its own. Bound to
    units, one gives to these and to those below them. Bound to areas, to the units that answer there by the
    list of duties (责任清单), among them the city's departments that answer everywhere; where the list names
    nobody there, areas bind no target. Who is bound to both is bound by both. The way up is always open: to
    the units above one's own, and to the command centre.
    """
    bound: list[set[int]] = []
    if scope.units:
        bound.append(_with_above(_tree(connection, unit), scope.units))
    if scope.areas and (answering := _answering(connection, scope.areas)):
        bound.append(answering)
    if not bound:
        return None
    centre = connection.execute(select(unit.c.id).where(unit.c.kind == "centre")).scalars()
    return frozenset(set.intersection(*bound).union(centre))


def _answering(connection: Connection, areas: Iterable[int]) -> set[int]:
    """The units with a duty that has not ended in these areas, in a part of them, or around them."""
    tree = _tree(connection, _area)
    places = _with_below(tree, areas) | _with_above(tree, areas)
    lasting = _duty.c.valid_to.is_(None) | (_duty.c.valid_to >= func.current_date())
    rows = connection.execute(select(_duty.c.unit_id, _duty.c.area_id).where(lasting).distinct())
    return {row.unit_id for row in rows if row.area_id in places}


def _tree(connection: Connection, table: FromClause) -> Tree:
    return {row.id: row.parent_id for row in connection.execute(select(table.c.id, table.c.parent_id))}


def _with_below(tree: Tree, ids: Iterable[int]) -> set[int]:
    below: dict[int | None, list[int]] = defaultdict(list)
    for each, parent in tree.items():
        below[parent].append(each)
    found = set(ids)
    waiting = list(found)
    while waiting:
        more = [child for child in below[waiting.pop()] if child not in found]
        found.update(more)
        waiting += more
    return found


def _with_above(tree: Tree, ids: Iterable[int]) -> set[int]:
    found: set[int] = set()
    for each in ids:
        step: int | None = each
        while step is not None and step not in found:
            found.add(step)
            step = tree.get(step)
    return found
