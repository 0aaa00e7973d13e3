"""The one module that knows every screen: it makes the panes of a room."""

from __future__ import annotations

from dataclasses import dataclass

from desktop.core.context import Context
from desktop.core.preferences import Preferences
from desktop.kpi.pane import KpiPane
from desktop.map.pane import MapPane
from desktop.queue.pane import QueuePane
from desktop.widgets.pane import Pane
from desktop.widgets.theme import Theme


@dataclass(frozen=True)
class Panes:
    """The three panes of the room."""

    map: MapPane
    queue: QueuePane
    kpi: KpiPane

    def by_id(self) -> dict[str, Pane]:
        """In the order in which they stand, left to right."""
        return {"map": self.map, "queue": self.queue, "kpi": self.kpi}


def make_panes(theme: Theme, context: Context, preferences: Preferences) -> Panes:
    """Map, queue and figures over one context."""
    return Panes(MapPane(theme, context), QueuePane(theme, context, preferences), KpiPane(theme, context))
