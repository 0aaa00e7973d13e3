"""Advice is proposed with its reason and taken by one key; abstaining is said as plainly."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtWidgets import QWidget

from db.advice.rules import Advice, Reason
from desktop.widgets.advising import AdviceView, grouped
from desktop.widgets.theme import Theme

SURE = Reason("cell", {"hits": 412, "total": 418, "on_shift": True, "open": 6})
RARE = Reason("rare", {"total": 2})


def advised(unit_id: int) -> Advice:
    return Advice(unit_id, None, 0.985, SURE)


NONE = Advice(None, None, 0.0, RARE)


@pytest.fixture
def view(shown: Callable[..., QWidget]) -> AdviceView:
    made = AdviceView(Theme(), lambda unit_id: f"U{unit_id}")
    shown(made, 520, 140)
    return made


def test_one_case_has_its_unit_and_the_reason(view: AdviceView) -> None:
    taken: list[Advice] = []
    view.taken.connect(taken.append)
    view.set_advice({1: advised(3)})
    assert view.words()[0] == "Advised: U3"
    assert "412 of 418" in view.words()[1]
    assert "on shift" in view.words()[1]
    view.take()
    assert taken == [advised(3)]


def test_without_advice_the_reason_stands_and_there_is_nothing_to_take(view: AdviceView) -> None:
    taken: list[Advice] = []
    view.taken.connect(taken.append)
    view.set_advice({1: NONE})
    assert view.words() == ["No advice", "seen only 2 times"]
    view.take()
    assert taken == []


def test_many_cases_are_grouped_by_unit_the_most_first(view: AdviceView) -> None:
    advice = {**{i: advised(1) for i in range(5)}, **{i: advised(2) for i in range(5, 8)}, 8: NONE, 9: NONE}
    assert grouped(advice) == ([(1, 5), (2, 3)], 2)
    asked: list[bool] = []
    view.all_taken.connect(lambda: asked.append(True))
    view.set_advice(advice)
    assert view.words() == ["Advised for 8 of 10", "5 → U1", "3 → U2", "2 without advice"]
    assert view.button.text() == "Dispatch 8 as advised"
    view.take()
    assert asked == [True]


def test_units_beyond_the_first_are_told_together(view: AdviceView) -> None:
    view.set_advice({i: advised(i % 6 + 1) for i in range(12)})
    assert view.words()[-1] == "2 → U4  ·  4 → 2 more units"
