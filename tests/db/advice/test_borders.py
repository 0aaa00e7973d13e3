"""Where another unit is near: by metres, only where it really is another unit."""

from __future__ import annotations

import numpy as np
import pytest

from db.advice.borders import Borders
from db.advice.rules import BORDER_METRES
from db.bootstrap import Core
from db.duties.queries import duty_book
from tests.db.duties.village import STEP

METRES_PER_CELL = STEP * 111_320 * np.cos(np.radians(35.0005))


@pytest.fixture
def borders(file_village: Core) -> Borders:
    with file_village.database.read() as connection:
        return Borders(connection, duty_book(connection))


def other(borders: Borders, metres_before: float) -> int:
    """Who else answers at so many metres west of the border between the fourth cell and the fifth."""
    units = np.array([[1]] * 4 + [[2]] * 4)
    lon = 117 + 4 * STEP - metres_before / METRES_PER_CELL * STEP
    found = borders.others(np.array([lon]), np.array([35 + STEP / 2]), np.array([0]), np.array([1]), units)
    return int(found[0])


@pytest.mark.parametrize(
    "metres, unit", [(1.0, 2), (BORDER_METRES - 1, 2), (BORDER_METRES + 1, 0), (60.0, 0)]
)
def test_another_unit_is_near_within_so_many_metres(borders: Borders, metres: float, unit: int) -> None:
    assert other(borders, metres) == unit


def test_only_cells_beside_another_unit_are_looked_at_closer(borders: Borders) -> None:
    units = np.array([[1, 1]] * 4 + [[2, 1]] * 4, dtype=np.int16)
    near = borders.near(units)
    assert near[:, 0].tolist() == [False] * 3 + [True, True] + [False] * 3
    assert not near[:, 1].any(), "the second class has one unit everywhere"


def test_beside_a_hole_nobody_shares_the_border(borders: Borders) -> None:
    units = np.array([[1]] * 4 + [[0]] * 4)
    lon = np.array([117 + 4 * STEP - 1e-6])
    assert borders.others(lon, np.array([35.0005]), np.array([0]), np.array([1]), units).tolist() == [0]
