"""Collectors on foot: each walks to and fro along the streets of his patrol area."""

from __future__ import annotations

import numpy as np
import shapely

from db.demo.city import City
from db.demo.ground import Floats, to_degrees
from db.demo.partition import Ints

PACE = 1.25
"""Metres a second."""
_CORNER_M = 20.0
_BLOCK_M = 180.0
_CUTS_THROUGH = 0.1
_LOOK_SECONDS = 60.0
"""So often somebody looks whether to turn off."""


class Walkers:
    """Where the collectors are, moved on by seconds; one entry per collector."""

    def __init__(self, city: City, patrols: Ints, rng: np.random.Generator) -> None:
        self._rng = rng
        self._lines = np.array([street.line for street in city.streets], dtype=object)
        spots = city.spots
        along = shapely.line_locate_point(self._lines[spots.street], shapely.points(spots.x, spots.y))
        patrol_of = city.partition.patrol[spots.cell]
        self._beats: list[list[tuple[int, float, float]]] = []
        for patrol in patrols.tolist():
            mine = np.flatnonzero(patrol_of == patrol)
            beats = []
            for street in np.unique(spots.street[mine]).tolist():
                own = along[mine][spots.street[mine] == street]
                if own.size > 1:
                    beats.append((street, float(own.min()), float(own.max())))
            self._beats.append(beats or [(int(spots.street[0]), 0.0, 20.0)])
        count = len(patrols)
        self._street = np.zeros(count, dtype=np.int64)
        self._low, self._high, self._at = np.zeros(count), np.zeros(count), np.zeros(count)
        self._way = np.where(rng.random(count) < 0.5, -1.0, 1.0)
        self._pace = PACE * rng.uniform(0.75, 1.25, count)
        for i in range(count):
            self._turn_into(i)

    def walk(self, seconds: float) -> None:
        """Let everyone go on for ``seconds``; at a corner some take the other street, at the end all turn."""
        self._at += self._way * self._pace * seconds
        ended = (self._at < self._low) | (self._at > self._high)
        self._way[ended] = np.where(self._at[ended] < self._low[ended], 1.0, -1.0)
        self._at = self._at.clip(self._low, self._high)
        looking = self._rng.random(len(self._at)) < seconds / _LOOK_SECONDS
        for i in np.flatnonzero(ended | looking).tolist():
            self._turn_off(i)

    def places(self) -> Floats:
        """(n, 2) lon and lat in WGS-84 degrees."""
        points = shapely.get_coordinates(shapely.line_interpolate_point(self._lines[self._street], self._at))
        return to_degrees(points).round(6)

    def _turn_off(self, i: int) -> None:
        """Go on along another street of the beat at a corner; now and then cut through the block to one."""
        here = shapely.line_interpolate_point(self._lines[self._street[i]], self._at[i])
        far = _BLOCK_M if self._rng.random() < _CUTS_THROUGH else _CORNER_M
        near = []
        for street, low, high in self._beats[i]:
            if street != self._street[i] and self._lines[street].distance(here) < far:
                along = min(max(float(self._lines[street].project(here)), low), high)
                if self._lines[street].interpolate(along).distance(here) < far:
                    near.append((street, low, high, along))
        if near:
            chosen = near[int(self._rng.integers(len(near)))]
            self._street[i], self._low[i], self._high[i], self._at[i] = chosen
            self._way[i] = -1.0 if self._rng.random() < 0.5 else 1.0

    def _turn_into(self, i: int) -> None:
        street, low, high = self._beats[i][int(self._rng.integers(len(self._beats[i])))]
        self._street[i], self._low[i], self._high[i] = street, low, high
        self._at[i] = self._rng.uniform(low, high)
