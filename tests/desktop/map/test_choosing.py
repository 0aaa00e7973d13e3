"""Type, arrows, Enter: one of many is chosen without a mouse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from desktop.map.choosing import Choice, Chooser
from desktop.widgets.theme import Theme


@pytest.fixture
def chooser(shown: Callable[..., QWidget]) -> Chooser:
    made = Chooser(Theme(), "Views", "Enter goes there")
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    made.set_choices([Choice("one", 1), Choice("two", 2, True), Choice("three", 3)])
    shown(made)
    return made


def heard(signal: Any) -> list[Any]:
    values: list[Any] = []
    signal.connect(values.append)
    return values


def test_the_present_choice_is_current_and_arrows_go_round(chooser: Chooser) -> None:
    chosen = heard(chooser.chosen)
    assert chooser.list.currentRow() == 1
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down):
        QTest.keyClick(chooser.field, key)
    QTest.keyClick(chooser.field, Qt.Key.Key_Return)
    assert chosen == [1]
    assert not chooser.isVisible()


def test_what_nobody_offers_can_still_be_entered(chooser: Chooser) -> None:
    entered, typed = heard(chooser.entered), heard(chooser.typed)
    chooser.set_choices([])
    QTest.keyClicks(chooser.field, "new")
    QTest.keyClick(chooser.field, Qt.Key.Key_Return)
    assert entered == ["new"]
    assert typed == ["n", "ne", "new"]


def test_delete_drops_only_while_nothing_is_typed(chooser: Chooser) -> None:
    dropped = heard(chooser.dropped)
    QTest.keyClick(chooser.field, Qt.Key.Key_Delete)
    QTest.keyClicks(chooser.field, "x")
    QTest.keyClick(chooser.field, Qt.Key.Key_Delete)
    assert dropped == [2]


def test_an_empty_field_enters_nothing(chooser: Chooser) -> None:
    entered, chosen = heard(chooser.entered), heard(chooser.chosen)
    chooser.set_choices([])
    QTest.keyClick(chooser.field, Qt.Key.Key_Return)
    assert entered == chosen == []
