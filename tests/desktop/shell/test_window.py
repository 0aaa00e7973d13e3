"""The window: menus from acts, keys that work, a search that follows the typing, a foot that is true."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QLineEdit, QMenuBar, QWidget

from db.kernel.clock import SetClock
from db.live.filters import Filter
from desktop.core.actions import Act
from desktop.core.context import DataAge, Freshness
from desktop.core.trouble import Kind
from desktop.shell.window import Window
from desktop.widgets.pane import Pane
from desktop.widgets.theme import Theme
from tests.db.live.rows import NOON
from tests.desktop.seeded import GUEST, OFFICER, context_of, invented, preferences


class Shell:
    def __init__(self, shown: Callable[..., QWidget], folder: Path, who: object = OFFICER) -> None:
        self.theme = Theme()
        self.context = context_of(invented(100), who)  # type: ignore[arg-type]
        self.kept = preferences(folder)
        self.ran: list[str] = []
        panes = {key: Pane(self.theme, key) for key in ("map", "queue", "kpi")}
        for pane in panes.values():
            inside = QLineEdit()
            pane.set_content(inside)
            pane.setFocusProxy(inside)
        acts = [
            Act("undo", "Undo", lambda: self.ran.append("undo"), "Ctrl+Z", menu="case"),
            Act("import", "Import", lambda: self.ran.append("import"), menu="file", permission="import.run"),
            Act("about", "About", lambda: self.ran.append("about"), "F1", menu="help"),
        ]
        clock = SetClock(datetime(2026, 3, 14, 4, tzinfo=UTC))
        self.window = Window(self.theme, self.context, self.kept, clock, panes, acts, "Local database")
        shown(self.window, 1500, 800)

    def foot(self, key: str, *, right: bool = False) -> str:
        return self.window.status.part(key, right=right)._text

    def press(
        self,
        key: Qt.Key,
        until: Callable[..., None],
        modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
    ) -> None:
        self.window.activateWindow()
        until(self.window.isActiveWindow)
        QTest.keyClick(self.window, key, modifiers)


@pytest.fixture
def shell(shown: Callable[..., QWidget], tmp_path: Path) -> Shell:
    return Shell(shown, tmp_path)


def type_in(field: QLineEdit, text: str) -> None:
    """As an input method does; ``QTest`` knows Latin letters only."""
    field.insert(text)
    field.textEdited.emit(field.text())


def test_menus_are_made_of_acts_and_no_menu_is_empty(shell: Shell) -> None:
    (bar,) = shell.window.findChildren(QMenuBar)
    found = {
        action.text(): [each.objectName() for each in action.menu().actions()]  # type: ignore[union-attr]
        for action in bar.actions()
    }
    assert list(found) == ["File", "Case", "Queues", "View", "Help"]
    assert found["File"] == ["import"]
    assert found["Case"][0] == "undo"
    assert found["View"][:2] == ["palette", "filter_text"]


def test_the_title_says_which_city_it_is_and_who_sits_there(
    shown: Callable[..., QWidget], tmp_path: Path
) -> None:
    titles = [Shell(shown, tmp_path, who).window.windowTitle() for who in (OFFICER, GUEST)]
    assert titles == ["Jingwei · Tengzhou · 李浩然", "Jingwei · Tengzhou · 来访"]


def test_the_tool_bar_follows_what_the_role_allows(shown: Callable[..., QWidget], tmp_path: Path) -> None:
    shell = Shell(shown, tmp_path, GUEST)
    tools = {button.accessibleName(): button.isEnabled() for button in shell.window._top._buttons}
    assert tools["Undo"]
    assert not tools["Import"]
    assert shell.foot("who", right=True) == "signed in: 来访, read only"


def test_function_keys_fill_the_room_and_bring_it_back(shell: Shell, until: Callable[..., None]) -> None:
    control = Qt.KeyboardModifier.ControlModifier
    for key, pane in ((Qt.Key.Key_F5, "map"), (Qt.Key.Key_F6, "queue"), (Qt.Key.Key_F7, "kpi")):
        shell.press(key, until, control)
        assert shell.window.room.filled() == pane
        shell.press(key, until, control)
        assert shell.window.room.filled() == ""
    shell.press(Qt.Key.Key_F6, until, control)
    shell.press(Qt.Key.Key_F8, until)
    assert shell.window.room.filled() == ""


def test_the_list_follows_the_typing_and_escape_empties_the_field(
    shell: Shell, until: Callable[..., None]
) -> None:
    search = shell.window._top.search
    type_in(search, "荆河路")
    until(lambda: shell.context.filter == Filter(text="荆河路"))
    QTest.keyClicks(search, " ")
    assert shell.context.filter == Filter(text="荆河路")
    shell.press(Qt.Key.Key_Escape, until)
    assert shell.context.filter == Filter()
    assert search.text() == ""


def test_enter_in_the_search_does_not_wait(shell: Shell) -> None:
    search = shell.window._top.search
    type_in(search, "路")
    QTest.keyClick(search, Qt.Key.Key_Return)
    assert shell.context.filter.text == "路"
    assert len(search.text()) <= 100


def test_the_room_begins_with_the_list_and_not_with_the_search(shell: Shell) -> None:
    assert shell.window.focusWidget() is shell.window.room.panes["queue"].focusProxy()


def test_the_foot_says_what_the_data_are_and_how_old(shell: Shell) -> None:
    assert shell.foot("database") == "Local database · data of 12:00:00"
    assert shell.foot("open") == f"{shell.context.board.lens.total_open} open"
    shell.context.set_age(DataAge(Freshness.STALE, NOON))
    assert shell.foot("database") == "Local database is slow · data of 12:00:00"
    shell.context.set_age(DataAge(Freshness.LOST, NOON, "The file is not there."))
    assert shell.foot("database") == "Database lost, trying again · data of 12:00:00"
    shell.context.select(frozenset({1, 2}))
    assert shell.foot("selected", right=True) == "2 selected"


def test_notices_tell_and_their_button_answers(shell: Shell) -> None:
    pressed: list[str] = []
    shell.window.acted.connect(pressed.append)
    shell.window.tell(Kind.DONE, "Reassigned: 3", "Undo", "undo", "Ctrl Z")
    shell.window.tell(Kind.BUG, "<b>wrong</b>")
    assert shell.window._notices.notices() == ["Reassigned: 3", "<b>wrong</b>"]
    shell.window._notices._notices[0].acted.emit()
    assert pressed == ["undo"]
    texts = [label.text() for label in shell.window._notices.findChildren(QLabel)]
    assert "<b>wrong</b>" in texts


def test_the_window_is_where_it_was(shown: Callable[..., QWidget], shell: Shell, tmp_path: Path) -> None:
    shell.window.setGeometry(30, 40, 700, 500)
    shell.window.close()
    assert not shell.kept.layout("room/window").isEmpty()
    again = Shell(shown, tmp_path)
    # The screen of the tests is smaller than a room; what is kept is asked of Qt, not of the screen.
    assert again.kept.layout("room/window") == shell.kept.layout("room/window")


def test_closing_brings_floating_panes_home_and_says_so_once(shell: Shell) -> None:
    closed: list[bool] = []
    shell.window.closed.connect(lambda: closed.append(True))
    shell.window.room.panes["map"].float_out()
    shell.window.close()
    assert closed == [True]
    assert not shell.window.room.panes["map"].is_floating()


def test_the_clock_shows_the_time_of_the_city(shell: Shell) -> None:
    assert shell.window._top._time.text() == "12:00:00"
