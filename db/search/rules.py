"""What of a case is searched, cut into terms, and what a person looks for, cut the same way.

Chinese text becomes pairs of neighbouring characters (井盖破损: 井盖 盖破 破损), so that a word of two
characters is one term and needs no dictionary. A run of letters or digits becomes its own beginnings. Facts
to filter by (class, unit, state …) are terms too; they begin with "_", which no text does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from operator import add, itemgetter
from typing import Any

from db.cases.rules import STATES
from db.kernel.clock import from_ms

EDITION = 1
"""The way of cutting. An index made by another edition is made anew before it is used."""

TEXTS = ("address", "description", "foreign_number")
WRITTEN = ("number", *TEXTS)
"""What is written about a case; everything else are facts."""
_written = itemgetter(*WRITTEN)
READ = (
    *WRITTEN,
    "state",
    "source",
    "category_id",
    "unit_id",
    "district_id",
    "community_id",
    "component_id",
    "reporter_person_id",
    "reported_at",
)
"""The columns of a case that its terms are made of."""

RUN_LENGTHS = (1, 2, 3, 4, 5, 6, 7, 8, 11, 14)
"""Beginnings of a run that are terms; what is longer or between is checked against the text itself."""
_BEGINNINGS = [[length for length in RUN_LENGTHS if length <= size] for size in range(RUN_LENGTHS[-1] + 1)]
"""By the size of a run, the lengths of its beginnings."""
NUMBER_LENGTHS = (6, 8, 11, 14)
"""Month, day, station and block of a thousand of a case number (20260316 001 000123)."""

ID_TERMS = {
    "category_id": "_c",
    "unit_id": "_u",
    "district_id": "_d",
    "community_id": "_q",
    "component_id": "_k",
    "reporter_person_id": "_p",
}
"""How the term of an id begins."""
OPEN = "_open"

Span = tuple[int | None, int | None]
"""From (inclusive) and to (exclusive), in milliseconds; ``None`` = without end."""

# Chinese, Japanese, Korean and what comes after them is cut into pairs, everything before into runs.
_PAIRED = re.compile("[^\\W_\u0000-\u2e7f]+")
_RUN = re.compile("[^\\W_\u2e80-\U0010ffff]+")
_ASKED = re.compile(r'"([^"]*)"|“([^”]*)”|([^\s"“]+)|["“]')


@dataclass(frozen=True)
class Query:
    """What is looked for: every part that is set narrows it. ``text`` are words that must all be there, each
    in the texts of the case or in the name of its class, unit, street office or community; "several words"
    between quotation marks are one. ``component`` is a component's code or its beginning, ``person`` the name
    of somebody who reported the case or did a step of it, ``phone`` a reporter's number.
    """

    text: str = ""
    states: frozenset[str] = frozenset()
    categories: frozenset[int] = frozenset()
    units: frozenset[int] = frozenset()
    districts: frozenset[int] = frozenset()
    sources: frozenset[str] = frozenset()
    reported: Span | None = None
    closed: Span | None = None
    component: str = ""
    person: str = ""
    phone: str = ""
    overdue: bool = False
    with_photo: bool = False


@dataclass(frozen=True)
class Word:
    """One thing to find. ``terms`` must all be in the index; they alone decide when ``is_exact``.

    A word without terms (a single character) can only be found by looking at the texts themselves.
    """

    text: str
    terms: tuple[str, ...]
    number_term: str
    """The term of a case number that begins like this word, "" when none can."""
    is_exact: bool


def fold(text: str) -> str:
    """Text as it is compared: lower case."""
    return text.lower()


def terms_of(row: Mapping[str, Any]) -> frozenset[str]:
    """All terms of a case; moments may be datetimes or milliseconds, columns may be missing."""
    return text_terms(row) | fact_terms(row)


def text_terms(row: Mapping[str, Any]) -> frozenset[str]:
    """The terms of what is written about a case, its number among it."""
    text = fold("\n".join([value for column in TEXTS if (value := row.get(column))]))
    found: set[str] = set()
    for piece in _PAIRED.findall(text):
        found.update(map(add, piece, piece[1:]))
    for run in _RUN.findall(text):
        found.update([run[:length] for length in _BEGINNINGS[min(len(run), RUN_LENGTHS[-1])]])
    if number := _RUN.match(fold(row["number"])):
        found.update([f"_n{number[0][:length]}" for length in NUMBER_LENGTHS if length <= len(number[0])])
    return frozenset(found)


def fact_terms(row: Mapping[str, Any]) -> frozenset[str]:
    """The terms of the facts to filter by; an id may be missing."""
    return frozenset([term for column, term_of in _FACTS if (term := term_of(row.get(column)))])


def changed_terms(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[set[str], set[str]]:
    """The terms that a case loses and those that it wins; only what changed is cut. The rows are whole."""
    gone: set[str] = set()
    come: set[str] = set()
    for column, term_of in _FACTS:
        was, now = before[column], after[column]
        if was != now:
            gone.add(term_of(was))
            come.add(term_of(now))
    if _written(before) != _written(after):
        gone |= text_terms(before)
        come |= text_terms(after)
    kept = {"", *(gone & come)}
    return gone - kept, come - kept


def state_term(state: str) -> str:
    """The term of a state: one for all open ones, since cases wander among them, and one for each end."""
    known = STATES.get(state)
    return OPEN if known is not None and known.open else f"_s{state}"


def month_term(moment: datetime | int) -> str:
    """The term of the month (UTC) of a moment."""
    at = from_ms(moment) if isinstance(moment, int) else moment
    return f"_m{at.year * 12 + at.month}"


def _id_term(mark: str) -> Callable[[int | None], str]:
    return lambda key: f"{mark}{key}" if key else ""


_FACTS: tuple[tuple[str, Callable[[Any], str]], ...] = (
    *((column, _id_term(mark)) for column, mark in ID_TERMS.items()),
    ("source", lambda source: f"_f{source}"),
    ("state", state_term),
    ("reported_at", month_term),
)
"""By column, what makes a term of a fact, "" for none; no two columns have a term in common."""


def month_terms(span: Span, now_ms: int) -> tuple[str, ...]:
    """The terms of all months that a stretch of time touches; none when there would be very many."""
    if span[0] is None:
        return ()
    first, last = from_ms(span[0]), from_ms(max(span[0], span[1] if span[1] is not None else now_ms))
    low, high = first.year * 12 + first.month, last.year * 12 + last.month
    return tuple(f"_m{month}" for month in range(low, high + 1)) if high - low < 36 else ()


def words_of(text: str) -> tuple[Word, ...]:
    """The words of what was typed, in their order; each once."""
    asked = dict.fromkeys(
        " ".join(fold(part).split())
        for found in _ASKED.finditer(text)
        if (part := next((group for group in found.groups() if group), ""))
    )
    return tuple(_word(part) for part in asked if part)


def like_pattern(text: str) -> str:
    """``text`` somewhere inside, as a pattern for LIKE … ESCAPE '\\'.

    Databases fold only the letters of ASCII; any other letter that has a case stands for any character, which
    is safe since the terms were found before.
    """
    return f"%{_escaped(text)}%"


def prefix_pattern(text: str) -> str:
    """``text`` at the beginning, as a pattern for LIKE … ESCAPE '\\'."""
    return f"{_escaped(text)}%"


def _escaped(text: str) -> str:
    return "".join(
        f"\\{c}" if c in "%_\\" else "_" if not c.isascii() and c.lower() != c.upper() else c for c in text
    )


def _word(text: str) -> Word:
    terms: dict[str, None] = {}
    for piece in _PAIRED.findall(text):
        terms.update(dict.fromkeys(a + b for a, b in pairwise(piece)))
    runs = _RUN.findall(text)
    terms.update(dict.fromkeys(_beginning(run, RUN_LENGTHS) for run in runs))
    is_run = runs == [text]
    is_pair = len(text) == 2 and _PAIRED.fullmatch(text) is not None
    number_term = f"_n{_beginning(text, NUMBER_LENGTHS)}" if is_run and len(text) >= 6 else ""
    whole = len(text) in RUN_LENGTHS and (len(text) < 6 or len(text) in NUMBER_LENGTHS)
    return Word(text, tuple(terms), number_term, is_pair or (is_run and whole))


def _beginning(run: str, lengths: tuple[int, ...]) -> str:
    return run[: max(length for length in lengths if length <= len(run))]
