"""Everything there is to one case: rows of all its tables, its relatives, what happened near by, who answers.

Who reported it comes masked, and only for who may see that; see ``db.cases.contacts``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import shapely
from sqlalchemy import BigInteger, Column, Connection, Table, select, type_coerce

from db.cases.contacts import SEE_PLAIN, Look, MaskedContact, looks, masked_contact
from db.cases.leases import breaks_claim
from db.cases.queries import CaseDetails, case_details
from db.cases.rules import DECIDED_BY_YOU, DECIDED_FIRST, UNDECIDED
from db.cases.scope import class_codes, out_of_scope
from db.cases.tables import case, involved, order, photo, request, span, task, timer
from db.cases.workflow import VERB_LABELS, Workflow
from db.kernel.actor import Actor
from db.kernel.geo import EARTH_METRES, metres_between
from db.kernel.language import N_, _
from db.kernel.refusal import Refused
from db.people.tables import person, position, unit
from db.registers.tables import area, category, component, condition

SAME_PLACE_METRES = 50.0
"""What happened within so much happened at the same place (30 to 50 m: the width of a crossing)."""
NEARBY_LIMIT = 50

R = TypeVar("R")


@dataclass(frozen=True)
class Asked:
    """A request of the unit and what was decided."""

    id: int
    kind: str
    state: str
    reason: str
    amount: int | None
    until: datetime | None
    evidence: str
    asked_by: int
    asked_by_name: str
    asked_at: datetime
    decided_by: int | None
    """Of a pending appeal: who granted it first."""
    decided_by_name: str
    decided_at: datetime | None
    answer: str


@dataclass(frozen=True)
class Ordered:
    """A supervision order or a reminder, and the answer to it."""

    id: int
    kind: str
    level: str
    demand: str
    given_by_name: str
    given_at: datetime
    answer_due_at: datetime | None
    answer: str
    answered_by_name: str
    answered_at: datetime | None


@dataclass(frozen=True)
class Sent:
    """A collector was sent to verify or to check."""

    id: int
    kind: str
    person_id: int | None
    sent_by_name: str
    sent_at: datetime
    due_at: datetime | None
    result: str
    note: str
    answered_by_name: str
    answered_at: datetime | None


@dataclass(frozen=True)
class Stage:
    """A stage that the case has entered, with its own limit."""

    id: int
    stage: str
    began_at: datetime
    due_at: datetime | None
    ended_at: datetime | None
    by_name: str


@dataclass(frozen=True)
class ClockSpan:
    """A stretch of the disposal clock: running or paused, why and by whom; open-ended while it lasts."""

    id: int
    kind: str
    cause: str
    began_at: datetime
    ended_at: datetime | None
    by_name: str


@dataclass(frozen=True)
class Taking:
    """A unit that has or had the case in hand, or helps."""

    id: int
    unit_id: int
    role: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True)
class Photo:
    """A photo by the hash of its file."""

    id: int
    phase: str
    sha256: str
    name: str
    mime: str
    bytes: int
    width: int
    height: int
    added_by_name: str
    added_at: datetime


@dataclass(frozen=True)
class Relative:
    """Another case that belongs to this one: parent, child, or a report merged into it."""

    id: int
    number: str
    state: str
    category_id: int
    address: str
    reported_at: datetime


@dataclass(frozen=True)
class Near:
    """A case at the same place, open or closed; ``metres`` is ``None`` where either has no position."""

    id: int
    number: str
    state: str
    category_id: int
    reported_at: datetime
    closed_at: datetime | None
    reworks: int
    metres: float | None
    same_component: bool
    same_category: bool


@dataclass(frozen=True)
class Seen:
    """A collector, and when he or she was last seen there."""

    name: str
    at: datetime


@dataclass(frozen=True)
class Duty:
    """A link of the chain of responsibility: an area, the unit that answers for it, collectors seen there."""

    kind: str
    area_id: int
    code: str
    name: str
    name_en: str
    unit: str
    unit_en: str
    people: tuple[Seen, ...] = ()


@dataclass(frozen=True)
class Thing:
    """The component that the case is about."""

    id: int
    code: str
    name: str
    name_en: str
    state: str
    unit: str
    unit_en: str


@dataclass(frozen=True)
class Filing:
    """The filing condition: what it says, and when the case may be closed."""

    text: str
    text_en: str
    closing: str


@dataclass(frozen=True)
class CaseFile:
    """One case in full."""

    details: CaseDetails
    class_code: str
    """Kind and code of its class, as scopes name them."""
    filing: Filing | None
    thing: Thing | None
    requests: tuple[Asked, ...]
    orders: tuple[Ordered, ...]
    tasks: tuple[Sent, ...]
    stages: tuple[Stage, ...]
    spans: tuple[ClockSpan, ...]
    units: tuple[Taking, ...]
    photos: tuple[Photo, ...]
    parent: Relative | None
    children: tuple[Relative, ...]
    merged_into: Relative | None
    merged: tuple[Relative, ...]
    nearby: tuple[Near, ...]
    duties: tuple[Duty, ...]
    contact: MaskedContact | None
    looks: tuple[Look, ...]
    """Who looked at the contact, the newest first; only for who may look, and for auditors."""


def case_file(connection: Connection, case_id: int, actor: Actor) -> CaseFile | None:
    """Everything about a case that this person may see; ``None`` when there is no such case."""
    details = case_details(connection, case_id)
    if details is None:
        return None
    above = _relatives(connection, case.c.id, [details.parent_id, details.merged_into_id])
    by_id = {relative.id: relative for relative in above}
    sees_looks = actor.may(SEE_PLAIN) or actor.may("journal.verify")
    return CaseFile(
        details=details,
        class_code=class_codes(connection, [details.category_id]).get(details.category_id, ""),
        filing=_filing(connection, details.condition_id),
        thing=_thing(connection, details.component_id),
        requests=_rows(connection, Asked, request, request.c.asked_at, case_id),
        orders=_rows(connection, Ordered, order, order.c.given_at, case_id),
        tasks=_rows(connection, Sent, task, task.c.sent_at, case_id),
        stages=_rows(connection, Stage, timer, timer.c.began_at, case_id),
        spans=_rows(connection, ClockSpan, span, span.c.began_at, case_id),
        units=_rows(connection, Taking, involved, involved.c.since, case_id),
        photos=_rows(connection, Photo, photo, photo.c.added_at, case_id),
        parent=by_id.get(details.parent_id or 0),
        children=_relatives(connection, case.c.parent_id, [case_id]),
        merged_into=by_id.get(details.merged_into_id or 0),
        merged=_relatives(connection, case.c.merged_into_id, [case_id]),
        nearby=nearby(connection, details),
        duties=duties(connection, details),
        contact=masked_contact(connection, case_id, actor),
        looks=tuple(looks(connection, case_id=case_id)) if sees_looks else (),
    )


def nearby(
    connection: Connection, details: CaseDetails, metres: float = SAME_PLACE_METRES
) -> tuple[Near, ...]:
    """What else happened at this place, open and closed: same component, then same class, then any; each
    group newest first, at most ``NEARBY_LIMIT``.
    """
    c = case.c
    reported = type_coerce(c.reported_at, BigInteger)
    # Thousands may lie at a crossing: they are ranked as plain numbers, and only the kept ones are read.
    query = select(c.id, reported, c.category_id, c.component_id, c.lon, c.lat).where(c.id != details.id)
    rows: list[Any] = []
    here = None if details.lon is None or details.lat is None else (details.lon, details.lat)
    if here is not None:
        north = math.degrees(metres / EARTH_METRES)
        east = north / max(math.cos(math.radians(here[1])), 0.01)
        # Two plain index walks, as everywhere: an OR of both would read the table.
        rows += connection.execute(
            query.where(
                c.lon.between(here[0] - east, here[0] + east),
                c.lat.between(here[1] - north, here[1] + north),
            )
        ).all()
    if details.component_id is not None:
        rows += connection.execute(query.where(c.component_id == details.component_id)).all()
    found: dict[int, tuple[bool, bool, int, float | None]] = {}
    for case_id, at, category_id, component_id, lon, lat in rows:
        apart = None if here is None or lon is None or lat is None else metres_between(here, (lon, lat))
        other_component = details.component_id is None or component_id != details.component_id
        # The box has corners, and a circle has none.
        if not other_component or (apart is not None and apart <= metres):
            found[case_id] = (other_component, category_id != details.category_id, -at, apart)
    kept = sorted(found, key=lambda case_id: found[case_id][:3])[:NEARBY_LIMIT]
    wanted = (c.id, c.number, c.state, c.category_id, c.reported_at, c.closed_at, c.reworks)
    full = {row.id: row for row in connection.execute(select(*wanted).where(c.id.in_(kept)))}
    return tuple(
        Near(*full[case_id], found[case_id][3], not found[case_id][0], not found[case_id][1])
        for case_id in kept
        if case_id in full
    )


def duties(connection: Connection, details: CaseDetails) -> tuple[Duty, ...]:
    """Who answers for the place: cell, patrol area with the collectors in it, community, district."""
    ids = [details.cell_id, details.patrol_id, details.community_id, details.district_id]
    wanted = [area_id for area_id in ids if area_id is not None]
    names = (area.c.kind, area.c.id, area.c.code, area.c.name, area.c.name_en)
    query = select(*names, unit.c.name.label("unit"), unit.c.name_en.label("unit_en"), area.c.outline)
    query = query.join_from(area, unit, unit.c.id == area.c.unit_id, isouter=True)
    rows = {row.id: row for row in connection.execute(query.where(area.c.id.in_(wanted)))}
    return tuple(
        Duty(
            *row[:5],
            row.unit or "",
            row.unit_en or "",
            _seen_in(connection, row.outline) if row.kind == "patrol" and row.outline else (),
        )
        for row in (rows[area_id] for area_id in wanted if area_id in rows)
    )


def next_acts(
    workflow: Workflow, file: CaseFile, actor: Actor, claimed: Refused | None = None
) -> dict[str, Refused | None]:
    """Each verb of the table: ``None`` when this person may do it now, else why not.

    ``claimed``: somebody else has claimed the case; then it stays in its stage.
    """
    answers: dict[str, Refused | None] = {}
    outside = beyond_reach(file, actor)
    pending = {asked.kind for asked in file.requests if asked.state == "pending"}
    granted_once = next(
        (each for each in file.requests if each.state == "pending" and each.decided_by is not None), None
    )
    ordered = any(each.kind == "supervise" and each.answered_at is None for each in file.orders)
    known = [verb for verb in VERB_LABELS if verb in workflow.verbs]
    for verb in [*known, *(verb for verb in workflow.verbs if verb not in VERB_LABELS)]:
        # What a move needs is asked for after it was chosen; only that somebody asked first cannot be given.
        given = workflow.demands(verb) - {"approval"}
        if verb.partition("_")[2] in pending:
            given |= {"approval"}
        try:
            move = workflow.move(file.details.state, verb, actor, given)
            if outside is not None:
                raise outside
            if claimed is not None and breaks_claim(move):
                raise claimed
            if verb in ("grant_appeal", "refuse_appeal") and granted_once is not None:
                raise Refused("decided_first", DECIDED_FIRST, who=granted_once.decided_by_name)
            if verb == "answer_order" and not ordered:
                raise Refused("no_order", N_("No order waits for an answer."))
            answers[verb] = None
        except Refused as refusal:
            answers[verb] = refusal
    appeal = next((each for each in file.requests if each.kind == "appeal" and each.state == "pending"), None)
    if appeal is not None:
        # The second decision changes neither state nor clock, and has no row in the table.
        second = _second(appeal, actor) or outside
        answers |= dict.fromkeys(("confirm_appeal", "overrule_appeal"), second)
    return answers


def beyond_reach(file: CaseFile, actor: Actor) -> Refused | None:
    """Why a person may do nothing at all with a case; ``None`` when area, unit and class let him or her."""
    helpers = {each.unit_id for each in file.units if each.role == "helper" and each.until is None}
    return out_of_scope(actor, vars(file.details), file.class_code, helpers)


def _second(appeal: Asked, actor: Actor) -> Refused | None:
    """Why this person may not decide second on an appeal."""
    if not actor.may("case.accept"):
        return Refused(
            "not_permitted",
            N_("{who} may not do this: {what}."),
            who=actor.name,
            what=_(VERB_LABELS["confirm_appeal"]),
        )
    if appeal.decided_by is None:
        return Refused("undecided", UNDECIDED)
    return Refused("decided_by_you", DECIDED_BY_YOU) if appeal.decided_by == actor.account_id else None


def _rows(
    connection: Connection, kind: type[R], table: Table, at: Column[Any], case_id: int
) -> tuple[R, ...]:
    columns = [table.c[name] for name in kind.__annotations__]
    found = connection.execute(select(*columns).where(table.c.case_id == case_id).order_by(at, table.c.id))
    return tuple(kind(*row) for row in found)


def _relatives(
    connection: Connection, column: Column[Any], ids: Sequence[int | None]
) -> tuple[Relative, ...]:
    wanted = [case_id for case_id in ids if case_id is not None]
    if not wanted:
        return ()
    query = select(*(case.c[name] for name in Relative.__annotations__)).where(column.in_(wanted))
    return tuple(Relative(*row) for row in connection.execute(query.order_by(case.c.reported_at, case.c.id)))


def _filing(connection: Connection, condition_id: int | None) -> Filing | None:
    if condition_id is None:
        return None
    query = select(condition.c.text, condition.c.text_en, condition.c.closing)
    row = connection.execute(query.where(condition.c.id == condition_id)).first()
    return None if row is None else Filing(*row)


def _thing(connection: Connection, component_id: int | None) -> Thing | None:
    if component_id is None:
        return None
    query = (
        select(
            component.c.id,
            component.c.code,
            category.c.name,
            category.c.name_en,
            component.c.state,
            unit.c.name,
            unit.c.name_en,
        )
        .join_from(component, category, category.c.id == component.c.category_id)
        .join(unit, unit.c.id == component.c.unit_id, isouter=True)
    )
    row = connection.execute(query.where(component.c.id == component_id)).first()
    return None if row is None else Thing(*row[:5], row[5] or "", row[6] or "")


def _seen_in(connection: Connection, outline: bytes) -> tuple[Seen, ...]:
    """The collectors whose newest position lies in an area (WKB, WGS-84), the freshest first."""
    shape = shapely.from_wkb(outline)
    west, south, east, north = shape.bounds
    where = position.c
    rows = connection.execute(
        select(person.c.name, where.at, where.lon, where.lat)
        .join_from(position, person, person.c.id == where.person_id)
        .where(
            person.c.post == "collector",
            person.c.active,
            where.lon.between(west, east),
            where.lat.between(south, north),
        )
        .order_by(where.at.desc())
    ).all()
    return tuple(Seen(row.name, row.at) for row in rows if shapely.contains_xy(shape, row.lon, row.lat))
