"""First come, first served: a case of the pool has one winner, for twenty minutes, on both databases."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from db.bootstrap import Core, open_core
from db.cases.claims import CLAIM_MINUTES, Claim, ClaimNext, ReleaseClaim, RenewClaims, TakeOver
from db.cases.commands.closing import ForceClose, PassCheck
from db.cases.commands.intake import Accept
from db.cases.commands.orders import Urge
from db.cases.leases import POOL, leases
from db.cases.tables import claim, step
from db.engine import connections, settings
from db.kernel.actor import SYSTEM, Actor, Scope
from db.kernel.clock import SetClock
from db.kernel.refusal import Refused
from db.people.tables import account
from tests.db.cases.office import MONDAY, advance, at_state, reported, row, verbs
from tests.db.engine.kit import entries, rows_of, write
from tests.kit.refusals import refused

STATIONS = 20
DESK = frozenset({"room.view", "case.accept", "case.dispatch", "case.check", "case.urge"})


def clerk(number: int, *more: str, name: str = "", scope: Scope | None = None) -> Actor:
    return Actor(200 + number, name or f"员{number}", DESK | set(more), scope=scope or Scope())


WANG, LI = clerk(1, name="王敏"), clerk(2, name="李强")
CHIEF = clerk(3, "case.force", name="值班长")


@pytest.fixture
def office(core: Core) -> Core:
    """Twenty accounts, whoever stands behind them."""
    accounts = [
        {"id": 200 + n, "login": f"clerk{n}", "person_id": 1, "password_hash": "-"}
        for n in range(STATIONS + 1)
    ]
    write(core.database, lambda u: u.insert(account, accounts))
    return core


def standing(core: Core) -> dict[int, tuple[int, Any]]:
    with core.database.read() as connection:
        found = leases(connection, core.clock.now())
    return {case_id: (lease.account_id, lease.expires_at) for case_id, lease in found.items()}


def test_a_claim_stands_until_its_lease_runs_out(office: Core) -> None:
    case_id = reported(office)
    office.bus.run(Claim((case_id,)), WANG)
    assert standing(office) == {case_id: (WANG.account_id, MONDAY + timedelta(minutes=20))}
    with refused("claimed"):
        office.bus.run(Claim((case_id,)), LI)
    with refused("claimed"):
        office.bus.run(Accept((case_id,)), LI)
    advance(office, minutes=20)
    assert standing(office) == {}
    office.bus.run(Claim((case_id,)), LI)
    assert standing(office)[case_id][0] == LI.account_id
    assert len(rows_of(office.database, claim)) == 1


def test_the_refusal_names_who_has_it_and_until_when(office: Core) -> None:
    case_id = reported(office)
    office.bus.run(Claim((case_id,)), WANG)
    with pytest.raises(Refused) as caught:
        office.bus.run(Accept((case_id,)), LI)
    assert "王敏" in caught.value.text()
    assert "10:20" in caught.value.text()


def test_who_claimed_it_moves_it_and_the_claim_ends_with_the_stage(office: Core) -> None:
    case_id = reported(office)
    office.bus.run(Claim((case_id,)), WANG)
    office.bus.run(Accept((case_id,)), WANG)
    assert standing(office) == {}
    assert row(office, case_id)["state"] == "pending_register"


def test_undo_of_a_move_does_not_stumble_over_a_newer_claim(office: Core) -> None:
    case_id = reported(office)
    office.bus.run(Claim((case_id,)), WANG)
    office.bus.run(Accept((case_id,)), WANG)
    office.bus.undo(WANG)
    office.bus.run(Claim((case_id,)), LI)
    assert standing(office)[case_id][0] == LI.account_id


def test_reminders_are_possible_and_force_goes_through(office: Core) -> None:
    case_id = at_state(office, "pending_check")
    office.bus.run(Claim((case_id,)), WANG)
    office.bus.run(Urge((case_id,), "请尽快"), LI)
    with refused("claimed"):
        office.bus.run(PassCheck((case_id,)), CHIEF)
    office.bus.run(ForceClose((case_id,), "重复投诉"), CHIEF)
    assert standing(office) == {}


def test_the_program_itself_is_not_held_up(office: Core) -> None:
    case_id = reported(office)
    office.bus.run(Claim((case_id,)), WANG)
    office.bus.run(Accept((case_id,)), SYSTEM)
    assert standing(office) == {}


def test_the_duty_leader_takes_over_with_a_reason_that_stays(office: Core) -> None:
    case_id = at_state(office, "pending_check")
    office.bus.run(Claim((case_id,)), WANG)
    with refused("needed"):
        office.bus.run(TakeOver((case_id,), " "), CHIEF)
    with refused("not_permitted"):
        office.bus.run(TakeOver((case_id,), "急件"), LI)
    office.bus.run(TakeOver((case_id,), "王敏已下班"), CHIEF)
    assert standing(office)[case_id][0] == CHIEF.account_id
    assert verbs(office, case_id)[-1] == "take_over"
    assert "王敏已下班" in [each["note"] for each in rows_of(office.database, step).values()]
    with refused("not_claimed_by_other"):
        office.bus.run(TakeOver((case_id,), "急件"), CHIEF)
    office.bus.run(PassCheck((case_id,)), CHIEF)


def test_renewing_only_touches_ones_own(office: Core) -> None:
    mine, other = reported(office), reported(office)
    office.bus.run(Claim((mine,)), WANG)
    office.bus.run(Claim((other,)), LI)
    advance(office, minutes=15)
    assert office.bus.run(RenewClaims((mine, other)), WANG).result == 1
    assert entries(office.database)[-1].touched.keys() == {"case_claim"}, "other stations hear of it"
    assert standing(office)[mine][1] == MONDAY + timedelta(minutes=35)
    assert standing(office)[other][1] == MONDAY + timedelta(minutes=20)
    advance(office, minutes=20)
    assert office.bus.run(RenewClaims((mine,)), WANG).result == 0


def test_what_was_given_back_is_in_the_pool_again(office: Core) -> None:
    case_id = reported(office)
    with refused("not_claimed"):
        office.bus.run(ReleaseClaim((case_id,)), WANG)
    office.bus.run(Claim((case_id,)), WANG)
    with refused("not_claimed"):
        office.bus.run(ReleaseClaim((case_id,)), LI)
    office.bus.run(ReleaseClaim((case_id,)), WANG)
    assert standing(office) == {}
    office.bus.run(Claim((case_id,)), LI)


def test_the_next_is_the_first_that_is_free(office: Core) -> None:
    first, second, third = (reported(office) for _ in range(3))
    office.bus.run(Claim((first,)), LI)
    assert office.bus.run(ClaimNext((first, third, second)), WANG).result == third
    assert office.bus.run(ClaimNext((first, third, second)), clerk(4)).result == second
    with refused("pool_empty"):
        office.bus.run(ClaimNext((first, second, third)), CHIEF)
    with refused("pool_empty"):
        office.bus.run(ClaimNext(()), CHIEF)


@pytest.mark.parametrize("state", ["pending_register", "pending_handle", "closed"])
def test_what_is_not_in_the_pool_cannot_be_claimed(office: Core, state: str) -> None:
    case_id = at_state(office, state)
    with refused("not_in_pool"):
        office.bus.run(Claim((case_id,)), WANG)


@pytest.mark.parametrize("state,permission", POOL.items())
def test_only_who_is_of_the_post_claims(office: Core, state: str, permission: str) -> None:
    case_id = at_state(office, state)
    other = Actor(201, "王敏", DESK - {permission})
    with refused("not_permitted"):
        office.bus.run(Claim((case_id,)), other)
    office.bus.run(Claim((case_id,)), WANG)


def test_claims_are_kept_in_the_journal_and_not_undone(office: Core) -> None:
    case_id = reported(office)
    office.bus.run(Claim((case_id,)), WANG)
    assert entries(office.database)[-1].command == "case.claim"
    with refused("nothing_to_undo"):
        office.bus.undo(WANG)


def test_the_length_of_a_lease_is_a_setting(office: Core) -> None:
    write(office.database, lambda u: settings.put(u, CLAIM_MINUTES, 5))
    case_id = reported(office)
    office.bus.run(Claim((case_id,)), WANG)
    assert standing(office)[case_id][1] == MONDAY + timedelta(minutes=5)


@pytest.fixture
def nobody_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock of a file is given to anybody who asks, not to who has waited longest."""
    monkeypatch.setattr(connections, "BUSY_SECONDS", 120)


@pytest.mark.usefixtures("nobody_gives_up")
def test_twenty_stations_reach_for_one_pool_and_each_case_has_one_winner(
    office: Core, database_url: str
) -> None:
    """Each station with a connection of its own takes the next free case until nothing is left."""
    ids = tuple(reported(office) for _ in range(30))
    won: list[tuple[int, int]] = []
    faults: list[BaseException] = []
    barrier = threading.Barrier(STATIONS)

    def station(number: int) -> None:
        core = open_core(database_url, clock=SetClock(MONDAY))
        try:
            barrier.wait(120)
            while True:
                won.append((core.bus.run(ClaimNext(ids), clerk(number)).result, number))
        except Refused as refusal:
            if refusal.code != "pool_empty":
                faults.append(refusal)
        except BaseException as error:
            faults.append(error)
        finally:
            core.close()

    threads = [threading.Thread(target=station, args=(n,)) for n in range(1, STATIONS + 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not faults
    owners = {case_id: account_id for case_id, (account_id, _until) in standing(office).items()}
    assert owners == {case_id: 200 + number for case_id, number in won}
    assert Counter(case_id for case_id, _number in won) == dict.fromkeys(ids, 1)


@pytest.mark.usefixtures("nobody_gives_up")
def test_twenty_stations_reach_for_the_same_case_and_one_gets_it(office: Core, database_url: str) -> None:
    case_id = reported(office)
    outcomes: list[str] = []
    barrier = threading.Barrier(STATIONS)

    def station(number: int) -> None:
        core = open_core(database_url, clock=SetClock(MONDAY))
        try:
            barrier.wait(120)
            core.bus.run(Claim((case_id,)), clerk(number))
            outcomes.append(f"won {200 + number}")
        except Refused as refusal:
            outcomes.append(refusal.code)
        finally:
            core.close()

    threads = [threading.Thread(target=station, args=(n,)) for n in range(1, STATIONS + 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    winner = [each for each in outcomes if each.startswith("won")]
    assert len(winner) == 1
    assert outcomes.count("claimed") == STATIONS - 1
    assert winner == [f"won {standing(office)[case_id][0]}"]
