"""What the screen greys out is what the command would refuse."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.cases.workflow import Clock, Move, Workflow
from db.kernel.actor import Actor, Scope
from db.live.claims import Claimed, Claims
from db.live.delta import Delta
from db.live.reach import claimed_by_other, why_not, within_reach
from db.live.store import Store
from tests.db.live.rows import DIRECTORY, NOON, ZONE, any_delta, case_row, delta_of

WORKFLOW = Workflow(
    [
        Move("reported", "accept", "pending_register", "case.accept", frozenset(), Clock.KEEP),
        Move("reported", "urge", "reported", "case.urge", frozenset(), Clock.KEEP),
        Move("reported", "force_close", "forced", "case.force", frozenset({"reason"}), Clock.KEEP),
    ]
)


def who(**scope: object) -> Actor:
    return Actor(7, "王敏", frozenset({"case.accept", "case.urge"}), scope=Scope(**scope))  # type: ignore[arg-type]


def a_store(delta: Delta) -> Store:
    store = Store(ZONE, NOON)
    store.name_anew(DIRECTORY)
    store.apply(delta)
    return store


some = st.frozensets(st.integers(0, 3), max_size=2)


@given(any_delta(), some, some, st.sampled_from([(), ("matter C1",), ("component",), ("matter",)]))
def test_one_case_and_all_cases_are_judged_alike(
    delta: Delta, areas: frozenset[int], units: frozenset[int], prefixes: tuple[str, ...]
) -> None:
    store, actor = a_store(delta), who(areas=areas - {0}, units=units - {0}, prefixes=prefixes)
    reach = within_reach(actor, store)
    for slot in np.flatnonzero(store.alive).tolist():
        refusal = why_not(actor, "urge", store, slot)
        assert (refusal is None) == reach[slot]
        assert refusal is None or refusal.code == "out_of_scope"


@pytest.mark.parametrize(
    "verb,code",
    [("accept", "claimed"), ("urge", ""), ("force_close", "not_permitted"), ("close", "wrong_state")],
)
def test_a_claim_of_another_holds_the_stage_and_nothing_else(verb: str, code: str) -> None:
    claims = Claims({1: Claimed(8, "李强", NOON + 60_000)})
    store = a_store(delta_of([case_row(1, state="reported"), case_row(2, state="reported")], claims=claims))
    refusal = why_not(who(), verb, store, store.slot_of(1) or 0, WORKFLOW)
    assert (refusal.code if refusal else "") == code
    if verb == "accept":
        assert refusal is not None
        assert refusal.text() == "李强 has claimed it until 12:01."
        assert why_not(who(), verb, store, store.slot_of(2) or 0, WORKFLOW) is None
        assert claimed_by_other(Actor(8, "李强"), store, 1) is None
        store.roll(NOON + 60_000)
        assert why_not(who(), verb, store, store.slot_of(1) or 0, WORKFLOW) is None


def test_force_goes_through_a_claim() -> None:
    claims = Claims({1: Claimed(8, "李强", NOON + 60_000)})
    store = a_store(delta_of([case_row(1, state="reported")], claims=claims))
    assert why_not(Actor(7, "王敏", frozenset({"*"})), "force_close", store, 0, WORKFLOW) is None
