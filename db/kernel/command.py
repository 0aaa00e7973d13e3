"""A command is a frozen dataclass: the button makes it, the bus runs it, the journal names it.

@command("case.reassign", permission="case.dispatch")
@dataclass(frozen=True)
class Reassign: ...
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar

from db.kernel.clock import from_ms, to_ms
from db.kernel.language import N_
from db.kernel.refusal import Refused

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


def registered_commands() -> list[type]:
    """Every command that this program knows by now, by name."""
    return [_by_name[name] for name in sorted(_by_name)]


def command_label(name: str) -> str:
    """The English label of a journal name; the name itself when this program does not know it."""
    cls = _by_name.get(name)
    return str(cls.label) if cls is not None else name  # type: ignore[attr-defined]


def without_private(name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Plain arguments of a command without what a citizen told of himself."""
    private: frozenset[str] = getattr(_by_name.get(name), "private_fields", frozenset())
    return {field: "" if field in private else value for field, value in arguments.items()}


def as_plain(value: Any) -> dict[str, Any]:
    """A command as plain values for the journal and the outbox; moments in milliseconds since 1970 UTC."""
    return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}


def from_plain(name: str, arguments: Mapping[str, Any]) -> Any:
    """The command that ``as_plain`` made plain: the strict way back, also through JSON.

    Fields that came later than the arguments have their defaults. Raises ``Refused``: ``unknown_command`` for
    a name that this program does not know, ``not_arguments`` when a field is missing, unknown or of another
    kind, or cannot be made from plain values at all.
    """
    cls = _by_name.get(name)
    if cls is None:
        raise Refused("unknown_command", N_("This program does not know the command “{name}”."), name=name)
    kinds = _kinds(cls)
    try:
        if unknown := sorted(arguments.keys() - kinds.keys()):
            raise TypeError(f"no field {unknown[0]}")
        return cls(**{field: _made(kinds[field], value) for field, value in arguments.items()})
    except (TypeError, OverflowError) as error:
        raise Refused(
            "not_arguments",
            N_("“{name}” cannot be read: {reason}."),
            name=name,
            reason=str(error),
        ) from error


@cache
def _kinds(cls: type) -> dict[str, Any]:
    hints = typing.get_type_hints(cls)
    return {field.name: hints[field.name] for field in dataclasses.fields(cls)}


def _made(kind: Any, value: Any) -> Any:
    """A plain value as one of a field's kind; raises ``TypeError`` when it is none."""
    if isinstance(kind, types.UnionType):
        if value is None and type(None) in kind.__args__:
            return None
        (kind,) = (each for each in kind.__args__ if each is not type(None))
    if kind is Any:
        return value
    if typing.get_origin(kind) is tuple:
        return _made_tuple(typing.get_args(kind), value)
    if typing.get_origin(kind) is Mapping:
        kind = dict
    make = None
    if kind is datetime:
        kind, make = int, from_ms
    if kind is float and type(value) is int:
        value = float(value)
    if kind not in (int, str, bool, float, dict) or type(value) is not kind:
        raise TypeError(f"{value!r} is not {getattr(kind, '__name__', kind)}")
    return value if make is None else make(value)


def _made_tuple(kinds: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise TypeError(f"{value!r} is not a list")
    if kinds[-1] is Ellipsis:
        kinds = kinds[:1] * len(value)
    if len(kinds) != len(value):
        raise TypeError(f"{len(value)} values where {len(kinds)} belong")
    return tuple(_made(kind, each) for kind, each in zip(kinds, value, strict=True))


def _plain(value: Any) -> Any:
    return to_ms(value) if isinstance(value, datetime) else value
