"""Where a tile lies, what its picture is, and which sets cannot be."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.kernel.refusal import Refused
from db.registers.datum import FRAMES
from db.tiles.rules import (
    DATUMS,
    MAX_ZOOM,
    RASTER,
    WORLD,
    TileFacts,
    TileSet,
    bounds_of,
    check_set,
    format_of,
    pixels_of,
    tile_at,
)
from tests.db.tiles.drawn import png

SET = TileSet("街道", "/maps/a.mbtiles", "gcj02", 3, 17)
JPEG = bytes.fromhex("ffd8ffe000040000ffc0000b08010002000101") + bytes(8)


def webp(chunk: bytes) -> bytes:
    return b"RIFF\x00\x00\x00\x00WEBP" + chunk + bytes(8)


@given(st.integers(0, 20), st.floats(-179, 179), st.floats(-84, 84))
def test_a_tile_holds_the_point_that_it_was_found_for(zoom: int, lon: float, lat: float) -> None:
    x, y = tile_at(lon, lat, zoom)
    west, south, east, north = bounds_of(zoom, (x, x), (y, y))
    assert west - 1e-9 <= lon <= east + 1e-9
    assert south - 1e-9 <= lat <= north + 1e-9


@pytest.mark.parametrize("place", [(-180.0, 90.0), (180.0, -90.0), (999.0, 0.0)])
def test_beyond_the_edge_of_the_world_lies_its_last_tile(place: tuple[float, float]) -> None:
    for zoom in (0, 5, MAX_ZOOM):
        x, y = tile_at(*place, zoom)
        assert 0 <= x < 1 << zoom
        assert 0 <= y < 1 << zoom


def test_all_tiles_of_a_zoom_cover_the_world_and_touch() -> None:
    assert bounds_of(3, (0, 7), (0, 7)) == pytest.approx(WORLD, abs=0.01)
    upper, lower = bounds_of(3, (2, 2), (3, 3)), bounds_of(3, (2, 2), (4, 4))
    assert upper[1] == lower[3] == pytest.approx(0.0)
    assert bounds_of(3, (2, 2), (3, 4)) == (upper[0], lower[1], upper[2], upper[3])


@pytest.mark.parametrize(
    "picture,kind",
    [
        (png((1, 2, 3), 8), "png"),
        (JPEG, "jpg"),
        (webp(b"VP8 "), "webp"),
        (b"\x1f\x8b\x08", "pbf"),
        (b"RIFF\x00\x00\x00\x00WAVE", ""),
        (b"GIF89a", ""),
        (b"", ""),
    ],
)
def test_a_picture_is_known_by_how_it_begins(picture: bytes, kind: str) -> None:
    assert format_of(picture) == kind


@pytest.mark.parametrize(
    "picture",
    [
        png((1, 2, 3), 512),
        JPEG,
        webp(b"VP8X" + bytes(8) + (511).to_bytes(3, "little")),
        webp(b"VP8L" + bytes(5) + (511).to_bytes(2, "little")),
        webp(b"VP8 " + bytes(10) + (512).to_bytes(2, "little")),
    ],
    ids=["png", "jpg", "webp extended", "webp lossless", "webp lossy"],
)
def test_the_side_of_a_picture_is_read_from_its_head(picture: bytes) -> None:
    assert pixels_of(picture) == 512


@pytest.mark.parametrize("picture", [b"", b"\x1f\x8b", JPEG[:8], b"\xff\xd8\xff\xe0\x00\x04\x00\x00"])
def test_a_side_that_cannot_be_told_is_none(picture: bytes) -> None:
    assert pixels_of(picture) == 0


@pytest.mark.parametrize("kind", [*RASTER, "pbf", "avif", ""])
def test_only_what_every_engine_draws_is_a_picture(kind: str) -> None:
    assert TileFacts("MBTiles", "a", kind, 0, 1, WORLD, 1, 1).is_raster is (kind in RASTER)


@pytest.mark.parametrize(
    "source,online",
    [
        ("/maps/a.mbtiles", False),
        ("D:/maps/https.pmtiles", False),
        ("ftp://a/{z}/{x}/{y}", False),
        ("http://a/{z}/{x}/{y}", True),
        ("https://a/{z}/{x}/{y}", True),
    ],
)
def test_a_set_is_asked_for_over_the_network_only_by_its_scheme(source: str, online: bool) -> None:
    assert replace(SET, source=source).is_online is online


@pytest.mark.parametrize("datum", DATUMS)
def test_each_datum_is_one_of_the_kernel_and_passes(datum: str) -> None:
    check_set(replace(SET, datum=datum))
    assert DATUMS[datum] in FRAMES


@pytest.mark.parametrize(
    "wrong,code",
    [
        ({"name": " \t"}, "no_name"),
        ({"datum": "mars"}, "unknown_datum"),
        ({"datum": "GCJ-02"}, "unknown_datum"),
        ({"source": "https://tiles.example/{z}/{x}"}, "bad_template"),
        ({"min_zoom": -1}, "bad_zooms"),
        ({"min_zoom": 9, "max_zoom": 8}, "bad_zooms"),
        ({"max_zoom": MAX_ZOOM + 1}, "bad_zooms"),
    ],
)
def test_a_set_that_cannot_be_is_refused_in_a_sentence(wrong: dict[str, object], code: str) -> None:
    with pytest.raises(Refused) as refused:
        check_set(replace(SET, **wrong))  # type: ignore[arg-type]
    assert refused.value.code == code
    assert "{{" not in refused.value.text()


def test_the_ends_of_the_zooms_are_allowed() -> None:
    check_set(replace(SET, min_zoom=0, max_zoom=MAX_ZOOM))
    check_set(replace(SET, min_zoom=5, max_zoom=5))
