"""What every import window is: a choice on top, what would be taken below it, and a button that takes just
that.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLayout,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from db.kernel.language import _
from db.kernel.refusal import Trouble
from desktop.core.jobs import Jobs
from desktop.widgets.button import Button
from desktop.widgets.plain import Elided, label
from desktop.widgets.progress import Progress
from desktop.widgets.rows import Column, ListedRows, TableModel
from desktop.widgets.table import Table
from desktop.widgets.theme import Theme

_BEAT = 0.05
"""Seconds between two words of progress: what the eye follows."""


class TakingDialog(QDialog):
    """Open it with ``open()``. Invariant: at most one job runs, and the button imports exactly what the table
    shows.

    A kind of import gives its choice (``_build_choice``), what is asked again when that changes
    (``_choosers``), how it is checked and written, and how both are shown.
    """

    imported = Signal(object)
    """The counts of a finished import."""
    _went_on = Signal(object, object, str)

    def __init__(
        self, theme: Theme, jobs: Jobs, title: str, columns: Sequence[Column], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._jobs = jobs
        self._checked: Any = None
        self._listed: Path | None = None
        self._stop = threading.Event()
        self._busy = False
        self._said_at = 0.0
        self.setWindowTitle(title)
        self._build(columns)
        self._wire()

    # What a kind of import says.

    def _build_choice(self) -> QLayout:
        """The fields of the choice."""
        raise NotImplementedError

    def _choosers(self) -> Sequence[QWidget]:
        """The widgets of the choice, which rest while a job runs."""
        raise NotImplementedError

    def _check_now(self, watch: Callable[[int, int, str], bool]) -> Callable[[], Any] | None:
        """What checks the present choice on a reader's thread; ``None`` while something is missing."""
        raise NotImplementedError

    def _write_now(self, checked: Any) -> tuple[Any, Path | None]:
        """Write on the writer's thread; the counts and where the list of problems is."""
        raise NotImplementedError

    def _show_trouble(self, trouble: Trouble) -> None:
        """Say at the field in question what is wrong with it."""
        raise NotImplementedError

    def _clear_trouble(self) -> None:
        """Take back what ``_show_trouble`` said."""
        raise NotImplementedError

    def _show_checked(self, checked: Any) -> tuple[ListedRows, str, str, str]:
        """The rows of the table, the counts, the effect of the button, and its words ("" = it rests)."""
        raise NotImplementedError

    def _show_done(self, report: Any) -> tuple[str, str]:
        """The counts and the effect of a finished import."""
        raise NotImplementedError

    def _lines_of(self, checked: Any) -> list[tuple[str, str]]:
        """Our fields and theirs."""
        raise NotImplementedError

    # What the app may ask for.

    @property
    def is_busy(self) -> bool:
        """Whether a check or an import is under way."""
        return self._busy

    # Building.

    def _build(self, columns: Sequence[Column]) -> None:
        theme = self._theme
        self.setMinimumSize(theme.px(880), theme.px(560))
        self.resize(theme.px(1180), theme.px(720))
        column = QVBoxLayout(self)
        column.setContentsMargins(*([theme.px(16)] * 4))
        column.setSpacing(theme.px(8))
        column.addLayout(self._build_choice())
        self.counts = label("", "place")
        self.counts.setWordWrap(True)
        self.remark = Elided("", "label", "soon")
        self.remark.hide()
        column.addWidget(self.counts)
        column.addWidget(self.remark)
        middle = QHBoxLayout()
        middle.setSpacing(theme.px(16))
        self._rows = TableModel(ListedRows(), columns, self)
        self.table = Table(theme, self._rows)
        self.table.setAccessibleName(_("Rows of the file"))
        self.table.set_dense(True)
        middle.addWidget(self.table, 1)
        middle.addWidget(self._build_columns())
        column.addLayout(middle, 1)
        self.progress = Progress(theme)
        self.progress.hide()
        column.addWidget(self.progress)
        column.addLayout(self._build_foot())

    def _build_columns(self) -> QWidget:
        """Which of their columns fills which of our fields."""
        theme = self._theme
        self._columns = QGridLayout()
        self._columns.setHorizontalSpacing(theme.px(12))
        self._columns.setVerticalSpacing(theme.px(4))
        self._columns.setColumnStretch(1, 1)
        inside = QWidget()
        outer = QVBoxLayout(inside)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(label(_("Columns"), "label", "text3"))
        outer.addLayout(self._columns)
        outer.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(inside)
        inside.setAutoFillBackground(False)
        area.viewport().setAutoFillBackground(False)
        area.setFixedWidth(theme.px(280))
        area.setAccessibleName(_("Columns"))
        return area

    def _build_foot(self) -> QHBoxLayout:
        theme = self._theme
        self.effect = label("", "body", "text2")
        self.effect.setWordWrap(True)
        self.effect.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.problems_button = Button(theme, _("Show the list of problems"), kind="quiet")
        self.problems_button.hide()
        self.close_button = Button(theme, _("Close window"), keys="Esc")
        self.import_button = Button(theme, _("Import"), keys="Ctrl ⏎", kind="primary")
        self.import_button.setShortcut("Ctrl+Return")
        self.import_button.setEnabled(False)
        row = QHBoxLayout()
        row.setSpacing(theme.px(8))
        row.addWidget(self.effect, 1)
        for button in (self.problems_button, self.close_button, self.import_button):
            row.addWidget(button)
        return row

    def _wire(self) -> None:
        self.import_button.clicked.connect(self._on_import)
        self.close_button.clicked.connect(self.reject)
        self.problems_button.clicked.connect(self._on_show_problems)
        self.progress.cancelled.connect(self._stop.set)
        self._went_on.connect(self._on_went_on)

    # Choosing.

    def _pick(self, title: str, beside: str, kinds: str, then: Callable[[str], None]) -> None:
        chooser = QFileDialog(self, title, str(Path(beside).parent), kinds)
        chooser.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        chooser.setFileMode(QFileDialog.FileMode.ExistingFile)
        chooser.fileSelected.connect(then)
        chooser.open()

    def _on_chosen(self) -> None:
        if self._busy:
            return
        work = self._check_now(self._watch)
        if work is not None:
            self._jobs.start(self._check(work))

    # Checking and importing.

    async def _check(self, work: Callable[[], Any]) -> None:
        self._forget()
        self._show_nothing(_("The file is being checked…"))
        self._begin(_("Checking"))
        try:
            checked = await self._jobs.read(work)
        except Trouble as trouble:
            self._show_trouble(trouble)
            self._show_nothing(_("Nothing can be taken from this file."), trouble.text())
            return
        finally:
            self._end()
        self._show(checked)

    async def _import(self, checked: Any) -> None:
        self._begin(_("Writing"))
        try:
            report, self._listed = await self._jobs.ask(self._write_now, checked)
        except Trouble as trouble:
            self.effect.setText(trouble.text())
            self.import_button.setEnabled(True)
            return
        finally:
            self._end()
        counts, effect = self._show_done(report)
        self.counts.setText(counts)
        self.effect.setText(effect)
        self.import_button.setEnabled(False)
        self.problems_button.setVisible(self._listed is not None)
        self.imported.emit(report)

    def _on_import(self) -> None:
        if self._checked is not None and not self._busy:
            self._jobs.start(self._import(self._checked))

    def _begin(self, words: str) -> None:
        self._busy = True
        self._stop.clear()
        self._said_at = 0.0
        for widget in (self.import_button, self.close_button, *self._choosers()):
            widget.setEnabled(False)
        self.progress.restart()
        self.progress.set(0, None, words)
        self.progress.show()

    def _end(self) -> None:
        self._busy = False
        self.progress.hide()
        for widget in (self.close_button, *self._choosers()):
            widget.setEnabled(True)

    def _watch(self, done: int, total: int, words: str) -> bool:
        """Called by the work on its own thread: a few words a second go to the window, and the wish to stop
        comes back.
        """
        now = time.monotonic()
        if now - self._said_at >= _BEAT:
            self._said_at = now
            self._went_on.emit(done, total, words)
        return not self._stop.is_set()

    def _on_went_on(self, done: int, total: int, words: str) -> None:
        if self._busy and not self._stop.is_set():
            share = round(1000 * done / total) if total else 0
            self.progress.set(share, 1000, words)

    # Showing.

    def _forget(self) -> None:
        if self._checked is not None:
            self._checked.close()
        self._checked = self._listed = None
        self._clear_trouble()
        self.problems_button.hide()

    def _show_nothing(self, title: str, detail: str = "") -> None:
        self._rows.set_source(ListedRows())
        self.table.set_state("empty", title, detail)
        self.counts.setText("")
        self.effect.setText("")
        self.remark.hide()
        self.import_button.setText(_("Import"))
        self.import_button.setEnabled(False)
        self._show_columns([])

    def _show(self, checked: Any) -> None:
        self._checked = checked
        rows, counts, effect, words = self._show_checked(checked)
        self._rows.set_source(rows)
        self._show_columns(self._lines_of(checked))
        self.counts.setText(counts)
        self.effect.setText(effect)
        self.import_button.setText(words or _("Import"))
        self.import_button.setEnabled(bool(words))

    def _show_remark(self, words: str) -> None:
        self.remark.setText(words)
        self.remark.setVisible(bool(words))

    def _show_columns(self, lines: list[tuple[str, str]]) -> None:
        while (item := self._columns.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        for place, (ours, theirs) in enumerate(lines):
            self._columns.addWidget(label(ours, "label", "text2"), place, 0)
            self._columns.addWidget(Elided(theirs, "label"), place, 1)

    def _on_show_problems(self) -> None:
        if self._listed is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._listed)))

    def reject(self) -> None:
        """Esc or Close: ask the work to stop while there is some, else go."""
        if self._busy:
            self._stop.set()
            return
        super().reject()

    def done(self, result: int) -> None:
        """The window goes, and the temporary files with it."""
        self._forget()
        super().done(result)
