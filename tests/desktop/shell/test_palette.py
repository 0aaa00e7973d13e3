"""The palette: what Enter does is written on the marked line; the focus comes back to where it was."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QWidget

from db.live.sentences import Word
from desktop.core.offers import Offer
from desktop.shell.palette import Palette, spoken
from desktop.widgets.theme import Theme

WORDS = (Word("派", "verb", "Dispatch"), Word("99", "case", ""))


class Desk:
    def __init__(self, shown: Callable[..., QWidget]) -> None:
        self.ran: list[str] = []
        self.host = QWidget()
        self.before = QLineEdit(self.host)
        self.palette = Palette(Theme(), self.host)
        shown(self.host, 900, 600)
        self.before.setFocus()
        self.offers = [
            Offer("undo", "Undo", lambda: self.ran.append("undo"), ("撤销",), keys="Ctrl Z"),
            Offer(
                "import", "Import", lambda: self.ran.append("import"), ("导入",), why="your role forbids it"
            ),
            Offer("theme", "Theme", lambda: self.ran.append("theme"), ("主题",)),
        ]

    def read(self, typed: str) -> Sequence[Offer]:
        if not typed.startswith("派"):
            return ()
        return [
            Offer("", "Dispatch 1 case", lambda: self.ran.append("sentence"), words=WORDS),
            Offer("", "Dispatch another", lambda: self.ran.append("other"), words=WORDS, why="it is closed"),
        ]

    def open(self, *recent: str) -> None:
        self.palette.open_with(self.offers, self.read, recent)

    def press(self, key: Qt.Key) -> None:
        QTest.keyClick(self.palette.field, key)

    def titles(self) -> list[str]:
        return [offer.title for offer in self.palette.shown()]


@pytest.fixture
def desk(shown: Callable[..., QWidget]) -> Desk:
    return Desk(shown)


def test_it_opens_with_everything_and_takes_the_focus(desk: Desk) -> None:
    desk.open()
    assert desk.titles() == ["Undo", "Theme", "Import"]
    assert desk.palette.field.hasFocus() or desk.host.focusWidget() is desk.palette.field


def test_enter_runs_the_marked_line_and_closes(desk: Desk) -> None:
    told: list[str] = []
    desk.palette.ran.connect(told.append)
    desk.open()
    desk.palette.set_text("zhuti")
    assert desk.titles() == ["Theme"]
    desk.press(Qt.Key.Key_Return)
    assert (desk.ran, told) == (["theme"], ["theme"])
    assert not desk.palette.isVisible()


def test_what_is_not_possible_is_marked_told_and_not_run(desk: Desk) -> None:
    desk.open()
    desk.palette.set_text("导入")
    desk.press(Qt.Key.Key_Return)
    assert desk.ran == []
    assert desk.palette.isVisible()
    assert "your role forbids it" in desk.palette._foot.text()
    assert "your role forbids it" in desk.palette.field.accessibleDescription()


def test_arrows_move_the_mark_and_stop_at_the_ends(desk: Desk) -> None:
    desk.open()
    desk.press(Qt.Key.Key_Up)
    desk.press(Qt.Key.Key_Down)
    marked = desk.palette.marked()
    assert marked is not None
    assert marked.title == "Theme"
    desk.press(Qt.Key.Key_PageDown)
    desk.press(Qt.Key.Key_Down)
    assert desk.palette.list.currentIndex().row() == 2
    assert desk.palette.field.text() == ""


def test_a_sentence_shows_its_words_before_anything_is_done(desk: Desk) -> None:
    desk.open()
    desk.palette.set_text("派 99")
    assert desk.palette.understood.isVisible()
    assert desk.palette.understood.accessibleName() == "派: Dispatch, 99: case"
    assert desk.ran == []
    desk.press(Qt.Key.Key_Down)
    desk.press(Qt.Key.Key_Return)
    assert desk.ran == []
    desk.press(Qt.Key.Key_Up)
    desk.press(Qt.Key.Key_Return)
    assert desk.ran == ["sentence"]


def test_escape_empties_first_and_then_closes(desk: Desk) -> None:
    closed: list[bool] = []
    desk.palette.closed.connect(lambda: closed.append(True))
    desk.open()
    desk.palette.set_text("zhuti")
    desk.press(Qt.Key.Key_Escape)
    assert desk.palette.isVisible()
    assert len(desk.titles()) == 3
    desk.press(Qt.Key.Key_Escape)
    assert not desk.palette.isVisible()
    assert closed == [True]


def test_it_says_when_there_is_nothing(desk: Desk) -> None:
    desk.open()
    desk.palette.set_text("qqqq")
    assert desk.titles() == []
    assert desk.palette.marked() is None
    assert "Nothing of this name" in desk.palette._foot.text()
    desk.press(Qt.Key.Key_Return)
    assert desk.palette.isVisible()


def test_every_line_is_spoken_with_its_key_and_its_reason(desk: Desk) -> None:
    assert spoken(desk.offers[0]) == "Undo, Ctrl Z"
    assert spoken(desk.offers[1]) == "Import, not possible now: your role forbids it"
    desk.open()
    interface = QAccessible.queryAccessibleInterface(desk.palette.list)
    assert interface.role() == QAccessible.Role.List
    assert interface.childCount() == 3


def test_it_stays_inside_a_small_window(desk: Desk) -> None:
    desk.host.resize(500, 320)
    desk.offers *= 20
    desk.open()
    area = desk.palette.geometry()
    assert desk.host.rect().contains(area)
