"""What a set of map tiles is: a file or a named online source, its datum, and where each tile lies."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Protocol

from db.kernel.language import N_
from db.kernel.refusal import Refused

Bounds = tuple[float, float, float, float]
"""West, south, east, north in degrees."""

DATUMS = {"wgs84": "WGS-84", "cgcs2000": "CGCS2000", "gcj02": "GCJ-02", "bd09": "BD-09"}
"""How a datum is written on the command line, and its name in ``db.kernel.geo``. CGCS2000 differs from WGS-84
by centimetres; pictures in GCJ-02 and BD-09 are shifted when they are drawn, never the data (DOMAIN 6.3)."""
MAX_ZOOM = 22
RASTER = ("png", "jpg", "webp")
"""The pictures that every QtWebEngine draws."""
WORLD: Bounds = (-180.0, -85.06, 180.0, 85.06)


@dataclass(frozen=True)
class TileFacts:
    """What a tile file says of itself and what was found in it; ``faults`` are sentences for a person."""

    kind: str
    """``MBTiles`` or ``PMTiles``."""
    name: str
    format: str
    """png, jpg, webp, or what else it is (pbf: vector tiles)."""
    min_zoom: int
    max_zoom: int
    bounds: Bounds
    tiles: int
    size: int
    """Bytes of the file."""
    pixels: int = 256
    """Side of one tile."""
    attribution: str = ""
    datum: str = ""
    """A key of ``DATUMS`` when the file declares one; most do not."""
    faults: tuple[str, ...] = ()

    @property
    def is_raster(self) -> bool:
        """Whether its tiles are pictures that the map can draw."""
        return self.format in RASTER


class TileFile(Protocol):
    """An open tile file; ``tile`` may be called from any thread."""

    facts: TileFacts

    def tile(self, zoom: int, x: int, y: int) -> bytes | None:
        """The picture of a tile (y counted from the north), None where there is none."""

    def close(self) -> None:
        """Let go of the file."""


@dataclass(frozen=True)
class TileSet:
    """One layer of pictures as it is registered in a database; the first of several lies lowest."""

    name: str
    source: str
    """Path of a file, or the URL template of an online source with {z}, {x} and {y}."""
    datum: str
    min_zoom: int = 0
    max_zoom: int = 18
    attribution: str = ""
    pixels: int = 256
    bounds: Bounds = field(default=WORLD)

    @property
    def is_online(self) -> bool:
        """Whether it is asked for over the network: only what an administrator has named ever is."""
        return self.source.startswith(("http://", "https://"))


def check_set(chosen: TileSet) -> None:
    """Raise ``Refused`` for a set that cannot be: no name, unknown datum, a template without its places."""
    if not chosen.name.strip():
        raise Refused("no_name", N_("Give the tiles a name."))
    if chosen.datum not in DATUMS:
        known = ", ".join(DATUMS)
        raise Refused("unknown_datum", N_("The datum is one of {known}."), known=known)
    if chosen.is_online and not all(part in chosen.source for part in ("{z}", "{x}", "{y}")):
        raise Refused("bad_template", N_("The address of an online source holds {{z}}, {{x}} and {{y}}."))
    if not 0 <= chosen.min_zoom <= chosen.max_zoom <= MAX_ZOOM:
        raise Refused("bad_zooms", N_("The zooms lie between 0 and {most}."), most=MAX_ZOOM)


def format_of(picture: bytes) -> str:
    """What kind of picture some bytes are, by how they begin; gzip is what vector tiles come in."""
    if picture.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if picture.startswith(b"\xff\xd8\xff"):
        return "jpg"
    if picture[:4] == b"RIFF" and picture[8:12] == b"WEBP":
        return "webp"
    return "pbf" if picture.startswith(b"\x1f\x8b") else ""


def pixels_of(picture: bytes) -> int:
    """The width of a PNG, JPEG or WebP in pixels, 0 when it cannot be told."""
    kind = format_of(picture)
    if kind == "png":
        return int.from_bytes(picture[16:20], "big")
    if kind == "jpg":
        return _jpeg_width(picture)
    if kind == "webp":
        return _webp_width(picture)
    return 0


def _jpeg_width(picture: bytes) -> int:
    at = 2
    while at + 9 < len(picture) and picture[at] == 0xFF:
        marker, length = picture[at + 1], int.from_bytes(picture[at + 2 : at + 4], "big")
        # The frame headers SOF0 to SOF15, but for the three markers among them that mean something else.
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return int.from_bytes(picture[at + 7 : at + 9], "big")
        at += 2 + length
    return 0


def _webp_width(picture: bytes) -> int:
    chunk = picture[12:16]
    if chunk == b"VP8X":
        return int.from_bytes(picture[24:27], "little") + 1
    if chunk == b"VP8L":
        return (int.from_bytes(picture[21:23], "little") & 0x3FFF) + 1
    return int.from_bytes(picture[26:28], "little") & 0x3FFF


def tile_at(lon: float, lat: float, zoom: int) -> tuple[int, int]:
    """Column and row (from the north) of the Web Mercator tile that holds a point."""
    side = 1 << zoom
    x = (lon / 360.0 + 0.5) * side
    y = (0.5 - math.asinh(math.tan(math.radians(max(-85.05, min(85.05, lat))))) / (2.0 * math.pi)) * side
    return min(side - 1, max(0, int(x))), min(side - 1, max(0, int(y)))


def bounds_of(zoom: int, x: tuple[int, int], y: tuple[int, int]) -> Bounds:
    """What a block of tiles covers: first and last column, first and last row from the north."""
    side = 1 << zoom

    def lat(row: int) -> float:
        return math.degrees(math.atan(math.sinh((0.5 - row / side) * 2.0 * math.pi)))

    return x[0] / side * 360.0 - 180.0, lat(y[1] + 1), (x[1] + 1) / side * 360.0 - 180.0, lat(y[0])
