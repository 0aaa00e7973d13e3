"""Gaps, overlaps, slivers and crossings of tilings."""

from __future__ import annotations

import math
from time import perf_counter

import pytest
import shapely

from db.kernel.geo import EARTH_METRES
from db.registers.topology import check, crossings, polygons_of, square_metres, without_rounding
from tests.db.registers.quarter import CELLS, STEP, box

STEP_M2 = (math.radians(STEP) * EARTH_METRES) ** 2 * math.cos(math.radians(35.0015))


def test_a_good_tiling_has_nothing_to_say() -> None:
    found = check(CELLS, box(0, 0, 3, 3))
    assert found.is_clean
    assert not found.slivers


def test_a_hole_is_a_gap_with_its_size_and_its_neighbours() -> None:
    (gap,) = check({i: shape for i, shape in CELLS.items() if i != 35}).gaps
    assert gap.square_metres == pytest.approx(STEP_M2, rel=1e-4)
    assert set(gap.beside) >= {32, 34, 36, 38}
    assert not gap.is_sliver
    assert shapely.equals_exact(gap.outline, CELLS[35], 1e-9, normalize=True)


def test_what_is_missing_at_the_edge_is_a_gap_only_of_a_whole() -> None:
    without_corner = {i: shape for i, shape in CELLS.items() if i != 39}
    assert check(without_corner).is_clean
    (gap,) = check(without_corner, box(0, 0, 3, 3)).gaps
    assert gap.square_metres == pytest.approx(STEP_M2, rel=1e-4)


def test_ground_with_two_owners_is_an_overlap() -> None:
    (overlap,) = check(CELLS | {31: box(0, 0, 1.5, 1)}).overlaps
    assert (overlap.first, overlap.second) == (31, 32)
    assert overlap.square_metres == pytest.approx(STEP_M2 / 2, rel=1e-4)
    assert not overlap.is_sliver


def test_a_border_drawn_twice_leaves_slivers_and_rounding_is_none() -> None:
    # 0.002 steps are 18 cm, 0.00001 steps a millimetre.
    found = check(CELLS | {31: box(0, 0, 1.002, 1), 37: box(0, 2, 0.998, 3)}, box(0, 0, 3, 3))
    assert len(found.slivers) == 2
    assert all(each.is_sliver for each in (*found.gaps, *found.overlaps))
    assert check(CELLS | {31: box(0, 0, 1.00001, 1)}).is_clean


def test_an_area_that_leaves_its_parent_is_told_with_what_lies_outside() -> None:
    parents = dict.fromkeys(CELLS, 21)
    (crossing,) = crossings({32: CELLS[32], 33: box(2, 0, 3.5, 1)}, parents, {21: box(0, 0, 3, 3)})
    assert (crossing.area_id, crossing.parent_id) == (33, 21)
    assert crossing.square_metres == pytest.approx(STEP_M2 / 2, rel=1e-4)
    assert crossings(CELLS, {}, {21: box(0, 0, 1, 1)}) == []


def test_threads_are_taken_away_and_ground_is_kept() -> None:
    thread = box(1, 0, 1.00001, 1)
    both = shapely.multipolygons([CELLS[31], thread])
    assert shapely.equals(without_rounding(both), CELLS[31])
    assert without_rounding(thread).is_empty
    nested = shapely.GeometryCollection([shapely.MultiPolygon([CELLS[31]]), shapely.Point(0, 0)])
    assert polygons_of(nested) == [CELLS[31]]


def test_nothing_is_nothing() -> None:
    assert check({}).is_clean
    assert square_metres(shapely.Polygon()) == 0.0


@pytest.mark.speed
def test_3600_cells_cost_about_as_much_as_their_union() -> None:
    many = {60 * x + y: box(x, y, x + 1, y + 1) for x in range(60) for y in range(60)}
    began = perf_counter()
    shapely.union_all(list(many.values()))
    union = perf_counter() - began
    began = perf_counter()
    assert check(many, box(0, 0, 60, 60)).is_clean
    assert perf_counter() - began < 30 * union
