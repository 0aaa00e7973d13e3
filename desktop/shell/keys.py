"""The sheet of keys: every action of the window with its key, and what the program is."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from db.kernel.language import N_, _
from desktop.widgets.button import Button
from desktop.widgets.plain import label
from desktop.widgets.theme import Theme

MAP_KEYS = (
    ("← ↑ → ↓", N_("Move the map")),
    ("+  −", N_("Closer, farther")),
    ("Home", N_("Show everything")),
    ("Ctrl", N_("Click: add to the selection or take out of it")),
    ("Shift", N_("Drag on the map: select what lies inside")),
)
"""Keys that the map page knows; they work while the map has the focus."""


class KeySheet(QDialog):
    """Opened by F1."""

    def __init__(
        self,
        theme: Theme,
        keys: Sequence[tuple[str, str]],
        verbs: Sequence[tuple[str, str]],
        version: str,
        parent: QWidget | None = None,
    ) -> None:
        """``keys`` and ``verbs`` are pairs of key and words, of the window and of the selected cases."""
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(_("Keys"))
        px = theme.px
        column = QVBoxLayout(self)
        column.setContentsMargins(px(24), px(20), px(24), px(20))
        column.setSpacing(px(16))
        sides = QHBoxLayout()
        sides.setSpacing(px(48))
        left, right = QVBoxLayout(), QVBoxLayout()
        left.addLayout(self._block(theme, _("Everywhere"), keys))
        right.addLayout(self._block(theme, _("With cases selected, in the list"), verbs))
        right.addSpacing(px(16))
        right.addLayout(self._block(theme, _("On the map"), [(key, _(words)) for key, words in MAP_KEYS]))
        for side in (left, right):
            side.addStretch(1)
            sides.addLayout(side)
        column.addLayout(sides)
        foot = QHBoxLayout()
        foot.addWidget(
            label(_("Jingwei {version}, free software (MIT)").format(version=version), "label", "text3")
        )
        foot.addStretch(1)
        close = Button(theme, _("Close window"), keys="Esc")
        close.clicked.connect(self.accept)
        foot.addWidget(close)
        column.addLayout(foot)

    def _block(self, theme: Theme, title: str, rows: Sequence[tuple[str, str]]) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(theme.px(16))
        grid.setVerticalSpacing(theme.px(5))
        grid.addWidget(label(title, "place", "text1", bold=True), 0, 0, 1, 2)
        for row, (keys, words) in enumerate(rows, start=1):
            grid.addWidget(label(keys, "label", "accent"), row, 0)
            grid.addWidget(label(words, "body", "text2"), row, 1)
        grid.setColumnStretch(1, 1)
        return grid


def printed(keys: str) -> str:
    """A key sequence as this platform prints it."""
    return QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)
