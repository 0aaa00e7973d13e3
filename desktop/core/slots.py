"""The slots of the cases that were asked for last: a selection of all is asked for at every beat."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from db.live.columns import Int32, Int64, no_slots
from db.live.store import Store


class SlotMemo:
    """Remembers the slots of one set. A case keeps its slot while it is in the store, so they are looked up
    anew only when one of them is free or another case's by now.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._ids: frozenset[int] = frozenset()
        self._values: Int64 = np.zeros(0, dtype=np.int64)
        self._slots: Int32 = no_slots()

    def of(self, ids: Iterable[int]) -> Int32:
        """The slot of each, in the order in which a set is gone through; -1 for one that is not there."""
        store = self._store
        if not isinstance(ids, frozenset):
            return store.slots_of(ids)
        if ids is not self._ids or not self._still_stand():
            self._ids = ids
            self._values = np.fromiter(ids, dtype=np.int64, count=len(ids))
            self._slots = store.slots_of(self._values.tolist())
        return self._slots

    def _still_stand(self) -> bool:
        store, slots = self._store, self._slots
        return bool(
            (slots >= 0).all() and store.alive[slots].all() and (store.id[slots] == self._values).all()
        )
