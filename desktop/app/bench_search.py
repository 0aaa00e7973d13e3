"""``jingwei bench search``: how long the first page, a later page and the count take over all of history."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator

from db.bootstrap import open_core
from db.kernel.actor import SYSTEM
from db.kernel.language import N_
from db.kernel.refusal import Refused
from db.search.queries import Page
from db.search.rules import Query
from desktop.app.figures import Line, line
from desktop.app.searching import search_work
from desktop.search.window import SearchWork

PAGE_MS = 50.0
_ROUNDS = 60
_LATER = 10


def search(arguments: argparse.Namespace) -> Iterator[Line]:
    """Words that are rare and words that are everywhere; goals are for the slower end (p95)."""
    core = open_core(arguments.db)
    try:
        work = search_work(core, SYSTEM)
        if not work.is_ready():
            began = time.perf_counter()
            made = work.make_index(lambda _done, _total: None)
            yield line(N_("cases indexed"), made, "")
            yield line(N_("index made"), time.perf_counter() - began, "s")
        yield from _pages(work, max(arguments.runs, _ROUNDS))
    finally:
        core.close()


def _pages(work: SearchWork, rounds: int) -> Iterator[Line]:
    newest = work.find(Query(), None).hits
    if not newest:
        raise Refused("no_cases", N_("There is no case to look for."))
    street = next((hit.address[:3] for hit in newest if len(hit.address) > 3), "路")
    asked = {
        N_("a word of two characters"): Query("井盖"),
        N_("a street"): Query(street),
        N_("a street and a word"): Query(f"{street} 井盖"),
        N_("a case number"): Query(newest[0].number),
        N_("a word that is everywhere"): Query("路面"),
        N_("a word that is nowhere"): Query("鼉鼈"),
        N_("a single character"): Query("路"),
        N_("a word and overdue"): Query("井盖", overdue=True),
        N_("closed, of one class"): Query(
            states=frozenset({"closed"}), categories=frozenset({newest[0].category_id})
        ),
    }
    for what, query in asked.items():
        times = sorted(_timed(lambda query=query: work.find(query, None)) for _round in range(rounds))
        yield line(what, times[len(times) // 2], "ms p50")
        yield line(what, times[int(len(times) * 0.95)], "ms p95", PAGE_MS)
    yield line(N_("a later page"), max(_later(work, Query("路面"))), "ms max", PAGE_MS)
    yield line(N_("how many there are"), _timed(lambda: work.count(Query("井盖"))), "ms")


def _later(work: SearchWork, query: Query) -> Iterator[float]:
    page: Page = work.find(query, None)
    yield 0.0
    for _page in range(_LATER):
        if page.next is None:
            return
        began = time.perf_counter()
        page = work.find(query, page.next)
        yield (time.perf_counter() - began) * 1000


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000
