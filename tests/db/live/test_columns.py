"""Codes are small, stable and give their ids back."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from db.live.columns import Codes

batches = st.lists(st.lists(st.integers(0, 1 << 62), max_size=8), max_size=6)


@given(batches)
def test_a_code_gives_its_id_back_for_good(ids: list[list[int]]) -> None:
    codes = Codes()
    given_out: dict[int, int] = {}
    for batch in ids:
        made = codes.encode(np.array(batch, dtype=np.int64))
        assert codes.ids[made].tolist() == batch
        for database_id, code in zip(batch, made.tolist(), strict=True):
            assert given_out.setdefault(database_id, code) == code
    assert codes.ids[0] == 0
    for database_id, code in given_out.items():
        assert codes.code(database_id) == code


def test_nothing_is_code_nought() -> None:
    codes = Codes()
    assert codes.encode(np.array([0, 5, 0], dtype=np.int64)).tolist() == [0, 1, 0]
    assert codes.code(404) == 0


@given(st.frozensets(st.integers(0, 9)), st.lists(st.integers(0, 9), min_size=1))
def test_chosen_ids_are_a_table_to_look_codes_up_in(chosen: frozenset[int], ids: list[int]) -> None:
    codes = Codes()
    made = codes.encode(np.array(ids, dtype=np.int64))
    assert codes.chosen(chosen)[made].tolist() == [i in chosen for i in ids]


def test_ranks_follow_the_given_order_with_none_first_and_the_unknown_last() -> None:
    codes = Codes()
    codes.encode(np.array([10, 20, 30, 25], dtype=np.int64))
    ranks = codes.ranks({30: 1, 10: 2})
    assert sorted([0, 10, 20, 25, 30], key=lambda i: ranks[codes.code(i)]) == [0, 30, 10, 20, 25]
