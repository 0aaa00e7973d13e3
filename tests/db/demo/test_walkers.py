"""Collectors on foot."""

from __future__ import annotations

import numpy as np
import shapely

from db.demo.city import City
from db.demo.ground import random, to_metres
from db.demo.walkers import PACE, Walkers


def test_nobody_walks_faster_than_a_person_or_leaves_his_area(city: City) -> None:
    patrols = np.arange(len(city.partition.patrols))
    walkers = Walkers(city, patrols, random(1, "test"))
    near = shapely.buffer(city.partition.patrols, 60)
    before = to_metres(walkers.places())
    jumps = 0
    for _second in range(200):
        walkers.walk(1.0)
        now = to_metres(walkers.places())
        step = np.hypot(*(now - before).T)
        # Whoever takes another street appears there; the others go on at a walk.
        jumps += int((step > 1.3 * PACE + 0.3).sum())
        assert shapely.contains_xy(near, now[:, 0], now[:, 1]).all()
        before = now
    assert jumps < 200 * len(patrols) * 0.02
