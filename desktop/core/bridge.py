"""The one seam: news of the feed's thread becomes, at once but never too often, news of the GUI thread."""

from __future__ import annotations

import threading
from time import monotonic

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from db.kernel.clock import Clock, to_ms
from db.kernel.refusal import Unavailable
from db.live.delta import Delta
from db.live.feed import Feed
from desktop.core.context import Context, DataAge, Freshness

BEAT_MS = 100
"""How often what has come is taken in at most: ten times a second, however fast it comes."""
STALE_MS = 3_000
"""Data not confirmed for so long is called stale."""


class Bridge(QObject):
    """Keeps the newest of what the feed brings and hands it to the context.

    What comes after a quiet moment is taken in at once; in a stream the beat takes in what has gathered.
    """

    first_came = Signal()
    """The first snapshot is on the board."""
    _came = Signal()

    def __init__(self, feed: Feed, context: Context, clock: Clock, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._feed = feed
        self._context = context
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: Delta | None = None
        self._trouble: Unavailable | None = None
        self._has_data = False
        self._taken_at = 0.0
        self._second = 0
        self._beat = QTimer(self)
        self._beat.setInterval(BEAT_MS)
        self._beat.timeout.connect(self._on_beat)
        # Crosses the threads: it is heard when the GUI thread is free.
        self._came.connect(self._on_came, Qt.ConnectionType.QueuedConnection)

    def start(self) -> None:
        """Let the feed run and begin to beat."""
        self._feed.start(self._on_delta, self._on_trouble)
        self._beat.start()

    def stop(self) -> None:
        """Stop the beat, then the feed's thread."""
        self._beat.stop()
        self._feed.stop()

    def _on_delta(self, delta: Delta) -> None:
        """On the feed's thread."""
        with self._lock:
            self._waiting = delta if self._waiting is None else self._waiting.then(delta)
            self._trouble = None
        self._came.emit()

    def _on_trouble(self, trouble: Unavailable) -> None:
        """On the feed's thread."""
        with self._lock:
            self._trouble = trouble

    def _on_came(self) -> None:
        """Nobody waits for the beat after a quiet moment; it goes on from here."""
        if self._beat.isActive() and monotonic() - self._taken_at >= BEAT_MS / 1000:
            self._beat.start()
            self._on_beat()

    def _on_beat(self) -> None:
        with self._lock:
            delta, self._waiting = self._waiting, None
            trouble = self._trouble
        if delta is not None:
            news = self._context.board.apply(delta)
            first = not self._has_data
            self._has_data = True
            self._tell_age(trouble)
            self._context.announce(news)
            if first:
                self.first_came.emit()
            # Reckoned from the end: however long it took, the hand gets its turn in between.
            self._taken_at = monotonic()
        now_ms = to_ms(self._clock.now())
        if now_ms // 1000 != self._second:
            self._second = now_ms // 1000
            if self._has_data:
                self._context.announce(self._context.board.tick(now_ms))
        self._tell_age(trouble)

    def _tell_age(self, trouble: Unavailable | None) -> None:
        fresh_at = self._feed.fresh_at_ms
        if not self._has_data:
            state = Freshness.LOST if trouble else Freshness.LOADING
        elif trouble is not None:
            state = Freshness.LOST
        elif to_ms(self._clock.now()) - fresh_at > STALE_MS:
            state = Freshness.STALE
        else:
            state = Freshness.LIVE
        # While all is well the age moves once a second, not ten times.
        self._context.set_age(DataAge(state, fresh_at // 1000 * 1000, trouble.text() if trouble else ""))
