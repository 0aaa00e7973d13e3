"""What can be done with the selected cases: a bar at the foot of the queue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from PySide6.QtCore import QPoint, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QMenu,
    QWidget,
)

from db.cases.queries import STATE_CODES
from db.cases.rules import STATES
from db.cases.workflow import Workflow
from db.kernel.language import _
from db.kernel.refusal import Refused
from db.live.board import News
from desktop.core.context import Context
from desktop.core.words import number
from desktop.widgets.acting import VERBS, ActDialog, Ids, slots_of
from desktop.widgets.button import Button
from desktop.widgets.plain import Elided, label
from desktop.widgets.theme import Theme

OFFERED = {key: verb for key, verb in VERBS.items() if not verb.alone}
"""What can be done with many cases at once."""


class ActionBar(QWidget):
    """Shows the verbs that fit the selection; ``commanded`` carries the command to run."""

    commanded = Signal(object)

    def __init__(self, theme: Theme, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._context = context
        self._workflow: Workflow | None = None
        self._buttons: dict[str, Button] = {}
        self._build()
        context.selection_changed.connect(self.refresh)
        # Bound methods, never lambdas: Qt lets go of them when the window is made anew in another language.
        context.news.connect(self._on_news)
        theme.changed.connect(self._on_theme)
        self.refresh()

    def set_workflow(self, workflow: Workflow) -> None:
        """The table of allowed moves; without it nothing is offered."""
        self._workflow = workflow
        self.refresh()

    def press(self, keys: str) -> bool:
        """Do what a key stands for; when the selected cases do not allow it, the bar says why."""
        states = self._states()
        if not keys or not states or self._workflow is None:
            return False
        for key, why in self._possible(states).items():
            if VERBS[key].keys == keys:
                if why is None:
                    self.ask(key)
                else:
                    self._why.setText(why)
                return why is None
        return False

    def why(self) -> str:
        """The sentence beside the buttons: why there is none, or why a key did nothing."""
        return self._why.text()

    def _build(self) -> None:
        self._count = label("", "body", "text1")
        self._more = Button(self._theme, _("More"), kind="quiet")
        self._more.set_drops()
        self._more.clicked.connect(self._on_more)
        self._row = QHBoxLayout(self)
        self._row.addWidget(self._count)
        for key, verb in OFFERED.items():
            button = Button(self._theme, verb.shown(), keys=verb.keys, kind="plain")
            button.clicked.connect(lambda _on=False, key=key: self.ask(key))
            button.hide()
            self._buttons[key] = button
            self._row.addWidget(button)
        self._why = Elided("", "label", "text2")
        self._row.addWidget(self._why, 1)
        self._row.addWidget(self._more)
        self._on_theme()

    def _states(self, ids: Iterable[int] | None = None) -> Counter[str]:
        # From the columns: thousands may be selected, and this is asked at every beat.
        slots = slots_of(self._context, self._context.selection if ids is None else ids)
        found = np.bincount(self._context.board.store.state[slots])
        return Counter({STATE_CODES[code]: int(found[code]) for code in np.flatnonzero(found).tolist()})

    def refresh(self) -> None:
        """Offer what every selected case allows; the rest stands under "More" with the reason."""
        states = self._states()
        self.setVisible(bool(states) and self._workflow is not None)
        if not states or self._workflow is None:
            return
        # zh: 已选 {count} 件
        self._count.setText(_("{count} selected").format(count=number(states.total())))
        possible = self._possible(states)
        for key, button in self._buttons.items():
            button.setVisible(possible[key] is None and not (OFFERED[key].danger or OFFERED[key].rare))
        self._more.setVisible(
            any(VERBS[key].danger or VERBS[key].rare or why for key, why in possible.items())
        )
        if any(why is None for why in possible.values()):
            self._why.setText("")
        elif any(self._workflow.allowed(state, self._context.who) for state in STATES):
            self._why.setText(_("None of your acts fits all of them."))
        else:
            # zh: 只读：您的角色不能处理案件
            self._why.setText(_("Read only: your role has no acts on cases."))

    def _possible(self, states: Counter[str]) -> dict[str, str | None]:
        """Verb → ``None`` when all selected cases allow it, else the reason of the first that does not."""
        assert self._workflow is not None
        found: dict[str, str | None] = {}
        for key in OFFERED:
            reasons: list[str] = []
            count = 0
            for state, cases in states.items():
                try:
                    self._workflow.move(state, key, self._context.who, self._workflow.demands(key))
                except Refused as refusal:
                    reasons.append(refusal.text())
                    count += cases
            if not reasons:
                found[key] = None
            elif len(states) == 1:
                found[key] = reasons[0]
            else:
                found[key] = _("{count} of {total}: {why}").format(
                    count=count, total=states.total(), why=reasons[0]
                )
            if key == "merge" and found[key] is None and states.total() < 2:
                found[key] = _("Select two cases or more.")
        return found

    def open_menu(self, place: QPoint) -> None:
        """All verbs at a place of the screen; what the selected cases do not allow is grey and says why."""
        if self._states() and self._workflow is not None:
            self._menu(frozenset(OFFERED)).popup(place)

    def _on_more(self) -> None:
        shown = {key for key, button in self._buttons.items() if button.isVisible()}
        menu = self._menu(frozenset(OFFERED) - shown)
        # Above the button: the bar stands at the foot of the room.
        menu.popup(self._more.mapToGlobal(QPoint(0, -menu.sizeHint().height())))

    def _menu(self, keys: frozenset[str]) -> QMenu:
        menu = QMenu(self)
        for key, why in self._possible(self._states()).items():
            if key in keys:
                words = VERBS[key].shown() if why is None else f"{VERBS[key].shown()} — {why}"
                action = menu.addAction(words.replace("&", "&&"))
                action.setEnabled(why is None)
                action.triggered.connect(lambda _on=False, key=key: self.ask(key))
        menu.aboutToHide.connect(menu.deleteLater)
        return menu

    def why_not(self, key: str, ids: Iterable[int] | None = None) -> str:
        """Why these cases (by default the selected ones) do not allow a verb; "" when they do."""
        if self._workflow is None:
            return _("The table of moves is still being read.")
        states = self._states(self._context.selection if ids is None else ids)
        if not states:
            return _("Select cases first.")
        return self._possible(states).get(key) or ""

    def ask(self, key: str, ids: Iterable[int] | None = None, given: Mapping[str, Any] | None = None) -> None:
        """Ask for what a verb still needs beyond what is ``given`` ("unit": id, "text"), then command it for
        these cases, by default the selected ones.
        """
        verb = VERBS[key]
        ids = tuple(sorted(self._context.selection if ids is None else ids))
        if not verb.asks:
            self.commanded.emit(verb.make(ids, {}))
            return
        offers = self._oldest_first(ids) if "leader" in verb.asks else ()
        dialog = ActDialog(self._theme, self._context, verb, ids, self.window(), offers, given or {})
        dialog.answered.connect(lambda answers: self.commanded.emit(verb.make(ids, answers)))
        dialog.open()

    def _oldest_first(self, ids: Ids) -> Ids:
        """Of cases that are one, the oldest goes on."""
        store = self._context.board.store
        slots = slots_of(self._context, ids)
        return tuple(store.id[slots[np.lexsort((store.id[slots], store.reported_at[slots]))]].tolist())

    def _on_news(self, news: News) -> None:
        if not news.applied.is_empty:
            self.refresh()

    def _on_theme(self) -> None:
        px = self._theme.px
        self._row.setContentsMargins(px(12), px(8), px(12), px(8))
        self._row.setSpacing(px(8))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.color("raised"))
        painter.fillRect(0, 0, self.width(), 1, self._theme.color("line"))
        painter.end()
