"""Which sets of tiles a database has, lowest first."""

from __future__ import annotations

from sqlalchemy import Connection

from db.engine import settings
from db.tiles.rules import WORLD, TileSet

SETTING = "map.tiles"


def tile_sets(connection: Connection) -> list[TileSet]:
    """The registered sets in the order in which they are drawn."""
    return [
        TileSet(
            each["name"],
            each["source"],
            each["datum"],
            each["min_zoom"],
            each["max_zoom"],
            each["attribution"],
            each["pixels"],
            tuple(each.get("bounds", WORLD)),
        )
        for each in settings.get(connection, SETTING, [])
    ]
