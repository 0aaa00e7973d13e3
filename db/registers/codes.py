"""The codes of areas and components: how long, what they begin with, what they belong to (DOMAIN 1.3)."""

from __future__ import annotations

import re
from collections.abc import Collection

from db.kernel.language import N_
from db.kernel.refusal import Refused

KINDS = ("city", "district", "community", "patrol", "cell")
"""From the largest to the smallest."""
AREAS_WITHOUT_CITY = KINDS[1:]
"""Those of which many tile the ground."""
KIND_LABELS = {
    "city": N_("City"),
    "district": N_("District"),  # zh: 街道/镇
    "community": N_("Community"),  # zh: 社区
    "patrol": N_("Patrol area"),  # zh: 责任网格
    "cell": N_("Cell"),  # zh: 单元网格
}
LENGTHS = {"city": (6,), "district": (9,), "community": (12,), "cell": (15, 14)}
"""Digits; cells have 15, and 14 under CJ/T 213. A patrol area bears whatever code its bureau gives it."""
COMPONENT_LENGTHS = (17, 16)
"""2026: county 6, class 5, number 6; 2013: county 6, class 4, number 6."""
MAX_CODE = 24

_PARENTS = {"district": ("city", 6), "community": ("district", 9), "patrol": ("community", 12),
            "cell": ("community", 12)}  # fmt: skip
_PLAIN = re.compile(r"[0-9A-Za-z_.-]+")


def area_code_fault(kind: str, code: str, county: str = "") -> Refused | None:
    """What is wrong with the code of an area; ``county`` is what all codes of the city begin with."""
    lengths = LENGTHS.get(kind)
    if lengths is None:
        if not _PLAIN.fullmatch(code) or len(code) > MAX_CODE:
            return Refused("bad_code", N_("A code has 1 to 24 letters, digits and hyphens."), given=code)
    else:
        fault = _digits_fault(code, lengths)
        if fault is not None:
            return fault
    return _prefix_fault(code, county)


def component_code_fault(code: str, county: str = "") -> Refused | None:
    """What is wrong with the code of a component."""
    return _digits_fault(code, COMPONENT_LENGTHS) or _prefix_fault(code, county)


def component_class(code: str) -> tuple[str, str]:
    """The list and the class that the code of a component names: 17 digits are of 2026, 16 of 2013."""
    if len(code) == 17:
        return "GB/T 47678.5-2026", code[6:11]
    return "GB/T 30428.2-2013", code[6:10]


def parent_of(kind: str, code: str) -> tuple[str, str] | None:
    """Kind and code of the area that a code belongs to by its first digits; ``None`` for a city."""
    if kind not in _PARENTS:
        return None
    parent, digits = _PARENTS[kind]
    return parent, code[:digits]


def next_code(kind: str, parent_code: str, taken: Collection[str]) -> str:
    """The first free code under a parent: three digits after its own, for a patrol area a hyphen and two.

    Raises ``Refused("codes_used_up")``.
    """
    if kind == "patrol":
        candidates = (f"{parent_code}-{number:02d}" for number in range(1, 100))
    else:
        candidates = (f"{parent_code}{number:03d}" for number in range(1, 1000))
    used = set(taken)
    for code in candidates:
        if code not in used:
            return code
    raise Refused("codes_used_up", N_("All codes under {given} are taken."), given=parent_code)


def _digits_fault(code: str, lengths: tuple[int, ...]) -> Refused | None:
    if code.isascii() and code.isdigit() and len(code) in lengths:
        return None
    return Refused(
        "bad_code",
        N_("The code “{given}” must have {lengths} digits."),
        given=code,
        lengths=" / ".join(map(str, lengths)),
    )


def _prefix_fault(code: str, county: str) -> Refused | None:
    if not county or code.startswith(county):
        return None
    return Refused(
        "foreign_code",
        N_("The code “{given}” is not of this city: it must begin with {county}."),
        given=code,
        county=county,
    )
