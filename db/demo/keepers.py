"""Who really finished each invented case, and whom it was sent to first.

The list of competence is right for most cases. A history that always agreed with it would teach nothing and
prove nothing, so these are mixed in, at rates that are written down here and in ``disputes.csv``:

* beside the area of another town the neighbour finishes ``BORDER_SHARE`` of what depends on the area;
* some classes are disputed: two units could do it, and the rival does its share;
* in ``CUSTOM_SHARE`` of all pairs of community and group of matters there is a custom that no list knows:
  squad and street office have swapped (and keep to it in ``CUSTOM_KEPT`` of cases);
* ``STRAY_SHARE`` are finished by the mobile squad for no reason at all: no advice can foresee them.

Of what ended with another unit than the list says, ``LISTED_FIRST`` was sent to the listed one first; of the
rest ``WRONG_FIRST`` went to a wrong one by mistake.
"""

from __future__ import annotations

import csv

import numpy as np
import shapely

from db.demo.city import City
from db.demo.ground import random
from db.demo.matters import GROUPS, Mix
from db.demo.partition import Ints
from db.demo.staff import MOBILE, Competence, DemoUnit
from db.kernel.resources import resource

BORDER_METRES = 30.0
BORDER_SHARE = 0.35
CUSTOM_SHARE = 0.03
CUSTOM_KEPT = 0.97
STRAY_SHARE = 0.0012
LISTED_FIRST = 0.8
WRONG_FIRST = 0.03


class Keepers:
    """Draws the unit that finished a case and the one it was first sent to; indices into the units."""

    def __init__(self, city: City, units: list[DemoUnit], mix: Mix) -> None:
        competence = Competence(units)
        number = {unit.code: i for i, unit in enumerate(units)}
        towns = city.towns
        self._listed = np.array(
            [[number[competence.unit_of(m.code, town.code)] for town in towns] for m in mix.matters]
        )
        local = {(unit.kind, unit.district): number[unit.code] for unit in units if unit.district}
        self._mobile = number[MOBILE]
        squad, street = (
            np.array([local.get((kind, town.code), self._mobile) for town in towns])
            for kind in ("squad", "district")
        )
        # Who does the other's work where squad and street office have swapped: itself for all others.
        self._swapped = np.arange(len(units))
        self._swapped[squad], self._swapped[street] = street, squad
        self._swapped[self._mobile] = self._mobile
        self._rival = self._listed.copy()
        self._disputed = np.zeros(len(mix.matters))
        codes = [matter.code for matter in mix.matters]
        with resource("demo", "disputes.csv").open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                matter = codes.index(row["code"])
                own = {"squad": squad, "street": street}
                self._rival[matter] = own.get(row["rival"], number.get(row["rival"], self._mobile))
                self._disputed[matter] = float(row["share"])
        partition = city.partition
        self._district_of_cell = partition.district[partition.community]
        self._community_of_cell = partition.community
        customs = random(city.seed, "customs")
        self._custom = customs.random((len(partition.communities), len(GROUPS))) < CUSTOM_SHARE
        self._group = mix.group
        self._beyond = self._districts_beyond(city)

    def draw(self, matter: Ints, cell: Ints, spot: Ints, rng: np.random.Generator) -> tuple[Ints, Ints]:
        """Who finished, and who had it first. ``spot`` is that of the address, -1 where it says nothing about
        the place.
        """
        count = len(matter)
        district = self._district_of_cell[cell]
        listed = self._listed[matter, district]
        custom = self._custom[self._community_of_cell[cell], self._group[matter]]
        keeper = np.where(custom & (rng.random(count) < CUSTOM_KEPT), self._swapped[listed], listed)
        disputed = rng.random(count) < self._disputed[matter]
        keeper = np.where(disputed, self._rival[matter, district], keeper)
        beyond = np.where(spot >= 0, self._beyond[spot], -1)
        across = (beyond >= 0) & (rng.random(count) < BORDER_SHARE)
        keeper = np.where(across, self._listed[matter, beyond], keeper)
        keeper = np.where(rng.random(count) < STRAY_SHARE, self._mobile, keeper)
        wrong = self._mistaken(matter, district, beyond, rng)
        listed_first = (keeper != listed) & (rng.random(count) < LISTED_FIRST)
        mistaken = ~listed_first & (wrong != keeper) & (rng.random(count) < WRONG_FIRST)
        return keeper, np.select([listed_first, mistaken], [listed, wrong], keeper)

    def _mistaken(self, matter: Ints, district: Ints, beyond: Ints, rng: np.random.Generator) -> Ints:
        """A unit that a tired dispatcher may choose: the neighbour's, the rival, the other office, or the
        mobile squad.
        """
        listed = self._listed[matter, district]
        guesses = np.stack(
            [
                self._listed[matter, np.where(beyond >= 0, beyond, district)],
                self._rival[matter, district],
                self._swapped[listed],
                np.full(len(matter), self._mobile),
            ]
        )
        return guesses[rng.integers(0, len(guesses), len(matter)), np.arange(len(matter))]

    def _districts_beyond(self, city: City) -> Ints:
        """For each spot the town whose area begins within ``BORDER_METRES``, -1 = none."""
        spots = city.spots
        own = self._district_of_cell[spots.cell]
        points = shapely.points(spots.x, spots.y)
        spot, cell = city.tree.query(points, predicate="dwithin", distance=BORDER_METRES)
        other = self._district_of_cell[cell]
        differs = other != own[spot]
        beyond = np.full(len(spots.x), -1, dtype=np.int64)
        beyond[spot[differs]] = other[differs]
        return beyond
