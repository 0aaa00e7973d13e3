"""What the window of accounts asks for and does not know how."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from db.people.queries import AccountBook


@dataclass(frozen=True)
class AccountWork:
    """Both are called off the GUI thread and may raise ``Trouble``."""

    read: Callable[[], AccountBook]
    run: Callable[[Any], object]
    on_server: bool = False
    """Logins, passwords and roles are PostgreSQL's own there, and made by its administrator."""
