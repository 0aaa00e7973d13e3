"""What the tests of the registers share."""

from __future__ import annotations

from dataclasses import dataclass

from db.kernel.command import command


@command("test.redraw", permission="test", label="Redraw")
@dataclass(frozen=True)
class Redraw:
    """Stands in for whatever changes the areas."""
