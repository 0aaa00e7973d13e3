"""Components of the demo city."""

from __future__ import annotations

import numpy as np

from db.demo.city import City, locate_cells
from db.demo.furniture import furnish


def test_as_many_components_as_asked_for_each_in_its_cell(city: City) -> None:
    things = furnish(city, 3_000)
    assert len(things.x) == 3_000
    assert (locate_cells(city.tree, things.x, things.y) == things.cell).all()
    assert (things.cell >= 0).all()


def test_numbers_count_within_a_class(city: City) -> None:
    things = furnish(city, 3_000)
    lamps = things.serial[things.code == "01037"]
    assert lamps.tolist() == list(range(1, len(lamps) + 1))


def test_trees_are_the_most_and_nearly_all_things_are_intact(city: City) -> None:
    things = furnish(city, 3_000)
    codes, counts = np.unique(things.code, return_counts=True)
    assert codes[counts.argmax()] == "04002"
    assert 0.9 < (things.state == 0).mean() < 0.98
