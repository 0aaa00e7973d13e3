"""What a room at a server says by itself of acts that the server did not take."""

from __future__ import annotations

from dataclasses import replace

from desktop.app.server import parked_words
from desktop.tray.work import Side, TrayAct
from tests.db.live.rows import NOON

QUICKER = Side(3, "20260314000003", "荆河路9号", (), "王敏", "Reassign", NOON)
ALONE = Side(4, "20260314000004", "善国路1号", ())
PARKED = TrayAct(11, "Hand back", "李浩然", True, NOON, True, "The case has ended.", "", 1, (QUICKER,), True)


def said(*acts: TrayAct) -> str:
    return parked_words(acts, lambda ms: "12:00" if ms == NOON else "?")


def test_of_one_act_it_names_the_case_by_number_and_place_and_who_was_quicker() -> None:
    words = "Hand back: not taken. 王敏 was quicker at 12:00: Reassign ({case})."
    assert said(PARKED) == words.format(case="20260314000003 荆河路9号")
    # Of several cases the one that somebody was quicker with; a place that nobody wrote leaves no gap.
    assert said(replace(PARKED, sides=(ALONE, QUICKER))) == said(PARKED)
    nowhere = replace(PARKED, sides=(replace(QUICKER, place=""),))
    assert said(nowhere) == words.format(case="20260314000003")


def test_where_nobody_was_quicker_it_says_why_and_of_several_how_many() -> None:
    assert said(replace(PARKED, sides=(ALONE,))) == "Hand back: not taken. The case has ended."
    assert said(PARKED, PARKED) == "The server did not take 2 acts."
