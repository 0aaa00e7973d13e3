"""Dispatch by advice: for chosen cases by a person, or by itself above a threshold that a supervisor sets.

Off unless it is set. Each case's step says by which advice it was sent, so that it can be seen and counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from db.advice.queries import advise
from db.advice.rules import FLOOR, Advice
from db.cases.commands.dispatch import MAIN, involve
from db.cases.commands.moving import CaseRow, Ids, Plan, moves, plan, rows_about
from db.cases.scope import demand_target
from db.cases.tables import case, claim, step
from db.duties.queries import class_codes
from db.engine import settings
from db.engine.bus import Bus, handles
from db.engine.unit_of_work import Reading, UnitOfWork
from db.kernel.actor import SYSTEM
from db.kernel.command import Reach, command
from db.kernel.language import N_, _
from db.kernel.refusal import Refused

AUTOMATIC_FROM = "advice.automatic_from"
"""The setting with the threshold, up to 1; 0 or not there: nothing is dispatched by itself."""
EXCLUDED = "advice.excluded"
"""The setting with the beginnings of class codes that are never dispatched by advice."""
LEAST = 0.95
"""No supervisor may let cases go by themselves on less."""


@dataclass(frozen=True)
class Automation:
    """What the supervisor has set."""

    threshold: float | None
    excluded: tuple[str, ...]


@command(
    "advice.set_automatic",
    permission="advice.manage",
    label=N_("Set automatic dispatch"),
    lasting=True,
    reach=Reach.SERVER,
)
@dataclass(frozen=True)
class SetAutomatic:
    """Dispatch by itself from a precision on, or (``None``) not at all; never the excluded classes."""

    threshold: float | None
    excluded: tuple[str, ...] = ()


@command(
    "case.dispatch_advised", permission="case.dispatch", label=N_("Dispatch as advised"), reach=Reach.SERVER
)
@dataclass(frozen=True)
class DispatchAdvised:
    """派遣 each case to the unit that is advised for it, where that is at least ``threshold`` sure."""

    case_ids: Ids
    threshold: float
    versions: Ids = ()
    leave_out: bool = True


def automation(connection: Connection) -> Automation:
    """What is set now."""
    threshold = settings.get(connection, AUTOMATIC_FROM) or None
    return Automation(threshold, tuple(settings.get(connection, EXCLUDED, [])))


@handles(SetAutomatic)
def set_automatic(command: SetAutomatic, unit: UnitOfWork) -> None:
    """Write both settings; the journal keeps the command with who gave it."""
    if command.threshold is not None and not LEAST <= command.threshold <= 1:
        message = N_("Automatic dispatch needs a precision from {least} % to 100 %.")
        raise Refused("bad_threshold", message, least=round(100 * LEAST))
    if any(not prefix.isdigit() or len(prefix) > 12 for prefix in command.excluded):
        raise Refused("no_such_class", N_("Write the beginnings of class codes, such as 06 or 09003."))
    settings.put(unit, AUTOMATIC_FROM, command.threshold or 0)
    settings.put(unit, EXCLUDED, sorted(set(command.excluded)))
    unit.keep()


@moves(DispatchAdvised)
def plan_dispatch_advised(command: DispatchAdvised, view: Reading) -> Plan:
    """The advice is asked for anew here: what the caller saw may be old."""
    threshold = max(command.threshold, FLOOR)
    advice = advise(view.connection, command.case_ids, view.now)
    excluded = automation(view.connection).excluded
    codes = class_codes(view.connection)

    def to_unit(row: CaseRow) -> CaseRow:
        found = advice[row["id"]]
        if codes[row["category_id"]][1].startswith(excluded or ("-",)):
            raise Refused("excluded", N_("this class is never dispatched by advice."))
        if found.unit_id is None:
            raise Refused("no_advice", N_("no advice: {reason}."), reason=found.reason.text())
        if found.precision < threshold:
            message = N_("the advice is only {sure} % sure.")
            raise Refused("unsure", message, sure=_percent(found.precision))
        if not view.actor.may_give_to(found.unit_id):
            demand_target(view, found.unit_id)
        return {
            "unit_id": found.unit_id,
            "holder_id": found.person_id,
            "dispatched_at": row["dispatched_at"] or view.now,
        }

    def take_part(unit: UnitOfWork, moved: dict[int, CaseRow]) -> None:
        by_unit: dict[int, list[int]] = {}
        for case_id in moved:
            by_unit.setdefault(advice[case_id].unit_id or 0, []).append(case_id)
        for unit_id, ids in by_unit.items():
            involve(unit, ids, unit_id, MAIN)
        taken = rows_about(
            unit.connection, step, list(moved), step.c.verb == "dispatch", step.c.at == unit.now
        )
        unit.update(step, {row["id"]: {"note": note(advice[i])} for i, rows in taken.items() for row in rows})

    return plan(view, "dispatch", command, values=to_unit, given=lambda _row: ("unit",), then=take_part)


def note(advice: Advice) -> str:
    """What the step of the case says about it."""
    # zh: 按推荐派遣（{sure} %）：{reason}
    return _("As advised ({sure} %): {reason}").format(
        sure=_percent(advice.precision), reason=advice.reason.text()
    )


def dispatch_automatically(bus: Bus, now: datetime) -> int:
    """Send what waits for dispatch and is sure enough; returns how many cases went. 0 when it is off.

    Left to people: what a unit has returned, what somebody has claimed, and the excluded classes.
    """
    with bus.database.read() as connection:
        set_to = automation(connection)
        if set_to.threshold is None:
            return 0
        rows = connection.execute(
            select(case.c.id, case.c.version, case.c.category_id)
            .join(claim, claim.c.case_id == case.c.id, isouter=True)
            .where(
                case.c.closed_at.is_(None),
                case.c.state == "pending_dispatch",
                case.c.dispatched_at.is_(None),
                claim.c.id.is_(None),
            )
        ).all()
        if not rows:
            return 0
        codes = class_codes(connection)
        advice = advise(connection, [row.id for row in rows], now)
    sure = [
        row
        for row in rows
        if advice[row.id].unit_id is not None
        and advice[row.id].precision >= set_to.threshold
        and not codes[row.category_id][1].startswith(set_to.excluded or ("-",))
    ]
    if not sure:
        return 0
    ids, versions = tuple(row.id for row in sure), tuple(row.version for row in sure)
    try:
        outcome = bus.run(DispatchAdvised(ids, set_to.threshold, versions), SYSTEM)
    except Refused:
        # Somebody was quicker with every one of them.
        return 0
    return len(outcome.result.case_ids)


def _percent(share: float) -> str:
    """Never rounded up."""
    return f"{int(share * 1000) / 10:g}"
