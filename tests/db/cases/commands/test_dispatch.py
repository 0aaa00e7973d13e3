"""Who takes part in a case, and since when."""

from __future__ import annotations

import pytest

from db.cases.commands.dispatch import AddHelper, Dispatch, Reassign
from db.cases.commands.requests import AskReturn, Grant
from db.cases.tables import involved
from db.kernel.refusal import Refused
from tests.flows.bureau import PARKS, ROADS, WATER, Bureau


def taking_part(bureau: Bureau, case_id: int) -> list[tuple[int, str]]:
    return [(r["unit_id"], r["role"]) for r in bureau.about(involved, case_id) if r["until"] is None]


def test_a_helper_that_takes_over_helps_no_longer(bureau: Bureau) -> None:
    case_id = bureau.at("pending_dispatch")
    bureau.run(Dispatch((case_id,), ROADS, (WATER, PARKS)), "dispatcher")
    assert taking_part(bureau, case_id) == [(ROADS, "main"), (WATER, "helper"), (PARKS, "helper")]
    bureau.run(Reassign((case_id,), WATER, "权属"), "dispatcher")
    assert taking_part(bureau, case_id) == [(PARKS, "helper"), (WATER, "main")]
    assert bureau.row(case_id)["unit_id"] == WATER


def test_a_return_ends_everybodys_part(bureau: Bureau) -> None:
    case_id = bureau.at("handling")
    bureau.run(AddHelper((case_id,), PARKS), "dispatcher")
    bureau.run(AskReturn((case_id,), "不属我处", "图"), "handler")
    bureau.run(Grant((case_id,), "return"), "dispatcher")
    assert taking_part(bureau, case_id) == []


def test_a_unit_is_not_its_own_helper_and_an_unknown_one_is_none(bureau: Bureau) -> None:
    ids = (bureau.at("pending_dispatch"),)
    for command in (Dispatch(ids, ROADS, (ROADS,)), Dispatch(ids, 99), Dispatch(ids, ROADS, (99,))):
        with pytest.raises(Refused):
            bureau.run(command, "dispatcher")
    bureau.run(Dispatch(ids, ROADS), "dispatcher")
    for command in (AddHelper(ids, ROADS), AddHelper(ids, 99), Reassign(ids, ROADS, "同")):
        with pytest.raises(Refused):
            bureau.run(command, "dispatcher")
