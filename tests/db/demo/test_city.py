"""Places and addresses of the demo city."""

from __future__ import annotations

import re

import numpy as np
import shapely

from db.demo.city import City, build_city, corner_of, locate_cells


def test_the_same_seed_draws_the_same_city(city: City) -> None:
    again = build_city(1, 200)
    assert shapely.to_wkb(again.partition.cells).tolist() == shapely.to_wkb(city.partition.cells).tolist()
    assert again.spots.address.tolist() == city.spots.address.tolist()
    assert [p.name for p in again.places] == [p.name for p in city.places]


def test_another_seed_draws_another_city(city: City) -> None:
    assert len(build_city(2, 200).spots.x) != len(city.spots.x)


def test_a_corner_is_called_as_people_call_it() -> None:
    assert corner_of("龙泉路", "荆河路") == "龙泉路与荆河路口"
    assert corner_of("龙泉路", "墨子大道") == "龙泉路与墨子大道路口"


def test_spots_lie_in_their_cell(city: City) -> None:
    spots = city.spots
    assert (locate_cells(city.tree, spots.x, spots.y) == spots.cell).all()


def test_an_address_at_a_corner_gives_the_true_distance_and_direction(city: City) -> None:
    corners = {p.name: (p.x, p.y) for p in city.places if p.kind == "crossing"}
    told = 0
    for x, y, address in zip(city.spots.x, city.spots.y, city.spots.address, strict=True):
        match = re.fullmatch(r"(.+路口|.+街口)([东西南北])(\d+)米", address)
        if match is None or match[1] not in corners:
            continue
        told += 1
        dx, dy = x - corners[match[1]][0], y - corners[match[1]][1]
        assert abs(np.hypot(dx, dy) - int(match[3])) < 25
        toward = {"东": dx, "西": -dx, "北": dy, "南": -dy}
        assert toward[match[2]] == max(toward.values())
    assert told > 50
