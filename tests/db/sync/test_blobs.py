"""Photos come over by their hash, in parts, and go on where they were cut."""

from __future__ import annotations

import random
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import text

from db.cases.commands.intake import Report
from db.cases.photos import AttachPhoto, Kept, PhotoStore, photo_store
from db.cases.tables import photo
from db.engine.connections import Database, open_database
from db.kernel.refusal import Unavailable
from db.sync import blobs
from db.sync.blobs import PART, Photos, Wanted
from db.sync.standing import PhotoWay, Way
from tests.db.sync.conftest import Pair
from tests.flows.bureau import COVER
from tests.kit.network import Post, Server


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blobs, "PART", 4096)
    monkeypatch.setattr(blobs, "PARTS_A_STEP", 3)


def attach(post: Post, login: str, folder: Path) -> Kept:
    """A case with a photo that takes some parts."""
    noise = random.Random(7).randbytes(160 * 120 * 3)
    file = folder / "photo.png"
    Image.frombytes("RGB", (160, 120), noise).save(file)
    kept = photo_store(post.local).take(file)
    case_id = post.run(Report("hotline", COVER, "井盖破损", "学府路"), login)
    post.run(AttachPhoto(case_id, "before", "photo.png", **asdict(kept)), login)
    assert kept.bytes > 10 * 4096
    return kept


def steps(photos: Photos, server: Database) -> int:
    """Let them travel until there is nothing more; how many steps it took."""
    taken = 1
    while photos.step(server):
        taken += 1
    return taken


def parts_of(server: Server, kept: Kept) -> int:
    with server.owner.read() as connection:
        found = connection.execute(
            text("SELECT count(*) FROM blob WHERE sha256 = :sha256"), {"sha256": kept.sha256}
        )
        return int(found.scalar_one())


def test_a_photo_travels_from_one_station_to_the_other(pair: Pair, tmp_path: Path) -> None:
    kept = attach(pair.east, "wang", tmp_path)
    pair.east.sync()
    pair.west.sync()
    west = photo_store(pair.west.local)
    assert west.find(kept.sha256, kept.mime) is None
    steps(Photos(pair.east.local), pair.east.way("wang"))
    steps(Photos(pair.west.local), pair.west.way("sun"))
    path = west.find(kept.sha256, kept.mime)
    assert path is not None
    assert path.read_bytes() == photo_store(pair.east.local).path(kept.sha256, kept.mime).read_bytes()
    assert west.thumbnail(kept.sha256, kept.mime) is not None
    assert [each.name for each in path.parent.iterdir() if each.name.startswith(".")] == []


def test_the_rows_have_their_turn_between_the_parts(pair: Pair, tmp_path: Path) -> None:
    kept = attach(pair.east, "wang", tmp_path)
    photos = Photos(pair.east.local)
    assert photos.step(pair.east.way("wang"))
    assert parts_of(pair.server, kept) == 3


@pytest.mark.parametrize("after", [1, 4])
def test_a_photo_on_its_way_up_goes_on_where_it_was_cut(pair: Pair, tmp_path: Path, after: int) -> None:
    kept = attach(pair.east, "wang", tmp_path)
    pair.east.sync()
    way = pair.east.way("wang")
    photos = Photos(pair.east.local)
    pair.east.faults.count = after
    pair.east.faults.kind = lambda: Unavailable("database_lost", "The line was cut.")
    with pytest.raises(Unavailable):
        steps(photos, way)
    there = parts_of(pair.server, kept)
    assert there == after - 1
    # Another program begins where that one ended.
    way.close()
    steps(Photos(pair.east.local), way)
    assert parts_of(pair.server, kept) == -(-kept.bytes // 4096)


def test_a_photo_on_its_way_down_goes_on_where_it_was_cut(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = attach(pair.east, "wang", tmp_path)
    pair.east.sync()
    pair.west.sync()
    steps(Photos(pair.east.local), pair.east.way("wang"))
    way, store = pair.west.way("sun"), photo_store(pair.west.local)
    assert Photos(pair.west.local).step(way)
    assert store.arrived(kept.sha256, kept.mime) == 3 * 4096
    # Killed while a part was being written.
    (draft,) = store.path(kept.sha256, kept.mime).parent.iterdir()
    with draft.open("ab") as stream:
        stream.write(b"half")
    steps(Photos(pair.west.local), way)
    path = store.find(kept.sha256, kept.mime)
    assert path is not None
    assert path.stat().st_size == kept.bytes


def test_who_looks_at_a_photo_is_told_how_it_stands_and_gets_it_first(pair: Pair, tmp_path: Path) -> None:
    kept = attach(pair.east, "wang", tmp_path)
    pair.east.sync()
    pair.west.sync()
    (row,) = pair.west.rows(photo).values()
    wanted = Wanted(kept.sha256, kept.mime, kept.bytes, row["id"])
    west, way = Photos(pair.west.local), pair.west.way("sun")
    steps(west, way)
    assert west.way_of(wanted) == PhotoWay(Way.UNSENT, station="east")
    steps(Photos(pair.east.local), pair.east.way("wang"))
    west = Photos(pair.west.local)
    assert west.way_of(wanted) == PhotoWay(Way.COMING, 0.0)
    assert west.step(way)
    assert west.way_of(wanted) == PhotoWay(Way.COMING, 3 * 4096 / kept.bytes)
    steps(west, way)
    assert photo_store(pair.west.local).find(kept.sha256, kept.mime) is not None


def test_a_photo_of_a_case_that_is_not_kept_here_comes_when_it_is_looked_at(
    pair: Pair, tmp_path: Path
) -> None:
    kept = attach(pair.east, "wang", tmp_path)
    pair.east.sync()
    steps(Photos(pair.east.local), pair.east.way("wang"))
    (row,) = pair.east.rows(photo).values()
    west, way = Photos(pair.west.local), pair.west.way("sun")
    assert not west.step(way)
    west.way_of(Wanted(kept.sha256, kept.mime, kept.bytes, row["id"]))
    steps(west, way)
    assert photo_store(pair.west.local).find(kept.sha256, kept.mime) is not None


@pytest.mark.parametrize("why", ["it was taken here", "no such station", "it sent nothing for a day"])
def test_a_photo_that_cannot_come_any_more_is_lost(pair: Pair, tmp_path: Path, why: str) -> None:
    kept = attach(pair.east, "wang", tmp_path)
    pair.east.sync()
    pair.west.sync()
    (row,) = pair.west.rows(photo).values()
    wanted, post = Wanted(kept.sha256, kept.mime, kept.bytes, row["id"]), pair.west
    if why == "it was taken here":
        photo_store(pair.east.local).path(kept.sha256, kept.mime).unlink()
        post = pair.east
    elif why == "no such station":
        wanted = replace(wanted, id=row["id"] ^ 512 << 11)
    else:
        with pair.server.owner.engine.begin() as connection:
            connection.execute(text("UPDATE station SET seen_at = seen_at + 90000000 WHERE name = 'east'"))
    photos = Photos(post.local)
    photos.way_of(wanted)
    steps(photos, post.way(post.people[0]))
    assert photos.way_of(wanted) == PhotoWay(Way.LOST)


def test_bytes_that_are_not_those_of_the_hash_are_not_kept(pair: Pair, tmp_path: Path) -> None:
    kept = attach(pair.east, "wang", tmp_path)
    pair.east.sync()
    pair.west.sync()
    steps(Photos(pair.east.local), pair.east.way("wang"))
    with pair.server.owner.engine.begin() as connection:
        connection.execute(
            text("UPDATE blob SET bytes = overlay(bytes PLACING 'x'::bytea FROM 1) WHERE part = 2")
        )
    photos = Photos(pair.west.local)
    steps(photos, pair.west.way("sun"))
    store = photo_store(pair.west.local)
    assert store.find(kept.sha256, kept.mime) is None
    assert store.arrived(kept.sha256, kept.mime) == 0


def test_what_is_on_both_sides_is_not_asked_for_again(pair: Pair, tmp_path: Path) -> None:
    attach(pair.east, "wang", tmp_path)
    photos = Photos(pair.east.local)
    steps(photos, pair.east.way("wang"))
    # A server that is not there is not missed.
    nowhere = open_database(f"sqlite:///{tmp_path / 'nowhere.db'}", create=True)
    assert not photos.step(nowhere)
    photos.look_again()
    assert not photos.step(nowhere)
    nowhere.close()


def test_a_part_is_large_enough_for_a_line_and_small_enough_for_a_cut(tmp_path: Path) -> None:
    assert PART == 256 * 1024
    assert PhotoStore(tmp_path).arrived("0" * 64, "image/png") == 0
