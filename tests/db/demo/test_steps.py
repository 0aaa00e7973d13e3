"""The steps of invented cases."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from db.demo.history import CLOSED, HANDLING, MINUTE_MS, Cases
from db.demo.matters import read_mix
from db.demo.steps import Desk, Steps, write_steps

AT = 1_780_000_000_000
DESK = Desk(np.array([0]), np.array([1]), np.array([2]), np.array([3]), np.array([[4, 5]]))


def one_case(**minutes: int) -> Cases:
    """A case of unit 0 with its moments in minutes after the report; everything else is 0."""
    values = {f.name: np.zeros(1, dtype=np.int64) for f in fields(Cases)}
    plain = {"state", "reworks", "moves"}
    for name, value in minutes.items():
        values[name] = np.array([value if name in plain else AT + value * MINUTE_MS], dtype=np.int64)
    values["reported"] = np.array([AT], dtype=np.int64)
    return Cases(**values)


def verbs(cases: Cases) -> list[str]:
    return list(written(cases).verb)


def written(cases: Cases) -> Steps:
    return write_steps(cases, np.array([0]), read_mix(), DESK, np.random.default_rng(1))


def test_a_closed_case_went_the_whole_way() -> None:
    case = one_case(
        state=CLOSED, accepted=3, filed=6, dispatched=9, received=20, handled=90, checked=120, closed=130
    )
    assert verbs(case) == [
        "report", "accept", "register", "dispatch", "receive", "handle", "pass_check", "close",
    ]  # fmt: skip


def test_rework_is_a_failed_check_between_two_hand_backs() -> None:
    case = one_case(
        state=HANDLING, accepted=3, filed=6, dispatched=9, first_handled=60, failed=80, received=95, reworks=1
    )
    assert verbs(case) == [
        "report", "accept", "register", "dispatch", "receive", "handle", "fail_check", "receive",
    ]  # fmt: skip


def test_a_reassigned_case_changed_hands_before_it_was_received() -> None:
    case = one_case(state=HANDLING, accepted=3, filed=6, dispatched=9, received=12, moves=1)
    steps = written(case)
    assert list(steps.verb)[-2:] == ["reassign", "receive"]
    assert (np.diff(steps.at) >= 0).all()
