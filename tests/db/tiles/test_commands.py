"""Sets of tiles are registered under a name, in the order in which they are drawn."""

from __future__ import annotations

from typing import Any

import pytest

from db.engine.bus import Bus
from db.engine.connections import Database
from db.kernel.actor import Actor
from db.kernel.refusal import Refused
from db.tiles.commands import AddTiles, RaiseTiles, RemoveTiles
from db.tiles.registered import tile_sets

EDITOR = Actor(7, "王敏", frozenset({"reference.load"}))


def added(name: str, **others: Any) -> AddTiles:
    return AddTiles(
        **{
            "name": name,
            "source": "/maps/a.mbtiles",
            "datum": "gcj02",
            "min_zoom": 3,
            "max_zoom": 17,
            **others,
        }
    )


def names(database: Database) -> list[str]:
    with database.read() as connection:
        return [each.name for each in tile_sets(connection)]


def test_sets_lie_in_the_order_in_which_they_came_until_one_is_raised(bus: Bus, database: Database) -> None:
    for name in ("卫星", "街道", "规划"):
        bus.run(added(name), EDITOR)
    bus.run(RaiseTiles("卫星"), EDITOR)
    assert names(database) == ["街道", "规划", "卫星"]
    bus.run(RemoveTiles("规划"), EDITOR)
    assert names(database) == ["街道", "卫星"]


def test_a_set_of_the_same_name_is_replaced_where_it_lies(bus: Bus, database: Database) -> None:
    bus.run(added("卫星"), EDITOR)
    bus.run(added("街道"), EDITOR)
    bus.run(added("卫星", datum="wgs84", bounds=(117.0, 35.0, 117.2, 35.2)), EDITOR)
    with database.read() as connection:
        first, _second = tile_sets(connection)
    assert (first.name, first.datum, first.bounds) == ("卫星", "wgs84", (117.0, 35.0, 117.2, 35.2))


@pytest.mark.parametrize(
    "wrong,code",
    [
        ({"name": " "}, "no_name"),
        ({"datum": "mars"}, "unknown_datum"),
        ({"source": "https://tiles.example/{z}/{x}"}, "bad_template"),
        ({"min_zoom": 9, "max_zoom": 8}, "bad_zooms"),
        ({"max_zoom": 40}, "bad_zooms"),
    ],
)
def test_a_set_that_cannot_be_is_refused(
    bus: Bus, database: Database, wrong: dict[str, Any], code: str
) -> None:
    with pytest.raises(Refused) as refused:
        bus.run(added(**{"name": "a", **wrong}), EDITOR)
    assert refused.value.code == code
    assert refused.value.text()
    assert names(database) == []


def test_what_is_not_there_is_neither_removed_nor_raised(bus: Bus) -> None:
    for order in (RemoveTiles("a"), RaiseTiles("a")):
        with pytest.raises(Refused) as refused:
            bus.run(order, EDITOR)
        assert refused.value.code == "no_such_tiles"


def test_only_who_may_load_reference_data_names_a_source(bus: Bus, database: Database) -> None:
    with pytest.raises(Refused):
        bus.run(added("a"), Actor(8, "来访", frozenset({"room.view"})))
    assert names(database) == []
