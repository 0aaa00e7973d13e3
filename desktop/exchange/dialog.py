"""The import window: choose a file and a mapping, see what would be taken, then take it or leave it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from db.exchange.checking import Checked, Report
from db.exchange.mapping import shipped_mappings
from db.exchange.reading import Progress as Watcher
from db.kernel.language import _, ngettext_
from db.kernel.refusal import Trouble
from desktop.core.jobs import Jobs
from desktop.core.words import number
from desktop.exchange.preview import (
    COLUMNS,
    column_lines,
    counts_line,
    effect_line,
    preview_rows,
    unmapped_line,
)
from desktop.widgets.button import Button
from desktop.widgets.form import Field
from desktop.widgets.plain import Elided, label
from desktop.widgets.progress import Progress
from desktop.widgets.rows import ListedRows, TableModel
from desktop.widgets.table import Table
from desktop.widgets.theme import Theme

_BEAT = 0.05
"""Seconds between two words of progress: what the eye follows."""


@dataclass(frozen=True)
class ImportWork:
    """What the window asks for and does not know how: both are called off the GUI thread and may raise
    ``Trouble``.
    """

    check: Callable[[Path, Path, Watcher], Checked]
    """File, mapping file, progress."""
    write: Callable[[Checked, Watcher], tuple[Report, Path | None]]
    """Returns the counts and where the list of problems is."""


class ImportDialog(QDialog):
    """Open it with ``open()``. Invariant: at most one job runs, and the button imports exactly what the
    table shows.
    """

    imported = Signal(object)
    """The counts of a finished import (``db.exchange.checking.Report``)."""
    _went_on = Signal(object, object, str)

    def __init__(self, theme: Theme, jobs: Jobs, work: ImportWork, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._jobs = jobs
        self._work = work
        self._checked: Checked | None = None
        self._listed: Path | None = None
        self._stop = threading.Event()
        self._busy = False
        self._said_at = 0.0
        self._build()
        self._wire()

    # What the app may ask for.

    @property
    def is_busy(self) -> bool:
        """Whether a check or an import is under way."""
        return self._busy

    def choose(self, file: Path | None = None, mapping: Path | None = None) -> None:
        """Take a file and a mapping as if they had been picked; the check begins when both are there."""
        if file is not None:
            self.file.setText(str(file))
        if mapping is not None:
            place = self.mapping.findData(str(mapping))
            if place < 0:
                self.mapping.addItem(mapping.name, str(mapping))
                place = self.mapping.count() - 1
            self.mapping.setCurrentIndex(place)
        self._on_chosen()

    # Building.

    def _build(self) -> None:
        theme = self._theme
        self.setWindowTitle(_("Import cases"))
        self.setMinimumSize(theme.px(880), theme.px(560))
        self.resize(theme.px(1180), theme.px(720))
        column = QVBoxLayout(self)
        column.setContentsMargins(*([theme.px(16)] * 4))
        column.setSpacing(theme.px(8))
        column.addLayout(self._build_choice())
        self.counts = label("", "place")
        self.counts.setWordWrap(True)
        self.unmapped = Elided("", "label", "soon")
        self.unmapped.hide()
        column.addWidget(self.counts)
        column.addWidget(self.unmapped)
        middle = QHBoxLayout()
        middle.setSpacing(theme.px(16))
        self._rows = TableModel(ListedRows(), COLUMNS, self)
        self.table = Table(theme, self._rows)
        self.table.set_dense(True)
        middle.addWidget(self.table, 1)
        middle.addWidget(self._build_columns())
        column.addLayout(middle, 1)
        self.progress = Progress(theme)
        self.progress.hide()
        column.addWidget(self.progress)
        column.addLayout(self._build_foot())
        self._show_nothing(_("Choose a file and what its columns mean."))

    def _build_choice(self) -> QHBoxLayout:
        theme = self._theme
        self.file = QLineEdit()
        self.file.setReadOnly(True)
        self.file.setPlaceholderText(_("A CSV file in UTF-8 or GB18030"))
        self.mapping = QComboBox()
        self.mapping.addItem("", "")
        for path in shipped_mappings():
            self.mapping.addItem(path.stem, str(path))
        self.file_field = Field(theme, _("File"), self.file)
        self.mapping_field = Field(theme, _("Mapping"), self.mapping)
        self.file_button = Button(theme, _("Choose…"))
        self.mapping_button = Button(theme, _("Other…"))
        row = QHBoxLayout()
        row.setSpacing(theme.px(8))
        for field, button, share in (
            (self.file_field, self.file_button, 3),
            (self.mapping_field, self.mapping_button, 2),
        ):
            row.addWidget(field, share)
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignVCenter)
        return row

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
        self.file_button.clicked.connect(self._on_choose_file)
        self.mapping_button.clicked.connect(self._on_choose_mapping)
        self.mapping.activated.connect(self._on_chosen)
        self.import_button.clicked.connect(self._on_import)
        self.close_button.clicked.connect(self.reject)
        self.problems_button.clicked.connect(self._on_show_problems)
        self.progress.cancelled.connect(self._stop.set)
        self._went_on.connect(self._on_went_on)

    # Choosing.

    def _on_choose_file(self) -> None:
        self._pick(
            _("Choose a file with cases"), _("CSV files (*.csv *.txt *.tsv);;All files (*)"), self._on_file
        )

    def _on_choose_mapping(self) -> None:
        self._pick(_("Choose a mapping"), _("Mappings (*.toml)"), self._on_mapping)

    def _pick(self, title: str, kinds: str, then: Callable[[str], None]) -> None:
        chooser = QFileDialog(self, title, str(Path(self.file.text()).parent), kinds)
        chooser.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        chooser.setFileMode(QFileDialog.FileMode.ExistingFile)
        chooser.fileSelected.connect(then)
        chooser.open()

    def _on_file(self, path: str) -> None:
        self.choose(file=Path(path))

    def _on_mapping(self, path: str) -> None:
        self.choose(mapping=Path(path))

    def _on_chosen(self) -> None:
        file, mapping = self.file.text(), self.mapping.currentData()
        if file and mapping and not self._busy:
            self._jobs.start(self._check(Path(file), Path(mapping)))

    # Checking and importing.

    async def _check(self, file: Path, mapping: Path) -> None:
        self._forget()
        self._show_nothing(_("The file is being checked…"))
        self._begin(_("Checking"))
        try:
            checked = await self._jobs.read(self._work.check, file, mapping, self._watch)
        except Trouble as trouble:
            about_mapping = trouble.code in {"bad_mapping", "no_mapping", "no_such_class"}
            field = self.mapping_field if about_mapping else self.file_field
            field.set_error(trouble.text().splitlines()[0])
            self._show_nothing(_("Nothing can be taken from this file."), trouble.text())
            return
        finally:
            self._end()
        self._show(checked)

    async def _import(self, checked: Checked) -> None:
        self._begin(_("Writing"))
        try:
            report, self._listed = await self._jobs.write(self._work.write, checked, self._watch)
        except Trouble as trouble:
            self.effect.setText(trouble.text())
            self.import_button.setEnabled(True)
            return
        finally:
            self._end()
        self._show_result(report)
        self.imported.emit(report)

    def _on_import(self) -> None:
        if self._checked is not None and not self._busy:
            self._jobs.start(self._import(self._checked))

    def _begin(self, words: str) -> None:
        self._busy = True
        self._stop.clear()
        self._said_at = 0.0
        for widget in (self.import_button, self.file_button, self.mapping_button, self.mapping):
            widget.setEnabled(False)
        self.close_button.setEnabled(False)
        self.progress.restart()
        self.progress.set(0, None, words)
        self.progress.show()

    def _end(self) -> None:
        self._busy = False
        self.progress.hide()
        for widget in (self.file_button, self.mapping_button, self.mapping, self.close_button):
            widget.setEnabled(True)

    def _watch(self, done: int, total: int, words: str) -> bool:
        """Called by the work on its own thread: a few words a second go to the window, and the wish to
        stop comes back.
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
        self.file_field.set_error("")
        self.mapping_field.set_error("")
        self.problems_button.hide()

    def _show_nothing(self, title: str, detail: str = "") -> None:
        self._rows.set_source(ListedRows())
        self.table.set_state("empty", title, detail)
        self.counts.setText("")
        self.effect.setText("")
        self.unmapped.hide()
        self.import_button.setText(_("Import"))
        self.import_button.setEnabled(False)
        self._show_columns([])

    def _show(self, checked: Checked) -> None:
        self._checked = checked
        taken = checked.report.taken
        self._rows.set_source(preview_rows(checked))
        self._show_columns(column_lines(checked.mapping))
        self.counts.setText(counts_line(checked.report))
        unmapped = unmapped_line(checked.report)
        self.unmapped.setText(unmapped)
        self.unmapped.setVisible(bool(unmapped))
        self.effect.setText(effect_line(checked))
        self.import_button.setText(
            ngettext_("Import {count} case", "Import {count} cases", taken).format(count=number(taken))
            if taken
            else _("Import")
        )
        self.import_button.setEnabled(bool(taken))

    def _show_columns(self, lines: list[tuple[str, str]]) -> None:
        while (item := self._columns.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        for place, (ours, theirs) in enumerate(lines):
            self._columns.addWidget(label(ours, "label", "text2"), place, 0)
            self._columns.addWidget(Elided(theirs, "label"), place, 1)

    def _show_result(self, report: Report) -> None:
        self.counts.setText(counts_line(report))
        self.effect.setText(
            ngettext_("{count} case was imported.", "{count} cases were imported.", report.taken).format(
                count=number(report.taken)
            )
        )
        self.import_button.setEnabled(False)
        self.problems_button.setVisible(self._listed is not None)

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
