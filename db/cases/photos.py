"""Photos of cases: files beside the database under the hash of their content, and the rows that name them.

A photo is never kept as it came: it is decoded, turned upright and written anew from its pixels alone, so
that place, device, owner and whatever else a file may carry (EXIF, XMP, IPTC, comments, appended bytes) stay
outside (DOMAIN 6.5).
"""

from __future__ import annotations

import hashlib
import io
import os
import re
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError
from sqlalchemy import Connection, select

from db.cases.scope import demand_reach
from db.cases.tables import case, photo
from db.engine import settings
from db.engine.bus import handles
from db.engine.connections import Database
from db.engine.unit_of_work import UnitOfWork
from db.kernel.command import command
from db.kernel.language import N_
from db.kernel.refusal import Refused, Unavailable, refuse_all
from db.kernel.text import one_line

BYTE_LIMIT = 20_000_000
PIXEL_LIMIT = 64_000_000
"""Decoded, a photo of so many pixels takes 256 MB."""
THUMBNAIL_SIDE = 320
"""Pixels of the longer side."""
JPEG_QUALITY = 92

PHASES = {
    "before": N_("Before"),  # zh: 处置前
    "after": N_("After"),  # zh: 处置后
    "verify": N_("Verified"),  # zh: 核实
    "check": N_("Checked"),  # zh: 核查
}
"""What a photo shows, in the order of a case's way."""

FOLDER_SETTING = "photos.folder"
"""The setting that names the folder of a database on a server, as every station sees it."""

# We look at the size ourselves, before a single pixel is decoded; Pillow would only warn.
Image.MAX_IMAGE_PIXELS = None

_SUFFIXES = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp"}
_MIMES = {"JPEG": "image/jpeg", "MPO": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Kept:
    """A photo as it lies in the store."""

    sha256: str
    mime: str
    bytes: int
    width: int
    height: int


class PhotoStore:
    """A folder of photos by content: ``ab/abcd….jpg`` with its thumbnail ``ab/abcd….320.jpg``.

    Invariant: a file is whole as soon as it bears its name, and never changes afterwards.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def take(self, source: Path) -> Kept:
        """Check a file, take its picture in, make its thumbnail; the same picture twice is one file.

        Raises ``Refused`` (too large, no photo, broken) and ``Unavailable`` (cannot be read or kept).
        """
        try:
            size = source.stat().st_size
            if size > BYTE_LIMIT:
                raise Refused(
                    "photo_too_large",
                    N_("{name} has {size} MB; a photo may have {limit} MB."),
                    name=source.name,
                    size=f"{size / 1e6:.1f}",
                    limit=BYTE_LIMIT // 1_000_000,
                )
            content = source.read_bytes()
        except OSError as error:
            raise Unavailable(
                "photo_unreadable",
                N_("{name} cannot be read: {reason}"),
                name=source.name,
                reason=error.strerror or str(error),
            ) from error
        picture, mime = _decoded(content, source.name)
        encoded = _encoded(picture, mime)
        kept = Kept(hashlib.sha256(encoded).hexdigest(), mime, len(encoded), *picture.size)
        self._write(self.path(kept.sha256, mime), encoded)
        self._write(self._thumbnail_path(kept.sha256), _small(picture))
        return kept

    def path(self, sha256: str, mime: str) -> Path:
        """Where a photo lies, whether or not it is there."""
        if not _HASH.fullmatch(sha256) or mime not in _SUFFIXES:
            # A row may come from a file of somebody else's; it must not lead out of the folder.
            raise Refused("not_a_photo", N_("{name} is not a photo (JPEG, PNG or WebP)."), name=sha256[:12])
        return self.folder / sha256[:2] / f"{sha256}{_SUFFIXES[mime]}"

    def find(self, sha256: str, mime: str) -> Path | None:
        """The file of a photo; ``None`` when it is missing."""
        path = self.path(sha256, mime)
        return path if path.is_file() else None

    def thumbnail(self, sha256: str, mime: str) -> Path | None:
        """The small picture, made when it is not there yet; ``None`` when the photo itself is missing."""
        small = self._thumbnail_path(sha256)
        if small.is_file():
            return small
        path = self.find(sha256, mime)
        if path is None:
            return None
        try:
            picture, _mime = _decoded(path.read_bytes(), path.name)
            self._write(small, _small(picture))
        except (OSError, Refused, Unavailable):
            # Damaged on the disk, or a folder that cannot be written: shown as missing.
            return None
        return small

    def arrived(self, sha256: str, mime: str) -> int:
        """How many bytes of a photo that comes in parts are here already."""
        draft = self._arriving(sha256, mime)
        return draft.stat().st_size if draft.is_file() else 0

    def add_part(self, sha256: str, mime: str, at: int, part: bytes, whole: int) -> bool:
        """Take the bytes from ``at`` on of a photo of ``whole`` bytes; whether it is complete now.

        Raises ``Refused("photo_broken")`` when the bytes are not those of its hash: it begins anew then, and
        ``Unavailable`` when it cannot be kept.
        """
        draft = self._arriving(sha256, mime)
        try:
            draft.parent.mkdir(parents=True, exist_ok=True)
            with draft.open("ab") as stream:
                # A part that was cut while it was written is not one.
                stream.truncate(at)
                stream.write(part)
                stream.flush()
                os.fsync(stream.fileno())
                size = stream.tell()
            if size < whole:
                return False
            with draft.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
            if digest != sha256:
                draft.unlink()
                raise Refused("photo_broken", N_("{name} is damaged and cannot be read."), name=sha256[:12])
            draft.replace(self.path(sha256, mime))
        except OSError as error:
            raise self._not_kept(error) from error
        return True

    def _arriving(self, sha256: str, mime: str) -> Path:
        path = self.path(sha256, mime)
        return path.with_name(f".{path.name}.arriving")

    def _thumbnail_path(self, sha256: str) -> Path:
        return self.folder / sha256[:2] / f"{sha256}.{THUMBNAIL_SIDE}.jpg"

    def _write(self, path: Path, content: bytes) -> None:
        if path.is_file():
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Another station may be keeping the same photo at this moment.
            draft = path.with_name(f".{path.name}.{os.getpid()}.part")
            with draft.open("wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            draft.replace(path)
        except OSError as error:
            raise self._not_kept(error) from error

    def _not_kept(self, error: OSError) -> Unavailable:
        return Unavailable(
            "photo_not_kept",
            N_("The photo cannot be kept in {folder}: {reason}"),
            folder=str(self.folder),
            reason=error.strerror or str(error),
        )


def photo_store(database: Database) -> PhotoStore:
    """The store of a database: a folder beside its file, or the one that the setting names on a server.

    Raises ``Unavailable`` when a server's setting names none.
    """
    if database.path is not None:
        return PhotoStore(database.path.with_name(f"{database.path.name}.photos"))
    with database.read() as connection:
        folder = settings.get(connection, FOLDER_SETTING, "")
    if not folder:
        raise Unavailable(
            "no_photo_folder", N_("No folder for photos is set (setting {key})."), key=FOLDER_SETTING
        )
    return PhotoStore(Path(folder))


@command("case.attach_photo", permission="case.photo", label=N_("Attach photo"))
@dataclass(frozen=True)
class AttachPhoto:
    """A photo that the store has taken in becomes part of a case. Undo takes the row; the file is kept."""

    case_id: int
    phase: str
    name: str
    sha256: str
    mime: str
    bytes: int
    width: int
    height: int


@handles(AttachPhoto)
def _attach(command: AttachPhoto, unit: UnitOfWork) -> int:
    demand_reach(unit, [command.case_id])
    refuse_all(_faults(command, unit.connection))
    photo_id = unit.new_id()
    row = {
        "id": photo_id,
        "case_id": command.case_id,
        "phase": command.phase,
        "sha256": command.sha256,
        "name": one_line(command.name, 120),
        "mime": command.mime,
        "bytes": command.bytes,
        "width": command.width,
        "height": command.height,
        "added_by_name": unit.actor.name,
        "added_at": unit.now,
    }
    unit.insert(photo, [row])
    return photo_id


def _faults(command: AttachPhoto, connection: Connection) -> list[Refused]:
    faults = []
    if not connection.execute(select(case.c.id).where(case.c.id == command.case_id)).first():
        faults.append(Refused("no_such_case", N_("There is no such case any more.")))
    if command.phase not in PHASES:
        faults.append(Refused("unknown_phase", N_("Say what the photo shows: before, after, verify, check.")))
    if not _HASH.fullmatch(command.sha256) or command.mime not in _SUFFIXES:
        faults.append(
            Refused("not_a_photo", N_("{name} is not a photo (JPEG, PNG or WebP)."), name=command.name)
        )
    there = select(photo.c.id).where(
        photo.c.case_id == command.case_id,
        photo.c.phase == command.phase,
        photo.c.sha256 == command.sha256,
    )
    if connection.execute(there).first():
        faults.append(
            Refused("photo_there", N_("{name} is attached to this case already."), name=command.name)
        )
    return faults


@dataclass(frozen=True)
class PhotoCheck:
    """What ``verify`` says of the photos: how many files rows speak of, and which of those are not there."""

    files: int
    missing: tuple[str, ...]


def check_files(database: Database) -> PhotoCheck:
    """Look for the file of every photo. Raises ``Unavailable`` for a server without a folder of photos."""
    with database.read() as connection:
        rows = connection.execute(select(photo.c.sha256, photo.c.mime).distinct()).all()
    if not rows:
        return PhotoCheck(0, ())
    store = photo_store(database)
    missing = tuple(sorted(row.sha256 for row in rows if store.find(row.sha256, row.mime) is None))
    return PhotoCheck(len(rows), missing)


def _decoded(content: bytes, name: str) -> tuple[Image.Image, str]:
    """The picture in a file, upright, and its kind by content; raises ``Refused``."""
    try:
        image = Image.open(io.BytesIO(content), formats=("JPEG", "PNG", "WEBP"))
        mime = _MIMES[image.format or ""]
        if image.width * image.height > PIXEL_LIMIT:
            raise Refused(
                "photo_too_wide",
                N_("{name} has more than {limit} million pixels."),
                name=name,
                limit=PIXEL_LIMIT // 1_000_000,
            )
        image.load()
        upright = ImageOps.exif_transpose(image)
        has_alpha = "A" in upright.getbands() or "transparency" in upright.info
        return upright.convert("RGBA" if has_alpha and mime != "image/jpeg" else "RGB"), mime
    except UnidentifiedImageError as error:
        raise Refused("not_a_photo", N_("{name} is not a photo (JPEG, PNG or WebP)."), name=name) from error
    except (OSError, ValueError, SyntaxError, KeyError, EOFError, IndexError, TypeError) as error:
        # Decoders say "broken" in many ways.
        raise Refused("photo_broken", N_("{name} is damaged and cannot be read."), name=name) from error


def _bare(picture: Image.Image) -> Image.Image:
    """The pixels and nothing else: what Pillow remembers of a file goes into the next one otherwise."""
    bare = picture.copy()
    bare.info.clear()
    return bare


def _encoded(picture: Image.Image, mime: str) -> bytes:
    stream = io.BytesIO()
    bare = _bare(picture)
    if mime == "image/jpeg":
        bare.save(stream, "JPEG", quality=JPEG_QUALITY, optimize=True)
    elif mime == "image/png":
        bare.save(stream, "PNG")
    else:
        bare.save(stream, "WEBP", quality=JPEG_QUALITY)
    return stream.getvalue()


def _small(picture: Image.Image) -> bytes:
    small = _bare(picture)
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
    if small.mode == "RGBA":
        ground = Image.new("RGB", small.size, "white")
        ground.paste(small, mask=small.getchannel("A"))
        small = ground
    stream = io.BytesIO()
    small.save(stream, "JPEG", quality=82)
    return stream.getvalue()
