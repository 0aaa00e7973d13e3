"""What the screens share: board, filter, selection, who is signed in, and how fresh the data is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import compress
from typing import Any
from zoneinfo import ZoneInfo

from PySide6.QtCore import QObject, Signal

from db.kernel.actor import Actor
from db.live.board import Board, News
from db.live.filters import Filter, Scope
from db.sync.standing import Standing
from desktop.core.slots import SlotMemo


class Freshness(StrEnum):
    """How the data stands: live, not heard of for a moment, or the database is lost."""

    LOADING = "loading"
    LIVE = "live"
    STALE = "stale"
    LOST = "lost"


@dataclass(frozen=True)
class DataAge:
    """The state and the moment (milliseconds since 1970) up to which the data is known to be right."""

    state: Freshness
    at_ms: int
    reason: str = ""


@dataclass(frozen=True)
class City:
    """Whose room this is."""

    name: str
    name_en: str
    is_invented: bool

    def label(self, language: str) -> str:
        """The name in a language."""
        return (self.name_en or self.name) if language == "en" else self.name


class Context(QObject):
    """Screens meet only here: what one of them changes, all of them hear of, itself included."""

    filter_changed = Signal()
    selection_changed = Signal()
    opened = Signal(object)
    """A case was asked to be shown in full."""
    news = Signal(object)
    """``News``: the board took in a change, or its clock moved on."""
    age_changed = Signal()
    standing_changed = Signal()
    """The line to the server, what waits for it, or the clock."""

    def __init__(self, board: Board, who: Actor, city: City, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.board = board
        self.who = who
        self.city = city
        self.selection: frozenset[int] = frozenset()
        self.slots = SlotMemo(board.store)
        """Where the cases of the selection stand in the columns."""
        self.age = DataAge(Freshness.LOADING, 0)
        self.standing: Standing | None = None
        """How this computer stands with its server; ``None`` when it works alone."""

    @property
    def zone(self) -> ZoneInfo:
        """The city's time zone."""
        return self.board.store.zone

    @property
    def filter(self) -> Filter:
        """The one filter of the room."""
        return self.board.lens.filter

    def set_filter(self, chosen: Filter) -> None:
        """Look at something else, everywhere."""
        if chosen != self.filter:
            self.board.set_filter(chosen)
            self.filter_changed.emit()

    def toggle(self, part: str, value: Any) -> None:
        """Add a value to a part of the filter, or take it out again."""
        self.set_filter(self.filter.toggled(part, value))

    def widen(self) -> None:
        """One step back: first the selection goes, then the whole filter."""
        if self.selection:
            self.select(frozenset())
        else:
            self.set_filter(Filter(scope=Scope.OPEN))

    def select(self, ids: frozenset[int]) -> None:
        """Select cases, everywhere. The list lets go of what it does not show: nobody acts on the unseen."""
        if ids != self.selection:
            self.selection = ids
            self.selection_changed.emit()

    def pick(self, ids: frozenset[int], mode: str) -> None:
        """Change the selection as a click does: "replace", "toggle" or "add"."""
        if mode == "toggle":
            ids = self.selection ^ ids
        elif mode == "add":
            ids = self.selection | ids
        self.select(ids)

    def set_age(self, age: DataAge) -> None:
        """Say how fresh the data is."""
        if age != self.age:
            self.age = age
            self.age_changed.emit()

    def set_standing(self, standing: Standing) -> None:
        """Say how things stand with the server."""
        if standing != self.standing:
            self.standing = standing
            self.standing_changed.emit()

    def announce(self, news: News) -> None:
        """Tell the screens what the board took in; cases that left are no longer selected."""
        left = self.slots.of(self.selection) < 0
        gone = frozenset(compress(self.selection, left.tolist())) if left.any() else frozenset()
        if not news.is_empty:
            self.news.emit(news)
        if gone:
            self.select(self.selection - gone)
