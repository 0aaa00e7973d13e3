"""Whoever acts keeps to the areas, units and classes that bind him or her, whatever the command."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event

from db.bootstrap import HANDLERS, Core
from db.cases.commands.dispatch import AddHelper, Dispatch, Reassign
from db.cases.commands.handling import Receive
from db.cases.commands.intake import Accept
from db.cases.commands.merging import Split
from db.cases.scope import beyond, beyond_target, class_codes, out_of_scope
from db.cases.tables import case, reporter
from db.kernel.actor import SYSTEM, Actor, Scope
from db.kernel.command import lasting_commands
from db.kernel.refusal import Refused, RefusedAll
from db.registers.tables import area
from tests.db.cases.office import COVER, MONDAY, ROADS, WATER, at_state, reported, row
from tests.db.engine.kit import rows_of, write
from tests.kit.refusals import refused

NORTH, SOUTH = 501, 502
ANYWHERE = frozenset({"*"})


def bound(**scope: Any) -> Actor:
    return Actor(7, "王敏", ANYWHERE, scope=Scope(**scope))


@pytest.fixture
def districts(core: Core) -> Core:
    """Two districts, one with a cell in it; cases are put into one of them by ``case_in``."""
    tree = (
        (NORTH, "district", None),
        (SOUTH, "district", None),
        (511, "community", NORTH),
        (521, "cell", 511),
    )
    places = [
        {"id": i, "kind": kind, "code": str(i), "name": str(i), "parent_id": above, "lon": 117.1, "lat": 35.1}
        for i, kind, above in tree
    ]
    write(core.database, lambda u: u.insert(area, places))
    return core


def case_in(core: Core, district_id: int | None, state: str = "reported") -> int:
    case_id = at_state(core, state)
    write(core.database, lambda u: u.update(case, {case_id: {"district_id": district_id}}))
    return case_id


def commands_on_cases() -> list[type]:
    """Every command of the program that names cases."""
    found = set()
    for module in HANDLERS:
        for value in vars(module).values():
            if isinstance(value, type) and dataclasses.is_dataclass(value) and hasattr(value, "command_name"):
                names = {each.name for each in dataclasses.fields(value)}
                if names & {"case_ids", "case_id"}:
                    found.add(value)
    return sorted(found, key=lambda cls: cls.__name__)


GIVEN: dict[str, Any] = {
    "reason": "不属我处",
    "demand": "尽快处理",
    "answer": "已办",
    "note": "已修复",
    "descriptions": ("一", "二"),
    "kind": "postpone",
    "granted": True,
    "unit_id": WATER,
    "until": MONDAY + timedelta(days=30),
    "priority": 1,
    "word": "占道",
    "lon": 117.15,
    "lat": 35.08,
    "threshold": 0.9,
    "phase": "before",
    "name": "a.jpg",
    "sha256": "0" * 64,
    "mime": "image/jpeg",
    "bytes": 1,
    "width": 1,
    "height": 1,
}


def made(cls: type, case_id: int, other: int) -> Any:
    """A command with everything that it must have."""
    values = {**GIVEN, "case_ids": (case_id,), "case_id": case_id, "into_id": other}
    return cls(
        **{
            each.name: values[each.name]
            for each in dataclasses.fields(cls)
            if each.name in ("case_ids", "case_id", "into_id")
            or (each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING)
        }
    )


def test_the_walk_finds_the_commands() -> None:
    names = {cls.__name__ for cls in commands_on_cases()}
    assert {"Accept", "Reassign", "Merge", "Split", "AttachPhoto", "ViewContact", "Claim", "Urge"} <= names
    assert len(names) >= 30
    assert "case.claim" in lasting_commands()


@pytest.mark.parametrize(
    "give",
    [
        lambda i, to: Dispatch((i,), to),
        lambda i, to: Dispatch((i,), ROADS, helpers=(to,)),
        lambda i, to: Reassign((i,), to, "不属我处"),
        lambda i, to: AddHelper((i,), to),
        lambda i, to: Split(i, ("一",), COVER, to),
    ],
    ids=["dispatch", "helper of a dispatch", "reassign", "add helper", "split"],
)
def test_cases_are_given_only_to_units_that_the_scope_allows(
    districts: Core, give: Callable[[int, int], Any]
) -> None:
    state = "pending_dispatch" if isinstance(give(1, 1), Dispatch) else "handling"
    case_id = case_in(districts, NORTH, state)
    command = give(case_id, WATER)
    own = Actor(7, "王敏", ANYWHERE, scope=Scope(units=frozenset({ROADS})), targets=frozenset({ROADS}))
    north = Actor(7, "王敏", ANYWHERE, scope=Scope(areas=frozenset({NORTH})), targets=frozenset({ROADS}))
    write(districts.database, lambda u: u.update(case, {case_id: {"unit_id": ROADS}}))
    for who, words in ((own, "neither within the own units nor above"), (north, "answers for nothing there")):
        with refused("out_of_scope"):
            districts.bus.run(command, who)
        told = beyond_target(who, WATER, "水务集团")
        assert told is not None
        assert "水务集团" in told.text()
        assert words in told.text()
    districts.bus.run(command, dataclasses.replace(north, targets=frozenset({ROADS, WATER})))


@pytest.mark.parametrize("cls", commands_on_cases(), ids=lambda cls: cls.__name__)
def test_every_command_on_a_case_is_refused_outside_of_the_scope(districts: Core, cls: type) -> None:
    inside, outside = case_in(districts, NORTH), case_in(districts, SOUTH, "handling")
    contact = {"id": 1, "case_id": outside, "name": "李华", "phone": "13800001111"}
    write(districts.database, lambda u: u.insert(reporter, [contact]))
    who = bound(areas=frozenset({NORTH}))
    before = row(districts, outside)
    wanted = [made(cls, outside, inside)]
    if hasattr(wanted[0], "leave_out"):
        wanted.append(dataclasses.replace(wanted[0], leave_out=True))
    for command in wanted:
        with pytest.raises(Refused) as caught:
            districts.bus.run(command, who)
        assert caught.value.code == "out_of_scope", caught.value.text()
        assert before["number"] in caught.value.text()
        assert "王敏" in caught.value.text()
    assert row(districts, outside) == before


def test_nothing_is_merged_into_a_case_beyond_the_scope(districts: Core) -> None:
    merge = next(cls for cls in commands_on_cases() if cls.__name__ == "Merge")
    inside, outside = case_in(districts, NORTH), case_in(districts, SOUTH)
    with refused("out_of_scope"):
        districts.bus.run(made(merge, inside, outside), bound(areas=frozenset({NORTH})))


def test_within_the_scope_everything_goes_on(districts: Core) -> None:
    inside = case_in(districts, NORTH)
    districts.bus.run(Accept((inside,)), bound(areas=frozenset({NORTH})))
    assert row(districts, inside)["state"] == "pending_register"


def test_all_cases_beyond_are_told_at_once(districts: Core) -> None:
    ids = tuple(case_in(districts, SOUTH) for _ in range(2))
    with pytest.raises(RefusedAll) as caught:
        districts.bus.run(Accept(ids), bound(areas=frozenset({NORTH})))
    assert [each.code for each in caught.value.refusals] == ["out_of_scope"] * 2


def test_with_leave_out_the_cases_within_move_and_the_others_are_listed(districts: Core) -> None:
    inside, outside = case_in(districts, NORTH), case_in(districts, SOUTH)
    command = Accept((inside, outside), leave_out=True)
    moved = districts.bus.run(command, bound(areas=frozenset({NORTH}))).result
    assert moved.case_ids == (inside,)
    assert [(each.case_id, each.refusal.code) for each in moved.left_out] == [(outside, "out_of_scope")]


def test_a_unit_acts_on_its_own_cases_and_on_those_that_it_helps_with(core: Core) -> None:
    water = bound(units=frozenset({WATER}))
    case_id = at_state(core, "pending_handle")
    with refused("out_of_scope"):
        core.bus.run(Receive((case_id,)), water)
    core.bus.run(AddHelper((case_id,), WATER), SYSTEM)
    core.bus.run(Receive((case_id,)), water)
    assert row(core, case_id)["state"] == "handling"


def test_a_case_that_no_unit_has_is_in_no_units_scope(core: Core) -> None:
    case_id = reported(core)
    with refused("out_of_scope"):
        core.bus.run(Accept((case_id,)), bound(units=frozenset({ROADS})))


@pytest.mark.parametrize("prefix,may", [("component", True), ("component 01", True), ("component 02", False)])
def test_a_class_is_known_by_the_beginning_of_its_code(core: Core, prefix: str, may: bool) -> None:
    with core.database.read() as connection:
        assert class_codes(connection)[COVER] == "component 01001"
    case_id = reported(core)
    who = bound(prefixes=(prefix, "matter 09"))
    if may:
        core.bus.run(Accept((case_id,)), who)
        return
    with refused("out_of_scope"):
        core.bus.run(Accept((case_id,)), who)


some = st.frozensets(st.integers(1, 4), max_size=3)


@given(
    some,
    some,
    st.sampled_from([(), ("matter 0",), ("component",)]),
    st.integers(0, 4),
    st.integers(0, 4),
    some,
)
def test_parts_narrow_and_what_stands_in_one_adds_up(
    areas: frozenset[int],
    units: frozenset[int],
    prefixes: tuple[str, ...],
    place: int,
    unit_id: int,
    helpers: frozenset[int],
) -> None:
    facts = {"unit_id": unit_id or None, "district_id": None, "community_id": place or None}
    facts |= {"patrol_id": None, "cell_id": 99}
    why = out_of_scope(bound(areas=areas, units=units, prefixes=prefixes), facts, "matter 01001", helpers)
    fits = (
        not areas or place in areas,
        not units or bool(units & ({unit_id} | helpers)),
        not prefixes or "matter 0" in prefixes,
    )
    assert (why is None) == all(fits)
    assert why is None or why.code == "out_of_scope"


def test_who_is_bound_to_nothing_costs_no_query(core: Core, statements: Callable[[Any], list[str]]) -> None:
    reported(core)
    rows = list(rows_of(core.database, case).values())
    with core.database.read() as connection:
        said = statements(connection)
        assert beyond(connection, SYSTEM, rows) == {}
        assert said == []


@pytest.fixture
def statements() -> Callable[[Any], list[str]]:
    """Collects what is sent over a connection."""

    def listen(connection: Any) -> list[str]:
        said: list[str] = []
        event.listen(connection, "before_cursor_execute", lambda *told: said.append(told[2]))
        return said

    return listen
