"""The map as a picture for paper or a message: title, time and age of the data above it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMarginsF, QPoint, QRectF, QSaveFile, QSizeF, Qt
from PySide6.QtGui import QImage, QPageLayout, QPageSize, QPainter, QPdfWriter
from PySide6.QtWidgets import QWidget

from db.kernel.language import N_
from db.kernel.refusal import Unavailable
from desktop.widgets.theme import Theme

_HEAD = 56
"""Pixels at 100 % above the map."""


def picture_of(map_: QWidget, theme: Theme, title: str, below: str) -> QImage:
    """What the map shows, with a title and a line below it; legend, scale and sources stand in the map."""
    ratio = map_.devicePixelRatioF()
    shown = map_.grab().toImage()
    head = round(theme.px(_HEAD) * ratio)
    image = QImage(shown.width(), shown.height() + head, QImage.Format.Format_RGB32)
    image.fill(theme.color("pane"))
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
    shown.setDevicePixelRatio(1.0)
    painter.drawImage(QPoint(0, head), shown)
    painter.scale(ratio, ratio)
    left, width = theme.px(16), image.width() / ratio - 2 * theme.px(16)
    middle = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
    for words, step, tone, top in ((title, "title", "text1", 6), (below, "label", "text2", 32)):
        painter.setFont(theme.font(step, bold=step == "title"))
        painter.setPen(theme.color(tone))
        painter.drawText(QRectF(left, theme.px(top), width, theme.px(24)), middle, words)
    painter.end()
    return image


def save(image: QImage, target: Path, title: str) -> None:
    """Write a PDF of one page, or a picture by the ending of the name; raises ``Unavailable``."""
    stream = QSaveFile(str(target))
    if not stream.open(QSaveFile.OpenModeFlag.WriteOnly):
        raise _not_written(target)
    if target.suffix.lower() == ".pdf":
        page = QPdfWriter(stream)
        page.setTitle(title)
        wide = image.width() >= image.height()
        way = QPageLayout.Orientation.Landscape if wide else QPageLayout.Orientation.Portrait
        page.setPageLayout(QPageLayout(QPageSize(QPageSize.PageSizeId.A4), way, QMarginsF(10, 10, 10, 10)))
        painter = QPainter(page)
        room = QSizeF(page.width(), page.height())
        size = QSizeF(image.size()).scaled(room, Qt.AspectRatioMode.KeepAspectRatio)
        painter.drawImage(QRectF(0, 0, size.width(), size.height()), image)
        written = painter.end()
    else:
        written = image.save(stream, target.suffix.lstrip(".").upper() or "PNG")  # type: ignore[call-overload]
    if not written or not stream.commit():
        raise _not_written(target)


def _not_written(target: Path) -> Unavailable:
    return Unavailable("cannot_write", N_("{path} cannot be written."), path=target)
