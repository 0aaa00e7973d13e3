"""All cases of a command move or none does; timers and spans follow, also where there were none before."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import delete, select

from db.bootstrap import Core, open_core
from db.cases.commands.closing import Close, FailCheck
from db.cases.commands.handling import Handle
from db.cases.commands.intake import Accept, Reject
from db.cases.commands.moving import STAGE_LIMITS
from db.cases.commands.orders import Urge
from db.cases.commands.requests import AskSuspend, Grant, Resume
from db.cases.tables import photo, span, timer, transition
from db.engine import settings
from db.kernel.refusal import Refused, RefusedAll
from tests.db.engine.kit import write
from tests.flows.bureau import Bureau


def test_one_refusal_stops_all_and_every_reason_is_told(bureau: Bureau) -> None:
    good, closed, void = bureau.reported(), bureau.at("closed"), bureau.at("void")
    before = bureau.dump()
    with pytest.raises(RefusedAll) as caught:
        bureau.run(Accept((good, closed, void, 99)), "acceptor")
    assert [each.code for each in caught.value.refusals] == ["wrong_state", "wrong_state", "no_such_case"]
    assert bureau.dump() == before


def test_a_case_named_twice_moves_once(bureau: Bureau) -> None:
    case_id = bureau.reported()
    assert bureau.run(Accept((case_id, case_id)), "acceptor") == 1
    assert bureau.verbs(case_id) == ["report", "accept"]


def test_each_stage_has_a_timer_of_its_own(bureau: Bureau) -> None:
    case_id = bureau.at("closed")
    found = bureau.about(timer, case_id)
    assert [row["stage"] for row in found] == ["accept", "register", "dispatch", "handle", "check", "close"]
    assert [row["by_name"] for row in found] == [
        "acceptor",
        "duty_leader",
        "dispatcher",
        "handler",
        "collector",
        "duty_leader",
    ]
    limits = {row["stage"]: row["due_at"] and row["due_at"] - row["began_at"] for row in found}
    assert limits["dispatch"] == timedelta(minutes=15)
    assert limits["check"] == timedelta(hours=2)
    assert limits["register"] is limits["close"] is None


def test_a_bureau_sets_the_limits_of_its_stages(file_bureau: Bureau) -> None:
    bureau = file_bureau
    # 120 minutes of working time from 17:00 end at 09:00.
    write(bureau.core.database, lambda unit: settings.put(unit, STAGE_LIMITS, {"accept": [120, 1]}))
    bureau.wait(hours=7)
    (row,) = bureau.about(timer, bureau.reported())
    assert row["due_at"] - row["began_at"] == timedelta(hours=16)


def test_a_case_from_before_there_were_spans_gets_them_with_its_next_move(bureau: Bureau) -> None:
    handling, checked = bureau.at("handling"), bureau.at("pending_check")
    with bureau.core.database.engine.begin() as connection:
        connection.execute(delete(span))
        connection.execute(delete(timer))
    dispatched = bureau.now
    bureau.wait(hours=1)
    bureau.run(AskSuspend((handling,), "待预算", bureau.now + timedelta(days=9), "批文"), "handler")
    bureau.run(Grant((handling,), "suspend"), "dispatcher")
    assert [(s["kind"], s["cause"], s["began_at"], s["ended_at"]) for s in bureau.about(span, handling)] == [
        ("running", "dispatch", dispatched, bureau.now),
        ("paused", "suspend", bureau.now, None),
    ]
    due = bureau.row(handling)["due_at"]
    bureau.wait(days=1)
    from_then = bureau.now
    bureau.run(Resume((handling,)), "dispatcher")
    assert bureau.row(handling)["due_at"] == due + timedelta(days=1)
    assert bureau.about(span, handling)[-1]["began_at"] == from_then
    bureau.run(FailCheck((checked,), "未修复"), "collector")
    assert [(s["kind"], s["cause"]) for s in bureau.about(span, checked)] == [
        ("running", "dispatch"),
        ("paused", "check"),
        ("running", "rework"),
    ]


def test_a_bureau_may_demand_a_photo_of_the_fix(file_bureau: Bureau) -> None:
    bureau = file_bureau
    case_id = bureau.at("handling")
    with bureau.core.database.read() as connection:
        move_id = connection.execute(
            select(transition.c.id).where(
                transition.c.edition == 2,
                transition.c.from_state == "handling",
                transition.c.verb == "handle",
            )
        ).scalar_one()
    needs = {move_id: {"needs": ["note", "photo"]}}
    write(bureau.core.database, lambda unit: unit.update(transition, needs))
    with pytest.raises(Refused) as caught:
        bureau.run(Handle((case_id,), "已修复"), "handler")
    assert "Attach a photo first." in caught.value.text()
    picture = {"case_id": case_id, "sha256": "0" * 64, "name": "x.jpg", "mime": "image/jpeg", "bytes": 1}
    picture |= {"width": 1, "height": 1, "added_by_name": "handler", "added_at": bureau.now}
    write(bureau.core.database, lambda unit: unit.insert(photo, [{"id": 1, "phase": "before", **picture}]))
    with pytest.raises(Refused):
        bureau.run(Handle((case_id,), "已修复"), "handler")
    write(bureau.core.database, lambda unit: unit.insert(photo, [{"id": 2, "phase": "after", **picture}]))
    assert bureau.run(Handle((case_id,), "已修复"), "handler") == 1


def test_an_act_that_changes_no_column_is_still_seen_by_who_looked_before(bureau: Bureau) -> None:
    case_id = bureau.at("pending_close")
    seen = bureau.row(case_id)["version"]
    bureau.run(Urge((case_id,)), "dispatcher")
    with pytest.raises(Refused) as caught:
        bureau.run(Close((case_id,), (seen,)), "duty_leader")
    assert caught.value.code == "changed_meanwhile"


def test_two_who_decided_on_the_same_version_do_not_both_succeed(bureau: Bureau) -> None:
    case_id = bureau.reported()
    ids, seen = (case_id,), (bureau.row(case_id)["version"],)
    other = open_core(bureau.core.database.url, clock=bureau.core.clock)
    start, told = threading.Barrier(2), []

    def act(core: Core, command: object, who: str) -> None:
        start.wait()
        try:
            core.bus.run(command, bureau.officers[who])
        except Refused as refusal:
            told.append((who, refusal))

    rivals = [
        threading.Thread(target=act, args=(bureau.core, Accept(ids, seen), "acceptor")),
        threading.Thread(target=act, args=(other, Reject(ids, "不属本市", seen), "duty_leader")),
    ]
    for rival in rivals:
        rival.start()
    for rival in rivals:
        rival.join(120)
    other.close()
    assert len(bureau.verbs(case_id)) == 2
    ((slower, refusal),) = told
    quicker = {"acceptor": "duty_leader", "duty_leader": "acceptor"}[slower]
    assert f"10:00 {quicker}: " in refusal.text()
