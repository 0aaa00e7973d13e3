"""What this computer remembers: layout, theme, language; typed, described and checked in one place."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QByteArray, QObject, QSettings, Signal

T = TypeVar("T")


@dataclass(frozen=True)
class Preference(Generic[T]):
    """A key, its default, and the values that are allowed: a choice, or numbers between two ends."""

    key: str
    default: T
    choices: tuple[T, ...] = ()
    """Empty: any of the type."""
    ends: tuple[T, T] | None = None
    """The least and the greatest number."""

    def checked(self, value: Any) -> T:
        """``value`` as this preference, or the default when it is none."""
        kind = type(self.default)
        try:
            # QSettings gives text back from an ini file.
            made = value in (True, "true", "True", "1") if kind is bool else kind(value)  # type: ignore[call-arg]
        except (TypeError, ValueError):
            return self.default
        if self.ends is not None and not self.ends[0] <= made <= self.ends[1]:  # type: ignore[operator]
            return self.default
        return made if not self.choices or made in self.choices else self.default


THEME = Preference("look/theme", "dark", ("dark", "light"))
LANGUAGE = Preference("look/language", "", ("", "zh_CN", "en"))
DENSE = Preference("look/dense_rows", False)
LOGIN = Preference("signin/login", "")
SERVER = Preference("signin/server", "")
"""The address of the server, never with a name or a password; "" = this computer alone."""
ORDER = Preference("queue/order", "slack")
DESCENDING = Preference("queue/descending", False)
COLUMNS = Preference("queue/columns", "")
RECENT = Preference("palette/recent", "")
WALL_DISTANCE = Preference("wall/distance_m", 6.0, ends=(0.5, 60.0))


class Preferences(QObject):
    """Reads and writes preferences of this computer's user; a bad value reads as the default."""

    changed = Signal(str)

    def __init__(self, settings: QSettings | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings = settings or QSettings(
            QSettings.Format.IniFormat, QSettings.Scope.UserScope, "jingwei", "jingwei"
        )

    def get(self, preference: Preference[T]) -> T:
        """The value in force."""
        return preference.checked(self._settings.value(preference.key, preference.default))

    def put(self, preference: Preference[T], value: T) -> None:
        """Remember a value and tell whoever follows it."""
        self._settings.setValue(preference.key, preference.checked(value))
        self.changed.emit(preference.key)

    def layout(self, name: str) -> QByteArray:
        """The saved state of a splitter or window; empty when there is none."""
        value = self._settings.value(f"layout/{name}")
        return value if isinstance(value, QByteArray) else QByteArray()

    def keep_layout(self, name: str, state: QByteArray) -> None:
        """Remember the state of a splitter or window."""
        self._settings.setValue(f"layout/{name}", state)

    def flush(self) -> None:
        """Write to disk now."""
        self._settings.sync()


def passing() -> Preferences:
    """What nobody has chosen and nobody keeps: of a picture or a measurement.

    Below a thing that is no folder nothing can be made. The null device itself will not do: Qt puts a file in
    the place of what it writes, and whoever runs it as root would have none any more.
    """
    return Preferences(QSettings(str(Path(os.devnull) / "nothing"), QSettings.Format.IniFormat))
