"""Plain words in Qt: labels and tool tips that never read what a citizen typed as markup."""

from __future__ import annotations

from html import escape

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget


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
