"""GeoJSON and Shapefiles as they come: encodings, frames, damage."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from db.exchange.geography.files import UNREADABLE, Features, examine, read, write
from db.exchange.geography.frames import frame_named
from db.kernel.refusal import Refused, Unavailable
from tests.db.exchange.geography.drawn import geojson, points

HERE = (117.15, 35.08)
NAMES = {"MC": "荆河街道书院社区第一责任网格农贸市场"}


def all_of(path: Path, datum: str = "auto", encoding: str = "auto") -> Features:
    (features,) = read(examine(path, datum, encoding))
    return features


@pytest.mark.parametrize("encoding", ["utf-8", "gbk", "gb18030"])
def test_a_shapefile_without_a_cpg_is_read_for_what_its_bytes_are(tmp_path: Path, encoding: str) -> None:
    path = points(tmp_path / "a.shp", encoding, (*HERE, NAMES))
    file = examine(path, "WGS-84")
    assert file.encoding == ("utf-8" if encoding == "utf-8" else "gb18030")
    assert all_of(path, "WGS-84").values[0] == NAMES


def test_a_cpg_and_a_persons_word_go_before_guessing(tmp_path: Path) -> None:
    path = points(tmp_path / "a.shp", "gbk", (*HERE, NAMES))
    path.with_suffix(".cpg").write_text("936", "ascii")
    assert examine(path, "WGS-84").encoding == "gbk"
    path.with_suffix(".cpg").write_text("UTF-8", "ascii")
    assert UNREADABLE in all_of(path, "WGS-84").values[0]["MC"]
    assert all_of(path, "WGS-84", "gbk").values[0] == NAMES
    with pytest.raises(Refused, match="no encoding"):
        examine(path, "WGS-84", "klingon")


def test_degrees_without_a_prj_need_a_word_and_metres_tell_themselves(tmp_path: Path) -> None:
    path = points(tmp_path / "a.shp", "utf-8", (*HERE, NAMES))
    with pytest.raises(Refused, match=r"has no \.prj: say in which frame"):
        examine(path)
    moved = all_of(path, "GCJ-02").shapes[0]
    assert 400 < abs(moved.x - HERE[0]) * 91_000 < 600
    metres = points(tmp_path / "b.shp", "utf-8", (39_514_242.585, 3_884_472.408, NAMES))
    assert examine(metres).frame.name == "EPSG:4527"
    assert all_of(metres).shapes[0].x == pytest.approx(117.156187, abs=1e-8)


def test_metres_cannot_be_taken_for_degrees(tmp_path: Path) -> None:
    path = points(tmp_path / "a.shp", "utf-8", (514_242.585, 3_884_472.408, NAMES))
    path.with_suffix(".prj").write_text(frame_named("EPSG:4548").esri_text(), "ascii")
    assert examine(path).frame.name == "EPSG:4548"
    with pytest.raises(Refused, match="cannot be read as GCJ-02"):
        examine(path, "GCJ-02")


def test_a_file_of_degrees_is_what_a_person_says(tmp_path: Path) -> None:
    path = points(tmp_path / "a.shp", "utf-8", (*HERE, NAMES))
    path.with_suffix(".prj").write_text(frame_named("WGS-84").esri_text(), "ascii")
    assert examine(path).frame.name == "WGS-84"
    assert examine(path, "GCJ-02").frame.name == "GCJ-02"


def test_geojson_says_its_frame_in_the_old_way_or_in_ours(tmp_path: Path) -> None:
    shape, values = shapely.Point(514_242.585, 3_884_472.408), {"code": "1"}
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4548"}}
    assert all_of(geojson(tmp_path / "a.geojson", (shape, values), crs=crs)).shapes[0].y == pytest.approx(
        35.088951
    )
    ours = geojson(tmp_path / "b.geojson", (shapely.Point(HERE), values), datum="BD-09")
    assert examine(ours).frame.name == "BD-09"
    assert examine(geojson(tmp_path / "c.geojson", (shapely.Point(HERE), values))).frame.name == "WGS-84"


def test_geojson_in_gb18030_and_heights_are_read(tmp_path: Path) -> None:
    path = geojson(tmp_path / "a.geojson", ({"type": "Point", "coordinates": [*HERE, 66.5]}, NAMES))
    path.write_bytes(path.read_text("utf-8").encode("gb18030"))
    found = all_of(path)
    assert found.values[0] == NAMES
    assert not shapely.has_z(found.shapes[0])


@pytest.mark.parametrize(
    "content, words",
    [
        (b"", "is empty"),
        (b"[1, 2]", "holds no collection"),
        (b'{"type": "FeatureCollection", "features": []}', "holds no features"),
        (b'{"type": ', "is not a GeoJSON file"),
        (b"\xff\xfe\x00", "is not"),
    ],
)
def test_what_is_no_geojson_is_told(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "a.geojson"
    path.write_bytes(content)
    with pytest.raises(Refused, match=words):
        examine(path)


@pytest.mark.parametrize(
    "geometry",
    [
        None,
        {"type": "Point", "coordinates": []},
        {"type": "Point", "coordinates": ["a", "b"]},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]},
        {"type": "Cube", "coordinates": [1]},
        {"type": "Polygon"},
    ],
)
def test_a_shape_that_cannot_be_is_none_and_spoils_no_other(tmp_path: Path, geometry: Any) -> None:
    path = geojson(tmp_path / "a.geojson", (geometry, {}), (shapely.Point(HERE), {}))
    shapes = all_of(path).shapes
    assert shapes[0] is None
    assert shapes[1].x == HERE[0]


def test_a_shapefile_without_its_table_or_cut_off_is_told(tmp_path: Path) -> None:
    path = points(tmp_path / "a.shp", "utf-8", *[(*HERE, NAMES)] * 20)
    whole = path.read_bytes()
    path.write_bytes(whole[:150])
    with pytest.raises(Refused, match="cut off"):
        all_of(path, "WGS-84")
    path.write_bytes(whole)
    path.with_suffix(".dbf").unlink()
    with pytest.raises(Refused, match=r"no \.dbf"):
        examine(path, "WGS-84")
    with pytest.raises(Unavailable, match="cannot be read"):
        examine(tmp_path / "none.geojson")


def test_a_file_that_changed_meanwhile_is_not_read(tmp_path: Path) -> None:
    path = geojson(tmp_path / "a.geojson", (shapely.Point(HERE), {}))
    file = examine(path)
    geojson(path, (shapely.Point(HERE), {}), (shapely.Point(HERE), {}))
    with pytest.raises(Refused, match="was changed"):
        next(read(file))


def test_writing_replaces_a_file_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "a.geojson"
    path.write_text("mine")

    def broken() -> Any:
        yield shapely.Point(HERE), ("1",)
        raise Refused("stop", "stop")

    with pytest.raises(Refused):
        write(path, ("code",), broken(), frame_named("WGS-84"))
    assert path.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [path]
    assert write(path, ("code",), [(shapely.Point(HERE), ("1",))], frame_named("WGS-84")) == 1
    assert json.loads(path.read_text("utf-8"))["features"][0]["properties"] == {"code": "1"}
    with pytest.raises(Refused, match=r"write \.geojson or \.shp"):
        write(tmp_path / "a.kml", (), [], frame_named("WGS-84"))


def test_a_text_that_is_too_long_is_cut_between_two_characters(tmp_path: Path) -> None:
    path = tmp_path / "a.shp"
    write(path, ("note",), [(shapely.Point(HERE), ("网" * 200,))], frame_named("WGS-84"))
    assert all_of(path).values[0]["note"] == "网" * 84
    write(path, ("note",), [(shapely.Point(HERE), ("网" * 200,))], frame_named("WGS-84"), "gbk")
    assert all_of(path).values[0]["note"] == "网" * 127


def test_holes_and_several_parts_survive_a_shapefile(tmp_path: Path) -> None:
    ring = shapely.box(117.0, 35.0, 117.3, 35.3).difference(shapely.box(117.1, 35.1, 117.2, 35.2))
    both = shapely.MultiPolygon([ring, shapely.box(118.0, 35.0, 118.1, 35.1)])
    path = tmp_path / "a.shp"
    write(path, ("code",), [(both, ("1",))], frame_named("EPSG:4548"))
    (found,) = all_of(path).shapes
    assert shapely.equals_exact(found, both, 1e-9, normalize=True)
    assert np.isclose(found.area, both.area)
