"""Which open cases may be the one that is being reported: near by, of late, of the same kind, in like words.

The rules are plain sums that an officer can follow; each candidate says in words why it is shown.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Connection, select, type_coerce

from db.cases.tables import case
from db.engine import settings
from db.kernel.clock import to_ms
from db.kernel.geo import Point, box_around, metres_between
from db.kernel.language import N_, _
from db.registers.tables import category

RADIUS_M, HOURS = 50.0, 24.0
"""What counts as near and as lately while the settings say nothing (DOMAIN 2.3 row 1)."""
LIKELY = 0.6
"""From this score on a case is likely the same; below it, it is worth a look."""
SHOWN = 0.4
"""Below this score nothing is shown."""

_HOUR_MS = 3_600_000
_KIND, _MAJOR, _NEAR, _LATELY, _WORDS, _COMPONENT = 0.30, 0.08, 0.22, 0.08, 0.40, 0.45
_NO_WORDS = 0.5
"""The likeness assumed while nothing has been written yet."""
_FAR_CERTAIN = 5.0
"""Within so many metres nobody can tell two places apart."""


@dataclass(frozen=True)
class Limits:
    """How near and how lately a case must have been reported."""

    radius_m: float = RADIUS_M
    hours: float = HOURS


@dataclass(frozen=True)
class Draft:
    """What is known so far of the report that is being typed."""

    category_id: int | None = None
    lon: float | None = None
    lat: float | None = None
    description: str = ""
    component_id: int | None = None


@dataclass(frozen=True)
class Known:
    """A case that is there already, as far as it matters here."""

    id: int
    number: str
    state: str
    category_id: int
    category: str
    category_en: str
    major: str
    description: str
    address: str
    lon: float | None
    lat: float | None
    component_id: int | None
    reported_at: int
    version: int


@dataclass(frozen=True)
class Duplicate:
    """A case that may be the same, with what speaks for it."""

    case: Known
    score: float
    """0 to 1."""
    metres: float | None
    hours: float
    likeness: float | None
    """Of the words, 0 to 1; ``None`` while one of both has none."""
    reasons: tuple[str, ...]
    """Keys of ``REASONS``."""

    @property
    def is_likely(self) -> bool:
        return self.score >= LIKELY

    def why(self) -> str:
        """The reasons in the reader's language."""
        metres = round(self.metres) if self.metres is not None else 0
        share = round((self.likeness or 0.0) * 100)
        parts = [_(REASONS[key]).format(metres=metres, share=share) for key in self.reasons]
        return " · ".join(parts)


REASONS = {
    "component": N_("same component"),  # zh: 同一部件
    "category": N_("same category"),  # zh: 同一小类
    "major": N_("same major category"),  # zh: 同一大类
    "near": N_("{metres} m away"),  # zh: 相距 {metres} 米
    "words": N_("words alike {share} %"),  # zh: 描述相似 {share}%
}


def limits(connection: Connection) -> Limits:
    """The settings of this database."""
    return Limits(
        float(settings.get(connection, "duplicates.radius_m", RADIUS_M)),
        float(settings.get(connection, "duplicates.hours", HOURS)),
    )


def likeness(one: str, other: str) -> float | None:
    """Dice's coefficient of the pairs of characters of two texts; ``None`` when one has none."""
    first, second = _pairs(one), _pairs(other)
    if not first or not second:
        return None
    common = sum((first & second).values())
    return 2.0 * common / (first.total() + second.total())


def judge(draft: Draft, major: str | None, known: Known, now_ms: int, within: Limits) -> Duplicate | None:
    """How much speaks for ``known`` being what is reported; ``None`` when it is too far, too old or too
    different. ``major`` is the draft's major category.
    """
    hours = (now_ms - known.reported_at) / _HOUR_MS
    same_component = draft.component_id is not None and draft.component_id == known.component_id
    metres = _distance(draft, known)
    if not same_component and (metres is None or metres > within.radius_m or hours > within.hours):
        return None
    same_kind = draft.category_id == known.category_id
    same_major = not same_kind and major is not None and major == known.major
    if draft.category_id is not None and not (same_kind or same_major or same_component):
        return None
    alike = likeness(draft.description, known.description)
    near = 1.0 if metres is None else 1.0 - max(0.0, metres - _FAR_CERTAIN) / within.radius_m
    score = (
        (_COMPONENT if same_component else 0.0)
        + (_KIND if same_kind or draft.category_id is None else _MAJOR if same_major else 0.0)
        + _NEAR * max(0.0, near)
        + _LATELY * max(0.0, 1.0 - hours / within.hours)
        + _WORDS * _weighed(alike)
    )
    if score < SHOWN:
        return None
    reasons = [
        key
        for key, holds in (
            ("component", same_component),
            ("category", same_kind),
            ("major", same_major),
            ("near", metres is not None),
            ("words", alike is not None and alike >= 0.25),
        )
        if holds
    ]
    return Duplicate(known, min(1.0, score), metres, hours, alike, tuple(reasons))


def duplicates(connection: Connection, draft: Draft, now: datetime, limit: int = 5) -> list[Duplicate]:
    """The open cases that may be the one in ``draft``, likeliest first; under 20 ms among 400,000 cases."""
    within = limits(connection)
    now_ms = to_ms(now)
    major = None
    if draft.category_id is not None:
        row = connection.execute(
            select(category.c.standard, category.c.kind, category.c.major).where(
                category.c.id == draft.category_id
            )
        ).first()
        major = _major(row.standard, row.kind, row.major) if row is not None else None
    found = [
        each
        for known in _near(connection, draft, within, now_ms)
        if (each := judge(draft, major, known, now_ms, within)) is not None
    ]
    found.sort(key=lambda each: (-each.score, each.case.number))
    return found[:limit]


def _near(connection: Connection, draft: Draft, within: Limits, now_ms: int) -> Sequence[Known]:
    """Open cases in the box around the point, and those of the same component."""
    c, k = case.c, category.c
    chosen = (
        select(
            c.id, c.number, c.state, c.category_id, k.name, k.name_en, k.standard, k.kind, k.major,
            c.description, c.address, c.lon, c.lat, c.component_id,
            type_coerce(c.reported_at, BigInteger).label("reported_ms"), c.version,
        )
        .join(category, k.id == c.category_id)
        # "merged" is an end state: what went into another case has its ``closed_at``. As a sum, for no index
        # is to answer it: SQLite takes the open cases for few and would read every one of them.
        .where((type_coerce(c.closed_at, BigInteger) + 0).is_(None))
    )  # fmt: skip
    # Two plain index walks; one OR over both would read every open case.
    ways = []
    if draft.lon is not None and draft.lat is not None:
        west, south, east, north = box_around((draft.lon, draft.lat), within.radius_m)
        since = now_ms - round(within.hours * _HOUR_MS)
        ways.append(
            chosen.where(
                c.lon.between(west, east),
                c.lat.between(south, north),
                type_coerce(c.reported_at, BigInteger) >= since,
            )
        )
    if draft.component_id is not None:
        ways.append(chosen.where(c.component_id == draft.component_id))
    known = {row.id: row for way in ways for row in connection.execute(way)}
    return [
        Known(
            row.id, row.number, row.state, row.category_id, row.name, row.name_en,
            _major(row.standard, row.kind, row.major),
            row.description, row.address, row.lon, row.lat, row.component_id, row.reported_ms, row.version,
        )
        for row in known.values()
    ]  # fmt: skip


def _major(standard: str, kind: str, major: str) -> str:
    """The digits alone mean different things in different lists (DOMAIN 0.2)."""
    return f"{standard}|{kind}|{major}"


def _distance(draft: Draft, known: Known) -> float | None:
    if draft.lon is None or draft.lat is None or known.lon is None or known.lat is None:
        return None
    one: Point = (draft.lon, draft.lat)
    return metres_between(one, (known.lon, known.lat))


def _weighed(alike: float | None) -> float:
    # Two people never write the same words: half of the pairs in common is as good as all.
    return _NO_WORDS if alike is None else min(1.0, alike / 0.5)


def _pairs(text: str) -> Counter[str]:
    plain = re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text).lower())
    return Counter(plain[i : i + 2] for i in range(len(plain) - 1))
