"""Supervision orders and reminders."""

from __future__ import annotations

from datetime import timedelta

import pytest

from db.cases.commands.closing import Close
from db.cases.commands.orders import AnswerOrder, Supervise, Urge
from db.cases.tables import order
from db.kernel.refusal import Refused
from tests.flows.bureau import Bureau


def test_one_answer_answers_every_order_that_waits(bureau: Bureau) -> None:
    case_id = bureau.at("handling")
    ids = (case_id,)
    bureau.run(Supervise(ids, "限今日", bureau.now + timedelta(hours=2)), "inspector")
    bureau.run(Supervise(ids, "书记批示", level="leader"), "leader")
    bureau.run(Urge(ids), "dispatcher")
    bureau.run(AnswerOrder(ids, "下午完成"), "handler")
    assert [row["answer"] for row in bureau.about(order, case_id)] == ["下午完成", "下午完成", ""]
    with pytest.raises(Refused) as caught:
        bureau.run(AnswerOrder(ids, "再答"), "handler")
    assert caught.value.code == "no_order"


def test_an_order_can_be_answered_after_the_case_was_closed(bureau: Bureau) -> None:
    case_id = bureau.at("pending_close")
    bureau.run(Supervise((case_id,), "说明情况"), "inspector")
    bureau.run(Close((case_id,)), "duty_leader")
    assert bureau.run(AnswerOrder((case_id,), "已说明"), "handler") == 1


def test_level_demand_and_moment_are_checked(bureau: Bureau) -> None:
    ids = (bureau.reported(),)
    for command, code in (
        (Supervise(ids, "快办", level="god"), "unknown_level"),
        (Supervise(ids, "快办", bureau.now), "bad_until"),
        (Supervise(ids, " "), "needed"),
    ):
        with pytest.raises(Refused) as caught:
            bureau.run(command, "inspector")
        assert caught.value.code == code
