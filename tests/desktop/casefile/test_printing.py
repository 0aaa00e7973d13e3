"""A case on paper: clean pages, every word escaped, dark on white, no contact unless it is handed over."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor
from PySide6.QtPdf import QPdfDocument
from PySide6.QtWidgets import QMenu

from db.cases.contacts import Contact
from desktop.widgets.paper import write_pdf
from tests.db.cases.photographs import picture
from tests.desktop.casefile.conftest import NAME, PHONE, Office
from tests.kit.refusals import refused


def text_of(path: Path) -> str:
    """All words of a PDF, spaces and line ends folded; ⾏ and 行 share a glyph, so both are one here."""
    document = QPdfDocument()
    assert document.load(str(path)) is QPdfDocument.Error.None_
    pages = [document.getAllText(number).text() for number in range(document.pageCount())]
    document.close()
    return unicodedata.normalize("NFKC", re.sub(r"\s+", " ", " ".join(pages)))


def test_a_case_fits_on_two_pages_with_its_words(office: Office, tmp_path: Path) -> None:
    window = office.open()
    files = [picture(tmp_path / f"{i}.jpg", size=(300, 200 + i)) for i in range(6)]
    office.run(lambda: window.add_photos(files))
    target = tmp_path / "case.pdf"
    office.run(lambda: window.save_pdf(target))
    document = QPdfDocument()
    assert document.load(str(target)) is QPdfDocument.Error.None_
    assert document.pageCount() in (1, 2)
    size = document.pagePointSize(0)
    assert (round(size.width()), round(size.height())) == (595, 842), "A4"
    document.close()
    words = text_of(target)
    number = window.file.details.number
    for part in ("<b>井盖破损</b> & 有危险", number, "2026-03-16 09:10", "荆河路东口", "王敏", "1 / "):
        assert part in words, part
    assert window._notices.notices()[-1] == "Saved: case.pdf"


@pytest.mark.parametrize("chosen", [False, True])
def test_the_contact_is_on_paper_only_when_it_was_chosen(
    office: Office, tmp_path: Path, chosen: bool
) -> None:
    window = office.open()
    office.run(lambda: window._start(window._look("回访")))
    target = tmp_path / "case.pdf"
    office.run(lambda: window.save_pdf(target, Contact(NAME, PHONE) if chosen else None))
    words = text_of(target)
    assert (PHONE in words) is chosen
    assert (NAME in words) is chosen
    # Not even masked: a sheet of paper goes on from hand to hand.
    assert "138****" not in words


def test_paper_with_the_contact_is_offered_only_while_it_is_shown(office: Office) -> None:
    window = office.open()
    offered: list[Contact | None] = []
    window._choose_paper = offered.append  # type: ignore[method-assign]
    window.paper_button.click()
    assert offered == [None]
    office.run(lambda: window._start(window._look("回访")))
    window.paper_button.click()
    (menu,) = window.findChildren(QMenu)
    menu.actions()[1].trigger()
    assert offered == [None, Contact(NAME, PHONE)]
    menu.close()


def test_paper_is_white_and_its_words_are_dark_whatever_the_room_looks_like(
    office: Office, tmp_path: Path
) -> None:
    window = office.open()
    assert window._theme.is_dark
    target = tmp_path / "case.pdf"
    office.run(lambda: window.save_pdf(target))
    document = QPdfDocument()
    document.load(str(target))
    image = document.render(0, QSize(595, 842))
    document.close()
    colours = [QColor(image.pixelColor(x, y)) for x in range(50, 500, 3) for y in range(40, 400, 3)]
    shown = [colour for colour in colours if colour.alpha() > 0]
    assert min(colour.lightness() for colour in shown) < 90, "there are dark words"


def test_a_place_that_cannot_be_written_is_told(office: Office, tmp_path: Path) -> None:
    window = office.open()
    office.run(lambda: window.save_pdf(tmp_path / "nowhere" / "case.pdf"))
    assert "cannot be written" in window._notices.notices()[-1]
    with refused("cannot_write"):
        write_pdf(tmp_path / "nowhere" / "a.pdf", "", {}, "", "", window.font(), QColor())
