"""Finds cases, open and ended alike, newest first, one page after the other.

Newest means last to come into this database (ids are ordered by time). Each page goes on after the last id of
the one before, so page 1,000 costs as much as page 2.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnClause,
    Connection,
    Select,
    case,
    column,
    func,
    or_,
    select,
    table,
    text,
    type_coerce,
)
from sqlalchemy.sql.elements import ColumnElement

from db.cases.contacts import SEE_PLAIN
from db.cases.queries import HANDED_BACK
from db.cases.tables import case as cases
from db.cases.tables import photo, reporter, step
from db.engine import settings
from db.kernel.actor import Actor
from db.kernel.language import N_, _
from db.kernel.refusal import Refused
from db.people.tables import person, unit
from db.registers.tables import area, category, component
from db.search.index import is_ready
from db.search.rules import (
    ID_TERMS,
    OPEN,
    TEXTS,
    Query,
    Span,
    Word,
    fold,
    like_pattern,
    month_terms,
    prefix_pattern,
    state_term,
    words_of,
)

STRIDE = 60_000
"""How many cases one page looks through at most when no term of the index can lead it."""
LED_STRIDE = 15_000
"""How many cases to which the index has led it one page checks at most against their own rows."""
_MANY = 200
"""More components than this are not meant by a few digits."""
_SHORTEST_CODE = 6

# Neither is in the metadata: one is a virtual table, the other has a type that only a server knows.
_local = table("case_words", column("rowid"))
_served = table("case_words", column("case_id"))


@dataclass(frozen=True)
class Hit:
    """A case that was found, as a list shows it; moments in milliseconds, 0 and ``None`` = none."""

    id: int
    number: str
    state: str
    source: str
    category_id: int
    unit_id: int
    district_id: int
    address: str
    description: str
    has_position: bool
    reported_at: int
    due_at: int
    soon_at: int
    stopped_at: int
    """Handed back or ended; 0 while the disposal clock runs."""
    closed_at: int


@dataclass(frozen=True)
class Page:
    """Some hits. ``next`` is where the search goes on; ``None`` means that there is nothing more.

    A page can be short, even empty, and yet have a ``next``: it had looked through enough for one time.
    """

    hits: tuple[Hit, ...]
    next: int | None


@dataclass(frozen=True)
class Count:
    """How many cases were found: exactly ``number``, or (``is_more``) at least that many."""

    number: int
    is_more: bool


def search(
    connection: Connection,
    query: Query,
    now_ms: int,
    who: Actor,
    *,
    after: int | None = None,
    limit: int = 50,
) -> Page:
    """The next ``limit`` cases after ``after`` (``Page.next`` of the page before; ``None`` = the first).

    Raises ``Refused``: ``not_permitted`` for a telephone number without the right to see contacts,
    ``no_index`` when the index must be made first.
    """
    plan = _Plan.of(connection, query, now_ms, who)
    floor = _floor(connection, plan, after)
    statement = plan.statement(connection, _COLUMNS, after, floor).limit(limit + 1)
    rows = connection.execute(statement).all()
    hits = tuple(_hit(row) for row in rows[:limit])
    if len(rows) > limit:
        return Page(hits, hits[-1].id)
    return Page(hits, floor)


def count(connection: Connection, query: Query, now_ms: int, who: Actor, *, most: int = 1000) -> Count:
    """How many cases ``search`` would find, counted up to ``most``; raises as ``search`` does."""
    plan = _Plan.of(connection, query, now_ms, who)
    floor = _floor(connection, plan, None, STRIDE)
    inner = plan.statement(connection, (cases.c.id,), None, floor).limit(most + 1).subquery()
    found = int(connection.execute(select(func.count()).select_from(inner)).scalar_one())
    return Count(min(found, most), found > most or floor is not None)


@dataclass(frozen=True)
class _Plan:
    """A query in the terms of this database: what the index must hold, and what the rows must show."""

    match: tuple[tuple[tuple[str, ...], ...], ...]
    """All groups; of a group any branch; of a branch all terms."""
    conditions: tuple[ColumnElement[bool], ...]
    is_listed: bool
    """A condition names the cases themselves, so that the database need not walk."""

    @staticmethod
    def of(connection: Connection, query: Query, now_ms: int, who: Actor) -> _Plan:
        if query.phone and not who.may(SEE_PLAIN):
            raise Refused(
                "not_permitted",
                N_("{who} may not do this: {what}."),
                who=who.name,
                what=_("Search by telephone number"),
            )
        if not is_ready(connection):
            raise Refused(
                "no_index",
                N_("The search index has to be made first: “jingwei search --rebuild” does it."),
            )
        match: list[tuple[tuple[str, ...], ...]] = []
        conditions: list[ColumnElement[bool]] = []
        for word in words_of(query.text):
            branches, shown = _word(connection, word)
            if branches:
                match.append(branches)
            if shown is not None:
                conditions.append(shown)
        _add_facts(query, now_ms, match, conditions)
        listed = _listed(connection, query)
        if query.component and not any(_components(connection, query.component)):
            # Too short a code for a list, or nobody's: the walk looks at each case's own component.
            coded = _component_ids(query.component).where(component.c.id == cases.c.component_id)
            conditions.append(coded.correlate(cases).exists())
        return _Plan(tuple(match), (*conditions, *listed), bool(listed))

    def statement(
        self, connection: Connection, columns: Sequence[Any], after: int | None, floor: int | None
    ) -> Select[Any]:
        """Cases in falling order of id, below ``after`` and not below ``floor``."""
        statement = self.walk(connection, columns, after)
        if floor is not None:
            statement = statement.where(self._key(connection) >= floor)
        return statement.where(*self.conditions)

    def walk(self, connection: Connection, columns: Sequence[Any], after: int | None) -> Select[Any]:
        """The way without its conditions; only the ids when no ``columns`` are asked for.

        The index leads, the rows follow; both walk backwards by themselves, so nothing is sorted.
        """
        key = self._key(connection)
        statement = select(*columns) if columns else select(key)
        if self.match and connection.dialect.name == "sqlite":
            terms = _as_fts5(self.match)
            statement = statement.where(text("case_words MATCH :terms").bindparams(terms=terms))
        elif self.match:
            terms = _as_tsquery(self.match)
            statement = statement.where(text("words @@ CAST(:terms AS tsquery)").bindparams(terms=terms))
        if self.match and columns:
            source = _local if connection.dialect.name == "sqlite" else _served
            statement = statement.select_from(source.join(cases, cases.c.id == key))
        if after is not None:
            statement = statement.where(key < after)
        return statement.order_by(key.desc())

    def _key(self, connection: Connection) -> ColumnClause[int] | Column[int]:
        if not self.match:
            return cases.c.id
        return _local.c.rowid if connection.dialect.name == "sqlite" else _served.c.case_id


def _floor(
    connection: Connection, plan: _Plan, after: int | None, led_stride: int = LED_STRIDE
) -> int | None:
    """Where the walk ends for this page; ``None`` when it may go to the end.

    Rows that must be looked at one by one are: of a thousand that the index names all may turn out wrong.
    """
    if plan.is_listed or not plan.conditions:
        return None
    if plan.match and connection.dialect.name != "sqlite":
        # A server gathers all that the index names before it gives the first.
        return None
    statement = plan.walk(connection, (), after).offset(led_stride if plan.match else STRIDE).limit(1)
    return connection.execute(statement).scalar()


def _word(
    connection: Connection, word: Word
) -> tuple[tuple[tuple[str, ...], ...], ColumnElement[bool] | None]:
    """What the index must hold for a word, and what a row must show when the index alone cannot tell."""
    named = _named(connection, word)
    branches: list[tuple[str, ...]] = [
        (f"{ID_TERMS[name]}{key}",) for name, keys in named.items() for key in sorted(keys)
    ]
    if word.terms:
        branches.insert(0, word.terms)
    if word.number_term:
        branches.insert(0, (word.number_term,))
    if word.is_exact:
        return tuple(branches), None
    pattern = like_pattern(word.text)
    shown = [cases.c[name].ilike(pattern, escape="\\") for name in TEXTS]
    shown.append(cases.c.number.ilike(prefix_pattern(word.text), escape="\\"))
    shown += [cases.c[name].in_(sorted(keys)) for name, keys in named.items()]
    return (tuple(branches) if word.terms else ()), or_(*shown)


def _named(connection: Connection, word: Word) -> dict[str, list[int]]:
    """Column of a case → ids whose names the word is part of."""
    pattern = like_pattern(word.text)

    def ids(source: Any, *where: ColumnElement[bool]) -> list[int]:
        c = source.c
        fits = or_(c.name.ilike(pattern, escape="\\"), c.name_en.ilike(pattern, escape="\\"))
        rows = connection.execute(select(c.id, c.name, c.name_en).where(fits, *where)).all()
        # A pattern lets through more than the word when the word has letters beyond ASCII.
        return [key for key, *names in rows if any(word.text in fold(name) for name in names)]

    found = {
        "category_id": ids(category),
        "unit_id": ids(unit),
        "district_id": ids(area, area.c.kind == "district"),
        "community_id": ids(area, area.c.kind == "community"),
        "component_id": _components(connection, word.text),
    }
    return {name: keys for name, keys in found.items() if keys}


def _components(connection: Connection, beginning: str) -> list[int]:
    """The components whose code begins so; none when the beginning says too little."""
    if len(beginning) < _SHORTEST_CODE or not beginning.isdigit() or not beginning.isascii():
        return []
    found = connection.execute(_component_ids(beginning).limit(_MANY + 1)).scalars().all()
    return list(found) if len(found) <= _MANY else []


def _component_ids(beginning: str) -> Select[Any]:
    # A range, not LIKE: only this uses the index of the codes on every database.
    code = component.c.code
    return select(component.c.id).where(code >= beginning, code < beginning + "\U0010ffff")


def _add_facts(
    query: Query,
    now_ms: int,
    match: list[tuple[tuple[str, ...], ...]],
    conditions: list[ColumnElement[bool]],
) -> None:
    for name, keys in (
        ("category_id", query.categories),
        ("unit_id", query.units),
        ("district_id", query.districts),
    ):
        if keys:
            match.append(tuple((f"{ID_TERMS[name]}{key}",) for key in sorted(keys)))
    if query.sources:
        match.append(tuple((f"_f{code}",) for code in sorted(query.sources)))
    if query.states:
        terms = {state_term(code) for code in query.states}
        match.append(tuple((term,) for term in sorted(terms)))
        if OPEN in terms:
            conditions.append(cases.c.state.in_(sorted(query.states)))
    if query.reported is not None:
        conditions += _within("reported_at", query.reported)
        if months := month_terms(query.reported, now_ms):
            match.append(tuple((term,) for term in months))
    if query.closed is not None:
        conditions += _within("closed_at", query.closed)
    if query.overdue:
        conditions.append(_stopped(else_=now_ms) > _raw("due_at"))


def _listed(connection: Connection, query: Query) -> list[ColumnElement[bool]]:
    """The conditions that name cases one by one: their ids are found first, by an index."""
    found: list[ColumnElement[bool]] = []
    if query.component and (ids := _components(connection, query.component)):
        found.append(cases.c.component_id.in_(ids))
    if query.person:
        named = select(person.c.id).where(person.c.name == query.person)
        by_step = select(step.c.case_id).where(step.c.actor_name == query.person)
        if persons := connection.execute(named).scalars().all():
            terms = tuple((f"{ID_TERMS['reporter_person_id']}{key}",) for key in persons)
            reported = _Plan((terms,), (), True).statement(connection, (cases.c.id,), None, None)
            found.append(cases.c.id.in_(by_step.union(reported.order_by(None))))
        else:
            found.append(cases.c.id.in_(by_step))
    if query.phone:
        found.append(cases.c.id.in_(_called_from(connection, query.phone)))
    if query.with_photo:
        found.append(cases.c.id.in_(select(photo.c.case_id)))
    return found


def _called_from(connection: Connection, phone: str) -> Any:
    """The cases of a telephone number; a server finds them itself and gives out no contact."""
    if connection.dialect.name == "postgresql" and settings.get(connection, "server"):
        return select(func.jw_cases_of_phone(phone))
    return select(reporter.c.case_id).where(reporter.c.phone == phone)


def _within(name: str, span: Span) -> Iterable[ColumnElement[bool]]:
    moment = type_coerce(cases.c[name], BigInteger)
    if span[0] is not None:
        yield moment >= span[0]
    if span[1] is not None:
        yield moment < span[1]


def _raw(name: str) -> ColumnElement[Any]:
    return type_coerce(cases.c[name], BigInteger)


def _stopped(else_: int) -> ColumnElement[Any]:
    """When the disposal clock came to stand (``db.cases.queries``), or ``else_`` while it runs."""
    stands = cases.c.state.in_(sorted(HANDED_BACK))
    return func.coalesce(case((stands, func.coalesce(_raw("handled_at"), _raw("closed_at")))), else_)


_COLUMNS = (
    cases.c.id,
    cases.c.number,
    cases.c.state,
    cases.c.source,
    cases.c.category_id,
    cases.c.unit_id,
    cases.c.district_id,
    cases.c.address,
    cases.c.description,
    cases.c.lon,
    _raw("reported_at"),
    _raw("due_at"),
    _raw("soon_at"),
    _stopped(else_=0),
    _raw("closed_at"),
)


def _hit(row: Any) -> Hit:
    unit_id, district_id, address, description, lon = row[5:10]
    facts: list[Any] = [unit_id or 0, district_id or 0, address, description, lon is not None]
    return Hit(*row[:5], *facts, *[moment or 0 for moment in row[10:]])


def _as_fts5(match: Iterable[Iterable[Iterable[str]]]) -> str:
    groups = (
        " OR ".join("(" + " AND ".join(f'"{term}"' for term in branch) + ")" for branch in branches)
        for branches in match
    )
    return " AND ".join(f"({group})" for group in groups)


def _as_tsquery(match: Iterable[Iterable[Iterable[str]]]) -> str:
    groups = (
        " | ".join("(" + " & ".join(f"'{term}'" for term in branch) + ")" for branch in branches)
        for branches in match
    )
    return " & ".join(f"({group})" for group in groups)
