"""Builds the working calendar from the rows that a bureau keeps."""

from __future__ import annotations

from sqlalchemy import Connection, select

from db.calendars.rules import Window, WorkingCalendar
from db.calendars.tables import calendar_day, calendar_year, working_window
from db.engine import settings


def load_calendar(connection: Connection) -> WorkingCalendar:
    """The calendar of this database, in the time zone of its city."""
    years = [row.year for row in connection.execute(select(calendar_year.c.year))]
    days = {
        row.day: row.kind == "workday"
        for row in connection.execute(select(calendar_day.c.day, calendar_day.c.kind))
    }
    windows = [
        Window(row.begins, row.ends, row.valid_from, row.valid_to)
        for row in connection.execute(select(working_window))
    ]
    return WorkingCalendar(years, days, windows, settings.get(connection, "city.zone", "Asia/Shanghai"))
