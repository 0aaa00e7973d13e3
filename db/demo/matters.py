"""What happens in the demo city: the mix of matters (DOMAIN 3.5), when, where and in what words each
occurs.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from db.calendars.rules import Limit, LimitUnit
from db.demo.city import City
from db.demo.ground import Floats, random
from db.demo.partition import Ints
from db.demo.streets import LANE, MAIN, SIDE
from db.kernel.resources import resource
from db.registers.reference import ConditionRow, read_conditions, stable_id

STANDARD = "GB/T 47678.5-2026"
GROUPS = (
    "parking",
    "notice",
    "heap",
    "refuse",
    "street",
    "nuisance",
    "works",
    "green",
    "road",
    "component",
)

_SEASONS: dict[str, tuple[float, ...]] = {
    "flat": (1.0,) * 12,
    "summer": (0.6, 0.6, 0.8, 1.0, 1.2, 1.5, 1.6, 1.6, 1.3, 1.0, 0.7, 0.6),
    "autumn": (0.7, 0.6, 0.8, 0.8, 0.8, 0.8, 0.8, 0.9, 1.1, 2.0, 2.6, 1.2),
    "rain": (0.5, 0.5, 0.7, 0.9, 1.0, 1.6, 2.4, 2.2, 1.2, 0.8, 0.6, 0.5),
    "barbecue": (0.1, 0.1, 0.3, 0.8, 1.8, 2.8, 3.2, 3.0, 1.6, 0.6, 0.2, 0.1),
    "leaves": (0.6, 0.4, 0.3, 0.2, 0.2, 0.1, 0.1, 0.2, 0.8, 2.5, 4.2, 2.0),
    "snow": (4.5, 3.6, 0.3, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.8, 3.2),
    "tree": (0.5, 0.6, 1.2, 1.4, 1.0, 1.2, 1.8, 1.6, 0.9, 0.7, 0.6, 0.5),
}
"""How much of a kind each month has, January first."""

_CURVES: dict[str, tuple[float, ...]] = {
    "day": (0, 0, 0, 0, 0, 0.1, 0.6, 2.2, 7, 10, 9.5, 6, 2.2, 2, 5, 8.5, 9, 6.5, 2.8, 1.2, 0.7, 0.3, 0.1, 0),
    "morning": (0, 0, 0, 0, 0.2, 1.8, 5.5, 9, 8, 5, 3.5, 2.5, 1.5, 1, 2, 3, 4.5, 6, 4, 1.5, 0.6, 0.2, 0, 0),
    "evening": (0.5, 0.2, 0, 0, 0, 0.1, 0.3, 0.8, 2.5, 3, 3, 3, 2, 1.2, 2, 3, 3.5, 5, 7.5, 9, 8.5, 6, 3, 1.2),
    "allday": (0.5, 0.3, 0.2, 0.2, 0.4, 1, 3.5, 6.5, 8, 8, 7, 5, 3, 3, 5, 6.5, 6.5, 6, 4.5, 3, 2, 1.6, 1, 1),
}  # fmt: skip
"""Reports by the hour of the day; two rush hours of the patrols, evenings for trade and noise."""

SOURCES = ("collector", "hotline", "app", "leader", "media", "video", "upper", "other")
_SOURCE_SHARES = {
    True: (0.665, 0.135, 0.095, 0.014, 0.004, 0.052, 0.022, 0.013),
    False: (0.230, 0.500, 0.195, 0.015, 0.008, 0.012, 0.028, 0.012),
}
"""Most is found by patrols; what disturbs people at night reaches the hotline (False)."""

# How much trouble a spot draws, by what it is near: 0 street front, 1 market, 2 school, 3 crossing, 4 lane,
# 5 green or water.
_NEAR: dict[str, tuple[float, ...]] = {
    "parking": (1.0, 3.0, 3.0, 1.6, 0.35, 0.5),
    "notice": (1.0, 1.6, 1.2, 1.7, 0.6, 0.4),
    "heap": (1.0, 3.0, 0.6, 0.6, 0.8, 0.4),
    "refuse": (0.8, 4.0, 0.9, 0.7, 1.1, 0.9),
    "street": (1.0, 6.0, 3.5, 1.8, 0.3, 0.9),
    "nuisance": (1.0, 2.5, 0.5, 0.9, 0.8, 2.2),
    "works": (1.0, 0.5, 0.5, 0.8, 0.3, 0.8),
    "green": (0.8, 0.4, 0.6, 0.8, 0.2, 6.0),
    "road": (1.0, 1.0, 1.0, 1.3, 0.8, 0.5),
    "component": (1.0, 1.0, 1.0, 1.2, 0.6, 1.0),
}
_GRADE = {MAIN: 1.0, SIDE: 1.25, LANE: 1.0}


@dataclass(frozen=True)
class Matter:
    """A kind of case: its share, rhythm and words."""

    code: str
    weight: float
    curve: str
    season: str
    group: str
    words: tuple[str, ...]

    @property
    def category_id(self) -> int:
        return stable_id("category", f"{STANDARD}|matter|{self.code}")


@dataclass(frozen=True)
class Mix:
    """The matters with everything that is drawn from, as arrays over (matter,) or (matter, …)."""

    matters: list[Matter]
    weight: Floats
    season: Floats
    """(matter, 12)."""
    curve: Floats
    """(matter, 24), each row adds to one."""
    group: Ints
    from_patrols: npt.NDArray[np.bool_]
    category_id: Ints
    component_class: npt.NDArray[np.bool_]
    """Whether the matter is a component gone wrong."""
    words: npt.NDArray[np.object_]
    words_at: Ints
    words_count: Ints
    conditions: Conditions


@dataclass(frozen=True)
class Conditions:
    """Filing conditions of the matters, flat: condition ``at[m] + k`` is the k-th of matter m."""

    at: Ints
    count: Ints
    id: Ints
    amount: Ints
    unit: npt.NDArray[np.str_]
    length_ms: Ints
    at_work: npt.NDArray[np.bool_]


def read_mix() -> Mix:
    """The mix of ``resources/demo/mix.csv`` with the shipped filing conditions."""
    with resource("demo", "mix.csv").open(encoding="utf-8", newline="") as stream:
        matters = [
            Matter(
                row["code"],
                float(row["weight"]),
                row["curve"],
                row["season"],
                row["group"],
                tuple(row["words"].split("|")),
            )
            for row in csv.DictReader(stream)
        ]
    curve = np.array([_CURVES[m.curve] for m in matters], dtype=np.float64)
    count = np.array([len(m.words) for m in matters])
    return Mix(
        matters,
        np.array([m.weight for m in matters]),
        np.array([_SEASONS[m.season] for m in matters]),
        curve / curve.sum(axis=1, keepdims=True),
        np.array([GROUPS.index(m.group) for m in matters]),
        np.array([m.group not in {"nuisance"} for m in matters]),
        np.array([m.category_id for m in matters], dtype=np.int64),
        np.array([m.code[:2] <= "05" for m in matters]),
        np.array([word for m in matters for word in m.words], dtype=object),
        np.concatenate([[0], np.cumsum(count)[:-1]]),
        count,
        _conditions(matters),
    )


def _conditions(matters: list[Matter]) -> Conditions:
    rows: dict[str, list[ConditionRow]] = {}
    for row in read_conditions():
        if row.standard == STANDARD and row.kind == "matter":
            rows.setdefault(row.code, []).append(row)
    flat = [row for m in matters for row in rows[m.code]]
    limits = [Limit(row.limit_amount, LimitUnit(row.limit_unit)) for row in flat]
    count = np.array([len(rows[m.code]) for m in matters])
    return Conditions(
        np.concatenate([[0], np.cumsum(count)[:-1]]),
        count,
        np.array(
            [stable_id("filing_condition", f"{r.category_key}|{r.ordinal}") for r in flat], dtype=np.int64
        ),
        np.array([limit.amount for limit in limits]),
        np.array([limit.unit.value for limit in limits]),
        np.array([limit.length_ms for limit in limits], dtype=np.int64),
        np.array([limit.at_work for limit in limits]),
    )


class Trouble:
    """Where each kind happens: a heavy-tailed weight per spot and group, so that some corners come back
    again and again.
    """

    def __init__(self, city: City) -> None:
        rng = random(city.seed, "trouble")
        spots = city.spots
        grade = np.array([_GRADE[street.grade] for street in city.streets])[spots.street]
        # The old town, and some quarters around it, are livelier than the rest.
        lively = 0.25 + 1.6 * np.exp(-((np.hypot(spots.x - 150, spots.y) / 1700) ** 2))
        for x, y in spots_of_life(city, rng):
            near = np.hypot(spots.x - x, spots.y - y) / rng.uniform(140, 420)
            lively = lively + rng.uniform(0.6, 2.6) * np.exp(-(near**2))
        lively = lively * grade
        self.ends: list[Floats] = []
        for group in GROUPS:
            own = lively * rng.lognormal(0, 1.15, len(spots.x)) * np.array(_NEAR[group])[spots.near]
            self.ends.append(np.cumsum(own))

    def draw(self, group: Ints, rng: np.random.Generator) -> Ints:
        """A spot for each case of the given groups."""
        spot = np.zeros(len(group), dtype=np.int64)
        for number, ends in enumerate(self.ends):
            chosen = np.flatnonzero(group == number)
            spot[chosen] = np.searchsorted(ends, rng.random(len(chosen)) * ends[-1], side="right")
        return spot.clip(0, len(self.ends[0]) - 1)


def spots_of_life(city: City, rng: np.random.Generator) -> list[tuple[float, float]]:
    """The markets, and as many other corners."""
    markets = [(p.x, p.y) for p in city.places if p.kind == "market"]
    others = rng.integers(0, len(city.spots.x), max(4, len(markets)))
    return markets + [(float(city.spots.x[i]), float(city.spots.y[i])) for i in others]


def draw_sources(mix: Mix, matter: Ints, rng: np.random.Generator) -> Ints:
    """Index into ``SOURCES`` for each case."""
    chance = rng.random(len(matter))
    found = np.zeros(len(matter), dtype=np.int64)
    for patrols, shares in _SOURCE_SHARES.items():
        chosen = mix.from_patrols[matter] == patrols
        found[chosen] = np.searchsorted(np.cumsum(shares), chance[chosen])
    return found.clip(0, len(SOURCES) - 1)


def draw_conditions(mix: Mix, matter: Ints, rng: np.random.Generator) -> Ints:
    """A filing condition for each case; the first ones of a class are the usual ones."""
    count = mix.conditions.count[matter]
    return mix.conditions.at[matter] + (rng.random(len(matter)) ** 1.8 * count).astype(np.int64)


def draw_words(mix: Mix, matter: Ints, rng: np.random.Generator) -> npt.NDArray[np.object_]:
    """A short description for each case."""
    pick = mix.words_at[matter] + (rng.random(len(matter)) * mix.words_count[matter]).astype(np.int64)
    words: npt.NDArray[np.object_] = mix.words[pick]
    return words
