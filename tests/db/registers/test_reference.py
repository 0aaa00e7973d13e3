"""The shipped reference data: complete, consistent, and as the sources say."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from db.calendars.rules import Limit, LimitUnit, Window, WorkingCalendar
from db.cases.rules import STATES
from db.cases.workflow import PREVIOUS
from db.kernel.clock import from_ms, to_ms
from db.registers import reference

NEW, OLD = "GB/T 47678.5-2026", "GB/T 30428.2-2013"
SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture(scope="module")
def classes() -> dict[tuple[str, str, str], reference.CategoryRow]:
    return {(row.standard, row.kind, row.code): row for row in reference.read_categories()}


@pytest.fixture(scope="module")
def calendar() -> WorkingCalendar:
    return WorkingCalendar(
        [row.year for row in reference.read_years()],
        {row.day: row.kind == "workday" for row in reference.read_days()},
        [Window(row.begins, row.ends, row.valid_from, row.valid_to) for row in reference.read_windows()],
    )


def test_the_newer_list_has_its_403_classes(
    classes: dict[tuple[str, str, str], reference.CategoryRow],
) -> None:
    kinds = Counter(kind for standard, kind, _code in classes if standard == NEW)
    assert kinds == {"component": 153, "matter": 250}


def test_each_component_of_the_newer_list_has_its_matter(
    classes: dict[tuple[str, str, str], reference.CategoryRow],
) -> None:
    for (standard, kind, code), row in classes.items():
        if standard == NEW and kind == "component":
            assert classes[NEW, "matter", code].name.startswith(row.name[:4])


@pytest.mark.parametrize(
    "kind,old,new",
    [
        ("matter", "0110", "06010"),
        ("matter", "0207", "07007"),
        ("matter", "0304", "08004"),
        ("matter", "0410", "09010"),
        ("matter", "0507", "10001"),
        ("matter", "0508", "10002"),
        ("matter", "0602", "09013"),
        ("matter", "0131", ""),
        ("matter", "0205", ""),
        ("matter", "0505", ""),
        ("matter", "0604", ""),
        ("component", "0101", "01001"),
        ("component", "0206", "02006"),
        ("component", "0506", "01069"),
        ("component", "0507", "01070"),
        ("component", "0508", "01071"),
    ],
)
def test_an_older_class_leads_to_the_one_that_took_its_place(
    classes: dict[tuple[str, str, str], reference.CategoryRow], kind: str, old: str, new: str
) -> None:
    assert classes[OLD, kind, old].successor_code == new
    assert not new or (NEW, kind, new) in classes


def test_every_class_has_a_filing_condition_with_a_known_unit(
    classes: dict[tuple[str, str, str], reference.CategoryRow],
) -> None:
    conditions = reference.read_conditions()
    assert {row.category_key for row in conditions} == {row.key for row in classes.values()}
    for row in conditions:
        assert row.limit_amount > 0
        assert LimitUnit(row.limit_unit)
        assert row.text
        assert row.text_en


@pytest.mark.parametrize(
    "code,amount,unit",
    [("06010", 4, "working_hour"), ("06001", 2, "urgent_day"), ("09001", 2, "urgent_hour")],
)
def test_a_matter_has_the_sample_towns_limit(code: str, amount: int, unit: str) -> None:
    first = next(
        r for r in reference.read_conditions() if (r.standard, r.kind, r.code) == (NEW, "matter", code)
    )
    assert (first.limit_amount, first.limit_unit, first.source) == (amount, unit, "sample")


def test_ids_of_reference_rows_never_collide_nor_reach_the_clocks() -> None:
    ids = [reference.stable_id("category", row.key) for row in reference.read_categories()]
    ids += [
        reference.stable_id("filing_condition", f"{row.category_key}|{row.ordinal}")
        for row in reference.read_conditions()
    ]
    assert len(set(ids)) == len(ids)
    assert all(0 < i < 1 << 40 for i in ids)


def test_a_case_can_go_from_report_to_close_by_the_table() -> None:
    moves = {(row.from_state, row.verb): row.to_state for row in reference.read_transitions()}
    state = ""
    for verb in ("report", "accept", "register", "dispatch", "receive", "handle", "pass_check", "close"):
        state = moves[state, verb]
    assert state == "closed"
    assert moves["pending_check", "fail_check"] == "pending_handle"
    assert ("pending_dispatch", "reassign") not in moves
    assert set(moves.values()) <= {*STATES, PREVIOUS}


def test_only_the_security_and_system_administrators_manage_people() -> None:
    may = {row.code for row in reference.read_roles() if "people.manage" in row.permissions}
    assert may == {"system_admin", "security_admin"}


def _days(*stretches: str) -> set[date]:
    found = set()
    for stretch in stretches:
        first, _, last = stretch.partition("..")
        day = date.fromisoformat(first)
        while day <= date.fromisoformat(last or first):
            found.add(day)
            day += timedelta(days=1)
    return found


# The State Council's notices, DOMAIN 1.8.
OFF = _days(
    "2025-01-01", "2025-01-28..2025-02-04", "2025-04-04..2025-04-06", "2025-05-01..2025-05-05",
    "2025-05-31..2025-06-02", "2025-10-01..2025-10-08", "2026-01-01..2026-01-03", "2026-02-15..2026-02-23",
    "2026-04-04..2026-04-06", "2026-05-01..2026-05-05", "2026-06-19..2026-06-21", "2026-09-25..2026-09-27",
    "2026-10-01..2026-10-07",
)  # fmt: skip
SWAPPED = _days(
    "2025-01-26", "2025-02-08", "2025-04-27", "2025-09-28", "2025-10-11", "2026-01-04", "2026-02-14",
    "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10",
)  # fmt: skip


def test_the_days_of_2025_and_2026_are_those_of_the_notices() -> None:
    kinds = {row.day: row.kind for row in reference.read_days() if row.day.year in (2025, 2026)}
    day = date(2025, 1, 1)
    while day.year < 2027:
        worked = kinds.get(day, "workday" if day.weekday() < 5 else "holiday") == "workday"
        assert worked == (day in SWAPPED or (day.weekday() < 5 and day not in OFF)), day
        day += timedelta(days=1)


@pytest.mark.parametrize(
    "start,amount,unit,due",
    [
        ("2026-03-13T17:30", 4, "working_hour", "2026-03-16T11:30"),
        ("2026-03-14T10:00", 4, "working_hour", "2026-03-16T12:00"),
        ("2026-03-16T12:30", 2, "working_hour", "2026-03-16T16:00"),
        ("2026-04-30T17:00", 4, "working_hour", "2026-05-06T11:00"),
        ("2026-02-13T16:00", 1, "working_day", "2026-02-14T16:00"),
        ("2026-02-14T17:00", 1, "working_day", "2026-02-24T17:00"),
        ("2026-09-18T15:00", 3, "working_day", "2026-09-22T15:00"),
        ("2026-10-09T09:00", 2, "working_day", "2026-10-12T09:00"),
        ("2026-05-01T23:10", 2, "urgent_hour", "2026-05-02T01:10"),
    ],
)
def test_limits_end_over_the_shipped_holidays_as_computed_by_hand(
    calendar: WorkingCalendar, start: str, amount: int, unit: str, due: str
) -> None:
    begun = to_ms(datetime.fromisoformat(start).replace(tzinfo=SHANGHAI))
    found = from_ms(calendar.due(begun, Limit(amount, LimitUnit(unit)))).astimezone(SHANGHAI)
    assert found.replace(tzinfo=None) == datetime.fromisoformat(due)
