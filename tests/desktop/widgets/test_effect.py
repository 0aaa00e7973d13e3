"""The preview says how many follow, how many stay and why, and whose load changes how."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from db.cases.foresight import Foresight, UnitLoad
from db.kernel.moved import LeftOut
from db.kernel.refusal import Refused
from desktop.widgets.effect import EffectView, stay_lines, stays
from desktop.widgets.theme import Theme

PAUSED = Refused("paused", "It is paused.")


def left(case_id: int, why: Refused, **facts: object) -> LeftOut:
    number = f"N{case_id}"
    sentence = "{number}: {why} {when} {who}: {what}." if facts else "{number}: {why}"
    return LeftOut(case_id, number, Refused(why.code, sentence, number=number, why=why, **facts))


CHANGED = Refused("changed_meanwhile", "It has changed since you looked.")
LEFT = (
    left(1, PAUSED),
    left(2, PAUSED),
    left(3, CHANGED, when="14:03", who="王敏", what="Reassign"),
)
LOADS = (
    UnitLoad(7, (52, 89), (11, 14), (3, 4), ("宋伟", "李强")),
    UnitLoad(8, (90, 53), (20, 20), (9, 2), ()),
)


def foresight(moving: int = 37, **fields: object) -> Foresight:
    known: dict[str, object] = {
        "left_out": LEFT,
        "restarting": (),
        "loads": LOADS,
        "second_officer": False,
        "stamp": 1,
    }
    return Foresight("reassign", tuple(range(moving)), **(known | fields))  # type: ignore[arg-type]


@pytest.fixture
def view(shown: Callable[..., QWidget]) -> EffectView:
    made = EffectView(Theme(), {7: "城关中队", 8: "环卫处"}.__getitem__)
    shown(made, 560, 400)
    return made


def test_reasons_are_counted_and_who_was_quicker_is_named() -> None:
    assert stays(LEFT) == [
        (2, "It is paused."),
        (1, "It has changed since you looked. 14:03 王敏: Reassign"),
    ]


def test_of_several_changed_by_others_everybody_is_named_once() -> None:
    many = [
        left(i, CHANGED, when="14:0" + str(i), who=who, what="Urge") for i, who in enumerate("甲乙甲丙丁")
    ]
    assert stays(many) == [(5, "It has changed since you looked. (甲, 乙, 丙…)")]


def test_all_that_matters_stands_in_the_preview(view: EffectView) -> None:
    view.show_foresight(foresight())
    assert view.said() == [
        "37 follow, 3 stay.",
        "2 · It is paused.",
        "1 · It has changed since you looked. 14:03 王敏: Reassign",
        "城关中队 | 52 → 89 | 11 → 14 | 3 → 4 | 2: 宋伟, 李强",
        "环卫处 | 90 → 53 | 20 | 9 → 2 | nobody known",
    ]


def test_what_restarts_and_what_needs_a_second_officer_is_said(view: EffectView) -> None:
    view.show_foresight(foresight(restarting=(1, 2), second_officer=True, left_out=()))
    assert view.headline() == "All 37 follow."
    assert "The whole limit counts anew for 2 of them." in view.said()
    assert view._second.isVisible()
    view.show_foresight(foresight(left_out=()))
    assert not view._second.isVisible()
    assert not view._restarting.isVisible()


def test_when_none_can_follow_it_says_so(view: EffectView) -> None:
    view.show_foresight(foresight(0))
    assert view.headline() == "None of the 3 can follow."


def test_the_list_of_those_that_stay_is_shown_and_copied(view: EffectView) -> None:
    view.show_foresight(foresight())
    assert not view.stay_table.isVisible()
    view.list_button.click()
    assert view.stay_table.isVisible()
    assert view.stay_table._rows.rowCount() == 3
    view.copy_button.click()
    assert QGuiApplication.clipboard().text() == stay_lines(LEFT)
    assert stay_lines(LEFT).splitlines()[0] == "N1\tIt is paused."


def test_only_what_others_have_changed_can_be_taken_as_it_is_now(view: EffectView) -> None:
    asked: list[bool] = []
    view.again_wanted.connect(lambda: asked.append(True))
    view.show_foresight(foresight(left_out=LEFT[:2]))
    assert not view.again_button.isVisible()
    view.show_foresight(foresight())
    view.again_button.click()
    assert asked == [True]


def test_trouble_takes_the_place_of_everything(view: EffectView) -> None:
    view.show_foresight(foresight())
    view.show_trouble("There is no such unit.")
    assert view.said() == ["There is no such unit."]
    view.show_trouble("")
    assert not view.isVisible()


def test_of_many_units_those_that_change_most_are_shown(view: EffectView) -> None:
    many = tuple(UnitLoad(7, (1, 2), (0, 0), (0, 0), ()) for _unit in range(9))
    view.show_foresight(foresight(loads=many))
    assert view.said()[-1] == "and 3 more units"
