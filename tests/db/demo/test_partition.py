"""The cells are a partition of the town, and every larger area is a union of cells."""

from __future__ import annotations

import numpy as np
import shapely

from db.demo.city import City
from db.demo.ground import geometry_to_degrees, read_outline, read_towns
from db.demo.partition import divide
from db.demo.streets import draw_network


def test_cells_leave_no_gap_and_do_not_overlap(city: City) -> None:
    cells = geometry_to_degrees(city.partition.cells)
    assert shapely.coverage_is_valid(cells)
    whole = shapely.union_all(cells)
    assert shapely.get_num_interior_rings(whole) == 0
    assert abs(shapely.area(cells).sum() / whole.area - 1) < 1e-9
    # Lines are noded on a grid of one centimetre, so the rim may differ by that much along its length.
    urban = city.partition.urban
    assert abs(shapely.area(city.partition.cells).sum() - urban.area) < 0.01 * urban.length


def test_cells_are_about_ten_thousand_square_metres(city: City) -> None:
    area = shapely.area(city.partition.cells)
    assert 9_000 < area.mean() < 11_500
    assert area.min() > 2_000
    assert area.max() < 17_000


def test_communities_and_patrol_areas_are_whole_pieces_of_cells(city: City) -> None:
    part = city.partition
    for shapes, group in ((part.communities, part.community), (part.patrols, part.patrol)):
        assert (shapely.get_type_id(shapes) == 3).all()
        own = np.bincount(group, weights=shapely.area(part.cells))
        assert np.allclose(own, shapely.area(shapes))
    # A patrol area never reaches into a second community.
    assert (part.patrol_community[part.patrol] == part.community).all()


def test_districts_fill_the_outline_and_follow_the_cells(city: City) -> None:
    districts = city.partition.districts
    assert shapely.coverage_is_valid(districts)
    assert abs(shapely.area(districts).sum() / city.outline.area - 1) < 1e-6
    middles = shapely.point_on_surface(city.partition.cells)
    home = city.partition.district[city.partition.community]
    assert shapely.contains_properly(districts[home], middles).all()


def test_the_whole_town_has_its_cells_communities_and_patrol_areas() -> None:
    part = divide(draw_network(1), read_towns(), read_outline(), 3600, 1)
    assert 3_450 < len(part.cells) < 3_750
    assert 46 <= len(part.communities) <= 60
    assert 180 <= len(part.patrols) <= 220
    assert shapely.coverage_is_valid(part.cells)
    assert np.bincount(part.community).max() < 1000
