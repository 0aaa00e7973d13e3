"""The one module that knows every screen: it makes the panes of a room."""

from __future__ import annotations

from dataclasses import dataclass

from desktop.core.context import Context
from desktop.core.preferences import Preferences
from desktop.kpi.pane import KpiPane
from desktop.map.pane import MapPane
from desktop.queue.board import BoardPane
from desktop.queue.pane import QueuePane
from desktop.widgets.pane import Pane
from desktop.widgets.theme import Theme


@dataclass(frozen=True)
class Panes:
    """The three panes of the room, and the one that comes when it is called."""

    map: MapPane
    queue: QueuePane
    board: BoardPane
    kpi: KpiPane

    def by_id(self) -> dict[str, Pane]:
        """Those that always stand, left to right."""
        return {"map": self.map, "queue": self.queue, "kpi": self.kpi}

    def of_room(self) -> dict[str, Pane]:
        """All of them, in the order in which they stand, left to right."""
        return {"map": self.map, "queue": self.queue, "board": self.board, "kpi": self.kpi}


def make_panes(theme: Theme, context: Context, preferences: Preferences) -> Panes:
    """Map, queue, units and figures over one context; what is put to a unit, the queue's bar asks for."""
    queue = QueuePane(theme, context, preferences)
    board = BoardPane(theme, context, queue.table)
    board.chosen.connect(queue.bar.give)
    return Panes(MapPane(theme, context), queue, board, KpiPane(theme, context))
