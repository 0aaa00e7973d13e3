"""Frames convert by the published vectors, and back; distances agree with the known ones."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.kernel import geo

# DOMAIN 6.3, computed at Tengzhou: WGS-84, GCJ-02, BD-09.
VECTORS = (
    ((117.156187, 35.088951), (117.162098, 35.088498), (117.168671, 35.094293)),
    ((117.000000, 35.000000), (117.005663, 34.999321), (117.012046, 35.005652)),
    ((116.810000, 34.830000), (116.815466, 34.829070), (116.822086, 34.834735)),
    ((117.400000, 35.290000), (117.406104, 35.289823), (117.412693, 35.295563)),
)
MICRODEGREE = 1.1e-6
in_the_country = st.tuples(st.floats(75.0, 134.0), st.floats(3.0, 53.0))


@pytest.mark.parametrize("wgs84, gcj02, bd09", VECTORS)
def test_the_published_vectors_are_met_to_a_microdegree(
    wgs84: geo.Point, gcj02: geo.Point, bd09: geo.Point
) -> None:
    assert geo.gcj02_from_wgs84(*wgs84) == pytest.approx(gcj02, abs=MICRODEGREE)
    assert geo.bd09_from_wgs84(*wgs84) == pytest.approx(bd09, abs=MICRODEGREE)
    assert geo.wgs84_from_gcj02(*gcj02) == pytest.approx(wgs84, abs=MICRODEGREE)
    assert geo.wgs84_from_bd09(*bd09) == pytest.approx(wgs84, abs=MICRODEGREE)


@given(in_the_country)
def test_there_and_back_is_less_than_a_millimetre(point: geo.Point) -> None:
    assert geo.metres_between(point, geo.wgs84_from_gcj02(*geo.gcj02_from_wgs84(*point))) < 0.001
    assert geo.metres_between(point, geo.wgs84_from_bd09(*geo.bd09_from_wgs84(*point))) < 0.001


def test_outside_of_china_gcj02_is_wgs84() -> None:
    assert geo.gcj02_from_wgs84(-73.9, 40.7) == (-73.9, 40.7)
    assert geo.wgs84_from_gcj02(-73.9, 40.7) == (-73.9, 40.7)


def test_a_degree_of_latitude_is_111_195_metres() -> None:
    assert geo.metres_between((117.0, 35.0), (117.0, 36.0)) == pytest.approx(111_195, abs=1)
    assert geo.metres_between((117.0, 35.0), (117.0, 35.0)) == 0


@pytest.mark.parametrize(
    "lon, lat, there", [(180, 90, True), (-180, -90, True), (200, 0, False), (0, 91, False)]
)
def test_a_place_is_on_earth_or_it_is_not(lon: float, lat: float, there: bool) -> None:
    assert geo.on_earth(lon, lat) is there
    assert not geo.on_earth(float("nan"), lat)


@given(in_the_country, st.floats(1.0, 5000.0), st.floats(0.0, 2.0 * math.pi), st.floats(0.0, 1.0))
def test_a_box_holds_all_that_is_within_its_radius(
    at: geo.Point, metres: float, turn: float, share: float
) -> None:
    west, south, east, north = geo.box_around(at, metres)
    there = (
        at[0] + (east - at[0]) / 1.001 * share * math.sin(turn),
        at[1] + (north - at[1]) / 1.001 * share * math.cos(turn),
    )
    assert geo.metres_between(at, there) <= metres * 1.01
    for corner in ((west, at[1]), (east, at[1]), (at[0], south), (at[0], north)):
        assert geo.metres_between(at, corner) >= metres
