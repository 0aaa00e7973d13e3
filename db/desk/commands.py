"""Keeping a filter, a selection of cases or a view of the map under a name, for oneself or for a role."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping, func, select

from db.desk.rules import EVERYBODY, KINDS, plain_faults
from db.desk.tables import kept
from db.engine.bus import Undo, Undone, handles
from db.engine.proposals import ConfirmProposal, RefuseProposal, WithdrawProposal, propose
from db.engine.unit_of_work import UnitOfWork
from db.kernel.command import command
from db.kernel.language import N_
from db.kernel.refusal import Refused, refuse_all
from db.kernel.text import one_line
from db.people.tables import role

__all__ = [
    "ChangeKept",
    "ConfirmProposal",
    "DropKept",
    "Keep",
    "OrderKept",
    "RefuseProposal",
    "Undo",
    "Undone",
    "WithdrawProposal",
    "propose",
]
# What screens command of the engine, they find here.


@command("desk.keep", permission="room.view", label=N_("Keep at hand"))
@dataclass(frozen=True)
class Keep:
    """Keep something under a name: ``kind`` and ``content`` as ``db.desk.rules`` says them.

    ``shared_with``: the code of a role that sees it too, ``*`` for everybody, "" for nobody. Gives its id.
    """

    kind: str
    name: str
    content: Mapping[str, Any]
    shared_with: str = ""
    pinned: bool = False


@command("desk.change_kept", permission="room.view", label=N_("Change what is kept at hand"))
@dataclass(frozen=True)
class ChangeKept:
    """Rename, share, pin, or put other content in; ``None`` leaves a thing as it is. Its owner's alone."""

    kept_id: int
    name: str | None = None
    content: Mapping[str, Any] | None = None
    shared_with: str | None = None
    pinned: bool | None = None


@command("desk.drop_kept", permission="room.view", label=N_("Delete what was kept at hand"))
@dataclass(frozen=True)
class DropKept:
    """Keep it no longer; the cases themselves are not touched. Its owner's alone."""

    kept_id: int


@command("desk.order_kept", permission="room.view", label=N_("Order what is kept at hand"))
@dataclass(frozen=True)
class OrderKept:
    """Put one's own things in this order; those not named stay where they are."""

    kept_ids: tuple[int, ...]


@handles(Keep)
def _keep(command: Keep, unit: UnitOfWork) -> int:
    name = one_line(command.name, 60)
    faults = [*_name_faults(unit, command.kind, name), *_role_faults(unit, command.shared_with)]
    if command.kind not in KINDS:
        faults.append(Refused("no_such_kind", N_("Nothing of this kind can be kept.")))
    else:
        faults += plain_faults(command.kind, command.content)
    refuse_all(faults)
    kept_id = unit.new_id()
    last = unit.connection.execute(
        select(func.max(kept.c.ordinal)).where(kept.c.owner_id == unit.actor.account_id)
    ).scalar()
    row = {
        "id": kept_id,
        "kind": command.kind,
        "name": name,
        "owner_id": unit.actor.account_id,
        "owner_name": unit.actor.name,
        "shared_with": command.shared_with,
        "pinned": command.pinned,
        "ordinal": (last or 0) + 1,
        "content": dict(command.content),
        "kept_at": unit.now,
    }
    unit.insert(kept, [row])
    return kept_id


@handles(ChangeKept)
def _change(command: ChangeKept, unit: UnitOfWork) -> int:
    row = _own(unit, command.kept_id)
    changes: dict[str, Any] = {}
    faults: list[Refused] = []
    if command.name is not None and (name := one_line(command.name, 60)) != row["name"]:
        faults += _name_faults(unit, row["kind"], name)
        changes["name"] = name
    if command.content is not None:
        faults += plain_faults(row["kind"], command.content)
        changes["content"] = dict(command.content)
    if command.shared_with is not None:
        faults += _role_faults(unit, command.shared_with)
        changes["shared_with"] = command.shared_with
    if command.pinned is not None:
        changes["pinned"] = command.pinned
    refuse_all(faults)
    unit.update(kept, {command.kept_id: changes} if changes else {})
    return command.kept_id


@handles(OrderKept)
def _order(command: OrderKept, unit: UnitOfWork) -> None:
    rows = [_own(unit, kept_id) for kept_id in command.kept_ids]
    places = sorted(row["ordinal"] for row in rows)
    # Two may have had one place; from now on each has its own.
    for step in range(1, len(places)):
        places[step] = max(places[step], places[step - 1] + 1)
    moved = {
        kept_id: {"ordinal": place}
        for kept_id, row, place in zip(command.kept_ids, rows, places, strict=True)
        if row["ordinal"] != place
    }
    unit.update(kept, moved)


@handles(DropKept)
def _drop(command: DropKept, unit: UnitOfWork) -> None:
    _own(unit, command.kept_id)
    unit.delete(kept, [command.kept_id])


def _own(unit: UnitOfWork, kept_id: int) -> RowMapping:
    row = unit.connection.execute(select(kept).where(kept.c.id == kept_id)).mappings().one_or_none()
    if row is None:
        raise Refused("no_such_kept", N_("This is not kept any more."))
    if row["owner_id"] != unit.actor.account_id:
        raise Refused("not_yours", N_("{who} keeps this; only {who} can change it."), who=row["owner_name"])
    return row


def _name_faults(unit: UnitOfWork, kind: str, name: str) -> list[Refused]:
    if not name:
        return [Refused("name_missing", N_("Give it a name."))]
    same = select(kept.c.id).where(
        kept.c.owner_id == unit.actor.account_id, kept.c.kind == kind, kept.c.name == name
    )
    if unit.connection.execute(same).first():
        return [Refused("name_taken", N_("You keep something under the name “{name}” already."), name=name)]
    return []


def _role_faults(unit: UnitOfWork, code: str) -> list[Refused]:
    same = select(role.c.id).where(role.c.code == code)
    if code in ("", EVERYBODY) or unit.connection.execute(same).first():
        return []
    return [Refused("no_such_role", N_("There is no role {role}."), role=code)]
