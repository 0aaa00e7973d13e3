"""The command bus: who may, what happens, in one transaction, and how it is taken back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Table, exists, select
from sqlalchemy.exc import IntegrityError

from db.engine import journal as journal_entries
from db.engine.columns import from_plain
from db.engine.connections import Database
from db.engine.tables import journal, metadata
from db.engine.unit_of_work import Diff, UnitOfWork
from db.kernel.act import Act
from db.kernel.actor import Actor
from db.kernel.change import Changes
from db.kernel.command import command, command_label, lasting_commands
from db.kernel.language import N_, _
from db.kernel.refusal import Refused

Handler = Callable[[Any, UnitOfWork], Any]
F = TypeVar("F", bound=Handler)

_handlers: dict[type, Handler] = {}


def handles(command_type: type) -> Callable[[F], F]:
    """Mark the one function that carries out a command; it gets the command and the unit of work."""

    def mark(function: F) -> F:
        if _handlers.setdefault(command_type, function) is not function:
            raise ValueError(f"two handlers for {command_type.__name__}")
        return function

    return mark


@dataclass(frozen=True)
class Outcome:
    """What a command gave back and what it touched; ``seq`` 0 means that nothing had to be written."""

    result: Any
    changes: Changes

    @property
    def seq(self) -> int:
        return self.changes.seq


@command("undo", permission="undo", label=N_("Undo"))
@dataclass(frozen=True)
class Undo:
    """Take back one journal entry by a compensating entry of its own."""

    seq: int


class Bus:
    """Runs commands: checks the permission, opens the unit of work, calls the handler."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def run(self, command: Any, actor: Actor, act: Act | None = None) -> Outcome:
        """Carry out a command for a person; ``act`` when it was done before, elsewhere.

        Raises ``Refused("not_permitted")`` before anything is touched, ``Refused`` of the rules, and
        ``Unavailable``.
        """
        needed = str(type(command).permission)
        if needed != "undo" and not actor.may(needed):
            raise Refused(
                "not_permitted",
                N_("{who} may not do this: {what}."),
                who=actor.name,
                what=_(type(command).label),
            )
        handler = _handlers[type(command)]
        with self.database.write(actor, command, act) as unit:
            result = handler(command, unit)
        return Outcome(result, unit.changes or Changes())

    def undo(self, actor: Actor) -> Outcome:
        """Take back the newest act of this person that was not taken back yet; works after a restart too."""
        later = journal.alias()
        with self.database.read() as connection:
            newest = connection.execute(
                select(journal.c.seq)
                .where(
                    journal.c.actor_id == actor.account_id,
                    journal.c.undoes.is_(None),
                    journal.c.command.not_in(lasting_commands()),
                    ~exists().where(later.c.undoes == journal.c.seq),
                )
                .order_by(journal.c.seq.desc())
                .limit(1)
            ).scalar()
        if newest is None:
            raise Refused("nothing_to_undo", N_("There is nothing to undo."))
        return self.run(Undo(newest), actor)


@handles(Undo)
def _undo(command: Undo, unit: UnitOfWork) -> str:
    """Put every row back as it was before the entry, unless anything newer touched one of them."""
    entry = (
        unit.connection.execute(select(journal).where(journal.c.seq == command.seq)).mappings().one_or_none()
    )
    if entry is None or entry["touched"] is None or entry["command"] in lasting_commands():
        raise Refused("cannot_undo", N_("This cannot be undone."))
    if entry["actor_id"] != unit.actor.account_id and not unit.actor.may("undo.any"):
        raise Refused("not_yours", N_("Only {who} can undo this."), who=entry["actor_name"])
    if unit.connection.execute(select(journal.c.seq).where(journal.c.undoes == command.seq)).first():
        raise Refused("undone_already", N_("This was undone already."))
    unit.undoes = command.seq
    # A row goes before the row that it points to, and comes back after it.
    tables = [table for table in metadata.sorted_tables if table.name in entry["changes"]]
    for table in reversed(tables):
        _take_away(table, dict(entry["changes"][table.name]), unit, command.seq)
    for table in tables:
        _put_back(table, dict(entry["changes"][table.name]), unit)
    return _(command_label(entry["command"]))


def _take_away(table: Table, diffs: dict[int, Diff], unit: UnitOfWork, seq: int) -> None:
    """Remove what the entry had added; refuse when a value that it left behind is no longer there.

    Values are compared, not versions: what was changed and put back since is as the entry left it. Rows of a
    table that is marked ``whole`` must not have been touched at all by a newer act that still stands.
    """
    current = unit.rows(table, list(diffs))
    for row_id, diff in diffs.items():
        now = current.get(row_id, {})
        for column, (_before, after) in diff.items():
            if column != "version" and unit.plain(table, column, now.get(column)) != after:
                raise _changed_since(table, row_id)
    if table.info.get("whole"):
        moved_on = {i for i, row in current.items() if row["version"] != diffs[i]["version"][1]}
        newer = journal_entries.standing_touch(unit.connection, seq, table, moved_on)
        if newer is not None:
            raise _changed_since(table, newer)
    added = sorted((row_id for row_id, diff in diffs.items() if _was_added(diff)), reverse=True)
    try:
        unit.delete(table, added)
    except IntegrityError as error:
        # A newer row points to it.
        raise _changed_since(table, added[0]) from error


def _put_back(table: Table, diffs: dict[int, Diff], unit: UnitOfWork) -> None:
    """Restore what the entry had changed or removed."""
    kept = {row_id: diff for row_id, diff in diffs.items() if not _was_added(diff)}
    if any(table.c[column].info.get("private") for diff in kept.values() for column in diff):
        # The journal keeps private values only as digests, so there is nothing to restore them from.
        raise Refused("cannot_undo", N_("This cannot be undone."))
    before = {
        row_id: {name: from_plain(table.c[name], pair[0]) for name, pair in diff.items()}
        for row_id, diff in kept.items()
    }
    unit.insert(table, [row for row_id, row in before.items() if "id" in row])
    changed = {row_id: row for row_id, row in before.items() if "id" not in row}
    for row in changed.values():
        row.pop("version", None)
    unit.update(table, changed)


def _was_added(diff: Diff) -> bool:
    return "id" in diff and diff["id"][0] is None


def _changed_since(table: Table, row_id: int) -> Refused:
    message = N_("It cannot be undone: something newer has touched it since.")
    return Refused("changed_since", message, table=table.name, id=row_id)
