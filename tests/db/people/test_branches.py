"""Below a unit stands whatever hangs on it, at any depth."""

from __future__ import annotations

from db.bootstrap import Core
from db.people.branches import units_below
from db.people.tables import unit
from tests.db.engine.kit import write


def test_all_that_hangs_on_a_unit_comes_with_it(core: Core) -> None:
    tree = ((11, 1), (12, 1), (111, 11), (3, None))
    rows = [
        {"id": i, "code": f"T{i}", "name": str(i), "kind": "squad", "parent_id": above} for i, above in tree
    ]
    write(core.database, lambda u: u.insert(unit, rows))
    with core.database.read() as connection:
        assert units_below(connection, [1]) == {1, 11, 12, 111}
        assert units_below(connection, [111, 3]) == {111, 3}
        assert units_below(connection, []) == frozenset()


def test_a_tree_that_bites_its_tail_ends_all_the_same(core: Core) -> None:
    write(core.database, lambda u: u.update(unit, {1: {"parent_id": 2}, 2: {"parent_id": 1}}))
    with core.database.read() as connection:
        assert units_below(connection, [1]) == {1, 2}
