"""The verbs that a person can ask for, and the dialog that asks for what one needs before it is commanded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from PySide6.QtCore import QDate, QStringListModel, Qt, Signal
from PySide6.QtWidgets import QComboBox, QCompleter, QDateEdit, QDialog, QLineEdit, QVBoxLayout, QWidget

from db.cases.commands import closing, dispatch, handling, intake, merging, orders, requests
from db.cases.queries import STATE_CODES
from db.cases.rules import ORDER_LEVELS, STATES
from db.cases.workflow import VERB_LABELS
from db.kernel.language import N_, _, language
from db.live.columns import Int32
from db.live.directory import Entry
from desktop.core.context import Context
from desktop.core.words import local, number
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
    """Of "leader" (a case), "class", "unit", "perhaps" (a unit that may be left out), "level", "until" (a
    day), "text", "maybe" (a text that may be left empty), "evidence" (a document), "proof" (one that may be
    left empty).
    """
    words: str = ""
    """The question for the text that it asks for (reason or note)."""
    keys: str = ""
    danger: bool = False
    until: str = ""
    """The question for the day that it asks for."""
    rare: bool = False
    """Stands in the menu, not in the bar of the queue."""
    alone: bool = False
    """Decided on one case at a time, with the case before one's eyes."""
    title: str = ""
    """What stands on its button, where that is not the word for what happened."""

    def shown(self) -> str:
        """The word on its button, in the reader's language."""
        return _(self.title or VERB_LABELS[self.key])


def _asking(kind: str, words: str, *asks: str) -> Verb:
    """A unit asks for something."""
    makes: dict[str, Callable[[Ids, Mapping[str, Any]], Any]] = {
        "postpone": lambda ids, a: requests.AskPostpone(ids, a["text"], a["evidence"]),
        "return": lambda ids, a: requests.AskReturn(ids, a["text"], a["evidence"]),
        "suspend": lambda ids, a: requests.AskSuspend(ids, a["text"], a["until"], a["evidence"]),
        "appeal": lambda ids, a: requests.AskAppeal(ids, a["text"], a["evidence"]),
    }
    # zh: 挂账至
    until = N_("Suspended until") if "until" in asks else ""
    return Verb(f"ask_{kind}", makes[kind], ("text", *asks), words, until=until, rare=True, alone=True)


def _granting(kind: str) -> Verb:
    return Verb(
        f"grant_{kind}",
        lambda ids, a: requests.Grant(ids, kind, a["text"]),
        ("maybe",),
        N_("Remark (may be empty)"),
        rare=True,
        alone=True,
    )


def _refusing(kind: str) -> Verb:
    return Verb(
        f"refuse_{kind}",
        lambda ids, a: requests.Refuse(ids, kind, a["text"]),
        ("text",),
        N_("Why is it not granted?"),
        rare=True,
        alone=True,
    )


VERBS = {
    verb.key: verb
    for verb in (
        Verb("accept", lambda ids, _a: intake.Accept(ids), keys="A"),
        Verb(
            "send_verify",
            lambda ids, a: intake.SendVerify(ids, None, a["text"]),
            ("maybe",),
            N_("What is to be looked at? (may be empty)"),
            rare=True,
        ),
        Verb(
            "verify_true",
            lambda ids, a: intake.VerifyTrue(ids, a["text"]),
            ("maybe",),
            N_("Remark (may be empty)"),
        ),
        Verb(
            "verify_false",
            lambda ids, a: intake.VerifyFalse(ids, a["text"]),
            ("text",),
            N_("What was found instead?"),
        ),
        Verb("register", lambda ids, _a: intake.Register(ids), keys="G"),
        Verb("dispatch", lambda ids, a: dispatch.Dispatch(ids, a["unit"]), ("unit",), keys="P"),
        Verb(
            "send_back",
            lambda ids, a: dispatch.SendBack(ids, a["text"]),
            ("text",),
            N_("Why is it sent back?"),
            rare=True,
        ),
        Verb("add_helper", lambda ids, a: dispatch.AddHelper(ids, a["unit"]), ("unit",), rare=True),
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
        _asking("postpone", N_("Why is more time needed?"), "proof"),
        _granting("postpone"),
        _refusing("postpone"),
        _asking("return", N_("Why is it not yours?"), "evidence"),
        _granting("return"),
        _refusing("return"),
        _asking("suspend", N_("Why can it not be done now?"), "until", "evidence"),
        _granting("suspend"),
        _refusing("suspend"),
        Verb(
            "resume",
            lambda ids, a: requests.Resume(ids, a["text"]),
            ("maybe",),
            N_("Remark (may be empty)"),
            rare=True,
        ),
        Verb(
            "send_check",
            lambda ids, a: closing.SendCheck(ids, None, a["text"]),
            ("maybe",),
            N_("What is to be looked at? (may be empty)"),
            rare=True,
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
        _asking("appeal", N_("Why should the overdue not count?"), "proof"),
        _granting("appeal"),
        _refusing("appeal"),
        Verb(
            "confirm_appeal",
            lambda ids, a: requests.DecideAppeal(ids, True, a["text"]),
            ("maybe",),
            N_("Remark (may be empty)"),
            rare=True,
            alone=True,
        ),
        Verb(
            "overrule_appeal",
            lambda ids, a: requests.DecideAppeal(ids, False, a["text"]),
            ("text",),
            N_("Why is it not granted?"),
            rare=True,
            alone=True,
        ),
        Verb(
            "supervise",
            lambda ids, a: orders.Supervise(ids, a["text"], a["until"], a["level"]),
            ("level", "text", "until"),
            N_("What is demanded?"),
            until=N_("Answer by"),
            rare=True,
        ),
        Verb(
            "answer_order",
            lambda ids, a: orders.AnswerOrder(ids, a["text"]),
            ("text",),
            N_("What is the answer?"),
            rare=True,
            alone=True,
        ),
        Verb(
            "urge",
            lambda ids, a: orders.Urge(ids, a["text"]),
            ("maybe",),
            N_("Remark (may be empty)"),
            rare=True,
        ),
        Verb(
            "merge",
            lambda ids, a: merging.Merge(
                tuple(case_id for case_id in ids if case_id != a["leader"]), a["leader"], a["text"]
            ),
            ("leader", "maybe"),
            N_("Remark (may be empty)"),
            # zh: 并入…
            title=N_("Merge into…"),
        ),
        Verb(
            "unmerge",
            lambda ids, a: merging.Unmerge(ids, a["text"]),
            ("text",),
            N_("Why is it no duplicate?"),
            alone=True,
        ),
        Verb(
            "split",
            lambda ids, a: merging.Split(ids[0], (a["text"],), a["category"], a["unit"] or None),
            ("class", "perhaps", "text"),
            N_("What is to be done in this part?"),
            rare=True,
            alone=True,
            # zh: 拆分子案件…
            title=N_("Split off a part…"),
        ),
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
        Verb(
            "force_close",
            lambda ids, a: closing.ForceClose(ids, a["text"]),
            ("text",),
            N_("Why is it closed without a passed check?"),
            danger=True,
        ),
    )
}
"""In the order in which a case meets them."""


_NOTES = frozenset({"handle", "answer_order", "split"})
"""Their text says what was or is to be done; that of the others says why."""
MOST_OFFERED = 50
"""So many cases are offered to merge into; any other is named by its number."""


class ActDialog(QDialog):
    """Asks for what a verb needs, and writes the effect beside the button before it is pressed."""

    answered = Signal(object)

    def __init__(
        self,
        theme: Theme,
        context: Context,
        verb: Verb,
        ids: Ids,
        parent: QWidget | None = None,
        offers: Sequence[int] = (),
        given: Mapping[str, Any] | None = None,
    ) -> None:
        """``offers``: cases that may lead; the first of them does when it is one of ``ids``.

        ``given``: what is known already, by the names under which ``answered`` tells it ("unit", "text").
        """
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._theme = theme
        self._context = context
        self._verb = verb
        self._ids = ids
        self._offers = offers
        self._units: dict[str, Entry] = {}
        self._classes: dict[str, Entry] = {}
        self._leaders: dict[str, int] = {}
        self._build()
        self._fill(given or {})
        self._say_effect()

    def _fill(self, given: Mapping[str, Any]) -> None:
        """Put in what is known and begin at what is not."""
        known = [name for name, entry in self._units.items() if entry.id == given.get("unit")]
        if known:
            self.unit.setCurrentText(known[0])
            self.text.setFocus(Qt.FocusReason.OtherFocusReason)
        if given.get("text"):
            self.text.setText(given["text"])

    def _build(self) -> None:
        px = self._theme.px
        title = _("{verb}: {count} cases").format(
            verb=_(VERB_LABELS[self._verb.key]), count=number(len(self._ids))
        )
        self.setWindowTitle(title)
        self.form = Form(self._theme, _(VERB_LABELS[self._verb.key]), _("Cancel"))
        # Before the fields: what is chosen in advance tells its effect.
        self.effect = label("", "label", "text2")
        self.effect.setWordWrap(True)
        self.leader = QComboBox()
        self.category = QComboBox()
        self.unit = QComboBox()
        self.text = QLineEdit()
        self.level = QComboBox()
        self.until = QDateEdit()
        self.evidence = QLineEdit()
        asks = self._verb.asks
        if "leader" in asks:
            self._offer_leaders()
            # zh: 主案件
            self.form.add("leader", _("Into which case? (choose, or type its number)"), self.leader)
        if "class" in asks:
            self._offer_classes()
            self.form.add("class", _("Category"), self.category)
        if "unit" in asks or "perhaps" in asks:
            self._offer_units()
            words = _("To which unit") if "unit" in asks else _("To which unit (may be empty)")
            self.form.add("unit", words, self.unit)
        if "level" in asks:
            for key, title_of in ORDER_LEVELS.items():
                self.level.addItem(_(title_of), key)
            self.form.add("level", _("Level"), self.level)
        if "text" in asks or "maybe" in asks:
            self.text.setMaxLength(400)
            self.form.add("text", _(self._verb.words), self.text)
        if "until" in asks:
            self._offer_days()
            self.form.add("until", _(self._verb.until), self.until)
        if "evidence" in asks or "proof" in asks:
            self.evidence.setMaxLength(400)
            # zh: 证明材料
            words = _("Which document proves it?") if "evidence" in asks else _("Document (may be empty)")
            self.form.add("evidence", words, self.evidence)
        self.form.add_widget(self.effect)
        self.form.sent.connect(self._on_sent)
        self.form.cancelled.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(px(20), px(16), px(20), px(16))
        column.setSpacing(px(12))
        column.addWidget(label(title, "place", "text1", bold=True))
        column.addWidget(self.form)
        self.setMinimumWidth(px(440))
        first = self.leader if "leader" in asks else self.unit if "unit" in asks else self.text
        first.setFocus(Qt.FocusReason.OtherFocusReason)

    def _offer_days(self) -> None:
        today = local(self._context.board.now_ms, self._context.zone).date()
        self.until.setCalendarPopup(True)
        self.until.setDisplayFormat("yyyy-MM-dd")
        self.until.setMinimumDate(QDate(today.year, today.month, today.day))
        self.until.setDate(self.until.minimumDate().addDays(1))

    def _end_of_day(self) -> datetime:
        """The last minute of the chosen day, in the city."""
        day = self.until.date()
        return datetime(day.year(), day.month(), day.day(), 23, 59, tzinfo=self._context.zone)

    def _offer_units(self) -> None:
        directory = self._context.board.directory
        units = [entry for entry in directory.of("unit") if entry.active]
        names = Counter(entry.label(language()) for entry in units)
        for entry in units:
            name = entry.label(language())
            # Two units of one name are told apart by their codes.
            self._units[name if names[name] == 1 else f"{name} ({entry.code})"] = entry
        self._offer(self.unit, list(self._units))

    def _offer_classes(self) -> None:
        store, directory = self._context.board.store, self._context.board.directory
        for entry in directory.of("category"):
            words = f"{entry.label(language())} ({entry.code})"
            if words in self._classes:
                # One code in two standards.
                words = f"{words} {entry.major.rsplit('/', 2)[0]}"
            self._classes[words] = entry
        self._offer(self.category, list(self._classes))
        for slot in slots_of(self._context, self._ids)[:1].tolist():
            own = int(store.codes["category"].ids[store.category[slot]])
            known = [entry.id for entry in self._classes.values()]
            self.category.setCurrentIndex(known.index(own) if own in known else -1)

    def _offer_leaders(self) -> None:
        board = self._context.board
        store = board.store
        for case_id in self._offers[:MOST_OFFERED]:
            slot = store.slot_of(case_id)
            if slot is None or not store.is_open[slot]:
                continue
            category = int(store.codes["category"].ids[store.category[slot]])
            parts = (
                store.number[slot],
                board.directory.label("category", category, language()),
                store.address[slot],
            )
            self._leaders["  ".join(part for part in parts if part)] = case_id
        self._offer(self.leader, list(self._leaders))
        if self._offers and self._offers[0] in self._ids:
            self.leader.setCurrentIndex(0)

    def _offer(self, field: QComboBox, lines: list[str]) -> None:
        """Lines to choose from by typing any part of one."""
        field.setEditable(True)
        field.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        # However long a line is, the dialog stays as wide as it is.
        field.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        field.addItems(lines)
        field.setCurrentIndex(-1)
        completer = QCompleter(QStringListModel(lines, self), self)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        field.setCompleter(completer)
        field.currentTextChanged.connect(lambda _text: self._say_effect())

    def _leading(self) -> int | None:
        """The open case that was chosen, or whose number was typed."""
        words = self.leader.currentText().strip()
        if words in self._leaders:
            return self._leaders[words]
        store = self._context.board.store
        slots = (slot for slot, number_ in enumerate(store.number[: store.size]) if number_ == words)
        return next(
            (int(store.id[slot]) for slot in slots if store.alive[slot] and store.is_open[slot]), None
        )

    def _say_effect(self) -> None:
        """What will be once the button is pressed."""
        if "leader" in self._verb.asks:
            told = self._merge_effect()
        elif "class" in self._verb.asks:
            words = _("A new case at this place, beside this one, which can be closed only after it.")
            told = "\n".join(part for part in (words, self._unit_effect()) if part)
        else:
            told = self._unit_effect()
        self.effect.setText(told)
        # A wrapped label asks for less than it needs, and the form gives no more than is asked for.
        self.effect.setMinimumHeight(self.effect.heightForWidth(self._theme.px(400)) if told else 0)

    def _merge_effect(self) -> str:
        if not self.leader.currentText().strip():
            return ""
        leader = self._leading()
        if leader is None:
            return _("No open case has this number.")
        store = self._context.board.store
        slot = store.slot_of(leader)
        assert slot is not None
        others = slots_of(self._context, [case_id for case_id in self._ids if case_id != leader]).tolist()
        numbers = _(", ").join(store.number[other] for other in others[:3])
        if len(others) > 3:
            # zh: {cases}等 {count} 件
            numbers = _("{cases}… ({count})").format(cases=numbers, count=number(len(others)))
        # zh: {cases} 并入 {number}（{state}）：各自结束、保留原上报，可以撤销并案。
        words = _(
            "{cases} will go on inside {number} ({state}): ended here, each keeping its own report; "
            "it can be taken out again."
        )
        state = STATES[STATE_CODES[int(store.state[slot])]].label
        return words.format(cases=numbers, number=store.number[slot], state=_(state)) if others else ""

    def _unit_effect(self) -> str:
        """The chosen unit's load before and after, as the map and the queue will show it."""
        entry = self._units.get(self.unit.currentText())
        if entry is None:
            return ""
        store = self._context.board.store
        slots = slots_of(self._context, self._ids)
        code = store.codes["unit"].code(entry.id)
        # The whole load, whatever the filter shows. Code 0 is "no unit": this one never had a case.
        open_now = int(np.count_nonzero(store.is_open & (store.unit == code))) if code else 0
        # A part comes on top of what the unit has.
        moves = "unit" in self._verb.asks
        there = int(np.count_nonzero(store.unit[slots] == code)) if code and moves else 0
        # zh: {unit}在办 {before} → {after}
        words = _("{unit}: open {before} → {after}")
        return words.format(
            unit=entry.label(language()),
            before=number(open_now),
            after=number(open_now + len(slots) - there),
        )

    def _on_sent(self) -> None:
        errors: dict[str, str] = {}
        entry = self._units.get(self.unit.currentText())
        if "unit" in self._verb.asks and entry is None:
            errors["unit"] = _("Choose a unit from the list.")
        if "perhaps" in self._verb.asks and entry is None and self.unit.currentText().strip():
            errors["unit"] = _("Choose a unit from the list.")
        leader = self._leading() if "leader" in self._verb.asks else None
        if "leader" in self._verb.asks:
            if leader is None:
                errors["leader"] = _("Choose a case from the list, or type the number of an open one.")
            elif not set(self._ids) - {leader}:
                errors["leader"] = _("A case cannot be merged into itself.")
        category = self._classes.get(self.category.currentText())
        if "class" in self._verb.asks and category is None:
            errors["class"] = _("Choose a category from the list.")
        text = self.text.text().strip()
        if "text" in self._verb.asks and not text:
            errors["text"] = (
                _("A reason is required.")
                if self._verb.key not in _NOTES
                else _("Write what is to be done.")
                if self._verb.key == "split"
                else _("Write what was done.")
            )
        evidence = self.evidence.text().strip()
        if "evidence" in self._verb.asks and not evidence:
            errors["evidence"] = _("Name the document that proves it.")
        self.form.set_errors(errors)
        if not errors:
            answers = {"unit": entry.id if entry else 0, "text": text, "evidence": evidence}
            if leader is not None:
                answers["leader"] = leader
            if category is not None:
                answers["category"] = category.id
            if "until" in self._verb.asks:
                answers["until"] = self._end_of_day()
            if "level" in self._verb.asks:
                answers["level"] = self.level.currentData()
            self.answered.emit(answers)
            self.accept()


def slots_of(context: Context, ids: Iterable[int]) -> Int32:
    """The slots of those cases that are in the store."""
    store = context.board.store
    found = (store.slot_of(case_id) for case_id in ids)
    return np.array([slot for slot in found if slot is not None], dtype=np.int32)
