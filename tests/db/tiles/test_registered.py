"""The sets of a database are read as they were registered, in the order in which they are drawn."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from db.engine import settings
from db.engine.connections import Database
from db.tiles.registered import SETTING, tile_sets
from db.tiles.rules import WORLD, TileSet
from tests.db.engine.kit import write

STREETS = TileSet("街道", "/maps/a.mbtiles", "gcj02", 3, 17, "某测绘院", 512, (117.0, 35.0, 117.2, 35.2))
PHOTO = TileSet("卫星", "https://tiles.example/{z}/{x}/{y}", "wgs84")


def read(database: Database) -> list[TileSet]:
    with database.read() as connection:
        return tile_sets(connection)


def put(database: Database, value: list[dict[str, Any]]) -> None:
    write(database, lambda unit: settings.put(unit, SETTING, value))


def test_a_new_database_has_none(database: Database) -> None:
    assert read(database) == []


def test_sets_come_back_as_they_were_put_in_their_order(database: Database) -> None:
    put(database, [asdict(PHOTO), asdict(STREETS)])
    assert read(database) == [PHOTO, STREETS]
    put(database, [asdict(STREETS), asdict(PHOTO)])
    assert read(database) == [STREETS, PHOTO]
    # A list when stored as JSON, but bounds are compared with bounds.
    assert isinstance(read(database)[0].bounds, tuple)


def test_a_set_registered_before_bounds_were_kept_covers_the_world(database: Database) -> None:
    old = {key: value for key, value in asdict(STREETS).items() if key != "bounds"}
    put(database, [old])
    assert [each.bounds for each in read(database)] == [WORLD]
