"""Draws small tile files: pictures with their own address on them, as MBTiles and as PMTiles."""

from __future__ import annotations

import gzip
import json
import sqlite3
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

from db.tiles.pmtiles import tile_id

Address = tuple[int, int, int]


def png(colour: tuple[int, int, int], side: int = 256) -> bytes:
    """A picture of one colour."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    line = b"\x00" + bytes(colour) * side
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(line * side))
        + chunk(b"IEND", b"")
    )


def mbtiles(
    path: Path, tiles: Mapping[Address, bytes], metadata: Mapping[str, str], *, xyz: bool = False
) -> Path:
    """An MBTiles file; addresses count rows from the north, the file from the south unless ``xyz``."""
    file = sqlite3.connect(path)
    with file:
        file.execute("CREATE TABLE metadata (name TEXT, value TEXT)")
        file.execute(
            "CREATE TABLE tiles (zoom_level INTEGER, tile_column INTEGER, tile_row INTEGER, tile_data BLOB)"
        )
        file.executemany("INSERT INTO metadata VALUES (?, ?)", metadata.items())
        file.executemany(
            "INSERT INTO tiles VALUES (?, ?, ?, ?)",
            [(z, x, y if xyz else (1 << z) - 1 - y, body) for (z, x, y), body in tiles.items()],
        )
    file.close()
    return path


def pmtiles(
    path: Path,
    tiles: Mapping[Address, bytes],
    bounds: tuple[float, float, float, float],
    metadata: Mapping[str, str] | None = None,
    *,
    leaf_size: int = 0,
    kind: int = 2,
    version: int = 3,
) -> Path:
    """A PMTiles file as the specification lays it out: runs of equal neighbours, leaves of ``leaf_size``."""
    body, entries = b"", []
    for address, picture in sorted(tiles.items(), key=lambda item: tile_id(*item[0])):
        number = tile_id(*address)
        if entries and entries[-1][0] + entries[-1][3] == number and body.endswith(picture):
            entries[-1][3] += 1
            continue
        entries.append([number, len(body), len(picture), 1])
        body += picture
    leaves = b""
    if leaf_size:
        roots = []
        for first in range(0, len(entries), leaf_size):
            leaf = gzip.compress(_directory(entries[first : first + leaf_size]))
            roots.append([entries[first][0], len(leaves), len(leaf), 0])
            leaves += leaf
        root = gzip.compress(_directory(roots))
    else:
        root = gzip.compress(_directory(entries))
    meta = gzip.compress(json.dumps(metadata or {}).encode())
    zooms = [z for z, _x, _y in tiles]
    at = 127 + len(root)
    head = struct.pack(
        "<7sB11Q6B4iB2i",
        b"PMTiles", version,
        127, len(root), at, len(meta), at + len(meta), len(leaves), at + len(meta) + len(leaves), len(body),
        len(tiles), len(entries), len(entries),
        1, 2, 1, kind, min(zooms), max(zooms),
        *(round(edge * 1e7) for edge in bounds),
        min(zooms), 0, 0,
    )  # fmt: skip
    path.write_bytes(head + root + meta + leaves + body)
    return path


def _directory(entries: list[list[int]]) -> bytes:
    def varint(value: int) -> bytes:
        out = b""
        while value > 127:
            out += bytes([value & 127 | 128])
            value >>= 7
        return out + bytes([value])

    packed, last, end = varint(len(entries)), 0, None
    for number, *_rest in entries:
        packed += varint(number - last)
        last = number
    packed += b"".join(varint(run) for *_rest, run in entries)
    packed += b"".join(varint(length) for _number, _offset, length, _run in entries)
    for _number, offset, length, _run in entries:
        packed += varint(0 if offset == end else offset + 1)
        end = offset + length
    return packed
