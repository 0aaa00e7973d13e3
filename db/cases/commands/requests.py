"""What a unit asks for and somebody else decides: 回退, 延期, 挂账 and 申诉.

One request of a case waits at a time. Who asked may not decide (DOMAIN 2.2: two steps, two people).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from db.calendars.queries import load_calendar
from db.calendars.rules import WorkingCalendar
from db.cases import clock as disposal
from db.cases.commands.dispatch import release
from db.cases.commands.moving import (
    AboutCases,
    CaseRow,
    Ids,
    Plan,
    advance,
    limit_of,
    moves,
    plan,
    plan_remark,
    rows_about,
)
from db.cases.rules import DECIDED_BY_YOU, DECIDED_FIRST, POSTPONEMENTS, REQUESTS, SUSPENSION, UNDECIDED
from db.cases.tables import case, request
from db.engine import settings
from db.engine.bus import handles
from db.engine.unit_of_work import Reading, UnitOfWork
from db.kernel.clock import from_ms, to_ms
from db.kernel.command import command
from db.kernel.language import N_, _
from db.kernel.refusal import Refused
from db.kernel.text import clean

PENDING, GRANTED, REFUSED, WITHDRAWN = "pending", "granted", "refused", "withdrawn"


@command("case.ask_return", permission="case.handle", label=N_("Ask for return"))
@dataclass(frozen=True)
class AskReturn:
    """申请回退: not this unit's duty. ``evidence`` names what proves it."""

    case_ids: Ids
    reason: str
    evidence: str = ""
    versions: Ids = ()
    leave_out: bool = False


@command("case.ask_postpone", permission="case.handle", label=N_("Ask for postponement"))
@dataclass(frozen=True)
class AskPostpone:
    """申请延期: one more original limit, asked for before the case is overdue; two are granted at most."""

    case_ids: Ids
    reason: str
    evidence: str = ""
    versions: Ids = ()
    leave_out: bool = False


@command("case.ask_suspend", permission="case.handle", label=N_("Ask for suspension"))
@dataclass(frozen=True)
class AskSuspend:
    """申请挂账: it cannot be done before ``until``, a year from now at most; once a case."""

    case_ids: Ids
    reason: str
    until: datetime
    evidence: str = ""
    versions: Ids = ()
    leave_out: bool = False


@command("case.ask_appeal", permission="case.appeal", label=N_("Appeal"))
@dataclass(frozen=True)
class AskAppeal:
    """申诉: the unit disputes that a closed case was overdue; once a case."""

    case_ids: Ids
    reason: str
    evidence: str = ""
    versions: Ids = ()
    leave_out: bool = False


@command("case.grant", permission="case.decide", label=N_("Grant request"))
@dataclass(frozen=True)
class Grant:
    """准: ``kind`` is one of ``REQUESTS``. An appeal then waits for ``DecideAppeal``."""

    case_ids: Ids
    kind: str
    answer: str = ""
    versions: Ids = ()
    leave_out: bool = False


@command("case.refuse", permission="case.decide", label=N_("Refuse request"))
@dataclass(frozen=True)
class Refuse:
    """否: with the reason as the answer; ``kind`` is one of ``REQUESTS``."""

    case_ids: Ids
    kind: str
    answer: str
    versions: Ids = ()
    leave_out: bool = False


@command("case.decide_appeal", permission="case.accept", label=N_("Decide appeal"))
@dataclass(frozen=True)
class DecideAppeal:
    """申诉复核: the second decision on an appeal that was granted once, by another person."""

    case_ids: Ids
    granted: bool
    answer: str = ""
    versions: Ids = ()
    leave_out: bool = False


@command("case.withdraw", permission="case.handle", label=N_("Withdraw request"))
@dataclass(frozen=True)
class Withdraw:
    """撤回: whoever asked no longer wants what was not yet decided; the case stays as it is."""

    case_ids: Ids
    versions: Ids = ()
    leave_out: bool = False


@command("case.resume", permission="case.decide", label=N_("Resume cases"))
@dataclass(frozen=True)
class Resume:
    """恢复: a suspended case goes on before its time."""

    case_ids: Ids
    note: str = ""
    versions: Ids = ()
    leave_out: bool = False


@command("case.resume_due", permission="case.decide", label=N_("Resume cases that are due"))
@dataclass(frozen=True)
class ResumeDue:
    """Every suspended case whose day has come goes on from that moment; run by a timer, idempotent."""


@moves(AskReturn)
def _ask_return(command: AskReturn, view: Reading) -> Plan:
    return _ask(view, "return", command, command.reason, command.evidence)


@moves(AskPostpone)
def _ask_postpone(command: AskPostpone, view: Reading) -> Plan:
    granted = _granted(view, "postpone", command.case_ids)

    def in_time(row: CaseRow) -> CaseRow:
        if row["due_at"] is None or row["limit_amount"] is None:
            raise Refused("no_limit", N_("The case has no limit that could be extended."))
        if view.now > row["due_at"]:
            raise Refused("overdue", N_("It is overdue; more time must be asked for before."))
        if len(granted.get(row["id"], ())) >= POSTPONEMENTS:
            raise Refused(
                "postponed_enough",
                N_("It was postponed {count} times already; that is all there is."),
                count=POSTPONEMENTS,
            )
        return {"amount": row["limit_amount"]}

    return _ask(view, "postpone", command, command.reason, command.evidence, in_time)


@moves(AskSuspend)
def _ask_suspend(command: AskSuspend, view: Reading) -> Plan:
    granted = _granted(view, "suspend", command.case_ids)

    def once(row: CaseRow) -> CaseRow:
        if row["id"] in granted:
            raise Refused("suspended_before", N_("It was suspended before; that is possible once."))
        if not view.now < command.until <= view.now + SUSPENSION:
            raise Refused("bad_until", N_("Give a day within a year from now."))
        return {"until": command.until}

    return _ask(view, "suspend", command, command.reason, command.evidence, once)


@moves(AskAppeal)
def _ask_appeal(command: AskAppeal, view: Reading) -> Plan:
    asked = rows_about(view.connection, request, command.case_ids, request.c.kind == "appeal")

    def late_once(row: CaseRow) -> CaseRow:
        ended = row["handled_at"] or row["closed_at"]
        if row["due_at"] is None or ended <= row["due_at"]:
            raise Refused("not_overdue", N_("It was not overdue."))
        if any(each["state"] in (GRANTED, REFUSED) for each in asked.get(row["id"], ())):
            raise Refused("appealed_before", N_("An appeal was decided already; that is possible once."))
        return {}

    return _ask(view, "appeal", command, command.reason, command.evidence, late_once)


@moves(Grant)
def _grant(command: Grant, view: Reading) -> Plan:
    pending = _pending(view, command.kind, command.case_ids)
    calendar: WorkingCalendar | None = None

    def effect(row: CaseRow) -> CaseRow:
        nonlocal calendar
        wanted = _decided_first(view, pending[row["id"]])
        if command.kind == "return":
            return {"unit_id": None, "moves": row["moves"] + 1, "due_at": None, "soon_at": None}
        if command.kind == "suspend" and wanted["until"] <= view.now:
            raise Refused("bad_until", N_("The day until which it was to be suspended has passed."))
        if command.kind == "postpone":
            calendar = calendar or load_calendar(view.connection)
            limit = limit_of(row)
            assert limit is not None
            assert row["due_at"] is not None
            extensions = row["extensions"]
            due, soon = disposal.postponed(calendar, limit, to_ms(row["due_at"]), extensions)
            return {"due_at": from_ms(due), "soon_at": from_ms(soon), "extensions": extensions + 1}
        return {}

    def grant(unit: UnitOfWork, moved: dict[int, CaseRow]) -> None:
        if command.kind == "return":
            release(unit, moved)
        # An appeal waits for the second of the two who decide on it (DOMAIN 2.3, row 19).
        outcome = PENDING if command.kind == "appeal" else GRANTED
        _decide(unit, [pending[i] for i in moved], outcome, command.answer)

    return plan(
        view,
        f"grant_{command.kind}",
        command,
        values=effect,
        note=command.answer,
        given=lambda row: ("approval",) if row["id"] in pending else (),
        then=grant,
    )


@moves(Refuse)
def _refuse(command: Refuse, view: Reading) -> Plan:
    pending = _pending(view, command.kind, command.case_ids)

    def by_another(row: CaseRow) -> CaseRow:
        _decided_first(view, pending[row["id"]])
        return {}

    return plan(
        view,
        f"refuse_{command.kind}",
        command,
        values=by_another,
        note=command.answer,
        given=lambda row: ("approval",) if row["id"] in pending else (),
        then=lambda unit, moved: _decide(unit, [pending[i] for i in moved], REFUSED, command.answer),
    )


@moves(DecideAppeal)
def _decide_appeal(command: DecideAppeal, view: Reading) -> Plan:
    pending = _pending(view, "appeal", command.case_ids)

    def second(row: CaseRow) -> CaseRow:
        wanted = pending.get(row["id"])
        if wanted is None:
            raise Refused("needed", N_("Nobody has asked for this."), what="approval")
        _decided_by_another(view, wanted)
        if wanted["decided_by"] is None:
            raise Refused("undecided", UNDECIDED)
        if wanted["decided_by"] == view.actor.account_id:
            raise Refused("decided_by_you", DECIDED_BY_YOU)
        if not command.granted and not clean(command.answer):
            raise Refused("needed", N_("A reason is required."), what="reason")
        return {"exempt": True} if command.granted else {}

    def decide(unit: UnitOfWork, stayed: dict[int, CaseRow]) -> None:
        for wanted in (pending[case_id] for case_id in stayed):
            # The row has room for one who decided: the first stands in the answer, and in the history.
            first = f"{wanted['decided_by_name']}: {wanted['answer']}".removesuffix(": ")
            answer = " / ".join(part for part in (first, clean(command.answer)) if part)
            _decide(unit, [wanted], GRANTED if command.granted else REFUSED, answer)

    verb = "confirm_appeal" if command.granted else "overrule_appeal"
    return plan_remark(view, verb, command, second, command.answer, decide)


@moves(Withdraw)
def _withdraw(command: Withdraw, view: Reading) -> Plan:
    pending = rows_about(view.connection, request, command.case_ids, request.c.state == PENDING)

    def own(row: CaseRow) -> CaseRow:
        if row["id"] not in pending:
            raise Refused("not_asked", N_("No request waits for a decision."))
        if any(each["asked_by"] != view.actor.account_id for each in pending[row["id"]]):
            raise Refused("not_own_request", N_("Only who asked for it can withdraw it."))
        return {}

    def withdraw(unit: UnitOfWork, stayed: dict[int, CaseRow]) -> None:
        _decide(unit, [each for case_id in stayed for each in pending[case_id]], WITHDRAWN, "")

    return plan_remark(view, "withdraw", command, own, then=withdraw)


@moves(Resume)
def _resume(command: Resume, view: Reading) -> Plan:
    return plan(view, "resume", command, note=command.note)


@handles(ResumeDue)
def _resume_due(command: ResumeDue, unit: UnitOfWork) -> int:
    suspended = unit.connection.execute(select(case.c.id).where(case.c.state == "suspended")).scalars().all()
    granted = _granted(unit, "suspend", suspended)
    until = {case_id: rows[-1]["until"] for case_id, rows in granted.items()}
    due = tuple(case_id for case_id, moment in until.items() if moment <= unit.now)
    if not due:
        return 0
    # From the day that was granted, not from when the program looked: nobody gains time by its being off.
    return len(advance(unit, "resume", Resume(due), clock_at=lambda row: until[row["id"]]))


def _ask(
    view: Reading,
    kind: str,
    command: AboutCases,
    reason: str,
    evidence: str,
    rule: Any = lambda _row: {},
) -> Plan:
    """Plan the request of each case, when the rule of its kind lets it be asked."""
    waiting = rows_about(view.connection, request, command.case_ids, request.c.state == PENDING)
    facts: dict[int, CaseRow] = {}

    def one_at_a_time(row: CaseRow) -> CaseRow:
        for each in waiting.get(row["id"], ()):
            raise Refused(
                "asked_already",
                N_("{who} asked at {when} already ({what}); that is to be decided first."),
                who=each["asked_by_name"],
                when=settings.clock_text(view.connection, each["asked_at"], view.now),
                what=_(REQUESTS[each["kind"]]),
            )
        facts[row["id"]] = rule(row)
        return {}

    def ask(unit: UnitOfWork, moved: dict[int, CaseRow]) -> None:
        unit.insert(
            request,
            [
                {
                    "id": new_id,
                    "case_id": case_id,
                    "kind": kind,
                    "state": PENDING,
                    "reason": clean(reason, 2000),
                    "evidence": clean(evidence, 2000),
                    "asked_by": unit.actor.account_id,
                    "asked_by_name": unit.actor.name,
                    "asked_at": unit.now,
                    **facts[case_id],
                }
                for new_id, case_id in zip(unit.new_ids(len(moved)), moved, strict=True)
            ],
        )

    return plan(
        view,
        f"ask_{kind}",
        command,
        values=one_at_a_time,
        note=reason,
        given=lambda _row: ("document",) if clean(evidence) else (),
        then=ask,
    )


def _pending(view: Reading, kind: str, case_ids: Ids) -> dict[int, dict[str, Any]]:
    if kind not in REQUESTS:
        raise Refused("unknown_request", N_("There is no such request."), kind=kind)
    found = rows_about(view.connection, request, case_ids, request.c.kind == kind, request.c.state == PENDING)
    return {case_id: rows[-1] for case_id, rows in found.items()}


def _granted(view: Reading, kind: str, case_ids: Any) -> dict[int, list[dict[str, Any]]]:
    return rows_about(
        view.connection, request, list(case_ids), request.c.kind == kind, request.c.state == GRANTED
    )


def _decided_by_another(view: Reading, wanted: dict[str, Any]) -> dict[str, Any]:
    if wanted["asked_by"] == view.actor.account_id:
        raise Refused("own_request", N_("You asked for it yourself; somebody else has to decide."))
    return wanted


def _decided_first(view: Reading, wanted: dict[str, Any]) -> dict[str, Any]:
    """The first decision on a request; on an appeal it may have fallen already."""
    if wanted["decided_by"] is not None:
        raise Refused("decided_first", DECIDED_FIRST, who=wanted["decided_by_name"])
    return _decided_by_another(view, wanted)


def _decide(unit: UnitOfWork, requests: list[dict[str, Any]], state: str, answer: str) -> None:
    outcome = {
        "state": state,
        "decided_by": unit.actor.account_id,
        "decided_by_name": unit.actor.name,
        "decided_at": unit.now,
        "answer": clean(answer, 2000),
    }
    unit.update(request, {row["id"]: outcome for row in requests})
