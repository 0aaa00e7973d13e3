"""The dialog that asks for what a verb needs and shows what would come of it, before it is commanded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
from PySide6.QtCore import QDate, QStringListModel, Qt, QTimer, Signal
from PySide6.QtGui import QKeySequence, QShortcut, QStandardItemModel
from PySide6.QtWidgets import QComboBox, QCompleter, QDateEdit, QDialog, QLineEdit, QVBoxLayout, QWidget
from shiboken6 import isValid

from db.advice.automatic import DispatchAdvised
from db.advice.rules import Advice
from db.cases.commands.moving import foreseeable
from db.cases.foresight import Foresight
from db.cases.queries import STATE_CODES
from db.cases.rules import ORDER_LEVELS, PRIORITIES, STATES
from db.cases.scope import beyond_target
from db.kernel.language import _, language, ngettext_
from db.kernel.refusal import Trouble
from db.live.board import News
from db.live.columns import Int32
from db.live.directory import Entry
from desktop.core.context import Context
from desktop.core.jobs import Jobs
from desktop.core.words import local, number
from desktop.widgets.advising import TAKE_KEYS, AdviceView
from desktop.widgets.effect import EffectView
from desktop.widgets.form import Form
from desktop.widgets.plain import label, tip
from desktop.widgets.theme import Theme
from desktop.widgets.verbs import VERBS, Ids, Verb

__all__ = ["VERBS", "ActDialog", "ActWork", "Ids", "Verb", "slots_of"]

_NOTES = frozenset({"handle", "answer_order", "split"})
"""Their text says what was or is to be done; that of the others says why."""
MOST_OFFERED = 50
"""So many cases are offered to merge into; any other is named by its number."""
_PAUSE_MS = 60
"""After a choice changed, or the cases did, until it is looked ahead again."""
_SOME_WORDS = "…"
"""Stands for the reason while none is written yet: whether there is one, the form says."""


@dataclass(frozen=True)
class ActWork:
    """What the dialog asks of the database; called off the GUI thread, and may raise ``Trouble``."""

    jobs: Jobs
    foresee: Callable[[Any], Foresight]
    advise: Callable[[Ids], Mapping[int, Advice]]
    """Which unit is advised for each case that waits for one."""


class ActDialog(QDialog):
    """Asks for what a verb needs, and writes the effect beside the button before it is pressed.

    With ``work`` it looks ahead by the rules themselves, again whenever something changes meanwhile; of many
    cases those that cannot follow are left out and listed. Without it, it tells what the room knows.
    """

    commanded = Signal(object)
    """The command, complete."""
    proposed = Signal(object)
    """The same, where a second officer has to confirm it."""

    def __init__(
        self,
        theme: Theme,
        context: Context,
        verb: Verb,
        ids: Ids,
        parent: QWidget | None = None,
        offers: Sequence[int] = (),
        given: Mapping[str, Any] | None = None,
        *,
        work: ActWork | None = None,
        versions: Ids = (),
    ) -> None:
        """``offers``: cases that may lead; the first of them does when it is one of ``ids``.

        ``given``: what is known already, by the names of the answers ("unit": id, "text");
        ``versions``: on which versions of the cases it is decided.
        """
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._theme = theme
        self._context = context
        self._verb = verb
        self._ids = ids
        self._offers = offers
        self._work = work
        self._versions = versions
        self._units: dict[str, Entry] = {}
        self._holders: dict[str, Entry] = {}
        self._classes: dict[str, Entry] = {}
        self._leaders: dict[str, int] = {}
        self._looks = 0
        self._is_looking = False
        self._send_when_seen = False
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE_MS)
        self._build()
        self._wire()
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
        people = [name for name, entry in self._holders.items() if entry.id == given.get("holder")]
        if people:
            self.holder.setCurrentText(people[0])
        if given.get("evidence"):
            self.evidence.setText(given["evidence"])
        if given.get("word"):
            self.word.setCurrentText(given["word"])
        for field, key in ((self.level, "level"), (self.priority, "priority")):
            if key in given:
                field.setCurrentIndex(field.findData(given[key]))
        if given.get("until") is not None:
            day = given["until"].astimezone(self._context.zone)
            self.until.setDate(max(QDate(day.year, day.month, day.day), self.until.minimumDate()))

    def _build(self) -> None:
        px = self._theme.px
        count = len(self._ids)
        title = ngettext_("{verb}: {count} case", "{verb}: {count} cases", count).format(
            verb=self._verb.named(), count=number(count)
        )
        self.setWindowTitle(title)
        self.form = Form(self._theme, self._verb.named(), _("Cancel"))
        # Before the fields: what is chosen in advance tells its effect.
        self.effect = label("", "label", "text2")
        self.effect.setWordWrap(True)
        directory = self._context.board.directory
        self.view = EffectView(self._theme, lambda unit_id: directory.label("unit", unit_id, language()))
        self.advice = AdviceView(self._theme, lambda unit_id: directory.label("unit", unit_id, language()))
        self.leader = QComboBox()
        self.category = QComboBox()
        self.unit = QComboBox()
        self.holder = QComboBox()
        self.text = QLineEdit()
        self.level = QComboBox()
        self.priority = QComboBox()
        self.word = QComboBox()
        self.until = QDateEdit()
        self.evidence = QLineEdit()
        self._build_fields()
        self.form.add_widget(self.effect)
        self.form.add_widget(self.view)
        column = QVBoxLayout(self)
        column.setContentsMargins(px(20), px(16), px(20), px(16))
        column.setSpacing(px(12))
        column.addWidget(label(title, "place", "text1", bold=True))
        column.addWidget(self.advice)
        column.addWidget(self.form)
        self.setMinimumWidth(px(500 if len(self._ids) == 1 else 600))
        asks = self._verb.asks
        if not asks:
            first: QWidget = self.form.send_button
        else:
            fields = {
                "leader": self.leader,
                "unit": self.unit,
                "priority": self.priority,
                "word": self.word,
            }
            first = next((fields[each] for each in asks if each in fields), self.text)
        first.setFocus(Qt.FocusReason.OtherFocusReason)

    def _build_fields(self) -> None:
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
        if self._verb.holder:
            self._offer(self.holder, [])
            # zh: 责任人（可不填）
            self.form.add("holder", _("To which person there (may be empty)"), self.holder)
        if "level" in asks:
            for key, title_of in ORDER_LEVELS.items():
                self.level.addItem(_(title_of), key)
            self.form.add("level", _("Level"), self.level)
        if "priority" in asks:
            for value, title_of in PRIORITIES.items():
                self.priority.addItem(_(title_of), value)
            self.priority.setCurrentIndex(1)
            self.priority.currentIndexChanged.connect(lambda _place: self._say_effect())
            # zh: 紧急程度
            self.form.add("priority", _("Priority"), self.priority)
        if "word" in asks:
            self._offer(self.word, self._known_tags())
            # zh: 标签
            self.form.add("word", _("Which tag"), self.word)
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

    def _wire(self) -> None:
        self.form.sent.connect(self._on_sent)
        self.form.cancelled.connect(self.reject)
        self.unit.currentTextChanged.connect(lambda _text: self._offer_holders())
        self.finished.connect(self._on_finished)
        if self._work is not None:
            self._pause.timeout.connect(self._look_ahead)
            self._context.news.connect(self._on_news)
            self.view.changed_size.connect(self._fit)
            self.view.again_wanted.connect(self._on_again)
            if self._verb.key == "dispatch":
                self.advice.taken.connect(self._on_advice)
                self.advice.all_taken.connect(self._on_all_advised)
                QShortcut(QKeySequence(TAKE_KEYS), self).activated.connect(self.advice.take)
                self._work.jobs.start(self._ask_advice(self._work))

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
        why = {name: self._why_not_unit(entry) for name, entry in self._units.items()}
        # Those beyond the scope stand at the end, grey, and say why.
        lines = sorted(self._units, key=lambda name: bool(why[name]))
        self._offer(self.unit, lines)
        items = self.unit.model()
        for place, name in enumerate(lines):
            if why[name] and isinstance(items, QStandardItemModel):
                items.item(place).setEnabled(False)
                items.item(place).setToolTip(tip(why[name]))

    def _why_not_unit(self, entry: Entry | None) -> str:
        """Why whoever is signed in may not give cases to a unit; "" when nothing speaks against it."""
        if entry is None:
            return ""
        refusal = beyond_target(self._context.who, entry.id, entry.label(language()))
        return refusal.text() if refusal is not None else ""

    def _offer_holders(self) -> None:
        """The people of the chosen unit."""
        if not self._verb.holder:
            return
        entry = self._units.get(self.unit.currentText())
        people = [
            each
            for each in self._context.board.directory.of("person")
            if entry is not None and each.parent_id == entry.id and each.active
        ]
        named = Counter(each.name for each in people)
        self._holders = {
            each.name if named[each.name] == 1 else f"{each.name} ({each.code})": each for each in people
        }
        self.holder.clear()
        self.holder.addItems(list(self._holders))
        self.holder.setCurrentIndex(-1)
        self.holder.setEnabled(bool(people))
        self.holder.completer().setModel(QStringListModel(list(self._holders), self.holder))

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

    def _known_tags(self) -> list[str]:
        """The tags in use; of the cases in question alone where one is to be taken off."""
        store = self._context.board.store
        alive = np.flatnonzero(store.alive[: store.size])
        slots = slots_of(self._context, self._ids) if self._verb.key == "untag" else alive
        values = store.sets["tags"].values
        return sorted({word for code in np.unique(store.tags[slots]).tolist() for word in values[code]})

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
        completer.popup().setObjectName("popup")
        field.setCompleter(completer)
        field.lineEdit().returnPressed.connect(lambda: self._on_return(field))
        field.currentTextChanged.connect(lambda _text: self._say_effect())

    def _complete(self) -> bool:
        """Take the one line that what was typed is a part of, in each field; whether there was one to take.

        Of tags none is taken: what was typed may be a new one.
        """
        # The unit before its people.
        fields = [each for each in (self.leader, self.category, self.unit, self.holder) if each.isEditable()]
        taken = [self._complete_one(field) for field in fields]
        return any(taken)

    def _complete_one(self, field: QComboBox) -> bool:
        words = field.currentText().strip().casefold()
        lines = [field.itemText(place) for place in range(field.count())]
        if (
            not words
            or field.currentText() in lines
            or (field is self.leader and self._leading() is not None)
        ):
            return False
        whole = [line for line in lines if words == line.casefold()]
        fitting = whole or [line for line in lines if words in line.casefold()]
        if len(fitting) != 1:
            return False
        field.setCurrentText(fitting[0])
        return True

    def focusNextPrevChild(self, forward: bool) -> bool:
        # Before the next field is looked for: that of the people can be entered once the unit stands.
        self._complete()
        return super().focusNextPrevChild(forward)

    def _on_return(self, field: QComboBox) -> None:
        # The list takes Enter for itself while it is open; else the form does.
        if field.completer().popup().isVisible():
            self._complete()

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
        if self._work is not None:
            self._pause.start()
        if "leader" in self._verb.asks:
            told = self._merge_effect()
        elif "class" in self._verb.asks:
            words = _("A new case at this place, beside this one, which can be closed only after it.")
            told = "\n".join(part for part in (words, self._unit_effect()) if part)
        else:
            told = self._unit_effect() if self._work is None else ""
        self.effect.setText(told)
        self.effect.setVisible(bool(told))
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

    def _answers(self) -> dict[str, Any]:
        """What was answered so far."""
        entry = self._units.get(self.unit.currentText())
        holder = self._holders.get(self.holder.currentText())
        answers: dict[str, Any] = {
            "unit": entry.id if entry else 0,
            "holder": holder.id if holder else None,
            "text": self.text.text().strip(),
            "evidence": self.evidence.text().strip(),
        }
        leader = self._leading() if "leader" in self._verb.asks else None
        if leader is not None:
            answers["leader"] = leader
        category = self._classes.get(self.category.currentText())
        if category is not None:
            answers["category"] = category.id
        if "until" in self._verb.asks:
            answers["until"] = self._end_of_day()
        if "level" in self._verb.asks:
            answers["level"] = self.level.currentData()
        if "priority" in self._verb.asks:
            answers["priority"] = self.priority.currentData()
        if "word" in self._verb.asks:
            answers["word"] = self.word.currentText().strip()
        return answers

    def _faults(self, answers: Mapping[str, Any]) -> dict[str, str]:
        """What is missing, by field."""
        asks, errors = self._verb.asks, {}
        if "unit" in asks and not answers["unit"]:
            errors["unit"] = _("Choose a unit from the list.")
        if "perhaps" in asks and not answers["unit"] and self.unit.currentText().strip():
            errors["unit"] = _("Choose a unit from the list.")
        if why := self._why_not_unit(self._units.get(self.unit.currentText())):
            errors["unit"] = why
        if self._verb.holder and answers["holder"] is None and self.holder.currentText().strip():
            errors["holder"] = _("Choose a person of this unit from the list, or nobody.")
        if "leader" in asks:
            if "leader" not in answers:
                errors["leader"] = _("Choose a case from the list, or type the number of an open one.")
            elif not set(self._ids) - {answers["leader"]}:
                errors["leader"] = _("A case cannot be merged into itself.")
        if "class" in asks and "category" not in answers:
            errors["class"] = _("Choose a category from the list.")
        if "word" in asks and not answers["word"]:
            errors["word"] = _("Write a tag, or choose one that is in use.")
        if "text" in asks and not answers["text"]:
            errors["text"] = (
                _("A reason is required.")
                if self._verb.key not in _NOTES
                else _("Write what is to be done.")
                if self._verb.key == "split"
                else _("Write what was done.")
            )
        if "evidence" in asks and not answers["evidence"]:
            errors["evidence"] = _("Name the document that proves it.")
        return errors

    def _command(self, answers: Mapping[str, Any]) -> Any:
        """The command as answered; of many cases those that cannot follow may be left out."""
        command = self._verb.make(self._ids, answers)
        changes: dict[str, Any] = {}
        if self._versions and getattr(command, "versions", None) == () and command.case_ids == self._ids:
            changes["versions"] = self._versions
        if (
            self._work is not None
            and len(self._ids) > 1
            and not self._verb.all_or_none
            and hasattr(command, "leave_out")
        ):
            changes["leave_out"] = True
        return replace(command, **changes) if changes else command

    def _on_sent(self) -> None:
        completed = self._complete()
        answers = self._answers()
        errors = self._faults(answers)
        self.form.set_errors(errors)
        if errors or completed:
            # What was completed is read before it is sent.
            return
        if self._is_looking and len(self._ids) > 1:
            # What is pressed is what was read: when all follow it is done, else it is pressed once more.
            self._send_when_seen = True
            return
        self._send(answers)

    def _send(self, answers: Mapping[str, Any]) -> None:
        command = self._command(answers)
        needs_second = self.view.foresight is not None and self.view.foresight.second_officer
        (self.proposed if needs_second else self.commanded).emit(command)
        self.accept()

    # Advice.

    async def _ask_advice(self, work: ActWork) -> None:
        try:
            advice = await work.jobs.read(work.advise, self._ids)
        except Trouble:
            # Without advice one dispatches as ever; a lost database is told by everything else.
            return
        if isValid(self):
            self.advice.set_advice(advice)
            self._fit()

    def _on_advice(self, advice: Advice) -> None:
        names = {entry.id: name for name, entry in self._units.items()}
        self.unit.setCurrentText(names.get(advice.unit_id or 0, ""))
        people = {entry.id: name for name, entry in self._holders.items()}
        if advice.person_id in people:
            self.holder.setCurrentText(people[advice.person_id])
        self.form.send_button.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_all_advised(self) -> None:
        self.commanded.emit(DispatchAdvised(self._ids, 0.0, self._versions))
        self.accept()

    # Looking ahead.

    def _look_ahead(self) -> None:
        if self._work is None or not isValid(self):
            return
        answers = self._answers()
        unanswered = {"unit", "leader", "class", "word"} & set(self._faults(answers))
        if unanswered:
            self.view.show_trouble(self._why_not_unit(self._units.get(self.unit.currentText())))
            self._say_button()
            return
        for each in ("text", "evidence"):
            answers[each] = answers[each] or _SOME_WORDS
        command = self._command(answers)
        if foreseeable(type(command)):
            self._work.jobs.start(self._look(command))

    async def _look(self, command: Any) -> None:
        assert self._work is not None
        self._looks += 1
        mine = self._looks
        self._is_looking = True
        self.view.wait()
        found, trouble = None, ""
        try:
            found = await self._work.jobs.read(self._work.foresee, command)
        except Trouble as error:
            trouble = error.text()
        if not isValid(self) or mine != self._looks:
            # Closed meanwhile, or asked again: the newer answer counts.
            return
        self._is_looking = False
        if found is None:
            self.view.show_trouble(trouble)
        else:
            self.view.show_foresight(found)
        self._say_button()
        if self._send_when_seen:
            self._send_when_seen = False
            if found is not None and not found.left_out:
                self._on_sent()

    def _say_button(self) -> None:
        """The button says how many it is about; when none can follow there is nothing to press."""
        found, words = self.view.foresight, self._verb.named()
        if found is None:
            self.form.send_button.setText(words)
            self.form.send_button.setEnabled(True)
            return
        if found.second_officer:
            # zh: 提请复核
            words = _("Propose")
        if len(self._ids) > 1:
            # zh: {verb} {count} 件
            words = _("{verb} {count}").format(verb=words, count=number(len(found.moving)))
        self.form.send_button.setText(words)
        self.form.send_button.setEnabled(bool(found.moving))

    def _on_news(self, news: News) -> None:
        if not news.applied.is_empty and not self._pause.isActive():
            self._pause.start()

    def _on_again(self) -> None:
        """Those that somebody changed are decided on as they are now."""
        self._versions = seen_versions(self._context, self._ids)
        self._say_effect()

    def _on_finished(self) -> None:
        self._pause.stop()

    def _fit(self) -> None:
        # Never narrower than it was, and as high as what it says.
        self.layout().activate()
        self.resize(self.width(), self.sizeHint().height())


def seen_versions(context: Context, ids: Iterable[int]) -> Ids:
    """The version of each case as the room shows it; none at all when one of them is not in the room."""
    store = context.board.store
    slots = store.slots_of(ids)
    return () if (slots < 0).any() else tuple(store.version[slots].tolist())


def slots_of(context: Context, ids: Iterable[int]) -> Int32:
    """The slots of those cases that are in the store."""
    slots = context.slots.of(ids)
    return slots[slots >= 0]
