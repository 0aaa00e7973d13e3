"""``jingwei bench queue``: every filter and order, brushing, and scrolling, at 100,000 and 1,000,000 open."""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from PySide6.QtCore import QPoint, QPointF, QSettings, Qt
from PySide6.QtGui import QImage, QPainter, QWheelEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QWidget

from db.kernel.language import N_
from db.live.filters import PARTS, Filter
from db.live.lens import ORDER_KEYS
from db.live.queues import counts
from desktop.app import invented
from desktop.app.figures import Line, line
from desktop.core.context import Context
from desktop.core.preferences import Preferences
from desktop.kpi.pane import KpiPane
from desktop.queue.pane import QueuePane
from desktop.queue.rows import QueueRows
from desktop.widgets.rows import Cell
from desktop.widgets.table import Table
from desktop.widgets.theme import Theme

GOALS_MS = {100_000: 16.0, 1_000_000: 50.0}
"""What a hand waits for, by the number of open cases (issue C: one frame, three frames)."""
FRAME_MS = 33.0
QUEUES_MS = 5.0
_PAGES = 240
_NOTCHES = 360


def queue(arguments: argparse.Namespace) -> Iterator[Line]:
    """The queue's own times; the board is invented, so that every computer measures the same."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application = QApplication.instance() or QApplication(["jingwei-bench"])
    assert isinstance(application, QApplication)
    theme = Theme()
    theme.apply(application)
    with tempfile.TemporaryDirectory() as folder:
        for count, goal in GOALS_MS.items():
            room = Desk(theme, invented.context(count), Path(folder))
            yield line(N_("open cases"), count, "")
            yield from _filters(room, arguments.runs, goal)
            yield from _orders(room, arguments.runs, goal)
            yield from _brushes(room, arguments.runs, goal)
            took = [_ms(lambda room=room: counts(room.context.board, room.context.who)) for _ in range(5)]
            yield line(
                N_("counts of all queues by duty"),
                statistics.median(took),
                "ms",
                QUEUES_MS if count == 100_000 else goal,
            )
            if count == 100_000:
                yield from _scrolling(room)
            room.close()


class Desk:
    """Queue and figures side by side over one board, as in the room, without a database."""

    def __init__(self, theme: Theme, context: Context, folder: Path) -> None:
        self.context = context
        settings = QSettings(str(folder / "bench.ini"), QSettings.Format.IniFormat)
        self.queue = QueuePane(theme, context, Preferences(settings))
        self.figures = KpiPane(theme, context)
        self.window = QWidget()
        row = QHBoxLayout(self.window)
        row.addWidget(self.queue, 5)
        row.addWidget(self.figures, 3)
        self.window.resize(1130, 960)
        self.window.show()
        self.window.grab()

    @property
    def table(self) -> Table:
        """The list of cases."""
        return self.queue.table

    def filter(self, chosen: Filter) -> None:
        """As a hand does; every pane has followed when it returns."""
        self.context.set_filter(chosen)

    def painted(self) -> None:
        """Paint list and figures whole: off screen nothing paints by itself, and a screen paints no more."""
        for widget in (self.table.viewport(), self.figures):
            paint(widget)

    def close(self) -> None:
        """Take it off the screen."""
        self.window.close()
        self.window.deleteLater()


def paint(widget: QWidget) -> None:
    """Paint all of a widget."""
    image = QImage(widget.size(), QImage.Format.Format_RGB32)
    painter = QPainter(image)
    widget.render(painter, QPoint())
    painter.end()


def samples(context: Context) -> dict[str, Filter]:
    """One filter for each part, of the kind that is used: a usual value, and the dearest form of it."""
    store = context.board.store
    every = np.flatnonzero(store.alive)
    middle = every[len(every) // 2]
    lon, lat = invented.WEST + 0.1, invented.SOUTH + 0.07
    ring = tuple(
        (lon + 0.05 * float(np.cos(turn)), lat + 0.04 * float(np.sin(turn)))
        for turn in np.linspace(0, 2 * np.pi, 24, endpoint=False)
    )
    hour = invented.HOUR_MS
    return {
        "states": Filter(states=frozenset({"handling", "pending_check"})),
        "lights": Filter(lights=frozenset({2})),
        "districts": Filter(districts=frozenset({1, 2})),
        "communities": Filter(communities=frozenset({101})),
        "patrols": Filter(patrols=frozenset({1_001})),
        "cells": Filter(cells=frozenset({10_001})),
        "units": Filter(units=frozenset({1, 2, 3})),
        "categories": Filter(categories=frozenset(range(1, 40))),
        "majors": Filter(majors=frozenset({"s/01", "s/02"})),
        "sources": Filter(sources=frozenset({"collector"})),
        "priorities": Filter(priorities=frozenset({2})),
        "holders": Filter(holders=frozenset({5_001})),
        "claimants": Filter(claimants=frozenset({0})),
        "requests": Filter(requests=frozenset({"postpone"})),
        "tags": Filter(tags=frozenset({"积水"})),
        "supervised": Filter(supervised=True),
        "returned": Filter(returned=True),
        "mine": Filter(mine=(1, 5_001)),
        "slack": Filter(slack=(None, 2 * hour)),
        "arrived": Filter(arrived=(invented.NOW_MS - 24 * hour, None)),
        "closed": Filter(closed=(invented.NOW_MS - 24 * hour, None)),
        "no_position": Filter(no_position=True),
        "text": Filter(text="学院路 1"),
        "box": Filter(box=(lon - 0.05, lat - 0.04, lon + 0.05, lat + 0.04)),
        "shape": Filter(shape=ring),
        "ids": Filter(ids=frozenset(store.id[every[:1000]].tolist()) | {int(store.id[middle])}),
    }


def _filters(room: Desk, runs: int, goal: float) -> Iterator[Line]:
    """Each part put on and taken off again; the longer way counts."""
    chosen = samples(room.context)
    worst = 0.0
    board = room.context.board
    for part in PARTS:
        took = [
            max(
                _ms(lambda part=part: board.set_filter(chosen[part])), _ms(lambda: board.set_filter(Filter()))
            )
            for _ in range(runs)
        ]
        worst = max(worst, statistics.median(took))
        yield line(f"{N_('filter')}: {part}", statistics.median(took), "ms", goal)
    yield line(N_("filter: the slowest part"), worst, "ms", goal)


def _orders(room: Desk, runs: int, goal: float) -> Iterator[Line]:
    """Each order, up and down; the first time of a text, when its ranks are made, is told apart."""
    board = room.context.board
    for key in ORDER_KEYS:
        board.set_order("state")
        first = _ms(lambda key=key: board.set_order(key))
        took = []
        for _run in range(runs):
            board.set_order("state" if key != "state" else "source")
            took.append(
                max(
                    _ms(lambda key=key: board.set_order(key)), _ms(lambda key=key: board.set_order(key, True))
                )
            )
        yield line(f"{N_('sort')}: {key}", statistics.median(took), "ms", goal)
        if first > 2 * goal:
            yield line(f"{N_('sort, the first time')}: {key}", first, "ms")
    board.set_order("slack")


def _brushes(room: Desk, runs: int, goal: float) -> Iterator[Line]:
    """A box and a lasso drawn on the map: the list, its count and every chart say the new truth."""
    chosen = samples(room.context)
    for part, title in (("box", N_("brush: a box → queue and charts")), ("shape", N_("brush: a lasso → …"))):
        took, drawn = [], []
        for _run in range(runs + 1):
            took.append(_ms(lambda part=part: room.filter(chosen[part])))
            drawn.append(took[-1] + _ms(room.painted))
            room.filter(Filter())
        # The first is warm-up.
        yield line(title, statistics.median(took[1:]), "ms", goal)
        yield line(N_("… and both painted whole"), statistics.median(drawn[1:]), "ms")


class Watched:
    """A row source that notes for which rows it was asked."""

    def __init__(self, rows: QueueRows) -> None:
        self._rows = rows
        self.asked: set[int] = set()

    def cell(self, row: int, column_key: str) -> Cell:
        self.asked.add(row)
        return self._rows.cell(row, column_key)

    def __getattr__(self, name: str) -> object:
        return getattr(self._rows, name)


def _scrolling(room: Desk) -> Iterator[Line]:
    """Page by page and by the wheel, each frame painted whole; a row not asked for would be blank."""
    table = room.table
    rows = Watched(room.queue.rows)
    room.queue.model.set_source(rows)  # type: ignore[arg-type]
    frames: list[float] = []
    blank = 0
    bar = table.verticalScrollBar()
    page = table.viewport().height()
    for step in range(_PAGES):
        # Half of them near the top, then leaps over the whole list.
        target = step * page if step < _PAGES // 2 else bar.maximum() * (step - _PAGES // 2) // (_PAGES // 2)
        frames.append(_frame(table, lambda target=target: bar.setValue(target)))
        blank += _blank(table, rows)
    yield line(N_("scroll page by page: p99 of frames"), _p99(frames), "ms", FRAME_MS)
    yield line(N_("scroll page by page: rows left blank"), blank, "", 0)
    bar.setValue(0)
    frames, blank = [], 0
    for _notch in range(_NOTCHES):
        frames.append(_frame(table, lambda: _turn(table)))
        blank += _blank(table, rows)
    yield line(N_("scroll by wheel: p99 of frames"), _p99(frames), "ms", FRAME_MS)
    yield line(N_("scroll by wheel: rows left blank"), blank, "", 0)
    room.queue.model.set_source(room.queue.rows)


def _frame(table: Table, move: Callable[[], None]) -> float:
    """One step with the paint that follows it, in milliseconds."""

    def step() -> None:
        move()
        paint(table.viewport())

    table.model().source.asked.clear()  # type: ignore[attr-defined]
    return _ms(step)


def _turn(table: Table) -> None:
    """One notch of the wheel."""
    place = QPointF(table.viewport().rect().center())
    event = QWheelEvent(
        place,
        table.viewport().mapToGlobal(place),
        QPoint(),
        QPoint(0, -120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(table.viewport(), event)


def _blank(table: Table, rows: Watched) -> int:
    """Rows in sight that the paint did not ask for."""
    height = table.verticalHeader().defaultSectionSize()
    offset, page = table.verticalScrollBar().value(), table.viewport().height()
    last = min((offset + page - 1) // height, table.model().rowCount() - 1)
    return len(set(range(offset // height, last + 1)) - rows.asked)


def _p99(frames: Sequence[float]) -> float:
    return float(np.percentile(np.array(frames), 99))


def _ms(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1000
