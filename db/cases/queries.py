"""Questions about cases, answered as plain values: live columns, one case in full, the recount."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import (
    BigInteger,
    Connection,
    Select,
    Table,
    and_,
    case,
    exists,
    func,
    or_,
    select,
    text,
    type_coerce,
)
from sqlalchemy.sql.elements import ColumnElement

from db.cases.rules import BEFORE_DISPATCH, REQUESTS, SOURCES, STATES
from db.cases.tables import case as cases
from db.cases.tables import claim, involved, order, request, step, tag
from db.engine.among import among
from db.engine.rows import uncollected

Column = npt.NDArray[Any] | list[str]
Columns = dict[str, Column]

STATE_CODES: tuple[str, ...] = tuple(STATES)
"""A state as a small number: its place in this tuple."""
SOURCE_CODES: tuple[str, ...] = tuple(SOURCES)
"""A source as a small number: its place in this tuple."""
OPEN_STATES = frozenset(code for code, state in STATES.items() if state.open)
CLOSINGS = frozenset({"closed", "forced"})
"""The end states that count as a closing; a refused or void case ended without one (DOMAIN 3.1)."""
HANDED_BACK = frozenset(STATE_CODES) - {*BEFORE_DISPATCH, "pending_handle", "handling"}
"""The states in which the disposal clock stands: suspended, handed back by the unit, or ended."""

TEXT_COLUMNS = ("number", "address")
SET_COLUMNS = ("tags", "helpers")
"""Lists of texts, one a case: its tags (words), and the ids of the units that help, in order, a line each."""
ID_COLUMNS = (
    "category_id",
    "unit_id",
    "district_id",
    "community_id",
    "patrol_id",
    "cell_id",
    "holder_id",
)
MOMENT_COLUMNS = (
    "reported_at",
    "filed_at",
    "dispatched_at",
    "due_at",
    "soon_at",
    "stopped_at",
    "closed_at",
)
LIVE_TYPES: dict[str, type[np.generic]] = {
    "id": np.int64,
    "state": np.uint8,
    "source": np.uint8,
    **dict.fromkeys(ID_COLUMNS, np.int64),
    "lon": np.float64,
    "lat": np.float64,
    **dict.fromkeys(MOMENT_COLUMNS, np.int64),
    "reworks": np.int32,
    "version": np.int32,
    "priority": np.uint8,
    "requests": np.uint8,
    "supervised": np.bool_,
}
"""The columns of ``live_rows`` that are arrays; ``TEXT_COLUMNS`` and ``SET_COLUMNS`` come as lists.

0 and NaN mean "none". ``requests`` has one bit a kind (``REQUEST_BITS``) that waits for a decision;
``supervised``: an order wants an answer.
"""
REQUEST_BITS = {kind: 1 << place for place, kind in enumerate(REQUESTS)}

_MARKS = ("requests", "supervised")
"""Array columns that come from tables beside the cases."""
_CHUNK = 20_000
_STATE_INDEX = {code: index for index, code in enumerate(STATE_CODES)}
_SOURCE_INDEX = {code: index for index, code in enumerate(SOURCE_CODES)}
_STANDS = np.array([code in HANDED_BACK for code in STATE_CODES])


def live_rows(connection: Connection, ids: Sequence[int] | None, day_start_ms: int) -> Columns:
    """The cases that belong on the screen, as columns: all open ones and those that ended since midnight.

    With ``ids`` only those cases, whatever their state; ids that are not there are left out. ``stopped_at``
    is when the unit handed the case back or its clock was stopped (or, failing that, when it ended), 0 while
    the disposal clock runs.
    """
    parts: list[Columns] = []
    for statement in _statements(ids, day_start_ms):
        cursor = connection.execute(statement).cursor
        assert cursor is not None
        # Straight from the driver: a row object for each of 100,000 cases would cost more than reading them.
        with uncollected():
            while rows := cursor.fetchmany(_CHUNK):
                parts.append(_columns(rows))
                del rows
        cursor.close()
    return _marked(connection, _joined(parts), everything=ids is None)


def no_rows() -> Columns:
    """The columns of ``live_rows`` with nothing in them."""
    columns: Columns = {name: np.empty(0, dtype=kind) for name, kind in LIVE_TYPES.items()}
    for name in (*TEXT_COLUMNS, *SET_COLUMNS):
        columns[name] = []
    return columns


def _marked(connection: Connection, columns: Columns, *, everything: bool) -> Columns:
    """Add what stands in tables beside the cases: few rows, each read by its index."""
    ids = np.asarray(columns["id"])
    requests, supervised = (np.zeros(len(ids), dtype=LIVE_TYPES[name]) for name in _MARKS)
    sets: dict[str, list[str]] = {name: [""] * len(ids) for name in SET_COLUMNS}
    columns |= {"requests": requests, "supervised": supervised, **sets}
    if not len(ids):
        return columns
    order_of = np.argsort(ids)
    in_order = ids[order_of]
    listed = ids.tolist()

    def found(statement: Select[Any], case_id: ColumnElement[int]) -> Iterator[tuple[int, Any]]:
        # A case that was open before the oldest one here has ended: ids go up with time.
        chosen = case_id >= int(in_order[0]) if everything else among(case_id, listed)
        rows = connection.execute(statement.where(chosen).order_by(case_id)).all()
        if not rows:
            return
        places = np.searchsorted(in_order, np.array([row[0] for row in rows], dtype=np.int64))
        for row, place in zip(rows, places.tolist(), strict=True):
            if place < len(in_order) and in_order[place] == row[0]:
                yield int(order_of[place]), row[1]

    # Written out, here and for the helpers, so that SQLite sees that a small index will do.
    pending = select(request.c.case_id, request.c.kind).where(text("case_request.state = 'pending'"))
    for place, kind in found(pending, request.c.case_id):
        requests[place] |= REQUEST_BITS.get(kind, 0)
    unanswered = select(order.c.case_id, order.c.id).where(
        order.c.kind == "supervise", order.c.answered_at.is_(None)
    )
    for place, _id in found(unanswered, order.c.case_id):
        supervised[place] = True
    helping = select(involved.c.case_id, involved.c.unit_id).where(
        text("case_unit.role = 'helper' AND case_unit.until IS NULL")
    )
    several = {"tags": found(select(tag.c.case_id, tag.c.word), tag.c.case_id)}
    several["helpers"] = found(helping, involved.c.case_id)
    for name, values in several.items():
        of_place: dict[int, set[str]] = defaultdict(set)
        for place, value in values:
            of_place[place].add(str(value))
        for place, words in of_place.items():
            sets[name][place] = "\n".join(sorted(words))
    return columns


def _raw(*names: str) -> ColumnElement[Any]:
    return func.coalesce(*(type_coerce(cases.c[name], BigInteger) for name in names), 0)


_STOPPED = ("handled_at", "paused_at")

_READ = {name: kind for name, kind in LIVE_TYPES.items() if name not in _MARKS}
"""What the row of a case itself holds, in the order of ``_SELECTED``."""
_SELECTED = (
    cases.c.id,
    cases.c.state,
    cases.c.source,
    *(_raw(name) for name in ID_COLUMNS),
    cases.c.lon,
    cases.c.lat,
    *(_raw(*(_STOPPED if name == "stopped_at" else (name,))) for name in MOMENT_COLUMNS),
    cases.c.reworks,
    cases.c.version,
    cases.c.priority,
    *(cases.c[name] for name in TEXT_COLUMNS),
)


def _statements(ids: Sequence[int] | None, day_start_ms: int) -> Iterator[Select[Any]]:
    chosen = select(*_SELECTED)
    if ids is None:
        # Two plain index walks; one OR over both makes SQLite collect row ids first.
        yield chosen.where(cases.c.closed_at.is_(None))
        yield chosen.where(type_coerce(cases.c.closed_at, BigInteger) >= day_start_ms)
        return
    if len(ids):
        yield chosen.where(among(cases.c.id, map(int, ids)))


def _columns(rows: Sequence[Sequence[Any]]) -> Columns:
    raw = list(zip(*rows, strict=True))
    columns: Columns = {}
    for index, (name, kind) in enumerate(_READ.items()):
        if name == "state":
            columns[name] = np.array([_STATE_INDEX[value] for value in raw[index]], dtype=kind)
        elif name == "source":
            other = _SOURCE_INDEX["other"]
            columns[name] = np.array([_SOURCE_INDEX.get(value, other) for value in raw[index]], dtype=kind)
        else:
            columns[name] = np.array(raw[index], dtype=kind)
    for offset, name in enumerate(TEXT_COLUMNS, start=len(_READ)):
        columns[name] = list(raw[offset])
    handed_back = np.asarray(columns["stopped_at"])
    closed = np.asarray(columns["closed_at"])
    stands = _STANDS[np.asarray(columns["state"])]
    columns["stopped_at"] = np.where(stands, np.where(handed_back > 0, handed_back, closed), 0)
    return columns


def _joined(parts: Sequence[Columns]) -> Columns:
    if not parts:
        return no_rows()
    if len(parts) == 1:
        return parts[0]
    columns: Columns = {name: np.concatenate([part[name] for part in parts]) for name in _READ}
    for name in TEXT_COLUMNS:
        columns[name] = [value for part in parts for value in part[name]]
    ids = np.asarray(columns["id"])
    if len(np.unique(ids)) == len(ids):
        return columns
    # A case that ended between the two walks stands in both; the later reading counts.
    _, last = np.unique(ids[::-1], return_index=True)
    kept = np.sort(len(ids) - 1 - last)
    return {
        name: [values[i] for i in kept] if isinstance(values, list) else values[kept]
        for name, values in columns.items()
    }


@dataclass(frozen=True)
class StepTaken:
    """One step of a case's way, as its history shows it."""

    at: datetime
    verb: str
    from_state: str
    to_state: str
    actor_name: str
    unit_id: int | None
    note: str


@dataclass(frozen=True)
class CaseDetails:
    """Everything about one case that the desk may see; its reporter has a permission and a road apart."""

    id: int
    number: str
    state: str
    source: str
    category_id: int
    condition_id: int | None
    description: str
    address: str
    lon: float | None
    lat: float | None
    district_id: int | None
    community_id: int | None
    patrol_id: int | None
    cell_id: int | None
    component_id: int | None
    unit_id: int | None
    reporter_person_id: int | None
    reported_at: datetime
    filed_at: datetime | None
    dispatched_at: datetime | None
    handled_at: datetime | None
    closed_at: datetime | None
    limit_amount: int | None
    limit_unit: str | None
    due_at: datetime | None
    soon_at: datetime | None
    condition_version: int | None
    extensions: int
    paused_at: datetime | None
    exempt: bool
    parent_id: int | None
    merged_into_id: int | None
    original_x: float | None
    original_y: float | None
    datum: str | None
    foreign_due_at: datetime | None
    reworks: int
    moves: int
    foreign_system: str | None
    foreign_number: str | None
    version: int
    steps: tuple[StepTaken, ...]


def case_details(connection: Connection, case_id: int) -> CaseDetails | None:
    """One case with its steps in order; ``None`` when there is no such case."""
    row = connection.execute(select(cases).where(cases.c.id == case_id)).mappings().first()
    if row is None:
        return None
    taken = connection.execute(
        select(
            step.c.at,
            step.c.verb,
            step.c.from_state,
            step.c.to_state,
            step.c.actor_name,
            step.c.unit_id,
            step.c.note,
        )
        .where(step.c.case_id == case_id)
        .order_by(step.c.at, step.c.id)
    )
    values = {field.name: row[field.name] for field in fields(CaseDetails) if field.name != "steps"}
    return CaseDetails(**values, steps=tuple(StepTaken(*values) for values in taken.all()))


def counts(connection: Connection) -> dict[str, int]:
    """How many cases stand in each state, 0 for none. Walks the whole table: 3 s for five million cases."""
    found = {
        state: int(count)
        for state, count in connection.execute(select(cases.c.state, func.count()).group_by(cases.c.state))
    }
    return {state: found.get(state, 0) for state in STATES} | found


@dataclass(frozen=True)
class Recount:
    """The live figures counted anew by plain SQL: what ``jingwei verify`` holds against the columns."""

    open: int
    due_within_2h: int
    overdue: int
    arrived_today: int
    closed_today: int
    closed_on_time: int
    closed_late: int
    reworked_today: int
    open_by_state: dict[str, int]
    open_by_district: dict[int, int]
    open_by_unit: dict[int, int]


def recount(connection: Connection, now_ms: int, day_start_ms: int) -> Recount:
    """Count the figures of this moment from the rows themselves; ids that are empty count under 0."""
    due = type_coerce(cases.c.due_at, BigInteger)
    closed = type_coerce(cases.c.closed_at, BigInteger)
    handed_back = func.coalesce(*(type_coerce(cases.c[name], BigInteger) for name in _STOPPED))
    reported = type_coerce(cases.c.reported_at, BigInteger)
    stands = cases.c.state.in_(sorted(HANDED_BACK))
    at = case((and_(stands, handed_back.is_not(None)), handed_back), else_=now_ms)
    is_open = cases.c.closed_at.is_(None)
    runs = or_(~stands, handed_back.is_(None))
    of_open = connection.execute(
        select(
            func.count(),
            func.coalesce(
                func.sum(case((and_(runs, due >= now_ms, due < now_ms + 7_200_000), 1), else_=0)), 0
            ),
            func.coalesce(func.sum(case((at > due, 1), else_=0)), 0),
        ).where(is_open)
    ).one()
    ended = func.coalesce(handed_back, closed)
    of_closed = connection.execute(
        select(
            func.count(),
            func.coalesce(func.sum(case((ended <= due, 1), else_=0)), 0),
            func.coalesce(func.sum(case((ended > due, 1), else_=0)), 0),
            func.coalesce(func.sum(case((cases.c.reworks > 0, 1), else_=0)), 0),
        ).where(closed >= day_start_ms, cases.c.state.in_(sorted(CLOSINGS)))
    ).one()
    arrived = connection.execute(select(func.count()).where(reported >= day_start_ms)).scalar_one()

    def groups(column: ColumnElement[Any]) -> dict[Any, int]:
        statement = select(column, func.count()).where(is_open).group_by(column)
        return {key: int(count) for key, count in connection.execute(statement)}

    return Recount(
        open=int(of_open[0]),
        due_within_2h=int(of_open[1]),
        overdue=int(of_open[2]),
        arrived_today=int(arrived),
        closed_today=int(of_closed[0]),
        closed_on_time=int(of_closed[1]),
        closed_late=int(of_closed[2]),
        reworked_today=int(of_closed[3]),
        open_by_state=groups(cases.c.state),
        open_by_district=groups(func.coalesce(cases.c.district_id, 0)),
        open_by_unit=groups(func.coalesce(cases.c.unit_id, 0)),
    )


def recount_marks(connection: Connection, now_ms: int) -> dict[str, int]:
    """Open cases by what hangs on them, counted from the tables themselves: what the columns must equal."""

    def about(table: Table, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
        return exists().where(table.c.case_id == cases.c.id, *conditions)

    asks = request.c.state == "pending"
    wanted = {
        "requests": about(request, asks),
        "supervised": about(order, order.c.kind == "supervise", order.c.answered_at.is_(None)),
        "tags": about(tag),
        "helpers": about(involved, involved.c.role == "helper", involved.c.until.is_(None)),
        "claims": about(claim, type_coerce(claim.c.expires_at, BigInteger) > now_ms),
        "returned": or_(
            and_(cases.c.state == "pending_dispatch", cases.c.dispatched_at.is_not(None)),
            and_(cases.c.state == "reported", cases.c.filed_at.is_not(None)),
            about(request, asks, request.c.kind == "return"),
        ),
        "holders": cases.c.holder_id.is_not(None),
        "urgent": cases.c.priority > 0,
    }
    is_open = cases.c.closed_at.is_(None)
    return {
        name: int(connection.execute(select(func.count()).where(is_open, condition)).scalar_one())
        for name, condition in wanted.items()
    }
