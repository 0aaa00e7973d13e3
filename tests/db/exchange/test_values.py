"""Moments and degrees are read for certain, or refused."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.exchange.problems import Reason
from db.exchange.values import DATE_FORMATS, Unreadable, read_degrees, read_moment
from db.kernel.clock import from_ms, to_ms

ZONE = "Asia/Shanghai"
ALL_BUT_DAY_FIRST = tuple(name for name in DATE_FORMATS if name != "day-first")
WANTED = datetime(2024, 4, 16, 3, 3, 15, tzinfo=ZoneInfo(ZONE))


def at(text: str, *formats: str, zone: str = ZONE) -> datetime:
    return from_ms(read_moment(text, formats or ALL_BUT_DAY_FIRST, zone).ms)


@pytest.mark.parametrize(
    "text",
    [
        "2024-04-16T03:03:15.000",
        "2024-04-16 03:03:15",
        "2024-04-15T19:03:15Z",
        "2024-04-15 15:03:15-0400",
        "2024/4/16 3:03:15",
        "2024.4.16 3:03:15",
        "2024/4/16 上午 3:03:15",
        "04/16/2024 03:03:15 AM",
        "2024年4月16日 3时3分15秒",
        "2024年4月16日3:03:15",
        "２０２４-０４-１６　０３：０３：１５",
        "20240416030315",
        " 2024-04-16 03:03:15 ",
    ],
)
def test_one_moment_in_many_forms(text: str) -> None:
    assert at(text) == WANTED


@pytest.mark.parametrize(
    "text, hour, minute",
    [
        ("2024年4月16日 3时3分", 3, 3),
        ("2024年4月16日 下午3点", 15, 0),
        ("2024年4月16日", 0, 0),
        ("2024/4/16 3:03", 3, 3),
        ("04/16/2024 12:00:00 AM", 0, 0),
        ("04/16/2024 12:00 PM", 12, 0),
        ("45398.5", 12, 0),
        ("45398", 0, 0),
        ("2024-04-15 24:00", 0, 0),
    ],
)
def test_hours_and_halves_of_the_day(text: str, hour: int, minute: int) -> None:
    assert at(text) == datetime(2024, 4, 16, hour, minute, tzinfo=ZoneInfo(ZONE))


def test_day_and_month_are_told_apart_by_the_mapping_alone() -> None:
    assert at("04/05/2024", "month-first").astimezone(ZoneInfo(ZONE)).month == 4
    assert at("04/05/2024", "day-first").astimezone(ZoneInfo(ZONE)).month == 5
    with pytest.raises(Unreadable) as refused:
        at("04/05/2024", "iso", "year-first")
    assert refused.value.reason is Reason.NOT_A_DATE


@pytest.mark.parametrize(
    "text, reason",
    [
        ("yesterday", Reason.NOT_A_DATE),
        ("2024-02-30", Reason.NO_SUCH_DATE),
        ("2024-04-16 25:00", Reason.NO_SUCH_DATE),
        ("13/13/2024", Reason.NO_SUCH_DATE),
        ("04/16/2024 13:00 PM", Reason.NOT_A_DATE),
        ("0001-01-01", Reason.YEAR),
        ("9999-12-31", Reason.YEAR),
        ("2024-04-16 03:03:15 +99:00", Reason.NOT_A_DATE),
        ("2024-04-16; DROP TABLE", Reason.NOT_A_DATE),
    ],
)
def test_what_is_no_moment_is_refused(text: str, reason: Reason) -> None:
    with pytest.raises(Unreadable) as refused:
        at(text)
    assert refused.value.reason is reason


def test_an_hour_that_comes_twice_is_taken_as_the_first_and_said() -> None:
    read = read_moment("2024-11-03 01:30", ("iso",), "America/New_York")
    assert from_ms(read.ms) == datetime(2024, 11, 3, 5, 30, tzinfo=UTC)
    assert read.remark is Reason.HOUR_TWICE


def test_an_hour_that_is_left_out_is_taken_one_hour_later_and_said() -> None:
    read = read_moment("2024-03-10 02:30", ("iso",), "America/New_York")
    assert from_ms(read.ms).astimezone(ZoneInfo("America/New_York")).hour == 3
    assert read.remark is Reason.HOUR_LEFT_OUT


moments = st.datetimes(datetime(1972, 1, 1), datetime(2198, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


@given(moments)
def test_what_we_write_as_iso_we_read_back(moment: datetime) -> None:
    whole = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    assert read_moment(whole.isoformat(), ("iso",), ZONE).ms == to_ms(whole)


@given(moments.map(lambda m: m.replace(microsecond=0, tzinfo=None)))
def test_every_form_of_a_wall_clock_means_the_same(wall: datetime) -> None:
    forms = {
        "iso": wall.isoformat(" "),
        "year-first": f"{wall.year}/{wall.month}/{wall.day} {wall:%H:%M:%S}",
        "month-first": f"{wall.month}/{wall.day}/{wall.year} {wall:%I:%M:%S} {'AP'[wall.hour // 12]}M",
        "day-first": f"{wall.day}.{wall.month}.{wall.year} {wall:%H:%M:%S}",
        "chinese": f"{wall.year}年{wall.month}月{wall.day}日 {wall.hour}时{wall.minute}分{wall.second}秒",
        "compact": f"{wall:%Y%m%d%H%M%S}",
    }
    assert len({read_moment(text, (name,), "UTC").ms for name, text in forms.items()}) == 1


@given(st.text(max_size=40))
def test_no_text_at_all_breaks_the_reading_of_a_moment(text: str) -> None:
    with suppress(Unreadable):
        assert read_moment(text, tuple(DATE_FORMATS), ZONE).ms > 0


@given(st.floats(-180, 180))
def test_degrees_read_back_as_they_were_written(degrees: float) -> None:
    assert read_degrees(f" {degrees!r} ") == degrees


@pytest.mark.parametrize("text", ["abc", "nan", "inf", "1_0", "12,5", "0x10", "1e9999x", "٣"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read_degrees(text)
    assert refused.value.reason is Reason.NOT_A_NUMBER


def test_an_empty_cell_is_no_number_but_no_fault() -> None:
    assert read_degrees("  ") is None
