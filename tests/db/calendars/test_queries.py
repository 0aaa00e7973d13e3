"""The calendar of a database is made of its rows."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from db.bootstrap import load_reference, open_core
from db.calendars.queries import load_calendar
from db.calendars.rules import Limit, LimitUnit
from db.calendars.tables import calendar_day, calendar_year, working_window
from db.engine import settings
from db.kernel.clock import from_ms, to_ms
from tests.db.engine.kit import write

HOURS = Limit(4, LimitUnit.WORKING_HOUR)


def test_the_shipped_calendar_gives_the_vectors_of_the_domain_sheet(database_url: str) -> None:
    core = open_core(database_url)
    load_reference(core.database)
    with core.database.read() as connection:
        calendar = load_calendar(connection)
    core.close()
    assert {2025, 2026} <= set(calendar.years)
    due = calendar.due(to_ms(datetime(2026, 4, 30, 9, tzinfo=UTC)), HOURS)
    assert from_ms(due) == datetime(2026, 5, 6, 3, tzinfo=UTC)


def test_rows_that_a_bureau_edits_and_its_zone_count(database_url: str) -> None:
    core = open_core(database_url)
    write(
        core.database,
        lambda u: (
            u.insert(calendar_year, [{"id": 1, "year": 2024, "source": "own"}]),
            u.insert(calendar_day, [{"id": 1, "day": date(2024, 7, 4), "kind": "holiday"}]),
            u.insert(
                working_window,
                [{"id": 1, "valid_from": date(2024, 1, 1), "begins": time(9), "ends": time(17)}],
            ),
            settings.put(u, "city.zone", "America/New_York"),
        ),
    )
    with core.database.read() as connection:
        calendar = load_calendar(connection)
    core.close()
    # Wednesday 15:00 in New York, over the holiday, to Friday 11:00.
    due = calendar.due(to_ms(datetime(2024, 7, 3, 19, tzinfo=UTC)), HOURS)
    assert from_ms(due) == datetime(2024, 7, 5, 15, tzinfo=UTC)
