"""Ids of the demo city."""

from __future__ import annotations

import numpy as np
import pytest

from db.demo.numbering import Counter, ids_at
from db.kernel.ids import made_at_ms

AT = 1_780_000_000_000


def test_counted_ids_ascend_without_end() -> None:
    counter = Counter(AT)
    ids = counter.take(3000) + counter.take(3000)
    assert ids == sorted(set(ids))
    assert made_at_ms(ids[0]) == AT
    assert made_at_ms(ids[-1]) == AT + 2


def test_ids_bear_the_moment_of_their_row() -> None:
    moments = np.array([AT, AT, AT + 5, AT + 5, AT + 5, AT + 9], dtype=np.int64)
    ids = ids_at(moments).tolist()
    assert ids == sorted(set(ids))
    assert [made_at_ms(i) for i in ids] == moments.tolist()


def test_more_rows_than_a_millisecond_can_name_are_refused() -> None:
    with pytest.raises(ValueError, match="one millisecond"):
        ids_at(np.full(2049, AT, dtype=np.int64))
