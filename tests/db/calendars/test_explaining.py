"""The lines of an explanation add up to what was counted."""

from __future__ import annotations

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from db.calendars.explaining import Why, explain
from db.calendars.rules import Limit, LimitUnit, Window, WorkingCalendar
from db.kernel.clock import to_ms

ZONE = ZoneInfo("Asia/Shanghai")
MAY_DAY, SUNDAY = date(2026, 5, 1), date(2026, 5, 3)
CALENDAR = WorkingCalendar(
    [2026],
    {MAY_DAY: False, SUNDAY: True},
    [Window(time(8), time(12)), Window(time(14), time(18))],
)
NAMES = {MAY_DAY: "劳动节", SUNDAY: "劳动节调休"}


def at(text: str) -> int:
    return to_ms(datetime.fromisoformat(text).replace(tzinfo=ZONE))


def test_each_day_says_why_it_counts_or_not() -> None:
    lines = explain(CALENDAR, at("2026-04-30T19:00"), at("2026-05-03T15:00"), True, NAMES)
    assert [(line.day.day, line.why, line.minutes, line.name) for line in lines] == [
        (30, Why.OUTSIDE, 0, ""),
        (1, Why.HOLIDAY, 0, "劳动节"),
        (2, Why.WEEKEND, 0, ""),
        (3, Why.SWAP_DAY, 240, "劳动节调休"),
        (3, Why.SWAP_DAY, 60, "劳动节调休"),
    ]


def test_a_clock_that_always_runs_counts_every_hour() -> None:
    lines = explain(CALENDAR, at("2026-05-01T23:10"), at("2026-05-03T00:00"), False)
    assert [(line.day.day, line.why, line.minutes) for line in lines] == [
        (1, Why.COUNTED, 50),
        (2, Why.COUNTED, 1440),
    ]


@given(st.integers(0, 20 * 1440), st.integers(1, 30), st.sampled_from(LimitUnit))
def test_the_lines_add_up_to_the_limit(start: int, amount: int, unit: LimitUnit) -> None:
    begun = at("2026-04-20T00:00") + start * 60_000
    limit = Limit(amount, unit)
    lines = explain(CALENDAR, begun, CALENDAR.due(begun, limit), limit.at_work, NAMES)
    assert sum(line.ends_ms - line.begins_ms for line in lines) == limit.length_ms
    days = [line.day for line in lines]
    assert days == sorted(days)
