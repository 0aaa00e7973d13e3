"""What can be done with the selected cases: a bar at the foot of the queue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from PySide6.QtCore import QPoint, Signal
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QMenu,
    QWidget,
)

from db.cases.queries import REQUEST_BITS, STATE_CODES
from db.cases.rules import STATES
from db.cases.workflow import Workflow
from db.kernel.language import N_, _
from db.kernel.refusal import Refused
from db.live.board import News
from db.live.columns import Int32
from db.live.reach import why_not, within_reach
from db.live.store import Store
from desktop.core.context import Context
from desktop.core.words import number
from desktop.widgets.acting import VERBS, ActDialog, ActWork, Ids, Verb, seen_versions, slots_of
from desktop.widgets.button import Button
from desktop.widgets.pane import paint_strip
from desktop.widgets.plain import Elided, label
from desktop.widgets.theme import Theme
from desktop.widgets.verbs import CLAIMED

OFFERED = {key: verb for key, verb in VERBS.items() if not verb.alone}
"""What can be done with many cases at once."""
MOST_AT_ONCE = 50
"""More cases than this are not moved by one key alone: their number and effect are shown first."""
_PUT = ("reassign", "dispatch")
"""How cases come to a unit: those that have one, and those that have none yet."""


@dataclass(frozen=True)
class _Chosen:
    """The states of some cases, and of those among them with a request that waits or another's claim."""

    states: Counter[str]
    asked: Mapping[str, Counter[str]]
    outside: int = 0
    """How many more there are, beyond the scope of whoever is signed in."""
    why_outside: str = ""

    def __bool__(self) -> bool:
        return self.total > 0

    @property
    def total(self) -> int:
        return self.states.total() + self.outside


@dataclass(frozen=True)
class Fit:
    """How many of the selected cases a verb fits, and why not the others."""

    count: int
    why: str = ""

    def __bool__(self) -> bool:
        return self.count > 0


class ActionBar(QWidget):
    """Shows the verbs that fit the selection; of many cases those that cannot follow stay where they are."""

    commanded = Signal(object)
    """The command to run."""
    proposed = Signal(object)
    """The command that a second officer has to confirm."""

    def __init__(self, theme: Theme, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._context = context
        self._workflow: Workflow | None = None
        self._work: ActWork | None = None
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

    def set_work(self, work: ActWork) -> None:
        """How an act is looked ahead; without it, a verb goes to all of the selected cases or to none."""
        self._work = work
        self.refresh()

    def press(self, keys: str) -> bool:
        """Do what a key stands for; when the selected cases do not allow it, the bar says why."""
        verb = next((verb for verb in VERBS.values() if keys and verb.keys == keys), None)
        if verb is None or not self._context.selection or self._workflow is None:
            return False
        why = self.why_not(verb.key)
        if why:
            self._why.setText(why)
        else:
            self.ask(verb.key)
        return not why

    def give(self, unit_id: int) -> None:
        """The selected cases are wanted by a unit: ask the rest, as if its key had been pressed."""
        states = self._states()
        if self._workflow is None or not states:
            return
        fits = self._possible(states)
        key = max(_PUT, key=lambda each: fits[each].count)
        if fits[key]:
            self.ask(key, given={"unit": unit_id})
        else:
            self._why.setText(fits[key].why)

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

    def _states(self, ids: Iterable[int] | None = None) -> _Chosen:
        # From the columns: thousands may be selected, and this is asked at every beat.
        store = self._context.board.store
        slots = slots_of(self._context, self._context.selection if ids is None else ids)
        who = self._context.who
        reach = within_reach(who, store, slots)
        outside = slots[~reach]
        slots = slots[reach]
        waiting = store.requests[slots]
        asked = {
            kind: _counted_states(store, slots[(waiting & bit) > 0]) for kind, bit in REQUEST_BITS.items()
        }
        others = (store.claimant[slots] > 0) & (store.accounts.ids[store.claimant[slots]] != who.account_id)
        asked[CLAIMED] = _counted_states(store, slots[others])
        refusal = why_not(who, "", store, int(outside[0])) if len(outside) else None
        why = refusal.text() if refusal is not None else ""
        return _Chosen(_counted_states(store, slots), asked, len(outside), why)

    def refresh(self) -> None:
        """Offer what every selected case allows; the rest stands under "More" with the reason."""
        states = self._states()
        self.setVisible(bool(states) and self._workflow is not None)
        if not states or self._workflow is None:
            return
        # zh: 已选 {count} 件
        self._count.setText(_("{count} selected").format(count=number(states.total)))
        total, possible = states.total, self._possible(states)
        shown = self._shown(possible, total)
        for key, button in self._buttons.items():
            button.setVisible(key in shown)
            if key in shown:
                button.setText(_counted(VERBS[key], possible[key], total))
        self._more.setVisible(len(shown) < len(possible))
        if any(possible.values()):
            self._why.setText("")
        elif states.why_outside and not states.states:
            self._why.setText(states.why_outside)
        elif any(self._workflow.allowed(state, self._context.who) for state in STATES):
            self._why.setText(_("None of your acts fits all of them."))
        else:
            # zh: 只读：您的角色不能处理案件
            self._why.setText(_("Read only: your role has no acts on cases."))

    def _shown(self, possible: Mapping[str, Fit], total: int) -> set[str]:
        """The verbs with a button: those that fit all; where there is none, those that fit most of them."""
        usual = [key for key in possible if not (VERBS[key].danger or VERBS[key].rare)]
        all_of_them = {key for key in usual if possible[key].count == total}
        if all_of_them - {"merge"}:
            return all_of_them
        most = sorted((key for key in usual if possible[key]), key=lambda key: -possible[key].count)
        return all_of_them | set(most[:2])

    def _possible(self, chosen: _Chosen) -> dict[str, Fit]:
        """Verb → how many of the cases it fits, with the reason of the first that it does not."""
        return {key: self._fit(verb, chosen) for key, verb in OFFERED.items()}

    def _in_menu(self, chosen: _Chosen) -> frozenset[str]:
        """The verbs that the menu lists: all, but answers to requests only where such a request waits."""
        return frozenset(
            key for key, verb in OFFERED.items() if not verb.request or chosen.asked[verb.request]
        )

    def _fit(self, verb: Verb, chosen: _Chosen) -> Fit:
        total, fitting, why = chosen.total, 0, ""
        states = chosen.asked[verb.request] if verb.request else chosen.states
        for state, cases in states.items():
            try:
                self._demand(verb, state)
                fitting += cases
            except Refused as refusal:
                why = why or refusal.text()
        why = why or chosen.why_outside
        if verb.key == "merge" and not why and total < 2:
            return Fit(0, _("Select two cases or more."))
        if verb.request and not why and fitting < total:
            claim = verb.request == CLAIMED
            why = _("Nobody else has claimed it.") if claim else _("No such request waits.")
        if why and len(chosen.states) + bool(chosen.outside) > 1:
            why = _("{count} of {total}: {why}").format(
                count=number(total - fitting), total=number(total), why=why
            )
        if fitting < total and (verb.all_or_none or self._work is None):
            fitting = 0
        return Fit(fitting, why)

    def _demand(self, verb: Verb, state: str) -> None:
        assert self._workflow is not None
        who = self._context.who
        if not verb.permission:
            self._workflow.move(state, verb.key, who, self._workflow.demands(verb.key))
        elif not who.may(verb.permission):
            raise Refused(
                "not_permitted", N_("{who} may not do this: {what}."), who=who.name, what=verb.named()
            )
        elif not STATES[state].open:
            raise Refused("wrong_state", N_("The case has ended."))

    def open_menu(self, place: QPoint) -> None:
        """All verbs at a place of the screen; what the selected cases do not allow is grey and says why."""
        chosen = self._states()
        if chosen and self._workflow is not None:
            self._menu(self._in_menu(chosen)).popup(place)

    def _on_more(self) -> None:
        shown = {key for key, button in self._buttons.items() if button.isVisible()}
        menu = self._menu(self._in_menu(self._states()) - shown)
        # Above the button: the bar stands at the foot of the room.
        menu.popup(self._more.mapToGlobal(QPoint(0, -menu.sizeHint().height())))

    def _menu(self, keys: frozenset[str]) -> QMenu:
        menu = QMenu(self)
        states = self._states()
        for key, fit in self._possible(states).items():
            if key in keys:
                words = _counted(VERBS[key], fit, states.total) if fit else VERBS[key].shown()
                action = menu.addAction((words if fit else f"{words} — {fit.why}").replace("&", "&&"))
                action.setEnabled(bool(fit))
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
        if VERBS[key].alone and states.total > 1:
            return _("Decided on one case at a time.")
        fit = self._fit(VERBS[key], states)
        return "" if fit else fit.why

    def ask(self, key: str, ids: Iterable[int] | None = None, given: Mapping[str, Any] | None = None) -> None:
        """Ask for what a verb still needs beyond what is ``given`` ("unit": id, "text"), then command it for
        these cases, by default the selected ones.
        """
        verb = VERBS[key]
        ids = tuple(sorted(self._context.selection if ids is None else ids))
        if not verb.asks and self._follow_at_once(verb, ids):
            self.commanded.emit(verb.make(ids, {}))
            return
        offers = self._oldest_first(ids) if "leader" in verb.asks else ()
        dialog = ActDialog(
            self._theme,
            self._context,
            verb,
            ids,
            self.window(),
            offers,
            given or {},
            work=self._work,
            versions=seen_versions(self._context, ids),
        )
        dialog.commanded.connect(self.commanded)
        dialog.proposed.connect(self.proposed)
        dialog.open()

    def _follow_at_once(self, verb: Verb, ids: Ids) -> bool:
        """Whether all of them can follow and are few enough to be taken in at a glance."""
        if self._work is None:
            return True
        states = self._states(ids)
        return len(ids) <= MOST_AT_ONCE and self._fit(verb, states).count == states.total

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
        paint_strip(self, self._theme)


def _counted(verb: Verb, fit: Fit, total: int) -> str:
    """The word on a button or in the menu; where it fits only some of the cases, how many."""
    if fit.count == total:
        return verb.shown()
    # zh: {verb}（{total} 件中的 {count} 件）
    return _("{verb} ({count} of {total})").format(
        verb=verb.shown(), count=number(fit.count), total=number(total)
    )


def _counted_states(store: Store, slots: Int32) -> Counter[str]:
    found = np.bincount(store.state[slots])
    return Counter({STATE_CODES[code]: int(found[code]) for code in np.flatnonzero(found).tolist()})
