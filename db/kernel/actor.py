"""Who acts: the person signed in at a station, with what he or she may do."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Actor:
    """A signed-in person; ``permissions`` are the verbs of ``resources/reference/roles.csv``."""

    account_id: int
    name: str
    permissions: frozenset[str] = field(default_factory=frozenset)
    unit_id: int | None = None
    roles: tuple[str, ...] = ()

    def may(self, permission: str) -> bool:
        """Whether the person holds ``permission``; ``*`` holds all."""
        return permission in self.permissions or "*" in self.permissions


SYSTEM = Actor(account_id=0, name="system", permissions=frozenset({"*"}))
"""The program itself: imports, the demo generator, timers."""
