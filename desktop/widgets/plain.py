"""Plain words in Qt: labels and tool tips that never read what a citizen typed as markup."""

from __future__ import annotations

from html import escape

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget


class Elided(QLabel):
    """A label in plain text that gives way: what does not fit ends in "…", and the tool tip has all of it."""

    def __init__(self, text: str = "", step: str = "body", tone: str = "text1") -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("step", step)
        self.setProperty("tone", tone)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setText(text)

    def minimumSizeHint(self) -> QSize:
        return QSize(0, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        metrics = QFontMetrics(self.font())
        shown = metrics.elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
        self.setToolTip(tip(self.text()) if shown != self.text() else "")
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(self.rect(), int(self.alignment()), shown)
        painter.end()


def label(text: str = "", step: str = "body", tone: str = "text1", *, bold: bool = False) -> QLabel:
    """A label of a step of the type scale and a tone, in plain text."""
    made = QLabel()
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setProperty("step", step)
    made.setProperty("tone", tone)
    made.setProperty("bold", bold)
    made.setText(text)
    return made


def set_tone(widget: QWidget, tone: str) -> None:
    """Give a label another tone; the style sheet is asked again only when it differs."""
    if widget.property("tone") != tone:
        widget.setProperty("tone", tone)
        restyle(widget)


def restyle(widget: QWidget) -> None:
    """Let the style sheet look at the widget's properties again."""
    widget.style().unpolish(widget)
    widget.style().polish(widget)
    widget.update()


def tip(text: str) -> str:
    """A tool tip that shows `text` letter by letter: Qt would take "<b>…" in it for markup."""
    return f'<p style="white-space: pre-wrap">{escape(text)}</p>' if text else ""
