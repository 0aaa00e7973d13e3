"""Bounds of shares, which level is heard, and reasons in words."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.advice.rules import Reason, lower, precision, upper
from db.duties.book import Named
from db.kernel.language import set_language


def bounds(hits: int, seen: int) -> tuple[float, float]:
    one, other = np.array([float(hits)]), np.array([float(seen)])
    return float(lower(one, other)[0]), float(upper(one, other)[0])


@given(st.integers(0, 500).flatmap(lambda seen: st.tuples(st.integers(0, seen), st.just(seen))))
def test_the_bounds_lie_around_the_share_and_between_nothing_and_all(drawn: tuple[int, int]) -> None:
    hits, seen = drawn
    low, high = bounds(hits, seen)
    share = hits / seen if seen else 0.5
    assert 0.0 <= low <= share + 1e-9
    assert share - 1e-9 <= high <= 1.0


def test_more_of_the_same_makes_surer() -> None:
    assert bounds(0, 0) == (0.0, 1.0)
    assert bounds(5, 5)[0] < bounds(50, 50)[0] < bounds(500, 500)[0] < 1.0
    # Wilson's bound of 412 of 418 at z = 0.84, worked out by hand.
    assert bounds(412, 418)[0] == pytest.approx(0.979877, abs=1e-6)


def sure(*levels: tuple[int, int]) -> tuple[float, int]:
    counts = np.array(levels, dtype=float)
    best, level = precision(counts[:, :1], counts[:, 1:])
    return float(best[0]), int(level[0])


def test_few_in_the_cell_are_helped_by_many_in_the_district() -> None:
    best, level = sure((990, 1000), (500, 500), (0, 0), (0, 0), (3, 3))
    assert (best, level) == (bounds(500, 500)[0], 1)


def test_a_corner_with_its_own_custom_is_not_helped_by_the_city() -> None:
    best, level = sure((9990, 10000), (990, 1000), (20, 100), (20, 100), (20, 100))
    assert best == bounds(20, 100)[0]
    assert level >= 2


def test_what_was_never_seen_is_not_sure_at_all() -> None:
    assert sure((0, 0), (0, 0), (0, 0), (0, 0), (0, 0))[0] == 0.0


def test_a_reason_names_its_facts_in_the_readers_language() -> None:
    unit, other = Named(1, "1", "城关中队", "Chengguan Squad"), Named(2, "2", "龙泉中队", "Longquan Squad")
    facts = {"unit": unit, "other": other, "hits": 412, "total": 418, "on_shift": True, "open": 6}
    assert Reason("cell", facts).text() == "same cell and kind 412 of 418, on shift, 6 open"
    assert Reason("border", facts).text() == "two units share this border: Chengguan Squad and Longquan Squad"
    assert Reason("border", facts).abstains
    assert not Reason("city", facts).abstains
    set_language("zh_CN")
    assert "城关中队" in Reason("border", facts).text()
