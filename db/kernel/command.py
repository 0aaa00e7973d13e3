"""A command is a frozen dataclass: the button makes it, the bus runs it, the journal names it.

@command("case.reassign", permission="case.dispatch")
@dataclass(frozen=True)
class Reassign: ...
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T", bound=type)

_by_name: dict[str, type] = {}


def command(name: str, *, permission: str, label: str) -> Callable[[T], T]:
    """Give a frozen dataclass its ``name`` in the journal, the ``permission`` it needs and a ``label``."""

    def mark(cls: T) -> T:
        cls.command_name = name  # type: ignore[attr-defined]
        cls.permission = permission  # type: ignore[attr-defined]
        cls.label = label  # type: ignore[attr-defined]
        if _by_name.setdefault(name, cls) is not cls:
            raise ValueError(f"two commands are called {name}")
        return cls

    return mark


def command_name(cls: type) -> str:
    """The name under which the journal keeps a command."""
    return str(cls.command_name)  # type: ignore[attr-defined]


def command_label(name: str) -> str:
    """The English label of a journal name; the name itself when this program does not know it."""
    cls = _by_name.get(name)
    return str(cls.label) if cls is not None else name  # type: ignore[attr-defined]


def as_plain(value: Any) -> dict[str, Any]:
    """A command as plain values for the journal and the outbox."""
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
