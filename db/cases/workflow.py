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
    PAUSE = "pause"
    RESUME = "resume"


PREVIOUS = "previous"
"""The place of a move that leads back to the state which the case had before its last one."""


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
    "send_verify": N_("Send to verify"),  # zh: 发核实
    "verify_true": N_("Verified: true"),  # zh: 核实属实
    "verify_false": N_("Verified: not true"),  # zh: 核实不实
    "send_back": N_("Send back"),  # zh: 退回受理
    "add_helper": N_("Add helping unit"),  # zh: 增加协办
    "ask_return": N_("Ask for return"),  # zh: 申请回退
    "grant_return": N_("Grant return"),  # zh: 准予回退
    "refuse_return": N_("Refuse return"),  # zh: 不准回退
    "ask_postpone": N_("Ask for postponement"),  # zh: 申请延期
    "grant_postpone": N_("Grant postponement"),  # zh: 准予延期
    "refuse_postpone": N_("Refuse postponement"),  # zh: 不准延期
    "ask_suspend": N_("Ask for suspension"),  # zh: 申请挂账
    "grant_suspend": N_("Grant suspension"),  # zh: 准予挂账
    "refuse_suspend": N_("Refuse suspension"),  # zh: 不准挂账
    "ask_appeal": N_("Appeal"),  # zh: 申诉
    "grant_appeal": N_("Grant appeal"),  # zh: 准予申诉
    "refuse_appeal": N_("Refuse appeal"),  # zh: 驳回申诉
    "confirm_appeal": N_("Confirm appeal"),  # zh: 复核准予申诉
    "overrule_appeal": N_("Overrule appeal"),  # zh: 复核驳回申诉
    "withdraw": N_("Withdraw request"),  # zh: 撤回申请
    "resume": N_("Resume"),  # zh: 恢复处置
    "send_check": N_("Send to check"),  # zh: 发核查
    "force_close": N_("Close by force"),  # zh: 强制结案
    "supervise": N_("Supervise"),  # zh: 督办
    "answer_order": N_("Answer order"),  # zh: 督办回复
    "urge": N_("Urge"),  # zh: 催办
    "merge": N_("Merge"),  # zh: 并案
    "unmerge": N_("Take out again"),  # zh: 撤销并案
    "take_over": N_("Take over"),  # zh: 接手
    "joined": N_("Report joined"),  # zh: 并入重复案件
    "split": N_("Split"),  # zh: 拆分子案件
    "set_priority": N_("Set priority"),  # zh: 调整紧急程度
    "tag": N_("Tag"),  # zh: 添加标签
    "untag": N_("Remove tag"),  # zh: 移除标签
    "import": N_("Import"),  # zh: 导入
    "place": N_("Move on the map"),  # zh: 移位
}


class Workflow:
    """Answers for a case in some state: which verbs are there, and why one is not."""

    def __init__(self, moves: Iterable[Move]) -> None:
        self._moves: Mapping[tuple[str, str], Move] = {(move.from_state, move.verb): move for move in moves}
        self.verbs = sorted({verb for _state, verb in self._moves})

    def move(self, state: str, verb: str, actor: Actor, given: frozenset[str] = frozenset()) -> Move:
        """The move that ``verb`` makes from ``state``.

        Raises ``Refused``: ``wrong_state`` when the table has no such row, ``not_permitted`` when the person
        may not, ``needed`` when something the row asks for is not ``given`` (unit, reason, condition, note,
        photo, document, approval).
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

    def demands(self, verb: str) -> frozenset[str]:
        """All that a verb may need, from whatever state."""
        return frozenset(need for (_s, v), m in self._moves.items() if v == verb for need in m.needs)

    def allowed(self, state: str, actor: Actor) -> list[Move]:
        """The moves that this person may make from ``state``."""
        return [m for (s, _verb), m in sorted(self._moves.items()) if s == state and actor.may(m.permission)]


NEED_MESSAGES = {
    "unit": N_("Name the unit that is to handle it."),
    "reason": N_("A reason is required."),
    "condition": N_("Choose the filing condition; it sets the limit."),
    "note": N_("Write what was done."),
    "photo": N_("Attach a photo first."),
    "document": N_("Name the document that proves it."),
    "approval": N_("Nobody has asked for this."),
}
