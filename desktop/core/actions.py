"""Actions as data: menus, tool bars, shortcuts, the palette and the tests all read the same list."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction, QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget

from db.kernel.actor import Actor
from db.kernel.language import _


def _fits() -> str:
    return ""


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
    words: str = ""
    """More words by which the palette finds it, in any language, with spaces between."""
    why_not: Callable[[], str] = _fits
    """Why it does not fit at this moment, as a sentence in the reader's language; "" when it does."""


class Actions(QObject):
    """The acts of one window as Qt actions, by id.

    Invariant: nothing is done for which `why_not` says why it is not possible. The reason stands in the menu
    entry and in the tool tip as of the last `refresh`, and the key tells it.
    """

    refused = Signal(str)
    """The key of an act that is not possible now was pressed: the act and the reason, as one sentence."""

    def __init__(self, window: QWidget, who: Actor) -> None:
        super().__init__(window)
        self._window = window
        self._who = who
        self._acts: dict[str, Act] = {}
        self._actions: dict[str, QAction] = {}
        self._silent: dict[str, QShortcut] = {}

    def add(self, acts: Iterable[Act]) -> None:
        """Make the actions; a forbidden one stays visible, disabled, and says why."""
        for act in acts:
            if act.id in self._acts:
                raise ValueError(f"two acts of the name {act.id!r}")
            action = QAction(self._window)
            action.setObjectName(act.id)
            action.setCheckable(act.checkable)
            # Asked at the moment of doing: what was grey a while ago may fit by now, and the other way round.
            action.triggered.connect(lambda _checked=False, key=act.id: self.run(key))
            if act.keys:
                action.setShortcut(QKeySequence(act.keys))
                # Qt gives a disabled action's key to nobody, and who presses it wants to know why.
                shortcut = QShortcut(QKeySequence(act.keys), self._window)
                shortcut.activated.connect(lambda key=act.id: self.run(key))
                self._silent[act.id] = shortcut
            self._window.addAction(action)
            self._acts[act.id] = act
            self._actions[act.id] = action
        self.refresh()

    def why_not(self, key: str) -> str:
        """Why an act is not possible now: the role first, then what the act itself says; "" when it is."""
        act = self._acts[key]
        if act.permission and not self._who.may(act.permission):
            # zh: 您的角色不能这样做
            return _("your role does not allow it")
        return act.why_not()

    def told(self, key: str) -> str:
        """An act with the reason why it is not possible now."""
        title, why = _(self._acts[key].title), self.why_not(key)
        return _("{what}: {why}").format(what=title, why=why) if why else title

    def refresh(self) -> None:
        """Put words, check marks and reasons as they are now."""
        for key, act in self._acts.items():
            action, told, why = self._actions[key], self.told(key), self.why_not(key)
            action.setText(told.replace("&", "&&"))
            action.setIconText(_(act.title))
            action.setToolTip(told)
            action.setEnabled(not why)
            if key in self._silent:
                self._silent[key].setEnabled(bool(why))
            if act.checkable:
                action.setChecked(act.checked())

    def run(self, key: str) -> None:
        """Do an act as its key would: when it is not possible now, `refused` says why."""
        if self.why_not(key):
            self.refused.emit(self.told(key))
        else:
            self._run(key)

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
