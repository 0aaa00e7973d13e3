"""``jingwei search``: find cases in all of history, open and ended."""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from db.bootstrap import Core, city_facts, open_core
from db.cases.rules import SOURCES, STATES
from db.kernel.actor import SYSTEM
from db.kernel.clock import from_ms, to_ms
from db.kernel.language import N_, _, language
from db.kernel.refusal import Refused
from db.people.tables import unit
from db.registers.tables import area, category
from db.search.index import is_ready, rebuild
from db.search.queries import Count, Hit, count, search
from db.search.rules import Query, Span

_NAMED = {"class": category, "unit": unit, "district": area}


def add(verbs: Any) -> None:
    """Declare the verb."""
    parser: argparse.ArgumentParser = verbs.add_parser("search", help=_("find cases in all of history"))
    parser.add_argument("words", nargs="*", help=_('all must be there; "several words" are one'))
    parser.add_argument("--state", action="append", default=[], choices=sorted(STATES))
    parser.add_argument("--source", action="append", default=[], choices=sorted(SOURCES))
    parser.add_argument("--class", action="append", default=[], metavar="NAME", help=_("name or code"))
    parser.add_argument("--unit", action="append", default=[], metavar="NAME", help=_("name or code"))
    parser.add_argument("--district", action="append", default=[], metavar="NAME", help=_("name or code"))
    parser.add_argument("--since", type=_day, metavar="DAY", help=_("reported on this day or later"))
    parser.add_argument("--until", type=_day, metavar="DAY", help=_("reported on this day or earlier"))
    parser.add_argument("--component", default="", metavar="CODE", help=_("code or its beginning"))
    parser.add_argument("--person", default="", metavar="NAME", help=_("who reported it or did a step of it"))
    parser.add_argument("--overdue", action="store_true")
    parser.add_argument("--photo", action="store_true", help=_("has a photo"))
    parser.add_argument("--limit", type=_limit, default=20, metavar="N")
    parser.add_argument("--rebuild", action="store_true", help=_("make the index anew first"))
    parser.add_argument("--db", metavar="URL", default=None)
    parser.add_argument("--json", action="store_true")


def run(arguments: argparse.Namespace) -> int:
    """Make the index when it is not there yet, search, print; exit code 1 when nothing was found."""
    core = open_core(arguments.db)
    try:
        with core.database.read() as connection:
            is_made = is_ready(connection)
        if arguments.rebuild or not is_made:
            _rebuild(core)
        if arguments.rebuild and not _asks(arguments):
            return 0
        facts = city_facts(core)
        now_ms = to_ms(core.clock.now())
        with core.database.read() as connection:
            query = _query(connection, arguments, ZoneInfo(facts.zone))
            hits, is_all = _first(connection, query, now_ms, arguments.limit)
            found = Count(len(hits), False) if is_all else count(connection, query, now_ms, SYSTEM)
            names = _class_names(connection)
    finally:
        core.close()
    zone = ZoneInfo(facts.zone)
    if arguments.json:
        plain = [asdict(hit) | {"class": names[hit.category_id]} for hit in hits]
        print(json.dumps({"count": found.number, "more": found.is_more, "hits": plain}, ensure_ascii=False))
    else:
        for hit in hits:
            day = from_ms(hit.reported_at).astimezone(zone)
            state = _(STATES[hit.state].label) if hit.state in STATES else hit.state
            print(f"{hit.number}  {day:%Y-%m-%d}  {names[hit.category_id]}  {hit.address}  {state}")
        if found.is_more:
            print(_("more than {count} cases").format(count=f"{found.number:,}"))
        else:
            print(_("{count} cases").format(count=f"{found.number:,}"))
    return 0 if hits else 1


def _rebuild(core: Core) -> None:
    began = time.monotonic()
    shown = sys.stderr.isatty()

    def tell(done: int, total: int) -> None:
        if shown:
            line = _("Making the search index … {percent} %").format(percent=100 * done // max(total, 1))
            print(f"\r{line}", end="", file=sys.stderr, flush=True)

    done = rebuild(core.database, tell)
    if shown:
        print("\r\x1b[K", end="", file=sys.stderr)
    print(
        _("The search index was made anew: {count} cases in {seconds} s.").format(
            count=f"{done:,}", seconds=f"{time.monotonic() - began:.1f}"
        ),
        file=sys.stderr,
    )


def _asks(arguments: argparse.Namespace) -> bool:
    names = ("words", "state", "source", "class", "unit", "district", "since", "until", "component", "person")
    return any(getattr(arguments, name) for name in (*names, "overdue", "photo"))


def _first(connection: Connection, query: Query, now_ms: int, limit: int) -> tuple[list[Hit], bool]:
    hits: list[Hit] = []
    page = search(connection, query, now_ms, SYSTEM, limit=limit)
    hits += page.hits
    while len(hits) < limit and page.next is not None:
        page = search(connection, query, now_ms, SYSTEM, after=page.next, limit=limit - len(hits))
        hits += page.hits
    return hits, page.next is None


def _query(connection: Connection, arguments: argparse.Namespace, zone: ZoneInfo) -> Query:
    reported: Span | None = None
    if arguments.since or arguments.until:
        reported = (
            _midnight(arguments.since, zone) if arguments.since else None,
            _midnight(arguments.until + timedelta(days=1), zone) if arguments.until else None,
        )
    ids = {name: _ids(connection, name, getattr(arguments, name)) for name in _NAMED}
    return Query(
        # The shell has taken the quotation marks away: what came as one argument is one thing to find.
        text=" ".join(f'"{word}"' if " " in word and '"' not in word else word for word in arguments.words),
        states=frozenset(arguments.state),
        categories=ids["class"],
        units=ids["unit"],
        districts=ids["district"],
        sources=frozenset(arguments.source),
        reported=reported,
        component=arguments.component,
        person=arguments.person,
        overdue=arguments.overdue,
        with_photo=arguments.photo,
    )


def _ids(connection: Connection, kind: str, names: list[str]) -> frozenset[int]:
    source = _NAMED[kind]
    found: set[int] = set()
    for name in names:
        fits = (source.c.name == name) | (source.c.name_en == name) | (source.c.code == name)
        statement = select(source.c.id).where(fits)
        if source is area:
            statement = statement.where(area.c.kind == "district")
        ids = connection.execute(statement).scalars().all()
        if not ids:
            raise Refused("no_such_name", N_("There is no {kind} called “{name}”."), kind=kind, name=name)
        found.update(ids)
    return frozenset(found)


def _class_names(connection: Connection) -> dict[int, str]:
    chinese = language() == "zh_CN"
    rows = connection.execute(select(category.c.id, category.c.name, category.c.name_en))
    return {row.id: row.name if chinese else row.name_en or row.name for row in rows}


def _midnight(day: date, zone: ZoneInfo) -> int:
    return to_ms(datetime(day.year, day.month, day.day, tzinfo=zone))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            _("“{text}” is no day; write 2026-03-16").format(text=text)
        ) from None


def _limit(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 100_000:
        raise argparse.ArgumentTypeError(_("between 1 and 100,000"))
    return number
