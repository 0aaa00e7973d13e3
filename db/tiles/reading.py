"""Opens a tile file, whichever of the two kinds it is."""

from __future__ import annotations

from pathlib import Path

from db.kernel.language import N_
from db.kernel.refusal import Refused, Unavailable
from db.tiles.mbtiles import MBTiles
from db.tiles.pmtiles import PMTiles
from db.tiles.rules import TileFile


def open_tiles(path: Path) -> TileFile:
    """Open an MBTiles or PMTiles file for reading; how it begins decides, not what it is called.

    Raises ``Unavailable`` when it cannot be read and ``Refused`` when it is neither.
    """
    try:
        with path.open("rb") as file:
            beginning = file.read(16)
    except OSError as error:
        raise Unavailable("unreadable", N_("{path} cannot be read."), path=path) from error
    if beginning.startswith(b"PMTiles"):
        return PMTiles(path)
    if beginning.startswith(b"SQLite format 3"):
        return MBTiles(path)
    raise Refused("no_tile_file", N_("{path} is neither MBTiles nor PMTiles."), path=path.name)
