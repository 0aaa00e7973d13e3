"""Keys as data: which key does what, grouped by where it works, for the sheet of keys and the tests."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from PySide6.QtGui import QKeySequence

from desktop.core.actions import Act


@dataclass(frozen=True)
class Key:
    """A key and the marked English words for what it does; without a key it is reached by the palette."""

    keys: str
    words: str


@dataclass(frozen=True)
class KeyGroup:
    """The keys of one place: none of them stands twice in it. ``title`` is marked English."""

    title: str
    rows: tuple[Key, ...]


def keys_of(acts: Iterable[Act]) -> tuple[Key, ...]:
    """The keys of acts, those without one last."""
    rows = [Key(printed(act.keys), act.title) for act in acts]
    return tuple(sorted(rows, key=lambda row: not row.keys))


def printed(keys: str) -> str:
    """A key sequence as this platform prints it."""
    return QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)
