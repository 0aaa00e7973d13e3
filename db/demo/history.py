"""Invents the cases of the demo city: two years of closed ones and what is open now, as arrays, never case
by case.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from db.calendars.rules import DAY_MS, HOUR_MS, WorkingCalendar
from db.demo.city import City, locate_cells
from db.demo.furniture import Furniture
from db.demo.ground import Floats, random, snapped
from db.demo.keepers import Keepers
from db.demo.matters import (
    Mix,
    Trouble,
    draw_conditions,
    draw_sources,
    draw_words,
)
from db.demo.partition import Ints
from db.demo.staff import DemoUnit

ZONE_MS = 8 * HOUR_MS
"""China's clock stands eight hours before UTC all the year."""
MINUTE_MS = 60_000
HISTORY_DAYS = 365
STEP_DAYS = 30
"""Closed cases keep their steps for so many days; older ones only their dates."""
_CHUNK = 150_000
_LAST_DAYS = 60
"""The newest days stay in one chunk: a case that would close after now is moved back within it."""

STATES = (
    "reported", "pending_register", "pending_dispatch", "pending_handle", "handling", "pending_check",
    "pending_close", "closed", "rejected", "void",
)  # fmt: skip
(REPORTED, REGISTER, DISPATCH, TO_HANDLE, HANDLING, CHECK, CLOSE, CLOSED, REJECTED, VOID) = range(10)
_OPEN_SHARES = (0.014, 0.012, 0.022, 0.185, 0.545, 0.145, 0.077)
_LIGHT_SHARES = (0.895, 0.09, 0.015)


@dataclass(frozen=True)
class Cases:
    """Cases as arrays of the same length; moments in milliseconds UTC, 0 = none; indices into the city's
    lists.
    """

    matter: Ints
    condition: Ints
    source: Ints
    state: Ints
    spot: Ints
    component: Ints
    """Index into the furniture, -1 = none."""
    x: Floats
    y: Floats
    cell: Ints
    unit: Ints
    """Index into the units, -1 = none yet."""
    first: Ints
    """The unit that it was first sent to, as ``unit``."""
    words: npt.NDArray[np.object_]
    address: npt.NDArray[np.object_]
    reported: Ints
    accepted: Ints
    filed: Ints
    dispatched: Ints
    received: Ints
    first_handled: Ints
    """Handed back the first time, when it was not good enough; 0 without rework."""
    failed: Ints
    handled: Ints
    checked: Ints
    closed: Ints
    due: Ints
    soon: Ints
    reworks: Ints
    moves: Ints

    def __len__(self) -> int:
        return len(self.matter)

    def take(self, index: Any) -> Cases:
        """The chosen ones, in the given order."""
        return Cases(**{f.name: getattr(self, f.name)[index] for f in fields(self)})


def joined(parts: list[Cases]) -> Cases:
    """Several sets as one."""
    return Cases(**{f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Cases)})


class Author:
    """Writes cases for one city up to one moment; the same seed and moment give the same cases."""

    def __init__(
        self,
        city: City,
        furniture: Furniture,
        units: list[DemoUnit],
        mix: Mix,
        calendar: WorkingCalendar,
        as_of_ms: int,
    ) -> None:
        self.city, self.furniture, self.mix, self.calendar, self.now = (
            city,
            furniture,
            mix,
            calendar,
            as_of_ms,
        )
        self._trouble = Trouble(city)
        self._on_time = np.array([unit.on_time for unit in units])
        self._rework = np.array([unit.rework for unit in units])
        self._keepers = Keepers(city, units, mix)
        shuffle = random(city.seed, "weak components")
        self._far = np.hypot(furniture.x, furniture.y)
        self._components = [
            shuffle.permutation(np.flatnonzero(furniture.code == m.code))
            if is_component
            else np.empty(0, dtype=np.int64)
            for m, is_component in zip(mix.matters, mix.component_class, strict=True)
        ]
        self._raster = _Raster(city.spots.x, city.spots.y)

    def closed(self, count: int, opened: Cases) -> Iterator[Cases]:
        """``count`` closed cases in chunks of whole days, oldest first; ``opened`` thins the newest days."""
        first = self._day(self.now) - HISTORY_DAYS
        rng = random(self.city.seed, "days")
        days = np.arange(first, self._day(self.now) + 1)
        weight = self._day_weights(days, rng)
        # What is still open was reported on these days too: arrivals stay smooth, so fewer of them are
        # closed already.
        open_on = np.bincount((self._days(opened.reported) - first).clip(0), minlength=len(days))[: len(days)]
        weight = np.maximum(weight - 0.5 * open_on * weight.sum() / max(count, 1), 0.35 * weight)
        per_day = rng.multinomial(count, weight / weight.sum())
        start = 0
        while start < len(days):
            end = start + max(1, int(np.searchsorted(np.cumsum(per_day[start:]), _CHUNK)))
            if len(days) - end < _LAST_DAYS:
                end = len(days)
            chunk = random(self.city.seed, f"closed {days[start] - first}")
            yield self._closed_days(days[start:end], per_day[start:end], chunk)
            start = end

    def open(self, count: int) -> Cases:
        """``count`` open cases as they stand now."""
        rng = random(self.city.seed, "open")
        state = np.searchsorted(np.cumsum(_OPEN_SHARES), rng.random(count)).clip(0, 6)
        matter, condition = self._open_kinds(state, rng)
        base = self._places(matter, condition, rng)
        cond = self.mix.conditions
        length, at_work = cond.length_ms[condition], cond.at_work[condition]
        light = np.searchsorted(np.cumsum(_LIGHT_SHARES), rng.random(count)).clip(0, 2)
        tail = np.where(rng.random(count) < 0.09, rng.exponential(3.0, count), rng.exponential(0.35, count))
        share = np.select(
            [light == 0, light == 1],
            [rng.beta(1.7, 1.1, count) * 0.795, rng.uniform(0.805, 0.995, count)],
            1.01 + tail,
        )
        elapsed = np.minimum(length * share, length + 12 * DAY_MS).astype(np.int64)
        waiting = np.where(state >= CHECK, rng.exponential(80, count) * MINUTE_MS, 0).astype(np.int64)
        waiting = np.where(state == CLOSE, waiting + 20 * MINUTE_MS, waiting)
        stopped = np.where(state >= CHECK, self.now - waiting, self.now)
        clocked = state >= TO_HANDLE
        started = np.where(clocked, self._back(stopped, elapsed, at_work), 0)
        started = self._into_idle_time(started, stopped, length, light, clocked & at_work, rng)
        reworked = clocked & (rng.random(count) < self._rework[base.unit] * 1.1)
        failed = np.where(reworked, started, 0)
        first_handled = np.where(reworked, started - self._minutes(rng, 90, count) - 10 * MINUTE_MS, 0)
        dispatched = np.where(
            reworked,
            self._back(first_handled, (length * rng.uniform(0.3, 0.9, count)).astype(np.int64), at_work),
            started,
        )
        age = (rng.gamma(1.1, 26, count) * MINUTE_MS).astype(np.int64) + MINUTE_MS
        reported = np.where(clocked, dispatched - age - 3 * MINUTE_MS, self.now - age)
        gap = np.where(clocked, dispatched - reported, age)
        accepted = reported + (gap * rng.uniform(0.15, 0.4, count)).astype(np.int64)
        filed = accepted + (gap * rng.uniform(0.15, 0.5, count)).astype(np.int64)
        received = started + np.minimum(
            self._minutes(rng, 22, count), ((stopped - started) * 0.6).astype(np.int64)
        )
        due, soon = self.calendar.due_many(
            np.where(clocked, started, self.now), cond.amount[condition], cond.unit[condition]
        )
        checked = np.where(
            state == CLOSE, stopped + (waiting * rng.uniform(0.3, 0.8, count)).astype(np.int64), 0
        )
        return replace(
            base,
            state=state,
            unit=np.where(clocked, base.unit, -1),
            first=np.where(clocked, base.first, -1),
            condition=np.where(state >= DISPATCH, condition, -1),
            reported=reported,
            accepted=np.where(state >= REGISTER, accepted, 0),
            filed=np.where(state >= DISPATCH, filed, 0),
            dispatched=dispatched,
            received=np.where(state >= HANDLING, received, 0),
            first_handled=first_handled,
            failed=failed,
            handled=np.where(state >= CHECK, stopped, 0),
            checked=checked,
            due=np.where(clocked, due, 0),
            soon=np.where(clocked, soon, 0),
            reworks=reworked.astype(np.int64),
            moves=(clocked & (base.first != base.unit)).astype(np.int64),
        )

    def _closed_days(self, days: Ints, per_day: Ints, rng: np.random.Generator) -> Cases:
        day = np.repeat(days, per_day)
        count = len(day)
        month = (day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)) % 12
        matter = self._draw_matters(month, rng)
        base = self._places(matter, draw_conditions(self.mix, matter, rng), rng)
        hour = self._draw_hours(matter, rng)
        reported = day * DAY_MS - ZONE_MS + hour * HOUR_MS + rng.integers(0, HOUR_MS, count)
        ending = np.searchsorted((0.972, 0.995), rng.random(count)) + CLOSED
        plan = _Pace.draw(count, rng)
        for _round in range(12):
            cases = self._run_through(replace(base, reported=reported), ending, plan)
            late = np.flatnonzero(cases.closed > self.now)
            if not late.size:
                break
            # Moved back by whole days, so that the hour of the day stays.
            days_late = (cases.closed[late] - self.now) // DAY_MS + 1 + late % 3
            floor = int(days[0]) * DAY_MS - ZONE_MS
            reported[late] = np.maximum(reported[late] - days_late * DAY_MS, floor + reported[late] % DAY_MS)
        # The few that would still close later than now were never accepted.
        ending = np.where(cases.closed > self.now, REJECTED, ending)
        return self._run_through(replace(base, reported=reported), ending, plan)

    def _run_through(self, base: Cases, ending: Ints, pace: _Pace) -> Cases:
        """Every moment of closed cases from their report, by the habits of their units."""
        cond = self.mix.conditions
        length, at_work = cond.length_ms[base.condition], cond.at_work[base.condition]
        night = np.where(self._hour(base.reported) % 21 < 7, 2.5, 1.0)
        accepted = base.reported + (pace.accept * night * MINUTE_MS).astype(np.int64)
        filed = accepted + (pace.file * MINUTE_MS).astype(np.int64)
        dispatched = filed + (pace.dispatch * MINUTE_MS).astype(np.int64)
        hard = np.where(self.mix.component_class[base.matter], 0.025, 0.0)
        better = 0.02 * (self.now - base.reported) / (HISTORY_DAYS * DAY_MS)
        on_time = np.clip(self._on_time[base.unit] - hard - better, 0.5, 0.999)
        share = np.where(pace.luck < on_time, pace.early * 0.99, 1.02 + pace.late)
        span = (length * share).astype(np.int64)
        handled = self._forward(dispatched, span, at_work)
        # Many a squad works through noon and weekends; what is done by the wall clock is never late by the
        # office's.
        at_once = dispatched + span
        eager = (pace.luck < on_time) & (pace.eager < 0.55) & (self._hour(at_once - 7 * HOUR_MS) < 13)
        handled = np.where(eager, np.minimum(at_once, handled), handled)
        reworked = (pace.fault < self._rework[base.unit]) & (ending == CLOSED)
        first_handled = np.where(reworked, handled, 0)
        failed = np.where(reworked, handled + (pace.check * MINUTE_MS).astype(np.int64), 0)
        started = np.where(reworked, failed, dispatched)
        handled = np.where(
            reworked, self._forward(failed, (length * pace.again).astype(np.int64), at_work), handled
        )
        checked = handled + (pace.check * MINUTE_MS).astype(np.int64)
        closed = checked + (pace.close * MINUTE_MS).astype(np.int64)
        due, soon = self.calendar.due_many(started, cond.amount[base.condition], cond.unit[base.condition])
        good = ending == CLOSED
        ended = np.where(ending == REJECTED, accepted, accepted + (pace.file * MINUTE_MS).astype(np.int64))
        received = started + np.minimum(
            (pace.receive * MINUTE_MS).astype(np.int64), ((handled - started) * 0.6).astype(np.int64)
        )
        return replace(
            base,
            state=ending,
            unit=np.where(good, base.unit, -1),
            first=np.where(good, base.first, -1),
            condition=np.where(good, base.condition, -1),
            accepted=accepted,
            filed=np.where(good, filed, 0),
            dispatched=np.where(good, dispatched, 0),
            received=np.where(good, received, 0),
            first_handled=first_handled,
            failed=failed,
            handled=np.where(good, handled, 0),
            checked=np.where(good, checked, 0),
            closed=np.where(good, closed, ended),
            due=np.where(good, due, 0),
            soon=np.where(good, soon, 0),
            reworks=reworked.astype(np.int64),
            moves=(good & (base.first != base.unit)).astype(np.int64),
        )

    def _places(self, matter: Ints, condition: Ints, rng: np.random.Generator) -> Cases:
        """Where each case is, who it concerns and how it is described; no moments yet."""
        count = len(matter)
        spots = self.city.spots
        spot = self._trouble.draw(self.mix.group[matter], rng)
        component = np.full(count, -1, dtype=np.int64)
        for number in np.unique(matter[self.mix.component_class[matter]]).tolist():
            own = self._components[number]
            chosen = np.flatnonzero(matter == number)
            if own.size and chosen.size:
                # Some things break again and again, and more of them where there is more life.
                first, second = (rng.random((2, len(chosen))) ** 1.7 * len(own)).astype(np.int64)
                nearer = self._far[own[first]] < self._far[own[second]]
                picked = np.where(nearer | (rng.random(len(chosen)) < 0.35), first, second)
                component[chosen] = own[picked]
        x = spots.x[spot] + rng.normal(0, 2.5, count)
        y = spots.y[spot] + rng.normal(0, 2.5, count)
        x, y = snapped(np.column_stack([x, y])).T
        cell = locate_cells(self.city.tree, x, y)
        lost = cell < 0
        x[lost], y[lost], cell[lost] = spots.x[spot[lost]], spots.y[spot[lost]], spots.cell[spot[lost]]
        address = spots.address[spot]
        broken = component >= 0
        if broken.any():
            things = self.furniture
            x[broken], y[broken] = things.x[component[broken]], things.y[component[broken]]
            cell[broken] = things.cell[component[broken]]
            address[broken] = spots.address[self._raster.nearest(x[broken], y[broken])]
        none = np.zeros(count, dtype=np.int64)
        # A stream of its own: who finishes what never shifts what happens.
        keeper, first = self._keepers.draw(matter, cell, np.where(broken, -1, spot), rng.spawn(1)[0])
        return Cases(
            matter, condition, draw_sources(self.mix, matter, rng), none, spot, component, x, y, cell,
            keeper, first, draw_words(self.mix, matter, rng), address,
            none, none, none, none, none, none, none, none, none, none, none, none, none, none,
        )  # fmt: skip

    def _open_kinds(self, state: Ints, rng: np.random.Generator) -> tuple[Ints, Ints]:
        """What is open leans to what takes long (Little's law and more).

        A backlog of eight thousand in a town of seven hundred reports a day can only be made of slow ones.
        """
        cond = self.mix.conditions
        matter_of = np.repeat(np.arange(len(self.mix.matters)), cond.count)
        month = int(np.datetime64(self._day(self.now), "D").astype("datetime64[M]").astype(np.int64) % 12)
        rate = (self.mix.weight * self.mix.season[:, month])[matter_of]
        ordinal = np.arange(len(matter_of)) - cond.at[matter_of]
        rate = rate * 0.6**ordinal
        stay = np.where(cond.at_work, cond.length_ms * 2.2, cond.length_ms) / HOUR_MS + 1.5
        slow = np.cumsum(rate * np.minimum(stay, 100) ** 2.0)
        quick = np.cumsum(rate)
        chance = rng.random(len(state))
        condition = np.where(
            state >= TO_HANDLE,
            np.searchsorted(slow, chance * slow[-1]),
            np.searchsorted(quick, chance * quick[-1]),
        ).clip(0, len(matter_of) - 1)
        return matter_of[condition], condition

    def _draw_matters(self, month: Ints, rng: np.random.Generator) -> Ints:
        matter = np.zeros(len(month), dtype=np.int64)
        chance = rng.random(len(month))
        for number in range(12):
            ends = np.cumsum(self.mix.weight * self.mix.season[:, number])
            chosen = month == number
            matter[chosen] = np.searchsorted(ends, chance[chosen] * ends[-1])
        return matter.clip(0, len(self.mix.matters) - 1)

    def _draw_hours(self, matter: Ints, rng: np.random.Generator) -> Ints:
        chance = rng.random(len(matter))
        hour = np.zeros(len(matter), dtype=np.int64)
        curves, which = np.unique(self.mix.curve, axis=0, return_inverse=True)
        kind = which.reshape(-1)[matter]
        for number, curve in enumerate(curves):
            chosen = kind == number
            hour[chosen] = np.searchsorted(np.cumsum(curve), chance[chosen])
        return hour.clip(0, 23)

    def _day_weights(self, days: Ints, rng: np.random.Generator) -> Floats:
        """More every year, fewer at weekends and on days off, a little noise."""
        grown = np.linspace(0.62, 1.0, len(days))
        weekday = (days + 3) % 7
        rhythm = np.array([1.08, 1.06, 1.03, 1.02, 1.0, 0.82, 0.74])[weekday]
        weight = grown * rhythm * rng.lognormal(0, 0.08, len(days))
        midnight = days * DAY_MS - ZONE_MS
        idle = self.calendar.worked(midnight + DAY_MS) == self.calendar.worked(midnight)
        weight = np.where(idle & (weekday < 5), weight * 0.68, weight)
        # Today is not over.
        gone = self.mix.weight @ np.cumsum(self.mix.curve, axis=1) / self.mix.weight.sum()
        hour = self._hour(np.array([self.now]))[0]
        minutes = ((self.now + ZONE_MS) % HOUR_MS) / HOUR_MS
        before = gone[hour - 1] if hour else 0.0
        weight[-1] *= before + (gone[hour] - before) * minutes
        weights: Floats = weight
        return weights

    def _forward(self, start: Ints, span: Ints, at_work: npt.NDArray[np.bool_]) -> Ints:
        """The moment when ``span`` of the case's own clock has gone."""
        working = self.calendar.at_worked(self.calendar.worked(start) + np.maximum(span, 1))
        return np.where(at_work, working, start + span)

    def _back(self, end: Ints, span: Ints, at_work: npt.NDArray[np.bool_]) -> Ints:
        """The moment from which ``span`` of the case's own clock leads to ``end``."""
        working = self.calendar.at_worked(np.maximum(self.calendar.worked(end) - span, 1))
        return np.where(at_work, working, end - span)

    def _into_idle_time(
        self,
        started: Ints,
        stopped: Ints,
        length: Ints,
        light: Ints,
        may: npt.NDArray[np.bool_],
        rng: np.random.Generator,
    ) -> Ints:
        """Let some begin in evenings and weekends, where the office's clock stands still, if their light
        stays.
        """
        for _round in range(3):
            earlier = started - (rng.random(len(started)) * 2.6 * DAY_MS).astype(np.int64)
            gone = (self.calendar.worked(stopped) - self.calendar.worked(earlier)) / length
            day = (self._hour(earlier) >= 7) & (self._hour(earlier) < 22)
            same = np.where(light == 0, gone < 0.79, (light == 1) & (gone < 0.99))
            started = np.where(may & day & same & (rng.random(len(started)) < 0.6), earlier, started)
        return started

    @staticmethod
    def _minutes(rng: np.random.Generator, mean: float, count: int) -> Ints:
        return (rng.exponential(mean, count) * MINUTE_MS).astype(np.int64)

    @staticmethod
    def _hour(moments: Ints) -> Ints:
        return (moments + ZONE_MS) % DAY_MS // HOUR_MS

    @staticmethod
    def _days(moments: Ints) -> Ints:
        return (moments + ZONE_MS) // DAY_MS

    @staticmethod
    def _day(moment: int) -> int:
        return (moment + ZONE_MS) // DAY_MS


@dataclass(frozen=True)
class _Pace:
    """The chances of each case, drawn once, so that moving a case to another day keeps its story. Minutes
    or shares.
    """

    accept: Floats
    file: Floats
    dispatch: Floats
    receive: Floats
    check: Floats
    close: Floats
    luck: Floats
    early: Floats
    late: Floats
    fault: Floats
    again: Floats
    eager: Floats

    @classmethod
    def draw(cls, count: int, rng: np.random.Generator) -> _Pace:
        return cls(
            accept=1 + rng.exponential(5, count),
            file=1 + rng.exponential(6, count),
            dispatch=1 + rng.exponential(7, count),
            receive=2 + rng.exponential(20, count),
            check=8 + rng.exponential(70, count),
            close=3 + rng.exponential(40, count),
            luck=rng.random(count),
            early=rng.beta(2.1, 2.3, count),
            late=np.where(
                rng.random(count) < 0.06, rng.exponential(2.2, count), rng.exponential(0.35, count)
            ),
            fault=rng.random(count),
            again=rng.beta(2.0, 3.0, count) * 1.08,
            eager=rng.random(count),
        )


class _Raster:
    """Nearest spot by squares: exact enough for an address, and fast for a hundred thousand points."""

    SQUARE = 25.0

    def __init__(self, x: Floats, y: Floats) -> None:
        self._x0, self._y0 = float(x.min()) - 200, float(y.min()) - 200
        self._columns = int((x.max() - self._x0 + 200) / self.SQUARE) + 1
        self._rows = int((y.max() - self._y0 + 200) / self.SQUARE) + 1
        column, row = self._square(x, y)
        grid = np.full((self._rows, self._columns), -1, dtype=np.int64)
        grid[row, column] = np.arange(len(x))
        # Spread into the empty squares around until all are filled.
        while (grid < 0).any():
            before = grid.copy()
            for rolled, axis in ((1, 0), (-1, 0), (1, 1), (-1, 1)):
                near = np.roll(before, rolled, axis)
                grid = np.where(grid < 0, near, grid)
        self._grid = grid

    def nearest(self, x: Floats, y: Floats) -> Ints:
        column, row = self._square(x, y)
        return self._grid[row, column]

    def _square(self, x: Floats, y: Floats) -> tuple[Ints, Ints]:
        column = ((x - self._x0) / self.SQUARE).astype(np.int64).clip(0, self._columns - 1)
        row = ((y - self._y0) / self.SQUARE).astype(np.int64).clip(0, self._rows - 1)
        return column, row
