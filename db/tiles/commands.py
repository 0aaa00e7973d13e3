"""Registers sets of tiles, takes them away, and puts them in order; the files stay where they are."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from db.engine import settings
from db.engine.bus import handles
from db.engine.unit_of_work import UnitOfWork
from db.kernel.command import Reach, command
from db.kernel.language import N_
from db.kernel.refusal import Refused
from db.tiles.registered import SETTING, tile_sets
from db.tiles.rules import WORLD, Bounds, TileSet, check_set

# Settings are no rows, so undo has nothing to put back: taking away and adding are each other's undoing.


@command("tiles.add", permission="reference.load", label=N_("Add map tiles"), lasting=True, reach=Reach.HERE)
@dataclass(frozen=True)
class AddTiles:
    """A set on top of the others; one of the same name is replaced where it lies."""

    name: str
    source: str
    datum: str
    min_zoom: int
    max_zoom: int
    attribution: str = ""
    pixels: int = 256
    bounds: Bounds = WORLD


@command(
    "tiles.remove", permission="reference.load", label=N_("Remove map tiles"), lasting=True, reach=Reach.HERE
)
@dataclass(frozen=True)
class RemoveTiles:
    """A set is no longer drawn."""

    name: str


@command(
    "tiles.raise",
    permission="reference.load",
    label=N_("Put map tiles on top"),
    lasting=True,
    reach=Reach.HERE,
)
@dataclass(frozen=True)
class RaiseTiles:
    """A set is drawn over all others."""

    name: str


@handles(AddTiles)
def add_tiles(order: AddTiles, unit: UnitOfWork) -> None:
    """Raises ``Refused`` for a set that cannot be."""
    chosen = TileSet(**asdict(order))
    check_set(chosen)
    sets = tile_sets(unit.connection)
    places = [place for place, each in enumerate(sets) if each.name == chosen.name]
    if places:
        sets[places[0]] = chosen
    else:
        sets.append(chosen)
    _put(unit, sets)


@handles(RemoveTiles)
def remove_tiles(order: RemoveTiles, unit: UnitOfWork) -> None:
    """Raises ``Refused`` when there is none of that name."""
    others, _taken = _parted(unit, order.name)
    _put(unit, others)


@handles(RaiseTiles)
def raise_tiles(order: RaiseTiles, unit: UnitOfWork) -> None:
    """Raises ``Refused`` when there is none of that name."""
    others, raised = _parted(unit, order.name)
    _put(unit, [*others, raised])


def _parted(unit: UnitOfWork, name: str) -> tuple[list[TileSet], TileSet]:
    """The other sets, and the one of that name."""
    sets = tile_sets(unit.connection)
    found = [each for each in sets if each.name == name]
    if not found:
        raise Refused("no_such_tiles", N_("There are no tiles called “{name}”."), name=name)
    return [each for each in sets if each.name != name], found[0]


def _put(unit: UnitOfWork, sets: list[TileSet]) -> None:
    settings.put(unit, SETTING, [asdict(each) for each in sets])
