"""The dialog before a track is shown: what the data are for, which hours, and why one wants to look."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QDialog, QLineEdit, QVBoxLayout, QWidget

from db.kernel.language import N_, _
from db.people.tracking import LEAST_REASON, PURPOSE
from desktop.widgets.form import Form
from desktop.widgets.plain import label
from desktop.widgets.theme import Theme

HOURS = {1: N_("The last hour"), 4: N_("The last four hours"), 24: N_("The last 24 hours")}
"""What can be asked for; outside of working hours nothing was recorded."""


class TrackDialog(QDialog):
    """Says the purpose first; who looks at where somebody was gives a reason, and the look is logged."""

    asked = Signal(int, str)
    """For how many hours back, and why."""

    def __init__(self, theme: Theme, name: str, days: int, parent: QWidget | None = None) -> None:
        """``name``: whose track; ``days``: for how long tracks are kept."""
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._theme = theme
        self._build(name, days)
        self._wire()

    def _build(self, name: str, days: int) -> None:
        px = self._theme.px
        # zh: {name} 的轨迹
        title = _("Track of {name}").format(name=name)
        self.setWindowTitle(title)
        self.notice = label(_(PURPOSE).format(days=days), "label", "text2")
        self.notice.setWordWrap(True)
        self.hours = QComboBox()
        for hours, words in HOURS.items():
            self.hours.addItem(_(words), hours)
        self.reason = QLineEdit()
        self.reason.setMaxLength(400)
        self.form = Form(self._theme, _("See the track"), _("Cancel"))
        self.form.add("hours", _("Which hours"), self.hours)
        self.form.add("reason", _("Why do you look?"), self.reason)
        column = QVBoxLayout(self)
        column.setContentsMargins(px(20), px(16), px(20), px(16))
        column.setSpacing(px(12))
        column.addWidget(label(title, "place", "text1", bold=True))
        column.addWidget(self.notice)
        column.addWidget(self.form)
        self.setMinimumWidth(px(440))
        self.reason.setFocus(Qt.FocusReason.OtherFocusReason)

    def _wire(self) -> None:
        self.form.sent.connect(self._on_sent)
        self.form.cancelled.connect(self.reject)

    def _on_sent(self) -> None:
        reason = self.reason.text().strip()
        if len(reason) < LEAST_REASON:
            self.form.set_errors({"reason": _("A reason is required.")})
            return
        self.asked.emit(self.hours.currentData(), reason)
        self.accept()
