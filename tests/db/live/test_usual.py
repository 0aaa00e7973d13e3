"""The usual is made of days of the same kind, in the city's own hours."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from db.calendars.rules import Window, WorkingCalendar
from db.cases.tables import case
from db.engine.connections import Database
from db.kernel.clock import to_ms
from db.live.usual import Usual, UsualDays, load_usual
from tests.db.live.city import case_values, found_city, write

ZONE = ZoneInfo("Asia/Shanghai")
SATURDAY = date(2026, 3, 14)
HOLIDAY = date(2026, 3, 12)
WORKED_SUNDAY = date(2026, 3, 8)
CALENDAR = WorkingCalendar(
    [2026], {HOLIDAY: False, WORKED_SUNDAY: True}, [Window(time(8), time(12))], "Asia/Shanghai"
)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = found_city(database_url)
    yield database
    database.close()


def at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), ZONE)


def fill(database: Database, *cases: dict[str, Any]) -> None:
    write(database, (case, [case_values(case_id, **values) for case_id, values in enumerate(cases, start=1)]))


def load(database: Database, day: date) -> Usual:
    with database.read() as connection:
        return load_usual(connection, day, ZONE, CALENDAR)


def test_off_days_are_compared_with_off_days(database: Database) -> None:
    """The holiday and the Sundays are like a Saturday; the Sunday that was worked is not."""
    quiet = {"state": "handling"}
    fill(
        database,
        *({"reported_at": at(SATURDAY - timedelta(weeks=8), 9, i), **quiet} for i in range(2)),
        *({"reported_at": at(HOLIDAY, 9, i), **quiet} for i in range(4)),
        *({"reported_at": at(WORKED_SUNDAY, 9, i), **quiet} for i in range(50)),
    )
    usual = load(database, SATURDAY)
    assert not usual.is_workday
    # 8 Saturdays (the first is eight weeks back), 8 Sundays of which one was worked, one holiday.
    assert usual.days == 8 + 8 - 1 + 1
    assert usual.arrivals.high[9] < 4
    workday = load(database, date(2026, 3, 13))
    assert workday.is_workday
    assert workday.arrivals.middle[9] == 0


def test_the_band_lies_at_the_tenth_the_middle_and_the_ninetieth(database: Database) -> None:
    counts = {SATURDAY - timedelta(weeks=w): w for w in range(1, 9)}
    sundays = [SATURDAY - timedelta(weeks=w, days=-1) for w in range(1, 9)]
    counts |= dict.fromkeys(sundays, 0)
    fill(
        database,
        *({"reported_at": at(day, 15, i)} for day, count in counts.items() for i in range(count)),
    )
    usual = load(database, SATURDAY)
    same = [count for day, count in counts.items() if day != WORKED_SUNDAY] + [0]
    wanted = np.percentile(same, [10, 50, 90])
    found = [usual.arrivals.low[15], usual.arrivals.middle[15], usual.arrivals.high[15]]
    assert np.allclose(found, wanted)
    assert usual.arrivals.high[14] == usual.arrivals.high[16] == 0
    assert usual.arrivals.so_far(0.5, 15) == wanted[1] / 2


def test_days_before_the_first_case_are_not_days_without_cases(database: Database) -> None:
    fill(database, {"reported_at": at(SATURDAY - timedelta(weeks=1), 10)})
    usual = load(database, SATURDAY)
    assert usual.days == 2, "that Saturday and the holiday; the Sunday after it was worked"
    assert usual.arrivals.middle[10] == 0.5


def test_an_empty_database_has_nothing_usual(database: Database) -> None:
    usual = load(database, SATURDAY)
    assert usual.days == 0
    assert usual.arrivals.high.tolist() == [0] * 24
    assert usual.arrived_by(to_ms(at(SATURDAY, 12))) == 0


def test_yesterday_is_counted_up_to_the_same_time_of_day(database: Database) -> None:
    friday = SATURDAY - timedelta(days=1)
    fill(
        database,
        {"reported_at": at(friday, 9)},
        {"reported_at": at(friday, 13)},
        {"reported_at": at(friday, 8), "state": "closed", "closed_at": at(friday, 10)},
        {"reported_at": at(friday, 8), "state": "rejected", "closed_at": at(friday, 14)},
        {"reported_at": at(SATURDAY, 9)},
    )
    usual = load(database, SATURDAY)
    noon = to_ms(at(SATURDAY, 12))
    assert usual.arrived_by(noon) == 3
    assert usual.closed_by(noon) == 1
    assert usual.closed_by(to_ms(at(SATURDAY, 23))) == 1, "a refused case was not closed"
    # Open now: three. Yesterday at noon: the one of nine o'clock and the one that was refused at two.
    assert usual.open_at(noon, open_now=3, arrived_today=1, ended_today=0) == 2


def test_closings_alone_make_the_usual_of_closings(database: Database) -> None:
    day = SATURDAY - timedelta(weeks=1)
    fill(
        database,
        {"reported_at": at(day, 8), "state": "forced", "closed_at": at(day, 10)},
        {"reported_at": at(day, 8), "state": "void", "closed_at": at(day, 10)},
    )
    assert load(database, SATURDAY).closings.high[10] == pytest.approx(0.9)


def test_the_usual_of_a_day_is_read_once(database: Database) -> None:
    usual_days = UsualDays(database, ZONE)
    first = usual_days.of(to_ms(at(SATURDAY, 0)))
    fill(database, {"reported_at": at(SATURDAY - timedelta(days=1), 9)})
    assert usual_days.of(to_ms(at(SATURDAY, 23))) is first
    assert usual_days.of(to_ms(at(SATURDAY + timedelta(days=1), 0))) is not first
    assert not first.is_workday, "the calendar knows no year here: Saturday by its name"
