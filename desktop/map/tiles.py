"""The picture maps under everything else: opens the registered sets, and gives the page their tiles."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject

from db.kernel.refusal import Trouble
from db.tiles.online import NotNow, OnlineTiles
from db.tiles.reading import open_tiles
from db.tiles.rules import TileFile, TileSet, format_of
from desktop.map.view import MapView
from desktop.widgets.webview import NOTHING, Reply

_log = logging.getLogger(__name__)

_TYPES = {"png": "image/png", "jpg": "image/jpeg", "webp": "image/webp"}
LATER = Reply(b"", "text/x-later")
"""What the page is told of a tile that may be there another time: it asks again."""

Source = Callable[[int, int, int], bytes | None]


class TileSets(QObject):
    """The sets of one map. Files are opened by ``open_sets`` and read by the threads of the page's site."""

    def __init__(self, view: MapView, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._view = view
        self._sources: dict[str, Source] = {}
        self._files: list[TileFile] = []
        self.missing: dict[str, str] = {}
        """The sets that could not be opened, and why."""
        view.web.site.serve_slowly("tiles", self._reply)
        # A source that does not answer holds up only its own threads, never those that read files.
        view.web.site.serve_slowly("online", self._reply, threads=4)
        view.put("tiles", [])
        self.destroyed.connect(_closer(self._files))

    def set_sets(self, opened: OpenedSets) -> None:
        """Draw these sets, the first lowest; the ones drawn before are closed."""
        for file in self._files:
            file.close()
        self._files[:] = opened.files
        self._sources = opened.sources
        self.missing = opened.missing
        self._view.put("tiles", opened.plain)

    def _reply(self, query: dict[str, str]) -> Reply:
        """A tile, on a thread of the site."""
        source = self._sources.get(query["set"])
        if source is None:
            return NOTHING
        try:
            picture = source(int(query["z"]), int(query["x"]), int(query["y"]))
        except NotNow:
            return LATER
        kind = _TYPES.get(format_of(picture)) if picture else None
        return Reply(picture, kind) if picture and kind else NOTHING


class OpenedSets:
    """Sets with their files open, made on a reader's thread."""

    def __init__(self, sets: Sequence[TileSet]) -> None:
        self.files: list[TileFile] = []
        self.sources: dict[str, Source] = {}
        self.missing: dict[str, str] = {}
        self.plain: list[dict[str, object]] = []
        for each in sets:
            try:
                self._open(each)
            except Trouble as trouble:
                # A file on a disk that is not there today: the map draws what it has.
                self.missing[each.name] = trouble.text()
                _log.warning("Tiles %s: %s", each.name, trouble)

    def _open(self, chosen: TileSet) -> None:
        bounds, low, high, pixels = chosen.bounds, chosen.min_zoom, chosen.max_zoom, chosen.pixels
        if chosen.is_online:
            self.sources[chosen.name] = OnlineTiles(chosen.source).tile
        else:
            file = open_tiles(Path(chosen.source))
            self.files.append(file)
            self.sources[chosen.name] = file.tile
            facts = file.facts
            # The file may have been renewed since it was registered.
            bounds, low, high, pixels = facts.bounds, facts.min_zoom, facts.max_zoom, facts.pixels
        self.plain.append(
            {
                "name": chosen.name,
                "road": "online" if chosen.is_online else "tiles",
                "datum": chosen.datum,
                "min": low,
                "max": high,
                "bounds": bounds,
                "pixels": pixels,
                "attribution": chosen.attribution,
            }
        )


def _closer(files: list[TileFile]) -> Callable[[], None]:
    def close() -> None:
        for file in files:
            file.close()

    return close
