"""What is out on the streets of the demo city: sensitive places, hours of markets, the patrol plan, the
fleet.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
import shapely.ops

from db.demo.city import City
from db.demo.ground import Floats, to_degrees
from db.demo.staff import DemoUnit
from db.demo.streets import MAIN, SIDE

VENDORS, ON_THE_ROAD = "09001", "09006"
"""Unlicensed street vendor; trading on the road."""
FLEET = 40
DRIVING = 7.0
"""Metres a second, stops at the lights included."""
_CROSSING_M = 35.0

# Kind, radius in metres, visits a day.
_WATCHED = {"school": ("school", 150.0, 3), "market": ("market", 120.0, 4)}
_LANDMARKS = {
    "院": ("hospital", 180.0, 3),
    "站": ("station", 200.0, 4),
    "广场": ("scenic", 160.0, 3),
    "政务服务中心": ("government", 120.0, 2),
}


@dataclass(frozen=True)
class Watched:
    """A sensitive place: degrees, radius in metres."""

    kind: str
    name: str
    name_en: str
    lon: float
    lat: float
    radius: float
    visits_per_day: int


@dataclass(frozen=True)
class HourRule:
    """A rule with its outline in metres and its minutes since midnight."""

    name: str
    name_en: str
    prefix: str
    outline: shapely.Geometry
    from_minute: int
    to_minute: int
    allowed: bool
    weekdays: str = "1111111"


def watched(city: City) -> list[Watched]:
    """Schools, markets, hospitals, stations and squares of the demo's places."""
    found = []
    for each in city.places:
        facts = _WATCHED.get(each.kind)
        if each.kind == "landmark":
            facts = next((known for ending, known in _LANDMARKS.items() if each.name.endswith(ending)), None)
        if facts is not None:
            lon, lat = to_degrees(np.array([[each.x, each.y]]))[0].round(6).tolist()
            found.append(Watched(facts[0], each.name, each.name_en, lon, lat, *facts[1:]))
    return found


def hour_rules(city: City) -> list[HourRule]:
    """Morning markets 05:30–08:30, night markets 18:00–22:00, and main roads where no stall may be.

    The hours are those of a notice of the county (DOMAIN 6.2); the places are invented.
    """
    rules = []
    streets = shapely.STRtree([street.line for street in city.streets])
    for each in city.places:
        if each.kind != "market":
            continue
        spot = shapely.Point(each.x, each.y)
        line = city.streets[int(streets.nearest(spot))].line
        # The stretch of street before the market, with both pavements.
        along = float(shapely.line_locate_point(line, spot))
        stretch = shapely.ops.substring(line, max(0.0, along - 90.0), along + 90.0)
        outline = shapely.union(shapely.buffer(stretch, 14.0, cap_style="flat"), shapely.buffer(spot, 30.0))
        if each.name.endswith("夜市"):
            rules.append(HourRule(each.name, each.name_en, ON_THE_ROAD, outline, 18 * 60, 22 * 60, True))
        else:
            name, english = f"{each.name}早市时段", f"{each.name_en}, morning hours"
            rules.append(HourRule(name, english, "0900", outline, 5 * 60 + 30, 8 * 60 + 30, True))
    for street in city.streets:
        if street.grade == MAIN and street.line.length > 1500 and len(rules) < 30:
            outline = shapely.buffer(street.line, 18.0, cap_style="flat")
            name, english = f"{street.name}严禁区", f"{street.name_en}, no stalls"
            rules.append(HourRule(name, english, VENDORS, outline, 7 * 60, 22 * 60, False))
    return rules


def visits_plan(city: City) -> Floats:
    """Planned visits a day of each cell: once, more where there is much street, a market or a school."""
    spots = city.spots
    count = len(city.partition.cells)
    fronts = np.bincount(spots.cell, minlength=count)
    busy = np.isin(spots.near, (1, 2))
    plan = (
        1.0
        + (fronts > np.median(fronts[fronts > 0]))
        + 2.0 * (np.bincount(spots.cell[busy], minlength=count) > 0)
    )
    return plan.clip(1.0, 4.0)


def fleet(units: list[DemoUnit]) -> list[tuple[str, str, str, str]]:
    """Number plate, name, kind and unit of each vehicle; the plates have letters that no office gives out."""
    kinds = {
        "squad": ("enforcement", "执法车"),
        "district": ("sanitation", "环卫车"),
        "company": ("service", "抢修车"),
    }
    owners = [unit for unit in units if unit.kind in kinds]
    squads = [unit for unit in owners if unit.kind == "squad"]
    others = [unit for unit in owners if unit.kind != "squad"]
    rows = []
    for number in range(FLEET):
        # Squads have three each, the others what is left.
        unit = squads[number % len(squads)] if number < 3 * len(squads) else others[number % len(others)]
        kind, word = kinds[unit.kind]
        rows.append((f"鲁D·Y{number + 1:03d}试", f"{unit.name}{word}", kind, unit.code))
    return rows


class Drivers:
    """Where the vehicles are, moved on by seconds along main and side streets."""

    def __init__(self, city: City, count: int, rng: np.random.Generator) -> None:
        self._rng = rng
        streets = [street for street in city.streets if street.grade in (MAIN, SIDE)]
        self._lines = np.array([street.line for street in streets], dtype=object)
        self._length = shapely.length(self._lines)
        self._tree = shapely.STRtree(self._lines)
        self._street = rng.choice(len(self._lines), count, p=self._length / self._length.sum())
        self._at = rng.random(count) * self._length[self._street]
        self._way = np.where(rng.random(count) < 0.5, -1.0, 1.0)
        self._pace = DRIVING * rng.uniform(0.7, 1.3, count)

    def drive(self, seconds: float) -> None:
        """Let everyone go on; at the end of a street, and now and then at a crossing, one turns off."""
        self._at += self._way * self._pace * seconds
        ended = (self._at < 0) | (self._at > self._length[self._street])
        self._at = self._at.clip(0, self._length[self._street])
        turning = ended | (self._rng.random(len(self._at)) < seconds / 40.0)
        for i in np.flatnonzero(turning).tolist():
            self._turn(i, must=bool(ended[i]))

    def places(self) -> Floats:
        """(n, 2) lon and lat in WGS-84 degrees."""
        points = shapely.line_interpolate_point(self._lines[self._street], self._at)
        return to_degrees(shapely.get_coordinates(points)).round(6)

    def _turn(self, i: int, *, must: bool) -> None:
        here = shapely.line_interpolate_point(self._lines[self._street[i]], self._at[i])
        near = self._tree.query(here, predicate="dwithin", distance=_CROSSING_M)
        others = near[near != self._street[i]]
        if others.size:
            street = int(others[int(self._rng.integers(others.size))])
            self._street[i] = street
            self._at[i] = float(shapely.line_locate_point(self._lines[street], here))
            self._way[i] = 1.0 if self._rng.random() < 0.5 else -1.0
        elif must:
            self._way[i] = 1.0 if self._at[i] <= 0 else -1.0
