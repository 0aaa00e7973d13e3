"""The rows of the queue: words for the cases on screen, straight from the live columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from db.cases.rules import BEFORE_DISPATCH, PRIORITIES, SOURCES, STATES, Light
from db.kernel.language import N_, _, language
from db.live.board import Board
from db.people.presence import Present
from desktop.core.company import company_words
from desktop.core.slots import SlotMemo
from desktop.core.words import day_and_time, span, time_left
from desktop.widgets.rows import RIGHT, Cell, Column

COLUMNS = (
    Column("left", N_("Time left"), 114, align=RIGHT),  # zh: 剩余
    Column("category", N_("Category"), 100, stretch=True),  # zh: 类别
    Column("address", N_("Place"), 104, stretch=True),  # zh: 地点
    Column("unit", N_("Unit"), 82, stretch=True),  # zh: 责任单位
    Column("state", N_("Stage"), 80),  # zh: 环节
    # zh: 富余时间
    Column("slack", N_("Slack"), 96, align=RIGHT, shown=False),
    Column("claim", N_("At work on it"), 150, shown=False, sortable=False),  # zh: 领取与查看
    Column("holder", N_("Held by"), 88, shown=False, sortable=False),  # zh: 责任人
    Column("priority", N_("Priority"), 72, shown=False),  # zh: 紧急程度
    Column("tags", N_("Tags"), 110, shown=False, sortable=False),  # zh: 标签
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
_PRIORITY_TONES = {1: "text1", 2: "over"}
_CLAIMED, _LOOKING = "@", "◦ "
"""Before a name: has claimed the case, looks at it."""


class QueueRows:
    """A row source over the lens of a board."""

    def __init__(self, board: Board, account_id: int = 0) -> None:
        """``account_id``: whose list it is; one is not told about oneself."""
        self._board = board
        self._account_id = account_id
        self._slots = SlotMemo(board.store)
        self._cells: Mapping[str, Callable[[Mapping[str, Any]], Cell]] = {
            "left": self._left,
            "category": self._category,
            "address": self._address,
            "unit": self._unit,
            "state": self._state,
            "slack": self._slack,
            "claim": self._claim,
            "holder": lambda row: Cell(self._label("person", row, "holder"), tone="text2"),
            "priority": lambda row: Cell(
                _(PRIORITIES[row["priority"]]), tone=_PRIORITY_TONES.get(row["priority"], "text3")
            ),
            "tags": lambda row: Cell(_(", ").join(row["tags"]), tone="text2"),
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
        slots = self._slots.of(ids)
        if not len(slots):
            return np.empty(0, dtype=np.int64)
        # One place more than there are slots: the last stands for every id that is not in the store.
        places = np.full(store.size + 1, -1, dtype=np.int64)
        places[lens.rows] = np.arange(lens.count)
        return places[slots]

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

    def _category(self, row: Mapping[str, Any]) -> Cell:
        name = self._label("category", row)
        if not row["priority"]:
            return Cell(name)
        # zh: {priority}·{category}
        words = _("{priority} · {category}").format(priority=_(PRIORITIES[row["priority"]]), category=name)
        return Cell(words, tone=_PRIORITY_TONES.get(row["priority"], "text1"))

    def _unit(self, row: Mapping[str, Any]) -> Cell:
        """The unit; while there is none yet, whoever is at work on the case."""
        return Cell(self._label("unit", row)) if row["unit_id"] else self._mark(row, "")

    def _state(self, row: Mapping[str, Any]) -> Cell:
        words = _(STATES[row["state"]].label)
        return self._mark(row, words) if row["unit_id"] else Cell(words, tone="text2")

    def _mark(self, row: Mapping[str, Any], words: str) -> Cell:
        """Words with a sign and a name, when somebody has claimed the case or is looking at it."""
        told = self._at_work(row)
        if not told:
            return Cell(words, tone="text2")
        claim = row["claim"]
        name = f"{_CLAIMED}{claim.name}" if claim is not None else f"{_LOOKING}{self._others(row)[0].name}"
        return Cell(f"{name} · {words}" if words else name, tone="text2", tip=f"{words}\n{told}".strip())

    def _claim(self, row: Mapping[str, Any]) -> Cell:
        return Cell(self._at_work(row), tone="text2")

    def _at_work(self, row: Mapping[str, Any]) -> str:
        """Who has claimed the case and until when, who is looking at it and who is writing in it."""
        return company_words(self._board, row["id"], self._account_id)

    def _others(self, row: Mapping[str, Any]) -> tuple[Present, ...]:
        return self._board.others_at(row["id"], self._account_id)

    def _slack(self, row: Mapping[str, Any]) -> Cell:
        """Time left less the usual time of what is still to be done."""
        if not row["start_by"] or row["stopped_at"]:
            return Cell("", tone="text3")
        left = row["start_by"] - self._board.store.now_ms
        return Cell(time_left(left), tone="text1" if left > 0 else "soon")

    def _address(self, row: Mapping[str, Any]) -> Cell:
        if row["lon"] != row["lon"]:
            return Cell(
                row["address"] + "  " + _("(no position)") if row["address"] else _("(no position)"),
                tone="text2",
            )
        return Cell(row["address"], tone="text2")

    def _label(self, kind: str, row: Mapping[str, Any], name: str = "") -> str:
        return self._board.store.directory.label(kind, row[f"{name or kind}_id"], language())

    def _moment(self, moment_ms: int) -> str:
        return day_and_time(moment_ms, self._board.store.zone) if moment_ms else ""
