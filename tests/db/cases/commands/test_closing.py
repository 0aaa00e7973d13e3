"""What must have happened before a case is closed."""

from __future__ import annotations

import pytest

from db.cases.commands.closing import Close, FailCheck, ForceClose, PassCheck
from db.cases.commands.handling import Handle
from db.cases.commands.merging import Split
from db.cases.tables import span
from db.kernel.refusal import Refused
from tests.flows.bureau import Bureau


def test_a_split_case_waits_for_its_parts(bureau: Bureau) -> None:
    case_id = bureau.at("pending_handle")
    (part,) = bureau.run(Split(case_id, ("东侧",)), "dispatcher")
    bureau.run(Handle((case_id,), "已修复"), "handler")
    bureau.run(PassCheck((case_id,)), "collector")
    with pytest.raises(Refused) as caught:
        bureau.run(Close((case_id,)), "duty_leader")
    assert caught.value.code == "parts_open"
    bureau.run(ForceClose((part,), "已一并处置"), "duty_leader")
    assert bureau.run(Close((case_id,)), "duty_leader") == 1


def test_each_failed_check_counts(bureau: Bureau) -> None:
    case_id = bureau.at("pending_check")
    for round_ in (1, 2, 3):
        bureau.run(FailCheck((case_id,), "未修复"), "collector")
        assert bureau.row(case_id)["reworks"] == round_
        bureau.wait(minutes=30)
        bureau.run(Handle((case_id,), "再修"), "handler")
    assert [s["cause"] for s in bureau.about(span, case_id)] == [
        "dispatch",
        "check",
        *["rework", "check"] * 3,
    ]
