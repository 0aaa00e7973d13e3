"""Rhythm of the invented cases: hours, seasons, strong and weak units, corners that come back."""

from __future__ import annotations

import numpy as np
import pytest

from db.calendars.rules import Window, WorkingCalendar
from db.demo.city import City
from db.demo.furniture import furnish
from db.demo.history import CLOSED, DAY_MS, HOUR_MS, ZONE_MS, Author, Cases, joined
from db.demo.matters import Mix, read_mix
from db.demo.staff import read_units
from db.kernel.clock import to_ms
from db.registers import reference
from tests.db.demo.conftest import NOW

COUNT = 30_000


@pytest.fixture(scope="module")
def mix() -> Mix:
    return read_mix()


@pytest.fixture(scope="module")
def closed(city: City, mix: Mix) -> Cases:
    calendar = WorkingCalendar(
        [row.year for row in reference.read_years()],
        {row.day: row.kind == "workday" for row in reference.read_days()},
        [Window(row.begins, row.ends, row.valid_from, row.valid_to) for row in reference.read_windows()],
    )
    author = Author(city, furnish(city, 600), read_units(), mix, calendar, to_ms(NOW))
    return joined(list(author.closed(COUNT, author.open(600))))


def test_all_are_closed_by_now(closed: Cases) -> None:
    assert len(closed) == COUNT
    assert closed.closed.max() <= to_ms(NOW)


def test_most_reports_come_in_the_two_rush_hours(closed: Cases) -> None:
    hour = np.bincount((closed.reported + ZONE_MS) % DAY_MS // HOUR_MS, minlength=24)
    assert hour[9] > 2 * hour[13]
    assert hour[15] > 1.5 * hour[13]
    assert hour[3] < 0.02 * hour[9]


def test_snow_falls_in_winter_and_barbecues_smoke_in_summer(closed: Cases, mix: Mix) -> None:
    days = ((closed.reported + ZONE_MS) // DAY_MS).astype("datetime64[D]")
    month = days.astype("datetime64[M]").astype(np.int64) % 12 + 1
    code = np.array([matter.code for matter in mix.matters])[closed.matter]
    assert set(month[code == "10001"].tolist()) <= {11, 12, 1, 2, 3}
    barbecue = month[code == "06029"]
    assert (np.isin(barbecue, (5, 6, 7, 8, 9))).mean() > 0.6


def test_weak_units_are_later_than_strong_ones(closed: Cases) -> None:
    units = read_units()
    good = (closed.handled <= closed.due) & (closed.state == CLOSED)
    share = {
        unit.name: good[(closed.unit == i) & (closed.state == CLOSED)].mean()
        for i, unit in enumerate(units)
        if ((closed.unit == i) & (closed.state == CLOSED)).sum() > 100
    }
    assert share["通信公司"] < 0.85
    assert share["市容环卫处"] > 0.93


def test_some_corners_come_back_again_and_again(closed: Cases) -> None:
    times = np.sort(np.bincount(closed.spot))[::-1]
    assert times[: len(times) // 20].sum() > 0.25 * times.sum()
