"""The holidays of the package are those that ship as reference data."""

from __future__ import annotations

from datetime import date

import pytest

from db.calendars.holidays import NamedDay, published_days, published_years
from db.kernel.refusal import Refused
from db.registers import reference


def test_the_days_of_a_year_are_those_that_ship() -> None:
    shipped = [NamedDay(row.day, row.kind, row.name) for row in reference.read_days()]
    years = {row.day.year for row in shipped}
    assert [day for year in sorted(years) for day in published_days(year)] == shipped


def test_a_swap_day_is_a_weekend_day_with_the_name_of_its_holiday() -> None:
    swapped = [day for day in published_days(2026) if day.kind == "workday"]
    assert NamedDay(date(2026, 2, 14), "workday", "春节调休") in swapped
    assert all(day.day.weekday() >= 5 for day in swapped)


def test_a_year_nobody_has_published_is_refused_with_what_is_known() -> None:
    years = published_years()
    with pytest.raises(Refused) as refusal:
        published_days(years[-1] + 1)
    assert refusal.value.facts == {"year": years[-1] + 1, "first": years[0], "last": years[-1]}
