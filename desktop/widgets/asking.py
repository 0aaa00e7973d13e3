"""A small dialog that asks for what one command needs and stays until the command was taken."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QVBoxLayout, QWidget

from db.kernel.language import _
from desktop.widgets.form import Form
from desktop.widgets.plain import label
from desktop.widgets.theme import Theme


class Asking(QDialog):
    """Open it with ``open()``. Whoever runs the command closes it, or says what is wrong with it."""

    answered = Signal(object)
    """The command."""

    def __init__(self, theme: Theme, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.setMinimumWidth(theme.px(460))
        # zh: 保存 / 取消
        self.form = Form(theme, _("Save"), _("Cancel"))
        column = QVBoxLayout(self)
        column.setContentsMargins(*([theme.px(16)] * 4))
        column.setSpacing(theme.px(12))
        heading = label(title, "title", bold=True)
        heading.setWordWrap(True)
        column.addWidget(heading)
        column.addWidget(self.form)
        self.form.sent.connect(self._on_sent)
        self.form.cancelled.connect(self.reject)

    def command(self) -> Any:
        """What the fields ask for."""
        raise NotImplementedError

    def faults(self) -> dict[str, str]:
        """What is missing, by field; while anything is, nothing is answered."""
        return {}

    def set_trouble(self, words: str) -> None:
        """Say why it was not taken; it may be tried again."""
        self.form.set_errors({"": words})
        self.form.send_button.setEnabled(True)

    def _on_sent(self) -> None:
        faults = self.faults()
        self.form.set_errors(faults)
        if not faults:
            self.form.send_button.setEnabled(False)
            self.answered.emit(self.command())
