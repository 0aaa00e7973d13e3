"""What the intake asks for and does not know how: questions and the two ways in which a report is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from db.cases.commands.intake import Report
from db.cases.duplicates import Draft, Duplicate
from db.registers.queries import CategoryValue, ComponentNear, ConditionValue


@dataclass(frozen=True)
class Spot:
    """A point that the typed place may mean (WGS-84), with the pair it was made from when there was one."""

    name: str
    lon: float
    lat: float
    within_m: float
    sure: float = 1.0
    is_whole: bool = True
    """False: a name that only begins like what was typed."""
    is_coarse: bool = False
    original_x: float | None = None
    original_y: float | None = None
    datum: str | None = None
    """Of typed coordinates; ``None`` for an address."""


@dataclass(frozen=True)
class Surroundings:
    """What follows from a point: the names of its areas ("" where there is none) and what stands near by."""

    district: str
    community: str
    patrol: str
    cell: str
    unit: str = ""
    """Who answers for the place."""
    components: tuple[ComponentNear, ...] = ()
    hours: str = ""
    """What the rules of the time of day say of such a report here and now."""


@dataclass(frozen=True)
class Filed:
    """A report that was written: the new case, and the one that it went into when it was joined."""

    case_id: int
    number: str
    joined: str = ""


@dataclass(frozen=True)
class IntakeWork:
    """All are called off the GUI thread and may raise ``Trouble``."""

    categories: Callable[[str], list[CategoryValue]]
    conditions: Callable[[int], list[ConditionValue]]
    places: Callable[[str, str], list[Spot]]
    """What was typed, and the frame of degrees."""
    around: Callable[[float, float, int | None], Surroundings]
    """Longitude, latitude, class."""
    duplicates: Callable[[Draft], list[Duplicate]]
    report: Callable[[Report], Filed]
    join: Callable[[Report, int], Filed]
    """Report, and the case that it goes into."""
