"""Picture maps in a real page: from files and from a dead source, each where its datum puts it."""

from __future__ import annotations

import math
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtGui import QColor

from db.kernel.geo import bd09_from_wgs84, gcj02_from_wgs84
from db.tiles.rules import TileSet, tile_at
from desktop.map.mercator import project, unproject
from desktop.map.tiles import OpenedSets, TileSets, stamp_of
from tests.db.tiles.drawn import mbtiles, pmtiles, png
from tests.desktop.map.probe import GROUND, MIDDLE, MapProbe

# Chromium speaks of the graphics card it does not find, once per process.
pytestmark = pytest.mark.expects_qt_warning

LON, LAT = MIDDLE
BOX = (117.05, 35.0, 117.30, 35.2)
RED, BLUE = (200, 0, 0), (0, 0, 200)


@pytest.fixture
def sets(probe: MapProbe) -> TileSets:
    return TileSets(probe.view)


def split_at(east_of: tuple[float, float], zoom: int = 13) -> dict[tuple[int, int, int], bytes]:
    """Red tiles, and blue ones from the column on that holds a point."""
    left, top = tile_at(BOX[0], BOX[3], zoom)
    right, bottom = tile_at(BOX[2], BOX[1], zoom)
    edge = tile_at(*east_of, zoom)[0]
    return {
        (zoom, x, y): png(BLUE if x >= edge else RED)
        for x in range(left, right + 1)
        for y in range(top, bottom + 1)
    }


def registered(path: Path, datum: str = "wgs84", name: str = "pictures") -> TileSet:
    return TileSet(name, str(path), datum)


def is_red(colour: QColor) -> bool:
    return colour.red() > colour.blue() + 20


def is_blue(colour: QColor) -> bool:
    return colour.blue() > colour.red() + 60


@pytest.mark.parametrize("kind", ["mbtiles", "pmtiles"])
def test_tiles_of_a_file_lie_under_the_cases(
    probe: MapProbe, sets: TileSets, until: Callable[..., None], tmp_path: Path, kind: str
) -> None:
    tiles = split_at((LON, LAT))
    path = tmp_path / "a"
    if kind == "mbtiles":
        mbtiles(path, tiles, {"format": "png", "bounds": ",".join(map(str, BOX))})
    else:
        pmtiles(path, tiles, BOX)
    sets.set_sets(OpenedSets([registered(path)]))
    probe.view.set_points("cases", [LON], [LAT], [2], [True])
    probe.settle()
    until(lambda: is_red(probe.colour(LON - 0.04, LAT)) and is_blue(probe.colour(LON + 0.04, LAT)))
    assert probe.ask("jingwei.tiles.covers")


@pytest.mark.parametrize(
    "datum,shifted", [("gcj02", gcj02_from_wgs84), ("bd09", bd09_from_wgs84), ("cgcs2000", lambda *at: at)]
)
def test_a_picture_of_another_datum_is_shifted_to_where_it_belongs(
    probe: MapProbe,
    sets: TileSets,
    until: Callable[..., None],
    tmp_path: Path,
    datum: str,
    shifted: Callable[[float, float], tuple[float, float]],
) -> None:
    # The border of the colours is a column of tiles of zoom 16, some 500 m wide, in the frame of the picture.
    zoom = 16
    column, row = tile_at(LON, LAT, zoom)
    tiles = {
        (z, x, y): body
        for (z, x, y), body in split_at(shifted(LON, LAT), zoom).items()
        if abs(x - column) < 6 and abs(y - row) < 6
    }
    edge = tile_at(*shifted(LON, LAT), zoom)[0] / 2**zoom * 360.0 - 180.0
    path = mbtiles(tmp_path / "a", tiles, {"format": "png", "bounds": ",".join(map(str, BOX))})
    probe.view.go_to(LON, LAT, 16)
    sets.set_sets(OpenedSets([registered(path, datum)]))
    probe.settle()
    # Where that border lies in WGS-84: found by walking, with the formula of the kernel only.
    low, high = LON - 0.02, LON + 0.02
    for _halving in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if shifted(middle, LAT)[0] < edge else (low, middle)
    metre = 1 / (111_320 * math.cos(math.radians(LAT)))
    until(lambda: is_red(probe.colour(low - 6 * metre, LAT)))
    until(lambda: is_blue(probe.colour(low + 6 * metre, LAT)))


def shift(probe: MapProbe, datum: str, way: str, x: float, y: float) -> tuple[float, float]:
    """What the page makes of a place of the unit square: "to" the frame of a picture or "from" it."""
    taken = f"jingwei.tiles.take([{{ datum: '{datum}', bounds: [0, 0, 1, 1], pixels: 256 }}])"
    found = probe.ask(f"({taken}, jingwei.tiles.sets[0].shift.{way}({x!r}, {y!r}))")
    return found[0], found[1]


@pytest.mark.parametrize("datum,shifted", [("gcj02", gcj02_from_wgs84), ("bd09", bd09_from_wgs84)])
def test_the_page_reckons_like_the_kernel_within_a_millimetre(
    probe: MapProbe, datum: str, shifted: Callable[[float, float], tuple[float, float]]
) -> None:
    probe.settle()
    (x,), (y,) = project([LON], [LAT])
    there = shift(probe, datum, "to", float(x), float(y))
    assert unproject(*there) == pytest.approx(shifted(LON, LAT), abs=1e-8)
    assert unproject(*shift(probe, datum, "from", *there)) == pytest.approx((LON, LAT), abs=1e-8)


@pytest.mark.parametrize("zoom", [12, 13, 14, 16])
def test_a_piece_is_laid_within_half_a_metre(probe: MapProbe, zoom: int) -> None:
    """The corners of a piece are exact; between them the shift is taken to be even."""
    probe.settle()
    side = 1 / (2**zoom * min(4, 2 ** max(0, 14 - zoom)))
    (x,), (y,) = project([LON], [LAT])
    x, y = float(x // side * side), float(y // side * side)
    at, along, down = (
        shift(probe, "gcj02", "from", x + u * side, y + v * side) for u, v in [(0, 0), (1, 0), (0, 1)]
    )
    for u, v in [(0.5, 0.5), (1, 1), (0.5, 1), (1, 0.5)]:
        exact = shift(probe, "gcj02", "from", x + u * side, y + v * side)
        laid = [at[k] + u * (along[k] - at[k]) + v * (down[k] - at[k]) for k in (0, 1)]
        metres = math.dist(exact, laid) * 40_075_016 * math.cos(math.radians(LAT))
        assert metres < 0.5


def test_without_tiles_the_ground_is_drawn_from_the_database(
    probe: MapProbe, sets: TileSets, until: Callable[..., None], tmp_path: Path
) -> None:
    path = pmtiles(tmp_path / "a", split_at((LON, LAT)), BOX)
    sets.set_sets(OpenedSets([registered(path)]))
    probe.view.set_layers({"roads": True})
    probe.settle()
    until(lambda: probe.ask("jingwei.tiles.covers"))
    sets.set_sets(OpenedSets([]))
    probe.settle()
    until(lambda: not probe.ask("jingwei.tiles.covers"))
    until(lambda: not is_red(probe.colour(LON - 0.04, LAT)))


@pytest.mark.expects_log("Tiles gone")
def test_a_set_lies_over_those_before_it_and_a_missing_file_is_told(
    probe: MapProbe, sets: TileSets, until: Callable[..., None], tmp_path: Path
) -> None:
    red = {address: png(RED) for address in split_at((LON, LAT))}
    blue = {address: png(BLUE) for address in red}
    first = mbtiles(tmp_path / "a", red, {"bounds": ",".join(map(str, BOX))})
    second = pmtiles(tmp_path / "b", blue, BOX)
    opened = OpenedSets(
        [
            registered(first, name="lower"),
            registered(tmp_path / "gone", name="gone"),
            registered(second, name="upper"),
        ]
    )
    sets.set_sets(opened)
    probe.settle()
    until(lambda: is_blue(probe.colour(LON - 0.02, LAT)))
    assert list(sets.missing) == ["gone"]
    assert "gone" in sets.missing["gone"]


def test_closer_than_the_files_last_zoom_its_pictures_are_enlarged(
    probe: MapProbe, sets: TileSets, until: Callable[..., None], tmp_path: Path
) -> None:
    path = pmtiles(tmp_path / "a", split_at((LON, LAT), 12), BOX)
    sets.set_sets(OpenedSets([registered(path)]))
    probe.view.go_to(LON - 0.05, LAT, 17)
    probe.settle()
    until(lambda: is_red(probe.colour(LON - 0.05, LAT + 0.001)))


@pytest.fixture
def black_hole() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/{{z}}/{{x}}/{{y}}"


def test_a_dead_source_holds_up_neither_the_files_nor_the_map(
    probe: MapProbe, sets: TileSets, until: Callable[..., None], tmp_path: Path, black_hole: str
) -> None:
    path = pmtiles(tmp_path / "a", split_at((LON, LAT)), BOX)
    dead = TileSet("dead", black_hole, "cgcs2000", 3, 18)
    sets.set_sets(OpenedSets([registered(path), dead]))
    probe.settle()
    until(lambda: is_red(probe.colour(LON - 0.04, LAT)))
    # The page still draws a case at once while the source says nothing.
    probe.view.set_points("cases", [LON], [LAT], [2], [True])
    probe.settle()
    states = set(
        probe.ask("[...jingwei.tiles.kept.values()].filter((t) => t.set.name === 'dead').map((t) => t.state)")
    )
    assert states
    assert states <= {"unknown", "asked", "later"}
    assert probe.view.web.refused == []


def test_bytes_that_are_no_picture_are_never_shown(
    probe: MapProbe, sets: TileSets, until: Callable[..., None], tmp_path: Path
) -> None:
    tiles = dict.fromkeys(split_at((LON, LAT)), b"<script>document.title='taken'</script>")
    path = mbtiles(tmp_path / "a", tiles, {"format": "png", "bounds": ",".join(map(str, BOX))})
    sets.set_sets(OpenedSets([registered(path)]))
    probe.settle()
    until(lambda: probe.ask("[...jingwei.tiles.kept.values()].some(({state}) => state === 'none')"))
    assert not probe.ask("jingwei.tiles.covers")
    assert probe.ask("document.title") != "taken"


def test_the_sources_of_the_pictures_are_named(
    probe: MapProbe, sets: TileSets, until: Callable[..., None], tmp_path: Path
) -> None:
    path = pmtiles(tmp_path / "a", split_at((LON, LAT)), BOX)
    sets.set_sets(OpenedSets([TileSet("p", str(path), "wgs84", attribution="© <b>Survey</b>")]))
    probe.settle()
    until(lambda: "Survey" in probe.ask("jingwei.margin.source.textContent"))
    assert probe.ask("jingwei.margin.source.textContent") == f"{GROUND.attribution} · © <b>Survey</b>"


def test_a_file_is_another_one_by_its_stamp(tmp_path: Path) -> None:
    path = pmtiles(tmp_path / "a", {(0, 0, 0): png(RED)}, BOX)
    before = stamp_of(registered(path))
    assert before is not None
    assert stamp_of(registered(path, "gcj02")) == before
    path.write_bytes(path.read_bytes() + b"more")
    assert stamp_of(registered(path)) != before
    assert stamp_of(registered(tmp_path / "absent")) is None
    assert stamp_of(TileSet("a", "https://tiles.example/{z}/{x}/{y}", "wgs84")) is None
