"""Lets the demo city live: cases move on as commands through the bus, people walk and vehicles drive."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely
from sqlalchemy import select

from db.bootstrap import Core
from db.calendars.rules import DAY_MS
from db.cases.commands.closing import Close, FailCheck, PassCheck
from db.cases.commands.dispatch import Dispatch, Reassign
from db.cases.commands.handling import Handle, Receive
from db.cases.commands.intake import Accept, Register, Reject, Report
from db.cases.tables import case
from db.demo.city import build_city
from db.demo.create import SCALES
from db.demo.desks import Desks
from db.demo.ground import random, to_degrees, to_metres
from db.demo.history import ZONE_MS
from db.demo.matters import SOURCES, STANDARD, Trouble, draw_sources, read_mix
from db.demo.outdoors import Drivers
from db.demo.staff import Competence, read_units
from db.demo.walkers import Walkers
from db.engine import settings
from db.kernel.actor import SYSTEM, Actor
from db.kernel.clock import to_ms
from db.kernel.command import Reach, command
from db.kernel.language import N_
from db.kernel.refusal import Refused, RefusedAll, Unavailable
from db.people.tables import person, unit
from db.people.tracking import Fix, record_people, record_vehicles, vehicles
from db.registers.patrols import at_work
from db.registers.reference import stable_id
from db.registers.tables import area, component

_BUSY_PAUSE = 0.2
_MOST_AT_ONCE = 25
"""When it falls behind its rate, so many cases move in one command."""
EVERY_SECONDS = 1.0
"""How often everybody tells his place: 1 Hz, as the devices of supervisors do at most."""


@command("demo.walk", permission="demo.run", label=N_("Move people and vehicles"), reach=Reach.SERVER)
@dataclass(frozen=True)
class Walk:
    """Newest positions; telemetry, so the journal never sees it."""


@dataclass
class Tally:
    """What the traffic did."""

    changes: int = 0
    by_verb: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    busy: int = 0
    positions: int = 0
    seconds: float = 0.0


# From which state each verb takes cases, and how often it is tried; the way from report to close is one of
# each.
_VERBS: tuple[tuple[str, tuple[str, ...], float], ...] = (
    ("report", (), 1.0),
    ("accept", ("reported",), 1.0),
    ("register", ("pending_register",), 0.97),
    ("reject", ("pending_register",), 0.03),
    ("dispatch", ("pending_dispatch",), 0.97),
    ("reassign", ("pending_handle", "handling"), 0.05),
    ("receive", ("pending_handle",), 1.02),
    ("handle", ("handling",), 1.02),
    ("fail_check", ("pending_check",), 0.05),
    ("pass_check", ("pending_check",), 0.97),
    ("close", ("pending_close",), 0.97),
)
_TO = {
    "report": "reported",
    "accept": "pending_register",
    "register": "pending_dispatch",
    "dispatch": "pending_handle",
    "reassign": "pending_handle",
    "receive": "handling",
    "handle": "pending_check",
    "fail_check": "pending_handle",
    "pass_check": "pending_close",
}
_NOTES = ("已清理干净", "已摆放整齐", "已劝离", "已修复，恢复完好", "已督促整改到位")


class Traffic:
    """A source of commands for one demo database. Keeps the open cases by state, as far as it knows."""

    def __init__(self, core: Core, seed: int = 1) -> None:
        self._core = core
        self._rng = random(seed, "traffic")
        with core.database.read() as connection:
            city_seed = settings.get(connection, "demo.seed")
            scale = settings.get(connection, "demo.scale")
            if city_seed is None or scale not in SCALES:
                raise Refused("not_a_demo", N_("This is not a demo city; traffic is made only there."))
            self._by_state: dict[str, list[int]] = defaultdict(list)
            self._district: dict[int, int] = {}
            self._matter: dict[int, int] = {}
            for row in connection.execute(
                select(case.c.id, case.c.state, case.c.district_id, case.c.category_id)
                .where(case.c.closed_at.is_(None))
                .order_by(case.c.id)
            ):
                self._by_state[row.state].append(row.id)
                self._district[row.id], self._matter[row.id] = row.district_id, row.category_id
            self._unit_id = {row.code: row.id for row in connection.execute(select(unit.c.id, unit.c.code))}
            self._district_code = {
                row.id: row.code
                for row in connection.execute(select(area.c.id, area.c.code).where(area.c.kind == "district"))
            }
            people = connection.execute(
                select(person.c.id, person.c.name, person.c.post, person.c.code).order_by(person.c.code)
            ).all()
            self._components = self._some_components(connection)
            self._vehicles = [each.id for each in vehicles(connection)]
        self._actors: dict[str, list[Actor]] = defaultdict(list)
        for row in people:
            self._actors[row.post].append(Actor(row.id, row.name, frozenset({"*"})))
        self._city = build_city(int(city_seed), SCALES[scale].cells)
        self._mix = read_mix()
        self._trouble = Trouble(self._city)
        self._competence = Competence(read_units())
        self._code_of = {m.category_id: m.code for m in self._mix.matters}
        self._tree = shapely.STRtree(shapely.points(self._city.spots.x, self._city.spots.y))
        self._collectors = self._actors["collector"]
        patrols = np.arange(len(self._collectors)) % len(self._city.partition.patrols)
        self._patrols = patrols
        self._walkers = Walkers(self._city, patrols, random(seed, "walkers"))
        self._desks = Desks(core, random(seed, "desks"))
        self._drivers = Drivers(self._city, len(self._vehicles), random(seed, "drivers"))
        self._target = sum(len(ids) for ids in self._by_state.values())

    def run(
        self,
        rate: float,
        seconds: float | None = None,
        stop: threading.Event | None = None,
        heard: Callable[[Tally], None] = lambda _tally: None,
        every: float = EVERY_SECONDS,
    ) -> Tally:
        """Make ``rate`` changes a second for ``seconds``, or until ``stop`` is set.

        Places are told every ``every`` seconds, and then ``heard`` is called.

        A locked database is waited for, a refused command is counted and its cases looked up anew.
        """
        stop = stop or threading.Event()
        tally = Tally()
        began = time.monotonic()
        walked = began - every
        while not stop.is_set():
            now = time.monotonic()
            tally.seconds = now - began
            if seconds is not None and tally.seconds >= seconds:
                break
            if now - walked >= every:
                self._attempt(lambda s=now - walked: self._walk(s, tally), tally, stop)  # type: ignore[misc]
                self._attempt(lambda: self._desks.sit(tally.seconds, self._by_state), tally, stop)
                walked = now
                heard(tally)
            owed = int(tally.seconds * rate) + 1 - tally.changes
            if owed <= 0:
                wait = (tally.changes / rate) - (time.monotonic() - began)
                stop.wait(min(max(wait, 0.001), max(walked + every - time.monotonic(), 0.001)))
                continue
            at_once = min(max(1, owed // 4), _MOST_AT_ONCE)
            self._attempt(lambda n=at_once: self.change(n, tally), tally, stop)  # type: ignore[misc]
        return tally

    def change(self, at_once: int, tally: Tally) -> None:
        """One command: a report, or the next move of up to ``at_once`` cases."""
        open_now = sum(len(ids) for ids in self._by_state.values())
        weights = np.array(
            [
                self._pressure(open_now) * share
                if verb == "report"
                else share * any(self._by_state[s] for s in states)
                for verb, states, share in _VERBS
            ]
        )
        verb, states, _share = _VERBS[int(self._rng.choice(len(_VERBS), p=weights / weights.sum()))]
        if verb == "report":
            self._report(tally)
            return
        full = [s for s in states if self._by_state[s]]
        state = full[int(self._rng.integers(len(full)))]
        bucket = self._by_state[state]
        first = bucket[int(self._rng.integers(len(bucket)))]
        chosen = [first]
        if verb not in {"dispatch", "reassign"} and at_once > 1:
            picked = self._rng.choice(len(bucket), min(at_once, len(bucket)), replace=False)
            chosen = [bucket[i] for i in picked.tolist()]
        claimed = self._desks.claimed
        free = [case_id for case_id in chosen if case_id not in claimed]
        if free:
            self._move(verb, state, free, tally)

    def _pressure(self, open_now: int) -> float:
        """Reports slow down when there are more open cases than at the start, and come faster when there
        are fewer.
        """
        return float(np.clip(1.0 + 12.0 * (self._target - open_now) / max(self._target, 50), 0.05, 4.0))

    def _report(self, tally: Tally) -> None:
        asked = self._new_report()
        case_id = int(self._core.bus.run(asked, self._someone("acceptor")).result)
        with self._core.database.read() as connection:
            row = connection.execute(select(case.c.district_id).where(case.c.id == case_id)).one()
        self._by_state["reported"].append(case_id)
        self._district[case_id], self._matter[case_id] = row.district_id, asked.category_id
        tally.changes += 1
        tally.by_verb["report"] += 1

    def _new_report(self) -> Report:
        """A matter for this month and hour, at one of its spots."""
        rng, mix = self._rng, self._mix
        local = to_ms(self._core.clock.now()) + ZONE_MS
        hour = int(local % DAY_MS // 3_600_000)
        month = int(str(np.datetime64(local, "ms"))[5:7]) - 1
        rate = mix.weight * mix.season[:, month] * (mix.curve[:, hour] + 0.002)
        matter = np.array([rng.choice(len(rate), p=rate / rate.sum())])
        spots = self._city.spots
        spot = int(self._trouble.draw(mix.group[matter], rng)[0])
        source = SOURCES[int(draw_sources(mix, matter, rng)[0])]
        chosen = mix.matters[int(matter[0])]
        things = self._components.get(chosen.code)
        component_id = None
        if things:
            component_id, lon, lat = things[int(rng.integers(len(things)))]
            spot = int(self._tree.nearest(shapely.Point(to_metres(np.array([[lon, lat]]))[0])))
        else:
            x, y = spots.x[spot] + rng.normal(0, 2.0), spots.y[spot] + rng.normal(0, 2.0)
            lon, lat = to_degrees(np.array([[x, y]]))[0].round(7).tolist()
        collector = None
        if source == "collector" and self._collectors:
            here = np.flatnonzero(self._patrols == self._city.partition.patrol[spots.cell[spot]])
            who = int(here[0]) if here.size else int(rng.integers(len(self._collectors)))
            collector = self._collectors[who].account_id
        words = chosen.words[int(rng.integers(len(chosen.words)))]
        return Report(
            source, chosen.category_id, words, str(spots.address[spot]), lon, lat, component_id, collector
        )

    def _move(self, verb: str, state: str, ids: list[int], tally: Tally) -> None:
        asked, who = self._command(verb, ids)
        try:
            self._core.bus.run(asked, who)
        except Refused as refusal:
            tally.refused += len(refusal.refusals) if isinstance(refusal, RefusedAll) else 1
            self._look_again(ids)
            return
        after = _TO.get(verb)
        moved = set(ids)
        self._by_state[state] = [i for i in self._by_state[state] if i not in moved]
        if after is None:
            self._forget(ids)
        else:
            self._by_state[after].extend(ids)
        tally.changes += len(ids)
        tally.by_verb[verb] += len(ids)

    def _command(self, verb: str, ids: list[int]) -> tuple[Any, Actor]:
        cases = tuple(ids)
        if verb in {"dispatch", "reassign"}:
            code = self._code_of.get(self._matter[ids[0]], "09006")
            home = self._competence.unit_of(code, self._district_code.get(self._district[ids[0]], ""))
            if verb == "dispatch":
                return Dispatch(cases, self._unit_id[home]), self._someone("dispatcher")
            others = sorted(c for c in self._unit_id if c not in {"0", home})
            other = others[int(self._rng.integers(len(others)))]
            return Reassign(cases, self._unit_id[other], "不属于该单位职责，改派"), self._someone(
                "dispatcher"
            )
        note = _NOTES[int(self._rng.integers(len(_NOTES)))]
        simple: dict[str, tuple[Any, str]] = {
            "accept": (Accept(cases), "acceptor"),
            "register": (Register(cases), "duty_leader"),
            "reject": (Reject(cases, "不属于城市管理职责范围"), "duty_leader"),
            "receive": (Receive(cases), "handler"),
            "handle": (Handle(cases, note), "handler"),
            "fail_check": (FailCheck(cases, "现场仍未整改到位"), "acceptor"),
            "pass_check": (PassCheck(cases), "acceptor"),
            "close": (Close(cases), "duty_leader"),
        }
        asked, post = simple[verb]
        return asked, self._someone(post)

    def _someone(self, post: str) -> Actor:
        people = self._actors.get(post)
        return people[int(self._rng.integers(len(people)))] if people else SYSTEM

    def _look_again(self, ids: list[int]) -> None:
        """Somebody else moved these cases: believe the database."""
        with self._core.database.read() as connection:
            rows = connection.execute(
                select(case.c.id, case.c.state, case.c.closed_at).where(case.c.id.in_(ids))
            ).all()
        gone = set(ids)
        for bucket in self._by_state.values():
            bucket[:] = [i for i in bucket if i not in gone]
        for row in rows:
            if row.closed_at is None:
                self._by_state[row.state].append(row.id)
                gone.discard(row.id)
        self._forget(list(gone))

    def _forget(self, ids: list[int]) -> None:
        for i in ids:
            self._district.pop(i, None)
            self._matter.pop(i, None)

    def _walk(self, seconds: float, tally: Tally) -> None:
        if not self._collectors and not self._vehicles:
            return
        self._walkers.walk(seconds)
        self._drivers.drive(seconds)
        now = self._core.clock.now()
        people = [
            Fix(who.account_id, now, lon, lat)
            for who, (lon, lat) in zip(self._collectors, self._walkers.places().tolist(), strict=True)
        ]
        driven = [
            Fix(vehicle_id, now, lon, lat)
            for vehicle_id, (lon, lat) in zip(self._vehicles, self._drivers.places().tolist(), strict=True)
        ]
        with self._core.database.write(SYSTEM, Walk()) as batch:
            tally.positions += record_people(batch, people, at_work(batch.connection))
            tally.positions += record_vehicles(batch, driven)

    def _attempt(self, work: Callable[[], None], tally: Tally, stop: threading.Event) -> None:
        try:
            work()
        except Unavailable:
            tally.busy += 1
            stop.wait(_BUSY_PAUSE)

    @staticmethod
    def _some_components(connection: Any) -> dict[str, list[tuple[int, float, float]]]:
        """A few hundred components of each class that the mix knows."""
        found: dict[str, list[tuple[int, float, float]]] = {}
        for matter in read_mix().matters:
            if matter.code[:2] <= "05":
                category = stable_id("category", f"{STANDARD}|component|{matter.code}")
                rows = connection.execute(
                    select(component.c.id, component.c.lon, component.c.lat)
                    .where(component.c.category_id == category)
                    .order_by(component.c.id)
                    .limit(400)
                )
                found[matter.code] = [(row.id, row.lon, row.lat) for row in rows]
        return found
