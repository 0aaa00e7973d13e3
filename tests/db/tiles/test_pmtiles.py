"""A PMTiles file gives back what was put in; what is damaged or means harm is refused in a sentence."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.kernel.refusal import Refused, Unavailable
from db.tiles import pmtiles as reader
from db.tiles.pmtiles import PMTiles, tile_id
from db.tiles.rules import WORLD
from tests.db.tiles.drawn import TOWN, pmtiles, png, town

_ROOT_AT, _DATA_AT, _HIGH_AT = 8, 56, 101
"""Where in the header stand the offset of the root, that of the tiles, and the highest zoom."""


def refusal_of(path: Path) -> str:
    with pytest.raises(Refused) as refused:
        PMTiles(path)
    assert path.name in refused.value.text()
    return refused.value.code


@pytest.mark.parametrize("leaf_size", [0, 1, 7])
def test_every_tile_comes_back_and_no_other(tmp_path: Path, leaf_size: int) -> None:
    tiles = town()
    said = {"name": "城区", "attribution": "某测绘院"}
    file = PMTiles(pmtiles(tmp_path / "a", tiles, TOWN, said, leaf_size=leaf_size))
    for address, picture in tiles.items():
        assert file.tile(*address) == picture
    for zoom, x, y in [(13, 0, 0), (9, 421, 202), (13, 6761, 8191), (10, 844, 404)]:
        assert (zoom, x, y) in tiles or file.tile(zoom, x, y) is None
    facts = file.facts
    assert (facts.kind, facts.name, facts.attribution) == ("PMTiles", "城区", "某测绘院")
    assert (facts.min_zoom, facts.max_zoom, facts.tiles) == (10, 13, len(tiles))
    assert (facts.format, facts.pixels) == ("png", 8)
    assert facts.size == (tmp_path / "a").stat().st_size
    assert facts.bounds == pytest.approx(TOWN)
    assert facts.faults == ()
    file.close()


def test_more_leaves_than_are_kept_are_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "_KEPT", 2)
    tiles = town()
    file = PMTiles(pmtiles(tmp_path / "a", tiles, TOWN, leaf_size=3))
    for _round in range(2):
        assert all(file.tile(*address) == picture for address, picture in tiles.items())
    assert len(file._leaves) == 2
    file.close()


def test_equal_neighbours_share_a_run(tmp_path: Path) -> None:
    sea = png((0, 0, 200), 8)
    tiles = {(6, x, y): sea for x in range(64) for y in range(64)}
    path = pmtiles(tmp_path / "sea", tiles, (-180, -85, 180, 85))
    file = PMTiles(path)
    assert path.stat().st_size < 1_000
    assert file.tile(6, 63, 63) == file.tile(6, 0, 31) == sea
    assert file.tile(7, 0, 0) is None
    file.close()


def test_packed_tiles_are_unpacked(tmp_path: Path) -> None:
    picture = png((1, 2, 3), 8)
    file = PMTiles(pmtiles(tmp_path / "a", {(0, 0, 0): gzip.compress(picture)}, TOWN, packing=2))
    assert file.tile(0, 0, 0) == picture
    assert file.facts.format == "png"
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


def test_vector_tiles_are_told_apart(tmp_path: Path) -> None:
    file = PMTiles(pmtiles(tmp_path / "v", {(0, 0, 0): gzip.compress(b"\x1a\x02")}, TOWN, kind=1))
    assert (file.facts.format, file.facts.is_raster) == ("pbf", False)
    file.close()


def test_pictures_of_another_kind_than_said_are_told(tmp_path: Path) -> None:
    file = PMTiles(pmtiles(tmp_path / "a", town(10, 10), TOWN, kind=3))
    assert file.facts.format == "png"
    assert file.facts.faults == ("It calls its tiles jpg, but they are png.",)
    file.close()


@pytest.mark.parametrize("bounds", [(0.0, 0.0, 0.0, 0.0), (117.2, 35.0, 117.1, 35.1), (0.0, -91.0, 1.0, 1.0)])
def test_bounds_that_are_none_are_the_world(
    tmp_path: Path, bounds: tuple[float, float, float, float]
) -> None:
    file = PMTiles(pmtiles(tmp_path / "a", town(10, 10), bounds))
    assert file.facts.bounds == WORLD
    assert file.facts.faults == ("Its bounds are none; the whole world is taken.",)
    file.close()


@pytest.mark.parametrize("said,datum", [("GCJ-02", "gcj02"), ("mars", "")])
def test_a_datum_is_believed_when_it_is_one(tmp_path: Path, said: str, datum: str) -> None:
    file = PMTiles(pmtiles(tmp_path / "a", town(10, 10), TOWN, {"datum": said}))
    assert file.facts.datum == datum
    file.close()


def test_a_file_cut_short_says_so(tmp_path: Path) -> None:
    path = pmtiles(tmp_path / "a", town(), TOWN)
    path.write_bytes(path.read_bytes()[:-5])
    file = PMTiles(path)
    assert file.facts.faults == ("The file is shorter than it says: tiles are missing at its end.",)
    file.close()


@pytest.mark.parametrize("length", [0, 7, 126, 140])
def test_a_file_cut_in_its_head_is_damaged(tmp_path: Path, length: int) -> None:
    path = pmtiles(tmp_path / "cut", town(), TOWN)
    path.write_bytes(path.read_bytes()[:length])
    assert refusal_of(path) == "broken_tiles"


def test_what_begins_otherwise_is_no_pmtiles_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"SQLite format 3\x00" + bytes(200))
    assert refusal_of(tmp_path / "a") == "no_pmtiles"


def test_an_older_version_is_named(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="version 2"):
        PMTiles(pmtiles(tmp_path / "old", town(10, 10), TOWN, version=2))


def test_another_packing_is_refused(tmp_path: Path) -> None:
    assert refusal_of(pmtiles(tmp_path / "a", town(10, 10), TOWN, packing=4)) == "packed_tiles"


def test_zooms_that_no_map_has_are_damage(tmp_path: Path) -> None:
    path = pmtiles(tmp_path / "a", town(10, 10), TOWN)
    body = bytearray(path.read_bytes())
    body[_HIGH_AT] = 40
    path.write_bytes(body)
    assert refusal_of(path) == "broken_tiles"


def test_a_directory_that_says_more_than_it_holds_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "a"
    body = bytearray(pmtiles(path, town(10, 10), TOWN).read_bytes())
    root = gzip.compress(b"\xff\xff\xff\x7f")
    body[_ROOT_AT : _ROOT_AT + 16] = struct.pack("<2Q", len(body), len(root))
    path.write_bytes(body + root)
    assert refusal_of(path) == "broken_tiles"


def test_a_directory_without_entries_holds_no_tiles(tmp_path: Path) -> None:
    path = tmp_path / "a"
    body = bytearray(pmtiles(path, town(10, 10), TOWN).read_bytes())
    root = gzip.compress(b"\x00")
    body[_ROOT_AT : _ROOT_AT + 16] = struct.pack("<2Q", len(body), len(root))
    path.write_bytes(body + root)
    assert refusal_of(path) == "no_tiles"


def test_what_would_unpack_to_more_than_there_may_be_is_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "_LARGEST", 10_000)
    path = pmtiles(tmp_path / "a", {(0, 0, 0): gzip.compress(bytes(1_000_000))}, TOWN, packing=2)
    assert path.stat().st_size < 10_000
    assert refusal_of(path) == "broken_tiles"


def test_a_file_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        PMTiles(tmp_path / "absent")
