"""The verbs that a person can ask for, and the dialog that asks for what one needs before it is commanded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from PySide6.QtCore import QStringListModel, Qt, Signal
from PySide6.QtWidgets import QComboBox, QCompleter, QDialog, QLineEdit, QVBoxLayout, QWidget

from db.cases.commands import closing, dispatch, handling, intake
from db.cases.workflow import VERB_LABELS
from db.kernel.language import N_, _, language
from db.live.columns import Int32
from db.live.directory import Entry
from desktop.core.context import Context
from desktop.core.words import number
from desktop.widgets.form import Form
from desktop.widgets.plain import label
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
        Verb("accept", lambda ids, _a: intake.Accept(ids), keys="A"),
        Verb("register", lambda ids, _a: intake.Register(ids), keys="G"),
        Verb("dispatch", lambda ids, a: dispatch.Dispatch(ids, a["unit"]), ("unit",), keys="P"),
        Verb("receive", lambda ids, _a: handling.Receive(ids), keys="J"),
        Verb(
            "reassign",
            lambda ids, a: dispatch.Reassign(ids, a["unit"], a["text"]),
            ("unit", "text"),
            N_("Why is it reassigned?"),
            keys="R",
        ),
        Verb(
            "handle",
            lambda ids, a: handling.Handle(ids, a["text"]),
            ("text",),
            N_("What was done?"),
            keys="H",
        ),
        Verb("pass_check", lambda ids, _a: closing.PassCheck(ids), keys="T"),
        Verb(
            "fail_check",
            lambda ids, a: closing.FailCheck(ids, a["text"]),
            ("text",),
            N_("What is not right yet?"),
            keys="N",
        ),
        Verb("close", lambda ids, _a: closing.Close(ids), keys="E"),
        Verb(
            "reject",
            lambda ids, a: intake.Reject(ids, a["text"]),
            ("text",),
            N_("Why is it not accepted?"),
            danger=True,
        ),
        Verb(
            "void",
            lambda ids, a: intake.Void(ids, a["text"]),
            ("text",),
            N_("Why is it void?"),
            danger=True,
        ),
    )
}
"""In the order in which a case meets them."""


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
        slots = slots_of(self._context, self._ids)
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


def slots_of(context: Context, ids: Iterable[int]) -> Int32:
    """The slots of those cases that are in the store."""
    store = context.board.store
    found = (store.slot_of(case_id) for case_id in ids)
    return np.array([slot for slot in found if slot is not None], dtype=np.int32)
