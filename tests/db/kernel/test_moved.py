"""What moved and what was left out are plain values that compare by what they say."""

from __future__ import annotations

from db.kernel.moved import LeftOut, Moved
from db.kernel.refusal import Refused


def test_without_anything_left_out_all_moved() -> None:
    assert Moved((1, 2)) == Moved((1, 2), ())
    assert Moved((1, 2)).left_out == ()


def test_what_was_left_out_bears_its_case_and_a_whole_sentence() -> None:
    why = Refused("same_unit", "{number}: This unit has it already.", number="N1")
    left = LeftOut(1, "N1", why)
    assert left.refusal.text() == "N1: This unit has it already."
    assert left != LeftOut(2, "N1", why)
