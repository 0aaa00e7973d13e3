"""The registers as plain values."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from db.bootstrap import Core, open_core
from db.registers.queries import areas, base_map, categories, conditions, find_places


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Core]:
    """A database with reference data and no city."""
    file: Path = tmp_path_factory.mktemp("queries") / "empty.db"
    core = open_core(f"sqlite:///{file}", create=True)
    yield core
    core.close()


def test_both_lists_are_there_and_the_older_points_into_the_newer(empty: Core) -> None:
    with empty.database.read() as connection:
        everything = categories(connection)
        newer = {c.id: c for c in categories(connection, "GB/T 47678.5-2026")}
    assert len(everything) == 614
    assert len(newer) == 403
    pointing = [c for c in everything if c.successor_id is not None]
    assert pointing
    assert all(newer[c.successor_id].kind == c.kind for c in pointing if c.successor_id)


def test_conditions_of_a_class_come_in_their_order(empty: Core) -> None:
    with empty.database.read() as connection:
        cover = next(c for c in categories(connection) if c.code == "01001" and c.kind == "component")
        found = conditions(connection, cover.id)
    assert [c.ordinal for c in found] == [1, 2, 3, 4]
    assert (found[0].limit_amount, found[0].limit_unit) == (2, "urgent_hour")


def test_a_database_without_a_city_has_an_empty_map(empty: Core) -> None:
    with empty.database.read() as connection:
        shapes = base_map(connection)
        assert areas(connection, "cell") == []
        assert find_places(connection, "路") == []
    assert len(shapes.cells) == len(shapes.roads) == len(shapes.waters) == 0
    assert shapes.bounds == (0.0, 0.0, 0.0, 0.0)
