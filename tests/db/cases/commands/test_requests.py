"""Requests: what they ask, who may decide, and what undo makes of a decision."""

from __future__ import annotations

from datetime import timedelta

import pytest

from db.cases.commands.closing import Close, PassCheck
from db.cases.commands.handling import Handle
from db.cases.commands.requests import (
    AskAppeal,
    AskPostpone,
    AskReturn,
    AskSuspend,
    DecideAppeal,
    Grant,
    Refuse,
    Resume,
    ResumeDue,
    Withdraw,
)
from db.cases.tables import request
from db.kernel.actor import SYSTEM
from db.kernel.refusal import Refused
from tests.flows.bureau import Bureau


def test_a_request_says_who_asked_what_until_when_and_who_decided(bureau: Bureau) -> None:
    case_id = bureau.at("handling")
    until = bureau.now + timedelta(days=30)
    bureau.run(AskSuspend((case_id,), "待预算", until, "批文一号"), "handler")
    bureau.wait(minutes=5)
    bureau.run(Refuse((case_id,), "suspend", "预算已下达"), "duty_leader")
    (row,) = bureau.about(request, case_id)
    assert (row["kind"], row["state"], row["until"], row["evidence"]) == (
        "suspend",
        "refused",
        until,
        "批文一号",
    )
    assert (row["asked_by_name"], row["decided_by_name"], row["answer"]) == (
        "handler",
        "duty_leader",
        "预算已下达",
    )
    assert row["decided_at"] - row["asked_at"] == timedelta(minutes=5)


def test_the_moment_is_journaled_as_a_number(bureau: Bureau) -> None:
    case_id = bureau.at("handling")
    until = bureau.now + timedelta(days=1)
    bureau.run(AskSuspend((case_id,), "待料", until, "函"), "handler")
    assert bureau.entries()[-1].arguments["until"] == int(until.timestamp() * 1000)


def test_a_refusal_needs_a_reason_and_a_kind_must_be_known(bureau: Bureau) -> None:
    case_id = bureau.at("handling")
    bureau.run(AskPostpone((case_id,), "待料"), "handler")
    with pytest.raises(Refused) as caught:
        bureau.run(Refuse((case_id,), "postpone", ""), "dispatcher")
    assert caught.value.code == "needed"
    with pytest.raises(Refused) as caught:
        bureau.run(Grant((case_id,), "holiday"), "dispatcher")
    assert caught.value.code == "unknown_request"


def test_who_asked_first_is_named(bureau: Bureau) -> None:
    case_id = bureau.at("handling")
    bureau.run(AskPostpone((case_id,), "待料"), "handler")
    with pytest.raises(Refused) as caught:
        bureau.run(AskReturn((case_id,), "不属我处", "图"), "handler")
    assert "handler asked at 10:00 already (Postponement)" in caught.value.text()


def test_who_asked_may_withdraw_it_and_undo_that(bureau: Bureau) -> None:
    case_id = bureau.at("handling")
    with pytest.raises(Refused) as caught:
        bureau.run(Withdraw((case_id,)), "handler")
    assert caught.value.code == "not_asked"
    bureau.run(AskPostpone((case_id,), "待料"), "handler")
    for who, code in ((SYSTEM, "not_own_request"), ("dispatcher", "not_permitted")):
        with pytest.raises(Refused) as caught:
            bureau.run(Withdraw((case_id,)), who)
        assert caught.value.code == code
    before = bureau.dump()
    bureau.run(Withdraw((case_id,)), "handler")
    (row,) = bureau.about(request, case_id)
    assert (row["state"], row["decided_by_name"], row["decided_at"]) == ("withdrawn", "handler", bureau.now)
    assert (bureau.row(case_id)["state"], bureau.verbs(case_id)[-1]) == ("handling", "withdraw")
    with pytest.raises(Refused) as caught:
        bureau.run(Grant((case_id,), "postpone"), "dispatcher")
    assert caught.value.code == "needed"
    bureau.core.bus.undo(bureau.officers["handler"])
    assert bureau.dump() == before


def appealed(bureau: Bureau) -> int:
    case_id = bureau.at("handling")
    bureau.wait(days=3)
    for command, who in (
        (Handle((case_id,), "已修复"), "handler"),
        (PassCheck((case_id,)), "collector"),
        (Close((case_id,)), "duty_leader"),
        (AskAppeal((case_id,), "停电"), "handler"),
    ):
        bureau.run(command, who)
    return case_id


def test_an_appeal_is_granted_by_two_people_in_turn(bureau: Bureau) -> None:
    case_id = appealed(bureau)

    def why(command: object, who: str) -> str:
        with pytest.raises(Refused) as caught:
            bureau.run(command, who)
        return caught.value.code

    confirm = DecideAppeal((case_id,), True, "同意")
    assert why(confirm, "acceptor") == "undecided"
    bureau.run(Grant((case_id,), "appeal", "属实"), "duty_leader")
    (row,) = bureau.about(request, case_id)
    assert (row["state"], row["decided_by_name"], bureau.row(case_id)["exempt"]) == (
        "pending",
        "duty_leader",
        False,
    )
    assert why(confirm, "duty_leader") == "decided_by_you"
    assert why(confirm, "dispatcher") == "not_permitted"
    assert why(Grant((case_id,), "appeal"), "dispatcher") == "decided_first"
    assert why(DecideAppeal((case_id,), False), "acceptor") == "needed"
    before = bureau.dump()
    bureau.run(confirm, "acceptor")
    (row,) = bureau.about(request, case_id)
    assert (row["state"], row["decided_by_name"], row["answer"]) == (
        "granted",
        "acceptor",
        "duty_leader: 属实 / 同意",
    )
    assert bureau.row(case_id)["exempt"]
    assert bureau.verbs(case_id)[-2:] == ["grant_appeal", "confirm_appeal"]
    bureau.core.bus.undo(bureau.officers["acceptor"])
    assert bureau.dump() == before


@pytest.mark.parametrize("by_second", [False, True])
def test_a_refusal_by_either_ends_an_appeal(bureau: Bureau, by_second: bool) -> None:
    case_id = appealed(bureau)
    if by_second:
        bureau.run(Grant((case_id,), "appeal"), "dispatcher")
        bureau.run(DecideAppeal((case_id,), False, "理由不足"), "acceptor")
    else:
        bureau.run(Refuse((case_id,), "appeal", "理由不足"), "dispatcher")
    assert [row["state"] for row in bureau.about(request, case_id)] == ["refused"]
    assert not bureau.row(case_id)["exempt"]
    with pytest.raises(Refused, match="possible once"):
        bureau.run(AskAppeal((case_id,), "再申诉"), "handler")


def test_undoing_a_decision_puts_request_clock_and_case_back(bureau: Bureau) -> None:
    case_id = bureau.at("handling")
    bureau.run(AskSuspend((case_id,), "待料", bureau.now + timedelta(days=1), "函"), "handler")
    before = bureau.dump()
    bureau.run(Grant((case_id,), "suspend"), "dispatcher")
    assert bureau.dump() != before
    bureau.core.bus.undo(bureau.officers["dispatcher"])
    assert bureau.dump() == before
    assert bureau.run(Grant((case_id,), "suspend"), "dispatcher") == 1


def test_an_overdue_case_is_still_overdue_after_a_suspension(bureau: Bureau) -> None:
    case_id = bureau.at("handling")
    due = bureau.row(case_id)["due_at"]
    bureau.wait(days=2)
    bureau.run(AskSuspend((case_id,), "待料", bureau.now + timedelta(days=1), "函"), "handler")
    bureau.run(Grant((case_id,), "suspend"), "dispatcher")
    bureau.wait(hours=3)
    bureau.run(Resume((case_id,)), "dispatcher")
    assert bureau.row(case_id)["due_at"] == due


def test_only_those_whose_day_has_come_go_on(bureau: Bureau) -> None:
    soon, later = bureau.at("handling"), bureau.at("handling")
    for case_id, days in ((soon, 1), (later, 5)):
        bureau.run(AskSuspend((case_id,), "待料", bureau.now + timedelta(days=days), "函"), "handler")
        bureau.run(Grant((case_id,), "suspend"), "dispatcher")
    bureau.wait(days=2)
    assert bureau.run(ResumeDue(), SYSTEM) == 1
    assert [bureau.row(i)["state"] for i in (soon, later)] == ["handling", "suspended"]
    entries = len(bureau.entries())
    assert bureau.run(ResumeDue(), SYSTEM) == 0
    assert len(bureau.entries()) == entries


def test_an_act_is_not_undone_under_a_request_that_came_after_it(bureau: Bureau) -> None:
    case_id = bureau.at("pending_handle")
    bureau.run(AskReturn((case_id,), "不属我处", "图"), "handler")
    before = bureau.dump()
    with pytest.raises(Refused) as caught:
        bureau.core.bus.undo(bureau.officers["dispatcher"])
    assert caught.value.code == "changed_since"
    assert bureau.dump() == before
    bureau.core.bus.undo(bureau.officers["handler"])
    bureau.core.bus.undo(bureau.officers["dispatcher"])
    assert bureau.row(case_id)["state"] == "pending_dispatch"
