"""Coordinates as people write them, against the vectors of the domain sheet."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.kernel.geo import bd09_from_wgs84, gcj02_from_wgs84, metres_between
from db.kernel.refusal import Refused
from db.registers.datum import DATUMS, FRAMES, looks_like_coordinates, read_coordinates, written

# DOMAIN 6.3: WGS-84, GCJ-02, BD-09, EPSG:4548.
VECTORS = [
    ((117.156187, 35.088951), (117.162098, 35.088498), (117.168671, 35.094293), (514242.585, 3884472.408)),
    ((117.000000, 35.000000), (117.005663, 34.999321), (117.012046, 35.005652), (500000.000, 3874592.902)),
    ((116.810000, 34.830000), (116.815466, 34.829070), (116.822086, 34.834735), (482619.441, 3855749.728)),
    ((117.400000, 35.290000), (117.406104, 35.289823), (117.412693, 35.295563), (536386.069, 3906839.816)),
]
COUNTY = (116.8, 34.8, 117.5, 35.3)


@pytest.mark.parametrize("there, gcj, bd, metres", VECTORS)
def test_every_frame_of_the_domain_sheet_leads_to_the_same_place(
    there: tuple[float, float],
    gcj: tuple[float, float],
    bd: tuple[float, float],
    metres: tuple[float, float],
) -> None:
    for (x, y), datum in ((there, "WGS-84"), (there, "CGCS2000"), (gcj, "GCJ-02"), (bd, "BD-09")):
        found = read_coordinates(f"{x:.6f}, {y:.6f}", datum)
        assert metres_between((found.lon, found.lat), there) < 0.2
        assert (found.original_x, found.original_y, found.datum) == (x, y, datum)
    for text, datum in (
        (f"{metres[0]} {metres[1]}", "EPSG:4548"),
        (f"{metres[1]} {metres[0]}", "EPSG:4548"),
        (f"39{metres[0]:.3f} {metres[1]}", "EPSG:4527"),
    ):
        found = read_coordinates(text, "BD-09")
        assert metres_between((found.lon, found.lat), there) < 0.1
        assert found.datum == datum
        assert found.original_y == metres[1]


@pytest.mark.parametrize(
    "text",
    [
        "117.16, 35.0889",
        "117.16，35.0889",
        "35.0889 117.16",
        "N35.0889 E117.16",
        "35.0889N,117.16E",
        "lat=35.0889, lon=117.16",
        "东经117.16 北纬35.0889",
        "117°09'36\"E 35°05'20\"N",
        "北纬35°05′20″ 东经117°09′36″",
        "117度9分36秒，35度5分20秒",
        "(117.16, 35.0889)",
    ],
)
def test_a_pair_is_understood_however_it_is_written(text: str) -> None:
    found = read_coordinates(text)
    assert (found.lon, found.lat) == (pytest.approx(117.16, abs=2e-5), pytest.approx(35.0889, abs=2e-5))
    assert looks_like_coordinates(text)


def test_where_both_orders_make_sense_the_city_decides() -> None:
    paris = (2.2, 48.8, 2.5, 48.9)
    assert read_coordinates("48.85 2.35", bounds=paris).lon == 2.35
    assert read_coordinates("2.35 48.85", bounds=paris).lon == 2.35
    assert read_coordinates("48.85 2.35").lon == 48.85


@pytest.mark.parametrize("text", ["", "龙泉路118号", "117.16", "1 2 3", "12345", "荆河路口东50米"])
def test_what_is_no_pair_is_left_to_the_gazetteer(text: str) -> None:
    assert not looks_like_coordinates(text)
    with pytest.raises(Refused) as refusal:
        read_coordinates(text)
    assert refusal.value.code == "no_coordinates"


@pytest.mark.parametrize("text", ["514242 35", "999999999 3884472", "514242.5 12"])
def test_metres_of_nowhere_in_china_are_refused(text: str) -> None:
    with pytest.raises(Refused) as refusal:
        read_coordinates(text)
    assert refusal.value.code == "not_in_china"


def test_a_frame_that_nobody_knows_is_refused() -> None:
    with pytest.raises(Refused) as refusal:
        read_coordinates("117.16, 35.08", "Xi'an 80")
    assert refusal.value.code == "unknown_datum"


@given(
    st.floats(COUNTY[0], COUNTY[2]),
    st.floats(COUNTY[1], COUNTY[3]),
    st.sampled_from(DATUMS),
    st.booleans(),
)
def test_what_is_written_in_any_frame_and_order_is_found_again(
    lon: float, lat: float, datum: str, swapped: bool
) -> None:
    make = {"GCJ-02": gcj02_from_wgs84, "BD-09": bd09_from_wgs84}.get(datum, lambda x, y: (x, y))
    x, y = make(lon, lat)
    found = read_coordinates(f"{y:.8f} {x:.8f}" if swapped else f"{x:.8f} {y:.8f}", datum, COUNTY)
    assert metres_between((found.lon, found.lat), (lon, lat)) < 0.01
    assert found.is_swapped is swapped


@pytest.mark.parametrize("there, gcj, bd, metres", VECTORS)
def test_a_place_is_written_in_every_frame_as_the_domain_sheet_has_it(
    there: tuple[float, float],
    gcj: tuple[float, float],
    bd: tuple[float, float],
    metres: tuple[float, float],
) -> None:
    east, north = metres
    assert [written(*there, frame) for frame in FRAMES] == [
        f"{there[0]:.6f}, {there[1]:.6f}",
        f"{gcj[0]:.6f}, {gcj[1]:.6f}",
        f"{bd[0]:.6f}, {bd[1]:.6f}",
        f"{east:,.1f} E  {north:,.1f} N  (117°)",
    ]


def test_what_is_written_is_read_back_as_the_same_place() -> None:
    for frame in FRAMES[:3]:
        back = read_coordinates(written(117.156187, 35.088951, frame), frame)
        assert (back.lon, back.lat) == (
            pytest.approx(117.156187, abs=2e-6),
            pytest.approx(35.088951, abs=2e-6),
        )


def test_beyond_the_zones_of_china_there_are_no_metres() -> None:
    assert written(10.0, 50.0, "CGCS2000") == ""
    assert "(75°)" in written(75.2, 39.5, "CGCS2000")
