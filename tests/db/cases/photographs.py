"""Photos made in memory, with and without what a telephone writes into them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PIL import Image
from PIL.ExifTags import IFD, Base

OWNER = "Zhang San's telephone"


def picture(path: Path, kind: str = "JPEG", size: tuple[int, int] = (640, 400), **options: Any) -> Path:
    """A photo with a red corner at its top left, so that a turn shows."""
    image = Image.new("RGB", size, (40, 90, 150))
    image.paste((220, 30, 30), (0, 0, size[0] // 4, size[1] // 4))
    image.save(path, kind, **options)
    return path


def telephone_picture(path: Path) -> Path:
    """Lying on its side, with position, owner and a comment in it, and a name appended at its end."""
    exif = Image.Exif()
    exif[Base.Orientation] = 6
    exif[Base.Artist] = OWNER
    exif[Base.Make] = "Telephone maker"
    exif.get_ifd(IFD.GPSInfo)[2] = (35.0, 5.0, 12.5)
    exif.get_ifd(IFD.GPSInfo)[4] = (117.0, 9.0, 33.1)
    picture(path, exif=exif, comment=OWNER.encode())
    with path.open("ab") as stream:
        stream.write(OWNER.encode())
    return path
