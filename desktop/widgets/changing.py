"""A window whose commands run one at a time: the line at its foot, what is asked, what was refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QDialog, QHBoxLayout, QWidget
from shiboken6 import isValid

from db.kernel.command import command_label, command_name
from db.kernel.language import _
from db.kernel.refusal import Trouble
from desktop.core.jobs import Jobs
from desktop.widgets.asking import Asking
from desktop.widgets.button import Button
from desktop.widgets.plain import label, set_tone
from desktop.widgets.theme import Theme


class ChangingWindow(QDialog):
    """Invariant: at most one change is under way, and what is shown is the newest answer that was asked for.

    Who inherits builds its widgets, puts ``build_foot`` at the bottom, and says what ``_enable``, ``_read``
    and ``_rest_words`` do.
    """

    changed = Signal(object)
    """The command that was carried out."""
    undo_asked = Signal()

    def __init__(
        self, theme: Theme, jobs: Jobs, run: Callable[[Any], object], parent: QWidget | None = None
    ) -> None:
        """``run`` carries out a command; it is called off the GUI thread and may raise ``Trouble``."""
        super().__init__(parent)
        self._theme = theme
        self._jobs = jobs
        self._run_command = run
        self.asking: Asking | None = None
        self._asked = 0
        self._reading = False
        self._running = False

    @property
    def is_busy(self) -> bool:
        """Whether an answer is awaited."""
        return self._reading or self._running

    def refresh(self, words: str = "") -> None:
        """Read again; ``words`` say what has happened."""
        self._asked += 1
        self._reading = True
        self._tell(words)
        self._jobs.start(self._read(self._asked))

    async def _read(self, asked: int) -> None:
        """Ask, and show the answer while ``asked`` is still the newest question."""
        raise NotImplementedError

    def build_foot(self, step: str = "body") -> QHBoxLayout:
        """What was said last at the left, undo and close at the right."""
        theme = self._theme
        self.words = label("", step, "text2")
        self.words.setWordWrap(True)
        self.undo_button = Button(theme, _("Undo"), keys="Ctrl Z")
        self.undo_button.setEnabled(False)
        self.close_button = Button(theme, _("Close window"), keys="Esc")
        row = QHBoxLayout()
        row.setSpacing(theme.px(8))
        row.addWidget(self.words, 1)
        row.addWidget(self.undo_button)
        row.addWidget(self.close_button)
        self.undo_button.clicked.connect(self.undo_asked)
        self.close_button.clicked.connect(self.close)
        self.bind("Ctrl+Z", self.undo_button.click)
        return row

    def bind(self, keys: str, run: Callable[[], object]) -> None:
        """A key of this window."""
        QShortcut(QKeySequence(keys), self).activated.connect(run)

    def _rest_words(self) -> str:
        """What stands at the foot while nothing has happened."""
        return ""

    def _enable(self) -> None:
        """Let what may be pressed now be pressed."""

    def _tell(self, words: str = "", tone: str = "text2") -> None:
        self.words.setText(words or self._rest_words())
        set_tone(self.words, tone)

    def _is_newest(self, asked: int) -> bool:
        return isValid(self) and asked == self._asked

    def _ask(self, asking: Asking) -> None:
        self.asking = asking
        asking.answered.connect(self._do)
        asking.finished.connect(lambda _result: self._forget(asking))
        asking.open()

    def _forget(self, asking: Asking) -> None:
        if self.asking is asking:
            self.asking = None

    def _do(self, command: Any) -> None:
        if not self._running:
            self._running = True
            self._enable()
            self._jobs.start(self._run(command))

    async def _run(self, command: Any) -> None:
        try:
            await self._jobs.write(self._run_command, command)
        except Trouble as trouble:
            if isValid(self):
                self._refused(trouble.text())
            return
        finally:
            if isValid(self):
                self._running = False
                self._enable()
        if not isValid(self):
            return
        if self.asking is not None:
            self.asking.accept()
        self.undo_button.setEnabled(True)
        self._done(command)
        self.refresh(_(command_label(command_name(type(command)))))
        self.changed.emit(command)

    def _done(self, command: Any) -> None:
        """A command was carried out, before anything is read again."""

    def _refused(self, words: str) -> None:
        if self.asking is not None:
            self.asking.set_trouble(words)
        else:
            self._tell(words, "over")
