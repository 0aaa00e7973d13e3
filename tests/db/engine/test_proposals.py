"""Above the setting one officer proposes and another confirms, and takes back; both names in the journal."""

from __future__ import annotations

import pytest

from db.cases.commands.dispatch import Reassign
from db.cases.commands.merging import Merge
from db.cases.commands.orders import Urge
from db.cases.foresight import foresee, foresee_undo
from db.engine.bus import TWO_OFFICERS, Undo
from db.engine.proposals import (
    ConfirmProposal,
    ProposalValue,
    RefuseProposal,
    WithdrawProposal,
    propose,
    waiting,
)
from db.engine.tables import proposal
from db.kernel.actor import Actor
from db.kernel.moved import Moved
from tests.db.engine.kit import put_setting, rows_of
from tests.flows.bureau import PARKS, ROADS, WATER, Bureau
from tests.kit.refusals import refused


@pytest.fixture
def two(bureau: Bureau) -> Bureau:
    """More than two cases want a second officer."""
    put_setting(bureau.core.database, TWO_OFFICERS, 2)
    return bureau


def second(bureau: Bureau, role: str = "dispatcher") -> Actor:
    """Another person of a role."""
    return Actor(999, "李强", bureau.officers[role].permissions)


def proposed(bureau: Bureau) -> list[ProposalValue]:
    with bureau.core.database.read() as connection:
        return waiting(connection)


def some(bureau: Bureau, count: int = 3) -> tuple[int, ...]:
    return tuple(bureau.at("handling") for _ in range(count))


def test_one_officer_moves_as_many_as_the_setting_says(two: Bureau) -> None:
    ids = some(two)
    assert two.run(Reassign(ids[:2], WATER, "片区调整"), "dispatcher") == 2
    entries = len(two.entries())
    with refused("second_officer"):
        two.run(Reassign(ids, PARKS, "片区调整"), "dispatcher")
    assert len(two.entries()) == entries


@pytest.mark.parametrize("above,wants", [(0, False), (2, True), (3, False)])
def test_it_is_foreseen_that_a_second_officer_is_wanted(bureau: Bureau, above: int, wants: bool) -> None:
    put_setting(bureau.core.database, TWO_OFFICERS, above)
    command = Reassign(some(bureau), WATER, "片区调整")
    with bureau.core.database.read() as connection:
        seen = foresee(connection, command, bureau.officers["dispatcher"], bureau.now)
    assert seen.second_officer is wants


def test_the_second_officer_confirms_and_both_stand_in_the_journal(two: Bureau) -> None:
    ids = some(two)
    who = two.officers["dispatcher"]
    proposal_id = propose(two.core.bus, Reassign(ids, WATER, "片区调整"), who)
    assert [two.row(i)["unit_id"] for i in ids] == [ROADS] * 3
    (value,) = proposed(two)
    assert (value.id, value.label, value.size) == (proposal_id, "Reassign cases", 3)
    assert (value.proposed_by, value.proposed_at) == (who.account_id, two.now)
    assert value.command.case_ids == ids
    two.wait(minutes=5)
    outcome = two.core.bus.run(ConfirmProposal(proposal_id), second(two))
    assert outcome.result == Moved(ids)
    assert [two.row(i)["unit_id"] for i in ids] == [WATER] * 3
    first, last = two.entries()[-2:]
    assert (first.actor_name, last.actor_name) == ("dispatcher", "李强")
    assert set(last.touched) >= {"proposal", "cases", "case_step"}
    row = rows_of(two.core.database, proposal)[proposal_id]
    assert (row["state"], row["decided_by_name"], row["decided_at"]) == ("confirmed", "李强", two.now)
    assert proposed(two) == []
    with refused("decided_already"):
        two.run(ConfirmProposal(proposal_id), second(two))


def test_what_changed_since_the_proposal_is_left_out_and_listed(two: Bureau) -> None:
    ids = some(two)
    proposal_id = propose(two.core.bus, Reassign(ids, WATER, "片区调整"), two.officers["dispatcher"])
    two.run(Urge((ids[1],), "请尽快"), "duty_leader")
    result = two.run(ConfirmProposal(proposal_id), second(two))
    assert result.case_ids == (ids[0], ids[2])
    assert [(e.case_id, e.refusal.code) for e in result.left_out] == [(ids[1], "changed_meanwhile")]
    assert "duty_leader: Urge" in result.left_out[0].refusal.text()


def test_when_all_has_changed_the_proposal_goes_on_waiting(two: Bureau) -> None:
    ids = some(two)
    proposal_id = propose(two.core.bus, Reassign(ids, WATER, "片区调整"), two.officers["dispatcher"])
    two.run(Urge(ids[:2], "请尽快"), "duty_leader")
    two.run(Urge(ids[2:], "请尽快"), "duty_leader")
    with refused("changed_meanwhile"):
        two.run(ConfirmProposal(proposal_id), second(two))
    assert [value.id for value in proposed(two)] == [proposal_id]


def test_nobody_is_his_own_second_officer_and_the_second_needs_the_same_permission(two: Bureau) -> None:
    proposal_id = propose(two.core.bus, Reassign(some(two), WATER, "x"), two.officers["dispatcher"])
    with refused("own_proposal"):
        two.run(ConfirmProposal(proposal_id), "dispatcher")
    with refused("not_permitted"):
        two.run(ConfirmProposal(proposal_id), second(two, "handler"))
    with refused("not_permitted"):
        propose(two.core.bus, Reassign(some(two), WATER, "x"), two.officers["handler"])
    with refused("no_such_proposal"):
        two.run(ConfirmProposal(404), second(two))


def test_it_is_refused_with_an_answer_by_another_and_withdrawn_by_who_proposed(two: Bureau) -> None:
    first, other = (
        propose(two.core.bus, Reassign(some(two), WATER, "x"), two.officers["dispatcher"]) for _ in range(2)
    )
    with refused("needed"):
        two.run(RefuseProposal(first, " "), second(two))
    with refused("own_proposal"):
        two.run(RefuseProposal(first, "不妥"), "dispatcher")
    two.run(RefuseProposal(first, "不妥"), second(two))
    with refused("not_yours"):
        two.run(WithdrawProposal(other), second(two))
    two.run(WithdrawProposal(other), "dispatcher")
    rows = rows_of(two.core.database, proposal)
    assert [(rows[i]["state"], rows[i]["answer"]) for i in (first, other)] == [
        ("refused", "不妥"),
        ("withdrawn", ""),
    ]
    with refused("decided_already"):
        two.run(ConfirmProposal(first), second(two))


def test_only_a_change_of_cases_is_proposed(two: Bureau) -> None:
    with refused("no_cases"):
        propose(two.core.bus, Reassign((), WATER, "x"), two.officers["dispatcher"])


def test_a_mass_undo_needs_the_second_officer_too(two: Bureau) -> None:
    ids = some(two)
    who = two.officers["dispatcher"]
    proposal_id = propose(two.core.bus, Reassign(ids, WATER, "x"), who)
    before = two.dump()
    two.run(ConfirmProposal(proposal_id), second(two))
    done = two.entries()[-1].seq
    assert two.core.bus.undoable(second(two)).second_officer  # type: ignore[union-attr]
    with refused("second_officer"):
        two.core.bus.undo(second(two))
    with refused("not_yours"):
        propose(two.core.bus, Undo(done), who)
    undo_id = propose(two.core.bus, Undo(done), second(two))
    (value,) = proposed(two)
    assert (value.id, value.label, value.size) == (undo_id, "Undo", 3)
    with two.core.database.read() as connection:
        seen = foresee_undo(connection, value.command, who, two.now)
    assert (seen.moving, seen.second_officer) == (tuple(sorted(ids)), True)
    assert {load.unit_id: load.open for load in seen.loads} == {ROADS: (0, 3), WATER: (3, 0)}
    with refused("own_proposal"):
        two.run(ConfirmProposal(undo_id), second(two))
    with refused("not_permitted"):
        two.run(ConfirmProposal(undo_id), "handler")
    outcome = two.core.bus.run(ConfirmProposal(undo_id), who)
    assert (outcome.result.label, outcome.result.back) == ("Confirm a mass change", tuple(sorted(ids)))
    assert two.dump() == before
    last = two.entries()[-1]
    assert (last.actor_name, last.command, last.undoes) == ("dispatcher", "proposal.confirm", done)
    # The mass change itself waits again, as it did before it was confirmed.
    assert [each.id for each in proposed(two)] == [proposal_id]
    with refused("undone_already"):
        two.run(Undo(done), second(two))


def test_what_was_touched_since_a_mass_undo_was_proposed_stays_and_is_listed(two: Bureau) -> None:
    ids = some(two)
    who = two.officers["dispatcher"]
    two.run(ConfirmProposal(propose(two.core.bus, Reassign(ids, WATER, "x"), who)), second(two))
    undo_id = propose(two.core.bus, Undo(two.entries()[-1].seq), second(two))
    two.run(Urge((ids[1],), "请尽快"), "duty_leader")
    result = two.run(ConfirmProposal(undo_id), who)
    assert set(result.back) == {ids[0], ids[2]}
    assert [each.case_id for each in result.lost] == [ids[1]]
    assert [two.row(i)["unit_id"] for i in ids] == [ROADS, WATER, ROADS]


def test_an_undo_of_few_cases_or_of_none_is_proposed_to_nobody(two: Bureau) -> None:
    ids = some(two)
    two.run(Reassign(ids[:2], WATER, "片区调整"), "dispatcher")
    assert not two.core.bus.undoable(two.officers["dispatcher"]).second_officer  # type: ignore[union-attr]
    two.core.bus.undo(two.officers["dispatcher"])
    assert [two.row(i)["unit_id"] for i in ids] == [ROADS] * 3
    with refused("cannot_undo"):
        propose(two.core.bus, Undo(10_000), two.officers["dispatcher"])


def test_as_many_as_one_officer_merged_he_takes_back(two: Bureau) -> None:
    leader, *others = two.reported(), two.reported(), two.reported()
    two.run(Merge(tuple(others), leader), "acceptor")
    two.core.bus.undo(two.officers["acceptor"])
    assert [two.row(i)["state"] for i in others] == ["reported"] * 2
