"""The unit's own acts on a case."""

from __future__ import annotations

from db.cases.commands.handling import Handle, Receive
from tests.flows.bureau import Bureau


def test_a_case_can_be_handed_back_without_having_been_received(bureau: Bureau) -> None:
    case_id = bureau.at("pending_handle")
    bureau.run(Handle((case_id,), "路过已修复"), "handler")
    row = bureau.row(case_id)
    assert (row["state"], row["handled_at"], row["paused_at"]) == ("pending_check", bureau.now, bureau.now)


def test_many_cases_are_received_at_once(bureau: Bureau) -> None:
    ids = tuple(bureau.at("pending_handle") for _ in range(3))
    assert bureau.run(Receive(ids), "handler") == 3
    assert {bureau.row(i)["state"] for i in ids} == {"handling"}
