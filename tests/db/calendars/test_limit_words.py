"""Limits as people write them, and as the program says them."""

from __future__ import annotations

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from db.calendars.limit_words import LARGEST, parse_limit, say_limit
from db.calendars.rules import Limit, LimitUnit
from db.kernel.refusal import Refused

U = LimitUnit


@pytest.mark.parametrize(
    "text,limit",
    [
        ("2紧急工作时", Limit(2, U.URGENT_HOUR)),
        ("2 紧急小时", Limit(2, U.URGENT_HOUR)),
        ("1 紧急工作日", Limit(1, U.URGENT_DAY)),
        ("4 工作时", Limit(4, U.WORKING_HOUR)),
        (" ４ 个 工作小时 ", Limit(4, U.WORKING_HOUR)),
        ("1 工作日", Limit(1, U.WORKING_DAY)),
        ("三个工作日", Limit(3, U.WORKING_DAY)),
        ("两个工作日", Limit(2, U.WORKING_DAY)),
        ("十工作日", Limit(10, U.WORKING_DAY)),
        ("十五自然日", Limit(15, U.NATURAL_DAY)),
        ("二十一 自然日", Limit(21, U.NATURAL_DAY)),
        ("15 自然日", Limit(15, U.NATURAL_DAY)),
        ("3 working days", Limit(3, U.WORKING_DAY)),
        ("One Business Day", Limit(1, U.WORKING_DAY)),
        ("4 working-hours", Limit(4, U.WORKING_HOUR)),
        ("2 urgent hours", Limit(2, U.URGENT_HOUR)),
        ("1 urgent working day", Limit(1, U.URGENT_DAY)),
        ("15 calendar days", Limit(15, U.NATURAL_DAY)),
        ("4 working_hour", Limit(4, U.WORKING_HOUR)),
    ],
)
def test_a_limit_is_read(text: str, limit: Limit) -> None:
    assert parse_limit(text) == limit


@pytest.mark.parametrize("text", ["3天", "4 小时", "2 hours", "1 day", "5d", "3日"])
def test_a_limit_that_does_not_name_its_clock_is_asked_about(text: str) -> None:
    with pytest.raises(Refused) as refusal:
        parse_limit(text)
    assert refusal.value.code == "limit_without_clock"
    assert text in refusal.value.text()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "工作时",
        "0 工作时",
        "-1 工作时",
        "1.5 工作日",
        "10000 工作日",
        "4 weeks",
        "十十 工作日",
        "4 工作时 半",
    ],
)
def test_what_is_no_limit_is_refused(text: str) -> None:
    with pytest.raises(Refused) as refusal:
        parse_limit(text)
    assert refusal.value.code == "no_limit"


@given(st.text(max_size=60))
def test_any_text_is_a_limit_or_a_refusal(text: str) -> None:
    try:
        limit = parse_limit(text)
    except Refused as refusal:
        event(refusal.code)
        refusal.text()
    else:
        assert 1 <= limit.amount <= LARGEST


@given(st.integers(1, LARGEST), st.sampled_from(LimitUnit))
def test_what_is_said_is_read_back(amount: int, unit: LimitUnit) -> None:
    limit = Limit(amount, unit)
    assert parse_limit(say_limit(limit)) == limit


def test_one_is_said_in_the_singular() -> None:
    assert say_limit(Limit(1, U.WORKING_DAY)) == "1 working day"
    assert say_limit(Limit(2, U.NATURAL_DAY)) == "2 calendar days"
