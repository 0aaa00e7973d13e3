"""What two people may do about the same thing at the same time without being in each other's way.

An act keeps what it changed here, from what to what. Done again on rows that others have changed meanwhile,
it passes over what does not concern it, column by column, and is stopped where somebody decided otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from sqlalchemy import Table

from db.engine import settings
from db.engine.bus import Undo
from db.engine.columns import Moment
from db.engine.journal import last_touch
from db.engine.tables import metadata
from db.engine.unit_of_work import Diff, UnitOfWork
from db.kernel.command import command_label
from db.kernel.language import N_, _
from db.kernel.refusal import Refused

Effect = Mapping[str, Mapping[int, Diff]]
"""What an act did: table → row → column → [before, after]."""

_COUNTED = frozenset({"version", "extensions", "reworks", "moves"})
_STALE = 0
"""A version that no row has: the rules then say who was quicker, with what, and when."""


def adapted(command: Any, unit: UnitOfWork, effect: Effect) -> Any:
    """The command of an act as it is to be given on the rows as they are now.

    Of a case, an act depends on the values that it changed, and a move besides on the unit and the state that
    it began from; moments and counts are worked out anew. Cases about which somebody has decided otherwise
    are marked by an old version, so that the rules refuse them, or leave them out where that was asked for.
    What belongs to a case the rules judge by themselves; any other row must have the values from which the
    act began. Raises ``Refused("changed_meanwhile")``.
    """
    if isinstance(command, Undo):
        # It compares every value with the entry that it takes back.
        return command
    for name, rows in effect.items():
        table = metadata.tables[name]
        if not table.info.get("whole") and "case_id" not in table.c:
            _demand_unchanged(unit, table, rows)
    if not hasattr(command, "versions"):
        return command
    cases = metadata.tables["cases"]
    current = unit.rows(cases, command.case_ids)
    stale = _overtaken(unit, cases, effect, current)
    versions = tuple(
        _STALE if i in stale or i not in current else current[i]["version"] for i in command.case_ids
    )
    return replace(command, versions=versions)


def _overtaken(
    unit: UnitOfWork, cases: Table, effect: Effect, current: Mapping[int, Mapping[str, Any]]
) -> set[int]:
    """The cases about which somebody has decided otherwise since."""
    began = {
        diff["case_id"][1]: diff["from_state"][1]
        for diff in effect.get("case_step", {}).values()
        if "from_state" in diff
    }
    found = set()
    for row_id, diff in effect.get(cases.name, {}).items():
        row = current.get(row_id)
        if row is None or "id" in diff:
            continue
        moves = not diff.keys().isdisjoint({"state", "unit_id"})
        # A move is somebody's; a mark that others have set alike is none the less set.
        good = 1 if moves else 2
        if any(
            unit.plain(cases, name, row[name]) not in diff[name][:good]
            for name in diff.keys() - _worked_out(cases)
        ) or (moves and row["state"] != began.get(row_id, row["state"])):
            found.add(row_id)
    return found


def _demand_unchanged(unit: UnitOfWork, table: Table, rows: Mapping[int, Diff]) -> None:
    """What was changed still has the value before or, if others did the same, the one after."""
    changed = {row_id: diff for row_id, diff in rows.items() if "id" not in diff or diff["id"][1] is None}
    current = unit.rows(table, list(changed))
    for row_id, diff in changed.items():
        row = current.get(row_id)
        if row is None or any(
            unit.plain(table, name, row[name]) not in pair for name, pair in diff.items() if name != "version"
        ):
            raise _quicker(unit, table, row_id)


@cache
def _worked_out(table: Table) -> frozenset[str]:
    """The columns that nobody decides on: they follow from the moment of the act and from what was before."""
    return _COUNTED | {column.name for column in table.c if isinstance(column.type, Moment)}


def _quicker(unit: UnitOfWork, table: Table, row_id: int) -> Refused:
    touch = last_touch(unit.connection, table, row_id)
    if touch is None:
        return Refused(
            "changed_meanwhile",
            N_("Someone else changed this a moment ago; look again and decide anew."),
            table=table.name,
            id=row_id,
        )
    return Refused(
        "changed_meanwhile",
        N_("{who} changed this at {when} ({what}); look again and decide anew."),
        table=table.name,
        id=row_id,
        who=touch.actor_name,
        when=settings.clock_text(unit.connection, touch.at, unit.now),
        what=_(command_label(touch.command)),
    )
