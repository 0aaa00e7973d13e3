"""Two deltas laid together say what they say one after the other."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from db.live.delta import Delta
from db.live.people import People
from tests.db.live.rows import DIRECTORY, NOON, Model, any_delta, case_row, delta_of


@given(st.lists(any_delta(), min_size=1, max_size=5))
def test_deltas_may_be_laid_together_before_they_are_applied(deltas: list[Delta]) -> None:
    one_by_one, at_once = Model(), Model()
    start = delta_of([case_row(i) for i in (1, 2, 3)])
    one_by_one.apply(start)
    at_once.apply(start)
    together = deltas[0]
    one_by_one.apply(deltas[0])
    for delta in deltas[1:]:
        one_by_one.apply(delta)
        together = together.then(delta)
    at_once.apply(together)
    assert {i: repr(row) for i, row in at_once.rows.items()} == {
        i: repr(row) for i, row in one_by_one.rows.items()
    }
    ids = together.ids.tolist()
    assert len(ids) == len(set(ids))
    assert not set(ids) & set(together.gone.tolist())


def test_what_is_not_rows_is_laid_together_too() -> None:
    first = Delta(
        at_ms=NOON,
        seq=1,
        directory=DIRECTORY,
        registers_changed=frozenset({"unit"}),
        people=People(np.array([1]), np.array([117.0]), np.array([35.0]), np.array([1])),
        people_full=True,
    )
    together = first.then(Delta(at_ms=NOON + 1, seq=2, registers_changed=frozenset({"area"})))
    assert (together.at_ms, together.seq) == (NOON + 1, 2)
    assert together.directory is DIRECTORY
    assert together.registers_changed == {"unit", "area"}
    assert len(together.people) == 1
    assert together.people_full


def test_a_delta_without_news_is_empty() -> None:
    assert Delta(at_ms=NOON).is_empty
    assert not Delta(at_ms=NOON, full=True).is_empty
    assert not delta_of([], gone=[1]).is_empty
