"""What the strip says of the line: a shape, a word and a figure, and never one without the other."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from db.kernel.refusal import Refused, Trouble, Unavailable
from db.sync.standing import Line, Standing
from desktop.core.line import PARTS, Mark, data_ms, told_of

ZONE = ZoneInfo("Asia/Shanghai")
NOON = 1_773_460_800_000
"""2026-03-14 12:00 in Shanghai."""
LIVE = Standing(Line.LIVE, since_ms=NOON - 3_600_000, heard_ms=NOON - 1_000)


def words(standing: Standing, now_ms: int = NOON) -> dict[str, str]:
    return {key: told.words for key, told in told_of(standing, now_ms, ZONE).items()}


def test_when_all_is_well_one_word_is_said() -> None:
    assert words(LIVE) == {"line": "Live", "waiting": "", "parked": "", "clock": ""}
    assert tuple(told_of(LIVE, NOON, ZONE)) == PARTS


@pytest.mark.parametrize(
    "standing, said, mark",
    [
        (Standing(), "Connecting", Mark.OPEN),
        (replace(LIVE, heard_ms=NOON - 12_000), "Behind 12 s", Mark.LATE),
        (replace(LIVE, line=Line.BEHIND, heard_ms=NOON - 240_000), "Behind 4 min", Mark.LATE),
        (replace(LIVE, line=Line.OFFLINE, since_ms=NOON - 420_000), "Offline since 11:53", Mark.OPEN),
        (
            replace(LIVE, line=Line.BEHIND, heard_ms=NOON - 9_000, trouble=Unavailable("disk_full", "Full.")),
            "Behind 9 s",
            Mark.LATE,
        ),
        (
            replace(LIVE, line=Line.BEHIND, trouble=Refused("older_server", "Update it.")),
            "The server says no",
            Mark.DECIDE,
        ),
    ],
)
def test_the_line_has_a_shape_for_each_state(standing: Standing, said: str, mark: Mark) -> None:
    told = told_of(standing, NOON, ZONE)["line"]
    assert (told.words, told.mark) == (said, mark)


def test_a_line_that_is_gone_for_days_says_which_day() -> None:
    told = told_of(replace(LIVE, line=Line.OFFLINE, since_ms=NOON - 2 * 86_400_000), NOON, ZONE)["line"]
    assert told.words.startswith("Offline since ")
    assert told.words.endswith("03-12 12:00")


def test_why_there_is_no_line_stands_in_the_tip() -> None:
    lost = replace(LIVE, line=Line.OFFLINE, trouble=Unavailable("database_lost", "It does not answer."))
    assert told_of(lost, NOON, ZONE)["line"].tip.endswith("It does not answer.")


@pytest.mark.parametrize(
    "trouble",
    [
        Unavailable("shut_out", "The server does not let {who} in any more.", who="王敏"),
        Refused("wrong_password", "Name or password is not right."),
    ],
)
def test_who_is_let_in_no_more_is_told_to_sign_in_and_not_to_wait_for_the_line(trouble: Trouble) -> None:
    line = Line.OFFLINE if isinstance(trouble, Unavailable) else Line.BEHIND
    told = told_of(replace(LIVE, line=line, trouble=trouble), NOON, ZONE)["line"]
    assert (told.words, told.mark) == ("Sign in again", Mark.DECIDE)
    assert "when the line is back" not in told.tip


def test_a_server_that_fell_silent_is_late_before_anybody_gave_up() -> None:
    assert words(LIVE, NOON + 3_000)["line"] == "Live"
    assert words(LIVE, NOON + 6_000)["line"] == "Behind 7 s"


def test_what_waits_names_those_without_whom_it_goes_on_waiting() -> None:
    assert words(replace(LIVE, waiting=1_203))["waiting"] == "1,203 waiting"
    held = told_of(replace(LIVE, waiting=3, held_for=("王敏", "李华")), NOON, ZONE)["waiting"]
    assert held.words == "3 waiting (王敏, 李华 not signed in)"
    assert held.mark is Mark.LATE


def test_what_has_to_be_decided_is_a_diamond() -> None:
    told = told_of(replace(LIVE, parked=2), NOON, ZONE)["parked"]
    assert (told.words, told.mark, told.tone) == ("2 to decide", Mark.DECIDE, "over")


@pytest.mark.parametrize(
    "ahead, said",
    [
        (60_000, ""),
        (121_000, "Clock 2 min ahead"),
        (-61_000, "Clock 61 s behind"),
        (-7_200_000, "Clock 2 h behind"),
    ],
)
def test_a_wrong_clock_is_told_from_a_minute_on(ahead: int, said: str) -> None:
    assert words(replace(LIVE, skew_ms=ahead))["clock"] == said


def test_what_is_shown_is_as_new_as_what_was_heard() -> None:
    assert data_ms(NOON, None) == NOON
    assert data_ms(NOON, LIVE) == NOON - 1_000
    assert data_ms(NOON, Standing(since_ms=NOON - 5)) == NOON - 5
