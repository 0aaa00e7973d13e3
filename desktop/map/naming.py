"""Asks what an area that was just drawn is: its kind, code and name."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QDialog, QLineEdit, QVBoxLayout, QWidget

from db.kernel.language import _
from db.registers.codes import AREAS_WITHOUT_CITY, KIND_LABELS
from desktop.widgets.form import Form
from desktop.widgets.theme import Theme


class NamingDialog(QDialog):
    """Stays open until whoever listens takes the area, so that a wrong code costs no drawing."""

    sent = Signal(str, str, str)
    """Kind, code, name."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setWindowTitle(_("New area"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._build()
        self._wire()

    def _build(self) -> None:
        px = self._theme.px
        self.kind = QComboBox()
        for kind in reversed(AREAS_WITHOUT_CITY):
            self.kind.addItem(_(KIND_LABELS[kind]), kind)
        self.code = QLineEdit()
        self.name = QLineEdit()
        self.form = Form(self._theme, _("Draw it"), _("Throw the drawing away"))
        self.form.add("kind", _("Kind"), self.kind)
        self.form.add("code", _("Code"), self.code, _("A cell has 15 digits, a community 12, a district 9"))
        self.form.add("name", _("Name"), self.name)
        column = QVBoxLayout(self)
        column.setContentsMargins(px(20), px(16), px(20), px(16))
        column.addWidget(self.form)
        self.setMinimumWidth(px(420))

    def _wire(self) -> None:
        self.form.sent.connect(self._on_sent)
        self.form.cancelled.connect(self.reject)

    def refuse(self, words: str) -> None:
        """Say why the area was not taken."""
        self.form.set_errors({"": words})

    def _on_sent(self) -> None:
        code, name = self.code.text().strip(), self.name.text().strip()
        errors = {key: _("This is needed.") for key, text in (("code", code), ("name", name)) if not text}
        self.form.set_errors(errors)
        if not errors:
            self.sent.emit(self.kind.currentData(), code, name)
