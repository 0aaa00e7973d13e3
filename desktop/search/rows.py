"""The rows of a search: what was found so far, in words, growing page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from db.cases.rules import SOURCES, STATES, light
from db.kernel.language import N_, _, language
from db.search.queries import Hit
from desktop.core.context import Context
from desktop.core.words import local
from desktop.widgets.rows import Cell, Column

COLUMNS = (
    Column("reported", N_("Reported"), 132, sortable=False),  # zh: 上报时间
    Column("category", N_("Category"), 128, stretch=True, sortable=False),  # zh: 类别
    Column("address", N_("Place"), 152, stretch=True, sortable=False),  # zh: 地点
    Column("description", N_("Description"), 176, stretch=True, sortable=False),  # zh: 问题描述
    Column("unit", N_("Unit"), 96, stretch=True, sortable=False),  # zh: 责任单位
    Column("state", N_("Stage"), 96, sortable=False),  # zh: 环节
    Column("number", N_("Number"), 152, sortable=False),  # zh: 案件编号
    Column("district", N_("District"), 96, shown=False, sortable=False),  # zh: 街道
    Column("source", N_("Source"), 88, shown=False, sortable=False),  # zh: 来源
)


class FoundRows:
    """A row source over the hits that have come; newest first."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._hits: list[Hit] = []
        self._places: dict[int, int] = {}
        self._cells: Mapping[str, Callable[[Hit], Cell]] = {
            "reported": self._reported,
            "category": lambda hit: Cell(self._label("category", hit.category_id)),
            "address": lambda hit: Cell(hit.address, tone="text2"),
            "description": lambda hit: Cell(hit.description, tone="text2"),
            "unit": lambda hit: Cell(self._label("unit", hit.unit_id)),
            "state": self._state,
            "number": lambda hit: Cell(hit.number, tone="text2"),
            "district": lambda hit: Cell(self._label("district", hit.district_id), tone="text2"),
            "source": lambda hit: Cell(_(SOURCES.get(hit.source, hit.source)), tone="text2"),
        }

    def replace(self, hits: Sequence[Hit]) -> None:
        """Another search: these rows and no others."""
        self._hits = []
        self._places = {}
        self.extend(hits)

    def extend(self, hits: Sequence[Hit]) -> None:
        """The next page."""
        for hit in hits:
            # A case may be met twice when the page before had not seen a newer commit yet.
            if hit.id not in self._places:
                self._places[hit.id] = len(self._hits)
                self._hits.append(hit)

    def row_count(self) -> int:
        return len(self._hits)

    def id_at(self, row: int) -> int:
        return self._hits[row].id

    def row_of(self, id: int) -> int:
        return self._places.get(id, -1)

    def ids_between(self, first: int, last: int) -> list[int]:
        return [hit.id for hit in self._hits[first : last + 1]]

    def rows_of(self, ids: Iterable[int]) -> NDArray[np.int64]:
        return np.array([self._places.get(id, -1) for id in ids], dtype=np.int64)

    def cell(self, row: int, column_key: str) -> Cell:
        return self._cells[column_key](self._hits[row])

    def _reported(self, hit: Hit) -> Cell:
        return Cell(f"{local(hit.reported_at, self._context.zone):%Y-%m-%d %H:%M}", tone="text2")

    def _state(self, hit: Hit) -> Cell:
        state = STATES.get(hit.state)
        words = _(state.label) if state is not None else hit.state
        if state is None or not state.open:
            return Cell(words, tone="text3")
        now = self._context.board.store.now_ms
        return Cell(words, light=light(now, hit.due_at, hit.soon_at, hit.stopped_at))

    def _label(self, kind: str, key: int) -> str:
        return self._context.board.directory.label(kind, key, language())
