"""A day begins at the city's own midnight."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from db.live.days import day_of, day_start, midnight, next_day_start
from tests.db.live.rows import DAY, HOUR, ZONE


def test_midnight_in_shanghai_is_four_in_the_afternoon_elsewhere() -> None:
    assert day_start(DAY, ZONE) == DAY
    assert day_start(DAY - 1, ZONE) == DAY - 24 * HOUR
    assert next_day_start(DAY, ZONE) == DAY + 24 * HOUR
    assert day_of(DAY - 1, ZONE) == date(2026, 3, 13)


def test_a_day_on_which_clocks_are_set_back_has_twenty_five_hours() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    begins = midnight(date(2026, 10, 25), berlin)
    assert next_day_start(begins, berlin) - begins == 25 * HOUR


@given(st.integers(0, 4_000_000_000_000), st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "UTC"]))
def test_every_moment_lies_in_its_day(now_ms: int, zone: str) -> None:
    assert day_start(now_ms, ZoneInfo(zone)) <= now_ms < next_day_start(now_ms, ZoneInfo(zone))
