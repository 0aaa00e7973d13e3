"""The slots of a selection are remembered, and never those of another case or of none."""

from __future__ import annotations

import numpy as np

from desktop.core.slots import SlotMemo
from tests.db.live.rows import case_row, delta_of
from tests.desktop.seeded import context_of

CASES = [case_row(i, state="handling", unit_id=1) for i in range(1, 6)]


def test_slots_stand_in_the_order_of_the_set_and_minus_one_for_what_is_not_there() -> None:
    store = context_of(CASES).board.store
    memo = SlotMemo(store)
    wanted = frozenset({2, 99, 4})
    found = memo.of(wanted)
    assert [None if slot < 0 else int(store.id[slot]) for slot in found] == [
        case_id if case_id != 99 else None for case_id in wanted
    ]


def test_the_same_set_is_not_looked_up_twice() -> None:
    memo = SlotMemo(context_of(CASES).board.store)
    wanted = frozenset({1, 2, 3})
    assert memo.of(wanted) is memo.of(wanted)


def test_a_case_that_left_and_one_that_took_its_slot_are_noticed() -> None:
    board = context_of(CASES).board
    memo = SlotMemo(board.store)
    wanted = frozenset({3})
    before = memo.of(wanted).copy()
    board.apply(delta_of([], gone=[3]))
    assert memo.of(wanted).tolist() == [-1]
    # A slot rests for one change before it is given away.
    board.apply(delta_of([]))
    board.apply(delta_of([case_row(50, state="handling", unit_id=1)]))
    assert board.store.slot_of(50) == before[0]
    assert memo.of(wanted).tolist() == [-1]
    assert np.array_equal(memo.of(frozenset({50})), before)
