"""Finds what a test left behind: log records nobody expected, and threads."""

from __future__ import annotations

import logging
import re
import threading
import time

JOIN_SECONDS = 60.0


class Eavesdropper(logging.Handler):
    """Keeps every record of WARNING or above that reaches the root logger."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep ``record``."""
        self.records.append(record)

    def complaints(self, expected: tuple[str, ...]) -> list[str]:
        """Records that match none of the ``expected`` patterns, and patterns that matched no record."""
        texts = [f"{record.levelname} {record.name}: {record.getMessage()}" for record in self.records]
        return [
            *(
                f"logged: {text}"
                for text in texts
                if not any(re.search(pattern, text) for pattern in expected)
            ),
            *(
                f"expected in the log, but not there: {pattern}"
                for pattern in expected
                if not any(re.search(pattern, text) for text in texts)
            ),
        ]


def threads_left(before: set[threading.Thread]) -> list[str]:
    """Names of Python threads that were not there ``before`` and do not end by themselves soon.

    Threads that Qt made and only lent to Python are Qt's own business.
    """
    deadline = time.monotonic() + JOIN_SECONDS
    left = []
    for thread in threading.enumerate():
        if thread in before or isinstance(thread, threading._DummyThread):
            continue
        thread.join(max(0.0, deadline - time.monotonic()))
        if thread.is_alive():
            left.append(thread.name)
    return left
