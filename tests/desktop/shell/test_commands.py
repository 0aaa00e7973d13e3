"""What the palette offers: acts with their reasons, verbs on what is selected, places, and sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtWidgets import QWidget

from db.cases.commands.dispatch import Reassign
from db.kernel.actor import Scope
from db.live.filters import Filter
from desktop.core.actions import Act, Actions
from desktop.core.offers import Offer, found
from desktop.shell.commands import Commands, Desk
from desktop.widgets.acting import VERBS
from tests.db.live.rows import case_row
from tests.desktop.seeded import GUEST, OFFICER, context_of

ROWS = [
    case_row(1, number="20260314000000037", state="handling", unit_id=1, category_id=2, address="荆河路1号"),
    case_row(2, number="20260314000000052", state="handling", unit_id=2, category_id=3, address="善国路2号"),
    case_row(3, number="20260314000000060", state="reported", category_id=3),
]


class Office:
    """A palette's commands over three cases, with a desk that notes what it was asked."""

    def __init__(self, window: QWidget, who: Any = OFFICER) -> None:
        self.context = context_of(ROWS, who)
        self.ran: list[str] = []
        self.asked: list[tuple[str, tuple[int, ...] | None, dict[str, Any]]] = []
        self.commands: list[Any] = []
        self.found: list[str] = []
        self.opened: list[int] = []
        self.fitted = 0
        self.actions = Actions(window, who)
        self.actions.add(
            [
                Act("undo", "Undo", lambda: self.ran.append("undo"), "Ctrl+Z", menu="case"),
                Act("import", "Import", lambda: self.ran.append("import"), permission="import.run"),
            ]
        )
        desk = Desk(
            self.why_not, self.ask, self.commands.append, self.found.append, self.opened.append, self.fit
        )
        self.made = Commands(self.context, self.actions, desk, {"case": "Case"})

    def why_not(self, verb: str, ids: Iterable[int] | None) -> str:
        chosen = self.context.selection if ids is None else ids
        return "" if 3 not in chosen and chosen else "not at this stage"

    def ask(self, verb: str, ids: Iterable[int] | None, given: Mapping[str, Any]) -> None:
        self.asked.append((verb, None if ids is None else tuple(ids), dict(given)))

    def fit(self) -> None:
        self.fitted += 1

    def read(self, typed: str) -> Offer:
        return self.made.read(typed)[0]


@pytest.fixture
def office(shown: Callable[..., QWidget]) -> Office:
    return Office(shown(QWidget(), 100, 100))


def by_id(office: Office) -> dict[str, Offer]:
    return {offer.id: offer for offer in office.made.offers()}


def test_an_act_is_offered_with_its_menu_and_its_key_and_runs(office: Office) -> None:
    offer = by_id(office)["act:undo"]
    assert (offer.group, offer.keys, offer.why) == ("Case", "Ctrl Z", "")
    offer.run()
    assert office.ran == ["undo"]


def test_what_the_role_forbids_is_offered_with_the_reason(shown: Callable[..., QWidget]) -> None:
    office = Office(shown(QWidget(), 100, 100), GUEST)
    assert by_id(office)["act:import"].why == "your role does not allow it"


def test_every_verb_is_offered_and_says_whether_it_fits_what_is_selected(office: Office) -> None:
    assert {f"verb:{key}" for key in VERBS} <= by_id(office).keys()
    assert by_id(office)["verb:reassign"].why == "not at this stage"
    office.context.select(frozenset({1, 2}))
    offer = by_id(office)["verb:reassign"]
    assert (offer.why, offer.detail) == ("", "2 selected")
    offer.run()
    assert office.asked == [("reassign", None, {})]
    assert found([offer], "gp") == [offer]


def test_going_to_a_place_filters_by_it_and_shows_it_on_the_map(office: Office) -> None:
    by_id(office)["units:2"].run()
    assert office.context.filter == Filter(units=frozenset({2}))
    assert office.fitted == 1


def test_more_may_be_offered(office: Office) -> None:
    office.made.add(lambda: [Offer("kept:1", "mine", lambda: None, group="Kept")])
    assert "kept:1" in by_id(office)


def test_an_order_says_case_unit_and_load_and_is_commanded_as_it_stands(office: Office) -> None:
    offer = office.read("改派 37 单位2 不是本辖区")
    assert offer.title == "Reassign 1 case: …0037 Kind 2 荆河路1号 → Unit 2"
    assert offer.detail == "open 1 → 2"
    assert [word.part for word in offer.words] == ["verb", "case", "unit", "reason"]
    assert office.commands == []
    offer.run()
    assert office.commands == [Reassign((1,), 2, "不是本辖区")]
    assert office.asked == []


def test_what_a_sentence_leaves_open_is_asked_by_the_dialog(office: Office) -> None:
    offer = office.read("改派 37 单位2")
    assert offer.detail == "open 1 → 2, asks for the reason"
    offer.run()
    assert office.commands == []
    assert office.asked == [("reassign", (1,), {"unit": 2, "text": ""})]


def test_several_cases_and_dangerous_acts_are_shown_once_more(office: Office) -> None:
    office.context.select(frozenset({1, 2}))
    offer = office.read("改派 单位3 不是本辖区")
    assert offer.title == "Reassign 2 cases → Unit 3"
    assert "shown once more" in offer.detail
    offer.run()
    office.read("作废 37 误报").run()
    assert office.commands == []
    assert [verb for verb, _ids, _given in office.asked] == ["reassign", "void"]


def test_an_order_that_does_not_fit_says_why(office: Office) -> None:
    assert office.read("改派 60 单位2 x").why == "not at this stage"
    assert office.read("改派 99 单位2 x").why == "No open case has a number ending in 99."


def test_a_filter_a_case_and_a_search_are_offered_too(office: Office) -> None:
    offer = office.read("超期 2小时 善国路")
    assert offer.title == "Show only: over by more than 2:00 · “善国路”"
    offer.run()
    assert office.context.filter.text == "善国路"
    office.read("52").run()
    assert office.opened == [2]
    assert office.context.selection == frozenset({2})
    assert office.context.filter == Filter()
    office.read("找 井盖").run()
    assert office.found == ["井盖"]


def test_names_are_learnt_ahead_without_changing_anything(office: Office) -> None:
    office.made.warm()
    assert office.made.read("派 52 dw2")[0].words[-1].meaning == "Unit 2"


def test_an_order_to_a_unit_beyond_the_own_scope_says_why_not(shown: Callable[..., QWidget]) -> None:
    own = frozenset({1, 3})
    who = replace(OFFICER, scope=Scope(units=own), targets=own)
    office = Office(shown(QWidget(), 100, 100), who)
    assert "may not give cases to Unit 2" in office.read("改派 37 单位2").why
    assert office.read("改派 37 单位3").why == ""
