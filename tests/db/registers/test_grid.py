"""The topology of the areas in a database."""

from __future__ import annotations

import shapely

from db.bootstrap import Core
from db.kernel.actor import SYSTEM
from db.registers.commands import ReshapeAreas
from db.registers.grid import check_grid
from tests.db.registers.quarter import box


def test_a_good_grid_is_sound(quarter: Core) -> None:
    with quarter.database.read() as connection:
        for kind, count in (("district", 1), ("community", 2), ("patrol", 2), ("cell", 9)):
            report = check_grid(connection, kind)
            assert report.is_sound, kind
            assert report.count == count


def test_a_cell_that_was_drawn_without_care_is_told_with_all_that_is_wrong(quarter: Core) -> None:
    text = shapely.to_geojson(box(1.2, 1, 2.4, 2))
    quarter.bus.run(ReshapeAreas(((35, text),), keep_topology=False), SYSTEM)
    with quarter.database.read() as connection:
        report = check_grid(connection, "cell")
    assert not report.is_sound
    assert [set(gap.beside) >= {34, 35} for gap in report.findings.gaps] == [True]
    assert [(each.first, each.second) for each in report.findings.overlaps] == [(35, 36)]
    assert [(each.area_id, each.parent_id) for each in report.crossings] == [(35, 21)]
    assert report.names[35] == "cell 35"
