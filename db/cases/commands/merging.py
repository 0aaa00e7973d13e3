"""Several cases that are one, and one that is several: merging 并案, taking out again, splitting."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from db.cases.commands.dispatch import Dispatch, plan_dispatch
from db.cases.commands.intake import filing_conditions, next_number
from db.cases.commands.moving import (
    CaseRow,
    Ids,
    Plan,
    advance,
    begin_timer,
    carry_out,
    moves,
    plan,
    rows_about,
    write_steps,
)
from db.cases.rules import STATES
from db.cases.scope import demand_reach
from db.cases.tables import case, step
from db.cases.workflow import Clock
from db.engine.among import among
from db.engine.bus import handles
from db.engine.unit_of_work import Reading, UnitOfWork
from db.kernel.command import command
from db.kernel.language import N_
from db.kernel.refusal import Refused
from db.kernel.text import clean

_RUNNING_STATES = frozenset({"pending_handle", "handling"})
_COPIED = (
    "source",
    "category_id",
    "condition_id",
    "condition_version",
    "limit_amount",
    "limit_unit",
    "address",
    "lon",
    "lat",
    "district_id",
    "community_id",
    "patrol_id",
    "cell_id",
    "component_id",
    "filed_at",
)
"""What a part has from the case that it was split off."""


@command("case.merge", permission="case.merge", label=N_("Merge cases"))
@dataclass(frozen=True)
class Merge:
    """并案: these cases are the same as ``into_id`` and go on inside it; each keeps its own report."""

    case_ids: Ids
    into_id: int
    note: str = ""
    versions: Ids = ()
    leave_out: bool = False


@command("case.unmerge", permission="case.merge", label=N_("Take cases out again"))
@dataclass(frozen=True)
class Unmerge:
    """撤销并案: they are not the same after all; each goes on from the state that it had."""

    case_ids: Ids
    reason: str
    versions: Ids = ()
    leave_out: bool = False


@command("case.split", permission="case.dispatch", label=N_("Split case"))
@dataclass(frozen=True)
class Split:
    """拆分: parts of a filed case become cases of their own, to be dispatched one by one.

    A part of another class than the whole has that class's first filing condition in force, and its limit;
    with ``unit_id`` the parts are dispatched at once.
    """

    case_id: int
    descriptions: tuple[str, ...]
    category_id: int | None = None
    unit_id: int | None = None
    versions: Ids = ()

    @property
    def case_ids(self) -> Ids:
        return (self.case_id,)


@moves(Merge)
def _merge(command: Merge, view: Reading) -> Plan:
    demand_reach(view, [command.into_id])
    target = view.rows(case, [command.into_id]).get(command.into_id)
    if target is None or not STATES[target["state"]].open:
        raise Refused("not_open", N_("Merge into a case that is still open."))
    inside = select(case.c.merged_into_id).where(among(case.c.merged_into_id, command.case_ids))
    have_others = set(view.connection.execute(inside).scalars())

    def into(row: CaseRow) -> CaseRow:
        if row["id"] == command.into_id:
            raise Refused("same_case", N_("A case cannot be merged into itself."))
        if row["id"] in have_others:
            raise Refused("has_merged", N_("Other cases were merged into this one; take them out first."))
        return {"merged_into_id": command.into_id}

    def join(unit: UnitOfWork, moved: dict[int, CaseRow]) -> None:
        numbers = ", ".join(row["number"] for row in moved.values())
        state = target["state"]
        write_steps(
            unit, [("joined", command.into_id, state, state, target["unit_id"])], clean(numbers, 2000)
        )
        unit.update(case, {command.into_id: {"version": target["version"] + 1}})

    return plan(
        view,
        "merge",
        command,
        values=into,
        note=command.note,
        clock_of=lambda row, clock: Clock.PAUSE if row["state"] in _RUNNING_STATES else clock,
        then=join,
    )


@moves(Unmerge)
def _unmerge(command: Unmerge, view: Reading) -> Plan:
    had = {
        case_id: str(rows[-1]["from_state"])
        for case_id, rows in rows_about(
            view.connection, step, command.case_ids, step.c.verb == "merge"
        ).items()
    }
    return plan(
        view,
        "unmerge",
        command,
        values=lambda _row: {"merged_into_id": None},
        note=command.reason,
        back_to=lambda row: had[row["id"]],
        clock_of=lambda row, clock: Clock.RESUME if had.get(row["id"]) in _RUNNING_STATES else clock,
    )


@handles(Split)
def _split(command: Split, unit: UnitOfWork) -> tuple[int, ...]:
    parts = [clean(description) for description in command.descriptions]
    if not parts or not all(parts):
        raise Refused("needed", N_("Say of each part what is to be done."), what="description")
    parent = advance(unit, "split", command)[command.case_id]
    pattern = {name: parent[name] for name in _COPIED}
    if command.category_id is not None and command.category_id != parent["category_id"]:
        pattern |= _of_class(unit, command.category_id)
    made = tuple(_part(unit, parent, pattern, description, unit.now) for description in parts)
    if command.unit_id is not None:
        carry_out(unit, plan_dispatch(Dispatch(made, command.unit_id), unit))
    return made


def _of_class(unit: UnitOfWork, category_id: int) -> CaseRow:
    """What a part of another class has in place of what the whole has."""
    found = next(iter(filing_conditions(unit.connection, {category_id}).get(category_id, {}).values()), None)
    if found is None:
        raise Refused("no_condition", N_("This class has no filing condition in force; choose another."))
    return {
        "category_id": category_id,
        "condition_id": found.id,
        "condition_version": found.version,
        "limit_amount": found.limit_amount,
        "limit_unit": found.limit_unit,
        "component_id": None,
    }


def _part(unit: UnitOfWork, parent: CaseRow, pattern: CaseRow, description: str, now: datetime) -> int:
    case_id = unit.new_id()
    unit.insert(
        case,
        [
            {
                "id": case_id,
                "number": next_number(unit),
                "state": "pending_dispatch",
                "parent_id": parent["id"],
                "description": description,
                "reported_at": now,
                **pattern,
            }
        ],
    )
    write_steps(unit, [("split", case_id, "", "pending_dispatch", None)], parent["number"])
    begin_timer(unit, [case_id], "pending_dispatch")
    return case_id
