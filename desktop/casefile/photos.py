"""The photos of a case by what they show, small in the window and in full in one of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent, QPainter, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import (
    QAbstractButton,
    QDialog,
    QHBoxLayout,
    QLayout,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from db.cases.casefile import Photo
from db.cases.photos import PHASES
from db.kernel.language import _
from desktop.casefile.timeline import clear
from desktop.widgets import icons
from desktop.widgets.button import Button
from desktop.widgets.plain import Elided, label, tip
from desktop.widgets.theme import Theme

TILE = QSize(124, 93)
MOST_IN_A_ROW = 4


class Tile(QAbstractButton):
    """A small picture; without its file it says so."""

    def __init__(self, theme: Theme, photo: Photo, image: QImage | None, waits: bool) -> None:
        super().__init__()
        self._theme = theme
        self._photo = photo
        self._image = image
        self._waits = waits
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setEnabled(image is not None)
        self.setAccessibleName(photo.name)
        self.setToolTip(tip(f"{photo.name}\n{photo.added_by_name}"))

    @property
    def is_missing(self) -> bool:
        """Whether there is no file to show."""
        return self._image is None and not self._waits

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(TILE.width()), self._theme.px(TILE.height()))

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        body = self.rect()
        painter.fillRect(body, theme.color("raised"))
        if self._image is not None:
            size = self._image.size().scaled(body.size(), Qt.AspectRatioMode.KeepAspectRatioByExpanding)
            # The middle of the picture fills the tile.
            share_x, share_y = body.width() / size.width(), body.height() / size.height()
            part = QRectF(
                self._image.width() * (1 - share_x) / 2,
                self._image.height() * (1 - share_y) / 2,
                self._image.width() * share_x,
                self._image.height() * share_y,
            )
            painter.drawImage(QRectF(body), self._image, part)
        elif self.is_missing:
            mark = icons.pixmap(theme, "warning", "text3", 16, self.devicePixelRatioF())
            side = theme.px(16)
            painter.drawPixmap((body.width() - side) // 2, body.height() // 2 - side - theme.px(4), mark)
            painter.setPen(theme.color("text2"))
            painter.setFont(theme.font("label"))
            words = body.adjusted(theme.px(6), body.height() // 2, -theme.px(6), 0)
            flags = Qt.AlignmentFlag.AlignHCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(words, flags, _("File missing"))
        if self.hasFocus() or self.underMouse():
            painter.setPen(QPen(theme.color("focus"), max(1, theme.px(2))))
            painter.drawRect(body.adjusted(1, 1, -1, -1))
        painter.end()


class PhotoStrip(QWidget):
    """All photos, a row for each phase."""

    opened = Signal(object)
    """The id of a photo that is to be seen in full."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(theme.px(6))
        self._column.setSizeConstraint(QLayout.SizeConstraint.SetMinimumSize)

    def show_photos(self, photos: Sequence[Photo], images: Mapping[str, QImage | None]) -> None:
        """`images` by hash: ``None`` is missing, and a hash that is not in it is still being read."""
        clear(self._column)
        px = self._theme.px
        for phase, title in PHASES.items():
            shown = [photo for photo in photos if photo.phase == phase]
            for begin in range(0, len(shown), MOST_IN_A_ROW):
                row = QHBoxLayout()
                row.setSpacing(px(8))
                head = label(_(title) if begin == 0 else "", "label", "text3")
                head.setFixedWidth(px(48))
                row.addWidget(head, 0, Qt.AlignmentFlag.AlignTop)
                for photo in shown[begin : begin + MOST_IN_A_ROW]:
                    tile = Tile(self._theme, photo, images.get(photo.sha256), photo.sha256 not in images)
                    tile.clicked.connect(lambda _on=False, key=photo.id: self.opened.emit(key))
                    row.addWidget(tile)
                row.addStretch(1)
                self._column.addLayout(row)
        if not photos:
            self._column.addWidget(label(_("No photos yet."), "label", "text3"))

    def tiles(self) -> list[Tile]:
        """The tiles on show."""
        return [tile for tile in self.findChildren(Tile) if not tile.isHidden()]


class PhotoView(QDialog):
    """One photo as large as the window; the arrow keys go to the next and the one before."""

    turned = Signal(object)
    """The id of the photo that is to be shown now."""

    def __init__(self, theme: Theme, photos: Sequence[Photo], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._theme = theme
        self._photos = list(photos)
        self._place = 0
        self._pixmap = QPixmap()
        self._build()

    def show_photo(self, photo_id: int, image: QImage | None, at: str) -> None:
        """Show this one; ``None``: its file is missing."""
        self._place = next((i for i, photo in enumerate(self._photos) if photo.id == photo_id), 0)
        photo = self._photos[self._place]
        self._pixmap = QPixmap() if image is None else QPixmap.fromImage(image)
        where = f"{self._place + 1}/{len(self._photos)}"
        parts = (_(PHASES.get(photo.phase, photo.phase)), at, photo.added_by_name, photo.name, where)
        self._caption.setText(" · ".join(part for part in parts if part))
        self.setWindowTitle(photo.name)
        self.update()

    def _build(self) -> None:
        px = self._theme.px
        column = QVBoxLayout(self)
        column.setContentsMargins(px(16), px(16), px(16), px(12))
        column.addStretch(1)
        row = QHBoxLayout()
        self._caption = Elided("", "label", "text2")
        row.addWidget(self._caption, 1)
        for words, keys, step in ((_("Previous"), "←", -1), (_("Next"), "→", 1)):
            button = Button(self._theme, words, keys=keys, kind="quiet")
            button.clicked.connect(lambda _on=False, step=step: self._turn(step))
            button.setVisible(len(self._photos) > 1)
            row.addWidget(button)
        close = Button(self._theme, _("Close window"), keys="Esc", kind="quiet")
        close.clicked.connect(self.accept)
        row.addWidget(close)
        column.addLayout(row)
        self.resize(px(1000), px(720))

    def _turn(self, step: int) -> None:
        if len(self._photos) > 1:
            self.turned.emit(self._photos[(self._place + step) % len(self._photos)].id)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            self._turn(-1 if event.key() == Qt.Key.Key_Left else 1)
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        px = self._theme.px
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        room = self.rect().adjusted(px(16), px(16), -px(16), -px(52))
        painter.fillRect(self.rect(), self._theme.color("pane"))
        if self._pixmap.isNull():
            painter.setPen(self._theme.color("text2"))
            painter.setFont(self._theme.font("body"))
            painter.drawText(room, Qt.AlignmentFlag.AlignCenter, _("File missing"))
        else:
            size = self._pixmap.size()
            if size.width() > room.width() or size.height() > room.height():
                size = size.scaled(room.size(), Qt.AspectRatioMode.KeepAspectRatio)
            left = room.x() + (room.width() - size.width()) // 2
            top = room.y() + (room.height() - size.height()) // 2
            painter.drawPixmap(left, top, size.width(), size.height(), self._pixmap)
        painter.end()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        self.update()
