"""Writes the cases of a checked file in one transaction, with whatever units, districts and classes they
need.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, ClassVar

import numpy as np
from sqlalchemy import select

from db.cases.rules import STATES
from db.cases.tables import case, reporter, step
from db.engine import settings
from db.engine.bus import handles
from db.engine.unit_of_work import UnitOfWork
from db.exchange.checking import Checked, Draft, Report, demand_targets, limit_days, short_code, soon_at
from db.exchange.known import Known, known_in
from db.exchange.mapping import CaseMapping
from db.exchange.reading import Progress, keep_on
from db.kernel.clock import to_ms
from db.kernel.command import Reach, command
from db.kernel.language import N_, _
from db.people.tables import unit as unit_table
from db.registers.locating import Locator, locator_of
from db.registers.reference import stable_id
from db.registers.tables import area, category

_CHUNK = 2_000
_CONTACTS_BY_ROW = 20_000
"""Up to so many contacts stand in the journal one by one, as keyed digests; more only as the digest of the
whole.
"""

CASE_COLUMNS = (
    "id",
    "number",
    "state",
    "source",
    "category_id",
    "description",
    "address",
    "lon",
    "lat",
    "district_id",
    "community_id",
    "patrol_id",
    "cell_id",
    "unit_id",
    "reported_at",
    "filed_at",
    "dispatched_at",
    "handled_at",
    "closed_at",
    "limit_amount",
    "limit_unit",
    "due_at",
    "soon_at",
    "foreign_system",
    "foreign_number",
)
STEP_COLUMNS = (
    "id",
    "case_id",
    "at",
    "verb",
    "from_state",
    "to_state",
    "actor_id",
    "actor_name",
    "unit_id",
    "note",
)


@dataclass(frozen=True)
class Batch:
    """The drafts to write, and whom to tell how far it is."""

    checked: Checked
    progress: Progress | None = None


@command("case.import", permission="import.run", label=N_("Import cases"), reach=Reach.SERVER)
@dataclass(frozen=True)
class ImportCases:
    """Cases of another system; the journal names file, digest, mapping and counts, not each row."""

    file: str
    sha256: str
    system: str
    mapping: str
    rows: int
    taken: int
    batch: Batch
    private_fields: ClassVar[frozenset[str]] = frozenset({"batch"})


def import_of(checked: Checked, progress: Progress | None = None) -> ImportCases:
    """The command that writes what a check has found."""
    return ImportCases(
        file=checked.source.path.name,
        sha256=checked.source.sha256,
        system=checked.mapping.system,
        mapping=checked.mapping.file,
        rows=checked.report.rows,
        taken=checked.report.taken,
        batch=Batch(checked, progress),
    )


@handles(ImportCases)
def _import(command: ImportCases, unit: UnitOfWork) -> Report:
    checked = command.batch.checked
    # Asked anew: another import may have been faster since the check.
    known = known_in(unit.connection, checked.mapping)
    demand_targets(checked.mapping, known)
    writer = _Writer(checked, known, unit, command.batch.progress)
    return writer.write()


class _Writer:
    """One import under way."""

    def __init__(self, checked: Checked, known: Known, unit: UnitOfWork, progress: Progress | None) -> None:
        self.checked = checked
        self.mapping: CaseMapping = checked.mapping
        self.known = known
        self.unit = unit
        self.progress = progress
        self.report = replace(checked.report)
        self.categories = dict(known.categories)
        self.units = dict(known.units)
        self.districts = dict(known.districts)
        self.locator: Locator | None = None
        self.contacts = 0

    def write(self) -> Report:
        """Write everything; returns the counts as they came out."""
        drafts = self._still_new()
        if not self.report.taken:
            return self.report
        self._add_classes()
        self._add_units()
        city = self._add_city()
        self._add_districts(city)
        if self._has_outlines():
            self.locator = locator_of(self.unit.connection)
        ids = self.unit.new_ids(self.report.taken)
        self.unit.load(case, CASE_COLUMNS, self._case_rows(drafts, ids))
        self.unit.load(step, STEP_COLUMNS, self._step_rows(self._drafts(), ids))
        if self.contacts:
            self._add_contacts(ids)
        keep_on(self.progress, self.report.taken, self.report.taken, _("Writing"))
        return self.report

    def _drafts(self) -> Iterator[Draft]:
        for draft in self.checked.drafts():
            if (
                draft.foreign_number not in self.known.foreign_numbers
                and draft.number not in self.known.numbers
            ):
                yield draft

    def _still_new(self) -> Iterator[Draft]:
        """The drafts to write; those that came in by another way since the check are counted as there
        already.
        """
        count = marked = still_open = 0
        for draft in self._drafts():
            count += 1
            marked += draft.lon is None
            still_open += STATES[draft.state].open
            self.contacts += bool(draft.reporter_name or draft.reporter_phone)
        self.report.already += self.report.taken - count
        self.report.taken, self.report.marked, self.report.open = count, marked, still_open
        return self._drafts()

    def _add_classes(self) -> None:
        rows = []
        for extension in self.mapping.extensions:
            target = extension.target
            if target in self.categories:
                continue
            row_id = stable_id("category", f"{target.standard}|{target.kind}|{target.code}")
            self.categories[target] = row_id
            rows.append(
                {
                    "id": row_id,
                    "standard": target.standard,
                    "kind": target.kind,
                    "code": target.code,
                    "major": extension.major,
                    "major_name": extension.major_name,
                    "major_name_en": extension.major_name_en,
                    "name": extension.name,
                    "name_en": extension.name_en,
                }
            )
        self.unit.insert(category, rows)

    def _add_units(self) -> None:
        rows = []
        for code, place in self.checked.units.items():
            if code.casefold() in self.units:
                continue
            row_id = self.units[code.casefold()] = self.unit.new_id()
            rows.append(
                {
                    "id": row_id,
                    "code": code,
                    "name": self.mapping.units.names.get(place.word, place.name),
                    "name_en": place.name,
                    "kind": self.mapping.units.kind,
                }
            )
        self.unit.insert(unit_table, rows)

    def _add_city(self) -> int | None:
        """Name the city in a database that has none yet; returns the area of the city, if there is one."""
        city, bounds = self.mapping.city, self.report.bounds
        if self.known.has_city or not city.name:
            return self.known.city_area
        settings.put(self.unit, "city.name", city.name)
        settings.put(self.unit, "city.name_en", city.name_en)
        settings.put(self.unit, "city.zone", self.mapping.zone)
        if bounds is None:
            return self.known.city_area
        settings.put(self.unit, "city.bounds", list(bounds))
        if self.known.city_area is not None:
            return self.known.city_area
        row_id = self.unit.new_id()
        row = {
            "id": row_id,
            "kind": "city",
            "code": short_code(self.mapping.system),
            "name": city.name,
            "name_en": city.name_en,
            "lon": (bounds[0] + bounds[2]) / 2,
            "lat": (bounds[1] + bounds[3]) / 2,
        }
        self.unit.insert(area, [row])
        return row_id

    def _add_districts(self, city: int | None) -> None:
        rows = []
        for word, place in self.checked.districts.items():
            # A district needs a place on the map; one of whose cases none has a position waits for the next
            # import.
            if word.casefold() in self.districts or place.middle is None:
                continue
            row_id = self.districts[word.casefold()] = self.unit.new_id()
            lon, lat = place.middle
            rows.append(
                {
                    "id": row_id,
                    "kind": "district",
                    "code": short_code(word),
                    "name": self.mapping.districts.names.get(word, word),
                    "name_en": word.title() if word.isupper() else word,
                    "parent_id": city,
                    "lon": lon,
                    "lat": lat,
                }
            )
        self.unit.insert(area, rows)

    def _has_outlines(self) -> bool:
        return (
            self.unit.connection.execute(
                select(area.c.id).where(area.c.outline.is_not(None)).limit(1)
            ).first()
            is not None
        )

    def _case_rows(self, drafts: Iterator[Draft], ids: list[int]) -> Iterator[tuple[Any, ...]]:
        done = 0
        while chunk := list(islice(drafts, _CHUNK)):
            keep_on(self.progress, done, self.report.taken, _("Writing"))
            found = self._located(chunk)
            for offset, draft in enumerate(chunk):
                yield self._case_row(ids[done + offset], draft, found[offset])
            done += len(chunk)

    def _located(self, chunk: list[Draft]) -> list[tuple[int | None, ...]]:
        """District, community, patrol area and cell of each draft, as far as outlines are known."""
        if self.locator is None:
            return [(None,) * 4] * len(chunk)
        places = self.locator.locate_many(
            np.array([np.nan if d.lon is None else d.lon for d in chunk], dtype=np.float64),
            np.array([np.nan if d.lat is None else d.lat for d in chunk], dtype=np.float64),
        )
        columns = (places.district_id, places.community_id, places.patrol_id, places.cell_id)
        return [
            tuple(int(value) or None for value in row)
            for row in zip(*(column.tolist() for column in columns), strict=True)
        ]

    def _case_row(self, case_id: int, draft: Draft, found: tuple[int | None, ...]) -> tuple[Any, ...]:
        district, community, patrol, cell = found
        begins = draft.dispatched_at or draft.reported_at
        due = draft.due_at
        return (
            case_id,
            draft.number,
            draft.state,
            draft.source,
            self.categories[self.mapping.categories[draft.target]],
            draft.description,
            draft.address,
            draft.lon,
            draft.lat,
            # Where a point lies is certain when the city has outlines; else the source's word counts.
            district or self.districts.get(draft.district.casefold()),
            community,
            patrol,
            cell,
            self.units.get(draft.unit.casefold()),
            draft.reported_at,
            draft.filed_at,
            draft.dispatched_at,
            draft.handled_at,
            draft.closed_at,
            None if due is None else limit_days(begins, due),
            None if due is None else "natural_day",
            due,
            None if due is None else soon_at(begins, due),
            self.mapping.system,
            draft.foreign_number,
        )

    def _step_rows(self, drafts: Iterator[Draft], ids: list[int]) -> Iterator[tuple[Any, ...]]:
        at = to_ms(self.unit.now)
        actor = self.unit.actor
        step_ids = self.unit.new_ids(len(ids))
        for case_id, step_id, draft in zip(ids, step_ids, drafts, strict=True):
            yield (
                step_id,
                case_id,
                at,
                "import",
                "",
                draft.state,
                actor.account_id,
                actor.name,
                self.units.get(draft.unit.casefold()),
                draft.note,
            )

    def _add_contacts(self, ids: list[int]) -> None:
        rows = (
            (self.unit.new_id(), case_id, draft.reporter_name, draft.reporter_phone)
            for case_id, draft in zip(ids, self._drafts(), strict=True)
            if draft.reporter_name or draft.reporter_phone
        )
        columns = ("id", "case_id", "name", "phone")
        if self.contacts <= _CONTACTS_BY_ROW:
            self.unit.insert(reporter, [dict(zip(columns, row, strict=True)) for row in rows])
        else:
            self.unit.load(reporter, columns, rows)
