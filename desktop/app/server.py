"""What a session has to do with its server: how the line stands, the tray, who is here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from db.bootstrap import Core
from db.cases.casefile import CaseFile, Photo, case_file
from db.cases.commands.moving import foreseeable
from db.kernel.language import N_, _, ngettext_
from db.kernel.refusal import Refused, Unavailable
from db.sync.blobs import Wanted
from db.sync.roll import own_token, read_roll, standing_of
from db.sync.seat import Seat
from db.sync.standing import PhotoWay, Standing
from db.sync.tray import do_again, drop, read_tray
from desktop.app.desk import SupervisorDesk, Tell, done_words
from desktop.app.trayed import tray_acts
from desktop.core.actions import Act
from desktop.core.context import Context
from desktop.core.jobs import Jobs
from desktop.core.line import SHUT_OUT, shut_out_words
from desktop.core.trouble import Kind
from desktop.core.words import clock_time, number
from desktop.shell.window import Window
from desktop.tray.stations import StationsWindow
from desktop.tray.window import TrayWindow
from desktop.tray.work import StationLine, TrayAct, TrayWork
from desktop.widgets.acting import ActDialog, seen_versions
from desktop.widgets.theme import Theme
from desktop.widgets.verbs import asked_for

T = TypeVar("T")
OTHER_HISTORY = "other_history"
"""The refusal of a server that knows less than this station has seen of it."""
_LOOK_MS = 2_000
"""How often a wall looks into the file that a room keeps."""


class Ear(QObject):
    """Brings what a station says from its thread to whoever listens on the GUI thread."""

    heard = Signal(object)
    """``Standing``."""


class ServerDesk(QObject):
    """Of a room at a server. Everything it asks is asked off the GUI thread."""

    def __init__(
        self,
        core: Core,
        seat: Seat,
        ear: Ear,
        context: Context,
        jobs: Jobs,
        theme: Theme,
        desk: SupervisorDesk,
        tell: Tell,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._core = core
        self._seat = seat
        self._ear = ear
        self._context = context
        self._jobs = jobs
        self._theme = theme
        self._desk = desk
        self._tell = tell
        self._window: Window | None = None
        self._tray: TrayWindow | None = None
        self._stations: StationsWindow | None = None
        self._known: frozenset[int] | None = None
        self._told_trouble = ""
        ear.heard.connect(self._on_heard)
        context.set_standing(seat.station.standing)
        jobs.start(self._look())

    def set_window(self, window: Window) -> None:
        """The window made last."""
        self._window = window
        self._tray = self._stations = None

    def close(self) -> None:
        """Hear nothing more."""
        self._ear.heard.disconnect(self._on_heard)
        self._window = None

    def acts(self) -> list[Act]:
        """What it adds to the window's acts."""
        return [
            Act(
                "tray",
                # zh: 待处理操作…
                N_("Tray: what the server has not taken…"),
                self.show_tray,
                "Ctrl+Shift+T",
                menu="case",
                words="离线 待上报 冲突 tray outbox",
            ),
            # zh: 在线席位…
            Act("stations", N_("Who is here…"), self.show_stations, menu="file", words="席位 station"),
            Act(
                "rejoin",
                # zh: 以服务器的旧状态为准
                N_("Take the server's older state"),
                lambda: self._jobs.start(self._rejoin()),
                menu="file",
                permission="people.manage",
                why_not=self._why_not_rejoin,
            ),
        ]

    # The tray.

    def show_tray(self) -> TrayWindow:
        """Bring up the tray."""
        if self._tray is None or not isValid(self._tray):
            work = TrayWork(self._read_tray, self._drop, self._do_again)
            self._tray = TrayWindow(self._theme, self._context, self._jobs, work, self._window)
            self._tray.edit_wanted.connect(self._edit)
            self._tray.stations_wanted.connect(self.show_stations)
            self._tray.finished.connect(self._on_tray_gone)
        _bring_up(self._tray)
        return self._tray

    def _on_tray_gone(self) -> None:
        self._tray = None

    def _read_tray(self) -> list[TrayAct]:
        with self._core.database.read() as connection:
            laid = read_tray(connection)
        context = self._context
        return tray_acts(laid, context.board.directory, context.zone, context.who)

    def _drop(self, operation: int, reason: str) -> None:
        drop(self._core.database, self._context.who, operation, reason)

    async def _do_again(self, act: TrayAct) -> None:
        """At once when all of its cases follow; else in its dialog, which shows what would come of it."""
        command = self._fresh(act)
        if foreseeable(type(command)):
            try:
                foresight = await self._jobs.read(self._desk.foresee, command)
            except Refused:
                # The dialog says why, and lets it be decided otherwise.
                if not act.may_edit:
                    raise
                self._edit(act)
                return
            if (foresight.left_out or foresight.second_officer) and act.may_edit:
                self._edit(act)
                return
        await self._replace(act, command)

    def _edit(self, act: TrayAct) -> None:
        """Its dialog with the old words, on the cases as they are now."""
        asked = asked_for(act.command)
        if asked is None or self._window is None:
            return
        verb, ids, given = asked
        dialog = ActDialog(
            self._theme,
            self._context,
            verb,
            ids,
            self._window,
            given=given,
            work=self._desk.act_work(),
            versions=seen_versions(self._context, ids),
        )
        dialog.commanded.connect(lambda command: self._settle(act, command))
        dialog.open()

    def _fresh(self, act: TrayAct) -> Any:
        """The same command, decided on the cases as they are now."""
        if act.command is None:
            raise Refused(
                "unknown_command", N_("This program does not know the command “{name}”."), name=act.label
            )
        if not hasattr(act.command, "versions"):
            return act.command
        return replace(act.command, versions=seen_versions(self._context, act.command.case_ids))

    async def _replace(self, act: TrayAct, command: Any) -> None:
        """Do it, and only then drop the one that was refused."""
        outcome = await self._jobs.write(do_again, self._core.bus, self._context.who, act.operation, command)
        words = done_words(command, outcome.result) if hasattr(command, "case_ids") else act.label
        self._tell(Kind.DONE, words, undo=bool(outcome.seq))

    def _settle(self, act: TrayAct, command: Any) -> None:
        """A dialog says what is to be done in place of an act."""
        work = self._replace(act, command)
        if self._tray is not None and isValid(self._tray):
            self._tray.settle(act, work)
        else:
            self._jobs.start(work)

    # What is older than this computer keeps.

    def ask_older(self, question: Callable[[Any], T]) -> T:
        """Put a question about all of history to the server, on an asker's thread.

        Raises ``Unavailable("older_cases")`` without a line.
        """
        try:
            return self._seat.station.ask(self._context.who, question)
        except Unavailable as trouble:
            raise Unavailable(
                "older_cases",
                # zh: 更早的案件在服务器上，目前没有连接。
                N_("Older cases lie on the server, and there is no line to it."),
            ) from trouble

    def older_case(self, case_id: int) -> CaseFile | None:
        """A case that this computer does not keep."""
        return self.ask_older(lambda connection: case_file(connection, case_id, self._context.who))

    # Photos.

    def photo_way(self, photo: Photo) -> PhotoWay:
        """How it stands with a photo whose file is not here; the station fetches it before others."""
        return self._seat.station.photo_way(Wanted(photo.sha256, photo.mime, photo.bytes, photo.id))

    # A server that was put back.

    def _why_not_rejoin(self) -> str:
        standing = self._context.standing
        trouble = standing.trouble if standing is not None else None
        if trouble is not None and trouble.code == OTHER_HISTORY:
            return ""
        return _("The server was not put back to an older state.")

    async def _rejoin(self) -> None:
        """Its rows are the truth again, and it is told anew what it has lost of this station."""
        found = await self._jobs.ask(self._seat.station.rejoin, self._context.who)
        # zh: 已以服务器为准；重新上报 {count} 项
        words = ngettext_(
            "The server's state was taken; {count} act is sent again.",
            "The server's state was taken; {count} acts are sent again.",
            found.lost,
        )
        self._tell(Kind.DONE, words.format(count=number(found.lost)))

    # Who is here.

    def show_stations(self) -> StationsWindow:
        """Bring up the stations of the server."""
        if self._stations is None or not isValid(self._stations):
            self._stations = StationsWindow(
                self._theme, self._context, self._jobs, self._read_stations, self._core.clock, self._window
            )
            self._stations.finished.connect(self._on_stations_gone)
        _bring_up(self._stations)
        return self._stations

    def _on_stations_gone(self) -> None:
        self._stations = None

    def _read_stations(self) -> tuple[list[StationLine], int]:
        """On an asker's thread."""
        with self._core.database.read() as connection:
            own = own_token(connection)
        rows, now_ms = self._seat.station.ask(self._context.who, read_roll)
        return [
            StationLine(
                row.number,
                row.name,
                row.login,
                row.program,
                row.waiting,
                row.skew_ms,
                row.behind_ms,
                row.seen_ms,
                row.token == own,
            )
            for row in rows
        ], now_ms

    # Following.

    def _on_heard(self, standing: Standing) -> None:
        before = self._context.standing
        self._context.set_standing(standing)
        if before is None or standing.parked != before.parked:
            self._jobs.start(self._look())
        self._say_trouble(standing)

    def _say_trouble(self, standing: Standing) -> None:
        """A server that says no is told once, not every few seconds."""
        trouble, words = standing.trouble, ""
        if trouble is not None and trouble.code in SHUT_OUT:
            words = shut_out_words()
        elif isinstance(trouble, Refused):
            words = trouble.text()
        if words and words != self._told_trouble:
            self._tell(Kind.REFUSED, words)
        self._told_trouble = words

    async def _look(self) -> None:
        """Say what came into the tray since the last look: what, and who was quicker."""
        acts = await self._jobs.read(self._read_tray)
        parked = [act for act in acts if act.is_parked]
        known, self._known = self._known, frozenset(act.operation for act in parked)
        new = [act for act in parked if known is not None and act.operation not in known]
        if new and self._window is not None and isValid(self._window):
            words = parked_words(new, lambda ms: clock_time(ms, self._context.zone))
            self._window.tell(Kind.REFUSED, words, _("Look"), "tray", "Ctrl ⇧ T")


class Watch(QObject):
    """Of a wall at a station: it tells how things stand from the file, which a room keeps."""

    def __init__(self, core: Core, context: Context, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._core = core
        self._context = context
        self._jobs = jobs
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_MS)
        self._timer.timeout.connect(self._on_time)
        self._timer.start()
        self._on_time()

    def close(self) -> None:
        """Look no more."""
        self._timer.stop()

    def _on_time(self) -> None:
        self._jobs.start(self._look())

    async def _look(self) -> None:
        self._context.set_standing(await self._jobs.read(standing_of, self._core.database))


def parked_words(acts: Sequence[TrayAct], time_of: Callable[[int], str]) -> str:
    """What the server did not take: of one act with who was quicker, when and by what; of more, how many."""
    if len(acts) > 1:
        # zh: 服务器未接受 {count} 项操作
        return _("The server did not take {count} acts.").format(count=number(len(acts)))
    act = acts[0]
    quicker = next((side for side in act.sides if side.who), None)
    if quicker is None:
        # zh: {what} 未被接受：{why}
        return _("{what}: not taken. {why}").format(what=act.label, why=act.why)
    # zh: {what} 未被接受：{who} 已于 {when} {done}（{number}）
    return _("{what}: not taken. {who} was quicker at {when}: {done} ({number}).").format(
        what=act.label,
        who=quicker.who,
        when=time_of(quicker.at_ms),
        done=quicker.what,
        # An officer knows a case by its place.
        number=" ".join(part for part in (quicker.number, quicker.place) if part),
    )


def _bring_up(window: QWidget) -> None:
    window.show()
    window.raise_()
    window.activateWindow()
