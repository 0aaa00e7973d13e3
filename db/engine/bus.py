"""The command bus: who may, what happens, in one transaction, and how it is taken back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from sqlalchemy import Connection, RowMapping, Select, exists, select

from db.engine import settings
from db.engine.connections import Database
from db.engine.outbox import stands
from db.engine.rows import uncollected
from db.engine.tables import journal, outbox
from db.engine.undoing import CANNOT, Undoable, recall, take_back
from db.engine.unit_of_work import Reading, UnitOfWork
from db.kernel.act import Act
from db.kernel.actor import Actor
from db.kernel.change import Changes
from db.kernel.command import Reach, command, command_label, lasting_commands, reach_of
from db.kernel.language import N_, _
from db.kernel.moved import LeftOut
from db.kernel.refusal import Refused, refuse_all

Handler = Callable[[Any, UnitOfWork], Any]
F = TypeVar("F", bound=Handler)
T = TypeVar("T")

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


TWO_OFFICERS = "two_officers.above"
"""The setting with the number of cases that one officer may move at once; 0 = any number."""

OWN = frozenset({"undo", "proposal"})
"""Permissions that are no role's: the handler asks whose act it is."""


@command("undo", permission="undo", label=N_("Undo"))
@dataclass(frozen=True)
class Undo:
    """Take back one journal entry by a compensating entry of its own.

    All of it, or nothing and the reasons; with ``leave_out`` what can still be taken back, and the rest is
    listed.
    """

    seq: int
    leave_out: bool = False
    operation: int = 0
    """The number of the act, by which a server knows it; its entries are numbered otherwise."""


@dataclass(frozen=True)
class Undone:
    """What an undo that may leave out did: ``back`` cases, and the ``lost`` ones, each with its reason."""

    label: str
    back: tuple[int, ...]
    lost: tuple[LeftOut, ...]

    def __str__(self) -> str:
        return self.label


class Bus:
    """Runs commands: checks the permission, opens the unit of work, calls the handler."""

    def __init__(self, database: Database) -> None:
        self.database = database

    @uncollected()
    def run(self, command: Any, actor: Actor, act: Act | None = None) -> Outcome:
        """Carry out a command for a person; ``act`` when it was done before, elsewhere.

        Raises ``Refused("not_permitted")`` before anything is touched, and so, on a station's file,
        ``Refused("needs_server")``; ``Refused("second_officer")`` for more cases than one officer may move,
        ``Refused`` of the rules, and ``Unavailable``.
        """
        demand_permission(command, actor)
        if self.database.is_replica:
            demand_reach(command)
            if isinstance(command, Undo):
                command = self.undo_of(command)
        with self.database.write(actor, command, act) as unit:
            if wants_second_officer(unit.connection, command):
                raise _second_officer(len(command.case_ids))
            result = carry_out(command, unit)
        return Outcome(result, unit.changes or Changes())

    def replay(
        self, command: Any, actor: Actor, act: Act, adapt: Callable[[Any, UnitOfWork], Any]
    ) -> Outcome:
        """Do an act again that was done elsewhere; once, however often it is sent.

        ``adapt`` sees how things stand now, under the lock: it gives the command as it is to be done, or
        refuses. Raises what ``run`` raises.
        """
        demand_permission(command, actor)
        with self.database.write(actor, command, act) as unit:
            done = unit.connection.execute(
                select(journal.c.seq, journal.c.touched).where(journal.c.operation == act.operation)
            ).first()
            if done is not None:
                ids = {table: frozenset(rows) for table, rows in (done.touched or {}).items()}
                return Outcome(None, Changes(done.seq, ids))
            result = carry_out(adapt(command, unit), unit)
            # Also when nothing was left to do: it has come, and is known by its number from now on.
            unit.keep()
        return Outcome(result, unit.changes or Changes())

    def ask(self, question: Callable[[Connection], T], actor: Actor) -> T:
        """Read what only the truth itself holds: this database, or the server of a station, under the rights
        of that person.
        """
        with self.database.read() as connection:
            return question(connection)

    def undo(self, actor: Actor, *, leave_out: bool = False) -> Outcome:
        """Take back the newest act of this person that was not taken back yet; works after a restart too.

        The result is the label of the act; with ``leave_out`` it is ``Undone``.
        """
        with self.database.read() as connection:
            newest = connection.execute(self._newest_of(actor, journal.c.seq)).scalar()
            if newest is None:
                raise Refused("nothing_to_undo", N_("There is nothing to undo."))
        return self.run(Undo(newest, leave_out), actor)

    def undo_of(self, undo: Undo) -> Undo:
        """The same, told so that it means the same wherever it is carried out.

        At a station by the act, for an entry has another number on the server.
        """
        if not self.database.is_replica or undo.operation:
            return undo
        with self.database.read() as connection:
            sent = connection.execute(select(outbox.c.id).where(outbox.c.seq == undo.seq)).scalar()
        if sent is None:
            raise Refused("cannot_undo", CANNOT)
        return replace(undo, operation=int(sent))

    def undoable(self, actor: Actor) -> Undoable | None:
        """What ``undo`` would take back now, and what of it is lost; ``None`` when there is nothing."""
        with self.database.read() as connection, uncollected():
            entry = connection.execute(self._newest_of(actor, journal)).mappings().first()
            if entry is None:
                return None
            return undoable(Reading(connection, actor, self.database.clock.now()), entry)

    def _newest_of(self, actor: Actor, *what: Any) -> Select[Any]:
        """The newest entry of a person that was not taken back."""
        later = journal.alias()
        undone = exists().where(later.c.undoes == journal.c.seq)
        query = select(*what).order_by(journal.c.seq.desc()).limit(1)
        if self.database.is_replica:
            undone = undone.where(stands(later))
            query = query.where(stands(journal))
        return query.where(
            journal.c.actor_id == actor.account_id,
            journal.c.undoes.is_(None),
            journal.c.command.not_in(lasting_commands()),
            ~undone,
        )


def demand_permission(command: Any, actor: Actor) -> None:
    """Refuse whoever may not give a command at all."""
    needed = str(type(command).permission)
    if needed not in OWN and not actor.may(needed):
        raise Refused(
            "not_permitted",
            N_("{who} may not do this: {what}."),
            who=actor.name,
            what=_(type(command).label),
        )


def demand_reach(command: Any) -> None:
    """Refuse what nobody can decide at a station for himself."""
    if reach_of(command) is Reach.SERVER:
        raise Refused(
            "needs_server",
            N_("This can only be done on the server, and there is no line to it now: {what}."),
            what=_(type(command).label),
        )


def wants_second_officer(connection: Connection, command: Any) -> bool:
    """Whether a command is about more cases than one officer may move."""
    return _is_too_many(connection, len(getattr(command, "case_ids", ())))


def _is_too_many(connection: Connection, size: int) -> bool:
    return size > 1 and 0 < int(settings.get(connection, TWO_OFFICERS, 0)) < size


def _second_officer(size: int) -> Refused:
    return Refused(
        "second_officer",
        N_("A second officer has to confirm a change of {count} cases; propose it."),
        count=size,
    )


def carry_out(command: Any, unit: UnitOfWork) -> Any:
    """Let the one function that knows a command do it, within a unit of work that is open already."""
    return _handlers[type(command)](command, unit)


def _seq_of(command: Undo, connection: Connection) -> int:
    """The entry that is meant, in this database: by the number of the act, where there is one."""
    if command.operation:
        for seq in (
            select(journal.c.seq).where(journal.c.operation == command.operation),
            select(outbox.c.seq).where(outbox.c.id == command.operation),
        ):
            found = connection.execute(seq).scalar()
            if found is not None:
                return int(found)
    return command.seq


@handles(Undo)
def _undo(command: Undo, unit: UnitOfWork) -> str | Undone:
    """Put every row back as it was before the entry, unless anything newer touched one of them."""
    return undo_entry(command, unit, unit.actor.account_id, is_confirmed=False)


def undo_entry(command: Undo, unit: UnitOfWork, by: int, *, is_confirmed: bool) -> str | Undone:
    """Take back an entry for the person ``by``, with a second officer or without one."""
    entry = entry_of(command, unit.connection)
    if entry is None or entry["is_bulk"] or entry["command"] in lasting_commands():
        raise Refused("cannot_undo", CANNOT)
    seq = entry["seq"]
    if entry["actor_id"] != by and not unit.actor.may("undo.any"):
        raise Refused("not_yours", N_("Only {who} can undo this."), who=entry["actor_name"])
    undoing = journal.alias()
    undone = select(undoing.c.seq).where(undoing.c.undoes == seq)
    if unit.is_replica:
        undone = undone.where(stands(undoing, but=unit.operation))
    if unit.connection.execute(undone).first():
        raise Refused("undone_already", N_("This was undone already."))
    unit.undoes = seq
    found = recall(unit, entry)
    if found.fault is not None:
        raise found.fault
    back = found.wholes - found.lost.keys()
    if found.lost and not (command.leave_out and back):
        refuse_all([each.refusal for each in found.lost.values()])
    if not is_confirmed and undo_wants_second_officer(unit.connection, entry, len(back)):
        raise _second_officer(len(back))
    take_back(unit, found)
    label = _(command_label(entry["command"]))
    return Undone(label, tuple(sorted(back)), tuple(found.lost.values())) if command.leave_out else label


def entry_of(command: Undo, connection: Connection) -> RowMapping | None:
    """The entry that is to be taken back, in this database; ``None`` when there is none.

    Not what it touched, which stands in the changes and takes its time to read: only whether it ``is_bulk``.
    """
    told = [column for column in journal.c if column.name != "touched"]
    query = select(*told, journal.c.touched.is_(None).label("is_bulk"))
    found = connection.execute(query.where(journal.c.seq == _seq_of(command, connection)))
    return found.mappings().one_or_none()


def undoable(reading: Reading, entry: RowMapping) -> Undoable:
    """What taking back an entry would do now."""
    found = recall(reading, entry)
    lost = tuple(found.lost.values())
    back = 0 if found.fault is not None else found.size - len(lost)
    asks = bool(found.wholes) and undo_wants_second_officer(reading.connection, entry, back)
    label = command_label(entry["command"])
    return Undoable(entry["seq"], label, entry["at"], found.size, back, lost, asks)


def undo_wants_second_officer(connection: Connection, entry: RowMapping, back: int) -> bool:
    """Whether more cases go back than one officer may move: as many as the act was given count at most, for
    the case that others were joined to is one more.
    """
    return _is_too_many(connection, min(back, len(entry["arguments"].get("case_ids", ())) or back))
