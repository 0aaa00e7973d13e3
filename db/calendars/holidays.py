"""The yearly notices of holidays and swap days, as the package chinesecalendar knows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from chinese_calendar import constants

from db.kernel.language import N_
from db.kernel.refusal import Refused

SOURCE = "chinesecalendar"
_SATURDAY = 5
# The package says 清明 and 端午; the notices say 清明节 and 端午节.
_NAMES = {holiday.value: holiday.chinese for holiday in constants.Holiday} | {
    constants.Holiday.tomb_sweeping_day.value: "清明节",
    constants.Holiday.dragon_boat_festival.value: "端午节",
    constants.Holiday.mid_autumn_festival.value: "中秋节",
}


@dataclass(frozen=True)
class NamedDay:
    """A day off (``holiday``), or a weekend day worked instead of another (``workday``)."""

    day: date
    kind: str
    name: str


def published_years() -> list[int]:
    """The years whose notice the package knows."""
    return sorted({day.year for day in constants.holidays} | {day.year for day in constants.workdays})


def published_days(year: int) -> list[NamedDay]:
    """The holidays and swap days of a year, in order.

    Raises ``Refused("year_not_published")`` when the package does not know the year.
    """
    known = published_years()
    if year not in known:
        raise Refused(
            "year_not_published",
            N_(
                "The holidays of {year} are not in this program; it knows {first} to {last}."
                " Update the program, or enter the days by hand."
            ),
            year=year,
            first=known[0],
            last=known[-1],
        )
    found: list[NamedDay] = []
    day = date(year, 1, 1)
    while day.year == year:
        if day in constants.workdays and day.weekday() >= _SATURDAY:
            found.append(NamedDay(day, "workday", f"{_NAMES[constants.workdays[day]]}调休"))
        elif day in constants.holidays:
            found.append(NamedDay(day, "holiday", _NAMES[constants.holidays[day]]))
        day += timedelta(days=1)
    return found
