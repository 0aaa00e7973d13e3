"""A filtered, ordered view of the store: which cases, and in which row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from db.cases.queries import REQUEST_BITS, SOURCE_CODES, STATE_CODES
from db.live.columns import NO_SLOTS, Int32, Int64, Mask
from db.live.filters import PARTS, Filter, Scope
from db.live.search import fold
from db.live.shapes import Ring, inside
from db.live.store import IS_CLOSING, Applied, Store

Slots = Int32 | slice
ORDER_KEYS = (
    "slack",
    "left",
    "priority",
    "reported_at",
    "category",
    "district",
    "unit",
    "state",
    "number",
    "address",
    "source",
    "light",
)

_EVERY = slice(None)
_BY_CODE = ("category", "district", "unit")
_BY_TEXT = ("number", "address")
_BY_CLOCK = {"slack": "start_by", "left": "due_at"}
"""Orders by the disposal clock: ``left`` is the time left, ``slack`` that less the usual time of the rest."""
# Worst first: over, soon, on time, no clock.
_LIGHT_ORDER: Int64 = np.array([2, 1, 0, 3], dtype=np.int64)
# What a lens of one hundred thousand cases re-sorts faster than it patches.
_PATCH_SHARE = 16
# So many texts tell whether texts repeat themselves.
_SAMPLE = 32_768


@dataclass(frozen=True, eq=False)
class Match:
    """Which slots pass a filter, scope apart, with each part's own mask: a chart leaves its own part out."""

    all: Mask
    alive: Mask
    by_part: dict[str, Mask]

    @staticmethod
    def everything(store: Store) -> Match:
        """Every case in the store."""
        return Match(store.alive, store.alive, {})

    def without(self, *parts: str) -> Mask:
        """Which slots pass every part but these."""
        if not any(part in self.by_part for part in parts):
            return self.all
        mask = self.alive.copy()
        for part, passes in self.by_part.items():
            if part not in parts:
                mask &= passes
        return mask


class Lens:
    """The rows of a list: slots of the cases that pass the filter, in order, the case id as the last key.

    ``rows`` and ``mask`` are whole after each call; nobody sees them half-changed.
    """

    def __init__(self, store: Store, chosen: Filter | None = None) -> None:
        self.store = store
        self.filter = chosen or Filter()
        self.order_key = "slack"
        self.descending = False
        self.rows: Int32 = NO_SLOTS
        """Slots in the order of the list."""
        self.mask: Mask = np.zeros(0, dtype=bool)
        """Per slot: whether it is in the list."""
        self._parts: dict[str, Mask] = {}
        self._match: Mask = self.mask
        # The sorted keys of ``rows`` and what they were made from, while new rows can be laid among them.
        self._keys: Int64 | None = None
        self._base = 0
        self._bits = 0
        self._keys_edition = -1
        # A longer list in the same order that still holds: narrower ones are taken out of it unsorted.
        self._wide: tuple[Mask, Int32, Int64 | None] | None = None
        self._row_of: Int32 | None = None
        self._text_orders: dict[str, tuple[int, int, Int64]] = {}
        self._recompute()

    @property
    def count(self) -> int:
        """How many rows the list has."""
        return len(self.rows)

    @property
    def total_open(self) -> int:
        """How many cases are open, whatever the filter."""
        return self.store.total_open

    @property
    def match(self) -> Match:
        """The filter as masks, for the figures."""
        return Match(self._match, self.store.alive, self._parts)

    def row_of(self, case_id: int) -> int | None:
        """The row of a case; ``None`` when it is not in the list."""
        slot = self.store.slot_of(case_id)
        if slot is None or not self.mask[slot]:
            return None
        if self._row_of is None:
            self._row_of = np.empty(self.store.size, dtype=np.int32)
            self._row_of[self.rows] = np.arange(len(self.rows), dtype=np.int32)
        return int(self._row_of[slot])

    def id_at(self, row: int) -> int:
        """The case in a row."""
        return int(self.store.id[self.rows[row]])

    def set_filter(self, chosen: Filter) -> bool:
        """Look at something else; returns whether the list is another one now."""
        if chosen == self.filter:
            return False
        old, self.filter = self.filter, chosen
        changed = {part for part in PARTS if getattr(old, part) != getattr(chosen, part)}
        self._parts = {
            part: self._parts[part] if part not in changed else self._passes(part, _EVERY)
            for part in PARTS
            if chosen.has(part)
        }
        # The list as it stands is sorted; what was left of a longer one may be the longer still.
        if self._wide is None or not _lies_in(self.mask, self._wide[0]):
            self._wide = (self.mask, self.rows, self._keys)
        return self._renew()

    def set_order(self, key: str, descending: bool = False) -> bool:
        """Order by another key; returns whether the list is another one now."""
        if key not in ORDER_KEYS:
            raise ValueError(f"no order key {key!r}")
        if (key, descending) == (self.order_key, self.descending):
            return False
        self.order_key, self.descending = key, descending
        self._wide = None
        return self._show(self._sorted())

    def update(self, applied: Applied) -> bool:
        """Follow a change or a tick of the store; returns whether the list is another one now."""
        touched = applied.touched
        size = self.store.size
        self._wide = None
        if applied.reset:
            self._recompute()
            return True
        if len(touched) * _PATCH_SHARE > size or "slack" in self._parts:
            # Which cases pass "time left" changes with every tick.
            return self._recompute()
        if len(touched):
            self._extend(size)
            for part, passes in self._parts.items():
                passes[touched] = self._passes(part, touched)
            match = self.store.alive[touched]
            for passes in self._parts.values():
                match &= passes[touched]
            self._match[touched] = match
            before = self.mask[touched]
            self.mask[touched] = match & self._in_scope(touched)
            if not (before | self.mask[touched]).any():
                return False
        elif self._keys is not None and self._is_still():
            return False
        return self._show(self._patched(touched))

    def refresh(self) -> bool:
        """Start afresh, as after new names; returns whether the list is another one now."""
        return self._recompute()

    # The filter as masks.

    def _recompute(self) -> bool:
        self._wide = None
        self._parts = {part: self._passes(part, _EVERY) for part in PARTS if self.filter.has(part)}
        return self._renew()

    def _renew(self) -> bool:
        self._match = self.store.alive.copy()
        for passes in self._parts.values():
            self._match &= passes
        self.mask = self._match & self._in_scope(_EVERY)
        if self._wide is not None and _lies_in(self.mask, self._wide[0]):
            return self._show(self._picked(*self._wide[1:]))
        return self._show(self._sorted())

    def _picked(self, rows: Int32, keys: Int64 | None) -> Int32:
        """The rows of the list out of a longer one in the same order."""
        # Places, not a mask: a few of a million are taken four times as fast.
        chosen = np.flatnonzero(self.mask.take(rows))
        self._keys = None if keys is None else keys.take(chosen)
        return rows.take(chosen)

    def _extend(self, size: int) -> None:
        more = size - len(self.mask)
        if more:
            nothing = np.zeros(more, dtype=bool)
            self.mask = np.concatenate([self.mask, nothing])
            self._match = np.concatenate([self._match, nothing])
            self._parts = {part: np.concatenate([passes, nothing]) for part, passes in self._parts.items()}

    def _in_scope(self, slots: Slots) -> Mask:
        store, scope = self.store, self.filter.scope
        if scope is Scope.OPEN:
            return store.is_open[slots]
        if scope is Scope.TODAY_CLOSED:
            return (
                IS_CLOSING[store.state[slots]]
                & store.alive[slots]
                & (store.closed_at[slots] >= store.day_start_ms)
            )
        return store.alive[slots]

    def _passes(self, part: str, slots: Slots) -> Mask:
        """Which of the slots pass one part of the filter; values of empty slots do not matter."""
        store, value = self.store, getattr(self.filter, part)
        if part in _DIMENSION_OF:
            dimension = _DIMENSION_OF[part]
            codes = store.codes[dimension]
            coded: Int32 = getattr(store, dimension)[slots]
            return codes.chosen(value)[coded]
        if part == "majors":
            major_of = store.directory.major_of
            chosen = np.array([major_of.get(int(i), "") in value for i in store.codes["category"].ids])
            return chosen[store.category[slots]]
        return _PASSES[part](self, value, slots)

    def _passes_states(self, value: frozenset[str], slots: Slots) -> Mask:
        return np.array([code in value for code in STATE_CODES])[self.store.state[slots]]

    def _passes_sources(self, value: frozenset[str], slots: Slots) -> Mask:
        return np.array([code in value for code in SOURCE_CODES])[self.store.source[slots]]

    def _passes_lights(self, value: frozenset[int], slots: Slots) -> Mask:
        return np.array([light in value for light in range(4)])[self.store.light[slots]]

    def _passes_priorities(self, value: frozenset[int], slots: Slots) -> Mask:
        return np.array([priority in value for priority in range(256)])[self.store.priority[slots]]

    def _passes_claimants(self, value: frozenset[int], slots: Slots) -> Mask:
        return self.store.accounts.chosen(value)[self.store.claimant[slots]]

    def _passes_requests(self, value: frozenset[str], slots: Slots) -> Mask:
        return (self.store.requests[slots] & sum(REQUEST_BITS[kind] for kind in value)) > 0

    def _passes_tags(self, value: frozenset[str], slots: Slots) -> Mask:
        return self.store.sets["tags"].with_any(value)[self.store.tags[slots]]

    def _passes_supervised(self, value: bool, slots: Slots) -> Mask:
        return self.store.supervised[slots].copy()

    def _passes_returned(self, value: bool, slots: Slots) -> Mask:
        return self.store.returned[slots].copy()

    def _passes_mine(self, value: tuple[int, int], slots: Slots) -> Mask:
        return belongs_to(self.store, value)[slots]

    def _passes_shape(self, value: Ring, slots: Slots) -> Mask:
        return inside(value, self.store.lon[slots], self.store.lat[slots])

    def _passes_slack(self, value: tuple[int | None, int | None], slots: Slots) -> Mask:
        return self.store.runs[slots] & _within(self.store.due_at[slots] - self.store.now_ms, value)

    def _passes_arrived(self, value: tuple[int | None, int | None], slots: Slots) -> Mask:
        return _within(self.store.reported_at[slots], value)

    def _passes_closed(self, value: tuple[int | None, int | None], slots: Slots) -> Mask:
        closed_at = self.store.closed_at[slots]
        return (closed_at > 0) & IS_CLOSING[self.store.state[slots]] & _within(closed_at, value)

    def _passes_no_position(self, value: bool, slots: Slots) -> Mask:
        return np.isnan(self.store.lon[slots])

    def _passes_box(self, value: tuple[float, float, float, float], slots: Slots) -> Mask:
        west, south, east, north = value
        lon, lat = self.store.lon[slots], self.store.lat[slots]
        return (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)

    def _passes_ids(self, value: frozenset[int], slots: Slots) -> Mask:
        found = np.zeros(self.store.size, dtype=bool)
        found[[slot for i in value if (slot := self.store.slot_of(i)) is not None]] = True
        return found[slots]

    def _passes_text(self, value: str, slots: Slots) -> Mask:
        store = self.store
        if isinstance(slots, slice):
            return store.find(value)
        words = fold(value).split()
        return np.array([store.has_words(slot, words) for slot in slots.tolist()], dtype=bool)

    # The order.

    def _show(self, rows: Int32) -> bool:
        different = len(rows) != len(self.rows) or not np.array_equal(rows, self.rows)
        self.rows = rows
        self._row_of = None
        return different

    def _key(self, slots: Int32) -> Int64:
        """What the slots are ordered by, ascending, as whole numbers."""
        store, key = self.store, self.order_key
        if key in _BY_CODE:
            codes = store.codes[key]
            coded: Int32 = getattr(store, key)[slots]
            return codes.ranks(store.directory.order(key))[coded]
        if key in _BY_TEXT:
            return self._text_ranks(key)[slots]
        if key == "light":
            return _LIGHT_ORDER[store.light[slots]]
        if key == "priority":
            return -store.priority[slots].astype(np.int64)
        values: npt.NDArray[Any] = getattr(store, key)[slots]
        return values.astype(np.int64)

    def _signed_key(self, slots: Int32) -> Int64:
        if self.order_key in _BY_CLOCK:
            return self._clock_key(slots)
        key = self._key(slots)
        return -key if self.descending else key

    def _clock_key(self, slots: Int32) -> Int64:
        """Time left; then, whichever way the list runs, cases without a clock, longest waiting first."""
        store = self.store
        key: Int64 = getattr(store, _BY_CLOCK[self.order_key])[slots]
        no_clock = np.flatnonzero(key == 0)
        stopped = store.stopped_at[slots]
        # Counted from now: running clocks keep their keys as time goes by.
        standing = np.flatnonzero(stopped)
        key[standing] += store.now_ms - stopped[standing]
        if self.descending:
            np.negative(key, out=key)
        if len(no_clock):
            waiting = store.reported_at[slots[no_clock]]
            key[no_clock] = key.min()
            key[no_clock] = int(key.max()) + 1 + (waiting - int(waiting.min()))
        return key

    def _sorted(self) -> Int32:
        slots = np.flatnonzero(self.mask).astype(np.int32)
        self._keys = None
        if not len(slots):
            return slots
        store = self.store
        key = self._signed_key(slots)
        base = int(key.min())
        bits = max(len(store.by_rank) - 1, 1).bit_length()
        if int(key.max()) - base >= 1 << (62 - bits):
            return slots[np.lexsort((store.id[slots], key))]
        # Key and rank in one number: one plain sort is several times faster than sorting places.
        packed = (key - base) << bits
        packed |= store.rank[slots]
        packed.sort()
        self._keys, self._base, self._bits = packed, base, bits
        self._keys_edition = store.rank_edition
        rows: Int32 = store.by_rank[packed & ((1 << bits) - 1)]
        return rows

    def _is_still(self) -> bool:
        """Whether time alone does not move rows: no handed-back case stands among running clocks."""
        return self.order_key not in _BY_CLOCK or not bool(
            ((self.store.stopped_at > 0) & (self.store.due_at > 0) & self.mask).any()
        )

    def _patched(self, touched: Int32) -> Int32:
        """The rows with the touched slots laid in anew, or sorted afresh when that is not safe."""
        store = self.store
        if (
            self._keys is None
            or self.order_key in _BY_TEXT
            or self.order_key in _BY_CODE
            or self.order_key in _BY_CLOCK
            or self._keys_edition != store.rank_edition
            or len(store.by_rank) > 1 << self._bits
        ):
            return self._sorted()
        is_touched = np.zeros(store.size, dtype=bool)
        is_touched[touched] = True
        kept = ~is_touched[self.rows]
        keys = self._keys[kept]
        entering = np.unique(touched[self.mask[touched]])
        if len(entering):
            key = self._signed_key(entering) - self._base
            if int(np.abs(key).max()) >= 1 << (62 - self._bits):
                return self._sorted()
            packed = np.sort((key << self._bits) | store.rank[entering])
            keys = np.insert(keys, np.searchsorted(keys, packed), packed)
        self._keys = keys
        rows: Int32 = store.by_rank[keys & ((1 << self._bits) - 1)]
        return rows

    def _text_ranks(self, key: str) -> Int64:
        """The rank of each slot's text among all texts; equal texts share one."""
        store = self.store
        edition, size, ranks = self._text_orders.get(key, (-1, 0, np.empty(0, dtype=np.int64)))
        if edition == store.text_edition and size == store.size:
            return ranks
        texts: list[str] = getattr(store, key)
        ranks = _ranks_of_few(texts) if _repeats(texts) else _ranks_of_many(texts, ranks)
        self._text_orders[key] = (store.text_edition, store.size, ranks)
        return ranks


def _repeats(texts: Sequence[str]) -> bool:
    """Whether most texts stand more than once, as addresses do and numbers never."""
    sample = texts[:_SAMPLE]
    return 2 * len(set(sample)) < len(sample)


def _ranks_of_few(texts: Sequence[str]) -> Int64:
    """The rank of each text among all: only the different ones are sorted."""
    rank_of = {text: rank for rank, text in enumerate(sorted(set(texts)))}
    return np.fromiter(map(rank_of.__getitem__, texts), dtype=np.int64, count=len(texts))


def _ranks_of_many(texts: Sequence[str], before: Int64) -> Int64:
    """The same where nearly all differ; ``before`` are ranks that the first texts had."""
    # Nearly sorted already when it was sorted before: Python's sort then takes one pass.
    order: list[int] = np.argsort(before, kind="stable").tolist()
    order += range(len(order), len(texts))
    order.sort(key=texts.__getitem__)
    ordered = [texts[slot] for slot in order]
    steps = np.fromiter(
        (a != b for a, b in zip(ordered[1:], ordered, strict=False)),
        dtype=np.int64,
        count=max(len(ordered) - 1, 0),
    )
    ranks = np.empty(len(texts), dtype=np.int64)
    ranks[order] = np.concatenate([[0], np.cumsum(steps)]) if len(order) else []
    return ranks


_DIMENSION_OF = {
    "districts": "district",
    "communities": "community",
    "patrols": "patrol",
    "cells": "cell",
    "holders": "holder",
    "units": "unit",
    "categories": "category",
}
_PASSES: dict[str, Callable[[Lens, Any, Slots], Mask]] = {
    "states": Lens._passes_states,
    "sources": Lens._passes_sources,
    "lights": Lens._passes_lights,
    "priorities": Lens._passes_priorities,
    "claimants": Lens._passes_claimants,
    "requests": Lens._passes_requests,
    "tags": Lens._passes_tags,
    "supervised": Lens._passes_supervised,
    "returned": Lens._passes_returned,
    "mine": Lens._passes_mine,
    "shape": Lens._passes_shape,
    "slack": Lens._passes_slack,
    "arrived": Lens._passes_arrived,
    "closed": Lens._passes_closed,
    "no_position": Lens._passes_no_position,
    "box": Lens._passes_box,
    "ids": Lens._passes_ids,
    "text": Lens._passes_text,
}


def belongs_to(store: Store, who: tuple[int, int]) -> Mask:
    """Which cases an account has claimed or a person holds; 0 for either = nobody of that kind."""
    account, person = store.accounts.code(who[0]), store.codes["holder"].code(who[1])
    found = np.zeros(store.size, dtype=bool)
    if account:
        found |= store.claimant == account
    if person:
        found |= store.holder == person
    return found


def _lies_in(narrow: Mask, wide: Mask) -> bool:
    """Whether every slot of one mask is in the other."""
    return len(narrow) == len(wide) and not bool((narrow & ~wide).any())


def _within(values: Int64, span: tuple[int | None, int | None]) -> Mask:
    low, high = span
    passes = np.ones(len(values), dtype=bool)
    if low is not None:
        passes &= values >= low
    if high is not None:
        passes &= values < high
    return passes
