"""The one way in which a station's file is changed from outside: the server's rows under the station's acts.

Acts that the server has not heard of yet stand on rows as they were. When those rows change, the acts that
met them are put back, the server's rows are written, and the acts are done again: the same acts, with their
numbers, ids and moments. One transaction, so that the screen sees only what came of it.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Table, select, update
from sqlalchemy.exc import OperationalError

from db.engine import outbox as sending
from db.engine.among import among
from db.engine.bus import Undo, carry_out, demand_permission
from db.engine.columns import from_plain
from db.engine.connections import Database, Writing
from db.engine.journal import TAKEN_OVER
from db.engine.rows import fetch
from db.engine.tables import metadata, outbox, replica
from db.engine.unit_of_work import Diff, UnitOfWork
from db.kernel.actor import SYSTEM
from db.kernel.command import Reach, command, command_name, without_private
from db.kernel.command import from_plain as command_from_plain
from db.kernel.language import N_
from db.kernel.refusal import Refused, RefusedAll, Unavailable, as_plain
from db.people.commands import actor_on
from db.sync.concurrent import Effect, adapted
from db.sync.incoming import Incoming, mirrored
from db.sync.waiting import Key, cases_of, effect_of, waiting_acts, waiting_of

MOOT = frozenset({"tagged_already", "not_tagged", "same_priority", "undone_already"})
"""Refusals that say: it is so already, whoever did it. There is nothing left to decide."""

_log = logging.getLogger(__name__)


Heard = tuple[int, str, str, int, int | None, Mapping[str, Sequence[int]]]
"""An entry of the server: its number, who, command, moment (ms), the entry that it undoes, table → ids."""


@command(TAKEN_OVER, permission="*", label=N_("Taken over"), lasting=True, reach=Reach.HERE)
@dataclass(frozen=True)
class TakeOver:
    """What the server knows, up to an entry of its journal.

    ``heard`` is what others did since the last time, the newest first, and ``heard_all`` whether that is all.
    """

    seq: int = 0
    heard: Sequence[Heard] = ()
    heard_all: bool = False


@dataclass(frozen=True)
class Known:
    """How far a station has heard of the server: the cursor of its news, its newest entry with the seal."""

    xid: int
    seq: int
    seal: bytes
    heard: Sequence[Heard] = ()
    """What others did since the last time, as ``TakeOver`` keeps it."""
    heard_all: bool = False


@dataclass(frozen=True)
class Decided:
    """What the server said about acts of this station."""

    settled: Mapping[int, frozenset[int] | None] = field(default_factory=dict)
    """Operation → the cases that it touched on the server; ``None`` for all that it was about."""
    refused: Mapping[int, Refused] = field(default_factory=dict)
    dropped: frozenset[int] = frozenset()
    """Acts that nobody wants any more."""

    @property
    def operations(self) -> frozenset[int]:
        return frozenset({*self.settled, *self.refused, *self.dropped})


@dataclass
class Rebased:
    """What became of the acts that waited."""

    settled: list[int] = field(default_factory=list)
    again: list[int] = field(default_factory=list)
    parked: dict[int, Refused] = field(default_factory=dict)


def rebase(
    database: Database,
    incoming: Incoming,
    decided: Decided | None = None,
    known: Known | None = None,
    *,
    whole: bool = False,
) -> Rebased:
    """Write the server's rows, with the acts that still wait on top of them.

    ``whole`` says that ``incoming`` is all that the server has: then nothing needs to be put back for it.

    What a settled act did here gives way to the server's rows, which hold what it did there. A refused or
    dropped one is put back; a refused one lies in the tray from now on, and so does one that can no longer be
    done on the new rows. Whatever of ``decided`` does not wait (any more) is passed over.
    """
    decided = decided or Decided()
    came = Rebased()
    with database.write_many() as writing:
        affected = (
            waiting_acts(writing.connection)
            if whole
            else waiting_of(database).meeting(
                writing.connection, _dirty(writing.connection, incoming), decided.operations
            )
        )
        effects = {act.id: effect_of(writing.connection, act) for act in affected}
        taken = TakeOver(known.seq, known.heard, known.heard_all) if known else TakeOver()
        with writing.unit(SYSTEM, taken) as unit:
            undone = [effects[act.id] for act in reversed(affected)]
            base = _put_back(unit, [_apart(effect) for effect in undone] if whole else undone)
            _lay_over(unit, base, incoming)
            _write(unit, base)
        if database.dialect == "sqlite":
            # Rows were allowed to come in any order; an act that is done again is told at once.
            writing.connection.exec_driver_sql("PRAGMA defer_foreign_keys = OFF")
        verdict = _Verdict(writing, database.clock.now(), decided, came, affected)
        for act in affected:
            verdict.give(act, effects[act.id])
        if known is not None:
            stand = {"xid": known.xid, "seq": known.seq, "seal": known.seal, "synced_at": verdict.now}
            writing.connection.execute(update(replica).values(stand))
    return came


def _dirty(connection: Connection, incoming: Incoming) -> set[Key]:
    """The rows that change, and the cases that they belong to."""
    dirty: set[Key] = set()
    for name in {*incoming.rows, *incoming.gone}:
        ids = incoming.ids(name)
        dirty |= {(name, row_id) for row_id in ids}
        dirty |= cases_of(connection, name, ids)
        dirty |= {
            ("cases", row["case_id"]) for row in incoming.rows.get(name, {}).values() if "case_id" in row
        }
    return dirty


def _apart(effect: Effect) -> Effect:
    """Of an act what no server tells a station: the contacts that it took down."""
    names = {table.name for table in mirrored()}
    return {name: rows for name, rows in effect.items() if name not in names}


def _put_back(unit: UnitOfWork, effects: Sequence[Effect]) -> dict[str, dict[int, dict[str, Any] | None]]:
    """The rows as they were before these acts (the newest first); ``None`` for a row that was not there."""
    base: dict[str, dict[int, dict[str, Any] | None]] = defaultdict(dict)
    for effect in effects:
        for name, rows in effect.items():
            table = metadata.tables[name]
            of_table = base[name]
            current = unit.rows(table, [row_id for row_id in rows if row_id not in of_table])
            for row_id, diff in rows.items():
                if row_id not in of_table:
                    of_table[row_id] = dict(current[row_id]) if row_id in current else None
                of_table[row_id] = _before(table, row_id, diff, of_table[row_id])
    return base


def _before(table: Table, row_id: int, diff: Diff, after: dict[str, Any] | None) -> dict[str, Any] | None:
    if "id" in diff and diff["id"][0] is None:
        return None
    row = dict(after) if after is not None else {"id": row_id}
    for name, (was, _is) in diff.items():
        # A private value stands in the journal as a digest only; no act changes one that was there before.
        if not table.c[name].info.get("private"):
            row[name] = from_plain(table.c[name], was)
    return row


def _lay_over(
    unit: UnitOfWork, base: dict[str, dict[int, dict[str, Any] | None]], incoming: Incoming
) -> None:
    """The server's rows in place of ours; a case that goes takes with it whatever belongs to it."""
    for table in mirrored():
        rows = base.setdefault(table.name, {})
        rows |= dict.fromkeys(incoming.gone.get(table.name, ()))
        rows |= incoming.rows.get(table.name, {})
    lost = [row_id for row_id, row in base["cases"].items() if row is None]
    if not lost:
        return
    for table in metadata.sorted_tables:
        if "case_id" in table.c and any(key.column.table.name == "cases" for key in table.foreign_keys):
            parts = select(table).where(among(table.c.case_id, lost))
            here = [row["id"] for row in fetch(unit.connection, table, parts)]
            base.setdefault(table.name, {}).update(dict.fromkeys(here))


def _write(unit: UnitOfWork, base: Mapping[str, Mapping[int, dict[str, Any] | None]]) -> None:
    """Make the rows so; a row goes before the one that it points to, and comes after it."""
    tables = [table for table in metadata.sorted_tables if base.get(table.name)]
    for table in reversed(tables):
        gone = [row_id for row_id, row in base[table.name].items() if row is None]
        unit.mirror(table, [], gone)
    for table in tables:
        unit.mirror(table, [row for row in base[table.name].values() if row is not None])


@dataclass
class _Verdict:
    """What becomes of acts that were put back."""

    writing: Writing
    now: datetime
    decided: Decided
    came: Rebased
    affected: Sequence[Row[Any]]

    def give(self, act: Row[Any], effect: Effect) -> None:
        """One act, after those on which it stands."""
        decided = self.decided
        if not self._waits(act):
            # It was taken back together with the act that it takes back.
            return
        if act.id in decided.settled:
            self._settle(act, effect, decided.settled[act.id])
        elif act.id in decided.dropped:
            self._set(act, sending.DROPPED, None)
        elif act.id in decided.refused:
            self._park(act, effect, decided.refused[act.id])
        else:
            try:
                _do_again(self.writing, act, effect)
            except Refused as refusal:
                self._park(act, effect, refusal)
            else:
                self.came.again.append(act.id)

    def _settle(self, act: Row[Any], effect: Effect, touched: frozenset[int] | None) -> None:
        self.came.settled.append(act.id)
        left = set() if touched is None else effect.get("cases", {}).keys() - touched
        note = _note(_left_out(len(left)), effect, left) if left else None
        self._set(act, sending.PARTLY if left else sending.DONE, note)

    def _park(self, act: Row[Any], effect: Effect, refusal: Refused) -> None:
        """Into the tray; but what nobody has to decide any more, and what was taken back, is dropped."""
        note = _note(refusal, effect, effect.get("cases", {}).keys())
        undoing = self._undoing(act)
        if act.actor_id == SYSTEM.account_id or _is_moot(refusal):
            self._set(act, sending.DROPPED, note)
        elif undoing is not None:
            self._set(act, sending.DROPPED, note)
            self._set(undoing, sending.DROPPED, note)
        else:
            self.came.parked[act.id] = refusal
            self._set(act, sending.PARKED, note)

    def _undoing(self, act: Row[Any]) -> Row[Any] | None:
        """The act that waits to take this one back: it stands on the same rows, so it is put back as well."""
        undos = (each for each in self.affected if each.id > act.id and each.command == command_name(Undo))
        taking_back = (each for each in undos if each.arguments["operation"] == act.id)
        return next((each for each in taking_back if self._waits(each)), None)

    def _waits(self, act: Row[Any]) -> bool:
        state = select(outbox.c.state).where(outbox.c.id == act.id)
        return bool(self.writing.connection.execute(state).scalar() == sending.WAITING)

    def _set(self, act: Row[Any], state: str, note: dict[str, Any] | None) -> None:
        values: dict[str, Any] = {"state": state, "refusal": note, "decided_at": self.now}
        if state != sending.PARKED:
            # A citizen's name and number lie on the server now, and only there.
            values["arguments"] = without_private(act.command, act.arguments)
        if state not in (sending.DONE, sending.PARTLY):
            values["seq"] = 0
        self.writing.connection.execute(update(outbox).where(outbox.c.id == act.id).values(values))


def _do_again(writing: Writing, act: Row[Any], effect: Effect) -> None:
    """Do an act once more, as whom it was done, with what it drew then. Raises ``Refused``."""
    # What it did before is gone; what it does now, if anything, is noted by the unit of work.
    writing.connection.execute(update(outbox).where(outbox.c.id == act.id).values(seq=0))
    try:
        wanted = command_from_plain(act.command, act.arguments)
        actor = SYSTEM if act.actor_id == SYSTEM.account_id else actor_on(writing.connection, act.actor_id)
        demand_permission(wanted, actor)
        with writing.attempt(), writing.unit(actor, wanted, sending.act_of(act)) as unit:
            carry_out(adapted(wanted, unit, effect), unit)
    except (Refused, Unavailable, OperationalError):
        raise
    except Exception as error:
        # A fault of the program must not stop all that comes after this act.
        _log.exception("act %s (%s) could not be done again", act.id, act.command)
        raise fault_of(error) from error


def fault_of(error: Exception) -> Refused:
    """What an act is parked with when the program failed over it."""
    return Refused("act_failed", N_("The program failed over it: {reason}."), reason=type(error).__name__)


def _is_moot(refusal: Refused) -> bool:
    every = refusal.refusals if isinstance(refusal, RefusedAll) else (refusal,)
    return all(each.code in MOOT for each in every)


def _left_out(count: int) -> Refused:
    return Refused(
        "left_out",
        N_("The server left out {count} cases that had moved here: somebody was quicker."),
        count=count,
    )


def _note(refusal: Refused, effect: Effect, case_ids: Iterable[int]) -> dict[str, Any]:
    """What the tray tells later: why, and what was wanted of each case."""
    rows = effect.get("cases", {})
    wanted = {
        str(i): {name: pair for name, pair in rows[i].items() if name != "version"}
        for i in sorted(case_ids)
        if i in rows
    }
    return {**as_plain(refusal), "wanted": wanted}
