"""Progress of long work: what is being done, how far it is, and a way to stop it."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QBrush, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from db.kernel.language import _
from desktop.widgets.button import Button
from desktop.widgets.plain import label
from desktop.widgets.theme import Theme


class Bar(QWidget):
    """A bar filled by a share from 0 to 1; of unknown length it is hatched, never running to and fro."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._share: float | None = 0.0
        theme.changed.connect(self.updateGeometry)

    def set_share(self, share: float | None) -> None:
        """0 to 1, or None when nobody knows."""
        self._share = None if share is None else min(1.0, max(0.0, share))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(240), self._theme.px(6))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(60), self._theme.px(6))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        height = self._theme.px(6)
        track = QRectF(0, (self.height() - height) / 2, self.width(), height)
        painter.setBrush(self._theme.color("pressed"))
        painter.drawRoundedRect(track, height / 2, height / 2)
        painter.setBrush(self._theme.color("accent"))
        if self._share is None:
            painter.setBrush(QBrush(self._theme.color("accent"), Qt.BrushStyle.BDiagPattern))
            painter.drawRoundedRect(track, height / 2, height / 2)
        elif self._share > 0:
            track.setWidth(max(height, track.width() * self._share))
            painter.drawRoundedRect(track, height / 2, height / 2)
        painter.end()


class Progress(QWidget):
    """Words, bar, count and cancel. Cancelling only asks; the work says itself when it has stopped."""

    cancelled = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        self._words, self._count = label("", tone="text1"), label("", "label", "text2")
        self._words.setWordWrap(True)
        self._bar = Bar(theme)
        self._cancel = Button(theme, _("Cancel"), keys="Esc")
        top, below = QHBoxLayout(), QHBoxLayout()
        top.addWidget(self._words, 1)
        top.addWidget(self._count)
        below.addWidget(self._bar, 1)
        below.addWidget(self._cancel)
        column.addLayout(top)
        column.addLayout(below)
        self._cancel.clicked.connect(self._on_cancel)
        for layout in (column, top, below):
            layout.setSpacing(theme.px(8))

    def set(self, done: int, total: int | None, words: str = "") -> None:
        """How much of how much (None: nobody knows), and what is being done."""
        if words:
            self._words.setText(words)
        self._bar.set_share(None if not total else done / total)
        self._count.setText(f"{done:,} / {total:,}" if total else f"{done:,}" if done else "")
        self.setAccessibleName(f"{self._words.text()} {self._count.text()}")

    def finish(self, words: str = "") -> None:
        """It is over: nothing to cancel any more."""
        self._bar.set_share(1.0)
        self._cancel.setEnabled(False)
        if words:
            self._words.setText(words)

    def restart(self) -> None:
        """Ready for other work."""
        self._bar.set_share(0.0)
        self._cancel.setEnabled(True)
        self._count.setText("")

    def cancel(self) -> None:
        """As the button does, when it can be pressed: for the key that is printed on it."""
        if self.isVisible() and self._cancel.isEnabled():
            self._on_cancel()

    def _on_cancel(self) -> None:
        self._cancel.setEnabled(False)
        self._words.setText(_("Stopping…"))
        self.cancelled.emit()
