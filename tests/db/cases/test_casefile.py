"""A case file holds every row of a case, its relatives, its place's history, and why a verb is refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import shapely

from db.cases.casefile import SAME_PLACE_METRES, case_file, nearby, next_acts
from db.cases.queries import case_details
from db.cases.tables import case, involved, order, photo, request, span, task, timer
from db.cases.workflow import Clock, Move, Workflow
from db.engine.connections import Database
from db.kernel.actor import SYSTEM, Actor, Scope
from db.kernel.refusal import Refused
from db.people.tables import person, position
from db.registers.reference import read_transitions
from db.registers.tables import area, component
from tests.db.live.city import NOW, Write, case_values, found_city, move_person, write

HOUR = timedelta(hours=1)
HERE = {"lon": 117.16, "lat": 35.08}
DEGREE = 111_195.0
"""Metres of a degree of latitude."""


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = found_city(database_url)
    yield database
    database.close()


def north(metres: float) -> dict[str, float]:
    return {"lon": HERE["lon"], "lat": HERE["lat"] + metres / DEGREE}


def ids_near(database: Database, case_id: int = 1, metres: float = SAME_PLACE_METRES) -> list[int]:
    with database.read() as connection:
        details = case_details(connection, case_id)
        assert details is not None
        return [near.id for near in nearby(connection, details, metres)]


def test_a_file_holds_the_rows_of_every_table(database: Database) -> None:
    by = {"asked_by": 1, "asked_by_name": "赵六", "asked_at": NOW}
    photo_values = {"sha256": "ab" * 32, "name": "a.jpg", "mime": "image/jpeg", "bytes": 9}
    write(
        database,
        (case, [case_values(1), case_values(2)]),
        (request, [{"id": 1, "case_id": 1, "kind": "postpone", "state": "pending", "reason": "雨", **by}]),
        (order, [{"id": 1, "case_id": 1, "kind": "urge", "demand": "快", "given_by": 1, "given_by_name": "王",
                  "given_at": NOW}]),
        (task, [{"id": 1, "case_id": 1, "kind": "check", "sent_by_name": "王", "sent_at": NOW}]),
        (timer, [{"id": 1, "case_id": 1, "stage": "handle", "began_at": NOW}]),
        (span, [{"id": 2, "case_id": 1, "kind": "paused", "cause": "suspend", "began_at": NOW + HOUR,
                 "by_name": "王"},
                {"id": 3, "case_id": 1, "kind": "running", "cause": "dispatch", "began_at": NOW,
                 "ended_at": NOW + HOUR, "by_name": "王"}]),
        (involved, [{"id": 1, "case_id": 1, "unit_id": 2, "role": "helper", "since": NOW}]),
        (photo, [{"id": 1, "case_id": 1, "phase": "before", "width": 2, "height": 2, "added_by_name": "王",
                  "added_at": NOW, **photo_values}]),
    )  # fmt: skip
    with database.read() as connection:
        file, other = case_file(connection, 1, SYSTEM), case_file(connection, 2, SYSTEM)
        assert case_file(connection, 404, SYSTEM) is None
    assert file is not None
    assert other is not None
    assert [(asked.kind, asked.reason) for asked in file.requests] == [("postpone", "雨")]
    assert [(given.kind, given.level) for given in file.orders] == [("urge", "ordinary")]
    assert [sent.kind for sent in file.tasks] == ["check"]
    assert [stage.stage for stage in file.stages] == ["handle"]
    assert [(each.kind, each.ended_at) for each in file.spans] == [("running", NOW + HOUR), ("paused", None)]
    assert [(taking.unit_id, taking.role) for taking in file.units] == [(2, "helper")]
    assert [one.sha256 for one in file.photos] == ["ab" * 32]
    assert not any((other.requests, other.orders, other.tasks, other.spans, other.photos))


def test_parents_children_and_merged_reports_are_found_from_both_sides(database: Database) -> None:
    write(
        database,
        (case, [
            case_values(1), case_values(2, parent_id=1), case_values(3, parent_id=1),
            case_values(4, merged_into_id=1),
        ]),
    )  # fmt: skip
    with database.read() as connection:
        files = {case_id: case_file(connection, case_id, SYSTEM) for case_id in range(1, 5)}
    one, two, four = files[1], files[2], files[4]
    assert one is not None
    assert two is not None
    assert four is not None
    assert [relative.id for relative in one.children] == [2, 3]
    assert [relative.number for relative in one.merged] == ["N4"]
    assert (one.parent, one.merged_into) == (None, None)
    assert two.parent is not None
    assert two.parent.id == 1
    assert four.merged_into is not None
    assert four.merged_into.id == 1


def test_the_same_place_is_a_circle_of_fifty_metres(database: Database) -> None:
    corner = {"lon": HERE["lon"] + 45 / (DEGREE * 0.8182), "lat": HERE["lat"] + 45 / DEGREE}
    write(
        database,
        (case, [
            case_values(1, **HERE), case_values(2, **north(49)), case_values(3, **north(51)),
            case_values(4, **corner), case_values(5),
        ]),
    )  # fmt: skip
    assert ids_near(database) == [2]
    assert set(ids_near(database, metres=70)) == {2, 3, 4}
    assert ids_near(database, 5) == [], "without a position there is no place"


def test_history_ranks_component_before_class_before_any_and_the_newest_first(database: Database) -> None:
    thing = {"code": "37048101001000001", "category_id": 1, "state": "intact", **HERE}
    write(database, (component, [{"id": 9, **thing}]))

    def at(hours: int) -> dict[str, Any]:
        return {"reported_at": NOW - hours * HOUR}

    write(
        database,
        (case, [
            case_values(1, component_id=9, **HERE),
            case_values(2, category_id=2, **HERE, **at(1)),
            case_values(3, **HERE, **at(3)),
            case_values(4, **HERE, **at(2), state="closed", closed_at=NOW),
            # Far away or without a position, but the same component.
            case_values(5, component_id=9, category_id=2, **north(900), **at(90)),
            case_values(6, component_id=9, **at(99)),
        ]),
    )  # fmt: skip
    assert ids_near(database) == [6, 5, 4, 3, 2]
    with database.read() as connection:
        file = case_file(connection, 1, SYSTEM)
    assert file is not None
    by_id = {near.id: near for near in file.nearby}
    assert by_id[6].metres is None
    assert by_id[6].same_component
    assert by_id[4].closed_at == NOW
    assert not by_id[2].same_category
    assert file.thing is not None
    assert file.thing.code == "37048101001000001"


def test_the_chain_of_duty_goes_from_cell_to_district_and_names_collectors_seen(database: Database) -> None:
    outline = shapely.to_wkb(shapely.box(117.15, 35.07, 117.17, 35.09))
    place = {"lon": 117.16, "lat": 35.08, "outline": outline}
    write(
        database,
        (area, [
            {"id": 2, "kind": "community", "code": "C", "name": "社区", "unit_id": 1, **place},
            {"id": 3, "kind": "patrol", "code": "P", "name": "责任网格", "parent_id": 2, **place},
            {"id": 4, "kind": "cell", "code": "W", "name": "网格", "parent_id": 2, "patrol_id": 3, **place},
        ]),
        (person, [{"id": 5, "code": "P5", "name": "远方", "unit_id": 1, "post": "collector"}]),
        (case, [case_values(1, cell_id=4, patrol_id=3, community_id=2, district_id=1), case_values(2)]),
    )  # fmt: skip
    move_person(database, 5, 118.0, 1_773_460_000_000)
    with database.write(SYSTEM, Write()) as unit:
        unit.telemetry(position, [{"person_id": 1, "at": NOW, "lon": 117.16, "lat": 35.08}])
    with database.read() as connection:
        file, bare = case_file(connection, 1, SYSTEM), case_file(connection, 2, SYSTEM)
    assert file is not None
    assert bare is not None
    assert [(duty.kind, duty.unit) for duty in file.duties] == [
        ("cell", ""), ("patrol", ""), ("community", "单位1"), ("district", ""),
    ]  # fmt: skip
    assert [[seen.name for seen in duty.people] for duty in file.duties] == [[], ["张三"], [], []]
    assert bare.duties == ()


def test_each_verb_is_allowed_or_says_why_not(database: Database) -> None:
    workflow = Workflow(
        Move(row.from_state, row.verb, row.to_state, row.permission, frozenset(row.needs), Clock(row.clock))
        for row in read_transitions()
        if row.edition == 2
    )
    by = {"asked_by": 1, "asked_by_name": "赵六", "asked_at": NOW, "reason": "雨"}
    given = {"demand": "快", "given_by": 1, "given_by_name": "王", "given_at": NOW}
    write(
        database,
        (case, [case_values(1), case_values(2, state="closed", closed_at=NOW), case_values(3)]),
        (request, [{"id": 1, "case_id": 3, "kind": "postpone", "state": "pending", **by}]),
        (order, [{"id": 1, "case_id": 3, "kind": "supervise", **given}]),
    )
    with database.read() as connection:
        files = {case_id: case_file(connection, case_id, SYSTEM) for case_id in (1, 2, 3)}

    def codes(case_id: int, who: Actor) -> dict[str, str]:
        file = files[case_id]
        assert file is not None
        answers = next_acts(workflow, file, who)
        assert set(answers) == set(workflow.verbs)
        return {verb: "" if refusal is None else refusal.code for verb, refusal in answers.items()}

    handler = Actor(9, "赵六", frozenset({"case.handle"}))
    mine = codes(1, handler)
    assert (mine["handle"], mine["ask_return"]) == ("", "")
    assert mine["reassign"] == "not_permitted"
    assert mine["close"] == "wrong_state"
    assert all(codes(2, handler).values())
    # Nobody asked, and nobody ordered: nothing to decide or to answer.
    everybody = codes(1, SYSTEM)
    assert (everybody["grant_postpone"], everybody["answer_order"]) == ("needed", "no_order")
    waiting = codes(3, SYSTEM)
    assert [waiting[verb] for verb in ("grant_postpone", "refuse_postpone", "answer_order")] == ["", "", ""]
    assert waiting["grant_suspend"] == "needed"


def test_out_of_scope_or_claimed_by_another_no_verb_is_offered_that_would_be_refused(
    database: Database,
) -> None:
    workflow = Workflow(
        Move(row.from_state, row.verb, row.to_state, row.permission, frozenset(row.needs), Clock(row.clock))
        for row in read_transitions()
        if row.edition == 2
    )
    write(
        database,
        (case, [case_values(1, unit_id=1, district_id=1)]),
        (involved, [{"id": 1, "case_id": 1, "unit_id": 2, "role": "helper", "since": NOW}]),
    )
    with database.read() as connection:
        file = case_file(connection, 1, SYSTEM)
    assert file is not None
    assert file.class_code == "matter 01"

    def reassign(scope: Scope, claimed: Refused | None = None) -> str:
        answer = next_acts(workflow, file, Actor(9, "赵六", frozenset({"*"}), scope=scope), claimed)[
            "reassign"
        ]
        return "" if answer is None else answer.code

    assert reassign(Scope()) == ""
    assert reassign(Scope(areas=frozenset({1}), units=frozenset({2}), prefixes=("matter",))) == ""
    for scope in (Scope(areas=frozenset({2})), Scope(units=frozenset({3})), Scope(prefixes=("component",))):
        assert reassign(scope) == "out_of_scope"
    claimed = Refused("claimed", "{who}", who="王敏")
    assert reassign(Scope(), claimed) == "claimed"
    answers = next_acts(workflow, file, SYSTEM, claimed)
    assert {verb for verb, why in answers.items() if why is None} >= {"urge", "supervise", "force_close"}
