"""Changing who is responsible. A change never rewrites the past: the old row ends the day before, a new one
begins, and every past day goes on being answered as it was.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

from sqlalchemy import select

from db.duties.rules import DAY, KINDS, LEVELS, Duty, overlay
from db.duties.tables import duty
from db.engine import settings
from db.engine.bus import handles
from db.engine.unit_of_work import UnitOfWork
from db.kernel.command import Reach, command
from db.kernel.language import N_
from db.kernel.refusal import Refused, refuse_all
from db.kernel.text import one_line
from db.people.tables import person, unit
from db.registers.tables import area, category

Ids = tuple[int, ...]
FIRST_YEAR, LAST_YEAR = 1990, 2100
_CHUNK = 500


@command("duty.put", permission="duty.manage", label=N_("Set who is responsible"), reach=Reach.SERVER)
@dataclass(frozen=True)
class PutDuty:
    """Make a unit (and a person of it) answer for a class in an area, from a day on (ISO dates).

    With ``valid_to`` it is for that while only, and what stood before goes on after it.
    """

    kind: str
    prefix: str
    area_id: int
    unit_id: int
    person_id: int | None
    valid_from: str
    valid_to: str | None = None
    note: str = ""


@command("duty.paint", permission="duty.manage", label=N_("Paint who is responsible"), reach=Reach.SERVER)
@dataclass(frozen=True)
class PaintDuties:
    """The same for many areas at once."""

    area_ids: Ids
    kind: str
    prefix: str
    unit_id: int
    person_id: int | None
    valid_from: str
    note: str = ""


@command("duty.clear", permission="duty.manage", label=N_("Take away who is responsible"), reach=Reach.SERVER)
@dataclass(frozen=True)
class ClearDuties:
    """End the duties that areas have of their own for exactly this class, the day before ``valid_from``: the
    larger area answers then.
    """

    area_ids: Ids
    kind: str
    prefix: str
    valid_from: str


@command("duty.end", permission="duty.manage", label=N_("End a duty"), reach=Reach.SERVER)
@dataclass(frozen=True)
class EndDuty:
    """Let rows of the matrix hold until a day, that day included; one that would begin later never does."""

    duty_ids: Ids
    last_day: str


@dataclass(frozen=True)
class DutyRow:
    """One line of a file, already read; days as ISO dates, ``None`` for "until further notice"."""

    line: int
    kind: str
    prefix: str
    area_id: int
    unit_id: int
    person_id: int | None
    valid_from: str
    valid_to: str | None
    note: str


@command("duty.import", permission="duty.manage", label=N_("Import the matrix of duties"), reach=Reach.SERVER)
@dataclass(frozen=True)
class ImportDuties:
    """Put many rows; each is a list of the fields of ``DutyRow`` in their order.

    ``complete``: what holds on ``ends_on`` or later and is not among the rows ends the day before.
    """

    rows: tuple[tuple[Any, ...], ...]
    complete: bool = False
    ends_on: str = ""


@handles(PutDuty)
def put_duty(command: PutDuty, unit: UnitOfWork) -> int:
    """Returns how many rows were written."""
    wanted = Duty(
        0,
        command.kind,
        command.prefix,
        command.area_id,
        command.unit_id,
        command.person_id,
        parse_day(command.valid_from),
        parse_day(command.valid_to) if command.valid_to else None,
        one_line(command.note, 200),
    )
    refuse_all(_faults(unit, [wanted]))
    return put(unit, [wanted])


@handles(PaintDuties)
def paint_duties(command: PaintDuties, unit: UnitOfWork) -> int:
    """Returns how many rows were written."""
    valid_from = parse_day(command.valid_from)
    note = one_line(command.note, 200)
    wanted = [
        Duty(
            0,
            command.kind,
            command.prefix,
            area_id,
            command.unit_id,
            command.person_id,
            valid_from,
            None,
            note,
        )
        for area_id in dict.fromkeys(command.area_ids)
    ]
    if not wanted:
        raise Refused("no_area", N_("Choose at least one area."))
    refuse_all(list(_unlike(_faults(unit, wanted))))
    return put(unit, wanted)


@handles(ClearDuties)
def clear_duties(command: ClearDuties, unit: UnitOfWork) -> int:
    """Returns how many rows were ended."""
    first = parse_day(command.valid_from)
    rows = [
        row
        for row in _standing(unit, command.area_ids, first)
        if (row.kind, row.prefix) == (command.kind, command.prefix)
    ]
    if not rows:
        raise Refused("no_duty", N_("These areas have no duty of their own for this class."))
    return _end(unit, rows, first - DAY)


@handles(EndDuty)
def end_duty(command: EndDuty, unit: UnitOfWork) -> int:
    """Returns how many rows were ended."""
    last = parse_day(command.last_day)
    rows = unit.rows(duty, list(command.duty_ids))
    if not rows or len(rows) != len(set(command.duty_ids)):
        raise Refused("no_duty", N_("There is no such duty any more."))
    return _end(unit, [_value(row) for row in rows.values()], last)


@handles(ImportDuties)
def import_duties(command: ImportDuties, unit: UnitOfWork) -> int:
    """All rows or none: every bad one is told with its line. Returns how many rows of the matrix changed."""
    faults: list[Refused] = []
    wanted: list[tuple[int, Duty]] = []
    for raw in command.rows:
        row = DutyRow(*raw)
        try:
            valid_to = parse_day(row.valid_to) if row.valid_to else None
            wanted.append(
                (
                    row.line,
                    Duty(
                        0,
                        row.kind,
                        row.prefix,
                        row.area_id,
                        row.unit_id,
                        row.person_id,
                        parse_day(row.valid_from),
                        valid_to,
                        one_line(row.note, 200),
                    ),
                )
            )
        except Refused as refusal:
            faults.append(_at_line(row.line, refusal))
    by_key: dict[tuple[str, str, int], list[tuple[date, int, date]]] = defaultdict(list)
    for line, each in wanted:
        faults += [_at_line(line, refusal) for refusal in _faults(unit, [each])]
        by_key[each.key].append((each.valid_from, line, each.valid_to or date.max))
    for same in by_key.values():
        same.sort()
        for (_from, line, last), (begins, other, _last) in pairwise(same):
            if begins <= last:
                message = N_("Lines {one} and {other} are about the same class and area on the same days.")
                faults.append(Refused("duty_twice", message, one=line, other=other))
    refuse_all(faults)
    changed = put(unit, [each for _line, each in wanted])
    if command.complete:
        first = parse_day(command.ends_on)
        query = select(duty).where(duty.c.valid_to.is_(None) | (duty.c.valid_to >= first))
        gone = [_value(dict(row)) for row in unit.connection.execute(query).mappings()]
        changed += _end(unit, [each for each in gone if each.key not in by_key], first - DAY)
    return changed


def put(unit: UnitOfWork, wanted: Sequence[Duty]) -> int:
    """Write rows over whatever stands on their days (``rules.overlay``); returns how many rows changed."""
    standing: dict[tuple[str, str, int], list[Duty]] = defaultdict(list)
    first = min((each.valid_from for each in wanted), default=date.max)
    for row in _standing(unit, [each.area_id for each in wanted], first):
        standing[row.key].append(row)
    before = {row.id: row for rows in standing.values() for row in rows}
    for each in sorted(wanted, key=lambda each: each.valid_from):
        standing[each.key] = overlay(standing[each.key], each)
    after = [row for rows in standing.values() for row in rows]
    kept = {row.id for row in after}
    gone = [row_id for row_id in before if row_id not in kept]
    changed = {row.id: {"valid_to": row.valid_to} for row in after if row.id and row != before[row.id]}
    added = [row for row in after if not row.id]
    unit.update(duty, changed)
    unit.delete(duty, gone)
    ids = unit.new_ids(len(added))
    unit.insert(duty, [_columns(each, row_id) for each, row_id in zip(added, ids, strict=True)])
    return len(added) + len(changed) + len(gone)


def parse_day(text: str) -> date:
    """An ISO date; raises ``Refused("no_date")``."""
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        day = date.min
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise Refused("no_date", N_("“{text}” is not a date such as 2026-05-01."), text=one_line(text, 40))
    return day


def _end(unit: UnitOfWork, rows: Sequence[Duty], last: date) -> int:
    unit.delete(duty, [row.id for row in rows if row.valid_from > last])
    unit.update(duty, {row.id: {"valid_to": last} for row in rows if row.valid_from <= last})
    return len(rows)


def _standing(unit: UnitOfWork, area_ids: Iterable[int], first: date) -> list[Duty]:
    """The rows of areas that hold on a day or later."""
    ids = list(dict.fromkeys(area_ids))
    found: list[Duty] = []
    for begin in range(0, len(ids), _CHUNK):
        query = select(duty).where(
            duty.c.area_id.in_(ids[begin : begin + _CHUNK]),
            duty.c.valid_to.is_(None) | (duty.c.valid_to >= first),
        )
        found += [_value(dict(row)) for row in unit.connection.execute(query).mappings()]
    return found


def _value(row: dict[str, Any]) -> Duty:
    return Duty(**{name: row[name] for name in Duty.__dataclass_fields__})


def _columns(each: Duty, row_id: int) -> dict[str, Any]:
    return {name: getattr(each, name) for name in Duty.__dataclass_fields__} | {"id": row_id}


def _at_line(line: int, refusal: Refused) -> Refused:
    # zh: 第 {line} 行：{why}
    return Refused(refusal.code, N_("Line {line}: {why}"), line=line, why=refusal)


def _unlike(faults: Iterable[Refused]) -> Iterable[Refused]:
    """Each kind of fault once: a hundred painted cells share their unit."""
    return {each.text(): each for each in faults}.values()


def _faults(unit_of_work: UnitOfWork, wanted: Sequence[Duty]) -> list[Refused]:
    """What is wrong with rows before they are written."""
    known = _Known(unit_of_work)
    return [fault for each in wanted for fault in known.faults(each)]


class _Known:
    """Which units, persons, areas and classes there are; each question is asked once."""

    def __init__(self, unit_of_work: UnitOfWork) -> None:
        self._connection = unit_of_work.connection
        self._asked: dict[tuple[str, Any], Any] = {}

    def faults(self, each: Duty) -> list[Refused]:
        """The whole list for one row."""
        found: list[Refused] = []
        if each.kind not in KINDS:
            found.append(Refused("no_such_kind", N_("A class is of components, of matters, or of both.")))
        elif not self._once("class", (each.kind, each.prefix), self._has_class):
            message = N_("No class begins with “{prefix}”.")
            found.append(Refused("no_such_class", message, prefix=one_line(each.prefix, 20)))
        if not self._once("area", each.area_id, self._has_area):
            found.append(Refused("no_such_area", N_("There is no such area.")))
        if not self._once("unit", each.unit_id, self._has_unit):
            found.append(Refused("no_such_unit", N_("There is no such unit, or it is no longer active.")))
        elif each.person_id is not None and not self._once(
            "person", (each.person_id, each.unit_id), self._has_person
        ):
            message = N_("There is no such person in this unit, or the person is no longer active.")
            found.append(Refused("no_such_person", message))
        if each.valid_to is not None and each.valid_to < each.valid_from:
            found.append(Refused("ends_before", N_("It would end before it begins.")))
        return found

    def _once(self, what: str, key: Any, ask: Any) -> bool:
        if (what, key) not in self._asked:
            self._asked[what, key] = ask(key)
        return bool(self._asked[what, key])

    def _has_class(self, key: tuple[str, str]) -> bool:
        kind, prefix = key
        if not prefix:
            return True
        standard = settings.get(self._connection, "city.standard", "GB/T 47678.5-2026")
        query = select(category.c.id).where(
            category.c.standard == standard, category.c.code.startswith(prefix, autoescape=True)
        )
        if kind:
            query = query.where(category.c.kind == kind)
        return self._connection.execute(query.limit(1)).first() is not None

    def _has_area(self, area_id: int) -> bool:
        query = select(area.c.id).where(area.c.id == area_id, area.c.kind.in_(LEVELS))
        return self._connection.execute(query).first() is not None

    def _has_unit(self, unit_id: int) -> bool:
        query = select(unit.c.id).where(unit.c.id == unit_id, unit.c.active)
        return self._connection.execute(query).first() is not None

    def _has_person(self, key: tuple[int, int]) -> bool:
        person_id, unit_id = key
        query = select(person.c.id).where(
            person.c.id == person_id, person.c.unit_id == unit_id, person.c.active
        )
        return self._connection.execute(query).first() is not None
