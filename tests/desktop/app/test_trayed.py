"""What lies in the tray comes into words; a field that is empty on both sides is no difference."""

from __future__ import annotations

import pytest

from db.cases.commands.dispatch import Reassign
from db.kernel.refusal import Refused
from db.sync.tray import CaseSides, Contrast, Laid
from desktop.app.trayed import tray_acts, value_words
from tests.db.live.rows import NOON, ZONE
from tests.desktop.seeded import DIRECTORY, GUEST, OFFICER

MOVED = CaseSides(
    3,
    "20260314000003",
    "荆河路9号",
    (
        Contrast("unit_id", 1, 2),
        Contrast("holder_id", None, None),
        Contrast("priority", 0, 0),
        Contrast("address", "", None),
        Contrast("due_at", None, NOON),
        Contrast("unknown", 1, 2),
    ),
    "王敏",
    "reassign",
    NOON,
)
LAID = Laid(
    11,
    "parked",
    "Reassign cases",
    Reassign((3, 4), 1, "too few hands"),
    {"case_ids": [3, 4], "unit_id": 1, "reason": "too few hands"},
    OFFICER.account_id,
    "李浩然",
    NOON,
    Refused("changed_meanwhile", "It has changed since you looked."),
    (MOVED, CaseSides(4, "20260314000004", "", (Contrast("holder_id", None, ""),))),
)


def test_what_is_empty_on_both_sides_is_left_out_and_what_is_empty_on_one_is_not() -> None:
    (act,) = tray_acts([LAID], DIRECTORY, ZONE, OFFICER)
    moved, nothing = act.sides
    assert [(each.field, each.mine, each.theirs) for each in moved.differences] == [
        ("Unit", "Unit 1", "Unit 2"),
        ("Priority", "Normal", "Normal"),
        ("Due", "–", "03-14 12:00"),
    ]
    # The case itself stays: somebody has to decide about it.
    assert (nothing.number, nothing.differences) == ("20260314000004", ())


def test_an_act_is_told_with_its_words_its_size_and_whose_it_is() -> None:
    (own,) = tray_acts([LAID], DIRECTORY, ZONE, OFFICER)
    assert (own.words, own.size, own.why) == ("too few hands", 2, "It has changed since you looked.")
    assert (own.is_own, own.is_parked, own.may_edit) == (True, True, True)
    (other,) = tray_acts([LAID], DIRECTORY, ZONE, GUEST)
    assert not other.is_own


@pytest.mark.parametrize(
    "column, value, words",
    [
        ("state", "handling", "In hand"),
        ("state", "of tomorrow", "of tomorrow"),
        ("unit_id", 3, "Unit 3"),
        ("unit_id", 99, "99"),
        ("address", "荆河路9号", "荆河路9号"),
        ("address", None, "–"),
    ],
)
def test_a_value_is_called_what_people_call_it(column: str, value: object, words: str) -> None:
    assert value_words(column, value, DIRECTORY, ZONE) == words
