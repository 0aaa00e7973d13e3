"""Two stations decide about one case: what is harmless merges, the rest lies in the tray of the later one."""

from __future__ import annotations

from typing import Any

import pytest

from db.cases.commands.dispatch import Dispatch, Reassign
from db.cases.commands.intake import Accept, Register, Report
from db.cases.commands.marking import SetPriority, TagCases
from db.cases.commands.orders import Urge
from db.cases.tables import case, tag
from db.desk.commands import ChangeKept, Keep
from db.desk.tables import kept
from db.engine.bus import Bus
from db.engine.outbox import DONE, DROPPED, PARKED
from tests.db.sync.conftest import Pair
from tests.flows.bureau import CONDITIONS, COVER, PARKS, ROADS, WATER


def dispatched(pair: Pair) -> int:
    """A case in the hands of the road office, known at both stations."""
    case_id = int(pair.east.run(Report("hotline", COVER, "井盖丢失"), "wang"))
    ids = (case_id,)
    pair.east.run(Accept(ids), "wang")
    pair.east.run(Register(ids, CONDITIONS[2]), "chen")
    pair.east.run(Dispatch(ids, ROADS), "li")
    pair.east.sync()
    pair.west.sync()
    assert pair.west.rows(case)[case_id]["unit_id"] == ROADS
    return case_id


def in_step(pair: Pair) -> None:
    for _round in range(2):
        pair.east.sync()
        pair.west.sync()
    assert pair.east.differences() == pair.west.differences() == []


@pytest.mark.parametrize(
    "first, second, state",
    [
        (lambda ids: SetPriority(ids, 1, "学校旁"), lambda ids: TagCases(ids, "防汛"), DONE),
        (lambda ids: TagCases(ids, "防汛"), lambda ids: Reassign(ids, WATER, "不属我处"), DONE),
        (lambda ids: TagCases(ids, "防汛"), lambda ids: TagCases(ids, "防汛"), DROPPED),
        (lambda ids: Reassign(ids, WATER, "不属"), lambda ids: TagCases(ids, "防汛"), DONE),
        (lambda ids: Reassign(ids, WATER, "不属"), lambda ids: Urge(ids, "请尽快"), DONE),
        (lambda ids: Reassign(ids, WATER, "不属"), lambda ids: Reassign(ids, PARKS, "不属"), PARKED),
        (lambda ids: SetPriority(ids, 1, "学校旁"), lambda ids: SetPriority(ids, 2, "医院旁"), PARKED),
        (lambda ids: SetPriority(ids, 2, "学校旁"), lambda ids: SetPriority(ids, 2, "医院旁"), DROPPED),
    ],
)
def test_what_two_do_at_once(pair: Pair, first: Any, second: Any, state: str) -> None:
    ids = (dispatched(pair),)
    pair.east.run(first(ids), "li")
    pair.west.run(second(ids), "zhao")
    pair.east.sync()
    in_step(pair)
    assert [act.state for act in pair.west.acts().values()] == [state]
    assert {act.state for act in pair.east.acts().values()} == {DONE}
    assert len({row["word"] for row in pair.east.rows(tag).values()}) == len(pair.east.rows(tag))


def test_what_one_keeps_at_two_desks(pair: Pair) -> None:
    """One person at two stations: names and pins merge, two names do not."""
    kept_id = pair.server.run(Keep("filter", "南区", {}), "li")
    for post in (pair.east, pair.west):
        post.pull()
    pair.west.actors["li"] = pair.east.actors["li"]
    pair.west.people += ("li",)
    pair.west.signed_in.add("li")
    pair.east.run(ChangeKept(kept_id, name="南区超期"), "li")
    pair.west.run(ChangeKept(kept_id, pinned=True), "li")
    pair.west.run(ChangeKept(kept_id, name="南区夜间"), "li")
    pair.east.sync()
    in_step(pair)
    *_others, parked = pair.west.acts().values()
    assert [act.state for act in pair.west.acts().values()] == [DONE, PARKED]
    assert parked.refusal["facts"]["who"] == "李华"
    (row,) = pair.server.rows(kept).values()
    assert (row["name"], row["pinned"]) == ("南区超期", True)


def test_what_cannot_be_taken_back_any_more_tells_who_did_what_since(pair: Pair) -> None:
    ids = (dispatched(pair),)
    pair.west.run(TagCases(ids, "防汛"), "zhao")
    pair.west.sync()
    pair.server.run(SetPriority(ids, 2, "医院旁"), "li")
    pair.west.pull()
    found = Bus(pair.west.local).undoable(pair.west.actors["zhao"])
    assert found is not None
    (lost,) = found.lost
    assert (lost.refusal.facts["who"], lost.refusal.facts["what"]) == ("李华", "Set priority")
