"""What a bureau notes on cases without moving them: how urgent they are (紧急程度), and tags (标签)."""

from __future__ import annotations

from dataclasses import dataclass

from db.cases.commands.moving import CaseRow, Ids, Plan, moves, plan_remark, rows_about
from db.cases.rules import PRIORITIES, STATES
from db.cases.tables import tag
from db.engine.unit_of_work import Reading, UnitOfWork
from db.kernel.command import command
from db.kernel.language import N_
from db.kernel.refusal import Refused
from db.kernel.text import clean, one_line

TAG_LENGTH = 30


# zh: 调整紧急程度
@command("case.set_priority", permission="case.dispatch", label=N_("Set priority"))
@dataclass(frozen=True)
class SetPriority:
    """调整紧急程度: ``priority`` is one of ``PRIORITIES``; limits and clock stay what they are."""

    case_ids: Ids
    priority: int
    reason: str
    versions: Ids = ()
    leave_out: bool = False


# zh: 添加标签
@command("case.tag", permission="case.dispatch", label=N_("Tag cases"))
@dataclass(frozen=True)
class TagCases:
    """添加标签: one word of at most 30 characters, to find the cases again."""

    case_ids: Ids
    word: str
    versions: Ids = ()
    leave_out: bool = False


# zh: 移除标签
@command("case.untag", permission="case.dispatch", label=N_("Remove tag"))
@dataclass(frozen=True)
class UntagCases:
    """移除标签."""

    case_ids: Ids
    word: str
    versions: Ids = ()
    leave_out: bool = False


@moves(SetPriority)
def _set_priority(command: SetPriority, view: Reading) -> Plan:
    if command.priority not in PRIORITIES:
        raise Refused("unknown_priority", N_("There is no such priority."), priority=command.priority)
    if not clean(command.reason):
        raise Refused("needed", N_("A reason is required."), what="reason")

    def other(row: CaseRow) -> CaseRow:
        if not STATES[row["state"]].open:
            raise Refused("not_open", N_("It has ended already."))
        if row["priority"] == command.priority:
            raise Refused("same_priority", N_("It has this priority already."))
        return {"priority": command.priority}

    return plan_remark(view, "set_priority", command, other, command.reason)


@moves(TagCases)
def _tag(command: TagCases, view: Reading) -> Plan:
    word = _word(command.word)
    tagged = rows_about(view.connection, tag, command.case_ids, tag.c.word == word)

    def not_yet(row: CaseRow) -> CaseRow:
        if row["id"] in tagged:
            raise Refused("tagged_already", N_("It has this tag already."))
        return {}

    def write(unit: UnitOfWork, stayed: dict[int, CaseRow]) -> None:
        ids = zip(unit.new_ids(len(stayed)), stayed, strict=True)
        unit.insert(tag, [{"id": i, "case_id": case_id, "word": word} for i, case_id in ids])

    return plan_remark(view, "tag", command, not_yet, word, write)


@moves(UntagCases)
def _untag(command: UntagCases, view: Reading) -> Plan:
    word = _word(command.word)
    tagged = rows_about(view.connection, tag, command.case_ids, tag.c.word == word)

    def has_it(row: CaseRow) -> CaseRow:
        if row["id"] not in tagged:
            raise Refused("not_tagged", N_("It does not have this tag."))
        return {}

    def remove(unit: UnitOfWork, stayed: dict[int, CaseRow]) -> None:
        unit.delete(tag, [each["id"] for case_id in stayed for each in tagged[case_id]])

    return plan_remark(view, "untag", command, has_it, word, remove)


def _word(text: str) -> str:
    word = one_line(text, TAG_LENGTH)
    if not word:
        raise Refused("needed", N_("Give the word of the tag."), what="word")
    return word
