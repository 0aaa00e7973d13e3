"""Taking cases from the shared pool (公共池): first come, first served, for twenty minutes at a time.

The pool is what waits to be accepted, dispatched or checked and nobody has. Only one writer is at work at a
time, so of any number of stations that reach for a case one gets it. While a claim stands, nobody else moves
the case on; reminders and orders about it stay possible.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from db.cases.commands.moving import write_steps
from db.cases.leases import POOL, TAKES_OVER, Lease, claimed, leases, prolong
from db.cases.rules import STATES
from db.cases.scope import beyond, demand_reach
from db.cases.tables import case, claim
from db.engine import settings
from db.engine.among import among
from db.engine.bus import handles
from db.engine.unit_of_work import UnitOfWork
from db.kernel.command import Reach, command
from db.kernel.language import N_, _
from db.kernel.refusal import Refused, refuse_all
from db.kernel.text import clean

Ids = tuple[int, ...]
CLAIM_MINUTES = "claim.minutes"
"""The setting: how long a claim lasts."""
MINUTES = 20
"""Its value where nobody has set it."""


@command("case.claim", permission="room.view", label=N_("Claim cases"), lasting=True, reach=Reach.SERVER)
@dataclass(frozen=True)
class Claim:
    """领取: these cases are mine for a while; all of them, or none and the list of reasons."""

    case_ids: Ids


@command(
    "case.claim_next",
    permission="room.view",
    label=N_("Claim the next case"),
    lasting=True,
    reach=Reach.SERVER,
)
@dataclass(frozen=True)
class ClaimNext:
    """领取下一件: the first of these cases that is in the pool and free; its id comes back."""

    case_ids: Ids


@command(
    "case.renew_claims", permission="room.view", label=N_("Renew claims"), lasting=True, reach=Reach.SERVER
)
@dataclass(frozen=True)
class RenewClaims:
    """My claims on these cases last the whole time again; the others are left alone."""

    case_ids: Ids


@command(
    "case.release_claim",
    permission="room.view",
    label=N_("Give claims back"),
    lasting=True,
    reach=Reach.SERVER,
)
@dataclass(frozen=True)
class ReleaseClaim:
    """放回: these cases are in the pool again."""

    case_ids: Ids


@command(
    "case.take_over", permission=TAKES_OVER, label=N_("Take claims over"), lasting=True, reach=Reach.SERVER
)
@dataclass(frozen=True)
class TakeOver:
    """接手: what another has claimed is mine; the reason stands in the history of the case."""

    case_ids: Ids
    reason: str


@handles(Claim)
def _claim(command: Claim, unit: UnitOfWork) -> int:
    rows = unit.rows(case, command.case_ids)
    faults = _faults(command.case_ids, rows, unit)
    refuse_all(list(faults.values()))
    _take(unit, list(rows))
    return len(rows)


@handles(ClaimNext)
def _claim_next(command: ClaimNext, unit: UnitOfWork) -> int:
    rows = unit.rows(case, command.case_ids)
    faults = _faults(command.case_ids, rows, unit)
    standing = leases(unit.connection, unit.now, command.case_ids)
    # What is mine already is not the next one.
    free = next((i for i in command.case_ids if i not in faults and i not in standing), None)
    if free is None:
        outside = list(faults.values())
        if outside and all(why.code == outside[0].code == "out_of_scope" for why in outside):
            refuse_all(outside)
        # zh: 公共池中没有可领取的案件。
        raise Refused("pool_empty", N_("None of these cases is free."))
    _take(unit, [free])
    return free


@handles(RenewClaims)
def _renew(command: RenewClaims, unit: UnitOfWork) -> int:
    demand_reach(unit, command.case_ids)
    return prolong(unit, command.case_ids, _until(unit))


@handles(ReleaseClaim)
def _release(command: ReleaseClaim, unit: UnitOfWork) -> int:
    demand_reach(unit, command.case_ids)
    standing = leases(unit.connection, unit.now, command.case_ids)
    mine = [i for i, lease in standing.items() if lease.account_id == unit.actor.account_id]
    if not mine:
        raise Refused("not_claimed", N_("You have not claimed it."))
    unit.update(claim, {row_id: {"expires_at": unit.now} for row_id in _row_ids(unit, mine).values()})
    return len(mine)


@handles(TakeOver)
def _take_over(command: TakeOver, unit: UnitOfWork) -> int:
    demand_reach(unit, command.case_ids)
    reason = clean(command.reason, 2000)
    if not reason:
        raise Refused("needed", N_("A reason is required."), what="reason")
    rows = unit.rows(case, command.case_ids)
    standing = leases(unit.connection, unit.now, command.case_ids)
    others = [i for i, lease in standing.items() if lease.account_id != unit.actor.account_id]
    if not others:
        raise Refused("not_claimed_by_other", N_("Nobody else has claimed it."))
    taken = [("take_over", i, rows[i]["state"], rows[i]["state"], rows[i]["unit_id"]) for i in others]
    write_steps(unit, taken, reason)
    unit.update(case, {i: {"version": rows[i]["version"] + 1} for i in others})
    _take(unit, others)
    return len(others)


def _faults(case_ids: Ids, rows: dict[int, dict[str, Any]], unit: UnitOfWork) -> dict[int, Refused]:
    """Why cases cannot be claimed by the acting person, by case."""
    outside = beyond(unit.connection, unit.actor, rows.values())
    standing = leases(unit.connection, unit.now, case_ids)
    found: dict[int, Refused] = {}
    for case_id in case_ids:
        row = rows.get(case_id)
        if row is None:
            found[case_id] = Refused("no_such_case", N_("There is no such case any more."))
            continue
        why = outside.get(case_id) or _why_not(row, standing.get(case_id), unit)
        if why is not None:
            found[case_id] = Refused(why.code, N_("{number}: {why}"), number=row["number"], why=why)
    return found


def _why_not(row: dict[str, Any], lease: Lease | None, unit: UnitOfWork) -> Refused | None:
    if row["state"] not in POOL:
        # zh: “{state}”的案件不在公共池中。
        message = N_("A case at “{state}” is not in the pool.")
        return Refused("not_in_pool", message, state=_(STATES[row["state"]].label))
    if not unit.actor.may(POOL[row["state"]]):
        return Refused(
            "not_permitted", N_("{who} may not do this: {what}."), who=unit.actor.name, what=_("Claim cases")
        )
    if lease is not None and lease.account_id != unit.actor.account_id:
        return claimed(unit.connection, lease, unit.now)
    return None


def _take(unit: UnitOfWork, case_ids: list[int]) -> None:
    """Write the claims; a row of an ended one is used again."""
    known = _row_ids(unit, case_ids)
    values = {
        "account_id": unit.actor.account_id,
        "name": unit.actor.name,
        "claimed_at": unit.now,
        "expires_at": _until(unit),
    }
    unit.update(claim, dict.fromkeys(known.values(), values))
    unit.insert(claim, [{"id": unit.new_id(), "case_id": i, **values} for i in case_ids if i not in known])


def _row_ids(unit: UnitOfWork, case_ids: list[int]) -> dict[int, int]:
    rows = unit.connection.execute(
        select(claim.c.case_id, claim.c.id).where(among(claim.c.case_id, case_ids))
    )
    return {row.case_id: row.id for row in rows}


def _until(unit: UnitOfWork) -> datetime:
    return unit.now + timedelta(minutes=settings.get(unit.connection, CLAIM_MINUTES, MINUTES))
