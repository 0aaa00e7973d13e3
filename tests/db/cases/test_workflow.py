"""The table of moves is the shipped one; every state of it leads to an end, and a refusal says why."""

from __future__ import annotations

import pytest

from db.bootstrap import Core
from db.cases.commands.moving import load_workflow
from db.cases.rules import STATES
from db.cases.tables import transition
from db.cases.workflow import NEED_MESSAGES, VERB_LABELS, Clock, Move, Workflow
from db.kernel.actor import SYSTEM, Actor
from db.kernel.refusal import Refused
from db.registers import reference
from tests.db.engine.kit import rows_of, write


def newest() -> list[reference.TransitionRow]:
    """The rows of the newest edition that ships."""
    rows = reference.read_transitions()
    return [row for row in rows if row.edition == max(each.edition for each in rows)]


def shipped() -> Workflow:
    return Workflow(
        Move(r.from_state, r.verb, r.to_state, r.permission, frozenset(r.needs), Clock(r.clock))
        for r in newest()
    )


def test_the_database_holds_the_table_of_the_file(core: Core) -> None:
    rows = rows_of(core.database, transition).values()
    assert {
        (r["from_state"], r["verb"], r["to_state"], r["permission"], tuple(r["needs"])) for r in rows
    } == {(r.from_state, r.verb, r.to_state, r.permission, r.needs) for r in reference.read_transitions()}
    with core.database.read() as connection:
        assert load_workflow(connection).verbs == shipped().verbs


def test_only_the_newest_edition_counts(core: Core) -> None:
    new = {"from_state": "", "verb": "report", "to_state": "pending_register", "permission": "case.report"}
    write(core.database, lambda u: u.insert(transition, [{"id": 1, "edition": 99, "needs": [], **new}]))
    with core.database.read() as connection:
        workflow = load_workflow(connection)
    assert workflow.verbs == ["report"]
    assert workflow.move("", "report", SYSTEM).to_state == "pending_register"


def test_every_open_state_is_reached_and_leads_to_an_end() -> None:
    # "previous" is the state that a case had before it was merged: one of the others.
    moves = [move for move in newest() if move.to_state != "previous"]
    assert {move.to_state for move in moves} | {move.from_state for move in moves} <= {"", *STATES}
    reached = {""}
    while found := {m.to_state for m in moves if m.from_state in reached} - reached:
        reached |= found
    assert {move.from_state for move in moves} <= reached, "no state is an island"
    ended = {code for code, state in STATES.items() if not state.open}
    ending = set(ended)
    while found := {m.from_state for m in moves if m.to_state in ending} - ending:
        ending |= found
    assert reached <= ending, "and none is a trap"
    assert all(m.to_state == m.from_state for m in moves if m.from_state in ended), "an end is an end"


def test_every_verb_and_need_has_words_and_every_permission_a_role() -> None:
    moves = newest()
    assert {move.verb for move in moves} <= set(VERB_LABELS)
    assert {need for move in moves for need in move.needs} <= set(NEED_MESSAGES)
    held = {permission for role in reference.read_roles() for permission in role.permissions}
    assert {move.permission for move in moves} <= held


def test_the_clock_starts_with_dispatch_and_stops_with_the_hand_back() -> None:
    clocks = {(m.verb, m.clock) for m in newest() if m.clock}
    standing = {("grant_return", "pause"), ("grant_suspend", "pause"), ("resume", "resume")}
    assert clocks == {("dispatch", "start"), ("handle", "stop"), ("fail_check", "restart"), *standing}


BARRED = "is not possible while the case is at"


@pytest.mark.parametrize(
    "state, verb, actor, given, code, words",
    [
        ("closed", "dispatch", SYSTEM, {"unit"}, "wrong_state", f"“Dispatch” {BARRED} “Closed”."),
        ("nowhere", "dance", SYSTEM, set(), "wrong_state", f"“dance” {BARRED} “nowhere”."),
        ("reported", "accept", Actor(1, "李强"), set(), "not_permitted", "李强 may not do this: Accept."),
        ("pending_handle", "reassign", SYSTEM, {"unit"}, "needed", "A reason is required."),
        ("pending_dispatch", "dispatch", SYSTEM, set(), "needed", "Name the unit that is to handle it."),
    ],
)
def test_a_refusal_says_why(
    state: str, verb: str, actor: Actor, given: set[str], code: str, words: str
) -> None:
    with pytest.raises(Refused) as caught:
        shipped().move(state, verb, actor, frozenset(given))
    assert (caught.value.code, caught.value.text()) == (code, words)


def test_a_person_is_offered_what_the_permissions_allow() -> None:
    dispatcher = Actor(1, "王敏", frozenset({"case.dispatch"}))
    workflow = shipped()
    offered = {move.verb for move in workflow.allowed("handling", dispatcher)}
    assert "reassign" in offered
    assert "handle" not in offered
    assert offered < {move.verb for move in workflow.allowed("handling", SYSTEM)}
    assert {move.permission for move in workflow.allowed("handling", dispatcher)} == {"case.dispatch"}
    assert workflow.allowed("void", SYSTEM) == []
