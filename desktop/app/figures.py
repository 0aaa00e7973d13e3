"""What a bench says: a figure and the goal it is held against."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """One figure; ``goal`` is what it may not exceed (``None`` = for information), ``ok``: it holds."""

    what: str
    value: float
    unit: str
    goal: float | None
    ok: bool | None


def line(what: str, value: float, unit: str, goal: float | None = None) -> Line:
    """A figure held against its goal."""
    return Line(what, round(value, 3), unit, goal, None if goal is None else value <= goal)
