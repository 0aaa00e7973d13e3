"""One signed-in person at one database: feed, board, bridge and window, made and closed together."""

from __future__ import annotations

import gc
import logging
import sys
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, Qt, QTimer, Signal
from shiboken6 import isValid

from db.advice.automatic import Automation, automation
from db.advice.queries import prepare
from db.bootstrap import Core, city_facts
from db.calendars.queries import calendar_page, missing_years
from db.cases.casefile import CaseFile, case_file
from db.cases.commands.moving import load_workflow
from db.cases.commands.requests import ResumeDue
from db.cases.contacts import view_contact
from db.cases.photos import photo_store
from db.cases.workflow import VERB_LABELS, Workflow
from db.exchange.checking import Checked
from db.exchange.geography.checking import Checked as CheckedGeography
from db.exchange.geography.checking import check as check_geography
from db.exchange.geography.exporting import export_geography
from db.exchange.geography.fields import read_geography_mapping, register_of
from db.exchange.geography.files import examine
from db.exchange.geography.writing import import_checked as import_geography
from db.exchange.importing import check_file, import_checked
from db.exchange.mapping import read_mapping
from db.kernel import garbage
from db.kernel.actor import SYSTEM, Actor
from db.kernel.clock import to_ms
from db.kernel.command import command_label, command_name
from db.kernel.language import LANGUAGES, N_, _, in_language, language, ngettext_
from db.kernel.program import program_version
from db.kernel.refusal import Trouble, Unavailable
from db.live.board import Board, News
from db.live.feed import Feed
from db.live.remaining import RemainingDays
from db.live.usual import Usual, UsualDays
from db.people.queries import must_change
from db.registers.queries import BaseMap, base_map
from db.sync.seat import Seat, server_of, short_address
from db.upkeep import keep_up
from desktop.accounts.forms import OwnPasswordAsking
from desktop.accounts.window import AccountsWindow
from desktop.app.accounts import account_work
from desktop.app.desk import SupervisorDesk
from desktop.app.duties import automatic_work, duty_work
from desktop.app.fieldwork import Fieldwork
from desktop.app.intake import IntakeDesk
from desktop.app.mapping import MapDesk
from desktop.app.searching import older_work, search_work
from desktop.app.server import Ear, ServerDesk, Watch
from desktop.calendars.window import CalendarWindow, CalendarWork
from desktop.casefile.window import CaseWindow, CaseWork
from desktop.catalog import Panes, make_panes
from desktop.core.actions import Act
from desktop.core.bridge import Bridge
from desktop.core.context import City, Context
from desktop.core.jobs import Jobs
from desktop.core.keys import Key, KeyGroup, keys_of
from desktop.core.offers import Offer
from desktop.core.preferences import DENSE, LANGUAGE, THEME, Preferences
from desktop.core.trouble import Kind, Troubles
from desktop.core.words import number
from desktop.duties.automatic import AutomaticDialog
from desktop.duties.window import DutyWindow
from desktop.exchange.dialog import ImportDialog, ImportWork
from desktop.exchange.geography import GeographyChoice, GeographyDialog, GeographyWork
from desktop.exchange.giving import Giving, GivingDialog
from desktop.intake.dialog import IntakeDialog
from desktop.intake.work import Filed
from desktop.queue.pane import ORDERS
from desktop.search.window import SearchWindow
from desktop.shell.commands import Commands, Desk
from desktop.shell.keys import CHIP_KEYS, FIGURE_KEYS, MAP_KEYS, PALETTE_KEYS, KeySheet
from desktop.shell.window import MENUS, Window
from desktop.wall.window import WallWindow
from desktop.widgets.acting import VERBS, ActDialog
from desktop.widgets.table import KEYS as TABLE_KEYS
from desktop.widgets.theme import Theme

_log = logging.getLogger(__name__)


class Session(QObject):
    """Everything between signing in and signing out."""

    drawn = Signal()
    """Base map, cases, queue and figures stand on the screen for the first time."""
    ended = Signal()
    left = Signal()
    """The person hands over to another."""
    language_wanted = Signal(str)
    reopened = Signal()
    """The database speaks of another city now."""

    def __init__(
        self,
        core: Core,
        actor: Actor,
        theme: Theme,
        preferences: Preferences,
        jobs: Jobs,
        troubles: Troubles,
        *,
        seat: Seat | None = None,
        ear: Ear | None = None,
        wall: bool = False,
        parent: QObject | None = None,
    ) -> None:
        """``seat`` and ``ear``: of who works at a server, and what the station says."""
        super().__init__(parent)
        self.core = core
        self._theme = theme
        self._preferences = preferences
        self._jobs = jobs
        self._troubles = troubles
        self._is_wall = wall
        self._is_closed = False
        facts = city_facts(core)
        zone = ZoneInfo(facts.zone)
        city = City(facts.name, facts.name_en, facts.is_demo)
        self.context = Context(Board(zone, to_ms(core.clock.now())), actor, city, self)
        self.bridge = Bridge(Feed(core.database, core.clock), self.context, core.clock, self)
        self.desk = SupervisorDesk(core, self.context, jobs, theme, self._tell, self)
        self.desk.undone.connect(self._on_undone)
        self._server = server_of(core.database)
        self.server: ServerDesk | None = None
        self._watch: Watch | None = None
        if seat is not None and ear is not None:
            self.server = ServerDesk(core, seat, ear, self.context, jobs, theme, self.desk, self._tell, self)
        elif self._server is not None:
            self._watch = Watch(core, self.context, jobs, self)
        self._awaited = {"cases", "ground", "usual"}
        self._ground: BaseMap | None = None
        self._usual: Usual | None = None
        self._usual_days = UsualDays(core.database, zone)
        self._remaining_days = RemainingDays(core.database, zone)
        self._workflow: Workflow | None = None
        self._map_goal: int | None = None
        self._map_drawn = 0
        self._intake: IntakeDialog | None = None
        self._cases: dict[int, CaseWindow] = {}
        self.panes: Panes
        self.window: Window | WallWindow
        self._minute = QTimer(self)
        self._minute.setInterval(60_000)
        self._minute.timeout.connect(lambda: jobs.start(self._each_minute()))
        # The cases are read while the window is being made.
        self.bridge.start()
        self._make_window()
        self.bridge.first_came.connect(lambda: self._arrived("cases"))
        self.context.news.connect(self._on_news)
        self.context.opened.connect(lambda case_id: jobs.start(self.show_case(case_id)))
        troubles.told.connect(self._on_told)

    def start(self) -> None:
        """Let the rest come, one after the other: what the eye looks for first is read first."""
        self._jobs.start(self._load())
        self._minute.start()

    def close(self) -> None:
        """Stop the feed; the window goes with it."""
        self._is_closed = True
        garbage.take_back()
        self._troubles.told.disconnect(self._on_told)
        self._minute.stop()
        self.desk.close()
        self.maps.close()
        for each in (self.server, self._watch):
            if each is not None:
                each.close()
        self.fieldwork.close()
        self.bridge.stop()
        self._close_cases()
        self._close_intake()
        self.window.close()
        self.window.deleteLater()

    def remake_window(self) -> None:
        """Make the window anew, in the language now in use; data, filter and selection stay."""
        garbage.take_back()
        old, geometry = self.window, self.window.saveGeometry()
        cases = self._close_cases()
        self._close_intake()
        view, layers = self.panes.map.map.view(), self.panes.map.map.layers()
        self.maps.close()
        self.fieldwork.close()
        self._make_window()
        self.window.restoreGeometry(geometry)
        if self._ground is not None:
            self.panes.map.set_ground(self._ground)
        if view is not None:
            self.panes.map.map.restore_view(view)
        self.panes.map.map.set_layers(layers)
        self.panes.kpi.set_usual(self._usual)
        self._jobs.start(self._load_map_anew())
        self.window.show()
        # Only now: with its last window closed the program would end.
        old.closed.disconnect()
        old.close()
        old.deleteLater()
        for case_id in cases:
            self.context.opened.emit(case_id)

    def _close_cases(self) -> list[int]:
        """Close the windows of cases; which they were."""
        ids = list(self._cases)
        for case_id in ids:
            self._cases[case_id].reject()
        return ids

    def _make_window(self) -> None:
        self._search: SearchWindow | None = None
        self._calendar: CalendarWindow | None = None
        self._duties: DutyWindow | None = None
        self._accounts: AccountsWindow | None = None
        self.panes = make_panes(self._theme, self.context, self._preferences)
        self.maps = MapDesk(self.core, self.context, self._jobs, self.panes.map, self._theme, self._tell)
        self.fieldwork = Fieldwork(self.core, self._jobs, self.context, self._theme, self.panes.map, self)
        self.panes.map.drawn.connect(self._on_map_drawn)
        self.panes.map.map.pointed.connect(self._on_pointed)
        if self._workflow is not None:
            self.panes.queue.bar.set_workflow(self._workflow)
        if self._is_wall:
            self.window = WallWindow(self._theme, self.context, self.core.clock, self.panes.by_id())
            self.window.closed.connect(self.ended)
            return
        called = _("Local database") if self.core.database.dialect == "sqlite" else _("Server")
        if self._server is not None:
            called = short_address(self._server)
        self.window = Window(
            self._theme,
            self.context,
            self._preferences,
            self.core.clock,
            self.panes.of_room(),
            self._acts(),
            called,
        )
        self.desk.set_window(self.window, self.panes, self._at_cases)
        if self.server is not None:
            self.server.set_window(self.window)
        self._offered = self._commands(self.window)
        self.window.set_commands(self._offered)
        self.window.queues.ordered.connect(self.panes.queue.order_by)
        part = self.window.status.part("calendar")
        part.set_presses()
        part.pressed.connect(self.show_calendar)
        self.window.acted.connect(self._on_notice)
        self.window.closed.connect(self.ended)

    def _commands(self, window: Window) -> Commands:
        """What the palette of a window offers, and how it is carried out: as keys, bar and dialogs do."""
        bar = self.panes.queue.bar
        desk = Desk(
            bar.why_not,
            bar.ask,
            self.desk.do,
            self._find,
            self.context.opened.emit,
            self.panes.map.fit_cases,
        )
        commands = Commands(self.context, window.actions_, desk, MENUS)
        commands.add(self.desk.offers)
        commands.add(self._orders)
        return commands

    def _orders(self) -> list[Offer]:
        """The orders of the list, as its header offers them."""
        return [
            Offer(
                f"order:{key}",
                # zh: 排序：{order}
                _("Sort {order}").format(order=_(title)),
                lambda key=key: self.panes.queue.sort_by(key),
                tuple(in_language(code, title) for code in LANGUAGES),
                _("Cases"),
            )
            for key, title in ORDERS.items()
        ]

    def _find(self, text: str) -> None:
        """Look for a text in all of history."""
        self.show_search().field.setText(text)

    def _acts(self) -> list[Act]:
        preferences = self._preferences
        return [
            *self.desk.acts(),
            Act("theme", N_("Dark or light"), self._on_theme, "Ctrl+T", menu="view"),
            Act("language", N_("中文 / English"), self._on_language, "Ctrl+L", menu="view"),
            Act(
                "dense",
                N_("Dense rows"),
                lambda: preferences.put(DENSE, not preferences.get(DENSE)),
                "Ctrl+D",
                menu="view",
                checkable=True,
                checked=lambda: preferences.get(DENSE),
            ),
            Act(
                "fit",
                N_("Show all cases on the map"),
                lambda: self.panes.map.fit_cases(),
                "Ctrl+0",
                menu="view",
            ),
            Act(
                "import", N_("Import cases…"), self._on_import, "Ctrl+I", menu="file", permission="import.run"
            ),
            Act(
                # zh: 导入地图数据…
                "import_geography",
                N_("Import map data…"),
                self._on_import_geography,
                "Ctrl+Shift+I",
                menu="file",
                permission="import.run",
                words="shapefile geojson shp 地图 网格 部件 gis",
            ),
            Act(
                # zh: 导出地图数据…
                "export_geography",
                N_("Export map data…"),
                self._on_export_geography,
                "Ctrl+Shift+E",
                menu="file",
                permission="import.run",
                words="shapefile geojson shp 地图 网格 部件 gis 导出",
            ),
            Act("intake", N_("New case…"), self.show_intake, "Ctrl+N", menu="case", permission="case.report"),
            Act("search", N_("Search all cases…"), self.show_search, "Ctrl+Shift+F", menu="case"),
            Act("calendar", N_("Working calendar…"), self.show_calendar, "Ctrl+Shift+K", menu="file"),
            # zh: 责任清单…
            Act("duties", N_("Duties…"), self.show_duties, "Ctrl+Shift+U", menu="file"),
            Act(
                "accounts",
                # zh: 账号与权限…
                N_("Accounts and rights…"),
                self.show_accounts,
                "Ctrl+Shift+G",
                menu="file",
                permission="people.manage",
                words="账号 角色 权限 管辖范围 用户 密码 users roles scope password",
            ),
            Act(
                "own_password",
                # zh: 修改我的密码…
                N_("Change my password…"),
                self.show_own_password,
                "Ctrl+Shift+H",
                menu="file",
                why_not=lambda: (
                    # zh: 服务器账号的密码由管理员设置。
                    _("Passwords of a server are set by its administrator.")
                    if self._has_logins_elsewhere()
                    else ""
                ),
                words="密码 修改密码 password",
            ),
            Act(
                "automatic",
                # zh: 自动派遣…
                N_("Automatic dispatch…"),
                self.show_automatic,
                "Ctrl+Shift+Y",
                menu="file",
                permission="advice.manage",
                words="自动派遣 推荐",
            ),
            Act("wall", N_("The wall in a new window"), self._on_wall, "Ctrl+Shift+W", menu="view"),
            *(self.server.acts() if self.server is not None else ()),
            Act("sign_out", N_("Hand over to another person"), self.left.emit, "Ctrl+Shift+L", menu="file"),
            Act("keys", N_("Keys"), self.show_keys, "F1", menu="help", words="按键 快捷键 shortcuts help"),
            Act("quit", N_("Quit"), lambda: self.window.close(), "Ctrl+Q", menu="file"),
            *self.maps.acts(),
        ]

    async def show_case(self, case_id: int) -> CaseWindow | None:
        """A window for each case; asked for again, it comes to the front. None on the wall, for no case."""
        if not isinstance(self.window, Window):
            return None
        if case_id in self._cases:
            self._cases[case_id].raise_()
            self._cases[case_id].activateWindow()
            return self._cases[case_id]
        work = self._case_work()
        file, origin = await self._jobs.read(work.read, case_id), ""
        if file is None and self.server is not None:
            file = await self._jobs.ask(self.server.older_case, case_id)
            # zh: 来自服务器的历史案件，本机未保存，仅供查看。
            origin = _("From the server: older than what this computer keeps. It can be read here.")
        if case_id in self._cases:
            return self._cases[case_id]
        if file is None or not isinstance(self.window, Window):
            return None
        shown = CaseWindow(
            self._theme,
            self.context,
            self._jobs,
            work,
            file,
            None if origin else self._workflow,
            self.window,
            origin=origin,
        )
        if not origin:
            # What happens to it is not heard here: it is read anew each time it is opened.
            self._cases[case_id] = shown
        shown.finished.connect(lambda _result: self._on_case_gone(case_id))
        self.desk.look()
        shown.opened.connect(self.context.opened)
        shown.show()
        return shown

    def _on_case_gone(self, case_id: int) -> None:
        self._cases.pop(case_id, None)
        self.desk.look()

    def _case_work(self) -> CaseWork:
        """What a case window needs of the database; each is called off the GUI thread."""
        database, bus, who = self.core.database, self.core.bus, self.context.who

        def read(case_id: int) -> CaseFile | None:
            with database.read() as connection:
                return case_file(connection, case_id, who)

        return CaseWork(
            read,
            lambda command: bus.run(command, who).result,
            lambda: str(bus.undo(who).result),
            lambda path: photo_store(database).take(path),
            lambda sha256, mime: photo_store(database).find(sha256, mime),
            lambda sha256, mime: photo_store(database).thumbnail(sha256, mime),
            lambda photo: None if self.server is None else self.server.photo_way(photo),
            self.desk.act_work(),
            lambda case_id, reason: view_contact(bus, case_id, reason, who),
        )

    def show_intake(self) -> IntakeDialog:
        """Bring up the intake: the one that is open, or a new one."""
        if self._intake is not None:
            self._intake.activateWindow()
            return self._intake
        board = self.context.board
        counts = np.bincount(board.store.category[: board.store.size])
        ids = board.store.codes["category"].ids.tolist()
        used = {ids[code]: count for code, count in enumerate(counts.tolist()) if count}
        desk = IntakeDesk(self.core, self.context.who, board.directory, used)
        zone = self.context.zone
        self._intake = IntakeDialog(self._theme, self._jobs, desk.work(), self.core.clock, zone, self.window)
        self._intake.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._intake.filed.connect(self._on_filed)
        self._intake.finished.connect(lambda _result: self._on_intake_gone())
        # Not modal: the map behind it stays within reach.
        self._intake.show()
        return self._intake

    def _on_intake_gone(self) -> None:
        self._intake = None

    def _close_intake(self) -> None:
        if self._intake is not None:
            self._intake.reject()

    def _on_pointed(self, lon: float, lat: float) -> None:
        """A right click on the map: something is the matter there."""
        if self.context.who.may("case.report") and not self._is_wall:
            self.show_intake().take_point(lon, lat)

    def _on_filed(self, filed: Filed) -> None:
        if filed.joined:
            words = _("{number} was joined to {other}").format(number=filed.number, other=filed.joined)
        else:
            words = _("Reported as {number}").format(number=filed.number)
        self._tell(Kind.DONE, words, undo=True)

    def show_search(self) -> SearchWindow:
        """Bring up the search over all cases; it keeps what was looked for last."""
        if self._search is None:
            older = (
                None
                if self.server is None
                else older_work(self.server.ask_older, self.core, self.context.who)
            )
            work = search_work(self.core, self.context.who, older)
            self._search = SearchWindow(self._theme, self.context, self._jobs, work, self.window)
        self._search.show()
        self._search.raise_()
        self._search.activateWindow()
        self._search.field.setFocus()
        self._search.field.selectAll()
        return self._search

    def show_calendar(self) -> CalendarWindow:
        """Bring up the working calendar, as it stands now."""
        if self._calendar is None:
            core, who = self.core, self.context.who
            work = CalendarWork(
                lambda year: self._read(lambda connection: calendar_page(connection, year)),
                lambda command: core.bus.run(command, who).result,
            )
            self._calendar = CalendarWindow(self._theme, self.context, self._jobs, work, self.window)
            self._calendar.changed.connect(self._on_calendar)
            self._calendar.undo_asked.connect(self.desk.undo)
        else:
            self._calendar.refresh()
        self._calendar.show()
        self._calendar.raise_()
        self._calendar.activateWindow()
        return self._calendar

    def show_duties(self) -> DutyWindow:
        """Bring up who is responsible, as it stands now."""
        if self._duties is None:
            work = duty_work(self.core, self.context.who)
            self._duties = DutyWindow(self._theme, self.context, self._jobs, work, self.window)
            self._duties.changed.connect(
                lambda command: self._tell(
                    Kind.DONE, _(command_label(command_name(type(command)))), undo=True
                )
            )
            self._duties.undo_asked.connect(self.desk.undo)
        else:
            self._duties.refresh()
        self._duties.show()
        self._duties.raise_()
        self._duties.activateWindow()
        return self._duties

    def show_accounts(self) -> AccountsWindow:
        """Bring up who may sign in, and what each may do where."""
        if self._accounts is None:
            work = account_work(self.core, self.context.who, on_server=self._has_logins_elsewhere())
            self._accounts = AccountsWindow(self._theme, self.context, self._jobs, work, self.window)
            self._accounts.undo_asked.connect(self.desk.undo)
        else:
            self._accounts.refresh()
        self._accounts.show()
        self._accounts.raise_()
        self._accounts.activateWindow()
        return self._accounts

    def show_own_password(self, *, is_first: bool = False) -> OwnPasswordAsking:
        """Ask for another password of one's own."""
        who, bus = self.context.who, self.core.bus
        asking = OwnPasswordAsking(self._theme, who.account_id, is_first=is_first, parent=self.window)

        async def change(command: Any) -> None:
            try:
                await self._jobs.write(bus.run, command, who)
            except Trouble as trouble:
                if isValid(asking):
                    asking.set_trouble(trouble.text())
                return
            if isValid(asking):
                asking.accept()
            # zh: 密码已修改
            self._tell(Kind.DONE, _("Your password is changed."))

        asking.answered.connect(lambda command: self._jobs.start(change(command)))
        asking.open()
        return asking

    async def _ask_first_password(self) -> None:
        """Whoever signed in with a password that somebody else set chooses another first of all."""
        if self._is_wall or self._has_logins_elsewhere():
            return
        who = self.context.who.account_id
        if await self._jobs.read(self._read, lambda connection: must_change(connection, who)):
            self.show_own_password(is_first=True)

    def _has_logins_elsewhere(self) -> bool:
        """Whether logins and passwords are those of a server."""
        return self._server is not None or self.core.database.dialect != "sqlite"

    def show_automatic(self) -> AutomaticDialog:
        """Ask from which precision on advice dispatches by itself."""
        work = automatic_work(self.core, self.context.who)
        dialog = AutomaticDialog(self._theme, self._jobs, work, self.window)
        dialog.saved.connect(self._show_automation)
        dialog.open()
        return dialog

    def _show_automation(self, set_to: Automation) -> None:
        """Say in the status strip that cases go by themselves, as long as they do."""
        if isinstance(self.window, Window):
            # zh: 自动派遣：{percent} % 起
            words = _("Automatic dispatch from {percent} %").format(
                percent=f"{100 * (set_to.threshold or 0):g}"
            )
            self.window.status.part("automatic").set(words if set_to.threshold else "")

    def _on_calendar(self, command: Any) -> None:
        """A calendar that was missing may be there now."""
        self._tell(Kind.DONE, _(command_label(command_name(type(command)))), undo=True)
        self._jobs.start(self._each_minute())

    def _on_import(self) -> None:
        work = ImportWork(self._check_file, self._write_file)
        dialog = ImportDialog(self._theme, self._jobs, work, self.window)
        dialog.imported.connect(lambda _report: self._on_imported())
        dialog.open()

    def _on_import_geography(self) -> None:
        self.show_geography()

    def show_geography(self) -> GeographyDialog:
        """Bring up the import window for map data."""
        work = GeographyWork(self._check_geography, self._write_geography)
        dialog = GeographyDialog(self._theme, self._jobs, work, self.window)
        # Everything on the map may be another one now; the room opens anew when the counts have been read.
        dialog.imported.connect(lambda _report: dialog.finished.connect(lambda _how: self.reopened.emit()))
        dialog.open()
        return dialog

    def _on_export_geography(self) -> None:
        self.show_export()

    def show_export(self) -> GivingDialog:
        """Bring up the export window for map data."""
        dialog = GivingDialog(self._theme, self._jobs, self._give_geography, self.window)
        dialog.open()
        return dialog

    def _give_geography(self, giving: Giving) -> int:
        """On a reader's thread."""
        register = register_of(giving.kind)
        return self._read(lambda c: export_geography(c, register, giving.file, giving.datum, giving.encoding))

    def _check_geography(self, choice: GeographyChoice, progress: Any) -> CheckedGeography:
        """On a reader's thread."""
        register = register_of(choice.kind)
        mapping = read_geography_mapping(choice.mapping, register) if choice.mapping else None
        file = examine(choice.file, choice.datum, choice.encoding, progress)
        return check_geography(
            file, register, self.core.database, mapping, complete=choice.complete, progress=progress
        )

    def _write_geography(self, checked: CheckedGeography, progress: Any) -> tuple[Any, Path | None]:
        """On the writer's thread."""
        return import_geography(self.core.bus, self.context.who, checked, None, progress)

    def _on_imported(self) -> None:
        """The first import names the city and its time zone: then the room is opened anew."""
        facts = city_facts(self.core)
        if facts.name != self.context.city.name or ZoneInfo(facts.zone) != self.context.zone:
            self.reopened.emit()

    def _check_file(self, file: Path, mapping: Path, progress: Any) -> Checked:
        """On a reader's thread."""
        return check_file(file, read_mapping(mapping), self.core.database, progress)

    def _write_file(self, checked: Checked, progress: Any) -> tuple[Any, Path | None]:
        """On the writer's thread."""
        return import_checked(self.core.bus, self.context.who, checked, None, progress)

    def show_keys(self) -> KeySheet:
        """Bring up the sheet of keys."""
        assert isinstance(self.window, Window)
        sheet = KeySheet(
            self._theme, self._key_groups(), program_version(), self._troubles.report, self.window
        )
        sheet.open()
        return sheet

    def _key_groups(self) -> list[KeyGroup]:
        """All keys by the place where they work."""
        assert isinstance(self.window, Window)
        acts = self.window.actions_.acts()
        verbs = sorted(VERBS.values(), key=lambda verb: not verb.keys)
        return [
            *(
                KeyGroup(title, keys_of(act for act in acts if (act.menu or "view") == menu))
                for menu, title in MENUS.items()
            ),
            KeyGroup(
                N_("With cases selected, in the list"),
                tuple(Key(verb.keys, VERB_LABELS.get(verb.key, verb.title)) for verb in verbs),
            ),
            KeyGroup(N_("In the list"), TABLE_KEYS),
            MAP_KEYS,
            FIGURE_KEYS,
            CHIP_KEYS,
            PALETTE_KEYS,
        ]

    def _on_wall(self) -> None:
        """A process of its own: what happens to the room never darkens the wall."""
        process = QProcess(self)
        process.setProgram(sys.executable)
        process.setArguments(["-m", "desktop", "--wall", "--lang", language()])
        surroundings = QProcessEnvironment.systemEnvironment()
        # Not as an argument: every user of this computer may read those.
        url = self.core.database.engine.url.render_as_string(hide_password=False)
        surroundings.insert("JINGWEI_DB", url)
        process.setProcessEnvironment(surroundings)
        if not process.startDetached()[0]:
            self._tell(Kind.BUG, _("The wall could not be started."))

    def _at_cases(self) -> dict[int, bool]:
        """The cases that stand open in windows, and whether something is being written in one."""
        return {
            case_id: any(dialog.isVisible() for dialog in shown.findChildren(ActDialog))
            for case_id, shown in self._cases.items()
        }

    def _on_undone(self, words: str) -> None:
        """A day of the calendar or a duty may be as it was before."""
        if self._calendar is not None:
            self._calendar.refresh(words)
        if self._duties is not None:
            self._duties.refresh(words)
        if self._accounts is not None:
            self._accounts.refresh(words)
        if self._calendar is not None or self._duties is not None:
            self._jobs.start(self._each_minute())

    def _tell(self, kind: str, words: str, *, undo: bool = False) -> None:
        # On the wall nobody can answer: trouble stands in the log, the age of the data on the screen.
        if isinstance(self.window, Window):
            button = (_("Undo"), "undo", "Ctrl Z") if undo else ("", "", "")
            self.window.tell(kind, words, *button)

    async def _load(self) -> None:
        loads = (
            self._load_ground,
            self._load_workflow,
            self._load_usual,
            self._load_map,
            self._load_remaining,
            self._ask_first_password,
        )
        for load in loads:
            try:
                await load()
            except Exception as error:
                if not self._is_closed:
                    # One of them missing is told, and no reason to do without the others.
                    self._troubles.report(error)
            if self._is_closed:
                return
        await self._each_minute()
        if not self._is_wall:
            await self._jobs.read(self._offered.warm)
        if not self._is_closed:
            # What came since the first picture stays as well: the readings of names alone are two hundred
            # thousand lists, and a search through them holds up every thread for 35 ms.
            garbage.set_apart()

    async def _load_ground(self) -> None:
        try:
            self._ground = await self._jobs.read(self._read, base_map)
        except Exception:
            # A room without its base map is still a room; what went wrong is told by the job.
            self._arrived("ground")
            raise
        self._show_ground()

    async def _load_workflow(self) -> None:
        self._workflow = await self._jobs.read(self._read, load_workflow)
        self.panes.queue.bar.set_workflow(self._workflow)
        for shown in self._cases.values():
            shown.set_workflow(self._workflow)

    async def _load_map(self) -> None:
        await self.maps.look_at_tiles()
        await self.fieldwork.load()

    async def _load_map_anew(self) -> None:
        """For another window; what the one before it was made of goes before the room is set apart again."""
        try:
            await self._load_map()
        finally:
            if not self._is_closed:
                gc.collect()
                garbage.set_apart()

    async def _load_remaining(self) -> None:
        """How long the rest of a case usually takes: learned once a day, for the order of least slack."""
        board = self.context.board
        remaining = await self._jobs.read(self._remaining_days.of, board.now_ms)
        if remaining is not board.store.remaining and not self._is_closed:
            self.context.announce(board.learn(remaining))

    async def _load_usual(self) -> None:
        try:
            self._usual = await self._jobs.read(self._usual_days.of, self.context.board.now_ms)
            self.panes.kpi.set_usual(self._usual)
        finally:
            # Figures without their grey band are figures still.
            self._arrived("usual")

    @property
    def _tends_itself(self) -> bool:
        """Whether this database is nobody else's to look after: a file, and no station's."""
        return self.server is None and self.core.database.path is not None

    def _read(self, question: Any) -> Any:
        with self.core.database.read() as connection:
            return question(connection)

    def _show_ground(self) -> None:
        # The names on the map come with the first snapshot; the ground waits for them.
        if self._ground is not None and "cases" not in self._awaited and "ground" in self._awaited:
            self.panes.map.set_ground(self._ground)
            if self._map_goal is None:
                # Only the first time: a border that was moved leaves the map where it is.
                self.panes.map.fit_cases()
            self._arrived("ground")

    def _arrived(self, what: str) -> None:
        self._awaited.discard(what)
        if what == "cases":
            self._show_ground()
        if not self._awaited and self._map_goal is None:
            self._map_goal = self.panes.map.map.generation
            # What came last may change nothing on the map: then the page has drawn all of it already.
            QTimer.singleShot(0, self, lambda: self._on_map_drawn(self._map_drawn))

    def _on_map_drawn(self, generation: int) -> None:
        self._map_drawn = max(self._map_drawn, generation)
        if self._map_goal is not None and generation >= self._map_goal and self._map_goal >= 0:
            self._map_goal = -1
            # To search all that a room is made of for garbage takes an eighth of a second: a hand feels it.
            garbage.set_apart()
            self.drawn.emit()

    async def _each_minute(self) -> None:
        """What only time brings about: suspended cases whose day has come, a calendar that is missing; and
        what no news tells: other tiles under the map.
        """
        try:
            await self.maps.look_at_tiles()
            if self._is_wall:
                return
            now = self.core.clock.now()
            await self._load_remaining()
            # On a reader's thread: learning history takes seconds where there is much of it.
            await self._jobs.read(self._read, lambda c: prepare(c, now))
            sent = 0
            if self._tends_itself:
                sent = (await self._jobs.write(keep_up, self.core.bus, now)).dispatched
            else:
                # The rest is the server's (jingwei server tend); this can be done without a line to it.
                await self._jobs.write(self.core.bus.run, ResumeDue(), SYSTEM)
            set_to = await self._jobs.read(self._read, automation)
            years = await self._jobs.read(self._read, lambda c: missing_years(c, self.core.clock.now()))
        except Unavailable as trouble:
            # The status strip says already that the database is lost; the next minute tries again.
            _log.info("not this minute: %s", trouble)
            return
        if self._is_closed:
            return
        self._show_automation(set_to)
        if sent:
            # zh: 已按推荐自动派遣 {count} 件
            done = ngettext_(
                "{count} case dispatched as advised", "{count} cases dispatched as advised", sent
            )
            self._tell(Kind.DONE, done.format(count=number(sent)))
        if isinstance(self.window, Window):
            # zh: 缺少 {years} 年工作日历
            words = _("Working calendar of {years} missing").format(years=_(", ").join(map(str, years)))
            self.window.status.part("calendar").set(words if years else "", "soon", 1 if years else None)

    def _on_news(self, news: News) -> None:
        board = self.context.board
        if self._usual is not None and board.store.day_start_ms != self._usual.day_start_ms:
            self._usual = None
            self._jobs.start(self._load_usual())
        if "area" in news.registers_changed:
            self._awaited.add("ground")
            self._jobs.start(self._load_ground())

    def _on_told(self, kind: str, words: str) -> None:
        self._tell(kind, words)

    def _on_notice(self, key: str) -> None:
        if key == "tray" and self.server is not None:
            self.server.show_tray()
        else:
            self.desk.answer_notice(key)

    def _on_theme(self) -> None:
        name = "light" if self._theme.is_dark else "dark"
        self._preferences.put(THEME, name)
        self._theme.use(name=name)

    def _on_language(self) -> None:
        code = "en" if language() == "zh_CN" else "zh_CN"
        self._preferences.put(LANGUAGE, code)
        self.language_wanted.emit(code)
