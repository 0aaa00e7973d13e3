"""Cases move along the table and no other way; a command on several is all or nothing, with all reasons."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import delete, select

from db.bootstrap import Core
from db.calendars.tables import calendar_year
from db.cases.commands.closing import Close, FailCheck
from db.cases.commands.dispatch import Dispatch, Reassign
from db.cases.commands.handling import Handle, Receive
from db.cases.commands.intake import Accept, Register, Report
from db.cases.tables import case, reporter, step
from db.kernel.actor import SYSTEM
from db.kernel.refusal import Refused, RefusedAll
from db.registers.tables import component, condition
from tests.db.cases.office import (
    CLOSED,
    COVER,
    MONDAY,
    ROADS,
    WATER,
    advance,
    at_state,
    command_of,
    officer,
    reported,
    row,
    verbs,
)
from tests.db.engine.kit import entries, rows_of, write


def refusals(core: Core, command: Any, actor: Any = SYSTEM) -> list[Refused]:
    """What a command is refused for; nothing may have been written."""
    before = rows_of(core.database, case), rows_of(core.database, step), len(entries(core.database))
    with pytest.raises(Refused) as caught:
        core.bus.run(command, actor)
    assert (rows_of(core.database, case), rows_of(core.database, step), len(entries(core.database))) == before
    found = list(caught.value.refusals) if isinstance(caught.value, RefusedAll) else [caught.value]
    assert all(one.text() and "{" not in one.text() for one in found)
    return found


def codes(core: Core, command: Any, actor: Any = SYSTEM) -> list[str]:
    return [one.code for one in refusals(core, command, actor)]


# Reporting.


def test_a_report_becomes_a_case_with_its_first_step(core: Core) -> None:
    case_id = reported(core, description=" 井盖\x00丢失 ", address="平行路\n12 号", reported_by=1)
    found = row(core, case_id)
    assert (found["state"], found["description"], found["address"]) == (
        "reported",
        "井盖丢失",
        "平行路 12 号",
    )
    assert (found["reported_at"], found["reporter_person_id"], found["due_at"]) == (MONDAY, 1, None)
    assert verbs(core, case_id) == ["report"]


def test_the_reporter_stands_apart_from_the_case(core: Core) -> None:
    case_id = reported(core, reporter_name="李四", reporter_phone="13800001234")
    assert "13800001234" not in str(row(core, case_id))
    [contact] = rows_of(core.database, reporter).values()
    assert (contact["case_id"], contact["name"], contact["phone"]) == (case_id, "李四", "13800001234")
    assert "13800001234" not in str(entries(core.database))
    reported(core)
    assert len(rows_of(core.database, reporter)) == 1


def test_everything_wrong_with_a_report_is_told_at_once(core: Core) -> None:
    wrong = Report("pigeon", 404, lon=117.0, component_id=404, reported_by=404)
    assert codes(core, wrong) == [
        "unknown_source",
        "unknown_category",
        "unknown_component",
        "unknown_person",
        "half_a_point",
    ]


@pytest.mark.parametrize(
    "lon, lat", [(181.0, 35.0), (117.0, -91.0), (float("nan"), 35.0), (117.0, float("inf"))]
)
def test_a_place_that_is_not_on_earth_is_refused(core: Core, lon: float, lat: float) -> None:
    assert codes(core, Report("hotline", COVER, lon=lon, lat=lat)) == ["not_on_earth"]


def test_a_case_may_be_about_a_component(core: Core) -> None:
    cover = {
        "id": 5,
        "code": "370481COVER000001",
        "category_id": COVER,
        "state": "normal",
        "lon": 117.1,
        "lat": 35.0,
    }
    write(core.database, lambda u: u.insert(component, [cover]))
    assert row(core, reported(core, component_id=5))["component_id"] == 5


# Numbers.


def numbers(core: Core) -> list[str]:
    return [found["number"] for _id, found in sorted(rows_of(core.database, case).items())]


def test_numbers_run_within_a_day_of_the_city_and_begin_anew_with_the_next(core: Core) -> None:
    reported(core)
    reported(core)
    advance(core, hours=13, minutes=59)
    reported(core)
    advance(core, minutes=1)
    reported(core)
    station = f"{core.database.ids.station:04d}"
    days = ("20260316", "20260316", "20260316", "20260317")
    assert numbers(core) == [f"{day}{station}{n:05d}" for day, n in zip(days, (1, 2, 3, 1), strict=True)]


def test_stations_number_apart(core: Core) -> None:
    for station in (3, 4, 3):
        core.database.use_station(station)
        core.database.ids.after(max(rows_of(core.database, case), default=0))
        reported(core)
    assert [number[8:] for number in numbers(core)] == ["000300001", "000400001", "000300002"]


def test_a_number_that_was_undone_is_not_given_again(core: Core) -> None:
    actor = officer(core, "acceptor")
    core.bus.run(Report("hotline", COVER), actor)
    [first] = numbers(core)
    core.bus.undo(actor)
    core.bus.run(Report("hotline", COVER), actor)
    assert [int(number) for number in numbers(core)] == [int(first) + 1]


def test_numbers_go_on_past_ninety_nine_thousand(core: Core) -> None:
    case_id = reported(core)
    prefix = row(core, case_id)["number"][:12]
    write(core.database, lambda u: u.update(case, {case_id: {"number": f"{prefix}99999"}}))
    for expected in ("100000", "100001"):
        assert row(core, reported(core))["number"] == prefix + expected


# The way of a case.


def test_registering_freezes_the_limit_of_the_first_condition(core: Core) -> None:
    case_id = at_state(core, "pending_dispatch")
    found = row(core, case_id)
    assert (found["limit_amount"], found["limit_unit"], found["filed_at"]) == (2, "urgent_hour", MONDAY)
    write(
        core.database,
        lambda u: u.update(condition, {found["condition_id"]: {"limit_amount": 99}}),
    )
    core.bus.run(Dispatch((case_id,), ROADS), SYSTEM)
    assert (row(core, case_id)["due_at"] - MONDAY).total_seconds() == 2 * 3600


def test_another_condition_may_be_chosen_if_it_belongs_to_the_class(core: Core) -> None:
    with core.database.read() as connection:
        query = select(condition.c.id, condition.c.category_id).where(condition.c.ordinal == 2)
        conditions = {category: found for found, category in connection.execute(query)}
    case_id = at_state(core, "pending_register")
    foreign = next(found for category, found in conditions.items() if category != COVER)
    assert codes(core, Register((case_id,), foreign)) == ["needed"]
    core.bus.run(Register((case_id,), conditions[COVER]), SYSTEM)
    assert row(core, case_id)["limit_unit"] == "working_hour"


def test_the_clock_starts_with_dispatch_and_stops_with_the_hand_back(core: Core) -> None:
    case_id = at_state(core, "pending_handle")
    found = row(core, case_id)
    assert (found["due_at"] - MONDAY).total_seconds() == 7200
    assert (found["soon_at"] - MONDAY).total_seconds() == 0.8 * 7200
    advance(core, hours=1)
    core.bus.run(Handle((case_id,), "已修复"), SYSTEM)
    assert row(core, case_id)["handled_at"] == core.clock.now()
    assert row(core, case_id)["due_at"] == found["due_at"]


def test_reassigning_keeps_the_due_time_and_counts_the_move(core: Core) -> None:
    case_id = at_state(core, "handling")
    before = row(core, case_id)
    advance(core, hours=1)
    core.bus.run(Reassign((case_id,), WATER, "不属我处"), SYSTEM)
    after = row(core, case_id)
    assert (after["due_at"], after["dispatched_at"]) == (before["due_at"], before["dispatched_at"])
    assert (after["state"], after["unit_id"], after["moves"]) == ("pending_handle", WATER, 1)


def test_rework_goes_to_the_same_unit_and_begins_the_clock_anew(core: Core) -> None:
    case_id = at_state(core, "pending_check")
    advance(core, hours=5)
    core.bus.run(FailCheck((case_id,), "未修复"), SYSTEM)
    found = row(core, case_id)
    assert (found["state"], found["unit_id"], found["reworks"]) == ("pending_handle", ROADS, 1)
    assert (found["due_at"] - core.clock.now()).total_seconds() == 7200
    assert found["handled_at"] is None


@pytest.mark.parametrize("state", ["closed", "rejected", "void"])
def test_an_end_is_timed_and_final(core: Core, state: str) -> None:
    case_id = at_state(core, state)
    assert row(core, case_id)["closed_at"] == MONDAY
    for verb in ("accept", "register", "void", "dispatch", "reassign", "handle", "close"):
        assert codes(core, command_of(verb, (case_id,))) == ["wrong_state"]


def test_a_missing_reason_note_or_unit_is_refused(core: Core) -> None:
    case_id = at_state(core, "pending_handle")
    assert codes(core, Reassign((case_id,), WATER, " \u200b ")) == ["needed"]
    assert codes(core, Handle((case_id,), "")) == ["needed"]
    assert codes(core, Reassign((case_id,), ROADS, "x")) == ["same_unit"]
    for unit_id in (CLOSED, 404):
        assert codes(core, Reassign((case_id,), unit_id, "x")) == ["no_such_unit"]


def test_without_the_calendar_of_the_year_no_clock_starts(core: Core) -> None:
    with core.database.read() as connection:
        second = connection.execute(
            select(condition.c.id).where(condition.c.category_id == COVER, condition.c.ordinal == 2)
        ).scalar()
    case_id = at_state(core, "pending_register")
    core.bus.run(Register((case_id,), second), SYSTEM)
    with core.database.engine.begin() as connection:
        connection.execute(delete(calendar_year))
    assert codes(core, Dispatch((case_id,), ROADS)) == ["calendar_missing"]


# Several at once.


def test_several_cases_move_together(core: Core) -> None:
    ids = tuple(at_state(core, "pending_handle") for _ in range(3))
    outcome = core.bus.run(Reassign((*ids, ids[0]), WATER, "不属我处"), SYSTEM)
    assert outcome.result == 3
    assert outcome.changes.of("cases") == set(ids)
    assert {row(core, i)["unit_id"] for i in ids} == {WATER}
    assert all(verbs(core, i)[-1] == "reassign" for i in ids)


def test_when_some_cannot_move_none_does_and_every_reason_is_told(core: Core) -> None:
    good, closed, early = (at_state(core, state) for state in ("pending_handle", "closed", "reported"))
    found = refusals(core, Reassign((good, closed, 404, early), WATER, "x"))
    assert [one.code for one in found] == ["wrong_state", "no_such_case", "wrong_state"]
    told = "\n".join(one.text() for one in found)
    assert row(core, closed)["number"] in told
    assert row(core, early)["number"] in told
    assert row(core, good)["number"] not in told


def test_no_cases_are_nothing(core: Core) -> None:
    before = len(entries(core.database))
    assert core.bus.run(Accept(()), SYSTEM).result == 0
    assert len(entries(core.database)) == before


# Two at once.


def test_the_slower_of_two_officers_hears_who_did_what_and_when(core: Core) -> None:
    case_id = at_state(core, "pending_dispatch")
    advance(core, hours=4, minutes=3)
    core.bus.run(Dispatch((case_id,), ROADS), officer(core, "dispatcher", name="王敏"))
    advance(core, minutes=1)
    [refusal] = refusals(core, Dispatch((case_id,), WATER), officer(core, "dispatcher", name="李强"))
    assert refusal.code == "wrong_state"
    assert refusal.text() == (
        f"{row(core, case_id)['number']}: “Dispatch” is not possible while the case is at “To handle”."
        " 14:03 王敏: Dispatch."
    )
    assert row(core, case_id)["unit_id"] == ROADS


def test_a_decision_on_what_was_seen_before_is_refused_though_the_state_is_the_same(core: Core) -> None:
    case_id = at_state(core, "pending_handle")
    seen = row(core, case_id)["version"]
    wang, li = (officer(core, "dispatcher", name=name) for name in ("王敏", "李强"))
    core.bus.run(Reassign((case_id,), WATER, "不属我处", (seen,)), wang)
    [refusal] = refusals(core, Reassign((case_id,), WATER, "x", (seen,)), li)
    assert refusal.code == "changed_meanwhile"
    assert refusal.text().endswith("It has changed since you looked. 10:00 王敏: Reassign.")
    core.bus.run(Reassign((case_id,), ROADS, "x", (seen + 1,)), li)


def test_undoing_a_dispatch_gives_back_the_case_and_its_clock(core: Core) -> None:
    case_id = at_state(core, "pending_dispatch")
    before = row(core, case_id)
    wang = officer(core, "dispatcher")
    core.bus.run(Dispatch((case_id,), ROADS), wang)
    assert core.bus.undo(wang).result == "Dispatch cases"
    assert {**row(core, case_id), "version": 0} == {**before, "version": 0}
    assert verbs(core, case_id) == ["report", "accept", "register"]


def test_each_person_moves_only_what_the_roles_allow(core: Core) -> None:
    case_id = at_state(core, "pending_handle")
    for command in (Receive((case_id,)), Handle((case_id,), "x"), Close((case_id,))):
        assert codes(core, command, officer(core, "dispatcher")) == ["not_permitted"]
    core.bus.run(Receive((case_id,)), officer(core, "handler"))


# A long walk: whoever does whatever to any case, the laws hold.
