"""Borders that move with their neighbours."""

from __future__ import annotations

import hypothesis
import shapely
from hypothesis import strategies as st

from db.registers.reshaping import moved_vertices, reshaped
from db.registers.topology import check
from tests.db.registers.quarter import CELLS, at, box

WHOLE = box(0, 0, 3, 3)


def ring(*corners: tuple[float, float]) -> shapely.Polygon:
    return shapely.Polygon([at(*corner) for corner in corners])


def with_vertex(cell: int, place: int, corner: tuple[float, float]) -> shapely.Polygon:
    points = shapely.get_coordinates(CELLS[cell]).tolist()
    points[place] = list(at(*corner))
    if place == 0:
        points[-1] = points[0]
    return shapely.Polygon(points)


def test_a_shared_corner_moves_in_all_four_cells() -> None:
    # The first vertex of a box is its south-eastern one.
    drawn = with_vertex(35, 0, (2.2, 1.2))
    changes = reshaped(CELLS, {35: drawn})
    assert set(changes) == {32, 33, 35, 36}
    assert all(len(shapely.get_coordinates(shape)) == 5 for shape in changes.values())
    assert check({**CELLS, **changes}, WHOLE).is_clean


def test_an_edge_pushed_outwards_takes_from_the_neighbour() -> None:
    drawn = ring((1, 1), (2, 1), (2.3, 1.5), (2, 2), (1, 2))
    changes = reshaped(CELLS, {35: drawn})
    assert set(changes) == {35, 36}
    assert check({**CELLS, **changes}, WHOLE).is_clean
    assert changes[36].area < CELLS[36].area


def test_an_edge_pulled_inwards_gives_to_the_neighbour() -> None:
    drawn = ring((1, 1), (2, 1), (1.7, 1.5), (2, 2), (1, 2))
    changes = reshaped(CELLS, {35: drawn})
    assert set(changes) == {35, 36}
    assert check({**CELLS, **changes}, WHOLE).is_clean
    assert changes[36].area > CELLS[36].area


def test_a_border_drawn_back_from_the_edge_leaves_its_gap_to_be_told() -> None:
    drawn = ring((0, 1), (1, 1), (1, 2), (0, 2), (0.4, 1.5))
    changes = reshaped(CELLS, {34: drawn})
    assert set(changes) == {34}
    assert len(check({**CELLS, **changes}, WHOLE).gaps) == 1


def test_what_is_drawn_as_it_was_changes_nothing_else() -> None:
    assert set(reshaped(CELLS, {35: CELLS[35]})) == {35}


def test_another_drawing_is_not_taken_for_moved_corners() -> None:
    assert moved_vertices(CELLS[35], CELLS[31]) == {}
    assert moved_vertices(CELLS[35], ring((1, 1), (2, 1), (2, 2))) == {}


@hypothesis.given(
    st.integers(0, 3), st.floats(-0.45, 0.45, allow_nan=False), st.floats(-0.45, 0.45, allow_nan=False)
)
@hypothesis.settings(max_examples=60)
def test_wherever_a_corner_of_the_middle_goes_nothing_opens_and_nothing_overlaps(
    place: int, east: float, north: float
) -> None:
    corner = ((2, 1), (2, 2), (1, 2), (1, 1))[place]
    drawn = with_vertex(35, place, (corner[0] + east, corner[1] + north))
    after = {**CELLS, **reshaped(CELLS, {35: drawn})}
    assert check(after, WHOLE).is_clean
    assert all(shapely.is_valid(shape) for shape in after.values())
