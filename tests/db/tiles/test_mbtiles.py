"""An MBTiles file gives back what was put in, and says in sentences what is wrong with it."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from db.kernel.refusal import Refused, Unavailable
from db.tiles.mbtiles import MBTiles
from db.tiles.rules import WORLD
from tests.db.tiles.drawn import SAID, TOWN, mbtiles, png, town


def test_every_tile_comes_back_and_no_other(tmp_path: Path) -> None:
    tiles = town()
    file = MBTiles(mbtiles(tmp_path / "a", tiles, SAID))
    for address, picture in tiles.items():
        assert file.tile(*address) == picture
    for zoom, x, y in [(13, 0, 0), (9, 421, 202), (13, 6761, 8191), (10, 844, 404)]:
        assert (zoom, x, y) in tiles or file.tile(zoom, x, y) is None
    facts = file.facts
    assert (facts.kind, facts.name, facts.format, facts.pixels) == ("MBTiles", "城区", "png", 8)
    assert (facts.min_zoom, facts.max_zoom, facts.tiles) == (10, 13, len(tiles))
    assert facts.size == (tmp_path / "a").stat().st_size
    assert facts.bounds == pytest.approx(TOWN)
    assert facts.faults == ()
    file.close()


def test_it_is_read_from_any_thread(tmp_path: Path) -> None:
    tiles = town(13, 13)
    file = MBTiles(mbtiles(tmp_path / "a", tiles, SAID))
    found: list[bytes | None] = []
    threads = [
        threading.Thread(target=lambda: found.extend(file.tile(*address) for address in tiles))
        for _thread in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len(found) == 4 * len(tiles)
    assert set(found) == set(tiles.values())
    file.close()


def test_reading_never_writes(tmp_path: Path) -> None:
    path = mbtiles(tmp_path / "a", town(10, 10), SAID)
    before = path.read_bytes()
    path.chmod(0o444)
    file = MBTiles(path)
    with pytest.raises(sqlite3.OperationalError):
        file._file.execute("DELETE FROM tiles")
    file.close()
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["a"]


def test_an_empty_picture_is_none(tmp_path: Path) -> None:
    tiles = {(1, 0, 0): b"", (1, 1, 1): png((1, 2, 3), 8)}
    file = MBTiles(mbtiles(tmp_path / "a", tiles, {"format": "png"}))
    assert file.tile(1, 0, 0) is None
    assert file.facts.format == "png"
    file.close()


def test_rows_counted_from_the_north_are_found_out(tmp_path: Path) -> None:
    tiles = town(13, 13)
    file = MBTiles(mbtiles(tmp_path / "a", tiles, {"format": "png", "bounds": SAID["bounds"]}, xyz=True))
    assert all(file.tile(*address) == picture for address, picture in tiles.items())
    assert any("from the north" in fault for fault in file.facts.faults)
    file.close()


def test_rows_said_to_be_counted_from_the_north_are_no_fault(tmp_path: Path) -> None:
    tiles = town(13, 13)
    file = MBTiles(mbtiles(tmp_path / "a", tiles, {"format": "png", "scheme": "xyz"}, xyz=True))
    assert all(file.tile(*address) == picture for address, picture in tiles.items())
    assert file.facts.faults == ()
    west, south, east, north = file.facts.bounds
    assert west <= TOWN[0] < TOWN[2] <= east
    assert south <= TOWN[1] < TOWN[3] <= north
    file.close()


@pytest.mark.parametrize(
    "said,fault",
    [
        ({}, "no metadata"),
        ({**SAID, "format": "jpg"}, "calls its tiles jpg"),
        ({**SAID, "minzoom": "3"}, "says minzoom 3"),
        ({**SAID, "maxzoom": "18"}, "says maxzoom 18"),
        ({**SAID, "bounds": "everywhere"}, "“everywhere” are none"),
        ({**SAID, "bounds": "1,2,3"}, "“1,2,3” are none"),
        ({**SAID, "bounds": "117.2,35,117.1,36"}, "are none"),
        ({**SAID, "bounds": "10,10,11,11"}, "do not lie within"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(tmp_path: Path, said: dict[str, str], fault: str) -> None:
    file = MBTiles(mbtiles(tmp_path / "a", town(), said))
    assert any(fault in each for each in file.facts.faults)
    # Bounds that are none are those of the tiles.
    assert file.facts.bounds == pytest.approx(TOWN, abs=0.05)
    file.close()


def test_a_picture_is_called_by_its_short_name(tmp_path: Path) -> None:
    file = MBTiles(mbtiles(tmp_path / "a", town(), {**SAID, "format": "image/PNG"}))
    assert (file.facts.format, file.facts.faults) == ("png", ())
    file.close()


def test_a_gap_between_zooms_is_named(tmp_path: Path) -> None:
    tiles = {address: body for address, body in town().items() if address[0] != 12}
    file = MBTiles(mbtiles(tmp_path / "a", tiles, SAID))
    assert "There are no tiles of zoom 12; those above are enlarged there." in file.facts.faults
    file.close()


@pytest.mark.parametrize(
    "said,datum", [({"datum": "GCJ-02"}, "gcj02"), ({"crs": "bd09"}, "bd09"), ({"datum": "mars"}, "")]
)
def test_a_datum_is_believed_when_it_is_one(tmp_path: Path, said: dict[str, str], datum: str) -> None:
    file = MBTiles(mbtiles(tmp_path / "a", town(), {**SAID, **said}))
    assert file.facts.datum == datum
    file.close()


def test_the_whole_world_has_bounds_of_the_world(tmp_path: Path) -> None:
    file = MBTiles(mbtiles(tmp_path / "a", {(0, 0, 0): png((0, 0, 1), 8)}, {"format": "png"}))
    assert file.facts.bounds == pytest.approx(WORLD, abs=0.01)
    file.close()


def test_another_sqlite_file_is_refused(tmp_path: Path) -> None:
    file = sqlite3.connect(tmp_path / "other")
    file.execute("CREATE TABLE t (a)")
    file.close()
    with pytest.raises(Refused) as refused:
        MBTiles(tmp_path / "other")
    assert refused.value.code == "no_mbtiles"


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cut").write_bytes(b"SQLite format 3\x00" + b"\x17" * 200)
    with pytest.raises(Refused) as refused:
        MBTiles(tmp_path / "cut")
    assert refused.value.code == "no_mbtiles"


@pytest.mark.parametrize("tiles", [{}, {(40, 0, 0): b"x"}])
def test_a_file_without_tiles_is_refused(tmp_path: Path, tiles: dict[tuple[int, int, int], bytes]) -> None:
    with pytest.raises(Refused) as refused:
        MBTiles(mbtiles(tmp_path / "empty", tiles, SAID))
    assert refused.value.code == "no_tiles"


def test_a_file_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        MBTiles(tmp_path / "absent")
    assert not (tmp_path / "absent").exists()
