"""The import window for map data: choose a file and what is in it, see each feature's fate, then take it or
leave it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QGridLayout, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from db.exchange.geography.checking import Checked, PreviewRow, Report
from db.exchange.geography.fields import REGISTERS
from db.exchange.geography.files import ENCODINGS
from db.exchange.geography.frames import COMMON
from db.exchange.reading import Progress as Watcher
from db.kernel.language import N_, _, ngettext_
from db.kernel.refusal import Trouble
from desktop.core.jobs import Jobs
from desktop.core.words import number
from desktop.exchange.taking import TakingDialog
from desktop.widgets.button import Button
from desktop.widgets.form import Field
from desktop.widgets.rows import RIGHT, Cell, Column, ListedRows
from desktop.widgets.theme import Theme

COLUMNS = (
    Column("row", N_("Row"), 64, align=RIGHT, sortable=False),
    Column("outcome", N_("What is done"), 104, sortable=False),
    Column("remark", N_("Remark"), 360, sortable=False),
    Column("code", N_("Code"), 168, sortable=False),
    Column("name", N_("Name"), 168, sortable=False),
    Column("changes", N_("What changes"), 152, stretch=True, sortable=False),
)
OUTCOMES = {
    "new": N_("New"),
    "changed": N_("Changed"),
    "same": N_("The same"),
    "skipped": N_("Skipped"),
}
CHANGES = {
    "outline": N_("outline"),
    "line": N_("line"),
    "lon": N_("place"),
    "code": N_("code"),
    "name": N_("name"),
    "name_en": N_("English name"),
    "parent_id": N_("belongs to"),
    "patrol_id": N_("patrol area"),
    "unit_id": N_("unit"),
    "visits_per_day": N_("visits a day"),
    "category_id": N_("class"),
    "state": N_("state"),
    "cell_id": N_("cell"),
    "placed_on": N_("placed on"),
    "grade": N_("grade"),
    "kind": N_("kind"),
    "note": N_("note"),
    "radius": N_("radius"),
    "prefix": N_("class"),
    "weekdays": N_("days"),
    "from_minute": N_("hours"),
    "to_minute": N_("hours"),
    "allowed": N_("allowed"),
    "valid_from": N_("in force from"),
    "valid_to": N_("in force to"),
    "ended_on": N_("in force again"),
}
"""What changes, by column; those not named follow from another one."""
_ABOUT_DATUM = frozenset({"unknown_datum", "old_datum", "which_datum", "other_datum"})
_ABOUT_MAPPING = frozenset({"bad_mapping", "no_mapping", "missing_column", "missing_field"})


@dataclass(frozen=True)
class GeographyChoice:
    """What a person chose."""

    file: Path
    kind: str
    datum: str
    encoding: str
    mapping: Path | None
    complete: bool


@dataclass(frozen=True)
class GeographyWork:
    """What the window asks for and does not know how: both are called off the GUI thread and may raise
    ``Trouble``.
    """

    check: Callable[[GeographyChoice, Watcher], Checked]
    write: Callable[[Checked, Watcher], tuple[Report, Path | None]]
    """Returns the counts and where the list of problems is."""


class GeographyDialog(TakingDialog):
    """Areas, components, roads, waters, places and rules, from GeoJSON or a Shapefile."""

    def __init__(self, theme: Theme, jobs: Jobs, work: GeographyWork, parent: QWidget | None = None) -> None:
        self._work = work
        self._mapping: Path | None = None
        # zh: 导入地图数据
        super().__init__(theme, jobs, _("Import map data"), COLUMNS, parent)
        self._show_nothing(_("Choose a file and what is in it."))

    def choose(self, file: Path | None = None, kind: str = "", mapping: Path | None = None) -> None:
        """Take a file, a kind and a mapping as if they had been picked; the check begins when it can."""
        if file is not None:
            self.file.setText(str(file))
        if kind:
            self.kind.setCurrentIndex(self.kind.findData(kind))
        if mapping is not None:
            self._mapping = mapping
            self.mapping_button.setText(mapping.name)
        self._on_chosen()

    def _build_choice(self) -> QVBoxLayout:
        theme = self._theme
        self.file = QLineEdit()
        self.file.setReadOnly(True)
        self.file.setPlaceholderText(_("A GeoJSON file or a Shapefile"))
        self.file_field = Field(theme, _("File"), self.file)
        self.file_button = Button(theme, _("Choose…"))
        self.kind, self.datum, self.encoding = QComboBox(), QComboBox(), QComboBox()
        self.kind.addItem("", "")
        for register in REGISTERS.values():
            self.kind.addItem(_(register.label), register.kind)
        # zh: 以文件为准
        self.datum.addItem(_("As the file says"), "auto")
        for name in COMMON:
            self.datum.addItem(name, name)
        self.encoding.addItem(_("As the file says"), "auto")
        for name in ENCODINGS[1:]:
            self.encoding.addItem(name.upper(), name)
        self.kind_field = Field(theme, _("What is in it"), self.kind)
        # zh: 坐标系
        self.datum_field = Field(theme, _("Coordinates"), self.datum)
        self.encoding_field = Field(theme, _("Encoding"), self.encoding)
        self.mapping_button = Button(theme, _("Mapping…"))
        self.complete = QCheckBox(_("The file is the whole register: mark what it no longer has"))
        upper = QHBoxLayout()
        upper.setSpacing(theme.px(8))
        upper.addWidget(self.file_field, 1)
        upper.addWidget(self.file_button, 0, Qt.AlignmentFlag.AlignVCenter)
        lower = QGridLayout()
        lower.setHorizontalSpacing(theme.px(8))
        for place, (widget, share) in enumerate(
            ((self.kind_field, 2), (self.datum_field, 2), (self.encoding_field, 2), (self.mapping_button, 1))
        ):
            lower.addWidget(widget, 0, place)
            lower.setColumnStretch(place, share)
        column = QVBoxLayout()
        column.setSpacing(theme.px(4))
        column.addLayout(upper)
        column.addLayout(lower)
        column.addWidget(self.complete)
        return column

    def _wire(self) -> None:
        super()._wire()
        self.file_button.clicked.connect(self._on_choose_file)
        self.mapping_button.clicked.connect(self._on_choose_mapping)
        for box in (self.kind, self.datum, self.encoding):
            box.activated.connect(self._on_chosen)
        self.complete.toggled.connect(self._on_chosen)

    def _choosers(self) -> Sequence[QWidget]:
        return (
            self.file_button,
            self.mapping_button,
            self.kind,
            self.datum,
            self.encoding,
            self.complete,
        )

    def _on_choose_file(self) -> None:
        kinds = _("Map data (*.geojson *.json *.shp);;All files (*)")
        self._pick(_("Choose a file with map data"), self.file.text(), kinds, self._on_file)

    def _on_choose_mapping(self) -> None:
        self._pick(_("Choose a mapping"), self.file.text(), _("Mappings (*.toml)"), self._on_mapping)

    def _on_file(self, path: str) -> None:
        self.choose(file=Path(path))

    def _on_mapping(self, path: str) -> None:
        self.choose(mapping=Path(path))

    def _check_now(self, watch: Watcher) -> Callable[[], Checked] | None:
        if not self.file.text() or not self.kind.currentData():
            return None
        choice = GeographyChoice(
            Path(self.file.text()),
            self.kind.currentData(),
            self.datum.currentData(),
            self.encoding.currentData(),
            self._mapping,
            self.complete.isChecked(),
        )
        return lambda: self._work.check(choice, watch)

    def _write_now(self, checked: Checked) -> tuple[Report, Path | None]:
        return self._work.write(checked, self._watch)

    def _show_trouble(self, trouble: Trouble) -> None:
        field = self.file_field
        if trouble.code in _ABOUT_DATUM:
            field = self.datum_field
        elif trouble.code == "unknown_encoding":
            field = self.encoding_field
        elif trouble.code in _ABOUT_MAPPING:
            field = self.kind_field
        field.set_error(trouble.text().splitlines()[0])

    def _clear_trouble(self) -> None:
        for field in (self.file_field, self.kind_field, self.datum_field, self.encoding_field):
            field.set_error("")

    def _show_checked(self, checked: Checked) -> tuple[ListedRows, str, str, str]:
        report = checked.report
        self._show_remark(topology_line(report))
        words = ngettext_("Import {count} feature", "Import {count} features", report.taken)
        return (
            ListedRows((place, _cells(row)) for place, row in enumerate(checked.preview, 1)),
            counts_line(checked),
            effect_line(checked),
            words.format(count=number(report.taken)) if report.taken else "",
        )

    def _show_done(self, report: Report) -> tuple[str, str]:
        done = ngettext_("{count} feature was imported.", "{count} features were imported.", report.taken)
        return self.counts.text(), done.format(count=number(report.taken))

    def _lines_of(self, checked: Checked) -> list[tuple[str, str]]:
        return [
            (_(field.label), _(", else ").join(checked.fields[field.name]))
            for field in checked.register.fields
            if field.name in checked.fields
        ]


def counts_line(checked: Checked) -> str:
    """The counts of a check in one line, and how the file was read."""
    report = checked.report
    return _(
        "{rows} rows: {new} new, {changed} changed, {same} the same, {skipped} skipped ({datum}, {encoding})"
    ).format(
        rows=number(report.rows),
        new=number(report.new),
        changed=number(report.changed),
        same=number(report.same),
        skipped=number(report.skipped),
        datum=checked.file.frame.name,
        encoding=checked.file.encoding.upper(),
    )


def effect_line(checked: Checked) -> str:
    """What pressing the button will do, written beside it."""
    report = checked.report
    if not report.taken:
        return _("Nothing to import: every row is there already or was skipped.")
    parts = []
    if report.new:
        parts.append(_("adds {count}").format(count=number(report.new)))
    if report.changed:
        parts.append(_("changes {count}").format(count=number(report.changed)))
    if report.ended:
        # zh: 标记 {count} 个为已撤销
        parts.append(_("marks {count} as no longer there").format(count=number(report.ended)))
    return _(", ").join(parts)


def topology_line(report: Report) -> str:
    """Whether the areas would tile the ground; nothing when they would."""
    if not report.gaps and not report.overlaps:
        return ""
    return _("The register then has {gaps} gaps and {overlaps} overlaps.").format(
        gaps=number(report.gaps), overlaps=number(report.overlaps)
    )


def _cells(row: PreviewRow) -> dict[str, Cell | str]:
    remark = " ".join(
        f"{problem.column}: {problem.text()}" if problem.column else problem.text()
        for problem in row.problems
    )
    tone = {"skipped": "over", "same": "text3"}.get(row.outcome, "soon" if row.problems else "")
    words = _(OUTCOMES[row.outcome])
    # The place of an area follows from its outline.
    named = [
        name for name in row.changes if name in CHANGES and (name != "lon" or "outline" not in row.changes)
    ]
    changes = dict.fromkeys(_(CHANGES[name]) for name in named)
    return {
        "row": number(row.row),
        "outcome": Cell(words, tone=tone) if tone else Cell(words),
        "remark": Cell(remark, tone=tone if row.outcome == "skipped" else "text2", tip=remark),
        "code": row.values.get("code", ""),
        "name": row.values.get("name", ""),
        "changes": _(", ").join(changes),
    }
