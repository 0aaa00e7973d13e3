"""The table of DOMAIN 6.3, there and back, and what a .prj says."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from pyproj import CRS

from db.exchange.geography.frames import Frame, frame_by_size, frame_named, frame_of_prj
from db.kernel.refusal import Refused

# Degrees of WGS-84, of GCJ-02, of BD-09, and metres of EPSG:4548: computed by others (DOMAIN 6.3).
TABLE = [
    ((117.156187, 35.088951), (117.162098, 35.088498), (117.168671, 35.094293), (514242.585, 3884472.408)),
    ((117.0, 35.0), (117.005663, 34.999321), (117.012046, 35.005652), (500000.0, 3874592.902)),
    ((116.81, 34.83), (116.815466, 34.829070), (116.822086, 34.834735), (482619.441, 3855749.728)),
    ((117.4, 35.29), (117.406104, 35.289823), (117.412693, 35.295563), (536386.069, 3906839.816)),
]
NAMES = ["WGS-84", "CGCS2000", "GCJ-02", "BD-09", "EPSG:4548", "EPSG:4527", "EPSG:32650"]


@pytest.mark.parametrize("row", TABLE)
def test_the_points_of_the_table_come_out_as_computed(row: tuple[tuple[float, float], ...]) -> None:
    here = shapely.Point(row[0])
    for name, there, within in (
        ("GCJ-02", row[1], 1e-6),
        ("BD-09", row[2], 1e-6),
        ("EPSG:4548", row[3], 2e-3),
    ):
        frame = frame_named(name)
        assert shapely.get_coordinates(frame.from_wgs84(here))[0] == pytest.approx(there, abs=within)
    zone = shapely.get_coordinates(frame_named("EPSG:4527").from_wgs84(here))[0]
    assert zone == pytest.approx((row[3][0] + 39_000_000, row[3][1]), abs=2e-3)


@pytest.mark.parametrize("name", NAMES)
def test_there_and_back_is_the_same_to_a_billionth_of_a_degree(name: str) -> None:
    frame = frame_named(name)
    before = np.array([shapely.Point(row[0]) for row in TABLE], dtype=object)
    after = frame.to_wgs84(frame.from_wgs84(before))
    assert np.abs(shapely.get_coordinates(after) - shapely.get_coordinates(before)).max() < 1e-9


@pytest.mark.parametrize("text", ["gcj02", "GCJ-02", "Gcj 02"])
def test_names_are_read_as_people_write_them(text: str) -> None:
    assert frame_named(text) == Frame("GCJ-02")


def test_codes_of_degrees_are_their_frames() -> None:
    assert frame_named("urn:ogc:def:crs:EPSG::4490") == Frame("CGCS2000")
    assert frame_named("urn:ogc:def:crs:OGC:1.3:CRS84") == Frame("WGS-84")
    assert frame_named("EPSG:4548").is_metres


@pytest.mark.parametrize(
    "code, name", [(4326, "WGS-84"), (4490, "CGCS2000"), (4548, "EPSG:4548"), (4527, "EPSG:4527")]
)
def test_a_prj_says_the_frame(code: int, name: str) -> None:
    assert frame_of_prj(CRS.from_epsg(code).to_wkt("WKT1_ESRI")).name == name
    assert frame_of_prj(frame_named(name).esri_text()).name == name


def test_a_zone_that_has_no_code_is_used_as_the_prj_describes_it() -> None:
    text = CRS.from_epsg(4548).to_wkt("WKT1_ESRI").replace("117.0", "117.25").replace("CM_117E", "local")
    frame = frame_of_prj(text)
    assert frame.is_metres
    x = shapely.get_coordinates(frame.from_wgs84(shapely.Point(117.25, 35.0)))[0][0]
    assert x == pytest.approx(500_000.0, abs=1e-6)


@pytest.mark.parametrize("code", [4610, 4214, 2384])
def test_the_old_datums_are_refused_and_say_why(code: int) -> None:
    with pytest.raises(Refused, match="no public parameters") as refusal:
        frame_of_prj(CRS.from_epsg(code).to_wkt("WKT1_ESRI"))
    assert refusal.value.code == "old_datum"


@pytest.mark.parametrize("text", ["mars", "EPSG:999999", ""])
def test_unknown_frames_are_refused(text: str) -> None:
    with pytest.raises(Refused, match="no coordinate frame"):
        frame_named(text)
    with pytest.raises(Refused):
        frame_of_prj("this is no projection")


def test_metres_tell_their_zone_by_their_size() -> None:
    assert frame_by_size(39_514_242.0) == Frame("EPSG:4527")
    assert frame_by_size(514_242.0) == Frame("EPSG:4548")
    assert frame_by_size(117.15) is None


def test_no_prj_names_what_was_shifted() -> None:
    assert frame_named("BD-09").esri_text() == ""
    assert "China_2000" in frame_named("EPSG:4548").esri_text()
