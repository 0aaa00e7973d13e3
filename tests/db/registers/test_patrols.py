"""When collectors work, how often each cell was passed, and which visits are due."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import numpy as np

from db.bootstrap import Core
from db.kernel.actor import SYSTEM
from db.kernel.clock import to_ms
from db.people.tables import track
from db.registers.patrols import SHIFTS, at_work, density, sensitive_visits
from db.registers.sensitive import PutSensitivePlace
from tests.db.engine.kit import put_setting, write
from tests.db.registers.quarter import at

NOON = datetime(2026, 3, 16, 4, tzinfo=UTC)
"""Monday, twelve o'clock in the city."""


def walked(core: Core, person_id: int, steps: list[tuple[int, float, float]]) -> None:
    """Somebody was at these places, so many minutes after nine."""
    nine = NOON - timedelta(hours=3)
    rows = [
        {
            "person_id": person_id,
            "at": nine + timedelta(minutes=minute),
            "lon": at(x, y)[0],
            "lat": at(x, y)[1],
        }
        for minute, x, y in steps
    ]
    write(core.database, lambda work: work.telemetry(track, rows))


def works(core: Core, *moments: datetime) -> list[bool]:
    with core.database.read() as connection:
        return list(at_work(connection)(np.array([to_ms(moment) for moment in moments])).tolist())


def test_without_shifts_the_calendar_says_when_people_work(quarter: Core) -> None:
    sunday, midnight = datetime(2026, 3, 15, 2, tzinfo=UTC), datetime(2026, 3, 15, 16, tzinfo=UTC)
    assert works(quarter, NOON - timedelta(hours=2), sunday, midnight) == [True, False, False]


def test_shifts_hold_on_every_day_and_may_reach_over_midnight(quarter: Core) -> None:
    put_setting(quarter.database, SHIFTS, [["06:00", "14:00"], ["22:00", "02:00"]])
    hours = [datetime(2026, 3, 15, hour, tzinfo=UTC) for hour in (22, 5, 6, 14, 17, 18)]
    # In the city: 06, 13, 14, 22, 01, 02.
    assert works(quarter, *hours) == [True, True, False, True, True, False]


def visits_of(core: Core) -> dict[int, int]:
    with core.database.read() as connection:
        found = density(connection, NOON.date(), NOON)
    return dict(zip(found.cell_id.tolist(), found.visits.tolist(), strict=True))


def test_who_stays_has_been_there_once(quarter: Core) -> None:
    walked(quarter, 71, [(minute, 0.5, 0.5) for minute in range(0, 120, 10)])
    assert visits_of(quarter)[31] == 1


def test_who_comes_back_counts_again_after_half_an_hour(quarter: Core) -> None:
    to_and_fro = [(minute, 0.5 + minute // 10 % 2, 0.5) for minute in range(0, 120, 10)]
    walked(quarter, 71, to_and_fro)
    # He comes at 0, 20, 40 …; those at 40 and 80 lie half an hour after the last that counted.
    assert visits_of(quarter)[31] == 3
    assert visits_of(quarter)[32] == 3


def test_two_people_at_once_are_one_visit_and_one_after_a_while_another(quarter: Core) -> None:
    walked(quarter, 71, [(0, 0.5, 0.5), (10, 0.6, 0.5), (11, 1.5, 0.5)])
    walked(quarter, 72, [(5, 0.5, 0.6), (50, 1.5, 0.5), (51, 0.5, 0.5)])
    found = visits_of(quarter)
    assert (found[31], found[32], found[39]) == (2, 2, 0)
    with quarter.database.read() as connection:
        day = density(connection, NOON.date(), NOON)
    assert day.plan.tolist() == [2.0] * 9
    assert math.isclose(day.percent_done, 100 * 4 / 18)


def test_the_longest_gap_counts_from_the_beginning_of_work_to_now(quarter: Core) -> None:
    put_setting(quarter.database, SHIFTS, [["09:00", "17:00"]])
    walked(quarter, 71, [(30, 0.5, 0.5), (40, 0.5, 0.5), (100, 0.5, 0.5)])
    with quarter.database.read() as connection:
        found = density(connection, NOON.date(), NOON)
    place = found.cell_id.tolist().index(31)
    assert found.longest_gap_ms[place] == 80 * 60_000
    assert found.longest_gap_ms[found.cell_id.tolist().index(39)] == 180 * 60_000
    assert found.last_at[place] == to_ms(NOON - timedelta(minutes=80))


def test_nothing_is_planned_on_a_day_off(quarter: Core) -> None:
    sunday = datetime(2026, 3, 15, 4, tzinfo=UTC)
    with quarter.database.read() as connection:
        found = density(connection, sunday.date(), sunday)
    assert found.plan.tolist() == [0.0] * 9
    assert math.isnan(found.percent_done)


def test_sensitive_places_tell_what_is_still_due_today(quarter: Core) -> None:
    for name, x, visits in (("小学", 0.5, 3), ("医院", 2.5, 1)):
        lon, lat = at(x, 0.5)
        quarter.bus.run(PutSensitivePlace("school", name, lon, lat, 60.0, visits), SYSTEM)
    # A step east is 91 m: the second place is beyond 60 m.
    walked(quarter, 71, [(0, 0.6, 0.5), (5, 0.5, 0.5), (6, 1.4, 0.5), (50, 0.5, 0.5), (60, 1.4, 0.5)])
    with quarter.database.read() as connection:
        found = sensitive_visits(connection, NOON.date())
        yesterday = sensitive_visits(connection, NOON.date() - timedelta(days=1))
    assert [(each.name, each.visits, each.due) for each in found] == [("医院", 0, 1), ("小学", 2, 1)]
    assert found[1].last_at_ms == to_ms(NOON - timedelta(minutes=130))
    assert [each.visits for each in yesterday] == [0, 0]
