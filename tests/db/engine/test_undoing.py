"""What hangs together goes back together; what others touched stays, and is told with who, what, when."""

from __future__ import annotations

import pytest

from db.cases.commands.dispatch import Dispatch, Reassign
from db.cases.commands.handling import Receive
from db.cases.commands.orders import Urge
from db.cases.tables import involved, span, step
from db.engine.bus import Undo, Undone
from db.engine.undoing import Undoable
from db.kernel.refusal import Refused, RefusedAll
from tests.flows.bureau import PARKS, ROADS, WATER, Bureau
from tests.kit.refusals import refused


def undoable(bureau: Bureau, who: str = "dispatcher") -> Undoable:
    found = bureau.core.bus.undoable(bureau.officers[who])
    assert found is not None
    return found


def back(bureau: Bureau, who: str = "dispatcher") -> Undone:
    result = bureau.core.bus.undo(bureau.officers[who], leave_out=True).result
    assert isinstance(result, Undone)
    return result


def test_whoever_did_nothing_has_nothing_to_undo(bureau: Bureau) -> None:
    bureau.at("handling")
    assert bureau.core.bus.undoable(bureau.officers["inspector"]) is None


def test_it_is_told_beforehand_what_would_be_taken_back(bureau: Bureau) -> None:
    ids = tuple(bureau.at("handling") for _ in range(3))
    bureau.run(Reassign(ids, WATER, "片区调整"), "dispatcher")
    at, entries = bureau.now, len(bureau.entries())
    bureau.wait(minutes=5)
    found = undoable(bureau)
    assert (found.seq, found.label, found.at) == (entries, "Reassign cases", at)
    assert (found.size, found.back, found.lost) == (3, 3, ())
    bureau.run(Receive((ids[2],)), "handler")
    found = undoable(bureau)
    assert (found.size, found.back, [each.case_id for each in found.lost]) == (3, 2, [ids[2]])
    assert len(bureau.entries()) == entries + 1


def test_of_a_lost_case_nothing_goes_back_and_of_the_others_everything(bureau: Bureau) -> None:
    ids = tuple(bureau.at("handling") for _ in range(2))
    before = {i: {table.name: len(bureau.about(table, i)) for table in (step, span, involved)} for i in ids}
    bureau.run(Reassign(ids, WATER, "片区调整"), "dispatcher")
    bureau.run(Reassign((ids[1],), PARKS, "绿化"), "duty_leader")
    undone = back(bureau)
    assert (undone.label, undone.back) == ("Reassign cases", (ids[0],))
    assert [each.number for each in undone.lost] == [bureau.row(ids[1])["number"]]
    for table in (step, span, involved):
        assert len(bureau.about(table, ids[0])) == before[ids[0]][table.name]
        assert len(bureau.about(table, ids[1])) == before[ids[1]][table.name] + 2
    assert [bureau.row(i)["unit_id"] for i in ids] == [ROADS, PARKS]
    # Its own entry names what it undoes, and there is no second time.
    assert bureau.entries()[-1].undoes == bureau.entries()[-3].seq
    with refused("undone_already"):
        bureau.run(Undo(bureau.entries()[-3].seq), "dispatcher")


def test_without_leaving_out_one_lost_case_refuses_all_and_every_reason_is_told(bureau: Bureau) -> None:
    ids = tuple(bureau.at("handling") for _ in range(3))
    bureau.run(Reassign(ids, WATER, "片区调整"), "dispatcher")
    bureau.run(Urge(ids[:2], "请尽快"), "duty_leader")
    before = bureau.dump()
    with pytest.raises(RefusedAll) as caught:
        bureau.core.bus.undo(bureau.officers["dispatcher"])
    assert [each.code for each in caught.value.refusals] == ["changed_since"] * 2
    assert bureau.dump() == before


def test_when_all_is_lost_nothing_is_written(bureau: Bureau) -> None:
    ids = (bureau.at("handling"),)
    bureau.run(Reassign(ids, WATER, "片区调整"), "dispatcher")
    bureau.run(Urge(ids, "请尽快"), "duty_leader")
    entries = len(bureau.entries())
    assert undoable(bureau).back == 0
    with pytest.raises(Refused) as caught:
        back(bureau)
    assert caught.value.text() == (
        f"{bureau.row(ids[0])['number']}: touched since by duty_leader at 10:00: Urge."
    )
    assert len(bureau.entries()) == entries


def test_what_others_took_back_themselves_stands_in_nobody_s_way(bureau: Bureau) -> None:
    ids = (bureau.at("handling"),)
    bureau.run(Reassign(ids, WATER, "片区调整"), "dispatcher")
    bureau.run(Urge(ids, "请尽快"), "duty_leader")
    bureau.core.bus.undo(bureau.officers["duty_leader"])
    assert undoable(bureau).lost == ()
    assert back(bureau).back == ids


def test_a_case_that_is_gone_since_is_told_without_a_number(bureau: Bureau) -> None:
    case_id = bureau.at("pending_dispatch")
    bureau.run(Dispatch((case_id,), ROADS), "dispatcher")
    assert back(bureau).back == (case_id,)
    # The act before it, the filing by the duty leader, can now be taken back, and so on to the report.
    for who in ("duty_leader", "acceptor", "acceptor"):
        bureau.core.bus.undo(bureau.officers[who])
    with bureau.core.database.read() as connection:
        assert not connection.exec_driver_sql("SELECT id FROM cases").all()
