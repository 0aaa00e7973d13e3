"""The rows of the queue: words for the cases on screen, straight from the live columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from db.cases.rules import BEFORE_DISPATCH, SOURCES, STATES, Light
from db.kernel.language import N_, _, language
from db.live.board import Board
from desktop.core.words import day_and_time, span, time_left
from desktop.widgets.rows import RIGHT, Cell, Column

COLUMNS = (
    Column("left", N_("Time left"), 114, align=RIGHT),  # zh: 剩余
    Column("category", N_("Category"), 100, stretch=True),  # zh: 类别
    Column("address", N_("Place"), 104, stretch=True),  # zh: 地点
    Column("unit", N_("Unit"), 82, stretch=True),  # zh: 责任单位
    Column("state", N_("Stage"), 80),  # zh: 环节
    Column("number", N_("Number"), 150, shown=False),  # zh: 案件编号
    Column("reported_at", N_("Reported"), 96, shown=False),  # zh: 上报时间
    Column("district", N_("District"), 88, shown=False),  # zh: 街道
    Column("community", N_("Community"), 104, shown=False, sortable=False),  # zh: 社区
    Column("source", N_("Source"), 88, shown=False),  # zh: 来源
    Column("due_at", N_("Due"), 96, shown=False, sortable=False),  # zh: 截止
    Column("reworks", N_("Reworks"), 64, align=RIGHT, shown=False, sortable=False),  # zh: 返工
)
"""The columns as data; the keys are the lens's order keys where a column can be sorted."""

_LIGHT_TONES = {Light.SOON: "soon", Light.OVER: "over"}


class QueueRows:
    """A row source over the lens of a board."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._cells: Mapping[str, Callable[[Mapping[str, Any]], Cell]] = {
            "left": self._left,
            "category": lambda row: Cell(self._label("category", row)),
            "address": self._address,
            "unit": lambda row: Cell(self._label("unit", row)),
            "state": lambda row: Cell(_(STATES[row["state"]].label), tone="text2"),
            "number": lambda row: Cell(row["number"], tone="text2"),
            "reported_at": lambda row: Cell(self._moment(row["reported_at"]), tone="text2"),
            "district": lambda row: Cell(self._label("district", row), tone="text2"),
            "community": lambda row: Cell(self._label("community", row), tone="text2"),
            "source": lambda row: Cell(
                _(SOURCES[row["source"]]) if row["source"] in SOURCES else row["source"], tone="text2"
            ),
            "due_at": lambda row: Cell(self._moment(row["due_at"]), tone="text2"),
            "reworks": lambda row: Cell(str(row["reworks"]) if row["reworks"] else "", tone="text2"),
        }

    def row_count(self) -> int:
        return self._board.lens.count

    def id_at(self, row: int) -> int:
        return self._board.lens.id_at(row)

    def row_of(self, id: int) -> int:
        row = self._board.lens.row_of(id)
        return -1 if row is None else row

    def ids_between(self, first: int, last: int) -> list[int]:
        found: list[int] = self._board.store.id[self._board.lens.rows[first : last + 1]].tolist()
        return found

    def rows_of(self, ids: Iterable[int]) -> NDArray[np.int64]:
        lens, store = self._board.lens, self._board.store
        # One place more than there are slots: the last stands for every id that is not in the store.
        places = np.full(store.size + 1, -1, dtype=np.int64)
        places[lens.rows] = np.arange(lens.count)
        slots = [-1 if slot is None else slot for slot in map(store.slot_of, ids)]
        return places[np.array(slots, dtype=np.int64)]

    def cell(self, row: int, column_key: str) -> Cell:
        slot = int(self._board.lens.rows[row])
        return self._cells[column_key](self._board.store.plain(slot))

    def _left(self, row: Mapping[str, Any]) -> Cell:
        light = Light(row["light"])
        if light is Light.NO_CLOCK and row["state"] not in BEFORE_DISPATCH:
            # zh: 无时限
            return Cell(_("no limit"), light=light, tone="text3")
        if light is Light.NO_CLOCK:
            waited = self._board.store.now_ms - row["reported_at"]
            # zh: 候 {span}
            return Cell(_("waits {span}").format(span=span(waited)), light=light, tone="text3")
        at = row["stopped_at"] or self._board.store.now_ms
        return Cell(time_left(row["due_at"] - at), light=light, tone=_LIGHT_TONES.get(light, "text1"))

    def _address(self, row: Mapping[str, Any]) -> Cell:
        if row["lon"] != row["lon"]:
            return Cell(
                f"{row['address']}  {_('(no position)')}" if row["address"] else _("(no position)"),
                tone="text2",
            )
        return Cell(row["address"], tone="text2")

    def _label(self, kind: str, row: Mapping[str, Any]) -> str:
        return self._board.store.directory.label(kind, row[f"{kind}_id"], language())

    def _moment(self, moment_ms: int) -> str:
        return day_and_time(moment_ms, self._board.store.zone) if moment_ms else ""
