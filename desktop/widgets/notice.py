"""Notices: a toast that passes, with undo on it, and a banner that stays until things are well again."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QEnterEvent, QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from db.kernel.language import _
from desktop.widgets.button import Button, IconButton
from desktop.widgets.plain import label, set_tone
from desktop.widgets.theme import Theme

# A tone has a coloured edge and an icon; the words themselves stay readable grey and white.
_EDGES = {
    "neutral": "line",
    "accent": "accent",
    "soon": "soon_fill",
    "over": "over_fill",
    "on_time": "on_time_fill",
}


class Notice(QWidget):
    """One message: words, perhaps a button, a cross. It waits while the pointer is on it."""

    acted = Signal()
    closed = Signal()

    def __init__(
        self,
        theme: Theme,
        text: str,
        tone: str = "neutral",
        button: str = "",
        keys: str = "",
        seconds: float = 8.0,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self.text = text
        self._tone = tone
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(round(seconds * 1000))
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.px(16), theme.px(6), theme.px(6), theme.px(6))
        row.setSpacing(theme.px(10))
        words = label(text)
        words.setWordWrap(True)
        wanted = QFontMetricsF(theme.font("body")).horizontalAdvance(text) + theme.px(4)
        words.setFixedWidth(round(min(theme.px(480), wanted)))
        row.addWidget(words, 1)
        if button:
            action = Button(theme, button, keys)
            action.clicked.connect(self._on_acted)
            row.addWidget(action)
        cross = IconButton(theme, "close", _("Close window"))
        cross.clicked.connect(self.leave)
        row.addWidget(cross)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Maximum)
        self.setAccessibleName(text)
        self._timer.timeout.connect(self.leave)
        if seconds > 0:
            self._timer.start()

    def leave(self) -> None:
        """Go away."""
        self._timer.stop()
        self.hide()
        self.closed.emit()

    def again(self) -> None:
        """The same was said again: stay as long as a new one would."""
        if self._timer.interval() > 0:
            self._timer.start()

    def enterEvent(self, event: QEnterEvent) -> None:
        self._timer.stop()
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self.again()
        super().leaveEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        radius = theme.px(8)
        body = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(QPen(theme.color("line" if self._tone == "neutral" else _EDGES[self._tone]), 1))
        painter.setBrush(theme.color("raised"))
        painter.drawRoundedRect(body, radius, radius)
        if self._tone != "neutral":
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color(_EDGES[self._tone]))
            bar = QRectF(theme.px(6), theme.px(9), theme.px(3), self.height() - theme.px(18))
            painter.drawRoundedRect(bar, theme.px(1.5), theme.px(1.5))
        painter.end()

    def _on_acted(self) -> None:
        self._timer.stop()
        self.hide()
        self.acted.emit()
        self.closed.emit()


class NoticeStack(QWidget):
    """Notices over the foot of a window, newest below; the same words twice are one notice."""

    acted = Signal(str)
    """The button of a notice: its key."""

    def __init__(self, theme: Theme, host: QWidget) -> None:
        """`host` is the window (or pane) the notices stand on."""
        super().__init__(host)
        self._theme = theme
        self._host = host
        self._notices: list[Notice] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(theme.px(8))
        host.installEventFilter(self)
        self.hide()

    def show_notice(
        self,
        text: str,
        tone: str = "neutral",
        button: str = "",
        key: str = "",
        keys: str = "",
        seconds: float = 8.0,
    ) -> Notice:
        """Say `text`; `button` emits `acted(key)`. `seconds` 0 stays until it is closed."""
        if self._notices and self._notices[-1].text == text:
            self._notices[-1].again()
            return self._notices[-1]
        notice = Notice(self._theme, text, tone, button, keys, seconds, self)
        notice.acted.connect(lambda: self.acted.emit(key))
        notice.closed.connect(lambda: self._on_closed(notice))
        self._notices.append(notice)
        self._column.addWidget(notice, 0, Qt.AlignmentFlag.AlignHCenter)
        # At once, not when the layout comes to it: what is hidden counts for nothing in the stack's size.
        notice.show()
        while len(self._notices) > 3:
            self._notices[0].leave()
        self._place()
        return notice

    def notices(self) -> list[str]:
        """The words of the notices on show."""
        return [notice.text for notice in self._notices]

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._host and event.type() == QEvent.Type.Resize:
            self._place()
        return super().eventFilter(watched, event)

    def _place(self) -> None:
        self.setVisible(bool(self._notices))
        if not self._notices:
            return
        self._column.activate()
        size = self.sizeHint()
        width = min(size.width(), self._host.width() - self._theme.px(32))
        # Above the status strip and the bar of actions: a notice never hides what it is about.
        foot = self._host.height() - self._theme.px(96)
        self.setGeometry((self._host.width() - width) // 2, foot - size.height(), width, size.height())
        self.raise_()

    def _on_closed(self, notice: Notice) -> None:
        if notice in self._notices:
            self._notices.remove(notice)
            self._column.removeWidget(notice)
            notice.deleteLater()
            self._place()


class Banner(QWidget):
    """A line across a pane or the room that stays: no server, a missing calendar, read only."""

    acted = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._tone = "soon"
        row = QHBoxLayout(self)
        self._words = label("")
        self._words.setWordWrap(True)
        self._button = Button(theme, "", kind="quiet")
        row.addWidget(self._words, 1)
        row.addWidget(self._button)
        self._button.clicked.connect(self.acted)
        self._on_theme_changed()
        theme.changed.connect(self._on_theme_changed)
        self.hide()

    def set(self, text: str, tone: str = "soon", button: str = "") -> None:
        """Say something and stay; "" goes away. `tone`: soon or over."""
        self._tone = tone
        self._words.setText(text)
        set_tone(self._words, "text1")
        self._button.setText(button)
        self._button.setVisible(bool(button))
        self.setAccessibleName(text)
        self.setVisible(bool(text))
        self.update()

    def text(self) -> str:
        """What it says."""
        return self._words.text()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.color(f"{self._tone}_ground"))
        painter.fillRect(0, 0, theme.px(3), self.height(), theme.color(f"{self._tone}_fill"))
        painter.end()

    def _on_theme_changed(self) -> None:
        theme = self._theme
        self.layout().setContentsMargins(theme.px(14), theme.px(5), theme.px(8), theme.px(5))
        self.update()
