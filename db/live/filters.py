"""What of the live cases is looked at: a value that screens pass round, show as chips, and store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any

from db.cases.rules import PRIORITIES, REQUESTS, SOURCES, STATES, Light
from db.live.shapes import Ring

Span = tuple[int | None, int | None]
"""From (inclusive) and to (exclusive), in milliseconds; ``None`` = without end."""
Box = tuple[float, float, float, float]
"""West, south, east, north in WGS-84 degrees."""


class Scope(StrEnum):
    """Which part of the store a list shows."""

    OPEN = "open"
    TODAY_CLOSED = "today_closed"
    ALL = "all"


@dataclass(frozen=True)
class Filter:
    """A selection of cases: each part that is set narrows it, an empty part lets everything through.

    Id 0 in a set means "none" (no unit yet, no district). ``slack`` is time left on a running disposal clock,
    so it lets no case through that is not dispatched or handed back. ``arrived``, ``closed`` are moments.
    ``holders`` are persons, ``claimants`` accounts; ``requests`` the kinds that wait for a decision; of
    ``tags`` one is enough. ``mine`` is an account and a person: what the one has claimed or the other holds.
    ``shape`` is drawn on the map.
    """

    states: frozenset[str] = frozenset()
    lights: frozenset[int] = frozenset()
    districts: frozenset[int] = frozenset()
    communities: frozenset[int] = frozenset()
    patrols: frozenset[int] = frozenset()
    cells: frozenset[int] = frozenset()
    units: frozenset[int] = frozenset()
    categories: frozenset[int] = frozenset()
    majors: frozenset[str] = frozenset()
    sources: frozenset[str] = frozenset()
    priorities: frozenset[int] = frozenset()
    holders: frozenset[int] = frozenset()
    claimants: frozenset[int] = frozenset()
    requests: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    supervised: bool = False
    returned: bool = False
    mine: tuple[int, int] | None = None
    slack: Span | None = None
    arrived: Span | None = None
    closed: Span | None = None
    no_position: bool = False
    text: str = ""
    box: Box | None = None
    shape: Ring | None = None
    ids: frozenset[int] | None = None
    scope: Scope = Scope.OPEN

    def without(self, part: str) -> Filter:
        """This filter with one part taken off."""
        return replace(self, **{part: _EMPTY[part]})

    def toggled(self, part: str, value: Any) -> Filter:
        """This filter with a value put into a part, or taken out when it is in it.

        A part that holds one value at most (a span, text, box, ids) takes the value or lets it go.
        """
        held = getattr(self, part)
        if part in SETS:
            return replace(self, **{part: held ^ {value}})
        return replace(self, **{part: _EMPTY[part] if held == value else value})

    def parts(self) -> tuple[tuple[str, tuple[Any, ...]], ...]:
        """The parts that are set, each with its values in order: one chip each. The scope is none."""
        return tuple((part, self._values(part)) for part in PARTS if self.has(part))

    def has(self, part: str) -> bool:
        """Whether a part narrows anything: a text of spaces does not, an empty ``ids`` shuts all out."""
        held = getattr(self, part)
        if part == "text":
            return bool(held.strip())
        if part in SETS:
            return bool(held)
        return held is not None and held is not False

    @property
    def is_empty(self) -> bool:
        """Whether no part is set; the scope may be any."""
        return not any(self.has(part) for part in PARTS)

    def as_plain(self) -> dict[str, Any]:
        """Plain values for a file or a saved view; what is not set is left out."""
        plain: dict[str, Any] = {
            part: sorted(held) if isinstance(held := getattr(self, part), frozenset) else held
            for part in PARTS
            if getattr(self, part) != _EMPTY[part]
        }
        if self.scope is not Scope.OPEN:
            plain["scope"] = self.scope.value
        return plain

    @staticmethod
    def from_plain(plain: Mapping[str, Any]) -> Filter:
        """The filter of ``as_plain``; raises ``ValueError`` for what is no filter."""
        try:
            return Filter(**dict(_read(plain)))
        except (TypeError, KeyError) as error:
            raise ValueError(f"not a filter: {plain!r}") from error

    def _values(self, part: str) -> tuple[Any, ...]:
        held = getattr(self, part)
        return tuple(sorted(held)) if isinstance(held, frozenset) else (held,)


SETS = (
    "states",
    "lights",
    "districts",
    "communities",
    "patrols",
    "cells",
    "units",
    "categories",
    "majors",
    "sources",
    "priorities",
    "holders",
    "claimants",
    "requests",
    "tags",
)
PARTS = tuple(field.name for field in fields(Filter) if field.name != "scope")
EVERYTHING = Filter(scope=Scope.ALL)

_EMPTY: dict[str, Any] = {part: getattr(Filter(), part) for part in PARTS}
_KNOWN: dict[str, frozenset[Any]] = {
    "states": frozenset(STATES),
    "sources": frozenset(SOURCES),
    "lights": frozenset(int(light) for light in Light),
    "priorities": frozenset(PRIORITIES),
    "requests": frozenset(REQUESTS),
}
_WORDS = ("states", "majors", "sources", "requests", "tags")
"""The sets that hold texts; the others hold whole numbers."""
_SPANS = ("slack", "arrived", "closed")


def _read(plain: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for part, value in plain.items():
        if part == "scope":
            yield part, Scope(value)
        elif part in SETS or part == "ids":
            kind = str if part in _WORDS else int
            if isinstance(value, str) or not all(type(one) is kind for one in value):
                raise TypeError(part)
            chosen = frozenset(value)
            if part in _KNOWN and not chosen <= _KNOWN[part]:
                raise TypeError(part)
            yield part, chosen
        elif part in _SPANS:
            low, high = value
            if not all(end is None or type(end) is int for end in (low, high)):
                raise TypeError(part)
            yield part, (low, high)
        elif part == "mine":
            account_id, person_id = value
            if type(account_id) is not int or type(person_id) is not int:
                raise TypeError(part)
            yield part, (account_id, person_id)
        elif part == "shape":
            yield part, tuple((float(lon), float(lat)) for lon, lat in value)
        elif part == "box":
            west, south, east, north = (float(edge) for edge in value)
            yield part, (west, south, east, north)
        else:
            if type(value) is not type(_EMPTY[part]):
                raise TypeError(part)
            yield part, value
