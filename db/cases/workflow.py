"""The table of allowed moves as a value: from where, by which verb, to where, by whom, with what.

Pure: built from rows of ``resources/reference/transitions.csv`` as the database keeps them (DOMAIN 2.3).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from db.cases.rules import STATES
from db.kernel.actor import Actor
from db.kernel.language import N_, _
from db.kernel.refusal import Refused


class Clock(StrEnum):
    """What a move does to the disposal clock."""

    KEEP = ""
    START = "start"
    STOP = "stop"
    RESTART = "restart"


@dataclass(frozen=True)
class Move:
    """One row of the table."""

    from_state: str
    verb: str
    to_state: str
    permission: str
    needs: frozenset[str]
    clock: Clock


VERB_LABELS = {
    "report": N_("Report"),  # zh: 上报
    "accept": N_("Accept"),  # zh: 受理
    "register": N_("Register"),  # zh: 立案
    "reject": N_("Reject"),  # zh: 不予受理
    "void": N_("Void"),  # zh: 作废
    "dispatch": N_("Dispatch"),  # zh: 派遣
    "reassign": N_("Reassign"),  # zh: 改派
    "receive": N_("Receive"),  # zh: 接收
    "handle": N_("Hand back"),  # zh: 处置完成
    "pass_check": N_("Check passed"),  # zh: 核查通过
    "fail_check": N_("Check failed"),  # zh: 核查不通过
    "close": N_("Close"),  # zh: 结案
    "import": N_("Import"),  # zh: 导入
}


class Workflow:
    """Answers for a case in some state: which verbs are there, and why one is not."""

    def __init__(self, moves: Iterable[Move]) -> None:
        self._moves: Mapping[tuple[str, str], Move] = {(move.from_state, move.verb): move for move in moves}
        self.verbs = sorted({verb for _state, verb in self._moves})

    def move(self, state: str, verb: str, actor: Actor, given: frozenset[str] = frozenset()) -> Move:
        """The move that ``verb`` makes from ``state``.

        Raises ``Refused``: ``wrong_state`` when the table has no such row, ``not_permitted`` when the person
        may not, ``needed`` when something the row asks for is not ``given`` (unit, reason, condition, note).
        """
        move = self._moves.get((state, verb))
        if move is None:
            raise Refused(
                "wrong_state",
                N_("“{verb}” is not possible while the case is at “{state}”."),
                verb=_(VERB_LABELS.get(verb, verb)),
                state=_(STATES[state].label) if state in STATES else state,
            )
        if not actor.may(move.permission):
            raise Refused(
                "not_permitted",
                N_("{who} may not do this: {what}."),
                who=actor.name,
                what=_(VERB_LABELS.get(verb, verb)),
            )
        missing = sorted(move.needs - given)
        if missing:
            raise Refused(
                "needed", NEED_MESSAGES.get(missing[0], N_("Something is missing: {what}.")), what=missing[0]
            )
        return move

    def allowed(self, state: str, actor: Actor) -> list[Move]:
        """The moves that this person may make from ``state``."""
        return [m for (s, _verb), m in sorted(self._moves.items()) if s == state and actor.may(m.permission)]


NEED_MESSAGES = {
    "unit": N_("Name the unit that is to handle it."),
    "reason": N_("A reason is required."),
    "condition": N_("Choose the filing condition; it sets the limit."),
    "note": N_("Write what was done."),
}
