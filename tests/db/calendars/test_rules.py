"""The office's clock against a naive second one, its laws, and what it refuses."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.calendars.rules import (
    SOON_SHARE,
    Limit,
    LimitUnit,
    Window,
    WorkingCalendar,
    WorkingDay,
    windows_on,
)
from db.kernel.clock import from_ms, to_ms
from db.kernel.refusal import Refused
from tests.db.calendars.by_minutes import Hours, Office

ZONE = ZoneInfo("Asia/Shanghai")
FIRST = datetime(2026, 2, 1)  # noqa: DTZ001  local time throughout, as on the office's wall
YEARS = [2026]
MORNING, AFTERNOON = Window(time(8), time(12)), Window(time(14), time(18))


def ms(local: datetime) -> int:
    return to_ms(local.replace(tzinfo=ZONE))


def at(text: str) -> int:
    return ms(datetime.fromisoformat(text))


def local(moment_ms: int) -> datetime:
    return from_ms(moment_ms).astimezone(ZONE).replace(tzinfo=None)


def shown(moment_ms: int) -> str:
    return f"{local(moment_ms):%Y-%m-%d %H:%M}"


def plain(
    *windows: Window, years: list[int] | None = None, rule: WorkingDay = WorkingDay.HOURS
) -> WorkingCalendar:
    hours = windows or (MORNING, AFTERNOON)
    return WorkingCalendar(years or [2026], {}, hours, working_days=[(date.min, rule)])


def clock(minutes: int) -> time:
    return time(minutes // 60 % 24, minutes % 60)


@st.composite
def days_hours(draw: st.DrawFn) -> list[tuple[int, int]]:
    """One to three stretches of a day, with breaks or touching."""
    edges = draw(
        st.lists(st.integers(0, 1440), min_size=2, max_size=6, unique=True).filter(lambda x: len(x) % 2 == 0)
    )
    edges.sort()
    return list(zip(edges[::2], edges[1::2], strict=True))


@st.composite
def offices(draw: st.DrawFn) -> tuple[WorkingCalendar, Office]:
    """The same office twice: swap days and holidays, lunch breaks, a change of hours, a season."""
    offsets = st.integers(-5, 60)
    days = {
        FIRST.date() + timedelta(days=offset): worked
        for offset, worked in draw(st.dictionaries(offsets, st.booleans(), max_size=40)).items()
    }
    same_time = draw(st.booleans())
    change = FIRST.date() + timedelta(days=draw(st.integers(0, 40)))
    hours = [Hours(*stretch, valid_to=change - timedelta(days=1)) for stretch in draw(days_hours())]
    hours += [Hours(*stretch, valid_from=change) for stretch in draw(days_hours())]
    if draw(st.booleans()):
        first, last = (FIRST + timedelta(days=draw(st.integers(-60, 300))) for _ in range(2))
        season = ((first.month, first.day), (last.month, last.day))
        hours += [Hours(*stretch, season=season) for stretch in draw(days_hours())]
    calendar = WorkingCalendar(
        YEARS,
        days,
        [
            Window(
                clock(each.begins),
                clock(each.ends),
                each.valid_from,
                each.valid_to,
                "{:02d}-{:02d}".format(*each.season[0]) if each.season else None,
                "{:02d}-{:02d}".format(*each.season[1]) if each.season else None,
            )
            for each in hours
        ],
        working_days=[(date.min, WorkingDay.SAME_TIME if same_time else WorkingDay.HOURS)],
    )
    return calendar, Office(days, hours, same_time)


starts = st.integers(0, 30 * 1440).map(lambda minutes: FIRST + timedelta(minutes=minutes))


@st.composite
def limits(draw: st.DrawFn) -> Limit:
    unit = draw(st.sampled_from(LimitUnit))
    most = {LimitUnit.WORKING_HOUR: 12, LimitUnit.URGENT_HOUR: 30, LimitUnit.WORKING_DAY: 3}
    return Limit(draw(st.integers(0, most.get(unit, 5))), unit)


@st.composite
def stillness(draw: st.DrawFn) -> list[tuple[datetime, datetime]]:
    """Pauses in any order, some empty, some overlapping."""
    found = []
    for begins in draw(st.lists(st.integers(-1440, 34 * 1440), max_size=4)):
        begun = FIRST + timedelta(minutes=begins)
        found.append((begun, begun + timedelta(minutes=draw(st.integers(0, 3 * 1440)))))
    return found


def busy(office: Office) -> bool:
    """Whether working time comes round often enough for a walk by minutes to end soon."""
    days = (FIRST.date() + timedelta(days=offset) for offset in range(60))
    return sum(len(office.open_minutes(day)) for day in days) > 40 * 60


@settings(max_examples=150)
@given(offices().filter(lambda pair: busy(pair[1])), starts, limits())
def test_due_is_what_walking_by_minutes_finds(
    both: tuple[WorkingCalendar, Office], start: datetime, limit: Limit
) -> None:
    calendar, office = both
    assert local(calendar.due(ms(start), limit)) == office.due(start, [(limit.amount, limit.unit.value)])


@settings(max_examples=200)
@given(
    offices().filter(lambda pair: busy(pair[1])),
    starts,
    limits(),
    stillness(),
    st.lists(limits(), max_size=2),
)
def test_due_with_pauses_and_postponements_is_what_walking_by_minutes_finds(
    both: tuple[WorkingCalendar, Office],
    start: datetime,
    limit: Limit,
    still: list[tuple[datetime, datetime]],
    extra: list[Limit],
) -> None:
    calendar, office = both
    pauses = [(ms(begins), ms(ends)) for begins, ends in still]
    found = calendar.due_with_pauses(ms(start), limit, pauses, extra)
    wanted = office.due(start, [(one.amount, one.unit.value) for one in [limit, *extra]], still)
    assert local(found) == wanted


@given(offices().filter(lambda pair: busy(pair[1])), starts, limits(), stillness())
def test_the_time_between_start_and_due_is_the_limit(
    both: tuple[WorkingCalendar, Office],
    start: datetime,
    limit: Limit,
    still: list[tuple[datetime, datetime]],
) -> None:
    calendar, office = both
    pauses = [(ms(begins), ms(ends)) for begins, ends in still]
    due = calendar.due_with_pauses(ms(start), limit, pauses)
    if limit.unit is LimitUnit.WORKING_DAY and office.same_time:
        unpaused = calendar.due(ms(start), limit)
        length = calendar.worked_between(ms(start), unpaused)
    else:
        length = limit.length_ms
    assert calendar.running(ms(start), due, limit, pauses) == length


@given(
    offices().filter(lambda pair: busy(pair[1])), starts, st.integers(0, 3000), limits(), st.integers(0, 2)
)
def test_due_never_goes_back_when_start_or_limit_grow(
    both: tuple[WorkingCalendar, Office], start: datetime, later: int, limit: Limit, more: int
) -> None:
    calendar, _office = both
    due = calendar.due(ms(start), limit)
    assert due >= ms(start)
    assert calendar.due(ms(start + timedelta(minutes=later)), limit) >= due
    assert calendar.due(ms(start), Limit(limit.amount + more, limit.unit)) >= due


@given(offices().filter(lambda pair: busy(pair[1])), starts, limits(), stillness(), st.integers(0, 3000))
def test_a_longer_pause_never_makes_it_due_earlier(
    both: tuple[WorkingCalendar, Office],
    start: datetime,
    limit: Limit,
    still: list[tuple[datetime, datetime]],
    longer: int,
) -> None:
    calendar, _office = both
    pauses = [(ms(begins), ms(ends)) for begins, ends in still]
    stretched = [(begins, ends + longer * 60_000) for begins, ends in pauses]
    assert calendar.due_with_pauses(ms(start), limit, stretched) >= calendar.due_with_pauses(
        ms(start), limit, pauses
    )


@given(
    offices().filter(lambda pair: busy(pair[1])),
    st.lists(st.tuples(starts, limits()), min_size=1, max_size=8),
)
def test_many_at_once_are_the_same_as_one_by_one(
    both: tuple[WorkingCalendar, Office], cases: list[tuple[datetime, Limit]]
) -> None:
    calendar, _office = both
    due, soon = calendar.due_many(
        np.array([ms(start) for start, _limit in cases]),
        np.array([limit.amount for _start, limit in cases]),
        [limit.unit.value for _start, limit in cases],
    )
    assert due.tolist() == [calendar.due(ms(start), limit) for start, limit in cases]
    assert soon.tolist() == [calendar.soon(ms(start), limit) for start, limit in cases]
    assert (soon <= due).all()
    paused = [calendar.due_with_pauses(ms(start), limit, share=SOON_SHARE) for start, limit in cases]
    assert soon.tolist() == paused


def test_what_begins_outside_the_hours_begins_when_the_office_opens() -> None:
    two = Limit(2, LimitUnit.WORKING_HOUR)
    for start in ("2026-03-16T06:00", "2026-03-14T11:00", "2026-03-13T18:00", "2026-03-16T08:00"):
        assert shown(plain().due(at(start), two)) == "2026-03-16 10:00"
    assert shown(plain().due(at("2026-03-16T12:30"), two)) == "2026-03-16 16:00"


@pytest.mark.parametrize(
    "start,days,due",
    [
        ("2026-03-13T17:30", 1, "2026-03-16 17:30"),
        ("2026-03-16T08:00", 1, "2026-03-17 08:00"),
        ("2026-03-16T18:00", 1, "2026-03-18 08:00"),
        ("2026-03-16T12:30", 2, "2026-03-18 14:00"),
        ("2026-03-14T10:00", 1, "2026-03-17 08:00"),
    ],
)
def test_a_working_day_may_last_until_the_same_time_of_the_next(start: str, days: int, due: str) -> None:
    calendar = plain(rule=WorkingDay.SAME_TIME)
    assert shown(calendar.due(at(start), Limit(days, LimitUnit.WORKING_DAY))) == due
    # Only days change their meaning.
    hours = Limit(8, LimitUnit.WORKING_HOUR)
    assert calendar.due(at(start), hours) == plain().due(at(start), hours)


def test_soon_is_when_four_fifths_of_the_working_time_have_gone() -> None:
    day = Limit(1, LimitUnit.WORKING_DAY)
    assert shown(plain().soon(at("2026-03-16T08:00"), day)) == "2026-03-16 16:24"
    assert shown(plain(rule=WorkingDay.SAME_TIME).soon(at("2026-03-16T10:00"), day)) == "2026-03-17 08:24"


def test_a_clock_keeps_the_rule_of_the_day_on_which_it_began() -> None:
    calendar = WorkingCalendar(
        [2026],
        {},
        [MORNING, AFTERNOON],
        working_days=[(date(2026, 3, 17), WorkingDay.SAME_TIME), (date(2026, 3, 19), WorkingDay.HOURS)],
    )
    day = Limit(2, LimitUnit.WORKING_DAY)
    begun = ["2026-03-16T08:00", "2026-03-17T08:00", "2026-03-18T08:00", "2026-03-19T08:00"]
    due = ["2026-03-17 18:00", "2026-03-19 08:00", "2026-03-20 08:00", "2026-03-20 18:00"]
    assert [shown(calendar.due(at(start), day)) for start in begun] == due
    many, _soon = calendar.due_many(
        np.array([at(start) for start in begun]), np.full(4, 2), ["working_day"] * 4
    )
    assert [shown(int(moment)) for moment in many] == due


def test_a_season_takes_the_place_of_the_other_hours_every_year() -> None:
    summer = [
        Window(time(8), time(12), season_from="06-01", season_to="09-30"),
        Window(time(14, 30), time(18, 30), season_from="06-01", season_to="09-30"),
    ]
    calendar = plain(MORNING, AFTERNOON, *summer, years=[2025, 2026])
    hour = Limit(1, LimitUnit.WORKING_HOUR)
    assert shown(calendar.due(at("2026-05-29T13:00"), hour)) == "2026-05-29 15:00"
    assert shown(calendar.due(at("2026-06-01T13:00"), hour)) == "2026-06-01 15:30"
    assert shown(calendar.due(at("2025-09-30T13:00"), hour)) == "2025-09-30 15:30"
    assert shown(calendar.due(at("2025-10-01T13:00"), hour)) == "2025-10-01 15:00"


def test_a_season_may_reach_over_new_year() -> None:
    winter = Window(time(9), time(12), season_from="11-15", season_to="02-29")
    windows = [MORNING, winter]
    assert windows_on(windows, date(2026, 12, 31)) == windows_on(windows, date(2026, 1, 1)) == [winter]
    assert windows_on(windows, date(2026, 2, 28)) == [winter]
    assert windows_on(windows, date(2026, 3, 1)) == windows_on(windows, date(2026, 11, 14)) == [MORNING]


def test_a_window_may_end_with_the_day() -> None:
    calendar = plain(Window(time(20), time(0)))
    assert shown(calendar.due(at("2026-03-16T22:00"), Limit(3, LimitUnit.WORKING_HOUR))) == "2026-03-17 21:00"
    assert shown(calendar.due(at("2026-03-16T22:00"), Limit(2, LimitUnit.WORKING_HOUR))) == "2026-03-17 00:00"


@pytest.mark.parametrize("rule", WorkingDay)
def test_a_missing_year_is_refused_by_its_number(rule: WorkingDay) -> None:
    day = Limit(1, LimitUnit.WORKING_DAY)
    around = plain(years=[2024, 2026], rule=rule)
    for start, year in [
        ("2026-12-31T17:00", 2027),
        ("2028-03-01T10:00", 2028),
        ("2020-03-01T10:00", 2020),
        ("2024-12-31T17:00", 2025),
        ("2025-06-01T10:00", 2025),
    ]:
        with pytest.raises(Refused) as refusal:
            around.due(at(start), day)
        assert (refusal.value.code, refusal.value.facts) == ("calendar_missing", {"year": year})
    # Always-running clocks need no calendar.
    assert shown(around.due(at("2026-12-31T17:00"), Limit(1, LimitUnit.URGENT_DAY))) == "2027-01-01 17:00"


def test_no_year_at_all_is_refused_too() -> None:
    with pytest.raises(Refused, match="2026"):
        WorkingCalendar([], {}, [MORNING]).due(at("2026-03-16T10:00"), Limit(1, LimitUnit.WORKING_HOUR))


@pytest.mark.parametrize("rule", WorkingDay)
@pytest.mark.parametrize("unit", [LimitUnit.WORKING_HOUR, LimitUnit.WORKING_DAY])
def test_a_known_year_without_hours_is_refused_by_the_first_day(unit: LimitUnit, rule: WorkingDay) -> None:
    empty = WorkingCalendar([2026], {}, [], working_days=[(date.min, rule)])
    with pytest.raises(Refused) as refusal:
        empty.due(at("2026-03-14T10:00"), Limit(1, unit))
    assert (refusal.value.code, refusal.value.facts) == ("windows_missing", {"day": "2026-03-16"})
    assert empty.worked(np.array([at("2026-03-14T10:00")])).tolist() == [0]
    with pytest.raises(Refused, match="2026-01-01"):
        empty.at_worked(np.array([5]))


def test_hours_that_run_out_are_refused_and_not_skipped() -> None:
    calendar = WorkingCalendar(
        [2026],
        {},
        [Window(time(8), time(12), valid_to=date(2026, 6, 30)), Window(time(8), time(12), date(2026, 9, 1))],
    )
    day = Limit(8, LimitUnit.WORKING_HOUR)
    assert shown(calendar.due(at("2026-06-29T08:00"), day)) == "2026-06-30 12:00"
    with pytest.raises(Refused, match="2026-07-01"):
        calendar.due(at("2026-06-30T08:00"), day)


def test_a_pause_may_lie_over_days_that_nobody_knows() -> None:
    calendar = plain(years=[2026, 2028])
    pause = (at("2026-12-30T10:00"), at("2028-01-03T10:00"))
    due = calendar.due_with_pauses(at("2026-12-30T08:00"), Limit(1, LimitUnit.WORKING_DAY), [pause])
    assert shown(due) == "2028-01-03 18:00"


def test_windows_that_overlap_are_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="overlap"):
        plain(MORNING, Window(time(11), time(13)))
    with pytest.raises(ValueError, match="before it begins"):
        plain(Window(time(11), time(10)))
