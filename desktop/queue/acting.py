"""What can be done with the selected cases: a bar at the foot of the queue, and the dialog that asks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from PySide6.QtCore import QPoint, QStringListModel, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QComboBox,
    QCompleter,
    QDialog,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QVBoxLayout,
    QWidget,
)

from db.cases import commands
from db.cases.queries import STATE_CODES
from db.cases.rules import STATES
from db.cases.workflow import VERB_LABELS, Workflow
from db.kernel.language import N_, _, language
from db.kernel.refusal import Refused
from db.live.board import News
from db.live.columns import Int32
from db.live.directory import Entry
from desktop.core.context import Context
from desktop.core.words import number
from desktop.widgets.button import Button
from desktop.widgets.form import Form
from desktop.widgets.plain import Elided, label
from desktop.widgets.theme import Theme

Ids = tuple[int, ...]


@dataclass(frozen=True)
class Verb:
    """How a verb of the workflow is asked for and which command it makes."""

    key: str
    make: Callable[[Ids, Mapping[str, Any]], Any]
    asks: tuple[str, ...] = ()
    words: str = ""
    """The question for the text that it asks for (reason or note)."""
    keys: str = ""
    danger: bool = False


VERBS = {
    verb.key: verb
    for verb in (
        Verb("accept", lambda ids, _a: commands.Accept(ids), keys="A"),
        Verb("register", lambda ids, _a: commands.Register(ids), keys="G"),
        Verb("dispatch", lambda ids, a: commands.Dispatch(ids, a["unit"]), ("unit",), keys="P"),
        Verb("receive", lambda ids, _a: commands.Receive(ids), keys="J"),
        Verb(
            "reassign",
            lambda ids, a: commands.Reassign(ids, a["unit"], a["text"]),
            ("unit", "text"),
            N_("Why is it reassigned?"),
            keys="R",
        ),
        Verb(
            "handle",
            lambda ids, a: commands.Handle(ids, a["text"]),
            ("text",),
            N_("What was done?"),
            keys="H",
        ),
        Verb("pass_check", lambda ids, _a: commands.PassCheck(ids), keys="T"),
        Verb(
            "fail_check",
            lambda ids, a: commands.FailCheck(ids, a["text"]),
            ("text",),
            N_("What is not right yet?"),
            keys="N",
        ),
        Verb("close", lambda ids, _a: commands.Close(ids), keys="E"),
        Verb(
            "reject",
            lambda ids, a: commands.Reject(ids, a["text"]),
            ("text",),
            N_("Why is it not accepted?"),
            danger=True,
        ),
        Verb(
            "void",
            lambda ids, a: commands.Void(ids, a["text"]),
            ("text",),
            N_("Why is it void?"),
            danger=True,
        ),
    )
}
"""In the order in which a case meets them."""


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
                    self._ask(key)
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
        for key, verb in VERBS.items():
            button = Button(self._theme, _(VERB_LABELS[key]), keys=verb.keys, kind="plain")
            button.clicked.connect(lambda _on=False, key=key: self._ask(key))
            button.hide()
            self._buttons[key] = button
            self._row.addWidget(button)
        self._why = Elided("", "label", "text2")
        self._row.addWidget(self._why, 1)
        self._row.addWidget(self._more)
        self._on_theme()

    def _states(self) -> Counter[str]:
        # From the columns: thousands may be selected, and this is asked at every beat.
        found = np.bincount(self._context.board.store.state[_slots(self._context, self._context.selection)])
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
            button.setVisible(possible[key] is None and not VERBS[key].danger)
        self._more.setVisible(any(VERBS[key].danger or why for key, why in possible.items()))
        if any(button.isVisibleTo(self) for button in self._buttons.values()):
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
        everything = frozenset({"unit", "reason", "note", "condition"})
        for key in VERBS:
            reasons: list[str] = []
            count = 0
            for state, cases in states.items():
                try:
                    self._workflow.move(state, key, self._context.who, everything)
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
        return found

    def open_menu(self, place: QPoint) -> None:
        """All verbs at a place of the screen; what the selected cases do not allow is grey and says why."""
        if self._states() and self._workflow is not None:
            self._menu(frozenset(VERBS)).popup(place)

    def _on_more(self) -> None:
        shown = {key for key, button in self._buttons.items() if button.isVisible()}
        menu = self._menu(frozenset(VERBS) - shown)
        # Above the button: the bar stands at the foot of the room.
        menu.popup(self._more.mapToGlobal(QPoint(0, -menu.sizeHint().height())))

    def _menu(self, keys: frozenset[str]) -> QMenu:
        menu = QMenu(self)
        for key, why in self._possible(self._states()).items():
            if key in keys:
                words = _(VERB_LABELS[key]) if why is None else f"{_(VERB_LABELS[key])} — {why}"
                action = menu.addAction(words.replace("&", "&&"))
                action.setEnabled(why is None)
                action.triggered.connect(lambda _on=False, key=key: self._ask(key))
        menu.aboutToHide.connect(menu.deleteLater)
        return menu

    def _ask(self, key: str) -> None:
        verb = VERBS[key]
        ids = tuple(sorted(self._context.selection))
        if not verb.asks:
            self.commanded.emit(verb.make(ids, {}))
            return
        dialog = ActDialog(self._theme, self._context, verb, ids, self.window())
        dialog.answered.connect(lambda answers: self.commanded.emit(verb.make(ids, answers)))
        dialog.open()

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


class ActDialog(QDialog):
    """Asks for unit and text, and writes the effect beside the button before it is pressed."""

    answered = Signal(object)

    def __init__(
        self, theme: Theme, context: Context, verb: Verb, ids: Ids, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._theme = theme
        self._context = context
        self._verb = verb
        self._ids = ids
        self._units: dict[str, Entry] = {}
        self._build()
        self._say_effect()

    def _build(self) -> None:
        px = self._theme.px
        title = _("{verb}: {count} cases").format(
            verb=_(VERB_LABELS[self._verb.key]), count=number(len(self._ids))
        )
        self.setWindowTitle(title)
        self.form = Form(self._theme, _(VERB_LABELS[self._verb.key]), _("Cancel"))
        self.unit = QComboBox()
        self.text = QLineEdit()
        if "unit" in self._verb.asks:
            self._offer_units()
            self.form.add("unit", _("To which unit"), self.unit)
        if "text" in self._verb.asks:
            self.text.setMaxLength(400)
            self.form.add("text", _(self._verb.words), self.text)
        self.effect = label("", "label", "text2")
        self.effect.setWordWrap(True)
        self.form.add_widget(self.effect)
        self.form.sent.connect(self._on_sent)
        self.form.cancelled.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(px(20), px(16), px(20), px(16))
        column.setSpacing(px(12))
        column.addWidget(label(title, "place", "text1", bold=True))
        column.addWidget(self.form)
        self.setMinimumWidth(px(440))
        (self.unit if "unit" in self._verb.asks else self.text).setFocus(Qt.FocusReason.OtherFocusReason)

    def _offer_units(self) -> None:
        directory = self._context.board.directory
        units = [entry for entry in directory.of("unit") if entry.active]
        names = Counter(entry.label(language()) for entry in units)
        for entry in units:
            name = entry.label(language())
            # Two units of one name are told apart by their codes.
            self._units[name if names[name] == 1 else f"{name} ({entry.code})"] = entry
        self.unit.setEditable(True)
        self.unit.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.unit.addItems(list(self._units))
        self.unit.setCurrentIndex(-1)
        completer = QCompleter(QStringListModel(list(self._units), self), self)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.unit.setCompleter(completer)
        self.unit.currentTextChanged.connect(lambda _text: self._say_effect())

    def _say_effect(self) -> None:
        """The chosen unit's load before and after, as the map and the queue will show it."""
        entry = self._units.get(self.unit.currentText())
        if entry is None:
            self.effect.setText("")
            return
        store = self._context.board.store
        slots = _slots(self._context, self._ids)
        code = store.codes["unit"].code(entry.id)
        # The whole load, whatever the filter shows. Code 0 is "no unit": this one never had a case.
        open_now = int(np.count_nonzero(store.is_open & (store.unit == code))) if code else 0
        there = int(np.count_nonzero(store.unit[slots] == code)) if code else 0
        # zh: {unit}在办 {before} → {after}
        words = _("{unit}: open {before} → {after}")
        self.effect.setText(
            words.format(
                unit=entry.label(language()),
                before=number(open_now),
                after=number(open_now + len(slots) - there),
            )
        )

    def _on_sent(self) -> None:
        errors: dict[str, str] = {}
        entry = self._units.get(self.unit.currentText())
        if "unit" in self._verb.asks and entry is None:
            errors["unit"] = _("Choose a unit from the list.")
        text = self.text.text().strip()
        if "text" in self._verb.asks and not text:
            errors["text"] = (
                _("A reason is required.") if self._verb.key != "handle" else _("Write what was done.")
            )
        self.form.set_errors(errors)
        if not errors:
            self.answered.emit({"unit": entry.id if entry else 0, "text": text})
            self.accept()


def _slots(context: Context, ids: Iterable[int]) -> Int32:
    """The slots of those cases that are in the store."""
    store = context.board.store
    found = (store.slot_of(case_id) for case_id in ids)
    return np.array([slot for slot in found if slot is not None], dtype=np.int32)
