"""The matrix of duties of the demo city: the list of competence spread over areas, with named persons, and
the few faults that every real matrix has.

The faults are meant: nobody for class 05 in one sub-district, nobody for class 10002 in another, and one
class with two keepers in a third (``HOLES``, ``OVERLAP``). The proof of coverage is to find just these.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np

from db.demo.city import City
from db.demo.staff import MOBILE, DemoPerson, DemoUnit
from db.kernel.resources import resource

BEGAN = date(2024, 1, 1)
HANDED_OVER = date(2026, 4, 1)
"""When one community got another person: both rows are there, and both days are answered."""
BY_PATROL = ("09010", "09001", "07007")
"""What squads handle every day has a named person in each patrol area."""
BY_COMMUNITY = ("06036",)
"""What street offices handle every day has one in each community."""
HOLES = (("", "05", "370481004"), ("matter", "10002", "370481005"))
"""Kind, class and district that nobody was given."""
OVERLAP = ("matter", "06040", "370481003", MOBILE)
"""Kind, class and district with a second unit."""


@dataclass(frozen=True)
class DemoDuty:
    """A row of the matrix; ``area`` is the index within its level, ``person`` a code or ""."""

    kind: str
    prefix: str
    level: str
    area: int
    unit: str
    person: str = ""
    valid_from: date = BEGAN
    valid_to: date | None = None


def draw_duties(city: City, units: list[DemoUnit], people: list[DemoPerson]) -> Iterator[DemoDuty]:
    """The whole matrix, the largest areas first."""
    rules = list(_rules())
    towns = {town.code: n for n, town in enumerate(city.towns)}
    local = {(unit.kind, unit.district): unit.code for unit in units if unit.district}
    districts = sorted({district for _kind, district in local})
    spread = {prefix for _kind, prefix, unit in rules if unit in _LOCAL}
    apart = {(kind, prefix) for kind, prefix, _district in HOLES}
    for kind, prefix, unit in rules:
        if (kind, prefix) not in apart:
            yield DemoDuty(kind, prefix, "city", 0, MOBILE if unit in _LOCAL else unit)
        # An area's own rule for a major hides what the city says of a minor: it is said again there.
        if unit in _LOCAL or prefix[:2] in spread or (kind, prefix) in apart:
            for district in districts:
                if (kind, prefix, district) not in HOLES:
                    own = local.get((_LOCAL.get(unit, ""), district), MOBILE if unit in _LOCAL else unit)
                    yield DemoDuty(kind, prefix, "district", towns[district], own)
    kind, prefix, district, second = OVERLAP
    yield DemoDuty(kind, prefix, "district", towns[district], second)
    yield from _named(city, local, people)


_LOCAL = {"squad": "squad", "street": "district"}
"""Words of the list of competence for a town's own unit, and that unit's kind."""


def _rules() -> Iterator[tuple[str, str, str]]:
    """The list of competence; what is said of components holds for what breaks of them too."""
    with resource("demo", "competence.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            yield "" if row["kind"] == "component" else row["kind"], row["prefix"], row["unit"]


def _named(city: City, local: dict[tuple[str, str], str], people: list[DemoPerson]) -> Iterator[DemoDuty]:
    """Named persons, by community and by patrol area, in turn from their unit."""
    part = city.partition
    crew: dict[str, list[str]] = {}
    for each in people:
        if each.post == "handler":
            crew.setdefault(each.unit, []).append(each.code)

    def keeper(kind: str, community: int, turn: int) -> tuple[str, str]:
        unit = local.get((kind, city.towns[int(part.district[community])].code), MOBILE)
        return unit, crew[unit][turn % len(crew[unit])]

    for community in range(len(part.communities)):
        unit, someone = keeper("district", community, community)
        for prefix in BY_COMMUNITY:
            if community == 0:
                before = keeper("district", community, community + 1)[1]
                eve = date.fromordinal(HANDED_OVER.toordinal() - 1)
                yield DemoDuty("matter", prefix, "community", 0, unit, before, BEGAN, eve)
                yield DemoDuty("matter", prefix, "community", 0, unit, someone, HANDED_OVER)
            else:
                yield DemoDuty("matter", prefix, "community", community, unit, someone)
    for patrol, community in enumerate(np.asarray(part.patrol_community).tolist()):
        unit, someone = keeper("squad", community, patrol)
        for prefix in BY_PATROL:
            yield DemoDuty("matter", prefix, "patrol", patrol, unit, someone)
