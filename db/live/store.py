"""The live cases as columns: one slot a case, so that a filter is a mask and a figure a count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any, cast
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from db.cases.queries import (
    CLOSINGS,
    LIVE_TYPES,
    OPEN_STATES,
    REQUEST_BITS,
    SET_COLUMNS,
    SOURCE_CODES,
    STATE_CODES,
    TEXT_COLUMNS,
)
from db.cases.rules import Light, lights
from db.live.claims import NO_CLAIMS, Claims
from db.live.columns import (
    DIMENSIONS,
    NO_SLOTS,
    Codes,
    Float64,
    Int32,
    Int64,
    Mask,
    UInt8,
    WordSets,
    no_slots,
)
from db.live.days import day_start, next_day_start
from db.live.delta import Delta
from db.live.directory import Directory
from db.live.remaining import NOTHING_LEARNED, Remaining
from db.live.search import TextIndex, fold

IS_OPEN: Mask = np.array([code in OPEN_STATES for code in STATE_CODES])
IS_CLOSING: Mask = np.array([code in CLOSINGS for code in STATE_CODES])
NAMED = ("category", "unit", "district", "community")
"""Dimensions whose names a text is looked for in, beside number and address."""
_TO_ACCEPT, _TO_DISPATCH = STATE_CODES.index("reported"), STATE_CODES.index("pending_dispatch")
NEVER = 0
"""What ``next_turn`` answers when no light will ever change by itself."""

_ARRAYS: dict[str, type[np.generic]] = {
    **{
        name.removesuffix("_id") if name.removesuffix("_id") in DIMENSIONS else name: (
            np.int32 if name.removesuffix("_id") in DIMENSIONS else kind
        )
        for name, kind in LIVE_TYPES.items()
    },
    **dict.fromkeys(SET_COLUMNS, np.int32),
    "claimant": np.int32,
    "claimed_until": np.int64,
    "start_by": np.int64,
    "returned": np.bool_,
    "light": np.uint8,
    "alive": np.bool_,
    "is_open": np.bool_,
    "runs": np.bool_,
    "rank": np.int64,
}


@dataclass(frozen=True, eq=False)
class Applied:
    """What a change did to the store, in slots. A slot freed now is given to nobody in the same change."""

    added: Int32 = field(default_factory=no_slots)
    changed: Int32 = field(default_factory=no_slots)
    removed: Int32 = field(default_factory=no_slots)
    turned: Int32 = field(default_factory=no_slots)
    """Slots that are not what they were by the clock alone: another light, or a claim that ran out."""
    reset: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing happened at all."""
        return not (
            self.reset or len(self.added) or len(self.changed) or len(self.removed) or len(self.turned)
        )

    @property
    def touched(self) -> Int32:
        """All slots concerned."""
        return np.concatenate([self.removed, self.added, self.changed, self.turned])


class Store:
    """All open cases and those that arrived or ended since local midnight.

    The arrays have one entry a slot, ``size`` of them; where ``alive`` is False the slot is empty and its
    other values mean nothing. They are views for reading, valid until the next ``apply`` or ``roll``. A case
    keeps its slot as long as it is in the store. Moments are milliseconds since 1970 UTC, 0 = none; positions
    WGS-84 degrees, NaN = none. Lights are those of ``now_ms``, which only ``roll`` moves.
    """

    id: Int64
    state: UInt8
    source: UInt8
    category: Int32
    unit: Int32
    district: Int32
    community: Int32
    patrol: Int32
    cell: Int32
    lon: Float64
    lat: Float64
    reported_at: Int64
    filed_at: Int64
    dispatched_at: Int64
    due_at: Int64
    soon_at: Int64
    stopped_at: Int64
    closed_at: Int64
    reworks: Int32
    version: Int32
    holder: Int32
    priority: UInt8
    requests: UInt8
    """Bits of ``REQUEST_BITS``: what waits for a decision."""
    supervised: Mask
    """An order wants an answer."""
    returned: Mask
    """A return is asked for, or was granted and the case waits to be given out anew, or was sent back."""
    tags: Int32
    """A code of ``sets["tags"]``."""
    helpers: Int32
    """A code of ``sets["helpers"]``."""
    claimant: Int32
    """A code of ``accounts``: who has claimed it, 0 = nobody."""
    claimed_until: Int64
    start_by: Int64
    """The due moment less the usual time of what is still to be done: where ``remaining`` knows none, the due
    moment itself."""
    light: UInt8
    alive: Mask
    is_open: Mask
    runs: Mask
    """Open, with a disposal clock that is running: neither before dispatch nor handed back."""
    rank: Int64
    """A number that orders slots as their ids do; see ``by_rank``."""

    def __init__(self, zone: ZoneInfo, now_ms: int) -> None:
        self.zone = zone
        self.now_ms = now_ms
        self.day_start_ms = day_start(now_ms, zone)
        self.day_end_ms = next_day_start(now_ms, zone)
        self.size = 0
        self.codes: dict[str, Codes] = {name: Codes() for name in DIMENSIONS}
        self.sets: dict[str, WordSets] = {name: WordSets() for name in SET_COLUMNS}
        self.accounts = Codes()
        """Account ids of claimants."""
        self.claims: Claims = NO_CLAIMS
        """The claims that stand at ``now_ms``."""
        self.remaining: Remaining = NOTHING_LEARNED
        self.number: list[str] = []
        self.address: list[str] = []
        self.directory = Directory()
        self.by_rank: Int32 = NO_SLOTS
        """The slot of each rank; ranks of removed cases stay behind as holes."""
        self.rank_edition = 0
        """Goes up when ranks are given anew."""
        self.text_edition = 0
        """Goes up when any number or address changes."""
        self._arrays: dict[str, npt.NDArray[Any]] = {
            name: np.zeros(1024, dtype=kind) for name, kind in _ARRAYS.items()
        }
        self._slots: dict[int, int] = {}
        self._free: list[int] = []
        self._resting: list[int] = []
        self._next_rank = 0
        self._newest_id = 0
        # Apart: in the numbers there are few signs, so that most words are looked for in the addresses only.
        self._texts = {name: TextIndex() for name in TEXT_COLUMNS}
        self._next_turn = NEVER
        self._claimed_slots: Int32 = NO_SLOTS
        self._usual: Int64 | None = None
        self._publish()

    def __len__(self) -> int:
        return len(self._slots)

    @property
    def total_open(self) -> int:
        """How many cases are open, whatever any filter says."""
        return int(np.count_nonzero(self.is_open))

    def slot_of(self, case_id: int) -> int | None:
        """The slot of a case; ``None`` when it is not in the store."""
        return self._slots.get(case_id)

    def slots_of(self, case_ids: Iterable[int], missing: int = -1) -> Int32:
        """The slot of each of very many cases, in their order; ``missing`` for one that is not there."""
        return np.fromiter(map(self._slots.get, case_ids, repeat(missing)), dtype=np.int32)

    def find(self, text: str) -> Mask:
        """Which slots have every word of ``text`` in number, address or the name of one of ``NAMED``."""
        found = np.ones(self.size, dtype=bool)
        # The longest word lets through least, and the others are looked for only where it stands.
        for word in sorted(fold(text).split(), key=len, reverse=True):
            has_word = np.zeros(self.size, dtype=bool)
            for index in self._texts.values():
                has_word |= index.find(word, self.size, found & ~has_word)
            for name in NAMED:
                entry_has = [
                    any(word in each for each in self._names(name, int(i))) for i in self.codes[name].ids
                ]
                if any(entry_has):
                    has_word |= np.array(entry_has, dtype=bool)[self._arrays[name][: self.size]]
            found &= has_word
        return found

    def has_words(self, slot: int, words: Sequence[str]) -> bool:
        """The same for one slot and folded words."""
        texts = [fold(self.number[slot]), fold(self.address[slot])]
        for name in NAMED:
            texts += self._names(name, int(self.codes[name].ids[self._arrays[name][slot]]))
        return all(any(word in text for text in texts) for word in words)

    def _names(self, dimension: str, database_id: int) -> tuple[str, ...]:
        """What an id is called in any language, folded; nothing for "none"."""
        entry = self.directory.entry(dimension, database_id) if database_id else None
        return () if entry is None else (fold(entry.name), fold(entry.name_en), fold(entry.code))

    def apply(self, delta: Delta) -> Applied:
        """Take in a delta and say which slots it touched. Cases that ended before today are not kept."""
        self._free += self._resting
        self._resting = []
        columns = delta.columns
        ids = delta.ids
        state = np.asarray(columns["state"])
        kept = self._belongs(state, np.asarray(columns["closed_at"]), np.asarray(columns["reported_at"]))
        leaving = np.concatenate([delta.gone, ids[~kept]])
        if delta.full:
            present = self.id[self.alive]
            leaving = np.concatenate([leaving, present[~np.isin(present, ids[kept])]])
        removed = self._remove(leaving)
        places = np.flatnonzero(kept)
        slots, is_new = self._place(ids[places])
        self._write(delta, places, slots)
        self._rank(slots[is_new])
        self._publish()
        self._light(slots)
        if delta.claims is not None:
            self.claims = delta.claims.at(self.now_ms)
        claimed = self._claim()
        self._find_next_turn()
        changed = slots[~is_new]
        if len(claimed):
            changed = np.union1d(changed, np.setdiff1d(claimed, slots)).astype(np.int32)
        return Applied(slots[is_new], changed, removed, reset=delta.full)

    def learn(self, remaining: Remaining) -> None:
        """Take what is usual now; it moves cases only in the order of least slack."""
        self.remaining = remaining
        self._usual = None
        self._start_by(slice(None))

    def name_anew(self, directory: Directory) -> None:
        """Take another directory: names are asked anew, and a class may belong to another major one."""
        self.directory = directory
        self._usual = None
        self._start_by(slice(None))

    def roll(self, now_ms: int) -> Applied:
        """Let the clock be ``now_ms``: lights turn, and after midnight what ended yesterday leaves."""
        removed = NO_SLOTS
        if not self.day_start_ms <= now_ms < self.day_end_ms:
            self.day_start_ms = day_start(now_ms, self.zone)
            self.day_end_ms = next_day_start(now_ms, self.zone)
            stale = self.alive & ~self._belongs(self.state, self.closed_at, self.reported_at)
            self._free += self._resting
            self._resting = []
            removed = self._remove(self.id[stale])
        backwards = now_ms < self.now_ms
        self.now_ms = now_ms
        self.claims = self.claims.at(now_ms)
        if not backwards and (self._next_turn == NEVER or now_ms < self._next_turn):
            return Applied(removed=removed)
        before = self.light.copy()
        self._light(slice(None))
        claimed = self._claim()
        self._find_next_turn()
        turned = np.flatnonzero((self.light != before) & self.alive).astype(np.int32)
        if len(claimed):
            turned = np.union1d(turned, claimed).astype(np.int32)
        return Applied(removed=removed, turned=turned)

    def next_turn(self) -> int:
        """The next moment at which a light changes or a claim ends by itself; ``NEVER`` when none will."""
        return self._next_turn

    def slack(self, slots: Int32 | Int64 | slice) -> Int64:
        """Time left of cases with a clock in milliseconds, negative when over; handed back: what was left."""
        stopped = self.stopped_at[slots]
        return self.due_at[slots] - np.where(stopped > 0, stopped, self.now_ms)

    def plain(self, slot: int) -> Mapping[str, Any]:
        """One row as plain values, dimensions as database ids (0 = none): for a painted line or a tooltip."""
        row: dict[str, Any] = {
            name: self._arrays[name][slot].item() for name in LIVE_TYPES if name in _ARRAYS
        }
        for name in DIMENSIONS:
            row[f"{name}_id"] = int(self.codes[name].ids[self._arrays[name][slot]])
        row["state"], row["source"] = STATE_CODES[row["state"]], SOURCE_CODES[row["source"]]
        row["requests"] = tuple(kind for kind, bit in REQUEST_BITS.items() if row["requests"] & bit)
        row["tags"] = self.sets["tags"].values[int(self.tags[slot])]
        row["helpers"] = tuple(map(int, self.sets["helpers"].values[int(self.helpers[slot])]))
        row["returned"] = bool(self.returned[slot])
        row["start_by"] = int(self.start_by[slot])
        row["claim"] = self.claims.by_case.get(row["id"])
        row["light"] = Light(int(self.light[slot]))
        row["number"], row["address"] = self.number[slot], self.address[slot]
        return row

    def _belongs(
        self, state: npt.NDArray[Any], closed_at: npt.NDArray[Any], reported_at: npt.NDArray[Any]
    ) -> Mask:
        day = self.day_start_ms
        return cast(Mask, IS_OPEN[state] | (closed_at >= day) | (reported_at >= day))

    def _remove(self, ids: Int64) -> Int32:
        slots = [slot for i in ids.tolist() if (slot := self._slots.pop(i, None)) is not None]
        removed = np.array(slots, dtype=np.int32)
        for name in ("alive", "is_open", "runs"):
            self._arrays[name][removed] = False
        self._resting += slots
        for slot in slots:
            self.number[slot] = self.address[slot] = ""
        for index in self._texts.values():
            index.drop(removed)
        return removed

    def _place(self, ids: Int64) -> tuple[Int32, Mask]:
        slots = self.slots_of(ids.tolist())
        is_new = slots < 0
        count = int(np.count_nonzero(is_new))
        if count:
            reused = [self._free.pop() for _ in range(min(count, len(self._free)))]
            fresh = range(self.size, self.size + count - len(reused))
            slots[is_new] = [*reused, *fresh]
            self.size += len(fresh)
            self.number += [""] * len(fresh)
            self.address += [""] * len(fresh)
            self._grow()
            self._slots.update(zip(ids[is_new].tolist(), slots[is_new].tolist(), strict=True))
        return slots, is_new

    def _grow(self) -> None:
        capacity = len(self._arrays["id"])
        if self.size <= capacity:
            return
        while capacity < self.size:
            capacity *= 2
        for name, old in self._arrays.items():
            grown = np.zeros(capacity, dtype=old.dtype)
            grown[: len(old)] = old
            self._arrays[name] = grown

    def _write(self, delta: Delta, places: Int64, slots: Int32) -> None:
        columns, arrays = delta.columns, self._arrays
        everything = len(places) == len(delta.ids)
        for name in LIVE_TYPES:
            values = np.asarray(columns[name])
            if not everything:
                values = values[places]
            dimension = name.removesuffix("_id")
            if dimension in self.codes:
                arrays[dimension][slots] = self.codes[dimension].encode(values)
            else:
                arrays[name][slots] = values
        is_open = IS_OPEN[arrays["state"][slots]]
        arrays["alive"][slots] = True
        arrays["is_open"][slots] = is_open
        arrays["runs"][slots] = is_open & (arrays["due_at"][slots] > 0) & (arrays["stopped_at"][slots] == 0)
        for name, sets in self.sets.items():
            listed = cast("list[str]", columns[name])
            arrays[name][slots] = sets.encode(listed if everything else [listed[i] for i in places.tolist()])
        arrays["claimant"][slots] = arrays["claimed_until"][slots] = 0
        state = arrays["state"][slots]
        arrays["returned"][slots] = (
            ((state == _TO_DISPATCH) & (arrays["dispatched_at"][slots] > 0))
            | ((state == _TO_ACCEPT) & (arrays["filed_at"][slots] > 0))
            | (is_open & ((arrays["requests"][slots] & REQUEST_BITS["return"]) > 0))
        )
        self._start_by(slots)
        for name in TEXT_COLUMNS:
            listed = cast("list[str]", columns[name])
            self._write_texts(
                name, slots.tolist(), listed if everything else [listed[i] for i in places.tolist()]
            )

    def _write_texts(self, name: str, slots: Sequence[int], texts: Sequence[str]) -> None:
        known: list[str] = getattr(self, name)
        # Of ten thousand cases that are given to another unit not one has another text.
        other = [(slot, text) for slot, text in zip(slots, texts, strict=True) if known[slot] != text]
        if not other:
            return
        for slot, text in other:
            known[slot] = text
        self.text_edition += 1
        self._texts[name].put([slot for slot, _text in other], [text for _slot, text in other])

    def _start_by(self, slots: Int32 | slice) -> None:
        """Due moments less what is usual, looked up in a table of state and class."""
        arrays = self._arrays
        if isinstance(slots, slice):
            slots = np.arange(self.size, dtype=np.int32)
        due = arrays["due_at"][slots]
        arrays["start_by"][slots] = due
        if not self.remaining.usual:
            return
        left = self._usual_rest()[arrays["state"][slots], arrays["category"][slots]]
        arrays["start_by"][slots] = np.where(due > 0, due - left, 0)

    def _usual_rest(self) -> Int64:
        """The usual rest of a case by state and code of the class; made anew with what it is made of."""
        codes = self.codes["category"].ids
        if self._usual is None or self._usual.shape[1] != len(codes):
            majors = self.directory.major_of
            classes = [majors.get(int(i), "") for i in codes]
            table = [[self.remaining.of(state, major) for major in classes] for state in STATE_CODES]
            self._usual = np.array(table, dtype=np.int64)
        return self._usual

    def _claim(self) -> Int32:
        """Write the standing claims into the columns; returns the slots of which they say something new."""
        arrays, before = self._arrays, self._claimed_slots
        wanted = [
            (slot, each.account_id, each.until_ms)
            for case_id, each in self.claims.by_case.items()
            if (slot := self._slots.get(case_id)) is not None
        ]
        if not wanted and not len(before):
            return NO_SLOTS
        slots, accounts, until = (np.array([one[i] for one in wanted], dtype=np.int64) for i in range(3))
        concerned = np.union1d(before, slots).astype(np.int32)
        was = arrays["claimant"][concerned], arrays["claimed_until"][concerned]
        for name in ("claimant", "claimed_until"):
            arrays[name][before] = 0
        arrays["claimant"][slots] = self.accounts.encode(accounts)
        arrays["claimed_until"][slots] = until
        self._claimed_slots = slots.astype(np.int32)
        differs = (arrays["claimant"][concerned] != was[0]) | (arrays["claimed_until"][concerned] != was[1])
        return cast(Int32, concerned[differs & arrays["alive"][concerned]])

    def _rank(self, new_slots: Int32) -> None:
        """Give new cases the next ranks; all ranks anew when one is too old or there are many holes."""
        if not len(new_slots):
            return
        ids = self._arrays["id"]
        new_slots = new_slots[np.argsort(ids[new_slots])]
        too_old = int(ids[new_slots[0]]) < self._newest_id
        if too_old or self._next_rank > 2 * len(self._slots) + 1024:
            alive = np.flatnonzero(self._arrays["alive"][: self.size]).astype(np.int32)
            new_slots = alive[np.argsort(ids[alive])]
            self._next_rank = 0
            self.rank_edition += 1
        end = self._next_rank + len(new_slots)
        if end > len(self.by_rank):
            grown = np.zeros(max(end, 2 * len(self.by_rank), 1024), dtype=np.int32)
            grown[: len(self.by_rank)] = self.by_rank
            self.by_rank = grown
        self._arrays["rank"][new_slots] = np.arange(self._next_rank, end)
        self.by_rank[self._next_rank : end] = new_slots
        self._next_rank = end
        self._newest_id = int(ids[new_slots[-1]])

    def _publish(self) -> None:
        for name, array in self._arrays.items():
            setattr(self, name, array[: self.size])

    def _light(self, slots: Int32 | slice) -> None:
        self.light[slots] = lights(
            self.now_ms, self.due_at[slots], self.soon_at[slots], self.stopped_at[slots]
        )

    def _find_next_turn(self) -> None:
        running = self.runs
        nearest = np.iinfo(np.int64).max
        never = nearest
        # A light turns one millisecond after its mark: at the mark itself the case is still in time.
        for mark in (self.soon_at, self.due_at):
            nearest = min(nearest, int(np.min(mark, where=running & (mark >= self.now_ms), initial=never)))
        self._next_turn = NEVER if nearest == never else nearest + 1
        ends = self.claims.next_end()
        if ends is not None and (self._next_turn == NEVER or ends < self._next_turn):
            self._next_turn = ends
