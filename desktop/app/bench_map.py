"""``jingwei bench map``: the live map in 1920×1080, drawn by the processor, touched as by a hand."""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QCoreApplication, QEvent, QPoint, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtWebEngineCore import QWebEnginePage, QWebEngineProfile
from PySide6.QtWebEngineWidgets import QWebEngineView
from PySide6.QtWidgets import QApplication, QWidget
from qasync import QEventLoop

from db.bootstrap import open_core
from db.kernel.language import N_, language
from db.kernel.refusal import Unavailable
from db.registers.queries import base_map
from desktop.app.figures import Line, line
from desktop.app.memory import memory_mib
from desktop.app.program import Options, make_application
from desktop.core import logs
from desktop.core.preferences import passing
from desktop.map.basemap import Bounds
from desktop.map.ground import ground
from desktop.map.pane import page_words
from desktop.map.stock import circles, clusters, has_clusters, serve_stock
from desktop.map.view import CASES, PEOPLE, MapView
from desktop.widgets.theme import Theme
from desktop.widgets.webview import ORIGIN, SCHEME, LocalSite

Floats = npt.NDArray[np.float64]

WIDTH, HEIGHT = 1920, 1080
FEW, MANY = 300_000, 1_000_000
PATIENCE_S = 120.0
HAND_MS = 8
"""A mouse tells where it is some 125 times a second."""
CITY_ZOOM, STREET_ZOOM = 12.0, 15.0
_SEED = 20080308
_MOST_HTML = 2 * 2**20
"""What setHtml takes, percent-encoded (Qt's own limit)."""
_SHOWN = """
Boolean(!window.old && document.querySelector(".leaflet-map-pane") && document.readyState === "complete") &&
  (window.shown ??
    (requestAnimationFrame(() => requestAnimationFrame(() => { window.shown = true; })), false))
"""
"""Two frames after the page is complete: what it drew is on the screen."""
_RECORDER = """
(window.frames_ = [], (function note(last) {
  requestAnimationFrame((now) => { if (last) window.frames_.push(now - last); note(now); });
})(0), true)
"""


def map_(arguments: argparse.Namespace) -> Iterator[Line]:
    """Move, change, pick and keep going; then the stock maps of folium at the sizes that they survive."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    logs.start(None, verbose=False)
    preferences = passing()
    app, theme = make_application(Options(arguments.db, lang=language()), preferences, scale=1.0)
    loop = QEventLoop(app)
    asyncio.set_event_loop(loop)
    with loop:
        # In one go: when Qt's loop has ended once, its web engine takes the program for ended.
        yield from loop.run_until_complete(_measured(theme, arguments.db, arguments.minutes))


async def _measured(theme: Theme, url: str | None, minutes: float) -> list[Line]:
    trial = Trial(theme, url)
    await trial.open()
    try:
        lines = [
            *[each async for each in trial.first_paint(100_000)],
            *[each async for each in trial.movement(FEW, 16.7, 33.0)],
            *[each async for each in trial.picking()],
            *[each async for each in trial.changes()],
            *[each async for each in trial.brushing(100_000, 16.0)],
            *[each async for each in trial.movement(MANY, 33.0, None)],
            *[each async for each in trial.brushing(MANY, 50.0)],
            *[each async for each in trial.endurance(minutes)],
        ]
    finally:
        trial.close()
    return [*lines, *[each async for each in stock(trial.bounds)]]


def scatter(count: int, bounds: Bounds, seed: int = _SEED) -> tuple[Floats, Floats]:
    """``count`` places in a city: half of them in sixty crowded spots, half anywhere; the same each time."""
    chance = np.random.default_rng(seed)
    west, south, east, north = bounds
    spots = chance.uniform((west, south), (east, north), (60, 2))
    crowded = spots[chance.integers(0, len(spots), count // 2)] + chance.normal(
        0, (east - west) / 60, (count // 2, 2)
    )
    anywhere = chance.uniform((west, south), (east, north), (count - count // 2, 2))
    places = np.clip(np.concatenate([crowded, anywhere]), (west, south), (east, north))
    return places[:, 0], places[:, 1]


class Trial:
    """One map view in a window off screen, and a hand for it."""

    def __init__(self, theme: Theme, url: str | None) -> None:
        core = open_core(url)
        try:
            with core.database.read() as connection:
                base = ground(base_map(connection), language(), "", {})
        finally:
            core.close()
        self.bounds = base.bounds
        self._chance = np.random.default_rng(_SEED)
        self._shown = 0
        self.view = MapView(theme.colors(), page_words())
        self.view.drawn.connect(self._on_drawn)
        self.view.resize(WIDTH, HEIGHT)
        self.view.show()
        self.view.set_base(base)

    async def open(self) -> None:
        """Wait for the ground, and load what measures the page from inside."""
        await self.settle()
        await self.ask(f"void import('{ORIGIN}/map/bench.js')")
        while not await self.ask("Boolean(globalThis.bench)"):
            await asyncio.sleep(0.01)

    def _on_drawn(self, generation: int) -> None:
        self._shown = max(self._shown, generation)

    def close(self) -> None:
        """End the page."""
        self.view.close()
        self.view.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)

    async def settle(self) -> None:
        """Wait until the page shows the newest generation."""
        await wait(lambda: self._shown >= self.view.generation, N_("the map did not draw"))

    async def ask(self, expression: str) -> Any:
        """The value of a JavaScript expression."""
        return await ask(self.view.web, expression)

    async def fill(self, count: int) -> None:
        """Lay so many cases on the map, a few of them overdue."""
        self._lon, self._lat = scatter(count, self.bounds)
        self._light = self._chance.choice(4, count, p=[0.70, 0.10, 0.08, 0.12]).astype(np.uint8)
        self.view.set_points(CASES, self._lon, self._lat, self._light, np.ones(count, bool))
        await self.settle()

    async def look(self, zoom: float) -> None:
        """Look at the middle of the city from a zoom."""
        west, south, east, north = self.bounds
        self.view.restore_view(((west + east) / 2, (south + north) / 2, zoom))
        await self.settle()

    async def first_paint(self, count: int) -> AsyncIterator[Line]:
        """From handing over the columns to the frame that shows them."""
        lon, lat = scatter(count, self.bounds)
        light = np.zeros(count, np.uint8)
        took = []
        for _run in range(5):
            self.view.set_points(CASES, [], [], [], [])
            await self.settle()
            begun = time.perf_counter()
            self.view.set_points(CASES, lon, lat, light, np.ones(count, bool))
            await self.settle()
            took.append((time.perf_counter() - begun) * 1000)
        yield line(N_("first paint of 100,000 points, page ready"), statistics.median(took), "ms", 150.0)

    async def movement(self, count: int, median: float, p95: float | None) -> AsyncIterator[Line]:
        """Frames while the map is dragged and while it is zoomed."""
        await self.fill(count)
        frames: list[float] = []
        for zoom in (CITY_ZOOM, STREET_ZOOM):
            await self.look(zoom)
            frames += await self.recorded(lambda: drag(self.view.web, 4.0))
        where = f"{count:,}"
        yield line(f"{where}: {N_('drag')}, p50", _share(frames, 0.5), "ms", median)
        yield line(f"{where}: {N_('drag')}, p95", _share(frames, 0.95), "ms", p95)
        await self.look(CITY_ZOOM)
        frames = await self.recorded(self.zoom)
        yield line(f"{where}: {N_('zoom')}, p50", _share(frames, 0.5), "ms", median)
        yield line(f"{where}: {N_('zoom')}, p95", _share(frames, 0.95), "ms", p95)
        await self.look(CITY_ZOOM)
        yield line(f"{where}: {N_('points drawn anew')}", await self.ask("bench.repaint(jingwei)"), "ms")

    async def recorded(self, act: Callable[[], Awaitable[None]]) -> list[float]:
        """The length of every frame, in milliseconds, while ``act`` goes on."""
        await self.ask("bench.record()")
        await act()
        return list(await self.ask("bench.recorded()"))

    async def zoom(self) -> None:
        """Six notches of the wheel in, six out, as fast as a finger turns them."""
        target = self.view.web.focusProxy() or self.view.web
        middle = QPointF(WIDTH / 2, HEIGHT / 2)
        for notch in (1, 1, 1, -1, -1, -1) * 2:
            event = QWheelEvent(
                middle,
                QPointF(target.mapToGlobal(middle)),
                QPoint(),
                QPoint(0, 120 * notch),
                Qt.MouseButton.NoButton,
                Qt.KeyboardModifier.NoModifier,
                Qt.ScrollPhase.NoScrollPhase,
                False,
            )
            QApplication.sendEvent(target, event)
            await asyncio.sleep(0.45)

    async def picking(self) -> AsyncIterator[Line]:
        """Finding the mark under the pointer among 300,000, in the whole city and in a street."""
        took: list[float] = []
        for zoom in (CITY_ZOOM, STREET_ZOOM):
            await self.look(zoom)
            took += await self.ask("bench.picks(jingwei, 400)")
        yield line(N_("pick under the pointer, p95"), _share(took, 0.95), "ms", 5.0)

    async def changes(self) -> AsyncIterator[Line]:
        """A thousand changed points: from the call to the frame that shows them."""
        await self.look(CITY_ZOOM)
        took = []
        for _run in range(30):
            begun = time.perf_counter()
            self.change(1_000)
            await self.settle()
            took.append((time.perf_counter() - begun) * 1000)
        yield line(N_("1,000 changed points → on screen, p95"), _share(took, 0.95), "ms", 50.0)

    def change(self, count: int) -> None:
        """Other lights for so many cases, a few of which are moved as well."""
        slots = self._chance.choice(len(self._lon), count, replace=False)
        self._light[slots] = self._chance.integers(0, 4, count)
        self._lon[slots[: count // 10]] += 0.0005
        self.view.patch_points(
            CASES, slots, self._lon[slots], self._lat[slots], self._light[slots], np.ones(count, bool)
        )

    async def brushing(self, count: int, goal: float) -> AsyncIterator[Line]:
        """Another filter: the work of Python and of the page, not the wait for the screen's next frame."""
        await self.fill(count)
        await self.look(CITY_ZOOM)
        took = []
        for run in range(20):
            mask = (np.arange(count) + run) % 3 > 0
            begun = time.perf_counter()
            self.view.set_visible(mask)
            python = (time.perf_counter() - begun) * 1000
            await self.settle()
            took.append(python + await self.ask("jingwei.worked"))
        yield line(f"{count:,}: {N_('brushed by another filter')}, p95", _share(took, 0.95), "ms", goal)

    async def endurance(self, minutes: float) -> AsyncIterator[Line]:
        """400 people at 1 Hz and 50 cases a second: the longest frame, and whether memory stays."""
        await self.fill(FEW)
        await self.look(STREET_ZOOM)
        people = scatter(400, self.bounds, seed=1)
        everybody = np.ones(400, bool)
        self.view.set_points(PEOPLE, *people, np.zeros(400), everybody)
        await self.settle()
        ticks = 0
        memory: list[float] = []

        def tick() -> None:
            nonlocal ticks
            ticks += 1
            self.change(5)
            if ticks % 10 == 0:
                for axis in people:
                    axis += self._chance.normal(0, 1e-5, 400)
                self.view.patch_points(PEOPLE, np.arange(400), *people, np.zeros(400), everybody)
            if ticks % 100 == 0:
                memory.append(memory_mib(os.getpid()))

        await beat(100, tick, min(20.0, minutes * 30.0))
        memory = memory[-1:]
        await self.ask("bench.record()")
        await beat(100, tick, minutes * 60.0)
        memory.append(memory_mib(os.getpid()))
        frames = await self.ask("bench.recorded()")
        yield line(N_("400 people and 50 cases a second, for"), minutes, "min")
        yield line(N_("the longest frame of it"), max(frames), "ms", 100.0)
        yield line(N_("a frame of it, p95"), _share(frames, 0.95), "ms")
        drift = abs(statistics.median(memory[-3:]) / memory[0] - 1) * 100
        yield line(N_("memory of all processes, first to last"), drift, "%", 5.0)


async def stock(bounds: Bounds) -> AsyncIterator[Line]:
    """folium as it comes: CircleMarkers, and FastMarkerCluster, by setHtml at each refresh."""
    west, south, east, north = bounds
    middle = ((west + east) / 2, (south + north) / 2)
    for count in (500, 1_000, 2_500, 10_000):
        points = list(zip(*(axis.tolist() for axis in scatter(count, bounds)), strict=True))
        what = f"folium CircleMarker, {count:,}"
        async for each in _stock(what, lambda points=points: circles(points, middle, 12)):
            yield each
    if not has_clusters():
        yield line(N_("folium FastMarkerCluster: its script is not installed"), 0, "")
        return
    for count in (2_000, 10_000, 35_000, 100_000):
        points = list(zip(*(axis.tolist() for axis in scatter(count, bounds)), strict=True))
        what = f"folium FastMarkerCluster, {count:,}"
        async for each in _stock(what, lambda points=points: clusters(points, middle, 12)):
            yield each


async def _stock(what: str, make: Callable[[], str]) -> AsyncIterator[Line]:
    """Two refreshes of one page and a drag over it; a page that never comes says so."""
    html = make()
    encoded = len(QUrl.toPercentEncoding(html).data())
    if encoded > _MOST_HTML:
        yield line(f"{what}: {N_('too long for setHtml')}", encoded / 2**20, "MiB")
        return
    view = QWebEngineView()
    profile = QWebEngineProfile()
    site = LocalSite(profile)
    serve_stock(site)
    profile.installUrlSchemeHandler(SCHEME.encode(), site)
    view.setPage(QWebEnginePage(profile, view))
    profile.setParent(view)  # after the page: children die in order, and pages must go first
    view.resize(WIDTH, HEIGHT)
    view.show()
    took = []
    for _refresh in range(2):
        begun = time.perf_counter()
        await ask(view, "(window.old = true)")
        view.setHtml(make(), QUrl(f"{ORIGIN}/stock.html"))
        # Two frames after Leaflet has everything: what it drew is on the screen.
        async with asyncio.timeout(PATIENCE_S):
            while await ask(view, _SHOWN) is not True:
                await asyncio.sleep(0.01)
        took.append((time.perf_counter() - begun) * 1000)
    yield line(f"{what}: {N_('refresh')}", took[-1], "ms")
    await ask(view, _RECORDER)
    await drag(view, 3.0)
    frames = await ask(view, "window.frames_")
    yield line(f"{what}: {N_('drag')}, p50", _share(frames, 0.5), "ms")
    yield line(f"{what}: {N_('drag')}, p95", _share(frames, 0.95), "ms")
    view.close()
    view.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


async def drag(view: QWebEngineView, seconds: float) -> None:
    """Drag a map round in a circle of 400 pixels, 800 pixels a second."""
    target = view.focusProxy() or view
    middle = QPointF(WIDTH / 2, HEIGHT / 2)
    place = middle
    begun = time.perf_counter()

    def move() -> None:
        nonlocal place
        angle = (time.perf_counter() - begun) * 2.0
        place = middle + QPointF(400 * math.sin(angle), 400 * (math.cos(angle) - 1))
        _send(target, QEvent.Type.MouseMove, place, Qt.MouseButton.LeftButton)

    _send(target, QEvent.Type.MouseMove, middle, Qt.MouseButton.NoButton)
    _send(target, QEvent.Type.MouseButtonPress, middle, Qt.MouseButton.LeftButton)
    await beat(HAND_MS, move, seconds)
    _send(target, QEvent.Type.MouseButtonRelease, place, Qt.MouseButton.NoButton)


def _send(target: QWidget, kind: QEvent.Type, place: QPointF, held: Qt.MouseButton) -> None:
    button = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseMove else Qt.MouseButton.LeftButton
    event = QMouseEvent(
        kind, place, QPointF(target.mapToGlobal(place)), button, held, Qt.KeyboardModifier.NoModifier
    )
    QApplication.sendEvent(target, event)


async def beat(interval_ms: int, step: Callable[[], None], seconds: float) -> None:
    """Take a step at every beat for so long, while Qt goes on."""
    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(step)
    timer.start(interval_ms)
    await asyncio.sleep(seconds)
    timer.stop()


async def wait(claim: Callable[[], bool], trouble: str) -> None:
    """Let Qt go on until the claim comes true; raises ``Unavailable`` with these words when it does not."""
    end = time.monotonic() + PATIENCE_S
    while not claim():
        if time.monotonic() > end:
            raise Unavailable("bench_failed", trouble)
        await asyncio.sleep(0.001)


async def ask(view: QWebEngineView, expression: str) -> Any:
    """The value of a JavaScript expression on the page."""
    answers: list[str] = []
    view.page().runJavaScript(f"JSON.stringify({expression}) ?? 'null'", 0, answers.append)
    await wait(lambda: bool(answers), N_("the page did not answer"))
    return json.loads(answers[0] or "null")


def _share(values: Sequence[float], share: float) -> float:
    """The value that this share of them does not exceed, to a tenth of a millisecond as pages tell it."""
    return round(sorted(values)[min(len(values) - 1, int(len(values) * share))], 1) if values else math.nan
