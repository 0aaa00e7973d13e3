"""Three kinds of trouble and where each is shown: refused, unavailable, or a bug of ours."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from enum import StrEnum
from types import TracebackType

from PySide6.QtCore import QObject, Signal

from db.kernel.language import _
from db.kernel.refusal import Refused, Unavailable

Report = Callable[[BaseException], None]

_log = logging.getLogger(__name__)


class Kind(StrEnum):
    """How a message looks and how long it stays."""

    DONE = "done"
    REFUSED = "refused"
    UNAVAILABLE = "unavailable"
    BUG = "bug"


class Troubles(QObject):
    """Takes any error from any thread and tells the window, in words."""

    told = Signal(str, str)
    """Kind and sentence."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._last = ""

    def report(self, error: BaseException) -> None:
        """Show an error; a bug also goes to the log with its traceback."""
        if isinstance(error, Refused):
            kind, words = Kind.REFUSED, error.text()
        elif isinstance(error, Unavailable):
            kind, words = Kind.UNAVAILABLE, error.text()
        else:
            _log.error("unexpected error", exc_info=error)
            kind = Kind.BUG
            words = _(
                "Something went wrong in the program ({error}). Nothing was lost; the log has the details."
            ).format(error=type(error).__name__)
        self.told.emit(kind, words)

    def install(self) -> None:
        """Catch what nobody caught, on every thread."""
        sys.excepthook = self._from_main
        threading.excepthook = lambda args: self.report(
            args.exc_value or RuntimeError(args.exc_type.__name__)
        )

    def _from_main(
        self, kind: type[BaseException], error: BaseException, traceback: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, traceback)
        else:
            self.report(error)
