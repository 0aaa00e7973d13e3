"""Addresses become points: on a gazetteer made by hand, and on the demo city."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from db.bootstrap import Core, open_core
from db.demo.city import City, build_city
from db.demo.ground import geometry_to_degrees, to_degrees
from db.kernel.geo import Point, metres_between
from db.registers.placing import Gazetteer, Named, NamedShape, gazetteer_of

# Four roads around one block, a kilometre long and 400 m apart; doors every 20 m on the first.
#
#        善国路          墨子大道
#           │               │
#   ────────┼───────────────┼────────  祥和西路
#           │               │
#   ────────┼───────────────┼────────  荆河路
#           │               │
SOUTH, WEST, METRE = 35.08, 117.15, 1 / 111_195.08
NARROW = math.cos(math.radians(SOUTH))


def at(east: float, north: float) -> Point:
    return WEST + east * METRE / NARROW, SOUTH + north * METRE


def line(*points: tuple[float, float]) -> shapely.LineString:
    return shapely.LineString([at(*point) for point in points])


ROADS = [
    NamedShape("main", "荆河路", "Jinghe Road", line((-500, 0), (900, 0))),
    NamedShape("main", "善国路", "Shanguo Road", line((0, -500), (0, 900))),
    NamedShape("side", "祥和西路", "Xianghe West Road", line((-500, 400), (900, 400))),
    NamedShape("side", "墨子大道", "Mozi Avenue", line((400, -500), (400, 900))),
    NamedShape("lane", "无牌巷", "Nameless Lane", line((2000, 2000), (2100, 2000))),
]
PLACES = [
    Named("crossing", "善国路与荆河路口", "Shanguo and Jinghe", *at(0, 0)),
    Named("crossing", "荆河路与墨子大道路口", "Jinghe and Mozi", *at(400, 0)),
    *(
        Named("door", f"荆河路{n}号", f"{n} Jinghe Road", *at(10 * n, 8 if n % 2 else -8))
        for n in range(1, 41, 4)
    ),
    Named("landmark", "善园", "Shan Garden", *at(600, 600)),
    Named("market", "善国路农贸市场", "Shanguo Market", *at(30, 200)),
]
WATERS = [
    NamedShape("park", "荆河公园", "Jinghe Park", shapely.box(*at(-400, -300), *at(-200, -100))),
]
AREAS = [
    Named("district", "荆河街道", "Jinghe Subdistrict", *at(100, 100)),
    Named("community", "银钟社区", "Yinzhong", *at(50, 50)),
]


@pytest.fixture(scope="module")
def town() -> Gazetteer:
    return Gazetteer(PLACES, ROADS, WATERS, AREAS, ["滕州市"])


@pytest.mark.parametrize(
    "address, east, north",
    [
        ("善国路与荆河路口", 0, 0),
        ("荆河路与善国路口", 0, 0),
        ("荆河路和善国路交叉口", 0, 0),
        ("荆河路善国路路口", 0, 0),
        ("荆河路、善国路", 0, 0),
        ("荆河路与墨子大道路口", 400, 0),
        ("祥和西路与墨子大道路口", 400, 400),
        ("祥和西路和善国路交汇处", 0, 400),
        ("善国路与荆河路口东50米", 50, 0),
        ("善国路与荆河路口往北五十米", 0, 50),
        ("善国路与荆河路口向西约一百二十米处", -120, 0),
        ("善国路与荆河路口南0.2公里", 0, -200),
        ("善国路与荆河路口５０米以东", 50, 0),
        ("善国路与荆河路口东北100米", 70.7, 70.7),
        ("祥和西路与墨子大道路口西30米", 370, 400),
        ("荆河路5号", 50, 8),
        ("荆河路7号", 70, 8),
        ("荆河路9号楼下", 90, 8),
        ("滕州市荆河路5号", 50, 8),
        ("滕州市荆河街道荆河路5号附近", 50, 8),
        ("善园", 600, 600),
        ("善园对面", 600, 600),
        ("善园北100米", 600, 700),
        ("善国路农贸市场北门", 30, 240),
        ("荆河公园东门", -200, -200),
        ("荆河公园南门", -300, -300),
        ("银钟社区", 50, 50),
    ],
)
def test_an_address_means_a_point(town: Gazetteer, address: str, east: float, north: float) -> None:
    found = town.find(address)[0]
    assert found.is_whole
    assert metres_between(found.point, at(east, north)) < 1.5
    assert not found.is_coarse or found.kind == "community"


def test_a_road_alone_is_its_middle_and_says_that_it_is_coarse(town: Gazetteer) -> None:
    found = town.find("荆河路")[0]
    assert (found.kind, found.is_coarse) == ("road", True)
    assert metres_between(found.point, at(200, 0)) < 1
    assert found.within_m == pytest.approx(700, abs=2)


def test_a_number_beyond_the_last_door_is_coarse_and_one_far_beyond_is_only_the_road(town: Gazetteer) -> None:
    beyond = town.find("荆河路45号")[0]
    assert (beyond.kind, beyond.is_coarse) == ("door", True)
    assert town.find("荆河路99999号")[0].kind == "road"
    assert town.find("无牌巷3号")[0].is_coarse


@pytest.mark.parametrize(
    "typed, first",
    [
        ("荆", "荆河路"),
        ("荆河路与", "荆河路"),
        ("荆河路与墨", "荆河路"),
        ("善国路农", "善国路"),
        ("jhl", "荆河路"),
        ("mozida", "墨子大道"),
        ("shan", "善国路"),
        ("Mozi Av", "墨子大道"),
    ],
)
def test_names_are_offered_while_one_is_typed(town: Gazetteer, typed: str, first: str) -> None:
    assert town.find(typed)[0].name == first


def test_both_orders_of_a_crossing_are_offered(town: Gazetteer) -> None:
    for typed in ("善国路与", "荆河路与善"):
        assert "善国路与荆河路口" in [each.name for each in town.find(typed)]


def test_two_characters_are_enough_to_be_found_within_a_name(town: Gazetteer) -> None:
    assert {each.name for each in town.find("农贸")} == {"善国路农贸市场"}


def test_what_is_only_half_understood_is_less_sure(town: Gazetteer) -> None:
    whole, half = town.find("善园")[0], town.find("善园的那个亭子")[0]
    assert half.name == "善园"
    assert half.sure < 0.7 < whole.sure


@pytest.mark.parametrize("nothing", ["", "  ", "，", "不存在的地方", "qqqq", "12"])
def test_what_is_not_known_has_no_point(town: Gazetteer, nothing: str) -> None:
    assert town.find(nothing) == []


def test_a_city_without_names_finds_nothing() -> None:
    bare = Gazetteer([])
    assert bare.find("荆河路") == []
    assert bare.describe(117.0, 35.0) == ""


WAYS = {"北": 0, "东北": 45, "东": 90, "东南": 135, "南": 180, "西南": 225, "西": 270, "西北": 315}


@given(
    st.sampled_from(sorted(WAYS)),
    st.integers(5, 450),
    st.sampled_from(["善国路与荆河路口", "荆河路与墨子大道路口", "善园", "荆河路5号"]),
)
def test_an_offset_leads_as_far_as_it_says_and_in_its_direction(way: str, metres: int, base: str) -> None:
    town = Gazetteer(PLACES, ROADS, WATERS, AREAS)
    start, found = town.find(base)[0], town.find(f"{base}{way}{metres}米")[0]
    assert metres_between(start.point, found.point) == pytest.approx(metres, rel=0.01)
    east = (found.lon - start.lon) * NARROW
    bearing = math.degrees(math.atan2(east, found.lat - start.lat)) % 360
    assert abs((bearing - WAYS[way] + 180) % 360 - 180) < 2.0


@given(st.floats(-150, 500), st.floats(-150, 150))
def test_the_words_for_a_point_lead_back_to_its_neighbourhood(east: float, north: float) -> None:
    town = Gazetteer(PLACES, ROADS)
    words = town.describe(*at(east, north), 400.0)
    assert words
    again = town.find(words)[0]
    # Four directions and tens of metres: a quarter of a circle wide, not more.
    nearest = min(metres_between(at(east, north), (p.lon, p.lat)) for p in PLACES)
    assert metres_between(again.point, at(east, north)) < 0.8 * nearest + 16


@pytest.fixture(scope="module")
def demo_city() -> City:
    return build_city(7, 600)


@pytest.fixture(scope="module")
def demo(demo_city: City) -> Gazetteer:
    degrees = to_degrees(np.array([(p.x, p.y) for p in demo_city.places])).tolist()
    places = [
        Named(p.kind, p.name, p.name_en, lon, lat)
        for p, (lon, lat) in zip(demo_city.places, degrees, strict=True)
    ]
    streets = [*demo_city.streets, *demo_city.country]
    lines = geometry_to_degrees(np.array([street.line for street in streets], dtype=object))
    roads = [NamedShape(s.grade, s.name, s.name_en, shape) for s, shape in zip(streets, lines, strict=True)]
    return Gazetteer(places, roads)


def test_the_addresses_of_the_demo_city_lead_to_their_spots(demo: Gazetteer, demo_city: City) -> None:
    spots = demo_city.spots
    chosen = np.random.default_rng(1).choice(len(spots.x), 400, replace=False)
    degrees = to_degrees(np.column_stack([spots.x[chosen], spots.y[chosen]])).tolist()
    off, kept = [], 0
    for address, (lon, lat) in zip(spots.address[chosen].tolist(), degrees, strict=True):
        found = demo.find(address)[0]
        distance = metres_between(found.point, (lon, lat))
        kept += distance <= found.within_m
        if not found.is_coarse:
            off.append(distance)
    assert len(off) > 200
    assert np.median(off) < 20
    assert np.percentile(off, 95) < 60
    assert kept > 0.93 * len(chosen)


@pytest.fixture
def core(tmp_path: Path) -> Iterator[Core]:
    core = open_core(f"sqlite:///{tmp_path / 'names.db'}", create=True)
    yield core
    core.close()


def test_the_gazetteer_of_a_database_is_kept_until_its_names_change(core: Core) -> None:
    with core.database.read() as connection:
        kept = gazetteer_of(connection)
        assert gazetteer_of(connection) is kept
        assert kept.find("荆河路") == []
