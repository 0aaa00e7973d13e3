"""The registers as plain values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import insert

from db.bootstrap import Core, open_core
from db.kernel.actor import SYSTEM
from db.kernel.command import command
from db.registers.queries import areas, base_map, categories, components_near, conditions, find_places
from db.registers.tables import component


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


@command("test.furnish", permission="test", label="Furnish")
@dataclass(frozen=True)
class Furnish:
    """Stands in for whatever placed the components."""


def test_the_components_near_a_point_are_those_of_the_class_then_the_nearest(tmp_path: Path) -> None:
    core = open_core(f"sqlite:///{tmp_path / 'near.db'}", create=True)
    lon, lat, metre = 117.15, 35.08, 1 / 111_195.08
    with core.database.read() as connection:
        cover, lamp = (c.id for c in categories(connection)[:2])
    with core.database.write(SYSTEM, Furnish()) as unit:
        unit.connection.execute(
            insert(component),
            [
                {
                    "id": i,
                    "code": f"{i:017}",
                    "category_id": kind,
                    "state": state,
                    "lon": lon,
                    "lat": lat + north * metre,
                }
                for i, (kind, state, north) in enumerate(
                    (
                        (lamp, "intact", 3),
                        (cover, "intact", 40),
                        (cover, "damaged", 20),
                        (cover, "removed", 1),
                        (cover, "intact", 51),
                    ),
                    1,
                )
            ],
        )
    with core.database.read() as connection:
        found = components_near(connection, (lon, lat), category_id=cover)
        nearest = components_near(connection, (lon, lat), limit=1)
    core.close()
    assert [(each.id, round(each.metres)) for each in found] == [(3, 20), (2, 40), (1, 3)]
    assert [each.id for each in nearest] == [1]
