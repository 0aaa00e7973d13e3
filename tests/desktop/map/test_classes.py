"""Classes begin where values really lie; nothing alike is parted, nothing known is lost."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.map.classes import MOST, NO_DATA, ZERO, Method, classify

heights = st.lists(st.one_of(st.integers(0, 40).map(float), st.just(float("nan"))), min_size=1, max_size=60)


@given(heights, st.sampled_from(Method))
def test_every_value_has_the_class_whose_range_holds_it(values: list[float], method: Method) -> None:
    classes = classify(np.array(values), method)
    assert len(classes.ranges) <= MOST
    for value, code in zip(values, classes.of.tolist(), strict=True):
        if np.isnan(value):
            assert code == NO_DATA
        elif value == 0:
            assert code == ZERO
        else:
            low, high = classes.ranges[code - ZERO - 1]
            assert low <= value <= high


@given(heights, st.sampled_from(Method))
def test_ranges_rise_without_touching_and_their_ends_are_values(values: list[float], method: Method) -> None:
    classes = classify(np.array(values), method)
    for low, high in classes.ranges:
        assert low in values
        assert high in values
    assert all(one[1] < other[0] for one, other in itertools.pairwise(classes.ranges))
    assert sum(classes.size(code) for code in range(MOST + 2)) == len(values)


@given(st.lists(st.integers(1, 30), min_size=6, max_size=14), st.integers(2, 4))
def test_natural_breaks_are_the_best_of_all_there_are(numbers: list[int], most: int) -> None:
    values = np.array(numbers, float)
    distinct = np.unique(values)
    count = min(most, len(distinct))

    def cost(groups: list[np.ndarray]) -> float:
        return sum(float(((group - group.mean()) ** 2).sum()) for group in groups)

    def parted(cuts: tuple[int, ...]) -> list[np.ndarray]:
        ends = [distinct[cut - 1] for cut in cuts] + [distinct[-1]]
        starts = [-np.inf, *ends[:-1]]
        return [values[(values > low) & (values <= high)] for low, high in zip(starts, ends, strict=True)]

    best = min(cost(parted(cuts)) for cuts in itertools.combinations(range(1, len(distinct)), count - 1))
    classes = classify(values, Method.NATURAL, most)
    found = [values[classes.of == code] for code in np.unique(classes.of)]
    assert cost(found) == pytest.approx(best)


def test_quantiles_hold_as_many_each_and_steps_are_as_wide_each() -> None:
    values = np.arange(1.0, 101.0)
    by_count = classify(values, Method.QUANTILE)
    assert [by_count.size(code) for code in range(2, 7)] == [20] * 5
    by_width = classify(np.array([1.0, 2.0, 50.0, 101.0]), Method.EQUAL)
    assert by_width.ranges == ((1.0, 2.0), (50.0, 50.0), (101.0, 101.0))


def test_many_values_are_drawn_together_without_losing_one() -> None:
    values = np.random.default_rng(1).lognormal(size=3_600)
    classes = classify(values, Method.NATURAL)
    assert len(classes.ranges) == MOST
    assert sum(classes.size(code) for code in range(2, 7)) == 3_600


def test_nothing_above_zero_makes_no_class() -> None:
    classes = classify(np.array([0.0, np.nan, 0.0]), Method.NATURAL)
    assert classes.ranges == ()
    assert classes.of.tolist() == [ZERO, NO_DATA, ZERO]
