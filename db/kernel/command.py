"""A command is a frozen dataclass: the button makes it, the bus runs it, the journal names it.

@command("case.reassign", permission="case.dispatch")
@dataclass(frozen=True)
class Reassign: ...
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from db.kernel.clock import to_ms

T = TypeVar("T", bound=type)

_by_name: dict[str, type] = {}
_lasting: set[str] = set()


class Reach(StrEnum):
    """Where a command is carried out when a station works for a server."""

    BOTH = "both"
    """At once here, then on the server."""
    SERVER = "server"
    """On the server only: what nobody can decide for himself, such as who came first."""
    HERE = "here"
    """In this file only."""


def command(
    name: str, *, permission: str, label: str, lasting: bool = False, reach: Reach = Reach.BOTH
) -> Callable[[T], T]:
    """Give a frozen dataclass its ``name`` in the journal, the ``permission`` it needs, its marked ``label``.

    What is ``lasting`` cannot be undone: it is itself a record of what happened.
    """

    def mark(cls: T) -> T:
        if lasting:
            _lasting.add(name)
        cls.command_name = name  # type: ignore[attr-defined]
        cls.permission = permission  # type: ignore[attr-defined]
        cls.label = label  # type: ignore[attr-defined]
        cls.reach = reach  # type: ignore[attr-defined]
        if _by_name.setdefault(name, cls) is not cls:
            raise ValueError(f"two commands are called {name}")
        return cls

    return mark


def command_name(cls: type) -> str:
    """The name under which the journal keeps a command."""
    return str(cls.command_name)  # type: ignore[attr-defined]


def lasting_commands() -> frozenset[str]:
    """The journal names of the commands that undo passes by."""
    return frozenset(_lasting)


def reach_of(command: object) -> Reach:
    """Where a command is carried out; what is no command (a test's own) stays in this file."""
    return getattr(type(command), "reach", Reach.HERE)


def command_permissions() -> dict[str, str]:
    """The permission that each known command needs, by its journal name."""
    return {name: str(cls.permission) for name, cls in _by_name.items()}  # type: ignore[attr-defined]


def command_label(name: str) -> str:
    """The English label of a journal name; the name itself when this program does not know it."""
    cls = _by_name.get(name)
    return str(cls.label) if cls is not None else name  # type: ignore[attr-defined]


def as_plain(value: Any) -> dict[str, Any]:
    """A command as plain values for the journal and the outbox; moments in milliseconds since 1970 UTC."""
    return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}


def _plain(value: Any) -> Any:
    return to_ms(value) if isinstance(value, datetime) else value
