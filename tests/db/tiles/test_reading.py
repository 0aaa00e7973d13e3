"""Both kinds of tile files give back what was put in, and say in sentences what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.kernel.refusal import Refused, Unavailable
from db.tiles.pmtiles import tile_id
from db.tiles.reading import open_tiles
from db.tiles.rules import bounds_of, pixels_of, tile_at
from tests.db.tiles.drawn import Address, mbtiles, pmtiles, png

TOWN = (117.10, 35.04, 117.23, 35.13)


def town(low: int = 10, high: int = 13) -> dict[Address, bytes]:
    """Every tile of the town, each of a colour of its own."""
    tiles = {}
    for zoom in range(low, high + 1):
        left, top = tile_at(TOWN[0], TOWN[3], zoom)
        right, bottom = tile_at(TOWN[2], TOWN[1], zoom)
        for x in range(left, right + 1):
            for y in range(top, bottom + 1):
                tiles[zoom, x, y] = png((zoom, x % 256, y % 256), 8)
    return tiles


SAID = {
    "name": "城区",
    "format": "png",
    "minzoom": "10",
    "maxzoom": "13",
    "bounds": "117.10,35.04,117.23,35.13",
}


@pytest.mark.parametrize("kind", ["mbtiles", "pmtiles", "pmtiles with leaves"])
def test_every_tile_comes_back_and_no_other(tmp_path: Path, kind: str) -> None:
    tiles = town()
    if kind == "mbtiles":
        path = mbtiles(tmp_path / "a", tiles, SAID)
    else:
        path = pmtiles(tmp_path / "a", tiles, TOWN, leaf_size=7 if "leaves" in kind else 0)
    file = open_tiles(path)
    for address, picture in tiles.items():
        assert file.tile(*address) == picture
    for zoom, x, y in [(13, 0, 0), (9, 421, 202), (13, 6761, 8191), (10, 844, 404)]:
        assert (zoom, x, y) in tiles or file.tile(zoom, x, y) is None
    assert (file.facts.min_zoom, file.facts.max_zoom, file.facts.tiles) == (10, 13, len(tiles))
    assert file.facts.bounds == pytest.approx(TOWN)
    assert file.facts.format == "png"
    assert file.facts.pixels == 8
    assert file.facts.faults == ()
    file.close()


def test_equal_neighbours_share_a_run(tmp_path: Path) -> None:
    sea = png((0, 0, 200), 8)
    tiles = {(6, x, y): sea for x in range(64) for y in range(64)}
    path = pmtiles(tmp_path / "sea", tiles, (-180, -85, 180, 85))
    file = open_tiles(path)
    assert path.stat().st_size < 1_000
    assert file.tile(6, 63, 63) == file.tile(6, 0, 31) == sea
    assert file.tile(7, 0, 0) is None
    file.close()


def test_the_numbers_of_tiles_are_those_of_the_specification() -> None:
    # From the table in section 4.1 of the PMTiles 3 specification.
    first = [(0, 0, 0), (1, 0, 0), (1, 0, 1), (1, 1, 1), (1, 1, 0), (2, 0, 0)]
    assert [tile_id(*each) for each in first] == [0, 1, 2, 3, 4, 5]
    assert tile_id(12, 3423, 1763) == 19078479


@given(st.integers(0, 9), st.data())
def test_neighbours_on_the_curve_are_neighbours_on_the_map(zoom: int, data: st.DataObject) -> None:
    side = 1 << zoom
    x, y = data.draw(st.integers(0, side - 1)), data.draw(st.integers(0, side - 1))
    number = tile_id(zoom, x, y)
    beside = [(x + dx, y + dy) for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1))]
    numbers = {tile_id(zoom, *each) for each in beside if 0 <= each[0] < side and 0 <= each[1] < side}
    first, last = (4**zoom - 1) // 3, (4 ** (zoom + 1) - 1) // 3 - 1
    assert first <= number <= last
    assert {each for each in (number - 1, number + 1) if first <= each <= last} <= numbers


def test_rows_counted_from_the_north_are_found_out(tmp_path: Path) -> None:
    tiles = town(13, 13)
    file = open_tiles(mbtiles(tmp_path / "a", tiles, {"format": "png", "bounds": SAID["bounds"]}, xyz=True))
    assert all(file.tile(*address) == picture for address, picture in tiles.items())
    assert any("from the north" in fault for fault in file.facts.faults)
    file.close()


@pytest.mark.parametrize(
    "said,fault",
    [
        ({}, "no metadata"),
        ({**SAID, "format": "jpg"}, "calls its tiles jpg"),
        ({**SAID, "maxzoom": "18"}, "says maxzoom 18"),
        ({**SAID, "bounds": "everywhere"}, "“everywhere” are none"),
        ({**SAID, "bounds": "10,10,11,11"}, "do not lie within"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(tmp_path: Path, said: dict[str, str], fault: str) -> None:
    file = open_tiles(mbtiles(tmp_path / "a", town(), said))
    assert any(fault in each for each in file.facts.faults)
    file.close()


def test_a_gap_between_zooms_is_named(tmp_path: Path) -> None:
    tiles = {address: body for address, body in town().items() if address[0] != 12}
    file = open_tiles(mbtiles(tmp_path / "a", tiles, SAID))
    assert "There are no tiles of zoom 12; those above are enlarged there." in file.facts.faults
    file.close()


def test_a_datum_is_believed_when_it_is_one(tmp_path: Path) -> None:
    said = open_tiles(mbtiles(tmp_path / "a", town(), {**SAID, "datum": "GCJ-02"}))
    silent = open_tiles(mbtiles(tmp_path / "b", town(), {**SAID, "datum": "mars"}))
    assert (said.facts.datum, silent.facts.datum) == ("gcj02", "")
    said.close()
    silent.close()


def test_vector_tiles_are_told_apart(tmp_path: Path) -> None:
    import gzip

    file = open_tiles(pmtiles(tmp_path / "v", {(0, 0, 0): gzip.compress(b"\x1a\x02")}, TOWN, kind=1))
    assert (file.facts.format, file.facts.is_raster) == ("pbf", False)
    file.close()


def test_what_is_no_tile_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello")
    (tmp_path / "short").write_bytes(b"PMTiles\x03")
    old = pmtiles(tmp_path / "old", town(10, 10), TOWN, version=2)
    whole = pmtiles(tmp_path / "whole", town(), TOWN).read_bytes()
    (tmp_path / "cut").write_bytes(whole[:140])
    for name, code in [("text", "no_tile_file"), ("short", "broken_tiles"), ("cut", "broken_tiles")]:
        with pytest.raises(Refused) as refused:
            open_tiles(tmp_path / name)
        assert refused.value.code == code
    with pytest.raises(Refused, match="version 2"):
        open_tiles(old)
    with pytest.raises(Unavailable):
        open_tiles(tmp_path / "absent")


def test_an_sqlite_file_without_tiles_is_refused(tmp_path: Path) -> None:
    import sqlite3

    file = sqlite3.connect(tmp_path / "other")
    file.execute("CREATE TABLE t (a)")
    file.close()
    with pytest.raises(Refused) as refused:
        open_tiles(tmp_path / "other")
    assert refused.value.code == "no_mbtiles"
    with pytest.raises(Refused) as refused:
        open_tiles(mbtiles(tmp_path / "empty", {}, SAID))
    assert refused.value.code == "no_tiles"


def test_a_file_cut_short_says_so(tmp_path: Path) -> None:
    path = pmtiles(tmp_path / "a", town(), TOWN)
    path.write_bytes(path.read_bytes()[:-5])
    file = open_tiles(path)
    assert file.facts.faults == ("The file is shorter than it says: tiles are missing at its end.",)
    file.close()


@given(st.integers(0, 20), st.floats(-179, 179), st.floats(-84, 84))
def test_a_tile_holds_the_point_that_it_was_found_for(zoom: int, lon: float, lat: float) -> None:
    x, y = tile_at(lon, lat, zoom)
    west, south, east, north = bounds_of(zoom, (x, x), (y, y))
    assert west - 1e-9 <= lon <= east + 1e-9
    assert south - 1e-9 <= lat <= north + 1e-9


def test_the_side_of_a_picture_is_read_from_its_head() -> None:
    assert pixels_of(png((1, 2, 3), 512)) == 512
    assert pixels_of(bytes.fromhex("ffd8ffe000040000ffc0000b08010002000101") + bytes(8)) == 512
    assert (
        pixels_of(b"RIFF\x00\x00\x00\x00WEBPVP8X" + bytes(8) + (511).to_bytes(3, "little") + bytes(3)) == 512
    )
    assert pixels_of(b"\x1f\x8b") == 0
