"""Sheets of paper: HTML of Qt's kind as A4 pages in a PDF, black on white, numbered at the foot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from PySide6.QtCore import QMarginsF, QRectF, QSaveFile, Qt, QUrl
from PySide6.QtGui import (
    QAbstractTextDocumentLayout,
    QColor,
    QFont,
    QImage,
    QPageLayout,
    QPageSize,
    QPainter,
    QPalette,
    QPdfWriter,
    QTextDocument,
)

from db.kernel.language import N_
from db.kernel.refusal import Unavailable


def paper_font(families: Sequence[str]) -> QFont:
    """The font of a sheet."""
    font = QFont(list(families))
    font.setPointSizeF(9.5)
    # WORKAROUND: Qt does not say in a PDF which figures stand for those that this feature replaced; nobody
    # could find or copy a case number.
    font.setFeature(QFont.Tag("locl"), 0)
    return font


def write_pdf(
    target: Path,
    html: str,
    images: Mapping[str, QImage],
    title: str,
    printed: str,
    font: QFont,
    ink: QColor,
) -> None:
    """Write the sheets, each with title and page number at its foot; raises ``Unavailable``, and then leaves
    no half-written file behind.
    """
    stream = QSaveFile(str(target))
    if not stream.open(QSaveFile.OpenModeFlag.WriteOnly):
        raise _not_written(target, stream.errorString())
    writer = QPdfWriter(stream)
    writer.setTitle(title)
    writer.setCreator("Jingwei")
    writer.setResolution(300)
    page = QPageSize(QPageSize.PageSizeId.A4)
    margins = QMarginsF(18, 16, 18, 14)
    unit = QPageLayout.Unit.Millimeter
    writer.setPageLayout(QPageLayout(page, QPageLayout.Orientation.Portrait, margins, unit))
    document = QTextDocument()
    document.documentLayout().setPaintDevice(writer)
    document.setDocumentMargin(0)
    document.setDefaultFont(font)
    for key, image in images.items():
        document.addResource(QTextDocument.ResourceType.ImageResource.value, QUrl(f"photo:{key}"), image)
    document.setHtml(html)
    foot = writer.height() / 30
    sheet = QRectF(0, 0, writer.width(), writer.height() - foot)
    document.setPageSize(sheet.size())
    painter = QPainter(writer)
    small = QFont(font)
    small.setPointSizeF(8)
    painter.setFont(small)
    painter.setPen(ink)
    count = document.pageCount()
    for number in range(count):
        if number:
            writer.newPage()
        painter.save()
        painter.translate(0, -number * sheet.height())
        context = QAbstractTextDocumentLayout.PaintContext()
        context.clip = sheet.translated(0, number * sheet.height())
        # Paper is white, whatever the room looks like.
        context.palette.setColor(QPalette.ColorRole.Text, ink)
        painter.setClipRect(context.clip)
        document.documentLayout().draw(painter, context)
        painter.restore()
        below = QRectF(0, sheet.height(), sheet.width(), foot)
        bottom = Qt.AlignmentFlag.AlignBottom
        painter.drawText(below, bottom | Qt.AlignmentFlag.AlignLeft, title)
        painter.drawText(below, bottom | Qt.AlignmentFlag.AlignRight, f"{printed}   {number + 1} / {count}")
    painter.end()
    del writer
    if not stream.commit():
        raise _not_written(target, stream.errorString())


def _not_written(target: Path, reason: str) -> Unavailable:
    return Unavailable(
        "cannot_write", N_("{path} cannot be written: {reason}"), path=str(target), reason=reason
    )
