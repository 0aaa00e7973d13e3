"""What the map shows of the city outdoors: components, vehicles, and where somebody has been."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from PySide6.QtCore import QObject, QTimer

from db.bootstrap import Core
from db.cases.about import cases_about
from db.live.board import News
from db.people.tracking import ViewTrack, kept_days, thresholds, vehicles
from db.registers.components import components
from desktop.core.context import Context
from desktop.core.jobs import Jobs
from desktop.map.pane import MapPane
from desktop.map.track import TrackDialog
from desktop.widgets.theme import Theme

VEHICLES_EVERY_MS = 1000


class Fieldwork(QObject):
    """Stands between one map pane and the database; everything is read off the GUI thread."""

    def __init__(
        self,
        core: Core,
        jobs: Jobs,
        context: Context,
        theme: Theme,
        pane: MapPane,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._core = core
        self._jobs = jobs
        self._context = context
        self._theme = theme
        self._pane = pane
        self._days = 0
        self.is_loaded = False
        """Whether all of it has been read once."""
        self._reading = False
        self._closed = False
        self._beat = QTimer(self)
        self._beat.setInterval(VEHICLES_EVERY_MS)
        self._beat.timeout.connect(lambda: jobs.start(self._load_vehicles()))
        context.news.connect(self._on_news)
        pane.components.asked.connect(lambda component_id: jobs.start(self._list_cases(component_id)))
        pane.people.track_asked.connect(self._on_track_asked)

    async def load(self) -> None:
        """Read what changes seldom; the components come last, they are many and nobody waits for them."""
        limits = await self._read(thresholds)
        self._days = await self._read(kept_days)
        if not self._closed:
            self._pane.people.set_thresholds(limits)
        await self._load_vehicles()
        await self._load_components()
        self.is_loaded = True

    def close(self) -> None:
        """The pane is going: whatever is still being read comes to nothing."""
        self._closed = True
        self._beat.stop()

    async def _read(self, question: Callable[..., Any], *facts: Any) -> Any:
        def ask() -> Any:
            with self._core.database.read() as connection:
                return question(connection, *facts)

        return await self._jobs.read(ask)

    async def _load_components(self) -> None:
        found = await self._read(components)
        if not self._closed:
            self._pane.components.show(found)

    async def _load_vehicles(self) -> None:
        # A slow network must not pile up questions.
        if self._reading:
            return
        self._reading = True
        try:
            found = await self._read(vehicles)
        finally:
            self._reading = False
        if self._closed:
            return
        self._pane.people.set_vehicles(found)
        if found:
            self._beat.start()
        else:
            self._beat.stop()

    async def _list_cases(self, component_id: int) -> None:
        found = await self._read(cases_about, component_id)
        if not self._closed:
            self._pane.components.show_cases(component_id, found)

    def _on_news(self, news: News) -> None:
        if self._closed:
            return
        if "component" in news.registers_changed:
            self._jobs.start(self._load_components())
        if "vehicle" in news.registers_changed:
            self._jobs.start(self._load_vehicles())

    def _on_track_asked(self, person_id: int, name: str) -> None:
        dialog = TrackDialog(self._theme, name, self._days, self._pane.window())
        dialog.asked.connect(
            lambda hours, reason: self._jobs.start(self._show_track(person_id, hours, reason))
        )
        dialog.open()

    async def _show_track(self, person_id: int, hours: int, reason: str) -> None:
        """Through the bus: who looked, at whom and why stands in the database before anything is shown."""
        now = self._core.clock.now()
        command = ViewTrack(person_id, now - timedelta(hours=hours), now, reason)
        outcome = await self._jobs.write(self._core.bus.run, command, self._context.who)
        if not self._closed:
            self._pane.people.show_track(outcome.result)
