"""The map as a picture: its words above it, on paper or in a file, never half written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtGui import QImage, QPageLayout
from PySide6.QtPdf import QPdfDocument
from PySide6.QtPrintSupport import QPrinter
from PySide6.QtWidgets import QLabel, QWidget

from db.kernel.refusal import Unavailable
from desktop.map.picture import picture_of, print_on, printer_for, save
from desktop.widgets.theme import Theme


def drawn(shown: Callable[..., QWidget], title: str = "滕州市") -> QImage:
    return picture_of(shown(QLabel("map"), 400, 300), Theme("light"), title, "2026-03-16 10:00")


def test_the_map_stands_below_its_title(shown: Callable[..., QWidget]) -> None:
    image = drawn(shown)
    assert (image.width(), image.height() > 300) == (400, True)
    head = [image.pixelColor(x, 18).lightness() for x in range(400)]
    assert min(head) < 100 < max(head)


@pytest.mark.parametrize(
    "name,beginning", [("a.pdf", b"%PDF"), ("a.png", b"\x89PNG"), ("a.JPG", b"\xff\xd8")]
)
def test_it_is_written_as_its_name_says(
    shown: Callable[..., QWidget], tmp_path: Path, name: str, beginning: bytes
) -> None:
    save(drawn(shown), tmp_path / name, "title")
    assert (tmp_path / name).read_bytes().startswith(beginning)


def test_what_cannot_be_written_is_said_and_leaves_nothing(
    shown: Callable[..., QWidget], tmp_path: Path
) -> None:
    for target in (tmp_path / "absent" / "a.png", tmp_path / "a.nonsense"):
        with pytest.raises(Unavailable):
            save(drawn(shown), target, "title")
        assert not target.exists()


@pytest.mark.parametrize("size,way", [((400, 300), "Landscape"), ((300, 700), "Portrait")])
def test_a_sheet_is_turned_as_the_picture_is_and_takes_all_of_it(
    shown: Callable[..., QWidget], tmp_path: Path, size: tuple[int, int], way: str
) -> None:
    image = picture_of(shown(QLabel("map"), *size), Theme("light"), "滕州市", "2026-03-16 10:00")
    printer = printer_for(image, "滕州市")
    assert printer.pageLayout().orientation() == QPageLayout.Orientation[way]
    assert printer.docName() == "滕州市"
    # A sheet in a file, as the dialog offers it as well.
    printer.setOutputFormat(QPrinter.OutputFormat.PdfFormat)
    printer.setOutputFileName(str(tmp_path / "sheet.pdf"))
    print_on(printer, image)
    sheets = QPdfDocument()
    sheets.load(str(tmp_path / "sheet.pdf"))
    assert sheets.pageCount() == 1
    page = sheets.pagePointSize(0)
    assert (page.width() > page.height()) is (way == "Landscape")
    sheets.close()


@pytest.mark.expects_qt_warning
def test_a_printer_that_takes_nothing_is_told(shown: Callable[..., QWidget], tmp_path: Path) -> None:
    image = drawn(shown)
    printer = printer_for(image, "title")
    printer.setOutputFormat(QPrinter.OutputFormat.PdfFormat)
    printer.setOutputFileName(str(tmp_path / "absent" / "sheet.pdf"))
    with pytest.raises(Unavailable, match="did not take the map"):
        print_on(printer, image)
