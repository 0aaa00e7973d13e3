"""Who acts: the person signed in at a station, with what he or she may do, and where."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Scope:
    """Where a person may act. An empty part binds nothing; what stands in one part adds up, parts narrow.

    ``units`` already holds the units below the ones that were given. Of ``areas`` any level of a case is
    asked (district, community, patrol area, cell), so the areas below a given one need not be listed.
    ``prefixes`` are beginnings of a class: its kind, a space and its code, such as "matter 09".
    """

    areas: frozenset[int] = frozenset()
    units: frozenset[int] = frozenset()
    prefixes: tuple[str, ...] = ()

    @property
    def is_everywhere(self) -> bool:
        """Whether nothing is bound."""
        return not (self.areas or self.units or self.prefixes)

    def lacks(self, areas: Collection[int], units: Collection[int], class_code: str) -> str:
        """The first part that lets something not pass: "area", "unit", "category"; "" when all of them do.

        What lies in no area, or is in no unit's hands, lies in nobody's bound part.
        """
        if self.areas and self.areas.isdisjoint(areas):
            return "area"
        if self.units and self.units.isdisjoint(units):
            return "unit"
        if self.prefixes and not class_code.startswith(self.prefixes):
            return "category"
        return ""


EVERYWHERE = Scope()


@dataclass(frozen=True)
class Actor:
    """A signed-in person; ``permissions`` are the verbs of ``resources/reference/roles.csv``."""

    account_id: int
    name: str
    permissions: frozenset[str] = field(default_factory=frozenset)
    unit_id: int | None = None
    roles: tuple[str, ...] = ()
    scope: Scope = EVERYWHERE
    person_id: int | None = None
    targets: frozenset[int] | None = None
    """The units that cases may be given to, ``db.people.branches.targets``; ``None``: any."""

    def may(self, permission: str) -> bool:
        """Whether the person holds ``permission``; ``*`` holds all."""
        return permission in self.permissions or "*" in self.permissions

    def may_give_to(self, unit_id: int) -> bool:
        """Whether the scope lets the person hand cases to a unit."""
        return self.targets is None or unit_id in self.targets


SYSTEM = Actor(account_id=0, name="system", permissions=frozenset({"*"}))
"""The program itself: imports, the demo generator, timers."""
