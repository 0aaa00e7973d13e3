"""The supervisor's desk of one session: act on many cases, undo, two officers, claims, kept selections."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol
from uuid import uuid4

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from db.advice.queries import advise
from db.advice.rules import Advice
from db.bootstrap import Core
from db.cases.claims import Claim, ClaimNext, ReleaseClaim, RenewClaims
from db.cases.foresight import Foresight, foresee, foresee_undo
from db.cases.leases import POOL
from db.cases.queries import STATE_CODES
from db.desk.commands import Undo, Undone, propose
from db.desk.queries import (
    KeptValue,
    ProposalValue,
    decided_proposals,
    kept,
    own_acts,
    roles,
    undoable,
    waiting,
)
from db.kernel.command import command_label, command_name
from db.kernel.language import N_, _, ngettext_
from db.kernel.moved import LeftOut, Moved
from db.kernel.refusal import Refused, RefusedAll, Unavailable
from db.live.board import News
from db.people.presence import IN_THE_ROOM, leave, say
from db.people.queries import on_duty
from desktop.catalog import Panes
from desktop.core.actions import Act
from desktop.core.context import Context
from desktop.core.jobs import Jobs
from desktop.core.offers import Offer
from desktop.core.trouble import Kind
from desktop.core.words import number
from desktop.queue.kept import FILTER, SELECTION, KeepDialog, KeptSheet, kept_filter
from desktop.queue.proposals import STATES, ProposalSheet, ProposalWork
from desktop.queue.undoing import UndoSheet, UndoWork
from desktop.shell.queues import Pinned
from desktop.shell.window import Window
from desktop.widgets.acting import ActWork, seen_versions
from desktop.widgets.effect import stays
from desktop.widgets.theme import Theme

_log = logging.getLogger(__name__)

PRESENCE_MS = 15_000
"""How often a window says that somebody looks at its case; after 45 s it is forgotten."""
MOST_LINES = 3
"""So many lines of reasons stand in a notice."""
MOST_FROM_POOL = 500
"""So many cases from the top of the list are tried for the next one of the pool."""


class Tell(Protocol):
    """Says a sentence at the foot of the room, perhaps with a button for undo."""

    def __call__(self, kind: str, words: str, *, undo: bool = False) -> None: ...


class SupervisorDesk(QObject):
    """Stands between the panes and the bus: what many cases are done to goes through here, and back again.

    Everything it asks of the database is asked off the GUI thread.
    """

    undone = Signal(str)
    """An act was taken back: the sentence that says so."""

    def __init__(
        self,
        core: Core,
        context: Context,
        jobs: Jobs,
        theme: Theme,
        tell: Tell,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._core = core
        self._context = context
        self._jobs = jobs
        self._theme = theme
        self._tell = tell
        self._window: Window | None = None
        self._panes: Panes | None = None
        self._at: Callable[[], Mapping[int, bool]] = dict
        self._station = uuid4().hex[:16]
        self._said: set[int] = set()
        self._offered: Any = None
        self._decided: set[int] | None = None
        self._presence = QTimer(self)
        self._presence.setInterval(PRESENCE_MS)
        self._presence.timeout.connect(lambda: jobs.start(self._say_presence()))
        self._values: list[KeptValue] = []
        context.news.connect(self._on_news)

    # What the others need.

    def set_window(self, window: Window, panes: Panes, at: Callable[[], Mapping[int, bool]]) -> None:
        """The window made last, and how to ask which cases stand open (and whether one is written in)."""
        self._window, self._panes, self._at = window, panes, at
        bar = panes.queue.bar
        bar.commanded.connect(self.do)
        bar.proposed.connect(lambda command: self._jobs.start(self._propose(command)))
        bar.set_work(self.act_work())
        part = window.status.part("proposals", right=True)
        part.set_presses()
        part.pressed.connect(self.show_proposals)
        self._jobs.start(self._load())
        self._presence.start()

    def close(self) -> None:
        """Say nothing more."""
        self._window = None
        self._presence.stop()

    def act_work(self) -> ActWork:
        """How the dialogs look ahead."""
        return ActWork(self._jobs, self.foresee, self._advise)

    def acts(self) -> list[Act]:
        """What the desk adds to the window's acts."""

        def some() -> str:
            return "" if self._context.selection else _("Select cases first.")

        def own() -> str:
            return "" if self._own_claims() else _("You have claimed nothing.")

        return [
            Act("undo", N_("Undo my last act"), self.undo, "Ctrl+Z", menu="case", words="撤销 undo"),
            # zh: 我的操作…
            Act("own_acts", N_("What I did…"), self.show_acts, "Ctrl+Shift+Z", menu="case", words="撤销记录"),
            Act(
                "select_all",
                # zh: 选中全部符合条件的案件
                N_("Select all that match"),
                lambda: self._room().queue.table.select_all(),
                "Ctrl+Shift+A",
                menu="case",
                words="全选",
            ),
            # zh: 领取
            Act("claim", N_("Claim"), self.claim, "F3", menu="case", why_not=some, words="领取 认领"),
            # zh: 领取下一件
            Act("claim_next", N_("Next from the pool"), self.claim_next, "F4", menu="case", words="公共池"),
            # zh: 放回公共池
            Act("release", N_("Give my claims back"), self.release, "Shift+F3", menu="case", why_not=own),
            Act(
                "keep_selection",
                # zh: 保存选中的案件…
                N_("Keep the selected cases…"),
                self.keep_selection,
                "Ctrl+Shift+S",
                menu="queues",
                why_not=some,
                words="保存 收藏",
            ),
            # zh: 保存筛选…
            Act(
                "keep_filter", N_("Keep the filter…"), self.keep_filter, "Ctrl+S", menu="queues", words="保存"
            ),
            # zh: 保存的选择与筛选…
            Act("kept", N_("Kept selections and filters…"), self.show_kept, "Ctrl+Shift+O", menu="queues"),
            Act(
                "proposals",
                # zh: 待复核的批量变更…
                N_("Changes for a second officer…"),
                self.show_proposals,
                "Ctrl+Shift+P",
                menu="case",
                words="双人复核",
            ),
        ]

    # Acting, and looking ahead.

    def foresee(self, command: Any) -> Foresight:
        """What a command would do now; on a reader's thread."""
        with self._core.database.read() as connection:
            return foresee(connection, command, self._context.who, self._core.clock.now())

    def _advise(self, case_ids: tuple[int, ...]) -> Mapping[int, Advice]:
        now = self._core.clock.now()
        found: Mapping[int, Advice] = self._read(lambda connection: advise(connection, case_ids, now))
        return found

    def do(self, command: Any) -> None:
        """Run a command on cases for the person signed in; the screen learns of it as news."""
        self._jobs.start(self._do(command))

    async def _do(self, command: Any) -> None:
        if getattr(command, "versions", None) == ():
            # Decided on what the room shows: who was quicker is told, not overwritten.
            command = replace(command, versions=seen_versions(self._context, command.case_ids))
        try:
            outcome = await self._jobs.write(self._core.bus.run, command, self._context.who)
        except RefusedAll as refusal:
            # Dozens of lines would be read by nobody: each reason once, with how many it is about.
            raise Refused(refusal.code, "{words}", words=reason_words(refusal)) from refusal
        except Refused as refusal:
            if refusal.code != "second_officer" or self._window is None:
                raise
            self._offered = command
            # zh: 提请复核
            self._window.tell(Kind.REFUSED, refusal.text(), _("Propose it"), "propose")
            return
        self._tell(Kind.DONE, done_words(command, outcome.result), undo=bool(outcome.seq))

    def answer_notice(self, key: str) -> None:
        """The button of a notice was pressed."""
        if key == "undo":
            self.undo()
        elif key == "propose" and self._offered is not None:
            command, self._offered = self._offered, None
            self._jobs.start(self._propose(command))

    # Undo.

    def undo(self) -> None:
        """Take the last act back: one case at once, more of them after showing what would go back."""
        self._jobs.start(self._undo())

    def show_acts(self) -> None:
        """The sheet of one's own acts."""
        self._jobs.start(self._show_acts())

    async def _undo(self) -> None:
        found = await self._jobs.read(self._core.bus.undoable, self._context.who)
        if found is not None and (found.size > 1 or found.lost):
            await self._show_acts()
            return
        outcome = await self._jobs.write(self._core.bus.undo, self._context.who)
        self._say_undone(outcome.result)

    async def _show_acts(self) -> None:
        who, now = self._context.who, self._core.clock.now
        acts = await self._jobs.read(self._read, lambda connection: own_acts(connection, who))
        work = UndoWork(lambda seq: self._read(lambda connection: undoable(connection, who, seq, now())))
        sheet = UndoSheet(self._theme, self._context, self._jobs, work, acts, self._parent())
        sheet.wanted.connect(lambda seq: self._jobs.start(self._undo_one(seq)))
        sheet.proposed.connect(lambda seq: self._jobs.start(self._propose_undo(seq)))
        sheet.open()

    async def _undo_one(self, seq: int) -> None:
        bus, who = self._core.bus, self._context.who
        outcome = await self._jobs.write(lambda: bus.run(Undo(seq, leave_out=True), who))
        self._say_undone(outcome.result)

    async def _propose_undo(self, seq: int) -> None:
        await self._propose(await self._jobs.read(self._core.bus.undo_of, Undo(seq)))

    def _say_undone(self, result: Any) -> None:
        words = _("Undone: {what}").format(what=result)
        if isinstance(result, Undone) and result.lost:
            # zh: {done}，{count} 件无法恢复
            words = _("{done}; {count} could not be").format(done=words, count=number(len(result.lost)))
        self._tell(Kind.DONE, words)
        self.undone.emit(words)

    # Two officers.

    def show_proposals(self) -> None:
        """The sheet of what waits for a second officer."""
        work = ProposalWork(lambda: self._read(self._proposals), self._foresee_proposal)
        sheet = ProposalSheet(self._theme, self._context, self._jobs, work, self._parent())
        sheet.commanded.connect(lambda command: self._jobs.start(self._decide(command)))
        sheet.open()

    def _proposals(self, connection: Any) -> Any:
        return waiting(connection), decided_proposals(connection, self._context.who)

    def _foresee_proposal(self, proposal: ProposalValue) -> Foresight:
        command = proposal.command
        if isinstance(command, Undo):
            who, now = self._context.who, self._core.clock.now()
            found: Foresight = self._read(lambda connection: foresee_undo(connection, command, who, now))
            return found
        return self.foresee(replace(command, leave_out=True) if hasattr(command, "leave_out") else command)

    async def _propose(self, command: Any) -> None:
        await self._jobs.ask(propose, self._core.bus, command, self._context.who)
        # zh: 已提请复核，待另一位人员确认
        self._tell(Kind.DONE, _("Proposed. It waits until a second officer confirms it."))

    async def _decide(self, command: Any) -> None:
        outcome = await self._jobs.write(self._core.bus.run, command, self._context.who)
        words = _(command_label(command_name(type(command))))
        if isinstance(outcome.result, Undone):
            self._say_undone(outcome.result)
            return
        if isinstance(outcome.result, Moved):
            words = done_words(command, outcome.result)
        self._tell(Kind.DONE, words, undo=isinstance(outcome.result, Moved))

    async def _say_proposals(self) -> None:
        """The quiet count, and once what became of one's own."""
        pending, decided = await self._jobs.read(self._read, self._proposals)
        if self._window is None or not isValid(self._window):
            return
        count = sum(1 for each in pending if each.proposed_by != self._context.who.account_id)
        # zh: 待复核 {count}
        words = _("{count} to confirm").format(count=number(count)) if count else ""
        self._window.status.part("proposals", right=True).set(words, "soon" if count else "text2")
        known, self._decided = self._decided, {each.id for each in decided}
        if known is None:
            return
        for each in decided:
            if each.id not in known and each.state != "withdrawn":
                told = _("{what}: {state} by {who}").format(
                    what=_(each.label), state=_(STATES[each.state]), who=each.decided_by_name
                )
                self._tell(Kind.DONE, f"{told}: {each.answer}" if each.answer else told)

    # Claims.

    def claim(self) -> None:
        """The selected cases are mine for a while."""
        self._jobs.start(self._claim(Claim(tuple(sorted(self._context.selection)))))

    def claim_next(self) -> None:
        """The first free case of the pool, in the order of the list."""
        store, rows = self._context.board.store, self._context.board.lens.rows
        in_pool = np.isin(store.state[rows], [STATE_CODES.index(state) for state in POOL])
        free = rows[in_pool & (store.claimant[rows] == 0)][:MOST_FROM_POOL]
        self._jobs.start(self._claim_next(tuple(store.id[free].tolist())))

    def release(self) -> None:
        """The selected ones of my claims are in the pool again; without any among them, all of mine."""
        own = self._own_claims()
        chosen = tuple(case_id for case_id in own if case_id in self._context.selection) or own
        self._jobs.start(self._claim(ReleaseClaim(chosen)))

    def _own_claims(self) -> tuple[int, ...]:
        claims, who = self._context.board.store.claims, self._context.who.account_id
        return tuple(case_id for case_id, each in claims.by_case.items() if each.account_id == who)

    async def _claim(self, command: Any) -> None:
        await self._jobs.write(self._core.bus.run, command, self._context.who)
        count = len(command.case_ids)
        words = (
            ngettext_("{count} case is in the pool again", "{count} cases are in the pool again", count)
            if isinstance(command, ReleaseClaim)
            else ngettext_("{count} case is yours for now", "{count} cases are yours for now", count)
        )
        self._tell(Kind.DONE, words.format(count=number(count)))

    async def _claim_next(self, case_ids: tuple[int, ...]) -> None:
        if not case_ids:
            raise Refused("pool_empty", N_("None of these cases is free."))
        outcome = await self._jobs.write(self._core.bus.run, ClaimNext(case_ids), self._context.who)
        self._context.select(frozenset({outcome.result}))
        store = self._context.board.store
        slot = store.slot_of(outcome.result)
        # zh: 已领取 {number}
        words = _("{number} is yours for now").format(number=store.number[slot] if slot is not None else "")
        self._tell(Kind.DONE, words)

    # Who is here.

    async def _say_presence(self) -> None:
        """Tell that somebody sits here, and at which cases; claims on them last on. Hear who is on shift."""
        database, who, at = self._core.database, self._context.who, dict(self._at())
        mine = tuple(case_id for case_id in self._own_claims() if case_id in at)

        def tell() -> None:
            say(database, self._station, who, IN_THE_ROOM)
            for case_id, typing in at.items():
                say(database, f"{self._station}-{case_id}", who, case_id, typing)
            for case_id in self._said - at.keys():
                leave(database, f"{self._station}-{case_id}", who)
            # Here, on the one writing thread: the next one may be waiting behind this one already.
            self._said = set(at)

        try:
            await self._jobs.write(tell)
            now = self._core.clock.now()
            there = await self._jobs.read(self._read, lambda connection: on_duty(connection, now))
        except Unavailable as trouble:
            # The status strip says already that the database is lost.
            _log.info("nobody is told who is here: %s", trouble)
            return
        if self._window is not None and self._panes is not None and isValid(self._panes.board):
            self._panes.board.set_on_duty(there)
        if mine:
            try:
                await self._jobs.write(self._core.bus.run, RenewClaims(mine), who)
            except Unavailable as trouble:
                # Without a line a claim lasts as long as it lasts.
                _log.info("claims are not renewed: %s", trouble)

    def look(self) -> None:
        """A case was opened or closed: others need not wait for the next beat to see it."""
        if self._presence.isActive():
            self._jobs.start(self._say_presence())

    # What is kept.

    def keep_selection(self) -> None:
        """Give the selected cases a name."""
        ids = sorted(self._context.selection)
        if ids:
            self._jobs.start(self._keep(SELECTION, {"ids": ids}, len(ids)))

    def keep_filter(self) -> None:
        """Give the filter in force a name."""
        chosen = self._context.filter
        self._jobs.start(self._keep(FILTER, chosen.as_plain(), self._context.board.lens.count))

    def show_kept(self) -> None:
        """All that is at hand."""
        self._jobs.start(self._show_kept())

    async def _keep(self, kind: str, content: Mapping[str, Any], count: int) -> None:
        known = await self._jobs.read(self._read, roles)
        dialog = KeepDialog(self._theme, kind, content, count, known, self._parent())
        dialog.commanded.connect(lambda command: self._jobs.start(self._change_kept(command)))
        dialog.open()

    async def _show_kept(self) -> None:
        values, known = await self._jobs.read(self._read, self._kept)
        sheet = KeptSheet(self._theme, self._context, values, known, self._parent())
        sheet.opened.connect(self.open_kept)
        sheet.commanded.connect(lambda command: self._jobs.start(self._change_kept(command, sheet)))
        sheet.open()

    async def _change_kept(self, command: Any, sheet: KeptSheet | None = None) -> None:
        outcome = await self._jobs.write(self._core.bus.run, command, self._context.who)
        self._tell(Kind.DONE, _(command_label(command_name(type(command)))), undo=bool(outcome.seq))
        if sheet is not None:
            values, _known = await self._jobs.read(self._read, self._kept)
            if isValid(sheet):
                sheet.set_kept(values)

    def open_kept(self, value: KeptValue) -> None:
        """Show what was kept; of a selection, those still open are selected again."""
        try:
            chosen = kept_filter(value)
        except (ValueError, KeyError, TypeError):
            self._tell(Kind.REFUSED, _("“{name}” was kept by another version.").format(name=value.name))
            return
        self._context.set_filter(chosen)
        if value.kind == SELECTION:
            store, lens = self._context.board.store, self._context.board.lens
            self._context.select(frozenset(store.id[lens.rows].tolist()))

    def _kept(self, connection: Any) -> Any:
        found = [each for each in kept(connection, self._context.who) if each.kind in (SELECTION, FILTER)]
        return found, roles(connection)

    def offers(self) -> list[Offer]:
        """What is kept, for the palette."""
        return [
            Offer(
                f"kept:{each.id}",
                each.name,
                lambda each=each: self.open_kept(each),  # type: ignore[misc]
                group=_("Kept"),
                detail="" if each.is_own else each.owner_name,
            )
            for each in self._values
        ]

    async def _pin_kept(self) -> None:
        values, _known = await self._jobs.read(self._read, self._kept)
        self._values = values
        pinned = []
        for each in values:
            try:
                if each.pinned:
                    pinned.append(Pinned(each.id, each.name, kept_filter(each)))
            except (ValueError, KeyError, TypeError):
                _log.warning("what is kept as %s cannot be read", each.id)
        if self._window is not None and isValid(self._window):
            self._window.queues.set_pinned(pinned)

    # Following.

    async def _load(self) -> None:
        await self._pin_kept()
        await self._say_proposals()
        await self._say_presence()

    def _on_news(self, news: News) -> None:
        if self._window is None:
            return
        if "kept" in news.registers_changed:
            self._jobs.start(self._pin_kept())
        if "proposal" in news.registers_changed:
            self._jobs.start(self._say_proposals())

    def _read(self, question: Callable[[Any], Any]) -> Any:
        with self._core.database.read() as connection:
            return question(connection)

    def _room(self) -> Panes:
        assert self._panes is not None
        return self._panes

    def _parent(self) -> QWidget | None:
        return self._window


def reason_words(refusal: RefusedAll) -> str:
    """The reasons why none of many cases moved, the most frequent first; of few the whole list."""
    if len(refusal.refusals) <= MOST_LINES:
        return refusal.text()
    left_out = [LeftOut(0, str(each.facts.get("number", "")), each) for each in refusal.refusals]
    return "\n".join(f"{number(count)} · {words}" for count, words in stays(left_out)[:MOST_LINES])


def done_words(command: Any, result: Any) -> str:
    """What was done, and what stayed: "Reassign cases: 37. 3 stay: …"."""
    what = _(command_label(command_name(type(command))))
    if not isinstance(result, Moved):
        # zh: {what}：{count} 件
        return _("{what}: {count}").format(what=what, count=number(len(command.case_ids)))
    words = _("{what}: {count}").format(what=what, count=number(len(result.case_ids)))
    if not result.left_out:
        return words
    # zh: {count} 件未办：{why}
    left = _("{count} stay: {why}").format(
        count=number(len(result.left_out)), why=stays(result.left_out)[0][1]
    )
    # zh: {done}；{left}
    return _("{done}. {left}").format(done=words, left=left)
