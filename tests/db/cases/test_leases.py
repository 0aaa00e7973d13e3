"""A claim that stands holds others up, and only them; it ends by the clock or with the stage, unswept."""

from __future__ import annotations

from datetime import timedelta

import pytest

from db.bootstrap import Core
from db.cases.leases import (
    POOL,
    TAKES_OVER,
    breaks_claim,
    claimed,
    end_leases,
    held_by_others,
    leases,
    prolong,
)
from db.cases.rules import STATES
from db.cases.tables import claim
from db.cases.workflow import Clock, Move
from db.kernel.actor import SYSTEM, Actor
from db.people.tables import account
from tests.db.cases.office import MONDAY, advance, officer, reported
from tests.db.engine.kit import entries, rows_of, write

WANG, LI = Actor(201, "王敏", frozenset()), Actor(202, "李强", frozenset())
IN_A_WHILE = MONDAY + timedelta(minutes=20)


@pytest.fixture
def office(core: Core) -> Core:
    """Two accounts, whoever stands behind them."""
    accounts = [
        {"id": who.account_id, "login": f"clerk{who.account_id}", "person_id": 1, "password_hash": "-"}
        for who in (WANG, LI)
    ]
    write(core.database, lambda u: u.insert(account, accounts))
    return core


def taken(core: Core, who: Actor, *, minutes: int = 20) -> int:
    """A new case that somebody has claimed for a while; its number."""
    case_id = reported(core)
    row = {
        "case_id": case_id,
        "account_id": who.account_id,
        "name": who.name,
        "claimed_at": core.clock.now(),
        "expires_at": core.clock.now() + timedelta(minutes=minutes),
    }
    write(core.database, lambda u: u.insert(claim, [{"id": u.new_id(), **row}]))
    return case_id


def standing(core: Core, *case_ids: int) -> dict[int, str]:
    with core.database.read() as connection:
        found = leases(connection, core.clock.now(), case_ids or None)
    return {case_id: lease.name for case_id, lease in found.items()}


def test_leases_of_all_cases_or_of_some(office: Core) -> None:
    first, second, third = taken(office, WANG), taken(office, LI), reported(office)
    assert standing(office) == {first: "王敏", second: "李强"}
    assert standing(office, second, third) == {second: "李强"}
    with office.database.read() as connection:
        assert leases(connection, office.clock.now(), ()) == {}
        lease = leases(connection, office.clock.now())[first]
    assert (lease.case_id, lease.account_id) == (first, WANG.account_id)
    assert (lease.claimed_at, lease.expires_at) == (MONDAY, IN_A_WHILE)


def test_a_lease_is_over_at_its_last_moment_not_after_it(office: Core) -> None:
    case_id = taken(office, WANG)
    advance(office, minutes=19, seconds=59.999)
    assert standing(office) == {case_id: "王敏"}
    advance(office, seconds=0.001)
    assert standing(office) == {}
    # Nothing has swept it away.
    assert len(rows_of(office.database, claim)) == 1


def test_only_what_others_have_is_held(office: Core) -> None:
    mine, theirs, free = taken(office, WANG), taken(office, LI), reported(office)
    with office.database.read() as connection:
        held = held_by_others(connection, WANG, MONDAY, (mine, theirs, free))
        assert list(held) == [theirs]
        assert held_by_others(connection, WANG, MONDAY, (mine, free)) == {}
        assert held_by_others(connection, WANG, IN_A_WHILE, (theirs,)) == {}
        # The program itself is held up by nobody.
        assert held_by_others(connection, SYSTEM, MONDAY, (mine, theirs)) == {}
    assert held[theirs].code == "claimed"
    assert "李强" in held[theirs].text()


def test_the_refusal_says_until_when_with_the_day_when_it_is_another(office: Core) -> None:
    case_id = taken(office, WANG, minutes=16 * 60)
    with office.database.read() as connection:
        lease = leases(connection, MONDAY)[case_id]
        tonight = claimed(connection, lease, MONDAY).text()
        tomorrow = claimed(connection, lease, MONDAY + timedelta(hours=15)).text()
    # Ten in the morning and sixteen hours, in the city.
    assert "2026-03-17 02:00" in tonight
    assert "02:00" in tomorrow
    assert "2026-03-17" not in tomorrow


def test_leases_end_at_once_and_the_journal_tells_the_other_stations(office: Core) -> None:
    first, second = taken(office, WANG), taken(office, WANG)
    count = len(entries(office.database))
    write(office.database, lambda u: end_leases(u, ()))
    assert len(standing(office)) == 2
    write(office.database, lambda u: end_leases(u, (first,)))
    assert standing(office) == {second: "王敏"}
    assert len(entries(office.database)) == count + 1
    assert set(entries(office.database)[-1].touched) == {"case_claim"}


def test_an_ended_lease_stays_as_it_ended(office: Core) -> None:
    case_id = taken(office, WANG)
    advance(office, minutes=30)
    write(office.database, lambda u: end_leases(u, (case_id,)))
    (row,) = rows_of(office.database, claim).values()
    assert row["expires_at"] == IN_A_WHILE


def test_one_s_own_leases_are_prolonged_and_no_others(office: Core) -> None:
    mine, theirs, ended = taken(office, WANG), taken(office, LI), taken(office, WANG, minutes=1)
    advance(office, minutes=5)
    until = MONDAY + timedelta(minutes=60)
    counts: list[int] = []
    write(office.database, lambda u: counts.append(prolong(u, (mine, theirs, ended), until)), WANG)
    assert counts == [1]
    ends = {row["case_id"]: row["expires_at"] for row in rows_of(office.database, claim).values()}
    assert ends == {mine: until, theirs: IN_A_WHILE, ended: MONDAY + timedelta(minutes=1)}


@pytest.mark.parametrize(
    "to_state,permission,breaks",
    [
        ("pending_register", "case.accept", True),
        ("reported", "case.urge", False),
        ("forced", TAKES_OVER, False),
    ],
)
def test_what_leads_out_of_the_stage_breaks_a_claim_but_for_force(
    to_state: str, permission: str, breaks: bool
) -> None:
    assert breaks_claim(Move("reported", "verb", to_state, permission, frozenset(), Clock.KEEP)) is breaks


def test_the_pool_are_open_states_and_permissions_that_somebody_has(core: Core) -> None:
    assert all(STATES[state].open for state in POOL)
    granted = officer(core, "acceptor", "dispatcher", "leader").permissions
    assert {*POOL.values(), TAKES_OVER} <= granted
