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
from db.sync.standing import PhotoWay, Way
from desktop.casefile.timeline import clear
from desktop.core.words import number
from desktop.widgets import icons
from desktop.widgets.button import Button
from desktop.widgets.plain import Elided, label, tip
from desktop.widgets.theme import Theme

TILE = QSize(124, 93)
MOST_IN_A_ROW = 4
Ways = Mapping[str, PhotoWay]
"""How it stands with photos whose file is not here, by hash; without a server there are none."""


def words_of(way: PhotoWay | None) -> tuple[str, str]:
    """What stands in place of a picture, and the state of it in small."""
    if way is None:
        return _("File missing"), ""
    if way.way is Way.LOST:
        # zh: 照片已无法取得
        return _("Cannot be had any more"), ""
    # zh: 传送中
    on_its_way = _("On its way")
    if way.way is Way.UNSENT:
        # zh: 等待 {station} 上传
        return on_its_way, _("waits for {station}").format(station=way.station)
    share = _("{percent} %").format(percent=number(int(way.share * 100)))
    if way.way is Way.NO_LINE:
        # zh: 离线
        return on_its_way, f"{_('no line')} · {share}" if way.share else _("no line")
    return on_its_way, share


def tip_of(way: PhotoWay | None) -> str:
    """The same in a sentence, for who wants to know; "" when there is nothing to add."""
    if way is None:
        return ""
    if way.way is Way.LOST:
        # zh: 服务器和拍摄席位都没有这张照片的文件。
        return _("Neither the server nor the station that took it has its file.")
    if way.way is Way.UNSENT:
        # zh: 这张照片由 {station} 拍摄，尚未上传到服务器。
        return _("{station} took it in and has not sent it to the server yet.").format(station=way.station)
    if way.way is Way.NO_LINE:
        # zh: 连接恢复后继续接收。
        return _("It goes on when the line is back.")
    # zh: 正在从服务器接收，完成后自动显示。
    return _("It comes from the server and appears here by itself.")


class Tile(QAbstractButton):
    """A small picture; without its file it says how that stands."""

    def __init__(self, theme: Theme, photo: Photo) -> None:
        super().__init__()
        self._theme = theme
        self.photo = photo
        self._image: QImage | None = None
        self._way: PhotoWay | None = None
        self._reads = True
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def set(self, images: Mapping[str, QImage | None], ways: Ways) -> None:
        """What is known of its file: a hash that is not in `images` is still being read."""
        sha256 = self.photo.sha256
        self._reads = sha256 not in images
        self._image, self._way = images.get(sha256), ways.get(sha256)
        self.setEnabled(self._image is not None)
        words = " · ".join(filter(None, words_of(self._way))) if self.is_missing else ""
        self.setAccessibleName(f"{self.photo.name}: {words}" if words else self.photo.name)
        told = tip_of(self._way) if self.is_missing else ""
        self.setToolTip(tip(f"{self.photo.name}\n{self.photo.added_by_name}\n{told}".strip()))
        self.update()

    @property
    def is_missing(self) -> bool:
        """Whether there is no file to show."""
        return self._image is None and not self._reads

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
            self._paint_words(painter)
        if self.hasFocus() or self.underMouse():
            painter.setPen(QPen(theme.color("focus"), max(1, theme.px(2))))
            painter.drawRect(body.adjusted(1, 1, -1, -1))
        painter.end()

    def _paint_words(self, painter: QPainter) -> None:
        theme, body, way = self._theme, self.rect(), self._way
        on_its_way = way is not None and way.way is not Way.LOST
        side = theme.px(16)
        mark = icons.pixmap(
            theme, "import" if on_its_way else "warning", "text3", 16, self.devicePixelRatioF()
        )
        painter.drawPixmap((body.width() - side) // 2, body.height() // 2 - side - theme.px(8), mark)
        words, state = words_of(way)
        painter.setPen(theme.color("text2"))
        painter.setFont(theme.font("label"))
        flags = Qt.AlignmentFlag.AlignHCenter | Qt.TextFlag.TextWordWrap
        room = body.adjusted(theme.px(6), body.height() // 2 - theme.px(4), -theme.px(6), 0)
        painter.drawText(room, flags, words)
        if state:
            metrics = painter.fontMetrics()
            room.adjust(0, metrics.height() + theme.px(1), 0, 0)
            told = metrics.elidedText(state, Qt.TextElideMode.ElideRight, room.width())
            painter.drawText(room, Qt.AlignmentFlag.AlignHCenter, told)
        if way is not None and way.share > 0 and on_its_way:
            height = theme.px(3)
            painter.fillRect(0, body.height() - height, body.width(), height, theme.color("pressed"))
            arrived = round(body.width() * way.share)
            painter.fillRect(0, body.height() - height, arrived, height, theme.color("accent"))


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

    def show_images(self, images: Mapping[str, QImage | None], ways: Ways) -> None:
        """What became of the files of the photos on show."""
        for tile in self.tiles():
            tile.set(images, ways)

    def show_photos(self, photos: Sequence[Photo], images: Mapping[str, QImage | None], ways: Ways) -> None:
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
                    tile = Tile(self._theme, photo)
                    tile.set(images, ways)
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
        self._missing = ""
        self._build()

    def show_photo(self, photo_id: int, image: QImage | None, at: str, missing: str) -> None:
        """Show this one; ``None``: its file is not here, and `missing` says how that stands."""
        self._missing = missing
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
            painter.drawText(room, Qt.AlignmentFlag.AlignCenter, self._missing)
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
