"""From a point to its cell, patrol area, community and district."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import shapely
from sqlalchemy import insert

from db.bootstrap import Core, open_core
from db.engine.connections import Database
from db.kernel.actor import SYSTEM
from db.registers.locating import NOWHERE, Locator, Whereabouts, locator_of
from db.registers.tables import area
from tests.db.registers.towns import Redraw

# Two cells side by side in one community, and a district that is larger than both.
#
#     30 ┌──────────────┐
#        │   district   │
#     10 ├──────┬───────┤
#        │  11  │  12   │
#      0 └──────┴───────┘
#        0      10     20
SHAPES = {
    1: ("district", (0, 0, 20, 30), None, None),
    2: ("community", (0, 0, 20, 10), 1, None),
    3: ("patrol", (0, 0, 20, 10), 2, None),
    11: ("cell", (0, 0, 10, 10), 2, 3),
    12: ("cell", (10, 0, 20, 10), 2, 3),
}


def draw(
    database: Database, shapes: dict[int, tuple[str, tuple[int, int, int, int], int | None, int | None]]
) -> None:
    with database.write(SYSTEM, Redraw()) as unit:
        unit.connection.execute(
            insert(area),
            [
                {
                    "id": i,
                    "kind": kind,
                    "code": str(i),
                    "name": str(i),
                    "parent_id": parent,
                    "patrol_id": patrol,
                    "outline": shapely.to_wkb(shapely.box(*box)),
                    "lon": box[0],
                    "lat": box[1],
                }
                for i, (kind, box, parent, patrol) in shapes.items()
            ],
        )


@pytest.fixture
def core(tmp_path: Path) -> Iterator[Core]:
    core = open_core(f"sqlite:///{tmp_path / 'areas.db'}", create=True)
    yield core
    core.close()


def test_a_point_finds_its_cell_and_all_above_it(core: Core) -> None:
    draw(core.database, SHAPES)
    with core.database.read() as connection:
        assert Locator(connection).locate(4, 5) == Whereabouts(1, 2, 3, 11)


def test_a_point_in_the_country_has_a_district_only(core: Core) -> None:
    draw(core.database, SHAPES)
    with core.database.read() as connection:
        assert Locator(connection).locate(4, 25) == Whereabouts(district_id=1)


def test_a_point_on_the_border_belongs_to_the_first_cell(core: Core) -> None:
    draw(core.database, SHAPES)
    with core.database.read() as connection:
        assert Locator(connection).locate(10, 5).cell_id == 11


def test_no_position_is_nowhere(core: Core) -> None:
    draw(core.database, SHAPES)
    with core.database.read() as connection:
        locator = Locator(connection)
        assert locator.locate(None, None) == NOWHERE
        found = locator.locate_many(np.array([np.nan, 15.0]), np.array([np.nan, 5.0]))
    assert found.cell_id.tolist() == [0, 12]


def test_a_database_without_areas_knows_no_place(core: Core) -> None:
    with core.database.read() as connection:
        assert Locator(connection).locate(4, 5) == NOWHERE


def test_the_index_is_kept_until_the_areas_change(core: Core) -> None:
    draw(core.database, {i: shape for i, shape in SHAPES.items() if i != 12})
    with core.database.read() as connection:
        kept = locator_of(connection)
        assert locator_of(connection) is kept
        assert kept.locate(15, 5).cell_id is None
    draw(core.database, {12: SHAPES[12]})
    with core.database.read() as connection:
        assert locator_of(connection).locate(15, 5).cell_id == 12
