"""Actions as data: menus, tool bars, shortcuts, the palette and the tests all read the same list."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget

from db.kernel.actor import Actor
from db.kernel.language import _


@dataclass(frozen=True)
class Act:
    """One thing a person can do. ``title`` is marked English; ``menu`` is the id of the menu it stands in."""

    id: str
    title: str
    run: Callable[[], None]
    keys: str = ""
    icon: str = ""
    menu: str = ""
    permission: str = ""
    checkable: bool = False
    checked: Callable[[], bool] = lambda: False


class Actions(QObject):
    """The acts of one window as Qt actions, by id."""

    def __init__(self, window: QWidget, who: Actor) -> None:
        super().__init__(window)
        self._window = window
        self._who = who
        self._acts: dict[str, Act] = {}
        self._actions: dict[str, QAction] = {}

    def add(self, acts: Iterable[Act]) -> None:
        """Make the actions; a forbidden one stays visible, disabled, and says why."""
        for act in acts:
            action = QAction(self._window)
            action.setObjectName(act.id)
            action.setCheckable(act.checkable)
            if act.keys:
                action.setShortcut(QKeySequence(act.keys))
            action.triggered.connect(lambda _checked=False, key=act.id: self._run(key))
            self._window.addAction(action)
            self._acts[act.id] = act
            self._actions[act.id] = action
        self.retranslate()

    def retranslate(self) -> None:
        """Put the words in the language now in use, and the check marks as they are."""
        for key, act in self._acts.items():
            action = self._actions[key]
            action.setText(_(act.title))
            allowed = not act.permission or self._who.may(act.permission)
            action.setEnabled(allowed)
            action.setToolTip(
                _(act.title)
                if allowed
                else _("{what}: your role does not allow it.").format(what=_(act.title))
            )
            if act.checkable:
                action.setChecked(act.checked())

    def _run(self, key: str) -> None:
        act = self._acts[key]
        act.run()
        if act.checkable:
            # Qt has turned the mark over by itself; what counts is how things are now.
            self._actions[key].setChecked(act.checked())

    def of_menu(self, menu: str) -> list[QAction]:
        """The actions of one menu, in the order in which they were added."""
        return [self._actions[key] for key, act in self._acts.items() if act.menu == menu]

    def __contains__(self, key: str) -> bool:
        return key in self._actions

    def __getitem__(self, key: str) -> QAction:
        return self._actions[key]

    def acts(self) -> list[Act]:
        """All acts, for the palette, the sheet of keys and the tests."""
        return list(self._acts.values())
