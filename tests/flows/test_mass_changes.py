"""Many cases at once: what was foreseen happens, what was done can be taken back whole, nobody is overrun."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Table

from db.bootstrap import open_core
from db.cases.commands.closing import Close, FailCheck, ForceClose, PassCheck
from db.cases.commands.dispatch import AddHelper, Dispatch, Reassign, SendBack
from db.cases.commands.handling import Receive
from db.cases.commands.intake import Accept, Register, Void
from db.cases.commands.marking import SetPriority, TagCases, UntagCases
from db.cases.commands.orders import Supervise, Urge
from db.cases.commands.requests import AskPostpone, AskReturn, Grant, Refuse
from db.cases.foresight import Foresight, Moved, foresee
from db.cases.rules import STATES, Light, light
from db.cases.tables import case, claim, tag
from db.engine.bus import Undone
from db.engine.journal import verify
from db.kernel.actor import SYSTEM, Actor
from db.kernel.clock import SetClock, to_ms
from db.kernel.refusal import Refused, RefusedAll
from db.people.tables import person
from tests.db.engine.kit import rows_of, write
from tests.flows.bureau import LIFE, MONDAY, PARKS, ROADS, WATER, Bureau, fill

KEEPER = 71
"""A person of the water company."""
ASK, KINDS = "待料", ("postpone", "return")
TABLES: tuple[Table, ...] = (*LIFE, tag, claim)

Make = Callable[[tuple[int, ...]], Any]
ACTS: dict[str, Make] = {
    "accept": lambda ids: Accept(ids, leave_out=True),
    "register": lambda ids: Register(ids, leave_out=True),
    "dispatch": lambda ids: Dispatch(ids, WATER, (PARKS,), leave_out=True, holder_id=KEEPER),
    "reassign": lambda ids: Reassign(ids, WATER, "片区调整", leave_out=True),
    "to a person": lambda ids: Reassign(ids, WATER, "片区调整", leave_out=True, holder_id=KEEPER),
    "send back": lambda ids: SendBack(ids, "无责任单位", leave_out=True),
    "help": lambda ids: AddHelper(ids, PARKS, leave_out=True),
    "receive": lambda ids: Receive(ids, leave_out=True),
    "urge": lambda ids: Urge(ids, "请尽快", leave_out=True),
    "supervise": lambda ids: Supervise(ids, "今日办结", leave_out=True),
    **{f"grant {kind}": lambda ids, kind=kind: Grant(ids, kind, "同意", leave_out=True) for kind in KINDS},
    **{f"refuse {kind}": lambda ids, kind=kind: Refuse(ids, kind, "不准", leave_out=True) for kind in KINDS},
    "pass": lambda ids: PassCheck(ids, leave_out=True),
    "fail": lambda ids: FailCheck(ids, "未修复", leave_out=True),
    "close": lambda ids: Close(ids, leave_out=True),
    "force": lambda ids: ForceClose(ids, "历史遗留", leave_out=True),
    "void": lambda ids: Void(ids, "误报", leave_out=True),
    "priority": lambda ids: SetPriority(ids, 2, "重大活动", leave_out=True),
    "tag": lambda ids: TagCases(ids, "创城", leave_out=True),
    "untag": lambda ids: UntagCases(ids, "旧标签", leave_out=True),
}


@pytest.fixture
def busy(database_url: str) -> Iterator[Bureau]:
    """A bureau with cases in many states, on both databases."""
    bureau = Bureau(fill(database_url))
    keeper = {"id": KEEPER, "code": "P71", "name": "孙丽", "unit_id": WATER, "post": "handler"}
    write(bureau.core.database, lambda unit: unit.insert(person, [keeper]))
    for state in ("reported", "pending_register", "pending_dispatch", "pending_handle", "handling"):
        bureau.at(state)
    asked = bureau.at("handling"), bureau.at("handling")
    bureau.run(AskPostpone((asked[0],), ASK), "handler")
    bureau.run(AskReturn((asked[1],), "不属我处", "权属证明"), "handler")
    for state in ("suspended", "pending_check", "pending_close", "closed"):
        bureau.at(state)
    bureau.run(TagCases(asked, "旧标签"), "dispatcher")
    bureau.run(SetPriority((asked[1],), 2, "重大活动"), "dispatcher")
    bureau.wait(hours=3, minutes=30)
    yield bureau
    bureau.core.close()


def everything(bureau: Bureau) -> dict[str, Any]:
    """All rows about cases but for their versions, which count undoing too."""
    return {
        table.name: {
            i: {name: value for name, value in row.items() if name != "version"}
            for i, row in rows_of(bureau.core.database, table).items()
        }
        for table in TABLES
    }


def loads(bureau: Bureau) -> dict[int, list[int]]:
    """Open, due today and overdue by unit, counted one by one."""
    midnight = MONDAY.replace(hour=16)
    found: dict[int, list[int]] = {}
    for row in rows_of(bureau.core.database, case).values():
        if row["unit_id"] is None or not STATES[row["state"]].open:
            continue
        count = found.setdefault(row["unit_id"], [0, 0, 0])
        count[0] += 1
        stands = row["handled_at"] or row["paused_at"]
        due, soon = (to_ms(row[name]) if row[name] else 0 for name in ("due_at", "soon_at"))
        over = light(to_ms(bureau.now), due, soon, to_ms(stands) if stands else 0) is Light.OVER
        count[1] += not over and stands is None and due > 0 and row["due_at"] < midnight
        count[2] += over
    return found


def look(bureau: Bureau, command: Any, who: Actor = SYSTEM) -> Foresight:
    """What would happen now."""
    with bureau.core.database.read() as connection:
        return foresee(connection, command, who, bureau.now)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(act=st.sampled_from(sorted(ACTS)), chosen=st.sets(st.integers(0, 11), min_size=1))
def test_what_was_foreseen_happens_and_taking_it_back_restores_every_row(
    busy: Bureau, act: str, chosen: set[int]
) -> None:
    ids = sorted(rows_of(busy.core.database, case))
    command = ACTS[act](tuple(ids[place % len(ids)] for place in sorted(chosen)))
    before, load = everything(busy), loads(busy)
    seen = look(busy, command)
    assert everything(busy) == before, "looking writes nothing"
    if not seen.moving:
        with pytest.raises(Refused) as caught:
            busy.run(command)
        assert told(caught.value) == [each.refusal.text() for each in seen.left_out]
        assert everything(busy) == before
        return
    result = busy.run(command)
    assert isinstance(result, Moved)
    assert result.case_ids == seen.moving
    assert [(e.case_id, e.refusal.text()) for e in result.left_out] == [
        (e.case_id, e.refusal.text()) for e in seen.left_out
    ]
    after = loads(busy)
    for each in seen.loads:
        pairs = (each.open, each.due_today, each.overdue)
        assert [pair[0] for pair in pairs] == load.get(each.unit_id, [0, 0, 0])
        assert [pair[1] for pair in pairs] == after.get(each.unit_id, [0, 0, 0])
    unnamed = {u for u in load.keys() | after.keys() if load.get(u) != after.get(u)}
    assert unnamed <= {each.unit_id for each in seen.loads}
    undone = busy.core.bus.undo(SYSTEM, leave_out=True).result
    assert isinstance(undone, Undone)
    assert (set(undone.back), undone.lost) == (set(result.case_ids), ())
    assert everything(busy) == before
    with busy.core.database.read() as connection:
        assert verify(connection).whole


def told(refusal: Refused) -> list[str]:
    """The sentences of a refusal, one for each reason."""
    return [each.text() for each in refusal.refusals] if isinstance(refusal, RefusedAll) else [refusal.text()]


def test_a_mass_change_is_taken_back_after_a_restart_but_for_what_others_touched(
    busy: Bureau, database_url: str
) -> None:
    ids = tuple(busy.at("handling") for _ in range(5))
    busy.run(Reassign(ids, WATER, "片区调整"), "dispatcher")
    busy.wait(minutes=2)
    busy.run(Urge((ids[1],), "请尽快"), "duty_leader")
    busy.run(Receive((ids[3],)), "handler")
    again = Bureau(open_core(database_url, clock=SetClock(busy.now + timedelta(minutes=1))))
    who = again.officers["dispatcher"]
    waiting = again.core.bus.undoable(who)
    assert waiting is not None
    assert (waiting.size, waiting.back) == (5, 3)
    undone = again.core.bus.undo(who, leave_out=True).result
    assert set(undone.back) == {ids[0], ids[2], ids[4]}
    assert [each.case_id for each in undone.lost] == [ids[1], ids[3]]
    assert [each.refusal.text() for each in undone.lost] == [
        f"{again.row(ids[1])['number']}: touched since by duty_leader at 13:32: Urge.",
        f"{again.row(ids[3])['number']}: touched since by handler at 13:32: Receive cases.",
    ]
    assert [again.row(i)["unit_id"] for i in ids] == [ROADS, WATER, ROADS, WATER, ROADS]
    assert again.verbs(ids[1])[-2:] == ["reassign", "urge"]
    again.core.close()


STATIONS, SUPERVISORS, CASES = 4, 20, 40


def test_twenty_supervisors_at_once_move_each_case_once_and_hear_of_every_other(database_url: str) -> None:
    bureau = Bureau(fill(database_url))
    ids = [bureau.at("handling") for _ in range(CASES)]
    versions = {i: row["version"] for i, row in rows_of(bureau.core.database, case).items()}
    stations = [open_core(database_url, clock=SetClock(MONDAY)) for _ in range(STATIONS)]
    permissions = bureau.officers["dispatcher"].permissions

    def supervise(number: int) -> tuple[list[int], list[int]]:
        """Gives a good half of the cases to a unit, as he saw them; who moved, who was left out."""
        mine = tuple(random.Random(number).sample(ids, CASES // 2 + 2))
        who = Actor(1000 + number, f"值班员{number}", permissions)
        seen = tuple(versions[i] for i in mine)
        command = Reassign(mine, (WATER, PARKS)[number % 2], f"第{number}批", seen, leave_out=True)
        try:
            result = stations[number % STATIONS].bus.run(command, who).result
        except Refused as refusal:
            reasons = told(refusal)
            result = None
        if result is None:
            assert len(reasons) == len(mine)
            assert all("值班员" in each for each in reasons)
            return [], list(mine)
        assert {each.refusal.code for each in result.left_out} <= {"changed_meanwhile"}
        left = [each.case_id for each in result.left_out]
        assert sorted((*result.case_ids, *left)) == sorted(mine)
        return list(result.case_ids), left

    with ThreadPoolExecutor(SUPERVISORS) as pool:
        results = list(pool.map(supervise, range(SUPERVISORS)))
    for station in stations:
        station.close()
    winners = Counter(case_id for moved, _left in results for case_id in moved)
    assert set(winners.values()) == {1}
    for case_id in ids:
        assert bureau.verbs(case_id).count("reassign") == winners[case_id]
        assert bureau.row(case_id)["version"] == versions[case_id] + winners[case_id]
        assert (bureau.row(case_id)["unit_id"] != ROADS) == bool(winners[case_id])
    with bureau.core.database.read() as connection:
        assert verify(connection).whole
    bureau.core.close()
