"""Photos are checked by content, stripped, kept once under their hash, and missed without an error."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import select

from db.cases import photos
from db.cases.photos import AttachPhoto, Kept, PhotoStore, check_files, photo_store
from db.cases.tables import case, photo
from db.engine import settings
from db.engine.bus import Bus
from db.engine.connections import Database
from db.engine.tables import journal
from db.kernel.actor import Actor
from db.kernel.refusal import Refused, RefusedAll
from tests.db.cases.photographs import OWNER, picture, telephone_picture
from tests.db.live.city import case_values, found_city, write
from tests.kit.refusals import refused

WANG = Actor(7, "王敏", frozenset({"case.photo"}))
READER = Actor(8, "李强", frozenset({"room.view"}))


@pytest.fixture
def store(tmp_path: Path) -> PhotoStore:
    return PhotoStore(tmp_path / "city.db.photos")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = found_city(database_url)
    write(database, (case, [case_values(1)]))
    yield database
    database.close()


def attach(kept: Kept, **values: object) -> AttachPhoto:
    given = {"case_id": 1, "phase": "before", "name": "现场.jpg", **vars(kept)}
    return AttachPhoto(**(given | values))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "kind, mime, suffix",
    [("JPEG", "image/jpeg", ".jpg"), ("PNG", "image/png", ".png"), ("WEBP", "image/webp", ".webp")],
)
def test_a_photo_lies_under_the_hash_of_its_content(
    store: PhotoStore, tmp_path: Path, kind: str, mime: str, suffix: str
) -> None:
    # The name says nothing: what is inside counts.
    kept = store.take(picture(tmp_path / "photo.txt", kind))
    path = store.find(kept.sha256, kept.mime)
    assert (kept.mime, kept.width, kept.height) == (mime, 640, 400)
    assert path == store.folder / kept.sha256[:2] / f"{kept.sha256}{suffix}"
    assert path.stat().st_size == kept.bytes
    with Image.open(path) as image:
        assert image.size == (640, 400)
        assert image.format == kind


def test_the_same_photo_twice_is_one_file(store: PhotoStore, tmp_path: Path) -> None:
    one = store.take(picture(tmp_path / "a.jpg"))
    two = store.take(picture(tmp_path / "b.jpg"))
    assert one == two
    assert len([path for path in store.folder.rglob("*") if path.is_file()]) == 2, (
        "the photo and its thumbnail"
    )


def test_nothing_of_place_or_person_stays_in_it(store: PhotoStore, tmp_path: Path) -> None:
    kept = store.take(telephone_picture(tmp_path / "a.jpg"))
    path = store.find(kept.sha256, kept.mime)
    assert path is not None
    content = path.read_bytes()
    assert OWNER.encode() not in content
    assert b"Exif" not in content
    assert b"Telephone maker" not in content
    with Image.open(path) as image:
        assert not image.getexif()
        # Upright: the telephone lay on its side.
        assert image.size == (400, 640)
        red, _green, blue = image.convert("RGB").getpixel((390, 10))  # type: ignore[misc]
        assert red > blue


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_other_kinds_are_stripped_too(store: PhotoStore, tmp_path: Path, kind: str) -> None:
    exif = Image.Exif()
    exif[0x013B] = OWNER
    kept = store.take(picture(tmp_path / "a", kind, exif=exif))
    path = store.find(kept.sha256, kept.mime)
    assert path is not None
    assert OWNER.encode() not in path.read_bytes()


def test_a_thumbnail_is_small_and_made_again_when_it_is_gone(store: PhotoStore, tmp_path: Path) -> None:
    kept = store.take(picture(tmp_path / "a.jpg", size=(2000, 1000)))
    small = store.thumbnail(kept.sha256, kept.mime)
    assert small is not None
    with Image.open(small) as image:
        assert image.size == (320, 160)
    small.unlink()
    assert store.thumbnail(kept.sha256, kept.mime) == small
    assert small.is_file()


def test_a_missing_file_is_missing_and_no_error(store: PhotoStore) -> None:
    assert store.find("ab" * 32, "image/png") is None
    assert store.thumbnail("ab" * 32, "image/png") is None


def test_a_file_damaged_on_the_disk_has_no_thumbnail(store: PhotoStore, tmp_path: Path) -> None:
    kept = store.take(picture(tmp_path / "a.jpg"))
    path, small = store.path(kept.sha256, kept.mime), store.thumbnail(kept.sha256, kept.mime)
    assert small is not None
    small.unlink()
    path.write_bytes(b"rubbish")
    assert store.thumbnail(kept.sha256, kept.mime) is None


@pytest.mark.parametrize("name", ["../../etc/passwd", "AB" * 32, "", "ab" * 31 + "/x"])
def test_a_hash_never_leads_out_of_the_folder(store: PhotoStore, name: str) -> None:
    with refused("not_a_photo"):
        store.path(name, "image/png")


def _png_header(width: int, height: int) -> bytes:
    """A PNG of some bytes that claims to be vast."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "content, code",
    [
        (b"", "not_a_photo"),
        (b"hello", "not_a_photo"),
        (b"GIF89a" + b"\0" * 40, "not_a_photo"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not_a_photo"),
        (_png_header(100_000, 100_000), "photo_too_wide"),
        (_png_header(200, 200), "photo_broken"),
    ],
)
def test_what_is_no_photo_is_refused_with_a_sentence(
    store: PhotoStore, tmp_path: Path, content: bytes, code: str
) -> None:
    file = tmp_path / "photo.jpg"
    file.write_bytes(content)
    with pytest.raises(Refused) as refusal:
        store.take(file)
    assert refusal.value.code == code
    assert "photo.jpg" in refusal.value.text()
    assert not store.folder.exists()


def test_a_photo_cut_short_is_refused(store: PhotoStore, tmp_path: Path) -> None:
    whole = picture(tmp_path / "a.jpg", size=(1200, 900)).read_bytes()
    file = tmp_path / "b.jpg"
    file.write_bytes(whole[: len(whole) // 2])
    with refused("photo_broken"):
        store.take(file)


def test_a_file_too_large_is_not_even_read(
    store: PhotoStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photos, "BYTE_LIMIT", 1000)
    with refused("photo_too_large"):
        store.take(picture(tmp_path / "a.jpg"))


def test_a_file_that_cannot_be_read_or_kept_is_told(store: PhotoStore, tmp_path: Path) -> None:
    with refused("photo_unreadable"):
        store.take(tmp_path / "nowhere.jpg")
    store.folder.write_text("a file where the folder should be")
    with refused("photo_not_kept"):
        store.take(picture(tmp_path / "a.jpg"))


def test_a_photo_becomes_part_of_a_case_and_undo_takes_the_row_alone(
    database: Database, store: PhotoStore, tmp_path: Path
) -> None:
    kept = store.take(picture(tmp_path / "a.jpg"))
    bus = Bus(database)
    outcome = bus.run(attach(kept), WANG)
    with database.read() as connection:
        row = connection.execute(select(photo)).mappings().one()
        entry = connection.execute(select(journal).where(journal.c.seq == outcome.seq)).mappings().one()
    assert (row["case_id"], row["sha256"], row["added_by_name"]) == (1, kept.sha256, "王敏")
    assert entry["arguments"]["sha256"] == kept.sha256
    assert entry["arguments"]["name"] == "现场.jpg"
    assert entry["arguments"]["bytes"] == kept.bytes
    bus.undo(WANG)
    with database.read() as connection:
        assert connection.execute(select(photo)).first() is None
    assert store.find(kept.sha256, kept.mime) is not None


def test_what_cannot_be_attached_is_told_at_once_and_all_of_it(database: Database) -> None:
    kept = Kept("ab" * 32, "image/png", 10, 2, 2)
    bus = Bus(database)
    with pytest.raises(RefusedAll) as refusal:
        bus.run(attach(kept, case_id=404, phase="later", sha256="x"), WANG)
    assert [one.code for one in refusal.value.refusals] == ["no_such_case", "unknown_phase", "not_a_photo"]
    with refused("not_permitted"):
        bus.run(attach(kept), READER)
    bus.run(attach(kept), WANG)
    with refused("photo_there"):
        bus.run(attach(kept), WANG)
    bus.run(attach(kept, phase="after"), WANG)


def test_the_store_lies_beside_a_local_file_and_where_a_server_says(
    database: Database, tmp_path: Path
) -> None:
    if database.path is not None:
        assert photo_store(database).folder == tmp_path / "test.db.photos"
        return
    with refused("no_photo_folder"):
        photo_store(database)
    with database.write(WANG, attach(Kept("ab" * 32, "image/png", 1, 1, 1))) as unit:
        settings.put(unit, "photos.folder", str(tmp_path / "shared"))
    assert photo_store(database).folder == tmp_path / "shared"


def test_a_check_names_the_photos_whose_files_are_gone(sqlite_url: str, tmp_path: Path) -> None:
    database = found_city(sqlite_url)
    try:
        write(database, (case, [case_values(1)]))
        assert check_files(database) == photos.PhotoCheck(0, ())
        store = photo_store(database)
        kept = store.take(picture(tmp_path / "a.jpg"))
        lost = store.take(picture(tmp_path / "b.jpg", size=(200, 200)))
        for each in (kept, lost):
            Bus(database).run(attach(each), WANG)
        store.path(lost.sha256, lost.mime).unlink()
        assert check_files(database) == photos.PhotoCheck(2, (lost.sha256,))
    finally:
        database.close()
