"""Whatever comes from the feed's thread is taken in at once or at the beat, and its age is always right."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from PySide6.QtCore import Qt

from db.kernel.clock import SetClock, from_ms
from db.kernel.refusal import Unavailable
from db.live.board import Board
from db.live.delta import Delta
from desktop.core.bridge import STALE_MS, Bridge
from desktop.core.context import Context, Freshness
from tests.db.live.rows import NOON, ZONE, case_row, delta_of
from tests.desktop.seeded import CITY, DIRECTORY, OFFICER

FULL = delta_of([case_row(1)], full=True, directory=DIRECTORY)
GONE = Unavailable("database_gone", "The database {path} is not there.", path="x.db")


class HandFeed:
    """Stands in for the feed: a test says what comes, from a thread of its own."""

    def __init__(self) -> None:
        self.fresh_at_ms = 0
        self.told: Callable[[Delta], None] = lambda _delta: None
        self.troubled: Callable[[Unavailable], None] = lambda _trouble: None

    def start(self, told: Callable[[Delta], None], troubled: Callable[[Unavailable], None]) -> None:
        self.told, self.troubled = told, troubled

    def stop(self) -> None:
        self.told = lambda _delta: None

    def bring(self, *deltas: Delta, at_ms: int = NOON) -> None:
        self.fresh_at_ms = at_ms
        thread = threading.Thread(target=lambda: [self.told(delta) for delta in deltas])
        thread.start()
        thread.join()


class Seam:
    """A bridge whose beat is struck by hand."""

    def __init__(self) -> None:
        self.clock = SetClock(from_ms(NOON))
        self.feed = HandFeed()
        self.context = Context(Board(ZONE, NOON), OFFICER, CITY)
        self.bridge = Bridge(self.feed, self.context, self.clock)  # type: ignore[arg-type]
        self.bridge.start()
        self.bridge._beat.stop()
        self.news = 0
        self.context.news.connect(lambda _news: self._count())

    def _count(self) -> None:
        self.news += 1

    def beat(self) -> Freshness:
        self.bridge._beat.timeout.emit()
        return self.context.age.state

    def later(self, milliseconds: int) -> None:
        self.clock.advance(timedelta(milliseconds=milliseconds))


@pytest.fixture
def seam(application: object) -> Iterator[Seam]:
    seam = Seam()
    yield seam
    seam.bridge.stop()


def test_nothing_is_on_the_board_before_the_beat_and_the_first_snapshot_is_told_once(seam: Seam) -> None:
    first: list[int] = []
    seam.bridge.first_came.connect(lambda: first.append(seam.context.board.lens.count))
    assert seam.beat() is Freshness.LOADING
    seam.feed.bring(FULL)
    assert len(seam.context.board.store) == 0
    assert seam.beat() is Freshness.LIVE
    seam.beat()
    assert first == [1]


def test_a_burst_becomes_one_piece_of_news(seam: Seam) -> None:
    seam.feed.bring(FULL)
    seam.beat()
    seam.news = 0
    seam.feed.bring(*(delta_of([case_row(case_id, address=f"{case_id}")]) for case_id in range(2, 202)))
    seam.beat()
    assert seam.news == 1
    assert len(seam.context.board.store) == 201
    seam.beat()
    assert seam.news == 1


def test_of_several_values_in_one_beat_the_newest_counts(seam: Seam) -> None:
    seam.feed.bring(FULL)
    seam.feed.bring(*(delta_of([case_row(1, address=f"门牌{turn}")]) for turn in range(5)))
    seam.beat()
    assert seam.context.board.store.address == ["门牌4"]


def test_the_clock_ticks_once_a_second_and_not_at_each_beat(seam: Seam) -> None:
    seam.feed.bring(FULL)
    seam.beat()
    seam.news = 0
    for _beat in range(9):
        seam.later(100)
        seam.beat()
    assert seam.news == 0
    seam.later(100)
    seam.beat()
    assert seam.news == 1


def test_data_not_confirmed_for_three_seconds_are_stale_and_fresh_again_when_they_are(seam: Seam) -> None:
    seam.feed.bring(FULL)
    seam.beat()
    seam.later(STALE_MS)
    assert seam.beat() is Freshness.LIVE
    seam.later(1)
    assert seam.beat() is Freshness.STALE
    assert seam.context.age.at_ms == NOON
    seam.feed.fresh_at_ms = NOON + STALE_MS
    assert seam.beat() is Freshness.LIVE


def test_trouble_is_lost_with_its_reason_until_the_next_delta_be_it_empty(seam: Seam) -> None:
    seam.feed.bring(FULL)
    seam.beat()
    seam.feed.troubled(GONE)
    assert seam.beat() is Freshness.LOST
    assert seam.context.age.reason == "The database x.db is not there."
    assert len(seam.context.board.store) == 1
    seam.feed.bring(Delta(at_ms=NOON))
    assert seam.beat() is Freshness.LIVE
    assert seam.context.age.reason == ""


def test_trouble_before_the_first_data_is_lost_too_and_not_loading_for_ever(seam: Seam) -> None:
    seam.feed.troubled(GONE)
    assert seam.beat() is Freshness.LOST


def test_nothing_comes_any_more_once_it_is_stopped(seam: Seam) -> None:
    seam.bridge.stop()
    seam.feed.bring(FULL)
    assert not seam.bridge._beat.isActive()
    assert len(seam.context.board.store) == 0


@pytest.fixture
def beating(seam: Seam) -> Seam:
    """With a beat that comes when the test is long over: what is taken in was not taken in by it."""
    seam.bridge._beat.start(600_000)
    return seam


def test_what_comes_after_a_quiet_moment_does_not_wait_for_the_beat(
    beating: Seam, until: Callable[..., None]
) -> None:
    first: list[int] = []
    beating.bridge.first_came.connect(lambda: first.append(beating.context.board.lens.count))
    beating.feed.bring(FULL)
    until(lambda: first == [1])
    assert beating.context.age.state is Freshness.LIVE


def test_what_follows_at_its_heels_waits_for_the_beat(beating: Seam, until: Callable[..., None]) -> None:
    beating.feed.bring(FULL)
    until(lambda: len(beating.context.board.store) == 1)
    # As if the next had come in the same instant, however slow this computer is.
    beating.bridge._taken_at = math.inf
    heard: list[bool] = []
    beating.bridge._came.connect(lambda: heard.append(True), Qt.ConnectionType.QueuedConnection)
    beating.feed.bring(delta_of([case_row(2)]))
    until(lambda: bool(heard))
    assert len(beating.context.board.store) == 1
    assert beating.bridge._beat.isActive()
    beating.beat()
    assert len(beating.context.board.store) == 2
