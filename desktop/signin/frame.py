"""What every page before the room has in common: the ground, and the corner with theme and language."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSpacerItem, QVBoxLayout, QWidget

from db.kernel.language import _
from desktop.widgets.button import IconButton
from desktop.widgets.plain import label
from desktop.widgets.theme import Theme

WIDTH = 320
"""Of the column in the middle, in pixels at 100 %."""
_ABOVE = 0.15
"""The part of the height that stays free above it: nothing moves when words below come and go."""


class Frame(QWidget):
    """The program's name over a column in the middle, which the page fills."""

    theme_wanted = Signal()
    language_wanted = Signal()

    def __init__(self, theme: Theme, below: str, parent: QWidget | None = None) -> None:
        """``below``: what stands under the program's name."""
        super().__init__(parent)
        self._theme = theme
        self.column = QVBoxLayout()
        self.column.setSpacing(theme.px(8))
        self._above = QSpacerItem(0, 0)
        self.column.addSpacerItem(self._above)
        self.column.addWidget(label(_("Jingwei"), "figure", "text1", bold=True))
        self.column.addWidget(label(below, "body", "text2"))
        self.column.addSpacing(theme.px(16))
        middle = QHBoxLayout()
        middle.addStretch(1)
        middle.addLayout(self.column)
        middle.addStretch(1)
        self.theme_button = IconButton(theme, "theme", _("Dark or light"))
        self.language_button = IconButton(theme, "language", _("中文 / English"))
        corner = QHBoxLayout()
        corner.setContentsMargins(0, theme.px(8), theme.px(8), 0)
        corner.addStretch(1)
        corner.addWidget(self.theme_button)
        corner.addWidget(self.language_button)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.addLayout(corner)
        rows.addLayout(middle, 1)
        self.theme_button.clicked.connect(self.theme_wanted)
        self.language_button.clicked.connect(self.language_wanted)
        theme.changed.connect(self.update)

    def add_words(self, words: str) -> QLabel:
        """Something quiet to read, in the width of the column."""
        made = label(words, "label", "text3")
        made.setWordWrap(True)
        made.setFixedWidth(self._theme.px(WIDTH))
        self.column.addWidget(made)
        return made

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._above.changeSize(0, round(self.height() * _ABOVE))
        self.column.invalidate()
        self.layout().activate()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.color("ground"))
        painter.end()
