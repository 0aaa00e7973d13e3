"""Reads PMTiles 3: tiles in one file, found through directories ordered along a Hilbert curve.

The layout is that of the published specification (github.com/protomaps/PMTiles, spec/v3): a header of 127
bytes, a root directory, leaf directories, and the tiles; all numbers little-endian.
"""

from __future__ import annotations

import bisect
import json
import struct
import threading
import zlib
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from db.kernel.language import N_, _
from db.kernel.refusal import Refused, Unavailable
from db.tiles.rules import DATUMS, MAX_ZOOM, WORLD, TileFacts, format_of, pixels_of

_HEADER = struct.Struct("<7sB11Q6B4iB2i")
_TYPES = {1: "pbf", 2: "png", 3: "jpg", 4: "webp", 5: "avif", 6: "mlt"}
_NONE, _GZIP = 1, 2
_DEPTH = 4
"""So many directories one below the other at most, as the specification says."""
_LARGEST = 64 << 20
"""Bytes of a directory or tile beyond which a file is broken or means harm."""
_KEPT = 64


class _Entry(NamedTuple):
    tile_id: int
    offset: int
    length: int
    run: int
    """How many tiles in a row share the content; 0 points to a leaf directory."""


Directory = tuple[list[int], list[_Entry]]


class PMTiles:
    """One open file; the lock keeps seek and read together."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._leaves: OrderedDict[int, Directory] = OrderedDict()
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise Unavailable("unreadable", N_("{path} cannot be read."), path=path) from error
        try:
            self.facts = self._open()
        except (struct.error, EOFError, zlib.error, OSError, ValueError, IndexError) as error:
            self._file.close()
            raise Refused("broken_tiles", N_("{path} is damaged."), path=path.name) from error
        except Refused:
            self._file.close()
            raise

    def tile(self, zoom: int, x: int, y: int) -> bytes | None:
        """The picture of a tile; y is counted from the north."""
        wanted = tile_id(zoom, x, y)
        directory = self._root
        for _level in range(_DEPTH):
            ids, entries = directory
            at = bisect.bisect_right(ids, wanted) - 1
            if at < 0:
                return None
            entry = entries[at]
            if entry.run:
                if wanted >= entry.tile_id + entry.run:
                    return None
                return self._unpacked(self._read(self._data + entry.offset, entry.length), self._packing)
            directory = self._leaf(entry)
        return None

    def close(self) -> None:
        with self._lock:
            self._file.close()

    def _open(self) -> TileFacts:
        magic, version, *rest = _HEADER.unpack(self._file.read(_HEADER.size))
        if magic != b"PMTiles":
            raise Refused("no_pmtiles", N_("{path} is no PMTiles file."), path=self._path.name)
        if version != 3:
            raise Refused(
                "old_pmtiles",
                N_("{path} is PMTiles version {version}; this program reads version 3."),
                path=self._path.name,
                version=version,
            )
        root, root_length, meta, meta_length, self._leaf_at, _leaves, self._data, _data, *rest = rest
        addressed, _entries, _contents, _clustered, packing, self._packing, kind, low, high, *box = rest
        self._inner = packing
        for each in (packing, self._packing):
            if each not in (_NONE, _GZIP):
                raise Refused(
                    "packed_tiles",
                    N_("{path} is packed in a way that this program does not read; gzip and none are."),
                    path=self._path.name,
                )
        self._root = _directory(self._unpacked(self._read(root, root_length), packing))
        if not self._root[0]:
            raise Refused("no_tiles", N_("{path} holds no tiles."), path=self._path.name)
        metadata = self._metadata(meta, meta_length)
        faults = []
        west, south, east, north = (each / 1e7 for each in box[:4])
        if not (WORLD[0] <= west < east <= WORLD[2] and -90 <= south < north <= 90):
            faults.append(_("Its bounds are none; the whole world is taken."))
            west, south, east, north = WORLD
        if not low <= high <= MAX_ZOOM:
            raise ValueError("zooms")
        picture = self._first()
        found, declared = format_of(picture), _TYPES.get(kind, "")
        if found and declared and found != declared and declared in ("png", "jpg", "webp"):
            faults.append(
                _("It calls its tiles {declared}, but they are {found}.").format(
                    declared=declared, found=found
                )
            )
        datum = str(metadata.get("datum", "")).lower().replace("-", "")
        size = self._path.stat().st_size
        if size < self._data + _data:
            faults.append(_("The file is shorter than it says: tiles are missing at its end."))
        return TileFacts(
            "PMTiles",
            str(metadata.get("name", self._path.stem)),
            # Vector tiles are gzip too, so the header decides.
            declared if declared in ("pbf", "mlt") else found or declared,
            low,
            high,
            (west, south, east, north),
            addressed or sum(1 for _entry in self._walk(self._root, 0)),
            size,
            pixels_of(picture) or 256,
            str(metadata.get("attribution", "")),
            datum if datum in DATUMS else "",
            tuple(faults),
        )

    def _metadata(self, offset: int, length: int) -> dict[str, Any]:
        read = json.loads(self._unpacked(self._read(offset, length), self._inner) or b"{}")
        return read if isinstance(read, dict) else {}

    def _first(self) -> bytes:
        """The picture of the first tile."""
        entry = next(self._walk(self._root, 0), None)
        if entry is None:
            return b""
        return self._unpacked(self._read(self._data + entry.offset, entry.length), self._packing)

    def _walk(self, directory: Directory, depth: int) -> Iterator[_Entry]:
        for entry in directory[1]:
            if entry.run:
                yield entry
            elif depth < _DEPTH:
                yield from self._walk(self._leaf(entry), depth + 1)

    def _leaf(self, entry: _Entry) -> Directory:
        with self._lock:
            kept = self._leaves.get(entry.offset)
            if kept is not None:
                self._leaves.move_to_end(entry.offset)
                return kept
        made = _directory(self._unpacked(self._read(self._leaf_at + entry.offset, entry.length), self._inner))
        with self._lock:
            self._leaves[entry.offset] = made
            if len(self._leaves) > _KEPT:
                self._leaves.popitem(last=False)
        return made

    def _read(self, offset: int, length: int) -> bytes:
        if length > _LARGEST:
            raise ValueError("too large")
        with self._lock:
            self._file.seek(offset)
            read = self._file.read(length)
        if len(read) < length:
            raise EOFError
        return read

    @staticmethod
    def _unpacked(packed: bytes, packing: int) -> bytes:
        if packing != _GZIP:
            return packed
        # Never more than the largest there may be, whatever the packed bytes blow up to.
        inflate = zlib.decompressobj(16 + zlib.MAX_WBITS)
        plain = inflate.decompress(packed, _LARGEST)
        if inflate.unconsumed_tail:
            raise ValueError("too large")
        return plain


def tile_id(zoom: int, x: int, y: int) -> int:
    """The number of a tile: all tiles of lower zooms, then its place on the Hilbert curve of its own."""
    number, side = ((1 << (2 * zoom)) - 1) // 3, 1 << zoom
    half = side >> 1
    while half:
        right, down = int(bool(x & half)), int(bool(y & half))
        number += half * half * ((3 * right) ^ down)
        if not down:
            if right:
                x, y = half - 1 - (x & (half - 1)), half - 1 - (y & (half - 1))
            x, y = y, x
        x, y = x & (half - 1), y & (half - 1)
        half >>= 1
    return number


def _directory(packed: bytes) -> Directory:
    at = 0

    def varint() -> int:
        nonlocal at
        value, shift = 0, 0
        while True:
            byte = packed[at]
            at += 1
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7
            if shift > 63:
                raise ValueError("varint")

    count = varint()
    if count > len(packed):
        raise ValueError("directory")
    ids, last = [], 0
    for _entry in range(count):
        last += varint()
        ids.append(last)
    runs = [varint() for _entry in range(count)]
    lengths = [varint() for _entry in range(count)]
    offsets: list[int] = []
    for place in range(count):
        value = varint()
        offsets.append(offsets[-1] + lengths[place - 1] if value == 0 and place else value - 1)
    return ids, [_Entry(*each) for each in zip(ids, offsets, lengths, runs, strict=True)]
