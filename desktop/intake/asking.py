"""Questions that follow the typing: asked a moment after the last key, and only the newest answer counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QTimer

from desktop.core.jobs import Jobs

PAUSE_MS = 120
"""So long a hand rests before it is asked: shorter than what one sees as waiting."""


class Question(QObject):
    """Asks off the GUI thread. Invariant: ``answered`` hears only of what was asked last."""

    def __init__(
        self,
        jobs: Jobs,
        ask: Callable[..., Any],
        answered: Callable[[Any], None],
        parent: QObject,
        pause_ms: int = PAUSE_MS,
    ) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._ask = ask
        self._answered = answered
        self._arguments: tuple[Any, ...] = ()
        self._round = 0
        self._done_round = 0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(pause_ms)
        self._timer.timeout.connect(self._begin)

    @property
    def is_open(self) -> bool:
        """Whether an answer is still to come."""
        return self._round != self._done_round

    def put(self, *arguments: Any) -> None:
        """Ask this; what was asked before no longer matters."""
        self._arguments = arguments
        self._round += 1
        self._timer.start()

    def drop(self) -> None:
        """Forget what was asked."""
        self._timer.stop()
        self._round += 1
        self._done_round = self._round

    def _begin(self) -> None:
        self._jobs.start(self._run(self._round, self._arguments))

    async def _run(self, number: int, arguments: tuple[Any, ...]) -> None:
        try:
            answer = await self._jobs.read(self._ask, *arguments)
        finally:
            is_newest = number == self._round
            if is_newest:
                self._done_round = number
        if is_newest:
            self._answered(answer)
