"""A command told beforehand: by the same checks, with the loads before and after, and without a trace."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from db.cases.commands.closing import Close, FailCheck
from db.cases.commands.dispatch import Dispatch, Reassign
from db.cases.commands.requests import AskReturn, Grant
from db.cases.foresight import Foresight, UnitLoad, foresee
from db.kernel.actor import Actor
from db.people.tables import person
from tests.db.engine.kit import write
from tests.flows.bureau import ROADS, WATER, Bureau, fill
from tests.kit.refusals import refused

KEEPER, STRANGER = 71, 72


@pytest.fixture
def bureau(database_url: str) -> Iterator[Bureau]:
    """On both databases, with a person of the water company and one of the parks."""
    made = Bureau(fill(database_url))
    rows = [
        {"id": KEEPER, "code": "P71", "name": "孙丽", "unit_id": WATER, "post": "leader"},
        {"id": STRANGER, "code": "P72", "name": "周强", "unit_id": ROADS, "post": "handler"},
    ]
    write(made.core.database, lambda unit: unit.insert(person, rows))
    yield made
    made.core.close()


def look(bureau: Bureau, command: object, who: str | Actor = "dispatcher") -> Foresight:
    actor = bureau.officers[who] if isinstance(who, str) else who
    with bureau.core.database.read() as connection:
        return foresee(connection, command, actor, bureau.now)


def test_it_tells_who_wins_what_and_who_is_there(bureau: Bureau) -> None:
    ids = tuple(bureau.at("handling") for _ in range(3))
    bureau.at("handling")
    seen = look(bureau, Reassign((*ids, 404), WATER, "片区调整"))
    assert (seen.verb, seen.moving, seen.restarting) == ("reassign", ids, ())
    assert [each.case_id for each in seen.left_out] == [404]
    by_unit = {load.unit_id: load for load in seen.loads}
    assert by_unit[ROADS] == UnitLoad(ROADS, (4, 1), (4, 1), (0, 0), by_unit[ROADS].on_shift)
    assert by_unit[WATER] == UnitLoad(WATER, (0, 3), (0, 3), (0, 0), ("孙丽",))
    assert seen.versions == tuple(bureau.row(i)["version"] for i in ids)
    assert seen.stamp == bureau.entries()[-1].seq


def test_overdue_and_due_today_are_counted_apart_and_what_was_handed_back_is_not_to_come(
    bureau: Bureau,
) -> None:
    late, back = bureau.at("handling"), bureau.at("pending_check")
    bureau.wait(hours=24)
    fresh = bureau.at("handling")
    seen = look(bureau, Reassign((late, fresh), WATER, "片区调整"))
    (roads,) = (load for load in seen.loads if load.unit_id == ROADS)
    assert (roads.open, roads.due_today, roads.overdue) == ((3, 1), (1, 0), (1, 0))
    assert bureau.row(back)["unit_id"] == ROADS


def test_cases_whose_whole_limit_counts_anew_are_named(bureau: Bureau) -> None:
    new, returned = bureau.at("pending_dispatch"), bureau.at("handling")
    bureau.run(AskReturn((returned,), "不属我处", "权属证明"), "handler")
    bureau.run(Grant((returned,), "return"), "dispatcher")
    assert look(bureau, Dispatch((new, returned), WATER)).restarting == (returned,)
    failed = bureau.at("pending_check")
    assert look(bureau, FailCheck((failed,), "未修复"), "collector").restarting == (failed,)


def test_what_cannot_be_meant_at_all_is_refused(bureau: Bureau) -> None:
    ids = (bureau.at("handling"),)
    with refused("no_such_unit"):
        look(bureau, Reassign(ids, 404, "x"))
    with refused("not_of_unit"):
        look(bureau, Reassign(ids, WATER, "x", holder_id=STRANGER))
    with refused("not_permitted"):
        look(bureau, Reassign(ids, WATER, "x"), "handler")


def test_a_needed_reason_is_missed_for_every_case(bureau: Bureau) -> None:
    ids = tuple(bureau.at("handling") for _ in range(2))
    seen = look(bureau, Reassign(ids, WATER, ""))
    assert (seen.moving, [each.refusal.code for each in seen.left_out]) == ((), ["needed"] * 2)
    assert seen.loads == ()


def test_cases_that_end_leave_their_unit(bureau: Bureau) -> None:
    case_id = bureau.at("pending_close")
    (load,) = look(bureau, Close((case_id,)), "duty_leader").loads
    assert (load.unit_id, load.open) == (ROADS, (1, 0))


def test_a_person_holds_a_case_within_one_unit_only(bureau: Bureau) -> None:
    case_id = bureau.at("handling")
    bureau.run(Reassign((case_id,), WATER, "x", holder_id=KEEPER), "dispatcher")
    assert (bureau.row(case_id)["holder_id"], bureau.row(case_id)["moves"]) == (KEEPER, 1)
    with refused("same_holder"):
        bureau.run(Reassign((case_id,), WATER, "x", holder_id=KEEPER), "dispatcher")
    with refused("same_unit"):
        bureau.run(Reassign((case_id,), WATER, "x"), "dispatcher")
    bureau.run(Reassign((case_id,), ROADS, "x"), "dispatcher")
    assert bureau.row(case_id)["holder_id"] is None
    # To another person of the same unit: nothing but the person changes hands.
    bureau.run(Reassign((case_id,), ROADS, "x", holder_id=STRANGER), "dispatcher")
    assert (bureau.row(case_id)["holder_id"], bureau.row(case_id)["moves"]) == (STRANGER, 2)
