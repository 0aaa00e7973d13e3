"""Reads MBTiles 1.3: tiles in an SQLite file, rows counted from the south."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

from db.kernel.language import N_, _
from db.kernel.refusal import Refused, Unavailable
from db.tiles.rules import (
    DATUMS,
    MAX_ZOOM,
    WORLD,
    Bounds,
    TileFacts,
    bounds_of,
    format_of,
    pixels_of,
    tile_at,
)

_SUFFIX = {"jpeg": "jpg", "image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}


class MBTiles:
    """One open file. The lock is there because one connection serves all threads."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        try:
            self._file = sqlite3.connect(
                f"{path.resolve().as_uri()}?mode=ro", uri=True, check_same_thread=False
            )
            self._file.execute("PRAGMA query_only = ON")
            self._metadata = self._read_metadata()
            zooms = self._file.execute(
                "SELECT zoom_level, count(*), min(tile_column), max(tile_column), min(tile_row),"
                " max(tile_row) FROM tiles GROUP BY zoom_level ORDER BY zoom_level"
            ).fetchall()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                raise _refused(path) from error
            raise Unavailable("unreadable", N_("{path} cannot be read."), path=path) from error
        except sqlite3.DatabaseError as error:
            raise _refused(path) from error
        self._zooms = [row for row in zooms if isinstance(row[0], int) and 0 <= row[0] <= MAX_ZOOM]
        if not self._zooms:
            self._file.close()
            raise Refused("no_tiles", N_("{path} holds no tiles."), path=path.name)
        self._from_north = self._metadata.get("scheme", "tms").lower() == "xyz"
        self.facts = self._facts(path)

    def tile(self, zoom: int, x: int, y: int) -> bytes | None:
        """The picture of a tile; y is counted from the north."""
        row = y if self._from_north else (1 << zoom) - 1 - y
        with self._lock:
            found = self._file.execute(
                "SELECT tile_data FROM tiles WHERE zoom_level = ? AND tile_column = ? AND tile_row = ?",
                (zoom, x, row),
            ).fetchone()
        return bytes(found[0]) if found and found[0] else None

    def close(self) -> None:
        with self._lock:
            self._file.close()

    def _read_metadata(self) -> dict[str, str]:
        try:
            rows = self._file.execute("SELECT name, value FROM metadata").fetchall()
        except sqlite3.OperationalError as error:
            if "no such table" not in str(error):
                raise
            return {}
        return {str(name): str(value) for name, value in rows if value is not None}

    def _facts(self, path: Path) -> TileFacts:
        said, faults = self._metadata, []
        if not said:
            faults.append(_("It has no metadata: name, bounds and format were read off the tiles."))
        lowest, highest = self._zooms[0][0], self._zooms[-1][0]
        sample = self._file.execute(
            "SELECT tile_data FROM tiles WHERE zoom_level = ? AND length(tile_data) > 0 LIMIT 1", (highest,)
        ).fetchone()
        picture = bytes(sample[0]) if sample else b""
        found, declared = format_of(picture), said.get("format", "").lower()
        declared = _SUFFIX.get(declared, declared)
        if declared and found and declared != found:
            faults.append(
                _("It calls its tiles {declared}, but they are {found}.").format(
                    declared=declared, found=found
                )
            )
        faults += self._zoom_faults(lowest, highest)
        bounds, bound_faults = self._bounds(highest)
        datum = said.get("datum", said.get("crs", "")).lower().replace("-", "")
        return TileFacts(
            "MBTiles",
            said.get("name", path.stem),
            found or declared,
            lowest,
            highest,
            bounds,
            sum(row[1] for row in self._zooms),
            path.stat().st_size,
            pixels_of(picture) or 256,
            said.get("attribution", ""),
            datum if datum in DATUMS else "",
            (*faults, *bound_faults),
        )

    def _zoom_faults(self, lowest: int, highest: int) -> list[str]:
        faults = []
        for key, found in (("minzoom", lowest), ("maxzoom", highest)):
            said = self._metadata.get(key, "")
            if said and said != str(found):
                words = _("It says {key} {said}, but its tiles say {found}.")
                faults.append(words.format(key=key, said=said, found=found))
        missing = set(range(lowest, highest + 1)) - {row[0] for row in self._zooms}
        if missing:
            words = _("There are no tiles of zoom {zooms}; those above are enlarged there.")
            faults.append(words.format(zooms=", ".join(map(str, sorted(missing)))))
        return faults

    def _bounds(self, zoom: int) -> tuple[Bounds, list[str]]:
        """The declared bounds when they are any, else those of the tiles of the highest zoom."""
        _zoom, _count, left, right, low, high = self._zooms[-1]
        flip = (1 << zoom) - 1
        rows = (low, high) if self._from_north else (flip - high, flip - low)
        covered = bounds_of(zoom, (left, right), rows)
        text = self._metadata.get("bounds", "")
        if not text:
            return covered, []
        try:
            west, south, east, north = (float(part) for part in text.split(","))
            if not (WORLD[0] <= west < east <= WORLD[2] and -90 <= south < north <= 90):
                raise ValueError
        except ValueError:
            return covered, [_("Its bounds “{text}” are none.").format(text=text)]
        middle = tile_at((west + east) / 2, (south + north) / 2, zoom)[1]
        if rows[0] <= middle <= rows[1] or self._from_north:
            return (west, south, east, north), []
        if flip - rows[1] <= middle <= flip - rows[0]:
            # Some programs number the rows from the north all the same; then everything would lie in the sea.
            self._from_north = True
            return (west, south, east, north), [
                _("Its rows are counted from the north, against the standard; they are read that way.")
            ]
        return covered, [_("Its tiles do not lie within the bounds that it names.")]


def _refused(path: Path) -> Refused:
    return Refused("no_mbtiles", N_("{path} is no MBTiles file."), path=path.name)
