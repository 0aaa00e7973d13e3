"""A point lies in a drawn shape when a ray from it crosses the line an odd number of times."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.live.shapes import Ring, inside

place = st.integers(0, 1000).map(lambda thousandths: thousandths / 1000)
corner = st.tuples(place, place)


def crossings(ring: Ring, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """By plain ray casting, every side against every point."""
    found = np.zeros(len(lon), dtype=bool)
    for (x1, y1), (x2, y2) in zip(ring, (*ring[1:], ring[0]), strict=True):
        spans = (y1 > lat) != (y2 > lat)
        with np.errstate(divide="ignore", invalid="ignore"):
            found ^= spans & (lon < (x2 - x1) * (lat - y1) / (y2 - y1) + x1)
    return found


def points(count: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(7)
    return rng.uniform(-0.1, 1.1, count), rng.uniform(-0.1, 1.1, count)


@given(st.lists(corner, min_size=3, max_size=12, unique=True).map(tuple))
@pytest.mark.parametrize("count", [300, 6000])
def test_few_points_and_many_are_told_apart_as_by_ray_casting(count: int, ring: Ring) -> None:
    """Crossed lines included; many points go through the grid, few are asked one by one."""
    lon, lat = points(count)
    assert np.array_equal(inside(ring, lon, lat), crossings(ring, lon, lat))


def test_thin_slivers_between_grid_lines_are_not_lost() -> None:
    ring = ((0.0, 0.0), (1.0, 1.0), (1.0, 1.0001), (0.0, 0.0005))
    rng = np.random.default_rng(3)
    along = rng.uniform(0, 1, 20_000)
    lon, lat = along, along + rng.uniform(-0.0005, 0.001, 20_000)
    expected = crossings(ring, lon, lat)
    assert expected.any()
    assert np.array_equal(inside(ring, lon, lat), expected)


def test_a_point_without_a_position_lies_in_no_shape() -> None:
    ring = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0))
    lon = np.array([0.9, np.nan])
    assert inside(ring, lon, np.array([0.5, np.nan])).tolist() == [True, False]


@pytest.mark.parametrize("ring", [(), ((0.0, 0.0), (1.0, 1.0)), ((0.5, 0.0), (0.5, 1.0), (0.5, 0.3))])
def test_a_shape_without_an_area_holds_nothing(ring: Ring) -> None:
    assert not inside(ring, *points(5000)).any()


@pytest.mark.speed
def test_a_drawn_shape_costs_little_more_with_many_corners() -> None:
    """A lasso has hundreds of corners; asked one by one, each point would see them all."""
    lon, lat = points(400_000)

    def took(corners: int) -> float:
        angle = np.linspace(0, 2 * np.pi, corners, endpoint=False)
        reach = 0.35 + 0.1 * np.sin(5 * angle)
        ring = tuple(
            zip((0.5 + reach * np.cos(angle)).tolist(), (0.5 + reach * np.sin(angle)).tolist(), strict=True)
        )
        inside(ring, lon, lat)
        best = float("inf")
        for _ in range(9):
            begun = time.perf_counter()
            inside(ring, lon, lat)
            best = min(best, time.perf_counter() - begun)
        return best

    assert took(1000) < 5 * took(12)
