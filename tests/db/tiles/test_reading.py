"""A tile file is opened by how it begins, whatever it is called."""

from __future__ import annotations

from pathlib import Path

import pytest

from db.kernel.refusal import Refused, Unavailable
from db.tiles.reading import open_tiles
from tests.db.tiles.drawn import SAID, TOWN, mbtiles, pmtiles, town


@pytest.mark.parametrize("name", ["a.mbtiles", "a.pmtiles", "a"])
def test_the_beginning_decides_not_the_name(tmp_path: Path, name: str) -> None:
    for folder in ("m", "p"):
        (tmp_path / folder).mkdir()
    first = open_tiles(mbtiles(tmp_path / "m" / name, town(10, 10), SAID))
    second = open_tiles(pmtiles(tmp_path / "p" / name, town(10, 10), TOWN))
    assert (first.facts.kind, second.facts.kind) == ("MBTiles", "PMTiles")
    assert [file.tile(*address) for file in (first, second) for address in town(10, 10)] == [
        *town(10, 10).values()
    ] * 2
    first.close()
    second.close()


@pytest.mark.parametrize("content", [b"", b"hello", b"\x1f\x8b\x08", b"PMTile"])
def test_what_is_neither_is_refused_by_its_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "text").write_bytes(content)
    with pytest.raises(Refused) as refused:
        open_tiles(tmp_path / "text")
    assert refused.value.code == "no_tile_file"
    assert refused.value.text().startswith("text ")


def test_a_file_that_is_not_there_today_is_unavailable(tmp_path: Path) -> None:
    for absent in (tmp_path / "absent", tmp_path):
        with pytest.raises(Unavailable):
            open_tiles(absent)
