"""The status strip: quiet parts with a mark, left and right, that never push each other about."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QAccessible, QFontMetricsF, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from desktop.widgets.marks import paint_light
from desktop.widgets.plain import tip
from desktop.widgets.roles import speak_as
from desktop.widgets.theme import Theme

HEIGHT = 28


class StatusPart(QWidget):
    """One fact in words, with a mark when it can be well or not well.

    It keeps the widest width it needed for this kind of sentence: figures that get shorter move nothing.
    """

    pressed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        speak_as(self, QAccessible.Role.StaticText)
        self._theme = theme
        self._text, self._tone = "", "text2"
        self._light: int | None = None
        self._needed = 0
        self._presses = False
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        theme.changed.connect(self._on_theme_changed)
        self.hide()

    def set(self, text: str, tone: str = "text2", light: int | None = None, tip_text: str = "") -> None:
        """Say something; "" hides the part."""
        if (text, tone, light) == (self._text, self._tone, self._light):
            return
        # Another kind of sentence (much shorter or longer, or with another mark) may have its own width.
        fresh = abs(len(text) - len(self._text)) > 4 or light != self._light
        self._text, self._tone, self._light = text, tone, light
        self.setVisible(bool(text))
        self.setAccessibleName(text)
        self.setToolTip(tip(tip_text or text))
        width = self._width()
        if fresh or width > self._needed:
            self._needed = width
            self.updateGeometry()
        self.update()

    def text(self) -> str:
        """What it says."""
        return self._text

    def set_presses(self, presses: bool = True) -> None:
        """Make it a button (emits `pressed`)."""
        self._presses = presses
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover, True)

    def sizeHint(self) -> QSize:
        return QSize(self._needed, self._theme.px(HEIGHT))

    def minimumSizeHint(self) -> QSize:
        return QSize(min(self._needed, self._theme.px(48)), self._theme.px(HEIGHT))

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        left = 0.0
        if self._light is not None:
            paint_light(painter, theme, self._light, QPointF(theme.px(5), self.height() / 2), theme.px(9))
            left = theme.px(14)
        painter.setFont(theme.font("label"))
        pointed = self._presses and self.underMouse()
        painter.setPen(theme.color("text1" if pointed and self._tone == "text2" else self._tone))
        room = self.width() - left
        words = QFontMetricsF(painter.font()).elidedText(self._text, Qt.TextElideMode.ElideRight, room + 1)
        painter.drawText(QRectF(left, 0, room + 2, self.height()), Qt.AlignmentFlag.AlignVCenter, words)
        if self.hasFocus():
            painter.setPen(QPen(theme.color("focus"), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(QRectF(self.rect()).adjusted(0.5, 3.5, -0.5, -3.5))
        painter.end()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._presses and event.button() == Qt.MouseButton.LeftButton:
            self.pressed.emit()

    def keyPressEvent(self, event: object) -> None:
        if self._presses and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.pressed.emit()
        else:
            super().keyPressEvent(event)

    def _width(self) -> int:
        words = QFontMetricsF(self._theme.font("label")).horizontalAdvance(self._text)
        return round(words + 1) + (self._theme.px(14) if self._light is not None else 0)

    def _on_theme_changed(self) -> None:
        self._needed = self._width()
        self.updateGeometry()
        self.update()


class StatusStrip(QWidget):
    """Parts by key, at the left or at the right, in the order they are first asked for."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._parts: dict[str, StatusPart] = {}
        row = QHBoxLayout(self)
        self._left, self._right = QHBoxLayout(), QHBoxLayout()
        row.addLayout(self._left)
        row.addStretch(1)
        row.addLayout(self._right)
        self._on_theme_changed()
        theme.changed.connect(self._on_theme_changed)

    def part(self, key: str, *, right: bool = False) -> StatusPart:
        """The part of that key; made when there is none yet."""
        if key not in self._parts:
            self._parts[key] = StatusPart(self._theme, self)
            (self._right if right else self._left).addWidget(self._parts[key])
        return self._parts[key]

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.color("pane"))
        painter.fillRect(0, 0, self.width(), self._theme.px(1), self._theme.color("line"))
        painter.end()

    def _on_theme_changed(self) -> None:
        theme = self._theme
        self.setFixedHeight(theme.px(HEIGHT))
        self.layout().setContentsMargins(theme.px(16), 1, theme.px(16), 0)
        for side in (self._left, self._right):
            side.setSpacing(theme.px(22))
        self.update()
