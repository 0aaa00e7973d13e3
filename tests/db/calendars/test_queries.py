"""The calendar is read from its rows, in the zone of its city."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from db.calendars.queries import calendar_page, day_names, load_calendar
from db.calendars.rules import Limit, LimitUnit, WorkingDay
from db.calendars.tables import calendar_day, calendar_year, working_day_rule
from db.engine import settings
from db.engine.connections import Database
from db.engine.unit_of_work import UnitOfWork
from db.kernel.clock import from_ms, to_ms

Put = Callable[[Callable[[UnitOfWork], Any]], None]
MONDAY_MORNING = to_ms(datetime(2026, 3, 16, 0, tzinfo=UTC))
"""08:00 in Shanghai."""


def test_the_hours_are_those_of_the_citys_zone(database: Database, put: Put) -> None:
    put(lambda unit: settings.put(unit, "city.zone", "Asia/Urumqi"))
    with database.read() as connection:
        due = load_calendar(connection).due(MONDAY_MORNING, Limit(1, LimitUnit.WORKING_HOUR))
    # The office opens two hours later there.
    assert from_ms(due) == datetime(2026, 3, 16, 3, tzinfo=UTC)


def test_a_rule_given_stands_over_those_in_the_table(database: Database, put: Put) -> None:
    row = {"id": 9, "valid_from": date(2026, 1, 1), "rule": "same_time"}
    put(lambda unit: unit.insert(working_day_rule, [row]))
    with database.read() as connection:
        assert load_calendar(connection).rule_at(MONDAY_MORNING) is WorkingDay.SAME_TIME
        assert load_calendar(connection, WorkingDay.HOURS).rule_at(MONDAY_MORNING) is WorkingDay.HOURS


def test_days_bear_their_names(database: Database, put: Put) -> None:
    day = {"id": 9, "day": date(2026, 5, 1), "kind": "holiday", "name": "劳动节"}
    put(lambda unit: unit.insert(calendar_day, [day]))
    with database.read() as connection:
        assert day_names(connection) == {date(2026, 5, 1): "劳动节"}
        assert not load_calendar(connection).is_workday(date(2026, 5, 1))


def test_a_page_is_one_year_and_a_missing_one_has_no_source(database: Database, put: Put) -> None:
    rows = [
        {"id": 9, "day": date(2031, 5, 1), "kind": "holiday", "name": "劳动节"},
        {"id": 10, "day": date(2032, 5, 1), "kind": "workday", "name": ""},
    ]
    put(lambda unit: unit.insert(calendar_day, rows))
    put(lambda unit: unit.insert(calendar_year, [{"id": 9, "year": 2031, "source": "notice"}]))
    rule = {"id": 9, "valid_from": date(2031, 3, 1), "rule": "same_time"}
    put(lambda unit: unit.insert(working_day_rule, [rule]))
    with database.read() as connection:
        page, missing = calendar_page(connection, 2031), calendar_page(connection, 2032)
    assert (page.source, missing.source) == ("notice", "")
    assert list(page.days) == [date(2031, 5, 1)]
    assert not page.is_worked(date(2031, 5, 1))
    assert page.is_worked(date(2031, 5, 2))
    assert page.rule_on(date(2031, 2, 28)) is WorkingDay.HOURS
    assert page.rule_on(date(2031, 3, 1)) is WorkingDay.SAME_TIME
