"""A citizen's call about a missing cover, from the hotline to the closed file, as the office lives it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from db.bootstrap import Core, open_core
from db.calendars.queries import load_calendar
from db.cases.commands.closing import Close, FailCheck, PassCheck
from db.cases.commands.dispatch import Dispatch, Reassign
from db.cases.commands.handling import Handle, Receive
from db.cases.commands.intake import Accept, Register, Report
from db.cases.queries import case_details
from db.cases.rules import Light, light
from db.engine.journal import verify
from db.kernel.clock import to_ms
from db.kernel.refusal import Refused
from tests.db.cases.office import COVER, ROADS, WATER, advance, officer, open_office, row, verbs
from tests.db.engine.kit import entries


@pytest.fixture
def core(database_url: str) -> Iterator[Core]:
    core = open_office(database_url)
    yield core
    core.close()


def light_of(core: Core, case_id: int) -> Light:
    """The light as the queue would show it now."""
    found = row(core, case_id)
    due, soon, stopped = (
        to_ms(at) if (at := found[name]) else 0 for name in ("due_at", "soon_at", "handled_at")
    )
    return light(to_ms(core.clock.now()), due, soon, stopped)


def test_a_missing_cover_from_the_call_to_the_closed_file(core: Core) -> None:
    acceptor = officer(core, "acceptor", name="赵丽")
    leader = officer(core, "duty_leader", name="孙涛")
    dispatcher = officer(core, "dispatcher", name="王敏")
    roads = officer(core, "handler", name="钱军")

    # 10:00 A call comes in and is taken down.
    call = Report("hotline", COVER, "井盖丢失，有人差点掉下去", "平行路 12 号", reporter_phone="13800001234")
    case_id = int(core.bus.run(call, acceptor).result)
    ids = (case_id,)
    core.bus.run(Accept(ids), acceptor)
    assert light_of(core, case_id) is Light.NO_CLOCK

    # 10:05 The duty leader registers it: two hours, day or night.
    advance(core, minutes=5)
    core.bus.run(Register(ids), leader)

    # 10:10 It is dispatched to the wrong unit, noticed, and taken back.
    advance(core, minutes=5)
    core.bus.run(Dispatch(ids, WATER), dispatcher)
    assert light_of(core, case_id) is Light.ON_TIME
    core.bus.undo(dispatcher)
    assert light_of(core, case_id) is Light.NO_CLOCK

    # 10:12 Again, and once more to another unit; the clock runs from the first dispatch.
    advance(core, minutes=2)
    core.bus.run(Dispatch(ids, WATER), dispatcher)
    due = row(core, case_id)["due_at"]
    advance(core, minutes=3)
    core.bus.run(Reassign(ids, ROADS, "不属水务"), dispatcher)
    assert row(core, case_id)["due_at"] == due

    # Nobody but the unit may hand it back.
    with pytest.raises(Refused):
        core.bus.run(Handle(ids, "已补齐"), dispatcher)
    core.bus.run(Receive(ids), roads)
    advance(core, minutes=100)
    assert light_of(core, case_id) is Light.SOON
    core.bus.run(Handle(ids, "已补齐"), roads)
    advance(core, days=1)
    assert light_of(core, case_id) is Light.SOON, "its clock stands since the hand-back"

    # The check fails: the same unit again, with a clock of its own, and this time too late.
    core.bus.run(FailCheck(ids, "松动"), leader)
    assert light_of(core, case_id) is Light.ON_TIME
    advance(core, hours=3)
    assert light_of(core, case_id) is Light.OVER
    core.bus.run(Handle(ids, "已更换"), roads)
    core.bus.run(PassCheck(ids), leader)
    core.bus.run(Close(ids), leader)

    with core.database.read() as connection:
        details = case_details(connection, case_id)
        assert verify(connection).whole
        assert load_calendar(connection).known(to_ms(core.clock.now()))
    assert details is not None
    assert [one.verb for one in details.steps] == verbs(core, case_id)
    assert verbs(core, case_id) == [
        *("report", "accept", "register", "dispatch", "reassign", "receive", "handle"),
        *("fail_check", "handle", "pass_check", "close"),
    ]
    assert "undo" in [entry.command for entry in entries(core.database)]
    assert "13800001234" not in str(entries(core.database))


def test_two_desks_share_the_work_and_a_restart_forgets_nothing(core: Core, database_url: str) -> None:
    wang, li = (officer(core, "duty_leader", name=name) for name in ("王敏", "李强"))
    other = open_core(database_url, clock=core.clock)
    case_id = int(core.bus.run(Report("collector", COVER), wang).result)
    other.bus.run(Register((case_id,)), li)

    # Both look at the same case, and both dispatch it.
    seen = row(core, case_id)["version"], row(other, case_id)["version"]
    other.bus.run(Dispatch((case_id,), WATER, versions=(seen[1],)), li)
    with pytest.raises(Refused) as caught:
        core.bus.run(Dispatch((case_id,), ROADS, versions=(seen[0],)), wang)
    assert caught.value.text().endswith("10:00 李强: Dispatch.")
    other.close()

    # After a restart the quicker one can still take it back, and the slower one goes on.
    again = open_core(database_url, clock=core.clock)
    again.bus.undo(li)
    core.bus.run(Dispatch((case_id,), ROADS), wang)
    assert row(again, case_id)["unit_id"] == ROADS
    with pytest.raises(Refused) as caught:
        again.bus.undo(li)
    assert caught.value.code == "changed_since"
    again.close()
