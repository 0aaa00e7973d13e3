"""The frame of a pane: title, count, tools; it fills the room, floats in a window, and dates its data."""

from __future__ import annotations

from datetime import tzinfo

from PySide6.QtCore import QEvent, QObject, QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import (
    QBrush,
    QCloseEvent,
    QFontMetricsF,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QPixmap,
    QRegion,
    QResizeEvent,
)
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from db.kernel.language import _
from desktop.core.context import DataAge, Freshness
from desktop.core.words import clock_time
from desktop.widgets.button import Button, IconButton
from desktop.widgets.plain import Elided, label
from desktop.widgets.theme import Theme

RADIUS = 8
HEADER = 38


def paint_strip(widget: QWidget, theme: Theme) -> None:
    """The ground of what stands at the foot of a pane: raised, with a hairline above."""
    painter = QPainter(widget)
    painter.fillRect(widget.rect(), theme.color("raised"))
    painter.fillRect(0, 0, widget.width(), 1, theme.color("line"))
    painter.end()


class Pane(QFrame):
    """One pane. Its content lives in exactly one of two places: here, or in a window of its own.

    The pane does not know its neighbours: `maximized` asks whoever laid it out to make room.
    """

    maximized = Signal(bool)
    floated = Signal(bool)
    acted = Signal()
    """The button of a message (see `set_message`) was pressed."""

    def __init__(self, theme: Theme, title: str, subtitle: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._is_maximized = False
        self._window: FloatWindow | None = None
        self._content: QWidget | None = None
        self._build(title, subtitle)
        self._wire()

    def set_title(self, title: str) -> None:
        """The name of the pane."""
        self._title.setText(title)
        self.setAccessibleName(title)
        if self._window is not None:
            self._window.setWindowTitle(title)

    def set_subtitle(self, subtitle: str) -> None:
        """What is in it: a count or a place."""
        if self._subtitle.text() != subtitle:
            self._subtitle.setText(subtitle)

    def add_tool(self, widget: QWidget) -> None:
        """Put a widget into the header, from left to right before the window buttons."""
        self._tools.addWidget(widget)

    def set_content(self, content: QWidget) -> None:
        """What the pane is about; it replaces what was there."""
        if self._content is not None:
            self._room.removeWidget(self._content)
            self._content.setParent(None)
        self._content = content
        self._room.addWidget(content, 1)
        self._cover()

    def content(self) -> QWidget | None:
        """What the pane is about."""
        return self._content

    def add_footer(self, widget: QWidget) -> None:
        """A strip under the content (an action bar)."""
        self._footer.addWidget(widget)

    def set_stale(self, words: str) -> None:
        """Dim and hatch the content and say how old it is ("Data of 14:03:07"); "" is fresh again."""
        self._veil.set_words(words)
        self._cover()

    def show_age(self, age: DataAge, zone: tzinfo) -> None:
        """Dim what is shown while the database is lost, and say of when it is."""
        words = ""
        if age.state is Freshness.LOST:
            words = _("Data of {time}").format(time=clock_time(age.at_ms, zone, seconds=True))
        self.set_stale(words)

    def is_stale(self) -> bool:
        """Whether the content is marked as old."""
        return bool(self._veil.words)

    def set_message(self, title: str, detail: str = "", button: str = "", tone: str = "text2") -> None:
        """Words instead of the content: empty, error, no permission; "" brings the content back."""
        self._message.set_words(title, detail, button, tone)
        self._cover()

    def set_maximized(self, on: bool) -> None:
        """Show as maximized or not, without emitting."""
        self._is_maximized = on
        if on:
            self._maximize.set_icon("restore", _("Back to its place"))
        else:
            self._maximize.set_icon("maximize", _("Fill the room with this pane"))

    def is_maximized(self) -> bool:
        """Whether the pane fills the room."""
        return self._is_maximized

    def take_focus(self) -> None:
        """Give the keys to this pane: to what it names for them, else to what Tab would come to first."""
        stops = (
            widget
            for widget in self.findChildren(QWidget)
            if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.isVisible() and widget.isEnabled()
        )
        first = self if self.focusProxy() is not None else next(stops, self)
        first.setFocus(Qt.FocusReason.TabFocusReason)

    def step_back(self) -> bool:
        """Leave what only this pane has in hand (a tool); False when that is nothing, and Esc goes on."""
        return False

    def is_floating(self) -> bool:
        """Whether the content is in a window of its own."""
        return self._window is not None

    def hide_window_buttons(self) -> None:
        """For panes of dialogs and of the wall, which stay where they are."""
        self._maximize.hide()
        self._float.hide()

    def hide_tools(self) -> None:
        """Take all buttons out of the header: for the wall, which nobody touches."""
        self.hide_window_buttons()
        while self._tools.count():
            item = self._tools.takeAt(0)
            if item is not None and (widget := item.widget()) is not None:
                widget.hide()

    def float_out(self) -> None:
        """Move the content into a window of its own, at the place where it is."""
        if self._window is not None:
            return
        place = QRect(self.mapToGlobal(QPointF(0, 0)).toPoint(), self.size())
        self._window = FloatWindow(self._theme, self._title.text())
        self._window.closing.connect(self.dock_back)
        self._outer.removeWidget(self._inside)
        self._window.take(self._inside)
        self._window.setGeometry(self._beside(place))
        self._window.show()
        self._float.set_icon("dock", _("Dock back into the room"))
        self._maximize.hide()
        self._away.show()
        self.floated.emit(True)

    def _beside(self, place: QRect) -> QRect:
        """A step aside from a place, but wholly on the screen as far as it fits."""
        moved = place.translated(self._theme.px(24), self._theme.px(24))
        area = self.screen().availableGeometry()
        moved.moveLeft(max(area.left(), min(moved.left(), area.right() + 1 - moved.width())))
        moved.moveTop(max(area.top(), min(moved.top(), area.bottom() + 1 - moved.height())))
        return moved

    def dock_back(self) -> None:
        """Bring the content back from its window."""
        if self._window is None:
            return
        window, self._window = self._window, None
        self._away.hide()
        self._outer.insertWidget(0, self._inside)
        self._inside.show()
        window.hide()
        window.deleteLater()
        self._float.set_icon("float", _("Float in a window of its own"))
        self._maximize.show()
        self._cover()
        self.floated.emit(False)

    def _build(self, title: str, subtitle: str) -> None:
        self._outer = QVBoxLayout(self)
        self._inside = QWidget(self)
        column = QVBoxLayout(self._inside)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self._header = QWidget(self._inside)
        row = QHBoxLayout(self._header)
        self._title = label(title, bold=True)
        self._subtitle = Elided(subtitle, tone="text2")
        self._tools = QHBoxLayout()
        self._maximize = IconButton(self._theme, "maximize", _("Fill the room with this pane"))
        self._float = IconButton(self._theme, "float", _("Float in a window of its own"))
        row.addWidget(self._title)
        row.addWidget(self._subtitle, 1)
        row.addLayout(self._tools)
        row.addWidget(self._maximize)
        row.addWidget(self._float)
        column.addWidget(self._header)
        column.addWidget(Hairline(self._theme))
        self._body = QWidget(self._inside)
        self._room = QVBoxLayout(self._body)
        self._room.setContentsMargins(0, 0, 0, 0)
        self._room.setSpacing(0)
        column.addWidget(self._body, 1)
        self._footer = QVBoxLayout()
        self._footer.setSpacing(0)
        column.addLayout(self._footer)
        self._veil = Veil(self._theme, self._body)
        self._message = Message(self._theme, self._body)
        self._away = Message(self._theme, self)
        self._away.set_words(
            _("This pane is in a window of its own"), "", _("Dock back into the room"), "text3"
        )
        self._away.hide()
        self._outer.addWidget(self._inside)
        self._outer.addWidget(self._away)
        self._corners = Corners(self._theme, self)
        self.setAccessibleName(title)
        self._on_theme_changed()

    def _wire(self) -> None:
        self._theme.changed.connect(self._on_theme_changed)
        self._maximize.clicked.connect(self._on_maximize)
        self._float.clicked.connect(lambda: self.dock_back() if self.is_floating() else self.float_out())
        self._message.acted.connect(self.acted)
        self._away.acted.connect(self.dock_back)
        self._body.installEventFilter(self)
        self._header.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._body and event.type() == QEvent.Type.Resize:
            self._cover()
        elif watched is self._header and event.type() == QEvent.Type.MouseButtonDblClick:
            if isinstance(event, QMouseEvent) and not self.is_floating() and not self._maximize.isHidden():
                self._on_maximize()
            return True
        return super().eventFilter(watched, event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        line, radius = self._theme.px(1), self._theme.px(RADIUS)
        painter.setPen(QPen(self._theme.color("line"), line))
        painter.setBrush(self._theme.color("pane"))
        half = line / 2
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(half, half, -half, -half), radius, radius)
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._corners.setGeometry(self.rect())
        self._corners.raise_()

    def _cover(self) -> None:
        for cover, wanted in ((self._veil, self.is_stale()), (self._message, bool(self._message.title))):
            cover.setGeometry(self._body.rect())
            cover.setVisible(wanted)
            if wanted:
                cover.raise_()

    def _on_maximize(self) -> None:
        self.set_maximized(not self._is_maximized)
        self.maximized.emit(self._is_maximized)

    def _on_theme_changed(self) -> None:
        theme = self._theme
        self._header.setFixedHeight(theme.px(HEADER))
        line = theme.px(1)
        self._outer.setContentsMargins(line, line, line, line)
        row = self._header.layout()
        row.setContentsMargins(theme.px(12), 0, theme.px(6), 0)
        row.setSpacing(theme.px(8))
        self._tools.setSpacing(theme.px(2))
        self._corners.mask_corners()
        self.update()


class Hairline(QWidget):
    """One horizontal line."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._on_theme_changed()
        theme.changed.connect(self._on_theme_changed)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.color("line"))
        painter.end()

    def _on_theme_changed(self) -> None:
        self.setFixedHeight(self._theme.px(1))
        self.update()


class FloatWindow(QWidget):
    """The window of a pane that left the room; closing it is asking for the pane back."""

    closing = Signal()

    def __init__(self, theme: Theme, title: str) -> None:
        super().__init__(None, Qt.WindowType.Window)
        self._theme = theme
        self.setWindowTitle(title)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)

    def take(self, inside: QWidget) -> None:
        """Show this."""
        self.layout().addWidget(inside)
        inside.show()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.color("pane"))
        painter.end()

    def closeEvent(self, event: QCloseEvent) -> None:
        event.accept()
        self.closing.emit()


class Veil(QWidget):
    """Old data: dimmed, hatched, and dated. The pointer goes through it."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.words = ""
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def set_words(self, words: str) -> None:
        """How old; "" for fresh."""
        self.words = words
        self.setAccessibleName(words)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.faded("veil", 0.5))
        painter.fillRect(self.rect(), QBrush(self._hatching()))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.font("label"))
        width = QFontMetricsF(painter.font()).horizontalAdvance(self.words) + theme.px(28)
        height = theme.px(28)
        badge = QRectF((self.width() - width) / 2, theme.px(12), width, height)
        painter.setPen(QPen(theme.color("soon_fill"), 1))
        painter.setBrush(theme.color("soon_ground"))
        painter.drawRoundedRect(badge, theme.px(6), theme.px(6))
        painter.setPen(theme.color("text1"))
        painter.drawText(badge, Qt.AlignmentFlag.AlignCenter, self.words)
        painter.end()

    def _hatching(self) -> QPixmap:
        side = self._theme.px(10)
        tile = QPixmap(side, side)
        tile.fill(Qt.GlobalColor.transparent)
        painter = QPainter(tile)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self._theme.faded("hatch", 0.55), max(1.0, self._theme.scale)))
        for shift in (-side, 0, side):
            painter.drawLine(QPointF(shift, side), QPointF(shift + side, 0))
        painter.end()
        return tile


class Message(QWidget):
    """A title, a sentence, a button: what stands where there is nothing else to show."""

    acted = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.title = ""
        column = QVBoxLayout(self)
        column.addStretch(2)
        self._title = label("", tone="text2")
        self._detail = label("", "label", "text3")
        self._button = Button(theme, "")
        for words in (self._title, self._detail):
            words.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            words.setWordWrap(True)
            column.addWidget(words)
        column.addSpacing(theme.px(6))
        column.addWidget(self._button, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(3)
        self._button.clicked.connect(self.acted)
        theme.changed.connect(self.update)
        self.hide()

    def set_words(self, title: str, detail: str = "", button: str = "", tone: str = "text2") -> None:
        """What it says; "" as title says nothing."""
        self.title = title
        self._title.setText(title)
        self._title.setProperty("tone", tone)
        self._title.style().polish(self._title)
        self._detail.setText(detail)
        self._detail.setVisible(bool(detail))
        self._button.setText(button)
        self._button.setVisible(bool(button))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.color("pane"))
        painter.end()


class Corners(QWidget):
    """Rounds the four corners over whatever the content painted there (a map is a rectangle)."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def mask_corners(self) -> None:
        """Cover the corners only: repainting a map must not repaint this."""
        side = self._theme.px(RADIUS)
        width, height = self.width(), self.height()
        region = QRegion()
        for left in (0, width - side):
            for top in (0, height - side):
                region += QRegion(left, top, side, side)
        self.setMask(region)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.mask_corners()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        radius = self._theme.px(RADIUS)
        edge = QRectF(self.rect())
        outside, inside = QPainterPath(), QPainterPath()
        outside.addRect(edge)
        half = self._theme.px(1) / 2
        inside.addRoundedRect(edge.adjusted(half, half, -half, -half), radius, radius)
        painter.fillPath(outside - inside, self._theme.color("ground"))
        painter.setPen(QPen(self._theme.color("line"), self._theme.px(1)))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(inside)
        painter.end()
