"""督办 and 催办: an order that wants an answer, and a reminder. Neither changes state or clock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from db.cases.commands.moving import CaseRow, Ids, Plan, moves, plan, rows_about
from db.cases.rules import ORDER_LEVELS
from db.cases.tables import order
from db.engine.unit_of_work import Reading, UnitOfWork
from db.kernel.command import command
from db.kernel.language import N_
from db.kernel.refusal import Refused
from db.kernel.text import clean

SUPERVISE, URGE = "supervise", "urge"


@command("case.supervise", permission="case.supervise", label=N_("Supervise cases"))
@dataclass(frozen=True)
class Supervise:
    """督办: what is demanded, how gravely (one of ``ORDER_LEVELS``), and until when an answer is wanted."""

    case_ids: Ids
    demand: str
    answer_due_at: datetime | None = None
    level: str = "ordinary"
    versions: Ids = ()
    leave_out: bool = False


@command("case.answer_order", permission="case.answer", label=N_("Answer order"))
@dataclass(frozen=True)
class AnswerOrder:
    """督办回复: answers every order about the case that is still without an answer."""

    case_ids: Ids
    answer: str
    versions: Ids = ()
    leave_out: bool = False


@command("case.urge", permission="case.urge", label=N_("Urge"))
@dataclass(frozen=True)
class Urge:
    """催办: a reminder to whoever has the case."""

    case_ids: Ids
    note: str = ""
    versions: Ids = ()
    leave_out: bool = False


@moves(Supervise)
def _supervise(command: Supervise, view: Reading) -> Plan:
    if command.level not in ORDER_LEVELS:
        raise Refused("unknown_level", N_("There is no such level."), level=command.level)
    if command.answer_due_at is not None and command.answer_due_at <= view.now:
        raise Refused("bad_until", N_("The answer must be due in the future."))
    return plan(
        view,
        "supervise",
        command,
        note=command.demand,
        then=lambda unit, moved: _order(
            unit, moved, SUPERVISE, command.demand, command.level, command.answer_due_at
        ),
    )


@moves(AnswerOrder)
def _answer(command: AnswerOrder, view: Reading) -> Plan:
    waiting = rows_about(
        view.connection, order, command.case_ids, order.c.kind == SUPERVISE, order.c.answered_at.is_(None)
    )

    def ordered(row: CaseRow) -> CaseRow:
        if row["id"] not in waiting:
            raise Refused("no_order", N_("No order waits for an answer."))
        return {}

    def answer(unit: UnitOfWork, moved: dict[int, CaseRow]) -> None:
        words = {
            "answer": clean(command.answer, 2000),
            "answered_by_name": unit.actor.name,
            "answered_at": unit.now,
        }
        unit.update(order, {row["id"]: words for i in moved for row in waiting[i]})

    return plan(view, "answer_order", command, values=ordered, note=command.answer, then=answer)


@moves(Urge)
def _urge(command: Urge, view: Reading) -> Plan:
    return plan(
        view,
        "urge",
        command,
        note=command.note,
        then=lambda unit, moved: _order(unit, moved, URGE, command.note),
    )


def _order(
    unit: UnitOfWork,
    case_ids: Iterable[int],
    kind: str,
    demand: str,
    level: str = "ordinary",
    due: datetime | None = None,
) -> None:
    ids = list(case_ids)
    unit.insert(
        order,
        [
            {
                "id": new_id,
                "case_id": case_id,
                "kind": kind,
                "level": level,
                "demand": clean(demand, 2000),
                "given_by": unit.actor.account_id,
                "given_by_name": unit.actor.name,
                "given_at": unit.now,
                "answer_due_at": due,
            }
            for new_id, case_id in zip(unit.new_ids(len(ids)), ids, strict=True)
        ],
    )
