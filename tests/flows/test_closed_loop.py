"""A story for each row of the closed loop (DOMAIN 2.3), told by the officers that the row names."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from db.cases.commands.closing import Close, FailCheck, ForceClose, PassCheck, SendCheck
from db.cases.commands.dispatch import AddHelper, Dispatch, Reassign, SendBack
from db.cases.commands.handling import Handle, Receive
from db.cases.commands.intake import Accept, Register, Reject, SendVerify, VerifyFalse, VerifyTrue, Void
from db.cases.commands.orders import AnswerOrder, Supervise, Urge
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
)
from db.cases.rules import STATES
from db.cases.tables import involved, order, request, span, task, timer
from db.kernel.actor import SYSTEM
from db.kernel.refusal import Refused
from db.registers.tables import condition
from tests.db.engine.kit import write
from tests.flows.bureau import COLLECTOR, CONDITIONS, PARKS, ROADS, WATER, Bureau


def refused(bureau: Bureau, command: Any, who: str) -> str:
    """The code of the refusal that a command meets."""
    with pytest.raises(Refused) as caught:
        bureau.run(command, who)
    return caught.value.code


def local(day: str) -> datetime:
    """A moment of the city's clock."""
    return (datetime.fromisoformat(day) - timedelta(hours=8)).replace(tzinfo=UTC)


def test_1_a_report_waits_to_be_accepted_within_a_quarter_of_an_hour(bureau: Bureau) -> None:
    case_id = bureau.reported()
    assert bureau.row(case_id)["state"] == "reported"
    (accept,) = bureau.about(timer, case_id)
    assert accept["stage"] == "accept"
    assert accept["due_at"] - accept["began_at"] == timedelta(minutes=15)


def test_2_an_uncertain_report_is_sent_to_be_verified(bureau: Bureau) -> None:
    case_id = bureau.reported()
    bureau.run(SendVerify((case_id,), COLLECTOR), "acceptor")
    assert bureau.row(case_id)["state"] == "pending_verify"
    (out,) = bureau.about(task, case_id)
    assert (out["kind"], out["person_id"], out["result"]) == ("verify", COLLECTOR, "")
    assert out["due_at"] == bureau.now + timedelta(minutes=30)


def test_3_the_collector_finds_it_true_or_not(bureau: Bureau) -> None:
    good, bad = bureau.at("pending_verify"), bureau.at("pending_verify")
    bureau.wait(minutes=10)
    bureau.run(VerifyTrue((good,), "属实"), "collector")
    bureau.run(VerifyFalse((bad,), "现场未见"), "collector")
    assert bureau.row(good)["state"] == "pending_register"
    assert bureau.row(bad)["state"] == "rejected"
    assert bureau.row(bad)["closed_at"] == bureau.now
    (found,), (not_found,) = bureau.about(task, good), bureau.about(task, bad)
    assert (found["result"], not_found["result"]) == ("true", "false")
    assert found["answered_at"] - found["sent_at"] == timedelta(minutes=10)


@pytest.mark.parametrize("state", ["reported", "pending_register"])
def test_4_filing_freezes_limit_and_version_of_the_condition(bureau: Bureau, state: str) -> None:
    case_id = bureau.at(state)
    bureau.run(Register((case_id,), CONDITIONS[3]), "duty_leader")
    row = bureau.row(case_id)
    assert (row["state"], row["filed_at"]) == ("pending_dispatch", bureau.now)
    assert (row["limit_amount"], row["limit_unit"], row["condition_version"]) == (2, "working_day", 1)
    assert row["due_at"] is None


def test_4_a_change_of_the_rules_touches_no_case_that_was_filed(bureau: Bureau) -> None:
    case_id = bureau.at("handling")
    before = bureau.row(case_id)
    write(
        bureau.core.database,
        lambda unit: unit.update(
            condition, {CONDITIONS[2]: {"limit_amount": 99, "limit_unit": "natural_day"}}
        ),
    )
    bureau.run(AskPostpone((case_id,), "待料"), "handler")
    bureau.run(Grant((case_id,), "postpone"), "dispatcher")
    after = bureau.row(case_id)
    assert (after["limit_amount"], after["limit_unit"], after["condition_version"]) == (4, "working_hour", 1)
    assert before["due_at"] == local("2026-03-16T16:00")
    assert after["due_at"] == local("2026-03-17T10:00")
    new = bureau.at("pending_dispatch")
    assert (bureau.row(new)["limit_amount"], bureau.row(new)["condition_version"]) == (99, 2)


@pytest.mark.parametrize("state", ["reported", "pending_register"])
def test_5_what_is_not_ours_or_filed_in_error_ends_with_a_reason(bureau: Bureau, state: str) -> None:
    one, other = bureau.at(state), bureau.at(state)
    assert refused(bureau, Reject((one,), ""), "acceptor") == "needed"
    assert refused(bureau, Void((one,), " "), "duty_leader") == "needed"
    bureau.run(Reject((one,), "不属本市"), "acceptor")
    bureau.run(Void((other,), "误报"), "duty_leader")
    assert [bureau.row(i)["state"] for i in (one, other)] == ["rejected", "void"]


def test_6_dispatch_starts_the_clock_and_names_main_and_helping_units(bureau: Bureau) -> None:
    case_id = bureau.at("pending_dispatch")
    bureau.run(Dispatch((case_id,), ROADS, helpers=(WATER,)), "dispatcher")
    row = bureau.row(case_id)
    assert (row["state"], row["unit_id"], row["due_at"]) == (
        "pending_handle",
        ROADS,
        local("2026-03-16T16:00"),
    )
    assert [(i["unit_id"], i["role"]) for i in bureau.about(involved, case_id)] == [
        (ROADS, "main"),
        (WATER, "helper"),
    ]
    assert [(s["kind"], s["cause"], s["ended_at"]) for s in bureau.about(span, case_id)] == [
        ("running", "dispatch", None)
    ]
    assert bureau.about(timer, case_id)[-1]["due_at"] == row["due_at"]
    bureau.run(AddHelper((case_id,), PARKS), "dispatcher")
    assert refused(bureau, AddHelper((case_id,), PARKS), "dispatcher") == "same_unit"


def test_7_the_unit_takes_it_in_hand(bureau: Bureau) -> None:
    case_id = bureau.at("pending_handle")
    due = bureau.row(case_id)["due_at"]
    bureau.run(Receive((case_id,)), "handler")
    assert (bureau.row(case_id)["state"], bureau.row(case_id)["due_at"]) == ("handling", due)


def test_8_a_return_needs_proof_and_somebody_else_who_grants_it(bureau: Bureau) -> None:
    case_id = bureau.at("handling")
    ids = (case_id,)
    assert refused(bureau, AskReturn(ids, "不属我处"), "handler") == "needed"
    assert refused(bureau, Grant(ids, "return"), "dispatcher") == "needed"
    bureau.run(AskReturn(ids, "不属我处", "权属证明"), "handler")
    assert bureau.row(case_id)["state"] == "handling"
    assert refused(bureau, Grant(ids, "return"), "handler") == "not_permitted"
    bureau.run(Refuse(ids, "return", "权属明确"), "dispatcher")
    bureau.run(AskReturn(ids, "不属我处", "测绘图"), "handler")
    bureau.run(Grant(ids, "return", "同意"), "dispatcher")
    row = bureau.row(case_id)
    assert (row["state"], row["unit_id"], row["due_at"], row["moves"]) == ("pending_dispatch", None, None, 1)
    assert [(r["state"], r["decided_by_name"]) for r in bureau.about(request, case_id)] == [
        ("refused", "dispatcher"),
        ("granted", "dispatcher"),
    ]


def test_9_after_a_return_it_is_dispatched_anew_or_sent_back_and_nothing_else(bureau: Bureau) -> None:
    case_id, other = bureau.at("handling"), bureau.at("handling")
    ids = (case_id, other)
    bureau.run(AskReturn(ids, "不属我处", "权属证明"), "handler")
    bureau.run(Grant(ids, "return"), "dispatcher")
    for command, who in (
        (Close(ids), "duty_leader"),
        (PassCheck(ids), "collector"),
        (Handle(ids, "好"), "handler"),
    ):
        assert refused(bureau, command, who) == "wrong_state"
    bureau.wait(hours=1)
    bureau.run(Dispatch((case_id,), WATER), "dispatcher")
    row = bureau.row(case_id)
    assert (row["state"], row["unit_id"]) == ("pending_handle", WATER)
    # The limit is the new unit's whole: 4 working hours from 11:00.
    assert row["due_at"] == local("2026-03-16T17:00")
    assert [(s["kind"], s["cause"]) for s in bureau.about(span, case_id)] == [
        ("running", "dispatch"),
        ("paused", "return"),
        ("running", "dispatch"),
    ]
    bureau.run(SendBack((other,), "无责任单位"), "dispatcher")
    assert bureau.row(other)["state"] == "reported"


def test_10_two_postponements_are_granted_at_most_and_refused_ones_do_not_count(bureau: Bureau) -> None:
    case_id = bureau.at("handling")
    ids = (case_id,)
    bureau.run(AskPostpone(ids, "待料"), "handler")
    bureau.run(Refuse(ids, "postpone", "料已到"), "dispatcher")
    assert bureau.row(case_id)["due_at"] == local("2026-03-16T16:00")
    # Amber at 80 % of 8, then of 12 working hours from 10:00.
    for due, soon in (("2026-03-17T10:00", "2026-03-17T08:24"), ("2026-03-17T16:00", "2026-03-17T11:36")):
        bureau.run(AskPostpone(ids, "待料"), "handler")
        bureau.run(Grant(ids, "postpone"), "dispatcher")
        row = bureau.row(case_id)
        assert (row["due_at"], row["soon_at"]) == (local(due), local(soon))
    assert bureau.row(case_id)["extensions"] == 2
    assert refused(bureau, AskPostpone(ids, "再延"), "handler") == "postponed_enough"
    assert [r["amount"] for r in bureau.about(request, case_id)] == [4, 4, 4]


def test_10_more_time_must_be_asked_for_before_it_is_overdue(bureau: Bureau) -> None:
    in_time, late = bureau.at("handling"), bureau.at("handling")
    bureau.run(AskPostpone((in_time,), "待料"), "handler")
    bureau.wait(hours=8)
    assert refused(bureau, AskPostpone((late,), "待料"), "handler") == "overdue"
    bureau.run(Grant((in_time,), "postpone"), "dispatcher")
    assert bureau.row(in_time)["due_at"] == local("2026-03-17T10:00")


def test_11_a_suspended_case_waits_with_a_standing_clock_and_only_once(bureau: Bureau) -> None:
    case_id = bureau.at("handling")
    ids = (case_id,)
    too_long = bureau.now + timedelta(days=366)
    assert refused(bureau, AskSuspend(ids, "待预算", too_long, "批文"), "handler") == "bad_until"
    assert refused(bureau, AskSuspend(ids, "待预算", bureau.now, "批文"), "handler") == "bad_until"
    until = bureau.now + timedelta(days=30)
    bureau.run(AskSuspend(ids, "待预算", until, "批文一号"), "handler")
    assert refused(bureau, AskReturn(ids, "不属我处", "图"), "handler") == "asked_already"
    bureau.wait(hours=1)
    bureau.run(Grant(ids, "suspend"), "dispatcher")
    row = bureau.row(case_id)
    assert (row["state"], row["paused_at"]) == ("suspended", bureau.now)
    assert refused(bureau, Handle(ids, "好"), "handler") == "wrong_state"
    bureau.run(Resume(ids), "dispatcher")
    assert refused(bureau, AskSuspend(ids, "再等", until, "批文"), "handler") == "suspended_before"


def test_12_it_goes_on_by_hand_or_when_its_day_has_come(bureau: Bureau) -> None:
    by_hand, by_day = bureau.at("suspended"), bureau.at("suspended")
    # 10:00, 4 working hours left: three at noon's end.
    bureau.wait(hours=25)
    bureau.run(Resume((by_hand,)), "dispatcher")
    assert bureau.row(by_hand)["due_at"] == local("2026-03-17T17:00")
    assert bureau.run(ResumeDue(), SYSTEM) == 0
    until = bureau.about(request, by_day)[0]["until"]
    bureau.wait_until(until + timedelta(days=1))
    assert bureau.run(ResumeDue(), SYSTEM) == 1
    assert bureau.run(ResumeDue(), SYSTEM) == 0
    row = bureau.row(by_day)
    assert (row["state"], row["paused_at"]) == ("handling", None)
    # From the day that was granted, 2026-04-15 10:00, not from when the timer looked.
    assert row["due_at"] == local("2026-04-15T16:00")
    assert bureau.about(span, by_day)[-1]["began_at"] == until


def test_13_handing_back_decides_on_time_or_overdue(bureau: Bureau) -> None:
    case_id = bureau.at("handling")
    assert refused(bureau, Handle((case_id,), ""), "handler") == "needed"
    bureau.wait(hours=2)
    bureau.run(Handle((case_id,), "已修复"), "handler")
    row = bureau.row(case_id)
    assert (row["state"], row["handled_at"]) == ("pending_check", bureau.now)
    assert [(s["kind"], s["cause"]) for s in bureau.about(span, case_id)] == [
        ("running", "dispatch"),
        ("paused", "check"),
    ]


def test_14_a_collector_is_sent_to_check_and_passes_or_fails_it(bureau: Bureau) -> None:
    good, bad = bureau.at("pending_check"), bureau.at("pending_check")
    bureau.run(SendCheck((good, bad), COLLECTOR), "acceptor")
    assert refused(bureau, SendCheck((good,)), "acceptor") == "sent_already"
    assert bureau.about(task, good)[0]["due_at"] == bureau.now + timedelta(hours=2)
    bureau.run(PassCheck((good,)), "collector")
    bureau.run(FailCheck((bad,), "未修复"), "collector")
    assert [bureau.row(i)["state"] for i in (good, bad)] == ["pending_close", "pending_handle"]
    assert [bureau.about(task, i)[0]["result"] for i in (good, bad)] == ["passed", "failed"]


def test_15_rework_goes_to_the_same_unit_is_counted_and_begins_anew(bureau: Bureau) -> None:
    case_id = bureau.at("pending_check")
    bureau.wait(hours=1)
    bureau.run(FailCheck((case_id,), "未修复"), "collector")
    row = bureau.row(case_id)
    assert (row["unit_id"], row["reworks"], row["handled_at"], row["paused_at"]) == (ROADS, 1, None, None)
    assert row["due_at"] == local("2026-03-16T17:00")
    assert [(s["kind"], s["cause"]) for s in bureau.about(span, case_id)][-1] == ("running", "rework")
    assert [t["stage"] for t in bureau.about(timer, case_id)][-2:] == ["check", "handle"]


def test_16_the_duty_leader_closes(bureau: Bureau) -> None:
    case_id = bureau.at("pending_close")
    assert refused(bureau, Close((case_id,)), "dispatcher") == "not_permitted"
    bureau.run(Close((case_id,)), "duty_leader")
    row = bureau.row(case_id)
    assert (row["state"], row["closed_at"]) == ("closed", bureau.now)
    assert all(t["ended_at"] is not None for t in bureau.about(timer, case_id))
    assert all(s["ended_at"] is not None for s in bureau.about(span, case_id))


@pytest.mark.parametrize("state", [code for code, state in STATES.items() if state.open])
def test_17_any_open_case_can_be_closed_by_force_with_a_reason(bureau: Bureau, state: str) -> None:
    case_id = bureau.at(state)
    assert refused(bureau, ForceClose((case_id,), ""), "duty_leader") == "needed"
    assert refused(bureau, ForceClose((case_id,), "遗留"), "dispatcher") == "not_permitted"
    bureau.run(ForceClose((case_id,), "遗留"), "leader")
    assert (bureau.row(case_id)["state"], bureau.row(case_id)["closed_at"]) == ("forced", bureau.now)
    assert all(t["ended_at"] is not None for t in bureau.about(timer, case_id))


@pytest.mark.parametrize("state", [code for code, state in STATES.items() if state.open])
def test_18_an_order_wants_an_answer_and_changes_neither_state_nor_clock(bureau: Bureau, state: str) -> None:
    case_id = bureau.at(state)
    ids = (case_id,)
    before = bureau.row(case_id)
    assert refused(bureau, AnswerOrder(ids, "已安排"), "acceptor") == "no_order"
    bureau.run(Supervise(ids, "今日办结", bureau.now + timedelta(hours=4), "leader"), "inspector")
    bureau.run(Urge(ids, "请尽快"), "dispatcher")
    bureau.run(AnswerOrder(ids, "已安排"), "handler")
    after = bureau.row(case_id)
    assert {k: v for k, v in after.items() if k != "version"} == {
        k: v for k, v in before.items() if k != "version"
    }
    wanted, reminded = bureau.about(order, case_id)
    assert (wanted["level"], wanted["demand"], wanted["answer"]) == ("leader", "今日办结", "已安排")
    assert (reminded["kind"], reminded["answered_at"]) == ("urge", None)


def test_19_an_appeal_keeps_the_overdue_as_a_fact_and_exempts_the_score(bureau: Bureau) -> None:
    in_time, late = bureau.at("closed"), bureau.at("pending_handle")
    bureau.wait(hours=10)
    for command, who in (
        (Handle((late,), "已修复"), "handler"),
        (PassCheck((late,)), "collector"),
        (Close((late,)), "duty_leader"),
    ):
        bureau.run(command, who)
    before = bureau.row(late)
    assert refused(bureau, AskAppeal((in_time,), "停电"), "handler") == "not_overdue"
    bureau.run(AskAppeal((late,), "停电"), "handler")
    bureau.run(Grant((late,), "appeal", "属实"), "dispatcher")
    assert not bureau.row(late)["exempt"]
    bureau.run(DecideAppeal((late,), True, "同意"), "acceptor")
    after = bureau.row(late)
    assert after["exempt"]
    kept = ("state", "due_at", "handled_at", "closed_at")
    assert [after[name] for name in kept] == [before[name] for name in kept]
    assert after["handled_at"] > after["due_at"]
    assert refused(bureau, AskAppeal((late,), "再申诉"), "handler") == "appealed_before"


def test_the_one_who_asked_may_not_decide(bureau: Bureau) -> None:
    case_id = bureau.at("handling")
    bureau.run(AskPostpone((case_id,), "待料"), SYSTEM)
    with pytest.raises(Refused) as caught:
        bureau.run(Grant((case_id,), "postpone"), SYSTEM)
    assert caught.value.code == "own_request"


def test_a_request_that_was_overtaken_is_withdrawn(bureau: Bureau) -> None:
    case_id = bureau.at("handling")
    bureau.run(AskPostpone((case_id,), "待料"), "handler")
    bureau.run(Reassign((case_id,), WATER, "权属"), "dispatcher")
    assert [r["state"] for r in bureau.about(request, case_id)] == ["withdrawn"]
    assert refused(bureau, Grant((case_id,), "postpone"), "dispatcher") == "wrong_state"


def test_of_two_officers_one_is_told_who_was_quicker(bureau: Bureau) -> None:
    case_id = bureau.reported()
    version = bureau.row(case_id)["version"]
    bureau.wait(minutes=1)
    bureau.run(Accept((case_id,), (version,)), "acceptor")
    with pytest.raises(Refused) as caught:
        bureau.run(Reject((case_id,), "不属本市", (version,)), "duty_leader")
    assert caught.value.code == "changed_meanwhile"
    assert "10:01 acceptor: Accept." in caught.value.text()
    with pytest.raises(Refused) as caught:
        bureau.run(Accept((case_id,)), "duty_leader")
    assert "acceptor: Accept." in caught.value.text()
