"""News name kinds and ids."""

from __future__ import annotations

from db.kernel.change import Changes


def test_ids_of_a_kind_that_was_not_touched_are_none() -> None:
    changes = Changes(3, {"cases": frozenset({1, 2})})
    assert changes.of("cases") == {1, 2}
    assert changes.of("unit") == frozenset()
    assert not changes.bulk
