"""件件有着落: every open case has a holder, and one that has lost it is found."""

from __future__ import annotations

from typing import Any

import pytest

from db.bootstrap import Core
from db.cases.holding import IN_HAND, POSTS, Holder, holder_of, unheld
from db.cases.rules import STATES
from db.cases.tables import case
from db.people.rules import POSTS as ALL_POSTS
from db.people.tables import person, unit
from tests.db.cases.office import ROADS, WATER, at_state, row
from tests.db.engine.kit import write


def lost(core: Core) -> list[tuple[int, str]]:
    with core.database.read() as connection:
        return [(each.id, each.why) for each in unheld(connection)]


def test_every_open_state_has_a_post_or_a_unit() -> None:
    assert {*POSTS, *IN_HAND} == {code for code, state in STATES.items() if state.open}
    assert set(POSTS.values()) <= set(ALL_POSTS)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("unit_id", [None, 0, 5])
@pytest.mark.parametrize("holder_id", [None, 0, 9])
def test_who_has_a_case_follows_from_its_row(state: str, unit_id: int | None, holder_id: int | None) -> None:
    holder = holder_of({"state": state, "unit_id": unit_id, "holder_id": holder_id})
    if state in POSTS:
        assert holder == Holder("post", POSTS[state])
    elif state in IN_HAND and unit_id:
        assert holder == (Holder("person", 9) if holder_id else Holder("unit", 5))
    else:
        assert holder is None


def test_on_their_way_cases_always_have_a_holder(core: Core) -> None:
    for state in ("reported", "pending_register", "pending_dispatch", "handling", "pending_check", "closed"):
        case_id = at_state(core, state)
        assert (holder_of(row(core, case_id)) is None) == (state == "closed")
    assert lost(core) == []


@pytest.mark.parametrize(
    "change,why",
    [
        ({"unit_id": None}, "no unit has it in hand"),
        ({"holder_id": 404}, "the person who has it is no longer in the unit"),
        ({"holder_id": 1, "unit_id": WATER}, "the person who has it is no longer in the unit"),
        ({"state": "closed"}, "it is open, but its state is not"),
    ],
)
def test_what_was_changed_behind_the_commands_is_found(core: Core, change: dict[str, Any], why: str) -> None:
    case_id = at_state(core, "handling")
    write(core.database, lambda u: u.update(case, {case_id: change}))
    assert lost(core) == [(case_id, why)]


def test_a_unit_or_person_that_is_gone_leaves_its_cases_without_a_holder(core: Core) -> None:
    case_id = at_state(core, "handling")
    write(core.database, lambda u: u.update(case, {case_id: {"holder_id": 1}}))
    assert lost(core) == []
    write(core.database, lambda u: u.update(person, {1: {"active": False}}))
    assert lost(core) == [(case_id, "the person who has it is no longer in the unit")]
    write(core.database, lambda u: u.update(unit, {ROADS: {"active": False}}))
    assert lost(core) == [(case_id, "the unit that has it is no longer active")]
