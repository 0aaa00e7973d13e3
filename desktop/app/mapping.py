"""What the map needs of the database: tiles, names to go to, commands; and its acts for menus and keys."""

from __future__ import annotations

from db.bootstrap import Core
from db.tiles.queries import tile_sets
from desktop.core.jobs import Jobs
from desktop.map.pane import MapPane
from desktop.map.tiles import OpenedSets


class MapDesk:
    """Stands between one map pane and the database of a session."""

    def __init__(self, core: Core, jobs: Jobs, pane: MapPane) -> None:
        self._core = core
        self._jobs = jobs
        self._pane = pane

    async def load(self) -> None:
        """Read what lies under the cases; files are opened off the GUI thread."""
        self._pane.tiles.set_sets(await self._jobs.read(self._open_tiles))

    def _open_tiles(self) -> OpenedSets:
        with self._core.database.read() as connection:
            sets = tile_sets(connection)
        return OpenedSets(sets)
