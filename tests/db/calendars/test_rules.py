"""Working time: the vectors of DOMAIN 1.8, a second reckoning minute by minute, and laws that always hold."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from db.calendars.rules import SOON_SHARE, UNIT_LABELS, Limit, LimitUnit, Window, WorkingCalendar
from db.kernel.clock import to_ms
from db.kernel.refusal import Refused
from db.registers import reference

ZONE = ZoneInfo("Asia/Shanghai")
DAYS = {row.day: row.kind == "workday" for row in reference.read_days()}
WINDOWS = [Window(time(8), time(12)), Window(time(14), time(18))]
SEASONS = [
    Window(time(8), time(12)),
    Window(time(14), time(18), date(2026, 1, 1), date(2026, 5, 31)),
    Window(time(14, 30), time(18, 30), date(2026, 6, 1)),
]
HOUR, WORKING_DAY, URGENT = LimitUnit.WORKING_HOUR, LimitUnit.WORKING_DAY, LimitUnit.URGENT_HOUR


@cache
def office(seasons: bool = False) -> WorkingCalendar:
    return WorkingCalendar([2025, 2026], DAYS, SEASONS if seasons else WINDOWS)


def local(text: str) -> int:
    return to_ms(datetime.fromisoformat(text).replace(tzinfo=ZONE))


def shown(milliseconds: int) -> str:
    return f"{datetime.fromtimestamp(milliseconds / 1000, ZONE):%Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    "start, amount, unit, due",
    [
        ("2026-03-13 17:30", 4, HOUR, "2026-03-16 11:30"),
        ("2026-03-14 10:00", 4, HOUR, "2026-03-16 12:00"),
        ("2026-03-16 12:30", 2, HOUR, "2026-03-16 16:00"),
        ("2026-04-30 11:30", 2, HOUR, "2026-04-30 15:30"),
        ("2026-04-30 17:00", 4, HOUR, "2026-05-06 11:00"),
        ("2026-02-13 16:00", 1, WORKING_DAY, "2026-02-14 16:00"),
        ("2026-02-14 17:00", 1, WORKING_DAY, "2026-02-24 17:00"),
        ("2026-09-18 15:00", 3, WORKING_DAY, "2026-09-22 15:00"),
        ("2026-10-09 09:00", 2, WORKING_DAY, "2026-10-12 09:00"),
        ("2026-05-01 23:10", 2, URGENT, "2026-05-02 01:10"),
    ],
)
def test_due_times_are_those_of_the_domain_sheet(start: str, amount: int, unit: LimitUnit, due: str) -> None:
    assert shown(office().due(local(start), Limit(amount, unit))) == due


def naive_due(start: datetime, limit: Limit, windows: list[Window]) -> datetime:
    """Walks minute by minute through the days; slow, and plain to see."""
    minutes = (
        limit.amount
        * {
            LimitUnit.URGENT_HOUR: 60,
            LimitUnit.URGENT_DAY: 24 * 60,
            LimitUnit.NATURAL_DAY: 24 * 60,
            LimitUnit.WORKING_HOUR: 60,
            LimitUnit.WORKING_DAY: 8 * 60,
        }[limit.unit]
    )
    at = start
    while minutes:
        day, clock = at.date(), at.time()
        works = not limit.at_work or (
            DAYS.get(day, day.weekday() < 5)
            and any(w.holds_on(day) and w.begins <= clock < w.ends for w in windows)
        )
        at += timedelta(minutes=1)
        minutes -= works
    return at


starts = st.integers(0, 340 * 24 * 60).map(lambda n: datetime(2025, 1, 1) + timedelta(minutes=n))  # noqa: DTZ001
limits = st.builds(Limit, st.integers(1, 6), st.sampled_from(LimitUnit))


@given(start=starts.map(lambda s: s + timedelta(days=300)), limit=limits, seasons=st.booleans())
def test_due_equals_a_walk_minute_by_minute(start: datetime, limit: Limit, seasons: bool) -> None:
    assume(start < datetime(2026, 12, 1))  # noqa: DTZ001
    expected = naive_due(start, limit, SEASONS if seasons else WINDOWS)
    due = office(seasons).due(to_ms(start.replace(tzinfo=ZONE)), limit)
    assert due == to_ms(expected.replace(tzinfo=ZONE))


moments = st.integers(local("2025-01-01 00:00"), local("2026-11-01 00:00"))


@given(start=moments, amount=st.integers(1, 30), unit=st.sampled_from([HOUR, WORKING_DAY]))
def test_the_time_worked_until_it_is_due_is_the_limit(start: int, amount: int, unit: LimitUnit) -> None:
    calendar, limit = office(), Limit(amount, unit)
    due = calendar.due(start, limit)
    before, after = calendar.worked(np.array([start, due]))
    assert after - before == limit.length_ms
    assert calendar.worked(np.array([due - 1]))[0] < after, "and not a millisecond later than it must"


@given(cases=st.lists(st.tuples(moments, st.integers(0, 30), st.sampled_from(LimitUnit)), max_size=40))
def test_many_are_due_as_each_is_alone(cases: list[tuple[int, int, LimitUnit]]) -> None:
    due, soon = office().due_many(
        np.array([start for start, _amount, _unit in cases], dtype=np.int64),
        np.array([amount for _start, amount, _unit in cases], dtype=np.int64),
        [unit.value for _start, _amount, unit in cases],
    )
    for place, (start, amount, unit) in enumerate(cases):
        assert due[place] == office().due(start, Limit(amount, unit))
        assert soon[place] == office().due(start, Limit(amount, unit), SOON_SHARE)


@given(start=moments, limit=limits, later=st.integers(0, 10**9))
def test_amber_comes_before_red_and_a_later_start_is_never_due_earlier(
    start: int, limit: Limit, later: int
) -> None:
    calendar = office()
    due = calendar.due(start, limit)
    assert start < calendar.due(start, limit, SOON_SHARE) < due <= calendar.due(start + later, limit)


def test_nothing_allowed_is_due_at_once() -> None:
    noon = local("2026-03-16 12:30")
    assert office().due(noon, Limit(0, HOUR)) == noon


@pytest.mark.parametrize(
    "start, amount, year",
    [("2024-12-31 17:00", 1, 2024), ("2026-12-31 17:00", 2, 2027), ("2027-01-04 09:00", 1, 2027)],
)
def test_a_missing_year_is_refused_and_named(start: str, amount: int, year: int) -> None:
    def many() -> None:
        office().due_many(np.array([local(start)]), np.array([amount]), ["working_hour"])

    for attempt in (lambda: office().due(local(start), Limit(amount, HOUR)), many):
        with pytest.raises(Refused) as caught:
            attempt()
        assert caught.value.code == "calendar_missing"
        assert str(year) in caught.value.text()
    assert office().due(local(start), Limit(amount, URGENT)) == local(start) + amount * 3_600_000


def test_a_year_missing_in_between_is_not_leapt_over() -> None:
    calendar = WorkingCalendar([2024, 2026], DAYS, WINDOWS)
    with pytest.raises(Refused, match="2025"):
        calendar.due(local("2024-12-31 17:00"), Limit(2, HOUR))
    assert shown(calendar.due(local("2026-03-16 09:00"), Limit(2, HOUR))) == "2026-03-16 11:00"


def test_years_without_working_hours_are_missing_too() -> None:
    for calendar in (WorkingCalendar([], {}, WINDOWS), WorkingCalendar([2026], {}, [])):
        with pytest.raises(Refused) as caught:
            calendar.due(local("2026-03-16 09:00"), Limit(2, HOUR))
        assert caught.value.code == "calendar_missing"


def test_overlapping_windows_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="overlap"):
        WorkingCalendar([2026], {}, [Window(time(8), time(12)), Window(time(11), time(15))])


def test_a_year_is_known_by_the_clock_of_the_city() -> None:
    assert office().known(to_ms(datetime(2024, 12, 31, 16, tzinfo=UTC)))
    assert not office().known(to_ms(datetime(2024, 12, 31, 15, 59, tzinfo=UTC)))
    assert office().years == (2025, 2026)


def test_every_unit_has_a_word() -> None:
    assert set(UNIT_LABELS) == set(LimitUnit)
