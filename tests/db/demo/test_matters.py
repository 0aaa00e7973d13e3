"""What happens in the demo city, and where."""

from __future__ import annotations

import numpy as np
import pytest

from db.cases import rules
from db.demo import matters
from db.demo.city import City
from db.registers.reference import read_categories


@pytest.fixture(scope="module")
def mix() -> matters.Mix:
    return matters.read_mix()


def test_every_matter_is_a_class_of_the_newer_list_with_words_and_conditions(mix: matters.Mix) -> None:
    known = {
        row.code for row in read_categories() if (row.standard, row.kind) == (matters.STANDARD, "matter")
    }
    assert {matter.code for matter in mix.matters} <= known
    assert len({matter.code for matter in mix.matters}) == len(mix.matters)
    assert all(matter.words and all(matter.words) for matter in mix.matters)
    assert (mix.conditions.count >= 1).all()


def test_sources_are_those_that_cases_know() -> None:
    assert set(matters.SOURCES) == set(rules.SOURCES)


def test_hours_of_a_day_add_up(mix: matters.Mix) -> None:
    assert np.allclose(mix.curve.sum(axis=1), 1)


def test_noise_reaches_the_hotline_and_bicycles_the_patrols(mix: matters.Mix) -> None:
    codes = [matter.code for matter in mix.matters]
    rng = np.random.default_rng(1)
    for code, source in (("06029", "hotline"), ("09010", "collector")):
        drawn = matters.draw_sources(mix, np.full(2_000, codes.index(code)), rng)
        assert np.bincount(drawn).argmax() == matters.SOURCES.index(source)


def test_vendors_gather_at_markets(city: City, mix: matters.Mix) -> None:
    group = np.full(5_000, matters.GROUPS.index("street"))
    spots = matters.Trouble(city).draw(group, np.random.default_rng(1))
    at_market = city.spots.near == 1
    assert at_market[spots].mean() > 2 * at_market.mean()
