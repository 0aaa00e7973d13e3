"""Answers the intake's questions from the database: gazetteer, classes, surroundings, duplicates."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import date
from zoneinfo import ZoneInfo

from db.bootstrap import Core, city_facts
from db.cases.commands.intake import Report
from db.cases.commands.merging import Merge
from db.cases.duplicates import Draft, Duplicate, duplicates
from db.cases.queries import case_details
from db.duties.queries import responsible_for
from db.kernel.actor import Actor
from db.kernel.language import language
from db.kernel.refusal import Refused
from db.live.directory import Directory
from db.registers.datum import looks_like_coordinates, read_coordinates
from db.registers.finding import Finder
from db.registers.hours import hint
from db.registers.locating import locator_of, unit_of
from db.registers.placing import Gazetteer, gazetteer_of
from db.registers.queries import CategoryValue, ConditionValue, categories, components_near, conditions
from desktop.intake.work import Filed, IntakeWork, Spot, Surroundings

_SURE = 0.35
"""Below this a name has so little to do with what was typed that it is not offered."""


class IntakeDesk:
    """One desk an intake: its index of classes is built at the first question, on a reader's thread."""

    def __init__(self, core: Core, who: Actor, directory: Directory, used: Mapping[int, int]) -> None:
        """``used`` counts cases by class: what is reported often stands first."""
        self._core = core
        self._who = who
        self._directory = directory
        self._used = dict(used)
        self._finder: Finder | None = None
        self._making = threading.Lock()

    def work(self) -> IntakeWork:
        """What the dialog asks for."""
        return IntakeWork(
            self.categories,
            self.conditions,
            self.places,
            self.around,
            self.duplicates,
            self.report,
            self.join,
        )

    def categories(self, words: str) -> list[CategoryValue]:
        """Classes for what was typed."""
        with self._making:
            if self._finder is None:
                with self._core.database.read() as connection:
                    self._finder = Finder(categories(connection), self._used)
        return self._finder.find(words)

    def conditions(self, category_id: int) -> list[ConditionValue]:
        """The filing conditions of a class."""
        with self._core.database.read() as connection:
            return conditions(connection, category_id)

    def places(self, text: str, datum: str) -> list[Spot]:
        """Points for what was typed: a pair of coordinates, or an address."""
        with self._core.database.read() as connection:
            gazetteer = gazetteer_of(connection)
        if looks_like_coordinates(text):
            return [_spot_of(text, datum, gazetteer)]
        return [
            Spot(p.name, p.lon, p.lat, p.within_m, p.sure, p.is_whole, p.is_coarse)
            for p in gazetteer.find(text)
            if not p.is_whole or p.sure >= _SURE
        ]

    def around(self, lon: float, lat: float, category_id: int | None) -> Surroundings:
        """The areas of a point and the components near it."""
        with self._core.database.read() as connection:
            where = locator_of(connection).locate(lon, lat)
            held = (where.cell_id, where.patrol_id, where.community_id, where.district_id)
            keeper = responsible_for(connection, category_id, held, self._today()) if category_id else None
            # What the matrix of duties does not say, the place does.
            unit_id = keeper.unit_id if keeper is not None else unit_of(connection, where)
            near = components_near(connection, (lon, lat), category_id=category_id)
            hours = hint(connection, lon, lat, category_id, self._core.clock.now()) if category_id else ""
        areas = self._directory.areas

        def name(area_id: int | None) -> str:
            entry = areas.get(area_id or 0)
            return (entry.label(language()) or entry.code) if entry is not None else ""

        return Surroundings(
            name(where.district_id),
            name(where.community_id),
            name(where.patrol_id),
            name(where.cell_id),
            self._directory.label("unit", unit_id or 0, language()),
            tuple(near),
            hours,
        )

    def duplicates(self, draft: Draft) -> list[Duplicate]:
        """The open cases that may be the same."""
        with self._core.database.read() as connection:
            return duplicates(connection, draft, self._core.clock.now())

    def report(self, report: Report) -> Filed:
        """Write a new case."""
        case_id = self._core.bus.run(report, self._who).result
        return Filed(case_id, self._number(case_id))

    def join(self, report: Report, into_id: int) -> Filed:
        """Write the report with its own number, then merge it into the case that is there already.

        Should somebody have closed that one meanwhile, the report stands on its own and nothing is lost.
        """
        filed = self.report(report)
        try:
            self._core.bus.run(Merge((filed.case_id,), into_id), self._who)
        except Refused:
            return filed
        return Filed(filed.case_id, filed.number, self._number(into_id))

    def _today(self) -> date:
        return self._core.clock.now().astimezone(ZoneInfo(city_facts(self._core).zone)).date()

    def _number(self, case_id: int) -> str:
        with self._core.database.read() as connection:
            details = case_details(connection, case_id)
        return details.number if details is not None else ""


def _spot_of(text: str, datum: str, gazetteer: Gazetteer) -> Spot:
    found = read_coordinates(text, datum)
    return Spot(
        gazetteer.describe(found.lon, found.lat),
        found.lon,
        found.lat,
        found.within_m,
        original_x=found.original_x,
        original_y=found.original_y,
        datum=found.datum,
    )
