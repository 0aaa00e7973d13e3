"""What is kept: named, shared, pinned and put in order by the keyboard, each by its owner alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from db.desk.commands import ChangeKept, DropKept, Keep, OrderKept
from db.desk.queries import KeptValue, RoleValue
from db.live.filters import Filter
from desktop.queue.kept import KeepDialog, KeptSheet, kept_filter
from desktop.widgets.theme import Theme
from tests.desktop.seeded import OFFICER, context_of, invented

ROLES = (RoleValue("dispatcher", "派遣员", "Dispatcher"),)
OVER = Filter(lights=frozenset({2})).as_plain()


def value(kept_id: int, name: str, *, is_own: bool = True, shared: str = "", **more: Any) -> KeptValue:
    at = datetime(2026, 3, 14, tzinfo=UTC)
    owner = "李浩然" if is_own else "王敏"
    pinned = bool(more.get("pinned"))
    return KeptValue(kept_id, "filter", name, owner, is_own, shared, pinned, OVER, at, 1)


class Sheet:
    def __init__(self, shown: Callable[..., QWidget]) -> None:
        self.commands: list[Any] = []
        self.opened: list[KeptValue] = []
        kept = [value(1, "one"), value(2, "two"), value(3, "three"), value(9, "theirs", is_own=False)]
        self.sheet = KeptSheet(Theme(), context_of(invented(30), OFFICER), kept, ROLES)
        self.sheet.commanded.connect(self.commands.append)
        self.sheet.opened.connect(self.opened.append)
        shown(self.sheet)

    def press(self, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        QTest.keyClick(self.sheet.table, key, modifier)


@pytest.fixture
def sheet(shown: Callable[..., QWidget]) -> Sheet:
    return Sheet(shown)


def test_alt_with_an_arrow_puts_ones_own_in_another_order(sheet: Sheet) -> None:
    alt = Qt.KeyboardModifier.AltModifier
    sheet.press(Qt.Key.Key_Up, alt)
    sheet.press(Qt.Key.Key_Down, alt)
    assert sheet.commands == [OrderKept((2, 1, 3))]
    sheet.sheet.table.select({3})
    sheet.press(Qt.Key.Key_Down, alt)
    assert len(sheet.commands) == 1


def test_f2_asks_for_another_name_and_other_eyes(sheet: Sheet, shown: Callable[..., QWidget]) -> None:
    sheet.press(Qt.Key.Key_F2)
    (dialog,) = sheet.sheet.findChildren(KeepDialog)
    assert dialog.name.text() == "one"
    dialog.name.setText("first")
    dialog.shared.setCurrentIndex(dialog.shared.findData("dispatcher"))
    dialog.form.sent.emit()
    assert sheet.commands == [ChangeKept(1, "first", None, "dispatcher", False)]


def test_pin_and_drop_have_a_key(sheet: Sheet) -> None:
    sheet.press(Qt.Key.Key_P)
    sheet.press(Qt.Key.Key_Delete)
    assert sheet.commands == [ChangeKept(1, pinned=True), DropKept(1)]


def test_what_others_keep_can_be_opened_and_nothing_else(sheet: Sheet) -> None:
    sheet.press(Qt.Key.Key_End)
    for key in (Qt.Key.Key_P, Qt.Key.Key_Delete, Qt.Key.Key_F2):
        sheet.press(key)
    assert sheet.commands == []
    buttons = sheet.sheet._own_buttons()
    assert not any(button.isEnabled() for button in buttons)
    assert "王敏 keeps this." in buttons[0].toolTip()
    sheet.press(Qt.Key.Key_Return)
    assert [kept_filter(each) for each in sheet.opened] == [Filter(lights=frozenset({2}))]


def test_keeping_needs_a_name(shown: Callable[..., QWidget]) -> None:
    told: list[Any] = []
    dialog = KeepDialog(Theme(), "filter", OVER, 12, ROLES)
    dialog.commanded.connect(told.append)
    shown(dialog)
    dialog.form.sent.emit()
    assert told == []
    assert dialog.form.fields["name"].error()
    dialog.name.setText(" Late ones ")
    dialog.pinned.setChecked(True)
    dialog.form.sent.emit()
    assert told == [Keep("filter", "Late ones", OVER, "", True)]
