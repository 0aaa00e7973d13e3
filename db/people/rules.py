"""Passwords and lock-out (DOMAIN 6.6), and who keeps to the own unit: pure rules."""

from __future__ import annotations

import re
from datetime import timedelta

from db.kernel.language import N_
from db.kernel.refusal import Refused

MAX_FAILURES = 5
LOCK_OUT = timedelta(minutes=15)
MIN_LENGTH = 8


def password_faults(password: str) -> list[Refused]:
    """What is wrong with a new password: at least 8 characters from three classes."""
    faults = []
    if len(password) < MIN_LENGTH:
        faults.append(
            Refused("password_short", N_("A password needs at least {count} characters."), count=MIN_LENGTH)
        )
    classes = (str.islower, str.isupper, str.isdigit, lambda c: not c.isalnum())
    if sum(any(kind(c) for c in password) for kind in classes) < 3:
        faults.append(
            Refused(
                "password_plain",
                N_("A password needs three of: small letters, capital letters, digits, other signs."),
            )
        )
    return faults


PREFIX = re.compile(r"(component|matter)( [0-9]{0,12})?")
"""How the beginning of a class is written: "component", "matter 09"."""


def keeps_to_own_unit(permissions: frozenset[str]) -> bool:
    """Whether who holds these acts only on cases of the own unit: who handles them and gives none out."""
    return "case.handle" in permissions and permissions.isdisjoint({"*", "case.dispatch"})


POSTS = {
    "collector": N_("Collector"),  # zh: 采集员
    "acceptor": N_("Acceptor"),  # zh: 受理员
    "duty_leader": N_("Duty leader"),  # zh: 值班长
    "dispatcher": N_("Dispatcher"),  # zh: 派遣员
    "handler": N_("Handler"),  # zh: 处置人员
    "inspector": N_("Inspector"),  # zh: 督查
    "leader": N_("Leader"),  # zh: 领导
    "wall": N_("Wall display"),  # zh: 大屏
    "administrator": N_("Administrator"),  # zh: 管理员
}
