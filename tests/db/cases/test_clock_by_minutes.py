"""The clock of a case, moved on by each pause and postponement, against walking the office by minutes."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from db.calendars.rules import Limit, LimitUnit, Window, WorkingCalendar, WorkingDay
from db.cases import clock
from db.kernel.clock import from_ms, to_ms
from tests.db.calendars.by_minutes import Hours, Office

ZONE = ZoneInfo("Asia/Shanghai")
FIRST = datetime(2026, 4, 20)  # noqa: DTZ001  local time, as on the office's wall
DAYS = {date(2026, 5, day): False for day in range(1, 6)} | {date(2026, 5, 9): True}
WINDOWS = [Window(time(8), time(12)), Window(time(14), time(18))]
HOURS = [Hours(480, 720), Hours(840, 1080)]

starts = st.integers(0, 12 * 1440).map(lambda minutes: FIRST + timedelta(minutes=minutes))
limits = st.builds(Limit, st.integers(1, 3), st.sampled_from(LimitUnit))
# Time running, then time standing still, again and again.
turns = st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 3000)), max_size=4)


def ms(local: datetime) -> int:
    return to_ms(local.replace(tzinfo=ZONE))


def local(moment_ms: int) -> datetime:
    return from_ms(moment_ms).astimezone(ZONE).replace(tzinfo=None)


@given(starts, limits, turns, st.sampled_from(WorkingDay))
def test_each_pause_moves_the_due_moment_to_where_walking_by_minutes_finds_it(
    start: datetime, limit: Limit, turns: list[tuple[int, int]], rule: WorkingDay
) -> None:
    calendar = WorkingCalendar([2026], DAYS, WINDOWS, working_days=[(date.min, rule)])
    due, _soon = clock.begun(calendar, limit, ms(start))
    pauses, at = [], start
    for running, standing in turns:
        begins = at + timedelta(minutes=running)
        at = begins + timedelta(minutes=standing)
        due = clock.resumed(calendar, limit, due, ms(begins), ms(at))
        pauses.append((begins, at))
    office = Office(DAYS, HOURS, rule is WorkingDay.SAME_TIME)
    assert local(due) == office.due(start, [(limit.amount, limit.unit.value)], pauses)
    assert due == calendar.due_with_pauses(ms(start), limit, [(ms(one), ms(other)) for one, other in pauses])


@given(starts, limits, turns, st.integers(1, 2))
def test_a_postponement_adds_its_limits_whenever_it_comes(
    start: datetime, limit: Limit, turns: list[tuple[int, int]], more: int
) -> None:
    calendar = WorkingCalendar([2026], DAYS, WINDOWS)
    due, _soon = clock.begun(calendar, limit, ms(start))
    for granted in range(more):
        due, _soon = clock.postponed(calendar, limit, due, granted)
    pauses, at = [], start
    for running, standing in turns:
        begins = at + timedelta(minutes=running)
        at = begins + timedelta(minutes=standing)
        due = clock.resumed(calendar, limit, due, ms(begins), ms(at))
        pauses.append((begins, at))
    wanted = Office(DAYS, HOURS).due(start, [(limit.amount * (1 + more), limit.unit.value)], pauses)
    assert local(due) == wanted
