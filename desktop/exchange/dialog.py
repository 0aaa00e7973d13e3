"""The import window for cases: choose a file and a mapping, see what would be taken, then take it or leave
it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QWidget

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
from desktop.exchange.taking import TakingDialog
from desktop.widgets.button import Button
from desktop.widgets.form import Field
from desktop.widgets.rows import ListedRows
from desktop.widgets.theme import Theme

_ABOUT_MAPPING = frozenset({"bad_mapping", "no_mapping", "no_such_class"})


@dataclass(frozen=True)
class ImportWork:
    """What the window asks for and does not know how: both are called off the GUI thread and may raise
    ``Trouble``.
    """

    check: Callable[[Path, Path, Watcher], Checked]
    """File, mapping file, progress."""
    write: Callable[[Checked, Watcher], tuple[Report, Path | None]]
    """Returns the counts and where the list of problems is."""


class ImportDialog(TakingDialog):
    """Cases of another system, from a CSV file and the mapping that says what its columns mean."""

    def __init__(self, theme: Theme, jobs: Jobs, work: ImportWork, parent: QWidget | None = None) -> None:
        self._work = work
        super().__init__(theme, jobs, _("Import cases"), COLUMNS, parent)
        self._show_nothing(_("Choose a file and what its columns mean."))

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

    def _wire(self) -> None:
        super()._wire()
        self.file_button.clicked.connect(self._on_choose_file)
        self.mapping_button.clicked.connect(self._on_choose_mapping)
        self.mapping.activated.connect(self._on_chosen)

    def _choosers(self) -> Sequence[QWidget]:
        return (self.file_button, self.mapping_button, self.mapping)

    def _on_choose_file(self) -> None:
        kinds = _("CSV files (*.csv *.txt *.tsv);;All files (*)")
        self._pick(_("Choose a file with cases"), self.file.text(), kinds, self._on_file)

    def _on_choose_mapping(self) -> None:
        self._pick(_("Choose a mapping"), self.file.text(), _("Mappings (*.toml)"), self._on_mapping)

    def _on_file(self, path: str) -> None:
        self.choose(file=Path(path))

    def _on_mapping(self, path: str) -> None:
        self.choose(mapping=Path(path))

    def _check_now(self, watch: Watcher) -> Callable[[], Checked] | None:
        file, mapping = self.file.text(), self.mapping.currentData()
        if not file or not mapping:
            return None
        return lambda: self._work.check(Path(file), Path(mapping), watch)

    def _write_now(self, checked: Checked) -> tuple[Report, Path | None]:
        return self._work.write(checked, self._watch)

    def _show_trouble(self, trouble: Trouble) -> None:
        field = self.mapping_field if trouble.code in _ABOUT_MAPPING else self.file_field
        field.set_error(trouble.text().splitlines()[0])

    def _clear_trouble(self) -> None:
        self.file_field.set_error("")
        self.mapping_field.set_error("")

    def _show_checked(self, checked: Checked) -> tuple[ListedRows, str, str, str]:
        taken = checked.report.taken
        self._show_remark(unmapped_line(checked.report))
        words = ngettext_("Import {count} case", "Import {count} cases", taken).format(count=number(taken))
        return (
            preview_rows(checked),
            counts_line(checked.report),
            effect_line(checked),
            words if taken else "",
        )

    def _show_done(self, report: Report) -> tuple[str, str]:
        done = ngettext_("{count} case was imported.", "{count} cases were imported.", report.taken)
        return counts_line(report), done.format(count=number(report.taken))

    def _lines_of(self, checked: Any) -> list[tuple[str, str]]:
        return column_lines(checked.mapping)
