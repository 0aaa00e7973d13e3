"""Arrays as the live layer knows them, and the small dictionaries that turn database ids into codes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from db.cases.queries import ID_COLUMNS

Int64 = npt.NDArray[np.int64]
Int32 = npt.NDArray[np.int32]
UInt8 = npt.NDArray[np.uint8]
Float64 = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

DIMENSIONS = tuple(name.removesuffix("_id") for name in ID_COLUMNS)
"""The columns that the store keeps as codes: category, unit, district, community, patrol, cell."""

NO_SLOTS: Int32 = np.empty(0, dtype=np.int32)
NO_IDS: Int64 = np.empty(0, dtype=np.int64)


def no_slots() -> Int32:
    """The default of a field that holds slots."""
    return NO_SLOTS


def no_ids() -> Int64:
    """The default of a field that holds ids or moments."""
    return NO_IDS


class Codes:
    """The dictionary of one dimension: database id -> small code, never given anew; code 0 is "none"."""

    def __init__(self) -> None:
        self.ids: Int64 = np.zeros(1, dtype=np.int64)
        """The database id behind each code."""
        self._sorted_ids: Int64 = np.zeros(1, dtype=np.int64)
        self._sorted_codes: Int32 = np.zeros(1, dtype=np.int32)

    def __len__(self) -> int:
        return len(self.ids)

    def encode(self, ids: Int64) -> Int32:
        """The codes of database ids (0 = none); ids not met before get the next codes."""
        places = np.searchsorted(self._sorted_ids, ids)
        places[places == len(self._sorted_ids)] = 0
        missing = self._sorted_ids[places] != ids
        if missing.any():
            self.ids = np.concatenate([self.ids, np.unique(ids[missing])])
            order = np.argsort(self.ids)
            self._sorted_ids = self.ids[order]
            self._sorted_codes = order.astype(np.int32)
            places = np.searchsorted(self._sorted_ids, ids)
        return self._sorted_codes[places]

    def code(self, database_id: int) -> int:
        """The code of one id, 0 when it was never met."""
        place = int(np.searchsorted(self._sorted_ids, database_id))
        if place < len(self._sorted_ids) and int(self._sorted_ids[place]) == database_id:
            return int(self._sorted_codes[place])
        return 0

    def chosen(self, database_ids: Iterable[int]) -> Mask:
        """Which codes stand for one of ``database_ids``: a table to look codes up in. Id 0 chooses "none"."""
        wanted = np.fromiter(database_ids, dtype=np.int64)
        return np.isin(self.ids, wanted)

    def ranks(self, order: Mapping[int, int]) -> Int64:
        """The rank of each code by ``order`` (id -> rank); "none" comes first, unknown ids last, by id."""
        unknown = len(order) + 1
        ranks = np.array([order.get(int(i), unknown) for i in self.ids], dtype=np.int64)
        by_rank = np.lexsort((self.ids, ranks))
        dense = np.empty(len(ranks), dtype=np.int64)
        dense[by_rank] = np.arange(1, len(ranks) + 1)
        dense[0] = 0
        return dense


class WordSets:
    """The dictionary of a column of sets: text of lines -> small code, never given anew; 0 is the empty set.

    Thousands of cases share a handful of sets, so a filter looks at the sets and not at the cases.
    """

    def __init__(self) -> None:
        self.values: list[tuple[str, ...]] = [()]
        """The words behind each code, in order."""
        self._codes: dict[str, int] = {"": 0}

    def encode(self, texts: Sequence[str]) -> Int32:
        """The codes of texts with a word a line."""
        codes = np.zeros(len(texts), dtype=np.int32)
        if not any(texts):
            return codes
        for place, text in enumerate(texts):
            if text:
                code = self._codes.get(text)
                if code is None:
                    code = self._codes[text] = len(self.values)
                    self.values.append(tuple(text.split("\n")))
                codes[place] = code
        return codes

    def with_any(self, words: Iterable[str]) -> Mask:
        """Which codes stand for a set with one of the words: a table to look codes up in."""
        wanted = frozenset(words)
        return np.array([not wanted.isdisjoint(value) for value in self.values], dtype=bool)

    def words(self) -> list[str]:
        """All words that any case has or had, in order."""
        return sorted({word for value in self.values for word in value})
