"""Moments and milliseconds say the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.kernel.clock import CorrectedClock, SetClock, SystemClock, from_ms, to_ms

EARLY, LATE = (datetime(year, 1, 1) for year in (1900, 2200))  # noqa: DTZ001  the zone is added


@given(st.integers(-(10**12), 4 * 10**12))
def test_milliseconds_become_a_moment_and_the_same_again(milliseconds: int) -> None:
    assert to_ms(from_ms(milliseconds)) == milliseconds


@given(st.datetimes(EARLY, LATE, timezones=st.just(UTC)))
def test_a_moment_loses_less_than_a_millisecond(moment: datetime) -> None:
    assert timedelta(0) <= moment - from_ms(to_ms(moment)) < timedelta(milliseconds=1)


def test_the_zone_does_not_matter() -> None:
    at = datetime(2026, 3, 16, 10, tzinfo=ZoneInfo("Asia/Shanghai"))
    assert to_ms(at) == to_ms(at.astimezone(UTC)) == 1_773_626_400_000


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        to_ms(datetime(2026, 3, 16))  # noqa: DTZ001  that is the point


def test_a_set_clock_stands_still_until_it_is_moved() -> None:
    clock = SetClock(datetime(2026, 3, 16, tzinfo=UTC))
    assert clock.now() == clock.now()
    clock.advance(timedelta(hours=2))
    assert clock.now().hour == 2


def test_the_computers_clock_tells_utc() -> None:
    assert SystemClock().now().utcoffset() == timedelta(0)


@given(st.integers(-86_400_000, 86_400_000))
def test_a_clock_known_to_be_wrong_is_set_right(ahead_ms: int) -> None:
    right = datetime(2026, 3, 16, 2, tzinfo=UTC)
    own = SetClock(right + timedelta(milliseconds=ahead_ms))
    assert CorrectedClock(own, ahead_ms).now() == right
