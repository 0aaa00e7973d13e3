"""Times, figures and filters are said with the same words everywhere."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from db.kernel.clock import to_ms
from db.kernel.language import set_language
from db.live.filters import PARTS, Filter, Scope
from desktop.core import words
from desktop.core.words import chip_label, count_sentence, number, span, time_left
from tests.db.live.rows import DAY, HOUR, NOON, ZONE
from tests.desktop.seeded import DIRECTORY

MINUTE = 60_000


@pytest.mark.parametrize(
    "milliseconds, said",
    [
        (0, "0:00"),
        (42 * MINUTE, "0:42"),
        (42 * MINUTE + 59_999, "0:42"),
        (3 * HOUR + 5 * MINUTE, "3:05"),
        (47 * HOUR + 59 * MINUTE, "47:59"),
        (48 * HOUR, "2d 0h"),
        (52 * HOUR, "2d 4h"),
        (-3 * HOUR, "3:00"),
        (41 * 24 * HOUR + 17 * HOUR, "41d"),
    ],
)
def test_a_span_is_hours_and_minutes_then_days_and_hours_then_days(milliseconds: int, said: str) -> None:
    assert span(milliseconds) == said


def test_what_is_over_says_so_and_what_is_left_stands_alone() -> None:
    assert time_left(-HOUR) == "over 1:00"
    assert time_left(-1) == "over 0:00"
    assert time_left(0) == "0:00"
    assert time_left(90 * MINUTE) == "1:30"


def test_thousands_are_separated() -> None:
    assert number(8214) == "8,214"


def test_clock_times_are_of_the_city_and_not_of_the_computer() -> None:
    assert words.clock_time(NOON, ZONE) == "12:00"
    assert words.clock_time(NOON + 7_000, ZONE, seconds=True) == "12:00:07"


def test_the_year_is_said_only_when_it_is_another_one() -> None:
    this_year = to_ms(datetime.now(ZONE).replace(month=6, day=5))
    assert words.day_and_time(this_year, ZONE).startswith("06-0")
    assert words.day_and_time(to_ms(datetime(1999, 1, 2, 4, 0, tzinfo=UTC)), ZONE) == "1999-01-02 12:00"


def labels(chosen: Filter) -> list[str]:
    return [chip_label(part, values, DIRECTORY, ZONE) for part, values in chosen.parts()]


@pytest.mark.parametrize(
    "chosen, english, chinese",
    [
        (Filter(units=frozenset({1})), "Unit 1", "单位1"),
        (Filter(districts=frozenset({1, 2})), "District 1, District 2", "街道1, 街道2"),
        (Filter(categories=frozenset({1, 2, 3})), "Kind 1 and 2 more", "类1 and 2 more"),
        (Filter(majors=frozenset({"s/01"})), "Looks", "市容环境"),
        (Filter(units=frozenset({0})), "none", "none"),
    ],
)
def test_a_chip_names_up_to_two_values_in_the_readers_language(
    chosen: Filter, english: str, chinese: str
) -> None:
    assert labels(chosen) == [english]
    if "more" not in english and "," not in english and english != "none":
        set_language("zh_CN")
        assert labels(chosen) == [chinese]


@pytest.mark.parametrize(
    "slack, said",
    [
        ((0, 2 * HOUR), "0:00 to 2:00 left"),
        ((None, 2 * HOUR), "due within 2:00 or overdue"),
        ((None, 0), "Overdue"),
        ((None, -2 * HOUR), "over by more than 2:00"),
        ((3 * HOUR, None), "more than 3:00 left"),
        ((-4 * HOUR, -1 * HOUR), "over by 1:00 to 4:00"),
    ],
)
def test_time_left_is_said_from_the_smaller_to_the_larger(slack: tuple[int, int], said: str) -> None:
    assert labels(Filter(slack=slack)) == [said]


def test_a_range_that_crosses_the_limit_says_on_which_side_each_end_lies() -> None:
    (said,) = labels(Filter(slack=(-2 * HOUR, 3 * HOUR)))
    assert said == "over by 2:00 to 3:00 left"


def test_moments_are_chips_by_hour_or_by_day() -> None:
    assert labels(Filter(arrived=(DAY + 8 * HOUR, DAY + 9 * HOUR))) == ["arrived 08:00–09:00"]
    assert labels(Filter(closed=(DAY, DAY + 24 * HOUR))) == ["closed 03-14"]
    assert labels(Filter(arrived=(DAY, None))) == ["arrived since 00:00"]
    assert labels(Filter(arrived=(None, DAY + HOUR))) == ["arrived before 01:00"]


def test_every_part_of_a_filter_has_words() -> None:
    full = Filter(
        states=frozenset({"handling"}),
        lights=frozenset({2}),
        districts=frozenset({1}),
        communities=frozenset({3}),
        patrols=frozenset({4}),
        cells=frozenset({5}),
        units=frozenset({1}),
        categories=frozenset({1}),
        majors=frozenset({"s/01"}),
        sources=frozenset({"hotline"}),
        priorities=frozenset({2}),
        holders=frozenset({0}),
        claimants=frozenset({0, 7}),
        requests=frozenset({"return"}),
        tags=frozenset({"占道"}),
        supervised=True,
        returned=True,
        mine=(7, 8),
        slack=(0, HOUR),
        arrived=(DAY, None),
        closed=(DAY, None),
        no_position=True,
        text="井盖 <b>",
        box=(117.0, 35.0, 117.1, 35.1),
        shape=((117.0, 35.0), (117.1, 35.0), (117.1, 35.1)),
        ids=frozenset({1, 2}),
    )
    assert [part for part, _values in full.parts()] == list(PARTS)
    said = labels(full)
    assert all(said)
    assert "“井盖 <b>”" in said
    assert "2 chosen cases" in said


def test_the_count_says_of_how_many() -> None:
    assert count_sentence(8214, 8214, Filter()) == "8,214 open cases"
    assert count_sentence(63, 8214, Filter(units=frozenset({1}))) == "63 of 8,214 open cases"
    assert count_sentence(5, 8214, Filter(scope=Scope.TODAY_CLOSED)) == "5 cases ended today"
    assert count_sentence(9, 8214, Filter(scope=Scope.ALL)).startswith("9 cases")


@pytest.mark.parametrize("code", ["en", "zh_CN"])
def test_the_count_holds_both_figures_in_both_languages(code: str) -> None:
    set_language(code)
    said = count_sentence(63, 8214, Filter(units=frozenset({1})))
    assert "63" in said
    assert "8,214" in said
