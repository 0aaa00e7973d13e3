"""The streets and rivers of the demo city."""

from __future__ import annotations

import shapely

from db.demo.city import City
from db.demo.streets import LANE, MAIN, SIDE, draw_network, trimmed


def test_the_river_runs_through_the_town_under_its_streets(city: City) -> None:
    network = draw_network(1)
    jinghe = network.rivers[0]
    assert jinghe.intersects(city.partition.urban)
    bridges = [street.name for street in city.streets if street.grade == MAIN and street.line.crosses(jinghe)]
    assert len(bridges) >= 2


def test_lanes_have_no_bridges(city: City) -> None:
    water = shapely.union_all([w.outline for w in city.waters if w.kind == "river"])
    assert not any(street.line.intersects(water) for street in city.streets if street.grade == LANE)


def test_side_streets_end_with_the_town_and_main_ones_go_on(city: City) -> None:
    network = trimmed(draw_network(1), city.partition.urban, 1)
    beyond = city.partition.urban.buffer(60)
    assert all(beyond.covers(street.line) for street in network.sides)
    assert not all(beyond.covers(street.line) for street in network.mains)
    assert {street.grade for street in network.sides} == {SIDE}


def test_every_town_is_on_a_road(city: City) -> None:
    roads = shapely.union_all([street.line for street in city.country])
    for town in city.towns:
        if town.name.endswith("镇"):
            assert roads.distance(shapely.Point(town.x, town.y)) < 500
