"""The export window for map data: choose what and in which coordinates, then where to; it stays for more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QDialog, QFileDialog, QVBoxLayout, QWidget
from shiboken6 import isValid

from db.exchange.geography.fields import REGISTERS
from db.exchange.geography.files import ENCODINGS
from db.exchange.geography.frames import COMMON, SHIFTED
from db.kernel.language import N_, _, ngettext_
from db.kernel.refusal import Trouble
from desktop.core.jobs import Jobs
from desktop.core.words import number
from desktop.widgets.form import Form
from desktop.widgets.plain import label, set_tone
from desktop.widgets.theme import Theme

_FORMATS = {N_("GeoJSON (*.geojson)"): "geojson", N_("Shapefile (*.shp)"): "shp"}
"""The kinds of files as the dialog offers them, and how each ends."""


@dataclass(frozen=True)
class Giving:
    """What is written, where to, and how."""

    file: Path
    kind: str
    datum: str
    encoding: str


class GivingDialog(QDialog):
    """Open it with ``open()``. Invariant: at most one file is being written at a time."""

    written = Signal(object)
    """The ``Giving`` that stands in its file now."""

    def __init__(
        self, theme: Theme, jobs: Jobs, write: Callable[[Giving], int], parent: QWidget | None = None
    ) -> None:
        """``write`` is called off the GUI thread, returns how many features it wrote, and may raise
        ``Trouble``.
        """
        super().__init__(parent)
        self._theme = theme
        self._jobs = jobs
        self._write = write
        self.is_busy = False
        # zh: 导出地图数据
        self.setWindowTitle(_("Export map data"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._build()
        self._wire()

    def _build(self) -> None:
        px = self._theme.px
        self.kind, self.datum, self.encoding = QComboBox(), QComboBox(), QComboBox()
        for register in REGISTERS.values():
            self.kind.addItem(_(register.label), register.kind)
        self.kind.setCurrentIndex(self.kind.findData("cell"))
        for name in COMMON:
            self.datum.addItem(name, name)
        for name in ENCODINGS[1:]:
            self.encoding.addItem(name.upper(), name)
        # zh: 另存为…
        self.form = Form(self._theme, _("Save as…"), _("Close window"))
        self.form.add(
            "kind", _("What is written"), self.kind, _("What is in force; former areas are left out")
        )
        # zh: 坐标系
        self.form.add("datum", _("Coordinates"), self.datum)
        self.form.add("encoding", _("Encoding"), self.encoding, _("Of a Shapefile; GeoJSON is always UTF-8"))
        self.told = label("", "label", "text2")
        self.told.setWordWrap(True)
        self.told.hide()
        self.form.add_widget(self.told)
        column = QVBoxLayout(self)
        column.setContentsMargins(px(20), px(16), px(20), px(16))
        column.addWidget(self.form)
        self.setMinimumWidth(px(460))

    def _wire(self) -> None:
        self.form.sent.connect(self._on_sent)
        self.form.cancelled.connect(self.reject)
        for box in (self.kind, self.datum, self.encoding):
            box.activated.connect(lambda _place: self._tell(""))

    def _on_sent(self) -> None:
        chooser = QFileDialog(self, _("Export map data"))
        chooser.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        chooser.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        endings = {_(words): ending for words, ending in _FORMATS.items()}
        chooser.setNameFilters(list(endings))
        chooser.setDefaultSuffix(next(iter(endings.values())))
        chooser.filterSelected.connect(lambda words: chooser.setDefaultSuffix(endings[words]))
        chooser.selectFile(self.kind.currentData())
        chooser.fileSelected.connect(lambda name: self.save(Path(name)))
        chooser.open()

    def save(self, file: Path) -> None:
        """Write what is chosen into a file, its ending saying the format, as if it had been picked."""
        if self.is_busy:
            return
        giving = Giving(file, self.kind.currentData(), self.datum.currentData(), self.encoding.currentData())
        self._jobs.start(self._save(giving))

    async def _save(self, giving: Giving) -> None:
        self._set_busy(True)
        self._tell(_("{file} is being written…").format(file=giving.file.name))
        try:
            count = await self._jobs.read(self._write, giving)
        except Trouble as trouble:
            if not isValid(self) or not self.isVisible():
                # Told in the room.
                raise
            self._set_busy(False)
            self._tell("")
            self.form.set_errors({"": trouble.text()})
            return
        if isValid(self):
            self._set_busy(False)
            self._tell(told(giving, count))
            self.written.emit(giving)

    def _set_busy(self, on: bool) -> None:
        self.is_busy = on
        for widget in (self.kind, self.datum, self.encoding, self.form.send_button):
            widget.setEnabled(not on)

    def _tell(self, words: str) -> None:
        self.form.set_errors({})
        self.told.setText(words)
        self.told.setVisible(bool(words))
        set_tone(self.told, "text2")


def told(giving: Giving, count: int) -> str:
    """What stands in the file, and what whoever gets it must be told."""
    words = ngettext_("{count} feature in {file}.", "{count} features in {file}.", count).format(
        count=number(count), file=giving.file.name
    )
    if giving.file.suffix.lower() != ".shp" or giving.datum not in SHIFTED:
        return words
    remark = _("A .prj cannot name {datum}; whoever reads the file must be told.")
    return f"{words} {remark.format(datum=giving.datum)}"
