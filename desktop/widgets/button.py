"""Buttons that print their key: primary, plain, quiet and dangerous ones, and icon buttons."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QPushButton, QSizePolicy, QToolButton, QWidget

from desktop.widgets import icons
from desktop.widgets.plain import tip
from desktop.widgets.theme import Theme

KINDS = ("primary", "plain", "quiet", "nav", "danger")


class Button(QPushButton):
    """A button with an optional icon and the key that does the same printed on it.

    `keys` is only printed: the action that owns the shortcut binds it.
    """

    def __init__(
        self,
        theme: Theme,
        text: str,
        keys: str = "",
        kind: str = "plain",
        icon_name: str = "",
        parent: QWidget | None = None,
    ) -> None:
        """`kind`: primary (one a pane), plain, quiet and nav (no ground until pointed at or on), danger."""
        super().__init__(parent)
        if kind not in KINDS:
            raise ValueError(f"no kind of button {kind!r}")
        self._theme = theme
        self._keys = keys
        self._kind = kind
        self._icon_name = icon_name
        self._drops = False
        self.setText(text)
        self.setAutoDefault(False)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover, True)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        if kind == "quiet":
            self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        theme.changed.connect(self._on_theme_changed)

    def set_keys(self, keys: str) -> None:
        """Print another key."""
        self._keys = keys
        self.updateGeometry()
        self.update()

    def set_drops(self, drops: bool = True) -> None:
        """Draw a small arrow: the button opens a menu."""
        self._drops = drops
        self.updateGeometry()

    def setText(self, text: str) -> None:
        super().setText(text)
        self.setAccessibleName(text)
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        return QSize(round(sum(self._parts())), self._theme.px(26 if self._kind == "quiet" else 30))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        body = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        radius = theme.px(6)
        ground, ink = self._colors()
        if ground is not None:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(ground)
            painter.drawRoundedRect(QRectF(self.rect()), radius, radius)
        if self.hasFocus():
            painter.setPen(QPen(theme.color("text1" if self._kind == "primary" else "focus"), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(body, radius, radius)
        margin, icon_width, text_width, _arrow, _key, _end = self._parts()
        left = margin
        if self._icon_name:
            side = theme.px(16)
            place = QPointF(left, (self.height() - side) / 2)
            tone = self._tone()
            painter.drawPixmap(
                place, icons.pixmap(theme, self._icon_name, tone, 16, self.devicePixelRatioF())
            )
            left += icon_width
        painter.setPen(ink)
        painter.setFont(self._words())
        painter.drawText(
            QRectF(left, 0, text_width + 2, self.height()), Qt.AlignmentFlag.AlignVCenter, self.text()
        )
        left += text_width
        if self._drops:
            self._paint_arrow(painter, QPointF(left + theme.px(8), self.height() / 2), ink)
            left += _arrow
        if self._keys:
            paint_keys(painter, theme, QPointF(left + theme.px(8), self.height() / 2), self._keys, ink)
        painter.end()

    def _words(self) -> QFont:
        return self._theme.font("label" if self._kind == "quiet" else "body")

    def _parts(self) -> tuple[float, float, float, float, float, float]:
        theme = self._theme
        margin = theme.px(8 if self._kind == "quiet" else 14)
        text = QFontMetricsF(self._words()).horizontalAdvance(self.text())
        picture = theme.px(16 + (6 if self.text() else 0)) if self._icon_name else 0
        arrow = theme.px(14) if self._drops else 0
        key = theme.px(8) + keys_width(theme, self._keys) if self._keys else 0
        return margin, picture, text, arrow, key, (margin if not self._keys else theme.px(8))

    def _tone(self) -> str:
        if not self.isEnabled():
            return "text3"
        if self._kind in ("primary", "danger"):
            return "on_accent" if self._kind == "primary" else "over"
        if self.isChecked():
            return "text1" if self._kind == "nav" else "accent"
        return "text2" if self._kind in ("quiet", "nav") and not self.underMouse() else "text1"

    def _colors(self) -> tuple[QColor | None, QColor]:
        theme, ink = self._theme, self._theme.color(self._tone())
        pointed = self.underMouse() and self.isEnabled()
        if not self.isEnabled():
            return (None if self._kind == "quiet" else theme.color("raised")), ink
        if self._kind == "primary":
            return theme.color("accent_hover" if pointed or self.isDown() else "accent"), ink
        if self._kind == "danger":
            return theme.color("over_ground" if pointed else "pressed"), ink
        if self.isChecked():
            return theme.color("pressed" if self._kind == "nav" else "accent_ground"), ink
        if self._kind in ("quiet", "nav"):
            return (theme.color("pressed") if pointed else None), ink
        return theme.color("bar_hover" if pointed or self.isDown() else "pressed"), ink

    def _paint_arrow(self, painter: QPainter, center: QPointF, ink: QColor) -> None:
        half = self._theme.px(3)
        painter.setPen(QPen(ink, max(1.0, self._theme.scale * 1.3)))
        painter.drawPolyline(
            [
                center + QPointF(-half, -half / 2),
                center + QPointF(0, half / 2),
                center + QPointF(half, -half / 2),
            ]
        )

    def _on_theme_changed(self) -> None:
        self.updateGeometry()
        self.update()


class IconButton(QToolButton):
    """A small button that is only an icon; its tool tip and its accessible name say what it does."""

    def __init__(
        self, theme: Theme, icon_name: str, words: str, keys: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._icon_name = icon_name
        self.setAutoRaise(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.set_words(words, keys)
        self._on_theme_changed()
        theme.changed.connect(self._on_theme_changed)

    def set_icon(self, icon_name: str, words: str, keys: str = "") -> None:
        """Show another icon, with other words."""
        self._icon_name = icon_name
        self.set_words(words, keys)
        self._on_theme_changed()

    def set_words(self, words: str, keys: str = "") -> None:
        """What it does, and the key that does the same."""
        self.setAccessibleName(words)
        self.setToolTip(tip(f"{words}  {keys}" if keys else words))

    def _on_theme_changed(self) -> None:
        side = self._theme.px(16)
        self.setIcon(icons.icon(self._theme, self._icon_name))
        self.setIconSize(QSize(side, side))
        self.setFixedSize(self._theme.px(26), self._theme.px(26))


def keys_width(theme: Theme, keys: str) -> float:
    """How wide `paint_keys` draws."""
    return QFontMetricsF(theme.font("axis")).horizontalAdvance(keys) + theme.px(10)


def paint_keys(painter: QPainter, theme: Theme, left_middle: QPointF, keys: str, ink: QColor) -> None:
    """Draw a key cap in a fainter shade of `ink`."""
    height = theme.px(17)
    cap = QRectF(left_middle.x(), left_middle.y() - height / 2, keys_width(theme, keys), height)
    ground, faint = QColor(ink), QColor(ink)
    ground.setAlphaF(0.10)
    faint.setAlphaF(0.78)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ground)
    painter.drawRoundedRect(cap, theme.px(3), theme.px(3))
    painter.setFont(theme.font("axis"))
    painter.setPen(faint)
    painter.drawText(cap, Qt.AlignmentFlag.AlignCenter, keys)
