"""The figures of the moment, counted from the columns.

They follow the filter; a breakdown leaves its own part of the filter out, so that a chart still shows what
else could be chosen. Every count equals the length of the list that its click opens.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from db.cases.queries import SOURCE_CODES, STATE_CODES
from db.cases.rules import Light
from db.live.columns import NO_IDS, Int32, Int64, Mask, UInt8
from db.live.filters import Span
from db.live.lens import Match
from db.live.store import IS_CLOSING, Store

HOUR_MS = 3_600_000
SOON_MS = 2 * HOUR_MS
"""Time left of the cases that fall due within two hours: ``slack=(0, SOON_MS)`` shows them."""
SLACK_FROM_MS = -12 * HOUR_MS
SLACK_TO_MS = 48 * HOUR_MS
HOURS = 24


@dataclass(frozen=True, eq=False)
class Breakdown:
    """Open cases by one dimension: ``lights[i]`` counts those of ``ids[i]`` by light; most cases first.

    ``ids`` are database ids, 0 = none.
    """

    ids: Int64
    lights: Int64

    @property
    def totals(self) -> Int64:
        """Open cases of each id."""
        return np.asarray(self.lights.sum(axis=1), dtype=np.int64)

    def of(self, database_id: int) -> tuple[int, int, int, int]:
        """The counts of one id by light: on time, soon, over, no clock."""
        found = np.flatnonzero(self.ids == database_id)
        on_time, soon, over, no_clock = self.lights[found[0]].tolist() if len(found) else (0, 0, 0, 0)
        return on_time, soon, over, no_clock


@dataclass(frozen=True, eq=False)
class SlackBins:
    """Running clocks by time left. Bin 0 is below ``edges[0]``, the last at or above ``edges[-1]``."""

    edges: Int64
    """Milliseconds of time left; bin ``i`` is ``[edges[i - 1], edges[i])``."""
    lights: Int64
    """One line a bin, one column a light."""

    def span(self, index: int) -> Span:
        """The part ``slack`` of the filter that shows the cases of a bin."""
        low = int(self.edges[index - 1]) if index > 0 else None
        high = int(self.edges[index]) if index < len(self.edges) else None
        return low, high


@dataclass(frozen=True, eq=False)
class Figures:
    """What is shown of ``at_ms``. Rates are shares of one, ``None`` where there is nothing to divide by."""

    at_ms: int
    day_start_ms: int
    open: int
    due_within_2h: int
    """A running clock with two hours or less."""
    overdue: int
    """Open with a red light: over the limit, or handed back too late and not closed yet."""
    lights: tuple[int, int, int, int]
    """Open cases by light."""
    no_position: int
    arrived_today: int
    closed_today: int
    closed_on_time: int
    closed_late: int
    """Closed today after the limit; a closing without a clock is neither on time nor late."""
    reworked_today: int
    """Of those closed today, the ones that had been sent back at least once."""
    arrivals_by_hour: Int64
    """24 counts, hours since local midnight."""
    closings_by_hour: Int64
    by_district: Breakdown
    by_community: Breakdown
    by_unit: Breakdown
    by_category: Breakdown
    slack: SlackBins
    by_state: dict[str, int]
    """Cases of each state, with those that ended today."""
    by_source: dict[str, int]
    """Open cases of each source."""
    by_major: dict[str, int]
    """Open cases of each major class, most first; keys as ``Filter.majors`` takes them."""

    @property
    def on_time_rate(self) -> float | None:
        """按期结案率 as reported: closed on time ÷ closed with a clock."""
        return _share(self.closed_on_time, self.closed_on_time + self.closed_late)

    @property
    def strict_on_time_rate(self) -> float | None:
        """The same with what is overdue and still open in the base: it cannot flatter (PEERS 4)."""
        return _share(self.closed_on_time, self.closed_on_time + self.closed_late + self.overdue)

    @property
    def rework_rate(self) -> float | None:
        """返工率: sent back at least once ÷ closed, of the cases closed today."""
        return _share(self.reworked_today, self.closed_today)


def tally(store: Store, match: Match | None = None, bin_ms: int = HOUR_MS) -> Figures:
    """Count the cases of a match (``None`` = all) at the store's moment; time left in bins of ``bin_ms``."""
    match = match or Match.everything(store)
    cases = _Open(store, match)
    by_light = np.bincount(cases.lights, minlength=4).tolist()
    running = _Running(store, match)
    left = running.left(match.all)
    arrived, closings = _arrived_today(store, match.all), _closed_today(store, match.all)
    has_clock = store.due_at.take(closings) > 0
    late = int(np.count_nonzero(store.light.take(closings) == Light.OVER))
    by_category = cases.split("category", "categories", "majors")
    return Figures(
        at_ms=store.now_ms,
        day_start_ms=store.day_start_ms,
        open=len(cases.slots),
        due_within_2h=int(np.count_nonzero((left >= 0) & (left < SOON_MS))),
        overdue=by_light[Light.OVER],
        lights=(by_light[0], by_light[1], by_light[2], by_light[3]),
        no_position=int(np.count_nonzero(np.isnan(store.lon.take(cases.without("no_position")[0])))),
        arrived_today=len(arrived),
        closed_today=len(closings),
        closed_on_time=int(np.count_nonzero(has_clock)) - late,
        closed_late=late,
        reworked_today=int(np.count_nonzero(store.reworks.take(closings) > 0)),
        arrivals_by_hour=_by_hour(
            store,
            _arrived_today(store, match.without("arrived")) if "arrived" in match.by_part else arrived,
            store.reported_at,
        ),
        closings_by_hour=_by_hour(
            store,
            _closed_today(store, match.without("closed")) if "closed" in match.by_part else closings,
            store.closed_at,
        ),
        by_district=cases.split("district", "districts"),
        by_community=cases.split("community", "communities"),
        by_unit=cases.split("unit", "units"),
        by_category=by_category,
        slack=running.bins(bin_ms),
        by_state=_by_state(store, match),
        by_source=_named(SOURCE_CODES, store.source.take(cases.without("sources")[0])),
        by_major=_by_major(store, by_category),
    )


def split(store: Store, dimension: str, slots: Int32 | Int64, lights: UInt8 | None = None) -> Breakdown:
    """Slots by one dimension of the store and by light; ``lights``: of these slots, when they are known."""
    codes = store.codes[dimension]
    coded: Int32 = getattr(store, dimension).take(slots)
    coded *= 4
    coded += store.light.take(slots) if lights is None else lights
    counts = np.bincount(coded, minlength=4 * len(codes)).reshape(-1, 4)
    totals = counts.sum(axis=1)
    shown = np.flatnonzero(totals)
    shown = shown[np.lexsort((codes.ids[shown], -totals[shown]))]
    return Breakdown(codes.ids[shown], counts[shown])


def hour_span(figures: Figures, hour: int) -> Span:
    """The part ``arrived`` or ``closed`` of the filter that shows one hour of today."""
    begins = figures.day_start_ms + hour * HOUR_MS
    # The last hour holds the 25th of a day on which clocks are set back.
    return begins, begins + HOUR_MS if hour < HOURS - 1 else None


class _Open:
    """The open cases of a match, with parts of the filter left out as asked; the common case is made once."""

    def __init__(self, store: Store, match: Match) -> None:
        self.store, self.match = store, match
        self.slots = np.flatnonzero(match.all & store.is_open)
        self.lights: UInt8 = store.light.take(self.slots)

    def without(self, *parts: str) -> tuple[Int64, UInt8]:
        mask = self.match.without(*parts)
        if mask is self.match.all:
            return self.slots, self.lights
        slots = np.flatnonzero(mask & self.store.is_open)
        return slots, self.store.light.take(slots)

    def split(self, dimension: str, *parts: str) -> Breakdown:
        return split(self.store, dimension, *self.without(*parts))


class _Running:
    """The running clocks of a match and the time that they have left; the common case is made once."""

    def __init__(self, store: Store, match: Match) -> None:
        self.store, self.match = store, match
        self._mask: Mask | None = None
        self._slots, self._left = NO_IDS, NO_IDS

    def left(self, mask: Mask) -> Int64:
        """Milliseconds left of the running clocks among these."""
        if mask is not self._mask:
            self._mask = mask
            self._slots = np.flatnonzero(mask & self.store.runs)
            self._left = self.store.due_at.take(self._slots)
            self._left -= self.store.now_ms
        return self._left

    def bins(self, bin_ms: int) -> SlackBins:
        """Those that pass every part of the filter but the one of time left, by time left and by light."""
        edges = np.arange(SLACK_FROM_MS, SLACK_TO_MS + 1, bin_ms, dtype=np.int64)
        bins = (self.left(self.match.without("slack")) - SLACK_FROM_MS) // bin_ms + 1
        np.clip(bins, 0, len(edges), out=bins)
        bins *= 4
        bins += self.store.light.take(self._slots)
        counts = np.bincount(bins, minlength=4 * (len(edges) + 1))
        return SlackBins(edges, counts.reshape(-1, 4).astype(np.int64))


def _arrived_today(store: Store, mask: Mask) -> Int64:
    return np.flatnonzero(mask & (store.reported_at >= store.day_start_ms))


def _closed_today(store: Store, mask: Mask) -> Int64:
    ended = np.flatnonzero(mask & (store.closed_at >= store.day_start_ms))
    return ended[IS_CLOSING[store.state.take(ended)]]


def _by_hour(store: Store, slots: Int64, moments: Int64) -> Int64:
    hours = np.clip((moments.take(slots) - store.day_start_ms) // HOUR_MS, 0, HOURS - 1)
    return np.bincount(hours, minlength=HOURS).astype(np.int64)


def _by_state(store: Store, match: Match) -> dict[str, int]:
    # What has ended and is in the store ended today: ``Store.roll`` has seen to that.
    return _named(STATE_CODES, store.state.take(np.flatnonzero(match.without("states"))))


def _named(names: tuple[str, ...], codes: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> dict[str, int]:
    return dict(zip(names, np.bincount(codes, minlength=len(names)).tolist(), strict=True))


def _by_major(store: Store, by_category: Breakdown) -> dict[str, int]:
    majors = store.directory.major_of
    found: dict[str, int] = {}
    for category_id, count in zip(by_category.ids.tolist(), by_category.totals.tolist(), strict=True):
        key = majors.get(category_id, "")
        found[key] = found.get(key, 0) + count
    return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
