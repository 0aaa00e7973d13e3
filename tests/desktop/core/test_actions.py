"""Acts are data: what is forbidden stays visible and says why, and a check mark tells the truth."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from db.kernel.actor import Actor
from desktop.core.actions import Act, Actions

CLERK = Actor(1, "王", frozenset({"room.view"}))


@pytest.fixture
def window(shown: Callable[..., QWidget]) -> QWidget:
    return shown(QWidget(), 100, 100)


def nothing() -> None:
    """An act that does nothing."""


def test_a_forbidden_act_is_visible_and_disabled_and_says_why(window: QWidget) -> None:
    ran: list[str] = []
    actions = Actions(window, CLERK)
    actions.add([Act("import", "Import", lambda: ran.append("import"), permission="import.run", menu="file")])
    action = actions["import"]
    assert action.isVisible()
    assert not action.isEnabled()
    assert action.toolTip() == "Import: your role does not allow it"
    assert action.text() == "Import: your role does not allow it"
    assert action.iconText() == "Import"
    action.trigger()
    assert ran == []


def test_an_allowed_act_runs_and_stands_in_its_menu_in_order(window: QWidget) -> None:
    ran: list[str] = []
    actions = Actions(window, Actor(1, "李", frozenset({"import.run"})))
    actions.add(
        [
            Act(
                "import",
                "Import",
                lambda: ran.append("import"),
                "Ctrl+I",
                permission="import.run",
                menu="file",
            ),
            Act("theme", "Theme", lambda: ran.append("theme"), menu="view"),
            Act("quit", "Quit", lambda: ran.append("quit"), menu="file"),
        ]
    )
    assert [action.objectName() for action in actions.of_menu("file")] == ["import", "quit"]
    actions["import"].trigger()
    assert ran == ["import"]
    assert actions["import"].shortcut().toString() == "Ctrl+I"
    assert "theme" in actions
    assert "pink" not in actions


def test_a_check_mark_says_how_things_are_and_not_how_often_it_was_pressed(window: QWidget) -> None:
    state = {"on": False}
    actions = Actions(window, CLERK)
    actions.add([Act("dense", "Dense", nothing, checkable=True, checked=lambda: state["on"])])
    actions["dense"].trigger()
    assert not actions["dense"].isChecked()
    state["on"] = True
    actions["dense"].trigger()
    assert actions["dense"].isChecked()


def test_an_act_that_does_not_fit_now_is_disabled_until_it_fits_and_its_key_says_why(
    window: QWidget, until: Callable[..., None]
) -> None:
    ran: list[str] = []
    told: list[str] = []
    state = {"why": "nothing is selected"}
    actions = Actions(window, CLERK)
    actions.refused.connect(told.append)
    actions.add([Act("next", "Next", lambda: ran.append("next"), "Ctrl+Down", why_not=lambda: state["why"])])
    assert not actions["next"].isEnabled()
    window.activateWindow()
    until(window.isActiveWindow)
    QTest.keyClick(window, Qt.Key.Key_Down, Qt.KeyboardModifier.ControlModifier)
    assert (ran, told) == ([], ["Next: nothing is selected"])
    actions.run("next")
    assert len(told) == 2
    state["why"] = ""
    QTest.keyClick(window, Qt.Key.Key_Down, Qt.KeyboardModifier.ControlModifier)
    assert ran == ["next"]
    ran.clear()
    actions.refresh()
    assert actions["next"].text() == "Next"
    QTest.keyClick(window, Qt.Key.Key_Down, Qt.KeyboardModifier.ControlModifier)
    actions.run("next")
    assert (ran, len(told)) == (["next", "next"], 2)


def test_the_role_is_asked_before_the_act(window: QWidget) -> None:
    actions = Actions(window, CLERK)
    actions.add([Act("import", "Import", nothing, permission="import.run", why_not=lambda: "no file")])
    assert actions.why_not("import") == "your role does not allow it"
