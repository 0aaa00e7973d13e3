"""The disposal clock: consumed and left make up the limit, through every pause and extension."""

from __future__ import annotations

from datetime import date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.calendars.rules import Limit, LimitUnit, Window, WorkingCalendar
from db.cases.clock import (
    PAUSED,
    RUNNING,
    Span,
    begun,
    consumed,
    elapsed,
    later,
    left,
    minutes,
    postponed,
    resumed,
    this_round,
)
from db.kernel.clock import to_ms

CALENDAR = WorkingCalendar(
    [2025, 2026, 2027],
    {date(2026, 5, 1): False, date(2026, 5, 9): True},
    [Window(time(8), time(12)), Window(time(14), time(18))],
)
MINUTE = 60_000
HOUR = 60 * MINUTE
START = to_ms(datetime(2026, 3, 16, 10, tzinfo=CALENDAR.zone))
FOUR_HOURS = Limit(4, LimitUnit.WORKING_HOUR)


def test_minutes_are_counted_by_kind_and_cause() -> None:
    spans = [
        Span(RUNNING, "dispatch", 0, 10 * MINUTE),
        Span(PAUSED, "suspend", 10 * MINUTE, 25 * MINUTE),
        Span(RUNNING, "resume", 25 * MINUTE, 30 * MINUTE),
        Span(PAUSED, "check", 30 * MINUTE, None),
    ]
    assert minutes(spans, 90 * MINUTE) == {
        (RUNNING, "dispatch"): 10,
        (PAUSED, "suspend"): 15,
        (RUNNING, "resume"): 5,
        (PAUSED, "check"): 60,
    }
    assert minutes([], 5) == {}


def test_the_limit_counts_anew_with_each_dispatch_and_rework() -> None:
    first = [
        Span(RUNNING, "dispatch", START, START + HOUR),
        Span(PAUSED, "check", START + HOUR, START + 2 * HOUR),
    ]
    again = [Span(RUNNING, "rework", START + 2 * HOUR, None)]
    assert this_round([*first, *again]) == again
    assert consumed(first, FOUR_HOURS, CALENDAR, START + 2 * HOUR) == HOUR
    # 12:00 to 15:00 holds one working hour.
    assert consumed([*first, *again], FOUR_HOURS, CALENDAR, START + 5 * HOUR) == HOUR
    assert left([*first, *again], FOUR_HOURS, 1, CALENDAR, START + 5 * HOUR) == 7 * HOUR
    assert this_round([]) == ()


def test_what_is_overdue_has_less_than_nothing_left() -> None:
    spans = [Span(RUNNING, "dispatch", START, None)]
    due, _soon = begun(CALENDAR, FOUR_HOURS, START)
    assert left(spans, FOUR_HOURS, 0, CALENDAR, due) == 0
    assert left(spans, FOUR_HOURS, 0, CALENDAR, due + HOUR) == -HOUR


def test_a_moment_that_had_passed_stays_where_it_was() -> None:
    assert resumed(CALENDAR, FOUR_HOURS, START, START + 1, START + HOUR) == START
    assert resumed(CALENDAR, FOUR_HOURS, START, START, START + HOUR) == START


UNITS = st.sampled_from([LimitUnit.WORKING_HOUR, LimitUnit.URGENT_HOUR, LimitUnit.NATURAL_DAY])


@given(
    limit=st.builds(Limit, st.integers(1, 20), UNITS),
    gaps=st.lists(
        st.tuples(st.sampled_from(["pause", "postpone"]), st.integers(0, 3000), st.integers(0, 20_000)),
        max_size=5,
    ),
)
def test_consumed_and_left_make_up_the_limit_whatever_happens(
    limit: Limit, gaps: list[tuple[str, int, int]]
) -> None:
    now, extensions = START, 0
    due, soon = begun(CALENDAR, limit, now)
    spans = [Span(RUNNING, "dispatch", now, None)]
    for act, wait, stands in gaps:
        now += wait * MINUTE
        if act == "postpone":
            due, soon = postponed(CALENDAR, limit, due, extensions)
            extensions += 1
        else:
            paused, began = now, spans[-1].began_at
            now += stands * MINUTE
            spans[-1] = Span(RUNNING, spans[-1].cause, began, paused)
            spans += [Span(PAUSED, "suspend", paused, now), Span(RUNNING, "resume", now, None)]
            due = resumed(CALENDAR, limit, due, paused, now)
            soon = resumed(CALENDAR, limit, soon, paused, now)
        assert soon <= due
        used = consumed(spans, limit, CALENDAR, now)
        assert used + left(spans, limit, extensions, CALENDAR, now) == limit.length_ms * (1 + extensions)
        if due >= now:
            assert used + elapsed(CALENDAR, limit, now, due) == limit.length_ms * (1 + extensions)
    assert sum(minutes(spans, now).values()) == (now - START) / MINUTE


@pytest.mark.parametrize("unit", list(LimitUnit))
@given(at=st.integers(0, 40_000), length=st.integers(0, 10_000))
def test_later_is_the_inverse_of_elapsed(unit: LimitUnit, at: int, length: int) -> None:
    limit = Limit(1, unit)
    begin = START + at * MINUTE
    assert elapsed(CALENDAR, limit, begin, later(CALENDAR, limit, begin, length * MINUTE)) == length * MINUTE


@given(extensions=st.integers(0, 1))
def test_amber_comes_when_80_percent_of_the_whole_have_gone(extensions: int) -> None:
    due, _soon = begun(CALENDAR, FOUR_HOURS, START)
    for granted in range(extensions):
        due, _soon = postponed(CALENDAR, FOUR_HOURS, due, granted)
    due, soon = postponed(CALENDAR, FOUR_HOURS, due, extensions)
    whole = 4 * HOUR * (2 + extensions)
    assert elapsed(CALENDAR, FOUR_HOURS, START, due) == whole
    assert elapsed(CALENDAR, FOUR_HOURS, START, soon) == pytest.approx(0.8 * whole, abs=1)
