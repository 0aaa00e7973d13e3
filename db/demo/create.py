"""Makes the demo database: reference data, the city, its staff, components and cases, all from one seed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from sqlalchemy import func, make_url, select

from db.bootstrap import Core, open_core
from db.calendars.queries import load_calendar
from db.calendars.rules import DAY_MS, HOUR_MS
from db.calendars.tables import calendar_year
from db.cases.tables import case, reporter, step, tag
from db.demo.city import City, build_city, wkb
from db.demo.duties import draw_duties
from db.demo.furniture import STATES as COMPONENT_STATES
from db.demo.furniture import Furniture, furnish
from db.demo.ground import random, read_words, to_degrees
from db.demo.history import (
    CLOSED,
    STATES,
    STEP_DAYS,
    ZONE_MS,
    Author,
    Cases,
    joined,
)
from db.demo.matters import SOURCES, STANDARD, Mix, read_mix
from db.demo.numbering import Counter, ids_at
from db.demo.outdoors import FLEET, Drivers, fleet, hour_rules, visits_plan, watched
from db.demo.partition import Ints
from db.demo.staff import (
    ACCOUNTS,
    PASSWORD,
    Competence,
    DemoPerson,
    DemoUnit,
    read_units,
    recruit,
)
from db.demo.steps import Desk, write_steps
from db.demo.walkers import Walkers
from db.duties.tables import duty
from db.engine import settings
from db.engine.unit_of_work import UnitOfWork
from db.kernel.actor import SYSTEM
from db.kernel.clock import Clock, SetClock, SystemClock, to_ms
from db.kernel.command import Reach, command
from db.kernel.language import N_
from db.kernel.refusal import Refused
from db.people.commands import CreateAccount, SetScope
from db.people.tables import person, position, track, unit, vehicle, vehicle_position
from db.registers.patrols import SHIFTS
from db.registers.reference import stable_id
from db.registers.tables import area, component, place, road, sensitive, time_rule, water

RULES_FROM = "2026-01-01"
TRACK_MS = 30_000
Progress = Callable[[int, int, str], bool]
"""Hears how many rows of how many are written, and of what; answers False to stop."""


@dataclass(frozen=True)
class Scale:
    """How big a demo city is."""

    cells: int
    components: int
    closed: int
    open: int
    collectors: int


SCALES = {
    "tiny": Scale(200, 400, 1_500, 120, 12),
    "small": Scale(3600, 5_000, 20_000, 800, 60),
    "city": Scale(3600, 230_000, 400_000, 8_000, 200),
    "large": Scale(3600, 1_000_000, 5_000_000, 100_000, 200),
}
"""``tiny`` is for tests; the command line offers the others."""


@command("demo.load", permission="demo.run", label=N_("Load the demo city"), reach=Reach.SERVER)
@dataclass(frozen=True)
class LoadDemo:
    """One batch of the invented city."""

    part: str
    scale: str
    seed: int


@dataclass(frozen=True)
class Made:
    """What was written: rows by table."""

    rows: dict[str, int]


def create_demo(
    url: str,
    *,
    scale: str = "city",
    seed: int = 1,
    as_of: datetime | None = None,
    progress: Progress = lambda _done, _total, _label: True,
    accounts: bool = True,
) -> Made:
    """Make a new demo database at ``url``; the same seed and moment make the same rows.

    A local file is written under another name and takes its own when it is whole; a server gets everything in
    one transaction. Raises ``Refused("exists")`` rather than write over anything, ``Refused("cancelled")``
    when
    ``progress`` said so; both leave nothing behind.
    """
    clock: Clock = SystemClock() if as_of is None else SetClock(as_of)
    size = SCALES.get(scale)
    if size is None:
        raise Refused(
            "unknown_scale",
            N_("There is no scale “{scale}”; choose small, city or large."),
            scale=scale,
        )
    address = make_url(url)
    if address.get_backend_name() != "sqlite" or not address.database:
        core = open_core(url, create=True, clock=clock)
        try:
            _demand_empty(core)
            return _fill(core, scale, size, seed, progress, accounts, one_transaction=True)
        finally:
            core.close()
    path = Path(address.database)
    if path.exists():
        raise Refused(
            "exists",
            N_("{path} is there already; the demo city never overwrites. Choose another name."),
            path=str(path),
        )
    partial = path.with_name(path.name + ".part")
    _remove(partial)
    try:
        core = open_core(f"sqlite:///{partial}", create=True, clock=clock)
        try:
            made = _fill(core, scale, size, seed, progress, accounts, one_transaction=False)
        finally:
            core.close()
        partial.replace(path)
    finally:
        _remove(partial)
    return made


def _remove(path: Path) -> None:
    for ending in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + ending).unlink(missing_ok=True)


def _demand_empty(core: Core) -> None:
    with core.database.read() as connection:
        for table in (case, area, unit):
            if connection.execute(select(func.count()).select_from(table)).scalar():
                raise Refused(
                    "not_empty",
                    N_("{url} holds data already; the demo city needs an empty database."),
                    url=core.database.url,
                )


class _Writer:
    """Batches of rows with their own transactions, or all in one; counts, reports and stops when asked."""

    def __init__(self, core: Core, scale: str, seed: int, total: int, progress: Progress) -> None:
        self.core = core
        self.rows: dict[str, int] = {}
        self._scale, self._seed = scale, seed
        self._total, self._done = total, 0
        self._progress = progress
        self._whole: UnitOfWork | None = None

    @contextmanager
    def one_transaction(self) -> Iterator[None]:
        with self.core.database.write(SYSTEM, LoadDemo("all", self._scale, self._seed)) as whole:
            self._whole = whole
            yield
        self._whole = None

    @contextmanager
    def batch(self, part: str) -> Iterator[UnitOfWork]:
        if self._whole is not None:
            yield self._whole
            return
        with self.core.database.write(SYSTEM, LoadDemo(part, self._scale, self._seed)) as batch:
            yield batch

    def load(
        self,
        batch: UnitOfWork,
        table: Any,
        columns: tuple[str, ...],
        rows: Iterable[tuple[Any, ...]],
        label: str,
    ) -> None:
        batch.load(table, columns, self._counted(rows, table.name, label))

    def _counted(self, rows: Iterable[tuple[Any, ...]], name: str, label: str) -> Iterator[tuple[Any, ...]]:
        self.tell(label, 0)
        pending = 0
        for row in rows:
            yield row
            pending += 1
            if pending == 4000:
                self._count(name, pending, label)
                pending = 0
        self._count(name, pending, label)

    def _count(self, name: str, many: int, label: str) -> None:
        self.rows[name] = self.rows.get(name, 0) + many
        self.tell(label, many)

    def tell(self, label: str, many: int) -> None:
        self._done += many
        if not self._progress(min(self._done, self._total), self._total, label):
            raise Refused("cancelled", N_("Stopped; nothing was left behind."))


def _fill(
    core: Core,
    scale: str,
    size: Scale,
    seed: int,
    progress: Progress,
    accounts: bool,
    *,
    one_transaction: bool,
) -> Made:
    now_ms = to_ms(core.clock.now())
    total = round(12_000 + size.components + 1.06 * size.closed + 5 * size.open)
    writer = _Writer(core, scale, seed, total, progress)
    writer.tell(N_("Drawing the city"), 0)
    city = build_city(seed, size.cells)
    things = furnish(city, size.components)
    units, mix = read_units(), read_mix()
    people = recruit(city, units, size.collectors)
    scope: AbstractContextManager[Any] = writer.one_transaction() if one_transaction else ExitStack()
    with scope:
        book = _Registers(city, things, units, people, Counter())
        with writer.batch("registers") as batch:
            _known_years(batch, now_ms)
            calendar = load_calendar(batch.connection)
            book.write(writer, batch)
            book.write_duties(writer, batch)
            book.write_outdoors(writer, batch)
            _put_settings(batch, city, scale, seed)
        with writer.batch("components") as batch:
            book.write_components(writer, batch)
        author = Author(city, things, units, mix, calendar, now_ms)
        opened = author.open(size.open)
        pen = _CasePen(writer, book, mix, seed, now_ms)
        waiting = opened.take(np.argsort(opened.reported, kind="stable"))
        for number, closed in enumerate(author.closed(size.closed, opened)):
            newest = int(closed.reported.max()) if len(closed) else 0
            # Open cases of the same days go with the closed ones, so that numbers run in the order of
            # reports.
            last_day_ends = ((newest + ZONE_MS) // DAY_MS + 1) * DAY_MS - ZONE_MS
            split = int(np.searchsorted(waiting.reported, last_day_ends))
            with writer.batch(f"cases {number + 1}") as batch:
                pen.write(batch, joined([closed, waiting.take(slice(0, split))]), number)
            waiting = waiting.take(slice(split, None))
        if len(waiting):
            with writer.batch("cases, newest") as batch:
                pen.write(batch, waiting, 1_000_000)
        with writer.batch("positions") as batch:
            book.write_positions(writer, batch, now_ms)
    if accounts:
        writer.tell(N_("Making accounts"), 0)
        book.make_accounts(core)
    return Made({name: count for name, count in writer.rows.items() if count})


def _known_years(batch: UnitOfWork, now_ms: int) -> None:
    """When the shipped holidays run out the demo goes on with plain weekdays, and says so in the source."""
    last = int(batch.connection.execute(select(func.max(calendar_year.c.year))).scalar() or 0)
    needed = int(str(np.datetime64(now_ms + 45 * DAY_MS, "ms"))[:4])
    batch.insert(
        calendar_year,
        [
            {
                "id": stable_id("calendar_year", f"demo {year}"),
                "year": year,
                "source": "demo: Monday to Friday, holidays not yet published",
            }
            for year in range(last + 1, needed + 1)
        ],
    )


def _put_settings(batch: UnitOfWork, city: City, scale: str, seed: int) -> None:
    west, south, east, north = shapely.transform(city.partition.urban, to_degrees).bounds
    for key, value in (
        ("city.name", "滕州市"),
        ("city.name_en", "Tengzhou"),
        ("city.zone", "Asia/Shanghai"),
        ("city.bounds", [round(west, 5), round(south, 5), round(east, 5), round(north, 5)]),
        ("city.standard", STANDARD),
        ("demo.seed", seed),
        ("demo.scale", scale),
        # Three shifts, so that somebody is out at whatever hour the demo is shown.
        (SHIFTS, [["06:00", "14:00"], ["14:00", "22:00"], ["22:00", "06:00"]]),
    ):
        settings.put(batch, key, value)


class _Registers:
    """The rows of areas, streets, units, people and components, with the ids that the cases will point to."""

    def __init__(
        self,
        city: City,
        things: Furniture,
        units: list[DemoUnit],
        people: list[DemoPerson],
        counter: Counter,
    ) -> None:
        part = city.partition
        self.city, self.things, self.units, self.people = city, things, units, people
        self.unit_ids = np.array(counter.take(len(units)), dtype=np.int64)
        self.person_ids = np.array(counter.take(len(people)), dtype=np.int64)
        self.city_id = counter.take(1)[0]
        self.district_ids = np.array(counter.take(len(city.towns)), dtype=np.int64)
        self.community_ids = np.array(counter.take(len(part.communities)), dtype=np.int64)
        self.patrol_ids = np.array(counter.take(len(part.patrols)), dtype=np.int64)
        self.cell_ids = np.array(counter.take(len(part.cells)), dtype=np.int64)
        self.component_ids = np.array(counter.take(len(things.x)), dtype=np.int64)
        self.vehicle_ids = np.array(counter.take(FLEET), dtype=np.int64)
        self.unit_index = {u.code: i for i, u in enumerate(units)}
        self._counter = counter
        self._competence = Competence(units)

    def desk(self) -> Desk:
        """Who acts on cases."""

        def post(name: str) -> Ints:
            return np.array([i for i, p in enumerate(self.people) if p.post == name], dtype=np.int64)

        collectors = post("collector")
        walks = np.array([self.people[i].patrol for i in collectors])
        patrols = np.arange(len(self.city.partition.patrols))
        # Fewer collectors than patrol areas: the neighbour by number helps out.
        nearest = (
            np.searchsorted(walks, np.minimum(patrols, walks.max()), side="left") if len(walks) else patrols
        )
        order = np.argsort(walks, kind="stable")
        handlers = [
            [i for i, p in enumerate(self.people) if p.unit == u.code and p.post == "handler"] or [0] * 6
            for u in self.units
        ]
        return Desk(
            post("acceptor"),
            post("duty_leader"),
            post("dispatcher"),
            collectors[order[nearest.clip(0, len(order) - 1)]],
            np.array(handlers, dtype=np.int64),
        )

    def write(self, writer: _Writer, batch: UnitOfWork) -> None:
        """Units, people, areas, streets, waters and places."""
        label = N_("Writing the registers")
        unit_id = {u.code: int(i) for u, i in zip(self.units, self.unit_ids, strict=True)}
        writer.load(
            batch,
            unit,
            ("id", "code", "name", "name_en", "kind", "parent_id"),
            [(unit_id[u.code], u.code, u.name, u.name_en, u.kind, unit_id.get(u.parent)) for u in self.units],
            label,
        )
        writer.load(
            batch,
            person,
            ("id", "code", "name", "unit_id", "post"),
            [
                (int(i), p.code, p.name, unit_id[p.unit], p.post)
                for i, p in zip(self.person_ids, self.people, strict=True)
            ],
            label,
        )
        writer.load(
            batch,
            area,
            (
                "id", "kind", "code", "name", "name_en", "parent_id", "patrol_id",
                "outline", "lon", "lat", "square_metres", "unit_id", "visits_per_day",
            ),
            self._areas(unit_id),
            label,
        )  # fmt: skip
        streets = [*self.city.country, *self.city.streets]
        writer.load(
            batch,
            road,
            ("id", "name", "name_en", "grade", "line"),
            zip(
                self._counter.take(len(streets)),
                [s.name for s in streets],
                [s.name_en for s in streets],
                [s.grade for s in streets],
                wkb(np.array([s.line for s in streets], dtype=object)),
                strict=True,
            ),
            label,
        )
        waters = self.city.waters
        writer.load(
            batch,
            water,
            ("id", "kind", "name", "name_en", "outline"),
            zip(
                self._counter.take(len(waters)),
                [w.kind for w in waters],
                [w.name for w in waters],
                [w.name_en for w in waters],
                wkb(np.array([w.outline for w in waters], dtype=object)),
                strict=True,
            ),
            label,
        )
        places = self.city.places
        at = to_degrees(np.array([(p.x, p.y) for p in places])).round(6).tolist()
        writer.load(
            batch,
            place,
            ("id", "kind", "name", "name_en", "lon", "lat"),
            [
                (i, p.kind, p.name, p.name_en, lon, lat)
                for i, p, (lon, lat) in zip(self._counter.take(len(places)), places, at, strict=True)
            ],
            label,
        )

    def _areas(self, unit_id: dict[str, int]) -> Iterator[tuple[Any, ...]]:
        part, towns = self.city.partition, self.city.towns
        words = read_words()["community"]
        local = {u.district: unit_id[u.code] for u in self.units if u.kind == "district"}

        def facts(shapes: Any) -> list[tuple[bytes, float, float, float]]:
            middle = to_degrees(shapely.get_coordinates(shapely.point_on_surface(shapes))).round(6).tolist()
            size = shapely.area(shapes).round(1).tolist()
            return [(w, lon, lat, m2) for w, (lon, lat), m2 in zip(wkb(shapes), middle, size, strict=True)]

        (whole,) = facts(np.array([self.city.outline], dtype=object))
        yield (self.city_id, "city", "370481", "滕州市", "Tengzhou", None, None, *whole, None, None)
        for i, (town, shape) in enumerate(zip(towns, facts(part.districts), strict=True)):
            yield (
                int(self.district_ids[i]), "district", town.code, town.name, town.name_en,
                self.city_id, None, *shape, local.get(town.code), None,
            )  # fmt: skip
        codes = _numbered([towns[d].code for d in part.district])
        names: list[tuple[str, str]] = []
        for i, shape in enumerate(facts(part.communities)):
            again = i // len(words)
            name, english = words[i % len(words)]
            names.append(
                (
                    f"{name}{'二三四五'[again - 1] if again else ''}社区",
                    f"{english} Community{f' {again + 1}' if again else ''}",
                )
            )
            district = int(part.district[i])
            yield (
                int(self.community_ids[i]), "community", codes[i], *names[-1],
                int(self.district_ids[district]), None, *shape, local.get(towns[district].code), None,
            )  # fmt: skip
        seen: dict[int, int] = {}
        for i, shape in enumerate(facts(part.patrols)):
            community = int(part.patrol_community[i])
            number = seen[community] = seen.get(community, 0) + 1
            zh, english = names[community]
            yield (
                int(self.patrol_ids[i]), "patrol", f"{codes[community]}-{number:02d}",
                f"{zh}{number}号责任网格",
                f"{english}, patrol area {number}", int(self.community_ids[community]), None, *shape, None,
                None,
            )  # fmt: skip
        plan = visits_plan(self.city).tolist()
        cell_codes = _numbered([codes[c] for c in part.community])
        for i, shape in enumerate(facts(part.cells)):
            yield (
                int(self.cell_ids[i]), "cell", cell_codes[i], cell_codes[i], "",
                int(self.community_ids[part.community[i]]), int(self.patrol_ids[part.patrol[i]]), *shape,
                None, plan[i],
            )  # fmt: skip

    def write_duties(self, writer: _Writer, batch: UnitOfWork) -> None:
        """Who is responsible for what and where."""
        area_ids = {
            "city": np.array([self.city_id], dtype=np.int64),
            "district": self.district_ids,
            "community": self.community_ids,
            "patrol": self.patrol_ids,
        }
        persons = {p.code: int(i) for p, i in zip(self.people, self.person_ids, strict=True)}
        drawn = list(draw_duties(self.city, self.units, self.people))
        writer.load(
            batch,
            duty,
            ("id", "kind", "prefix", "area_id", "unit_id", "person_id", "valid_from", "valid_to", "note"),
            [
                (
                    row_id,
                    each.kind,
                    each.prefix,
                    int(area_ids[each.level][each.area]),
                    int(self.unit_ids[self.unit_index[each.unit]]),
                    persons.get(each.person),
                    each.valid_from,
                    each.valid_to,
                    "",
                )
                for row_id, each in zip(self._counter.take(len(drawn)), drawn, strict=True)
            ],
            N_("Writing the duties"),
        )

    def write_components(self, writer: _Writer, batch: UnitOfWork) -> None:
        """Components with 17-digit codes: county, class, number (DOMAIN 1.3)."""
        things, part = self.things, self.city.partition
        at = to_degrees(np.column_stack([things.x, things.y])).round(7)
        kinds, kind_of = np.unique(things.code, return_inverse=True)
        category = np.array(
            [stable_id("category", f"{STANDARD}|component|{k}") for k in kinds], dtype=np.int64
        )
        district = part.district[part.community[things.cell]]
        keeper = np.array(
            [
                [self.unit_index[self._competence.unit_of(str(k), t.code)] for t in self.city.towns]
                for k in kinds
            ]
        )
        codes = [
            f"370481{c}{n:06d}" for c, n in zip(things.code.tolist(), things.serial.tolist(), strict=True)
        ]
        states = np.array(COMPONENT_STATES, dtype=object)
        writer.load(
            batch,
            component,
            ("id", "code", "category_id", "state", "cell_id", "unit_id", "lon", "lat", "placed_on"),
            zip(
                self.component_ids.tolist(),
                codes,
                category[kind_of].tolist(),
                states[things.state].tolist(),
                self.cell_ids[things.cell].tolist(),
                self.unit_ids[keeper[kind_of, district]].tolist(),
                at[:, 0].tolist(),
                at[:, 1].tolist(),
                things.placed_on.tolist(),
                strict=True,
            ),
            N_("Writing the components"),
        )

    def write_outdoors(self, writer: _Writer, batch: UnitOfWork) -> None:
        """Sensitive places, hours of markets and streets, and the fleet."""
        label = N_("Writing the registers")
        places = watched(self.city)
        writer.load(
            batch,
            sensitive,
            ("id", "kind", "name", "name_en", "lon", "lat", "radius", "visits_per_day"),
            [
                (i, p.kind, p.name, p.name_en, p.lon, p.lat, p.radius, p.visits_per_day)
                for i, p in zip(self._counter.take(len(places)), places, strict=True)
            ],
            label,
        )
        rules = hour_rules(self.city)
        writer.load(
            batch,
            time_rule,
            (
                "id", "name", "name_en", "prefix", "outline", "weekdays", "from_minute", "to_minute",
                "allowed", "valid_from",
            ),
            [
                (
                    i, r.name, r.name_en, r.prefix, shape, r.weekdays, r.from_minute, r.to_minute,
                    int(r.allowed), RULES_FROM,
                )
                for i, r, shape in zip(
                    self._counter.take(len(rules)),
                    rules,
                    wkb(np.array([r.outline for r in rules], dtype=object)),
                    strict=True,
                )
            ],
            label,
        )  # fmt: skip
        vehicles = fleet(self.units)
        writer.load(
            batch,
            vehicle,
            ("id", "code", "name", "kind", "unit_id"),
            [
                (int(i), plate, name, kind, int(self.unit_ids[self.unit_index[owner]]))
                for i, (plate, name, kind, owner) in zip(self.vehicle_ids, vehicles, strict=True)
            ],
            label,
        )

    def write_positions(self, writer: _Writer, batch: UnitOfWork, now_ms: int) -> None:
        """Where the collectors were since the morning and are now: most are out by day, few at night."""
        rng = random(self.city.seed, "positions")
        local = (now_ms + ZONE_MS) % DAY_MS
        out = 0.92 if 7 * HOUR_MS <= local < 19 * HOUR_MS else 0.15
        who = [i for i, someone in enumerate(self.people) if someone.post == "collector"]
        who = [i for i in who if rng.random() < out]
        moment = np.datetime64(now_ms, "ms").astype(datetime).replace(tzinfo=batch.now.tzinfo)
        if who:
            walkers = Walkers(self.city, np.array([self.people[i].patrol for i in who]), rng)
            ids = [int(self.person_ids[i]) for i in who]
            # From seven in the morning, at night for the last two hours; a point each half minute.
            begins = now_ms - min(max(local - 7 * HOUR_MS, 2 * HOUR_MS), 12 * HOUR_MS)
            moments = range(begins - begins % TRACK_MS + TRACK_MS, now_ms, TRACK_MS)
            writer.load(
                batch,
                track,
                ("person_id", "at", "lon", "lat"),
                _walked(walkers, ids, moments),
                N_("Writing the tracks"),
            )
            batch.telemetry(
                position,
                [
                    {"person_id": i, "at": moment, "lon": lon, "lat": lat}
                    for i, (lon, lat) in zip(ids, walkers.places().tolist(), strict=True)
                ],
            )
        drivers = Drivers(self.city, len(self.vehicle_ids), rng)
        batch.telemetry(
            vehicle_position,
            [
                {"vehicle_id": int(i), "at": moment, "lon": lon, "lat": lat}
                for i, (lon, lat) in zip(self.vehicle_ids, drivers.places().tolist(), strict=True)
            ],
        )

    def make_accounts(self, core: Core) -> None:
        """The documented demo accounts, each for a person of its own, with what it is bound to."""
        taken: set[int] = set()
        for wanted in ACCOUNTS:
            someone = next(
                i
                for i, p in enumerate(self.people)
                if (p.post, p.unit) == (wanted.post, wanted.unit) and i not in taken
            )
            taken.add(someone)
            person_id = int(self.person_ids[someone])
            made = core.bus.run(CreateAccount(wanted.login, person_id, PASSWORD, wanted.roles), SYSTEM)
            if wanted.district or wanted.prefixes:
                with core.database.read() as connection:
                    districts = select(area.c.id).where(
                        area.c.kind == "district", area.c.code == wanted.district
                    )
                    areas = tuple(connection.execute(districts).scalars())
                core.bus.run(SetScope(int(made.result), areas, prefixes=wanted.prefixes), SYSTEM)


def _walked(walkers: Walkers, ids: list[int], moments: range) -> Iterator[tuple[int, int, float, float]]:
    """Rows of tracks: everybody goes on from moment to moment."""
    for moment in moments:
        walkers.walk(moments.step / 1000)
        for i, (lon, lat) in zip(ids, walkers.places().tolist(), strict=True):
            yield i, moment, lon, lat


def _numbered(prefixes: list[str]) -> list[str]:
    """Each code with its own three-digit number."""
    seen: dict[str, int] = {}
    codes = []
    for prefix in prefixes:
        number = seen[prefix] = seen.get(prefix, 0) + 1
        codes.append(f"{prefix}{number:03d}")
    return codes


_CASE_COLUMNS = (
    "id", "number", "state", "source", "category_id", "condition_id", "description", "address", "lon", "lat",
    "district_id", "community_id", "patrol_id", "cell_id", "component_id", "unit_id", "reporter_person_id",
    "reported_at", "filed_at", "dispatched_at", "handled_at", "closed_at", "limit_amount", "limit_unit",
    "due_at", "soon_at", "reworks", "moves", "holder_id", "priority",
)  # fmt: skip
_SLICE = 20_000
_HELD = 0.6
"""So many of the cases in a unit's hands are in one person's, the others in its leader's."""
_PRIORITIES = (0.88, 0.09, 0.03)
"""The shares of ordinary, important and urgent cases among the open ones."""
_TAGS = (("创城迎检", 0.03), ("防汛", 0.015), ("重复投诉", 0.01), ("领导关注", 0.004))
"""Words on open cases, and on what share of them."""


class _CasePen:
    """Turns arrays of cases into rows, slice by slice."""

    def __init__(self, writer: _Writer, book: _Registers, mix: Mix, seed: int, now_ms: int) -> None:
        self._writer, self._book, self._mix, self._seed, self._now = writer, book, mix, seed, now_ms
        self._desk = book.desk()
        # Steps of one millisecond may fall into several batches; a running number tells them apart.
        self._step_ids = Counter(now_ms - 2 * STEP_DAYS * DAY_MS)
        self._tag_ids = Counter(now_ms - 2 * STEP_DAYS * DAY_MS)

    def write(self, batch: UnitOfWork, cases: Cases, number: int) -> None:
        """Cases in the order of their reports, then steps of the open and the newest, then reporters."""
        cases = cases.take(np.lexsort([cases.spot, cases.reported]))
        ids = ids_at(cases.reported)
        part = self._book.city.partition
        patrol = part.patrol[cases.cell]
        writer = self._writer
        marks = random(self._seed, f"marks {number}")
        rows = self._rows(cases, ids, patrol, marks)
        writer.load(batch, case, _CASE_COLUMNS, rows, N_("Writing the cases"))
        self._write_tags(batch, cases, ids, marks)
        told = np.flatnonzero((cases.state < CLOSED) | (cases.closed > self._now - STEP_DAYS * DAY_MS))
        if not told.size:
            return
        rng = random(self._seed, f"steps {number}")
        steps = write_steps(cases.take(told), patrol[told], self._mix, self._desk, rng)
        people = self._book.people
        names = np.array([p.name for p in people], dtype=object)
        writer.load(
            batch,
            step,
            (
                "id", "case_id", "at", "verb", "from_state", "to_state",
                "actor_id", "actor_name", "unit_id", "note",
            ),
            zip(
                self._step_ids.take(len(steps.at)),
                ids[told][steps.case].tolist(),
                steps.at.tolist(),
                steps.verb.tolist(),
                steps.from_state.tolist(),
                steps.to_state.tolist(),
                self._book.person_ids[steps.person].tolist(),
                names[steps.person].tolist(),
                _or_none(self._book.unit_ids, steps.unit),
                steps.note.tolist(),
                strict=True,
            ),
            N_("Writing the steps"),
        )  # fmt: skip
        self._write_reporters(batch, cases, ids, rng)

    def _rows(
        self, cases: Cases, ids: Ints, patrol: Ints, marks: np.random.Generator
    ) -> Iterator[tuple[Any, ...]]:
        book, mix = self._book, self._mix
        part = book.city.partition
        cond = mix.conditions
        at = to_degrees(np.column_stack([cases.x, cases.y])).round(7)
        numbers = _numbers(cases.reported)
        collector = np.where(
            cases.source == SOURCES.index("collector"), self._desk.collector_of_patrol[patrol], -1
        )
        sources, states = np.array(SOURCES, dtype=object), np.array(STATES, dtype=object)
        holder, priority = self._holders(cases, marks), self._priorities(cases, marks)
        for begin in range(0, len(cases), _SLICE):
            s = slice(begin, begin + _SLICE)
            c = cases.take(s)
            community = part.community[c.cell]
            yield from zip(
                ids[s].tolist(),
                numbers[s],
                states[c.state].tolist(),
                sources[c.source].tolist(),
                mix.category_id[c.matter].tolist(),
                _or_none(cond.id, c.condition),
                c.words.tolist(),
                c.address.tolist(),
                at[s, 0].tolist(),
                at[s, 1].tolist(),
                book.district_ids[part.district[community]].tolist(),
                book.community_ids[community].tolist(),
                book.patrol_ids[patrol[s]].tolist(),
                book.cell_ids[c.cell].tolist(),
                _or_none(book.component_ids, c.component),
                _or_none(book.unit_ids, c.unit),
                _or_none(book.person_ids, collector[s]),
                c.reported.tolist(),
                _moments(c.filed),
                _moments(c.dispatched),
                _moments(c.handled),
                _moments(c.closed),
                _or_none(cond.amount, c.condition),
                _or_none(cond.unit, c.condition),
                _moments(c.due),
                _moments(c.soon),
                c.reworks.tolist(),
                c.moves.tolist(),
                _or_none(book.person_ids, holder[s]),
                priority[s].tolist(),
                strict=True,
            )

    def _holders(self, cases: Cases, rng: np.random.Generator) -> Ints:
        """The person of its unit who has an open case, as an index into the people; -1 = none."""
        people, units = self._book.people, self._book.units
        handlers = self._desk.handler_of_unit
        # A unit without handlers of its own has somebody else's in the list.
        own = np.array([people[row[0]].unit == u.code for row, u in zip(handlers, units, strict=True)])
        held = (cases.state < CLOSED) & (cases.unit >= 0) & own[cases.unit.clip(0)]
        held &= rng.random(len(cases)) < _HELD
        chosen = handlers[cases.unit.clip(0), rng.integers(0, handlers.shape[1], len(cases))]
        return np.where(held, chosen, -1)

    def _priorities(self, cases: Cases, rng: np.random.Generator) -> Ints:
        drawn = rng.choice(len(_PRIORITIES), len(cases), p=_PRIORITIES)
        return np.where(cases.state < CLOSED, drawn, 0)

    def _write_tags(self, batch: UnitOfWork, cases: Cases, ids: Ints, rng: np.random.Generator) -> None:
        rows: list[tuple[int, str]] = []
        for word, share in _TAGS:
            tagged = (cases.state < CLOSED) & (rng.random(len(cases)) < share)
            rows += [(case_id, word) for case_id in ids[tagged].tolist()]
        if rows:
            numbered = zip(self._tag_ids.take(len(rows)), rows, strict=True)
            marked = [(new_id, case_id, word) for new_id, (case_id, word) in numbered]
            self._writer.load(batch, tag, ("id", "case_id", "word"), marked, N_("Writing the tags"))

    def _write_reporters(self, batch: UnitOfWork, cases: Cases, ids: Ints, rng: np.random.Generator) -> None:
        """Invented names, numbers that no operator has; for open cases of hotline and app only."""
        public = np.isin(cases.source, [SOURCES.index("hotline"), SOURCES.index("app")])
        chosen = np.flatnonzero((cases.state < CLOSED) & public)
        words = read_words()
        surnames = np.array([w for w, _e in words["surname"]], dtype=object)
        given = np.array([w for w, _e in words["given"]], dtype=object)
        name = (
            surnames[rng.integers(0, len(surnames), chosen.size)]
            + given[rng.integers(0, len(given), chosen.size)]
        )
        phone = rng.integers(0, 100_000_000, chosen.size)
        wants = rng.random(chosen.size) < 0.6
        self._writer.load(
            batch,
            reporter,
            ("id", "case_id", "name", "phone", "wants_answer"),
            [
                (i, i, n, f"120{p:08d}", int(w))
                for i, n, p, w in zip(
                    ids[chosen].tolist(), name.tolist(), phone.tolist(), wants.tolist(), strict=True
                )
            ],
            N_("Writing the reporters"),
        )


def _or_none(values: Any, index: Ints) -> list[Any]:
    """``values[index]``, and None where the index is -1."""
    found = values[index.clip(0)].astype(object)
    found[index < 0] = None
    listed: list[Any] = found.tolist()
    return listed


def _moments(moments: Ints) -> list[int | None]:
    listed = moments.astype(object)
    listed[moments == 0] = None
    result: list[int | None] = listed.tolist()
    return result


def _numbers(reported: Ints) -> list[str]:
    """Day, station 0000 and a running number, as the bus gives them (ascending moments)."""
    day = (reported + ZONE_MS) // DAY_MS
    serial = np.arange(len(day)) - np.searchsorted(day, day, side="left") + 1
    names, which = np.unique(day, return_inverse=True)
    prefix = [str(np.datetime64(int(d), "D")).replace("-", "") + "0000" for d in names]
    return [f"{prefix[w]}{n:05d}" for w, n in zip(which.tolist(), serial.tolist(), strict=True)]
