"""Who has taken a case from the shared pool (公共池), and until when: read by all, written by the claims.

A claim is a lease. It ends by itself, with the stage in which it was made, or when it is given back. An
ended one stays in its row until the next claim of the case, so nothing needs to sweep.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping, bindparam, select

from db.cases.tables import claim
from db.cases.workflow import Move
from db.engine import settings
from db.engine.among import among, among_given
from db.engine.unit_of_work import UnitOfWork
from db.kernel.actor import Actor
from db.kernel.language import N_
from db.kernel.refusal import Refused

POOL = {"reported": "case.accept", "pending_dispatch": "case.dispatch", "pending_check": "case.check"}
"""The states whose cases anybody of the post may take, and the permission that tells who is of it."""
TAKES_OVER = "case.force"
"""Who holds this may take over what another has claimed, with a reason, and may close it by force."""


@dataclass(frozen=True)
class Lease:
    """One claim that has not ended."""

    case_id: int
    account_id: int
    name: str
    claimed_at: datetime
    expires_at: datetime


def leases(
    connection: Connection, now: datetime, case_ids: Collection[int] | None = None
) -> dict[int, Lease]:
    """The claims that stand at a moment, by case; of some cases or of all. A handful of rows in any city."""
    query = _STANDING if case_ids is None else _STANDING.where(among(claim.c.case_id, case_ids))
    return {row.case_id: Lease(*row) for row in connection.execute(query, {"now": now})}


# Made once: with every move it is asked who has claimed what.
_STANDING = (
    select(claim.c.case_id, claim.c.account_id, claim.c.name, claim.c.claimed_at, claim.c.expires_at)
    .where(claim.c.expires_at > bindparam("now"))
    .order_by(claim.c.case_id)
)
_TO_END = select(claim).where(claim.c.expires_at > bindparam("now"), among_given(claim.c.case_id, "case_ids"))


def held_by_others(
    connection: Connection, actor: Actor, now: datetime, case_ids: Collection[int]
) -> dict[int, Refused]:
    """Of cases, those that somebody else has claimed: by whom, until when. The program itself may all."""
    if not actor.account_id:
        return {}
    wanted = set(case_ids)
    return {
        lease.case_id: claimed(connection, lease, now)
        for lease in leases(connection, now).values()
        if lease.case_id in wanted and lease.account_id != actor.account_id
    }


def breaks_claim(move: Move) -> bool:
    """Whether a move takes a case out of the hands of who claimed it; closing by force is meant to."""
    return move.to_state != move.from_state and move.permission != TAKES_OVER


def claimed(connection: Connection, lease: Lease, now: datetime) -> Refused:
    """The refusal that names who has a case."""
    return Refused(
        "claimed",
        # zh: {who} 已领取，至 {until}。
        N_("{who} has claimed it until {until}."),
        who=lease.name,
        until=settings.clock_text(connection, lease.expires_at, now),
    )


def end_leases(unit: UnitOfWork, case_ids: Collection[int]) -> None:
    """End the claims of cases now."""
    if case_ids:
        given = {"now": unit.now, "case_ids": list(case_ids)}
        _set_end(unit, unit.connection.execute(_TO_END, given).mappings(), unit.now)


def prolong(unit: UnitOfWork, case_ids: Collection[int], until: datetime) -> int:
    """Let the claims that the acting person has on cases last until a moment; how many there were."""
    own = select(claim).where(
        claim.c.expires_at > unit.now,
        claim.c.account_id == unit.actor.account_id,
        among(claim.c.case_id, case_ids),
    )
    rows = unit.connection.execute(own).mappings().all()
    _set_end(unit, rows, until)
    return len(rows)


def _set_end(unit: UnitOfWork, rows: Iterable[RowMapping], moment: datetime) -> None:
    unit.update(claim, {row["id"]: {"expires_at": moment} for row in rows})
