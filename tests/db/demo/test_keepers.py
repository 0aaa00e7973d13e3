"""Who finished the invented cases: mostly the listed unit, wrong at the rates that are written down."""

from __future__ import annotations

import numpy as np
import pytest

from db.demo.city import City
from db.demo.ground import random
from db.demo.keepers import LISTED_FIRST, STRAY_SHARE, WRONG_FIRST, Keepers
from db.demo.matters import Mix, read_mix
from db.demo.staff import Competence, read_units

COUNT = 60_000


@pytest.fixture(scope="module")
def mix() -> Mix:
    return read_mix()


@pytest.fixture(scope="module")
def keepers(city: City, mix: Mix) -> Keepers:
    return Keepers(city, read_units(), mix)


def drawn(keepers: Keepers, mix: Mix, city: City, code: str, spot: np.ndarray) -> tuple[np.ndarray, ...]:
    matter = np.full(len(spot), [m.code for m in mix.matters].index(code))
    cell = city.spots.cell[spot]
    keeper, first = keepers.draw(matter, cell, spot, random(1, code))
    competence, units = Competence(read_units()), [unit.code for unit in read_units()]
    part = city.partition
    towns = part.district[part.community[cell]]
    by_town = np.array([units.index(competence.unit_of(code, town.code)) for town in city.towns])
    return by_town[towns], keeper, first


def some_spots(city: City) -> np.ndarray:
    return random(3, "spots").integers(0, len(city.spots.x), COUNT)


def test_an_undisputed_class_is_finished_by_the_listed_unit_but_for_strays(
    keepers: Keepers, mix: Mix, city: City
) -> None:
    listed, keeper, first = drawn(keepers, mix, city, "01037", some_spots(city))
    assert np.mean(keeper != listed) == pytest.approx(STRAY_SHARE, rel=0.4)
    wrong = (first != keeper) & (keeper == listed)
    # One in four of the mistaken units is another one than the keeper: the mobile squad.
    assert np.mean(wrong) == pytest.approx(WRONG_FIRST / 4, rel=0.25)


def test_a_disputed_class_is_finished_by_the_rival_at_its_share(
    keepers: Keepers, mix: Mix, city: City
) -> None:
    listed, keeper, first = drawn(keepers, mix, city, "01023", some_spots(city))
    assert np.mean(keeper != listed) == pytest.approx(0.35, abs=0.02)
    by_rival = keeper != listed
    assert np.mean(first[by_rival] == listed[by_rival]) == pytest.approx(LISTED_FIRST, abs=0.02)


def test_beside_another_town_its_unit_often_finishes(keepers: Keepers, mix: Mix, city: City) -> None:
    edge = np.flatnonzero(keepers._beyond >= 0)
    assert 0 < len(edge) < 0.2 * len(city.spots.x)
    spot = random(4, "edge").choice(edge, 5_000)
    listed, keeper, _first = drawn(keepers, mix, city, "09010", spot)
    assert 0.2 < np.mean(keeper != listed) < 0.4


def test_the_same_seed_draws_the_same(keepers: Keepers, mix: Mix, city: City) -> None:
    one, other = (drawn(keepers, mix, city, "06036", some_spots(city)[:999]) for _twice in range(2))
    assert all((a == b).all() for a, b in zip(one, other, strict=True))
