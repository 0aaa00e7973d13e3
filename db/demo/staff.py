"""Units, people and who is responsible for what in the demo city; all persons are invented."""

from __future__ import annotations

import csv
from dataclasses import dataclass

from db.demo.city import City
from db.demo.ground import random, read_words
from db.kernel.resources import resource


@dataclass(frozen=True)
class DemoUnit:
    """A unit with its habits: share handled on time, share reworked."""

    code: str
    name: str
    name_en: str
    kind: str
    parent: str
    on_time: float
    rework: float
    district: str


@dataclass(frozen=True)
class DemoPerson:
    """An invented person; ``patrol`` is the index of a collector's patrol area, -1 for others."""

    code: str
    name: str
    unit: str
    post: str
    patrol: int = -1


CENTRE = "0"
MOBILE = "106"


@dataclass(frozen=True)
class DemoAccount:
    """An account of the demo city: whose it is (the first of a post in a unit that has none yet), and what
    it is bound to besides what its roles say.
    """

    login: str
    roles: tuple[str, ...]
    post: str
    unit: str = CENTRE
    district: str = ""
    """The code of the sub-district to which it is bound."""
    prefixes: tuple[str, ...] = ()
    """The classes to which it is bound."""


ACCOUNTS = (
    DemoAccount("zhiban", ("duty_leader",), "duty_leader"),
    DemoAccount("paiqian", ("dispatcher",), "dispatcher"),
    DemoAccount("shouli", ("acceptor",), "acceptor"),
    DemoAccount("lingdao", ("leader",), "leader"),
    DemoAccount("daping", ("wall",), "wall"),
    DemoAccount("guanli", ("system_admin",), "administrator"),
    # A second acceptor, so that two desks can reach into one pool.
    DemoAccount("shouli2", ("acceptor",), "acceptor"),
    # The supervisor of one sub-district, a squad, and a dispatcher of components (部件) only.
    DemoAccount("longquan", ("duty_leader", "dispatcher"), "handler", "402", district="370481002"),
    DemoAccount("chengguan", ("handler",), "handler", "101"),
    DemoAccount("bujian", ("dispatcher",), "dispatcher", prefixes=("component",)),
)
PASSWORD = "jingwei-2026"  # noqa: S105  the documented password of the demo city
_OFFICE = (
    ("acceptor", 8),
    ("duty_leader", 4),
    ("dispatcher", 6),
    ("inspector", 4),
    ("leader", 2),
    ("wall", 1),
    ("administrator", 1),
)


def read_units() -> list[DemoUnit]:
    """The units of the demo city."""
    with resource("demo", "units.csv").open(encoding="utf-8", newline="") as stream:
        return [
            DemoUnit(
                row["code"], row["name"], row["name_en"], row["kind"], row["parent"],
                float(row["on_time"]), float(row["rework"]), row["district"],
            )
            for row in csv.DictReader(stream)
        ]  # fmt: skip


def recruit(city: City, units: list[DemoUnit], collectors: int) -> list[DemoPerson]:
    """The staff: the centre's desks, people in every unit, and collectors with their patrol areas."""
    rng = random(city.seed, "people")
    words = read_words()
    surnames, given = words["surname"], words["given"]

    def name() -> str:
        # Common surnames are common.
        surname = surnames[min(int(rng.exponential(9)), len(surnames) - 1)][0]
        return surname + given[int(rng.integers(len(given)))][0]

    people = [
        DemoPerson(f"{post[:2].upper()}{i + 1:03d}", "指挥大厅" if post == "wall" else name(), CENTRE, post)
        for post, count in _OFFICE
        for i in range(count)
    ]
    for unit in units:
        if unit.code != CENTRE:
            people += [DemoPerson(f"H{unit.code}{i + 1:02d}", name(), unit.code, "handler") for i in range(6)]
    patrols = len(city.partition.patrols)
    people += [
        DemoPerson(f"CJ{i + 1:03d}", name(), CENTRE, "collector", i % patrols) for i in range(collectors)
    ]
    return people


class Competence:
    """Who answers for what: class of the newer list and district to a unit's code."""

    def __init__(self, units: list[DemoUnit]) -> None:
        with resource("demo", "competence.csv").open(encoding="utf-8", newline="") as stream:
            self._rules = {(row["kind"], row["prefix"]): row["unit"] for row in csv.DictReader(stream)}
        self._local = {(unit.kind, unit.district): unit.code for unit in units if unit.district}

    def unit_of(self, code: str, district: str) -> str:
        """The unit for a class (five digits) in a district (nine digits)."""
        kind = "component" if code[:2] <= "05" else "matter"
        for length in (5, 2):
            found = self._rules.get((kind, code[:length]))
            if found == "squad":
                return self._local.get(("squad", district), MOBILE)
            if found == "street":
                return self._local.get(("district", district), MOBILE)
            if found:
                return found
        return MOBILE
