"""The figures of the moment, counted from the columns.

They follow the filter; a breakdown leaves its own part of the filter out, so that a chart still shows what
else could be chosen. Every count equals the length of the list that its click opens.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from db.cases.queries import SOURCE_CODES, STATE_CODES
from db.cases.rules import Light
from db.live.columns import Int32, Int64, Mask
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
    open_slots = _slots(match.all & store.is_open)
    light = store.light[open_slots]
    by_light = np.bincount(light, minlength=4).tolist()
    runs = match.all & store.runs
    left = store.due_at[runs] - store.now_ms
    closings = _closed_today(store, match.all)
    has_clock = store.due_at[closings] > 0
    late = int(np.count_nonzero(store.light[closings] == Light.OVER))
    cases_of = _Open(store, match, open_slots)
    return Figures(
        at_ms=store.now_ms,
        day_start_ms=store.day_start_ms,
        open=len(open_slots),
        due_within_2h=int(np.count_nonzero((left >= 0) & (left < SOON_MS))),
        overdue=by_light[Light.OVER],
        lights=(by_light[0], by_light[1], by_light[2], by_light[3]),
        no_position=int(np.count_nonzero(np.isnan(store.lon[cases_of.without("no_position")]))),
        arrived_today=int(np.count_nonzero(match.all & (store.reported_at >= store.day_start_ms))),
        closed_today=len(closings),
        closed_on_time=int(np.count_nonzero(has_clock)) - late,
        closed_late=late,
        reworked_today=int(np.count_nonzero(store.reworks[closings] > 0)),
        arrivals_by_hour=_by_hour(store, _arrived_today(store, match.without("arrived")), store.reported_at),
        closings_by_hour=_by_hour(store, _closed_today(store, match.without("closed")), store.closed_at),
        by_district=cases_of.split("district", "districts"),
        by_community=cases_of.split("community", "communities"),
        by_unit=cases_of.split("unit", "units"),
        by_category=cases_of.split("category", "categories", "majors"),
        slack=_slack_bins(store, match, bin_ms),
        by_state=_by_state(store, match),
        by_source=_named(SOURCE_CODES, store.source[cases_of.without("sources")]),
        by_major=_by_major(store, cases_of.without("majors", "categories")),
    )


def split(store: Store, dimension: str, slots: Int32) -> Breakdown:
    """Slots by one dimension of the store and by light."""
    codes = store.codes[dimension]
    coded: Int32 = getattr(store, dimension)[slots]
    counts = np.bincount(coded * 4 + store.light[slots], minlength=4 * len(codes)).reshape(-1, 4)
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

    def __init__(self, store: Store, match: Match, slots: Int32) -> None:
        self.store, self.match, self.slots = store, match, slots

    def without(self, *parts: str) -> Int32:
        mask = self.match.without(*parts)
        return self.slots if mask is self.match.all else _slots(mask & self.store.is_open)

    def split(self, dimension: str, *parts: str) -> Breakdown:
        return split(self.store, dimension, self.without(*parts))


def _slots(mask: Mask) -> Int32:
    return np.flatnonzero(mask).astype(np.int32)


def _arrived_today(store: Store, mask: Mask) -> Int32:
    return _slots(mask & (store.reported_at >= store.day_start_ms))


def _closed_today(store: Store, mask: Mask) -> Int32:
    ended = _slots(mask & (store.closed_at >= store.day_start_ms))
    return ended[IS_CLOSING[store.state[ended]]]


def _by_hour(store: Store, slots: Int32, moments: Int64) -> Int64:
    hours = np.clip((moments[slots] - store.day_start_ms) // HOUR_MS, 0, HOURS - 1)
    return np.bincount(hours, minlength=HOURS).astype(np.int64)


def _slack_bins(store: Store, match: Match, bin_ms: int) -> SlackBins:
    edges = np.arange(SLACK_FROM_MS, SLACK_TO_MS + 1, bin_ms, dtype=np.int64)
    slots = _slots(match.without("slack") & store.runs)
    left = store.due_at[slots] - store.now_ms
    bins = np.clip((left - SLACK_FROM_MS) // bin_ms + 1, 0, len(edges))
    counts = np.bincount(bins * 4 + store.light[slots], minlength=4 * (len(edges) + 1))
    return SlackBins(edges, counts.reshape(-1, 4).astype(np.int64))


def _by_state(store: Store, match: Match) -> dict[str, int]:
    # What has ended and is in the store ended today: ``Store.roll`` has seen to that.
    return _named(STATE_CODES, store.state[match.without("states")])


def _named(names: tuple[str, ...], codes: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> dict[str, int]:
    return dict(zip(names, np.bincount(codes, minlength=len(names)).tolist(), strict=True))


def _by_major(store: Store, slots: Int32) -> dict[str, int]:
    codes = store.codes["category"]
    counts = np.bincount(store.category[slots], minlength=len(codes))
    found: dict[str, int] = {}
    for code in np.flatnonzero(counts).tolist():
        key = store.directory.major_of.get(int(codes.ids[code]), "")
        found[key] = found.get(key, 0) + int(counts[code])
    return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
