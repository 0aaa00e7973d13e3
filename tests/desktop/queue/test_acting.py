"""The acting bar offers what state and role allow, asks for what is needed, makes that command."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QLineEdit, QMenu, QWidget

from db.cases.claims import TakeOver
from db.cases.commands import dispatch, intake, merging
from db.cases.queries import REQUEST_BITS
from db.cases.workflow import VERB_LABELS
from db.kernel.actor import Actor, Scope
from db.live.claims import Claimed, Claims
from db.live.directory import Entry
from desktop.core.jobs import Jobs
from desktop.queue.acting import OFFERED, ActionBar
from desktop.widgets.acting import VERBS, ActDialog, ActWork
from desktop.widgets.theme import Theme
from tests.db.live.rows import DAY, HOUR, NOON, case_row, delta_of
from tests.desktop.seeded import DIRECTORY, GUEST, OFFICER, context_of, invented, workflow

HANDLER = Actor(9, "处置", frozenset({"room.view", "case.handle"}))
CASES = [
    case_row(1, state="reported"),
    case_row(2, state="handling", unit_id=1),
    case_row(3, state="handling", unit_id=2),
    case_row(4, state="pending_check", unit_id=2),
    case_row(5, state="pending_dispatch"),
]


BESIDE_THE_TABLE = {"confirm_appeal", "overrule_appeal"}


class Bar:
    """A bar in a window, what it commanded, and the dialog it opened."""

    def __init__(self, shown: Callable[..., QWidget], who: Actor) -> None:
        self.context = context_of(CASES, who)
        self.theme = Theme()
        self.window = QWidget()
        self.bar = ActionBar(self.theme, self.context, self.window)
        self.bar.set_workflow(workflow())
        self.bar.resize(900, 50)
        self.commands: list[Any] = []
        self.bar.commanded.connect(self.commands.append)
        shown(self.window, 900, 60)

    def select(self, *ids: int) -> None:
        self.context.select(frozenset(ids))

    def offered(self) -> set[str]:
        return {key for key, button in self.bar._buttons.items() if button.isVisible()}

    def dialog(self) -> ActDialog:
        (dialog,) = self.window.findChildren(ActDialog)
        return dialog

    def menu(self) -> dict[str, bool]:
        (menu,) = self.bar.findChildren(QMenu)
        return {action.text(): action.isEnabled() for action in menu.actions()}


@pytest.fixture
def bar(shown: Callable[..., QWidget]) -> Bar:
    return Bar(shown, OFFICER)


def test_the_bar_rises_with_a_selection_and_goes_with_it(bar: Bar) -> None:
    assert not bar.bar.isVisible()
    bar.select(1)
    assert bar.bar.isVisible()
    assert bar.bar._count.text() == "1 selected"
    bar.select()
    assert not bar.bar.isVisible()


def test_without_the_table_of_moves_nothing_is_offered(shown: Callable[..., QWidget]) -> None:
    context = context_of(CASES, OFFICER)
    bar = ActionBar(Theme(), context)
    shown(bar)
    context.select(frozenset({1}))
    assert not bar.isVisible()


def test_verbs_are_those_that_the_state_allows(bar: Bar) -> None:
    offered = {}
    for case_id in range(1, 6):
        bar.select(case_id)
        offered[case_id] = bar.offered()
    assert offered == {
        1: {"accept", "register"},
        2: {"reassign", "handle"},
        3: {"reassign", "handle"},
        4: {"pass_check", "fail_check"},
        5: {"dispatch"},
    }


def test_of_several_cases_only_what_all_of_them_allow_is_offered(bar: Bar) -> None:
    bar.select(2, 3)
    assert bar.offered() == {"reassign", "handle", "merge"}
    bar.select(2, 4)
    assert bar.offered() == {"merge"}
    assert bar.bar.why() == ""


def test_when_nothing_fits_all_of_them_the_bar_says_so(shown: Callable[..., QWidget]) -> None:
    bar = Bar(shown, HANDLER)
    bar.select(2, 4)
    assert bar.offered() == set()
    assert bar.bar.why() == "None of your acts fits all of them."


def test_a_role_offers_its_own_verbs_only(shown: Callable[..., QWidget]) -> None:
    bar = Bar(shown, HANDLER)
    bar.select(2)
    assert bar.offered() == {"handle"}


def test_who_may_only_look_is_told_so(shown: Callable[..., QWidget]) -> None:
    bar = Bar(shown, GUEST)
    bar.select(2)
    assert bar.offered() == set()
    assert bar.bar.why() == "Read only: your role has no acts on cases."


def test_dangerous_verbs_stand_in_the_menu_and_the_rest_with_its_reason(bar: Bar) -> None:
    bar.select(1)
    bar.bar._on_more()
    menu = bar.menu()
    assert menu["Void"]
    assert menu[VERB_LABELS["reject"]]
    assert not any(text.startswith("Accept") for text in menu)
    (why,) = [text for text in menu if text.startswith("Close —")]
    assert "is not possible while the case is at “To accept”" in why
    assert not menu[why]


def test_the_menu_of_a_row_holds_every_verb(bar: Bar) -> None:
    bar.select(2, 4)
    bar.bar.open_menu(bar.window.mapToGlobal(bar.window.rect().center()))
    menu = bar.menu()
    # Nothing waits for a decision, so no answer to a request is listed.
    assert len(menu) == sum(1 for verb in OFFERED.values() if not verb.request)
    # Only what any open case allows fits both.
    assert {text for text, is_enabled in menu.items() if is_enabled} == {
        "Supervise",
        "Urge",
        "Merge into…",
        "Close by force",
        "Set priority",
        "Tag",
        "Remove tag",
    }
    assert any("1 of 2: " in text for text in menu)


def test_a_verb_that_asks_nothing_is_commanded_at_once(bar: Bar) -> None:
    bar.select(1)
    assert bar.bar.press("A")
    assert bar.commands == [intake.Accept((1,))]


def test_a_key_of_what_is_not_possible_does_nothing_and_says_why(bar: Bar) -> None:
    bar.select(1)
    assert not bar.bar.press("R")
    assert "“Reassign” is not possible" in bar.bar.why()
    bar.select(2)
    assert bar.bar.why() == ""


def test_a_key_without_selection_does_nothing(bar: Bar) -> None:
    assert not bar.bar.press("A")
    assert not bar.bar.press("")


def test_keys_are_their_own() -> None:
    keys = [verb.keys for verb in VERBS.values() if verb.keys]
    assert len(keys) == len(set(keys))


def test_every_verb_has_words_a_question_when_it_asks_and_stands_in_the_table() -> None:
    known = workflow().verbs
    for key, verb in VERBS.items():
        assert VERB_LABELS[key]
        assert key in known or key in BESIDE_THE_TABLE or verb.permission
        assert bool(verb.words) == bool({"text", "maybe"} & set(verb.asks))
        assert bool(verb.until) == ("until" in verb.asks)


def test_a_reassignment_asks_for_unit_and_reason_and_says_the_effect(bar: Bar) -> None:
    bar.select(2, 3)
    bar.bar.press("R")
    dialog = bar.dialog()
    dialog.unit.setCurrentText("Unit 1")
    # Unit 1 has one open case; case 2 is there already, case 3 comes.
    assert dialog.effect.text() == "Unit 1: open 1 → 2"
    dialog.text.setText("  closer to it ")
    dialog.form.sent.emit()
    assert bar.commands == [dispatch.Reassign((2, 3), 1, "closer to it", versions=(1, 1))]


def test_the_effect_on_a_unit_that_never_had_a_case_counts_from_nought(bar: Bar) -> None:
    bar.select(2)
    bar.bar.press("R")
    bar.dialog().unit.setCurrentText("Unit 5")
    assert bar.dialog().effect.text() == "Unit 5: open 0 → 1"
    bar.dialog().close()


def test_the_effect_counts_the_whole_load_whatever_the_filter_shows(bar: Bar) -> None:
    bar.context.board.apply(delta_of([case_row(i, unit_id=1) for i in range(10, 20)]))
    bar.context.toggle("units", 2)
    bar.select(3)
    bar.bar.press("R")
    bar.dialog().unit.setCurrentText("Unit 1")
    assert bar.dialog().effect.text() == "Unit 1: open 11 → 12"
    bar.dialog().close()


def test_unit_and_reason_are_both_demanded_in_one_go(bar: Bar) -> None:
    bar.select(2)
    bar.bar.press("R")
    dialog = bar.dialog()
    dialog.unit.setEditText("no such unit")
    dialog.text.setText("   ")
    dialog.form.sent.emit()
    assert dialog.form.fields["unit"].error() == "Choose a unit from the list."
    assert dialog.form.fields["text"].error() == "A reason is required."
    assert bar.commands == []
    dialog.close()


@pytest.mark.parametrize("key, case_id", [("void", 1), ("reject", 1), ("fail_check", 4), ("handle", 2)])
def test_what_needs_words_is_not_done_without_them(bar: Bar, key: str, case_id: int) -> None:
    bar.select(case_id)
    bar.bar.ask(key)
    dialog = bar.dialog()
    dialog.form.sent.emit()
    assert dialog.form.fields["text"].error()
    assert bar.commands == []
    dialog.text.setText("why")
    dialog.form.sent.emit()
    (command,) = bar.commands
    assert command == replace(VERBS[key].make((case_id,), {"text": "why"}), versions=(1,))


def test_enter_sends_and_escape_leaves(bar: Bar) -> None:
    bar.select(5)
    bar.bar.press("P")
    dialog = bar.dialog()
    QTest.keyClick(dialog.unit.lineEdit(), Qt.Key.Key_Escape)
    assert not dialog.isVisible()
    assert bar.commands == []
    bar.bar.press("P")
    dialog = bar.window.findChildren(ActDialog)[-1]
    dialog.unit.setCurrentText("Unit 3")
    QTest.keyClick(dialog.unit.lineEdit(), Qt.Key.Key_Return)
    assert bar.commands == [dispatch.Dispatch((5,), 3, versions=(1,))]


@pytest.mark.parametrize("key, field", [("R", "unit"), ("H", "text")])
def test_the_first_question_has_the_focus(bar: Bar, key: str, field: str) -> None:
    bar.select(2)
    bar.bar.press(key)
    assert bar.dialog().focusWidget() in (
        getattr(bar.dialog(), field),
        getattr(bar.dialog(), field).focusProxy() or bar.dialog().unit.lineEdit(),
    )
    bar.dialog().close()


class Keyboard:
    """A dialog under the hands of somebody who has no mouse."""

    def __init__(self, bar: Bar, until: Callable[..., None], keys: str, *ids: int) -> None:
        people = ((21, "赵一", 2), (22, "钱二", 2), (23, "钱三", 2), (24, "孙四", 4))
        known = replace(
            DIRECTORY,
            units={**DIRECTORY.units, 6: Entry(6, "U6", "单位4东", "Unit 4 east")},
            persons={i: Entry(i, f"P{i}", name, parent_id=unit) for i, name, unit in people},
        )
        bar.context.board.apply(delta_of(CASES, directory=known))
        bar.select(*ids)
        bar.bar.press(keys)
        self.dialog = bar.dialog()
        self.dialog.activateWindow()
        until(self.dialog.isActiveWindow)

    def type(self, words: str) -> None:
        """As an input method does where they are not Latin; the list of what fits opens."""
        field = QApplication.focusWidget()
        line = field.lineEdit() if isinstance(field, QComboBox) else field
        assert isinstance(line, QLineEdit)
        if words.isascii():
            QTest.keyClicks(field, words)
        else:
            line.insert(words)
            line.textEdited.emit(line.text())

    def press(self, *keys: Qt.Key) -> None:
        """The list has the keyboard while it is open."""
        for key in keys:
            QTest.keyClick(QApplication.activePopupWidget() or QApplication.focusWidget(), key)

    def stands_on(self) -> str:
        fields = {each: self.dialog.form.fields[each].editor for each in self.dialog.form.fields}
        focus = QApplication.focusWidget()
        return next(name for name, editor in fields.items() if editor is focus or editor.isAncestorOf(focus))


def test_tab_completes_what_fits_one_unit_alone_and_goes_on_to_its_people(
    bar: Bar, until: Callable[..., None]
) -> None:
    hands = Keyboard(bar, until, "R", 3)
    dialog = hands.dialog
    hands.type("t 2")
    assert dialog.unit.completer().popup().isVisible()
    assert not dialog.holder.isEnabled()
    hands.press(Qt.Key.Key_Tab)
    assert (dialog.unit.currentText(), hands.stands_on()) == ("Unit 2", "holder")
    hands.type("一")
    hands.press(Qt.Key.Key_Tab)
    assert (dialog.holder.currentText(), hands.stands_on()) == ("赵一", "text")
    hands.press(Qt.Key.Key_Backtab, Qt.Key.Key_Backtab)
    assert hands.stands_on() == "unit"
    # Nobody is there to be named.
    dialog.unit.lineEdit().selectAll()
    hands.type("east")
    hands.press(Qt.Key.Key_Tab)
    assert (dialog.unit.currentText(), hands.stands_on()) == ("Unit 4 east", "text")
    hands.type("closer")
    hands.press(Qt.Key.Key_Return)
    assert bar.commands == [dispatch.Reassign((3,), 6, "closer", versions=(1,))]


def test_what_fits_several_is_left_as_it_was_typed(bar: Bar, until: Callable[..., None]) -> None:
    hands = Keyboard(bar, until, "R", 3)
    dialog = hands.dialog
    hands.type("uni")
    hands.press(Qt.Key.Key_Tab)
    assert (dialog.unit.currentText(), hands.stands_on()) == ("uni", "text")
    hands.press(Qt.Key.Key_Backtab)
    dialog.unit.lineEdit().selectAll()
    hands.type("nit")
    # The second one of the list.
    hands.press(Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Tab)
    assert (dialog.unit.currentText(), hands.stands_on()) == ("Unit 2", "holder")
    hands.type("钱")
    hands.press(Qt.Key.Key_Tab)
    assert dialog.holder.currentText() == "钱"
    dialog.close()


@pytest.mark.parametrize("is_open", [True, False])
def test_enter_completes_first_and_sends_what_was_read(
    bar: Bar, until: Callable[..., None], is_open: bool
) -> None:
    hands = Keyboard(bar, until, "P", 5)
    hands.type("t 3")
    if not is_open:
        hands.press(Qt.Key.Key_Escape)
    assert hands.dialog.unit.completer().popup().isVisible() == is_open
    hands.press(Qt.Key.Key_Return)
    assert (hands.dialog.unit.currentText(), bar.commands) == ("Unit 3", [])
    assert not hands.dialog.unit.completer().popup().isVisible()
    hands.press(Qt.Key.Key_Return)
    assert bar.commands == [dispatch.Dispatch((5,), 3, versions=(1,))]


def test_a_name_that_stands_is_not_taken_for_a_part_of_another(bar: Bar, until: Callable[..., None]) -> None:
    hands = Keyboard(bar, until, "P", 5)
    hands.type("unit 4")
    hands.press(Qt.Key.Key_Tab)
    assert (hands.dialog.unit.currentText(), hands.stands_on()) == ("Unit 4", "holder")
    hands.dialog.close()


def test_a_new_tag_is_not_completed_to_one_in_use(bar: Bar) -> None:
    bar.context.board.apply(delta_of([case_row(1, state="reported", tags="雨水")]))
    bar.select(2)
    bar.bar.ask("tag")
    dialog = bar.dialog()
    dialog.word.setCurrentText("雨")
    dialog.form.sent.emit()
    (command,) = bar.commands
    assert command.word == "雨"


def test_a_typed_case_number_is_not_taken_for_a_part_of_another(bar: Bar) -> None:
    bar.context.board.apply(delta_of([case_row(i, state="handling") for i in (6, 61)]))
    bar.select(3, 61)
    bar.bar.ask("merge")
    dialog = bar.dialog()
    # An open case that is not among those offered.
    dialog.leader.setCurrentText("N6")
    dialog.form.sent.emit()
    assert bar.commands == [merging.Merge((3, 61), 6, "", versions=(1, 1))]


def test_the_dialog_names_verb_and_count_and_its_text_has_an_end(bar: Bar) -> None:
    bar.select(2, 3)
    bar.bar.press("H")
    assert bar.dialog().windowTitle() == "Hand back: 2 cases"
    assert "Hand back: 2 cases" in [each.text() for each in bar.dialog().findChildren(QLabel)]
    bar.dialog().text.setText("长" * 1000)
    assert len(bar.dialog().text.text()) == 400
    bar.dialog().close()


def test_of_several_that_are_one_the_oldest_leads(bar: Bar, capsys: pytest.CaptureFixture[str]) -> None:
    bar.context.board.apply(delta_of([case_row(3, state="handling", reported_at=DAY + 7 * HOUR)]))
    bar.select(2, 3, 5)
    bar.bar.ask("merge")
    dialog = bar.dialog()
    assert dialog.leader.currentText() == "N3"
    assert dialog.effect.text().startswith("N2, N5 will go on inside N3 (In hand)")
    dialog.form.sent.emit()
    assert bar.commands == [merging.Merge((2, 5), 3, "")]
    # Qt swallows what a slot raises.
    assert "Traceback" not in capsys.readouterr().err


def test_one_case_alone_is_not_merged_from_the_bar(bar: Bar) -> None:
    bar.select(2)
    assert bar.bar.why_not("merge") == "Select two cases or more."


def test_two_units_of_one_name_are_told_apart(bar: Bar) -> None:
    units = bar.context.board.directory.units
    units[6] = type(units[1])(6, "U6", "单位1", "Unit 1")  # type: ignore[index]
    try:
        bar.select(5)
        bar.bar.press("P")
        names = [bar.dialog().unit.itemText(place) for place in range(bar.dialog().unit.count())]
        assert {"Unit 1 (U1)", "Unit 1 (U6)"} <= set(names)
        bar.dialog().close()
    finally:
        del units[6]  # type: ignore[attr-defined]


def test_the_bar_follows_news_about_what_is_selected(bar: Bar) -> None:
    bar.select(1)
    bar.context.announce(bar.context.board.apply(delta_of([case_row(1, state="pending_dispatch")])))
    assert bar.offered() == {"dispatch"}
    bar.context.announce(bar.context.board.apply(delta_of([], gone=[1])))
    assert not bar.bar.isVisible()


def test_a_selection_of_thousands_is_summed_up_in_no_time(shown: Callable[..., QWidget]) -> None:
    context = context_of(invented(5_000), OFFICER)
    bar = ActionBar(Theme(), context)
    bar.set_workflow(workflow())
    shown(bar)
    context.select(frozenset(range(1, 5_001)))
    assert bar._count.text() == "5,000 selected"


def test_cases_beyond_the_own_scope_allow_nothing_and_the_bar_says_why(shown: Callable[..., QWidget]) -> None:
    bar = Bar(shown, replace(OFFICER, scope=Scope(units=frozenset({2}))))
    bar.select(3)
    assert bar.offered() == {"reassign", "handle"}
    bar.select(2)
    assert bar.offered() == set()
    assert "may not act on the cases of this unit" in bar.bar.why()
    assert "may not act on the cases of this unit" in bar.bar.why_not("reassign")
    bar.select(2, 3)
    # Without a look ahead an act goes to all of them or to none.
    assert bar.bar.why_not("reassign").startswith("1 of 2: ")
    bar.select(1)
    assert "No unit has it" in bar.bar.why_not("accept")


def test_units_beyond_the_own_scope_stand_grey_at_the_end(
    shown: Callable[..., QWidget],
) -> None:
    bar = Bar(shown, replace(OFFICER, scope=Scope(units=frozenset({2, 4})), targets=frozenset({2, 4})))
    bar.select(3)
    assert bar.bar.press("R")
    dialog = bar.dialog()
    named = [dialog.unit.itemText(place) for place in range(dialog.unit.count())]
    assert named == ["Unit 2", "Unit 4", "Unit 1", "Unit 3", "Unit 5"]
    flags = [dialog.unit.model().index(place, 0).flags() for place in range(dialog.unit.count())]
    assert [bool(each & Qt.ItemFlag.ItemIsEnabled) for each in flags] == [True, True, False, False, False]
    dialog.unit.setCurrentText("Unit 5")
    dialog.text.setText("closer")
    dialog.form.sent.emit()
    assert "neither within the own units" in dialog.form.fields["unit"].error()
    dialog.unit.setCurrentText("Unit 4")
    dialog.form.sent.emit()
    assert bar.commands == [dispatch.Reassign((3,), 4, "closer", versions=bar.commands[0].versions)]


def test_what_another_has_claimed_is_taken_over_with_a_reason_and_nothing_else_is(bar: Bar) -> None:
    until = NOON + HOUR
    both = Claims({1: Claimed(99, "王敏", until), 5: Claimed(OFFICER.account_id, OFFICER.name, until)})
    bar.context.board.apply(replace(delta_of([]), claims=both))
    bar.select(5)
    assert bar.bar.why_not("take_over") == "Nobody else has claimed it."
    bar.select(1)
    assert bar.bar.why_not("take_over") == ""
    assert bar.bar.press("F")
    dialog = bar.dialog()
    dialog.text.setText("she is ill")
    dialog.form.sent.emit()
    assert bar.commands == [TakeOver((1,), "she is ill")]


def test_answers_to_requests_fit_the_cases_where_one_waits(bar: Bar) -> None:
    asked = [case_row(2, state="handling", unit_id=1, requests=REQUEST_BITS["postpone"], version=2)]
    bar.context.board.apply(delta_of(asked))
    bar.select(2)
    assert bar.bar.why_not("grant_postpone") == ""
    assert bar.bar.why_not("grant_return") == "No such request waits."
    bar.select(3)
    assert bar.bar.why_not("grant_postpone") == "No such request waits."


def test_of_several_cases_a_verb_that_may_leave_out_is_offered_for_some(bar: Bar) -> None:
    jobs = Jobs(lambda _error: None)
    bar.bar.set_work(ActWork(jobs, lambda _command: None, lambda _ids: {}))  # type: ignore[arg-type, return-value]
    bar.select(2, 3, 4)
    assert bar.offered() >= {"reassign"}
    assert bar.bar._buttons["reassign"].text() == "Reassign (2 of 3)"
    assert bar.bar.why_not("close") != ""
    jobs.close()
