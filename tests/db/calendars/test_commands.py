"""A bureau edits its calendar: what comes of it, how it is taken back, what is refused."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Table

from db.calendars.commands import LoadYear, SetDay, SetWindows, SetWorkingDayRule
from db.calendars.queries import load_calendar, missing_years
from db.calendars.rules import Limit, LimitUnit
from db.calendars.tables import calendar_day, calendar_year, working_day_rule, working_window
from db.engine import journal
from db.engine.bus import Bus
from db.engine.connections import Database
from db.kernel.actor import Actor
from db.kernel.clock import from_ms, to_ms
from db.kernel.refusal import Refused
from tests.db.calendars.rows import rows_of

SHANGHAI = ZoneInfo("Asia/Shanghai")
SUMMER = ("06-01", "09-30", ("08:00-12:00", "14:30-18:30"))


def due(database: Database, start: str, amount: int, unit: str = "working_hour") -> str:
    begun = to_ms(datetime.fromisoformat(start).replace(tzinfo=SHANGHAI))
    with database.read() as connection:
        moment = load_calendar(connection).due(begun, Limit(amount, LimitUnit(unit)))
    return f"{from_ms(moment).astimezone(SHANGHAI):%Y-%m-%d %H:%M}"


def test_a_day_becomes_a_holiday_a_working_day_and_itself_again(
    bus: Bus, database: Database, editor: Actor
) -> None:
    bus.run(SetDay("2026-03-16", "holiday", "停电 \n"), editor)
    assert rows_of(database, calendar_day) == [(date(2026, 3, 16), "holiday", "停电")]
    assert due(database, "2026-03-16T10:00", 1) == "2026-03-17 09:00"
    bus.run(SetDay("2026-03-16", "workday"), editor)
    assert due(database, "2026-03-16T10:00", 1) == "2026-03-16 11:00"
    bus.run(SetDay("2026-03-14", "workday"), editor)
    assert due(database, "2026-03-14T10:00", 1) == "2026-03-14 11:00"
    bus.run(SetDay("2026-03-14", None), editor)
    assert due(database, "2026-03-14T10:00", 1) == "2026-03-16 09:00"


def test_a_year_is_loaded_with_its_published_days(bus: Bus, database: Database, editor: Actor) -> None:
    bus.run(SetDay("2025-03-03", "holiday", "一时之误"), editor)
    with pytest.raises(Refused, match="2025"):
        due(database, "2025-09-30T15:00", 2)
    outcome = bus.run(LoadYear(2025), editor)
    assert outcome.result == len(rows_of(database, calendar_day)) == 33
    assert (2025, "chinesecalendar") in rows_of(database, calendar_year)
    assert (date(2025, 3, 3), "holiday", "一时之误") not in rows_of(database, calendar_day)
    bus.run(SetWindows("2025-01-01", ("08:00-12:00", "14:00-18:00")), editor)
    assert due(database, "2025-09-30T17:00", 2) == "2025-10-09 09:00"


def test_loading_a_year_again_changes_nothing(bus: Bus, database: Database, editor: Actor) -> None:
    bus.run(LoadYear(2025), editor)
    assert bus.run(LoadYear(2025), editor).seq == 0


def test_a_year_that_is_not_published_can_be_entered_by_hand(
    bus: Bus, database: Database, editor: Actor
) -> None:
    with pytest.raises(Refused) as refusal:
        bus.run(LoadYear(2031), editor)
    assert refusal.value.code == "year_not_published"
    assert "2031" in refusal.value.text()
    bus.run(SetDay("2031-01-01", "holiday", "元旦"), editor)
    assert bus.run(LoadYear(2031, source="国办发明电〔2030〕9号"), editor).result == 1
    assert due(database, "2030-12-31T23:00", 1, "urgent_hour") == "2031-01-01 00:00"
    assert due(database, "2031-01-01T10:00", 1) == "2031-01-02 09:00"


def test_new_hours_hold_from_their_day_and_the_old_ones_before(
    bus: Bus, database: Database, editor: Actor
) -> None:
    assert bus.run(SetWindows("2026-05-01", ("08:00-12:00", "14:00-18:00"), (SUMMER,)), editor).result == 4
    assert rows_of(database, working_window)[0] == (
        date(2026, 1, 1), date(2026, 4, 30), time(8), time(16), None, None,
    )  # fmt: skip
    assert due(database, "2026-04-30T12:30", 1) == "2026-04-30 13:30"
    assert due(database, "2026-05-29T12:30", 1) == "2026-05-29 15:00"
    assert due(database, "2026-06-01T12:30", 1) == "2026-06-01 15:30"
    # Those that had not begun to hold are replaced, those that ended earlier stay.
    bus.run(SetWindows("2026-04-01", ("09:00-24:00",)), editor)
    assert len(rows_of(database, working_window)) == 2
    assert due(database, "2026-06-01T23:30", 1) == "2026-06-02 09:30"


def test_the_rule_for_a_working_day_holds_from_its_day(bus: Bus, database: Database, editor: Actor) -> None:
    bus.run(SetWorkingDayRule("same_time", "2026-03-18"), editor)
    assert due(database, "2026-03-16T08:00", 1, "working_day") == "2026-03-16 16:00"
    assert due(database, "2026-03-18T08:00", 1, "working_day") == "2026-03-19 08:00"
    bus.run(SetWorkingDayRule("hours", "2026-03-18"), editor)
    assert rows_of(database, working_day_rule) == [(date(2026, 3, 18), "hours")]


@pytest.mark.parametrize(
    "command,table",
    [
        (SetDay("2026-03-16", "holiday", "停电"), calendar_day),
        (LoadYear(2026), calendar_day),
        (LoadYear(2025), calendar_year),
        (SetWindows("2026-05-01", ("09:00-12:00",), (SUMMER,)), working_window),
        (SetWindows("2025-05-01", ("09:00-12:00",)), working_window),
        (SetWorkingDayRule("same_time", "2026-05-01"), working_day_rule),
    ],
)
def test_every_change_is_journaled_and_can_be_undone(
    command: Any, table: Table, bus: Bus, database: Database, editor: Actor
) -> None:
    bus.run(SetDay("2026-05-01", "holiday", "五一"), editor)
    before = rows_of(database, table)
    assert bus.run(command, editor).seq
    assert rows_of(database, table) != before
    bus.undo(editor)
    assert rows_of(database, table) == before
    with database.read() as connection:
        assert journal.verify(connection).whole


@pytest.mark.parametrize(
    "command,code",
    [
        (SetDay("2026-02-30", "holiday"), "no_date"),
        (SetDay("0026-02-03", "holiday"), "no_date"),
        (SetDay("2026-02-03", "feast"), "no_such_kind"),
        (LoadYear(19), "no_such_year"),
        (SetWindows("2026-05-01", ()), "no_hours"),
        (SetWindows("2026-05-01", ("8-12",)), "no_hours"),
        (SetWindows("2026-05-01", ("08:00-25:00",)), "no_hours"),
        (SetWindows("2026-05-01", ("12:00-08:00",)), "hours_overlap"),
        (SetWindows("2026-05-01", ("08:00-12:00", "11:59-14:00")), "hours_overlap"),
        (SetWindows("2026-05-01", ("08:00-12:00",), (("06-01", "06-31", ("08:00-12:00",)),)), "no_date"),
        (SetWindows("2026-05-01", ("08:00-12:00",), (("06-01", "06-30", ()),)), "no_hours"),
        (
            SetWindows("2026-05-01", ("08:00-12:00",), (SUMMER, ("09-30", "10-31", ("09:00-13:00",)))),
            "hours_overlap",
        ),
        (SetWorkingDayRule("weeks", "2026-05-01"), "no_such_rule"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(
    command: Any, code: str, bus: Bus, editor: Actor
) -> None:
    with pytest.raises(Refused) as refusal:
        bus.run(command, editor)
    assert refusal.value.code == code
    assert refusal.value.text().endswith((".", "。"))


def test_only_who_keeps_reference_data_may_edit(bus: Bus) -> None:
    with pytest.raises(Refused, match="may not"):
        bus.run(SetDay("2026-03-16", "holiday"), Actor(8, "李强", frozenset({"case.report"})))


def test_the_coming_months_tell_their_missing_years(database: Database, bus: Bus, editor: Actor) -> None:
    with database.read() as connection:
        for now, missing in [
            (datetime(2026, 9, 30, 15, 59, tzinfo=SHANGHAI), []),
            (datetime(2026, 10, 1, tzinfo=SHANGHAI), [2027]),
            (datetime(2027, 11, 1, tzinfo=SHANGHAI), [2027, 2028]),
        ]:
            assert missing_years(connection, now) == missing
        assert missing_years(connection, datetime(2026, 10, 1, tzinfo=SHANGHAI), months=1) == []
