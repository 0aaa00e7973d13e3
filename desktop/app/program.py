"""The running program: Qt, theme, sign-in, session; the room from the first window to the last."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication
from qasync import QEventLoop

from db.bootstrap import Core, city_facts, open_core
from db.cli.main import data_folder
from db.kernel.actor import SYSTEM, Actor
from db.kernel.clock import SystemClock
from db.kernel.language import N_, _, language, set_language
from db.kernel.refusal import Unavailable
from db.people.commands import CreateFirstAccount, sign_in
from db.people.queries import accounts
from db.sync.authority import trust
from db.sync.copy import INDEXES, Progress
from db.sync.seat import ELSEWHERE, Seat, server_address, server_of, shown_address, station_files, take_seat
from desktop.app.server import Ear
from desktop.app.session import Session
from desktop.core.jobs import Jobs
from desktop.core.preferences import LANGUAGE, LOGIN, SERVER, THEME, WALL_DISTANCE, Preferences
from desktop.core.trouble import Troubles
from desktop.signin.first import FirstStartPage
from desktop.signin.page import SignInPage
from desktop.signin.server import ServerPage, Watcher
from desktop.wall.window import wall_scale
from desktop.widgets.theme import Theme
from desktop.widgets.webview import register_scheme

NOBODY = Actor(account_id=0, name="")
"""The wall's own: it may do nothing, and nothing personal is asked for it."""
DEMO_LOGIN = "zhiban"
DEMO_PASSWORD = "jingwei-2026"  # noqa: S105  printed in the README; the demo city has no secrets
YIELD_S = 0.0005
"""After how long a thread lets another one go on that waits. The window gives way at every call of Qt,
so that at Python's own 5 ms a filter beside a busy station waited several times that.
"""


@dataclass(frozen=True)
class Options:
    """What the command line chose; ``None`` = as remembered on this computer."""

    url: str
    lang: str | None = None
    theme: str | None = None
    user: str | None = None
    is_own: bool = False
    """The address is this computer's default one: where it is missing, the program offers to make it;
    where a server was worked at last, that is offered again.
    """
    server: str | None = None
    """The server to work at, as the person wrote it."""
    authority: Path | None = None
    """The certificate of the authority that vouches for the server, to be kept."""
    folder: Path | None = None
    """Where files are made; by default the folder of this computer's user."""
    wall: bool = False
    distance_m: float | None = None


class Program(QObject):
    """Owns what outlives a session: Qt's application, theme, preferences, jobs, the open database."""

    def __init__(self, options: Options, preferences: Preferences, theme: Theme) -> None:
        super().__init__()
        self._options = options
        self._preferences = preferences
        self._theme = theme
        self.troubles = Troubles(self)
        self.jobs = Jobs(self.troubles.report)
        self.core: Core | None = None
        self.session: Session | None = None
        self._server = server_address(options.server) if options.server else ""
        self._seat: Seat | None = None
        self._leaving: list[threading.Thread] = []
        self._folder = options.folder or data_folder()
        self._file: Path | None = None
        """The file of a station that was named, not the usual one."""
        self._ear = Ear(self)
        self._page: SignInPage | ServerPage | FirstStartPage | None = None
        if options.is_own and not options.server and not options.wall:
            self._server = preferences.get(SERVER)

    @property
    def at_server(self) -> bool:
        """Whether one signs in at a server: then nothing is open before."""
        return bool(self._server)

    def open(self) -> None:
        """Open the database, unless a server lets in; raises its ``Trouble`` before any window is there."""
        url = self._options.url
        if self._options.authority is not None:
            trust(self._folder, self._options.authority)
        if self._server:
            if not self._options.wall:
                return
            url = f"sqlite:///{self._kept_file()}"
        self.core = open_core(url)
        # Who works at the room keeps the file of a station; a wall only looks.
        server = None if self._options.wall else server_of(self.core.database)
        if server is not None:
            self._server, self._file = server, self.core.database.path
            self.core.close()
            self.core = None

    def _kept_file(self) -> Path:
        """The file that this computer's station keeps, for a wall."""
        known = station_files(self._folder, self._server)
        if not known:
            raise Unavailable(
                "no_station_here",
                N_("Nobody has worked at {server} on this computer yet; sign in at the room first."),
                server=self._server,
            )
        return known[0]

    def begin(self) -> None:
        """Offer to make a database where there is none."""
        # Only the very first start needs it: it would cost every other one a tenth of a second.
        from db.demo.create import create_demo

        url = self._options.url
        page = FirstStartPage(
            self._theme,
            self.jobs,
            lambda watch: create_demo(url, scale="small", seed=1, progress=watch),
            self._make_empty,
            str(self._folder),
        )
        page.resize(self._theme.px(900), self._theme.px(600))
        page.made.connect(self._on_made)
        page.server_wanted.connect(self.ask_server)
        self._turn_to(page)

    def _make_empty(self) -> None:
        """On the writer's thread: the room's own database, apart from any demo."""
        url = f"sqlite:///{self._folder / 'jingwei.db'}"
        open_core(url, create=True).close()
        self._options = replace(self._options, url=url)

    def _on_made(self) -> None:
        self.open()
        self.ask()

    def ask(self) -> None:
        """Show the sign-in page."""
        if self._server:
            self.ask_server()
            return
        assert self.core is not None
        facts = city_facts(self.core)
        city = (facts.name_en or facts.name) if language() == "en" else facts.name
        hint = ""
        if facts.is_demo:
            hint = _("Demo city: name {login}, password {password}").format(
                login=DEMO_LOGIN, password=DEMO_PASSWORD
            )
        with self.core.database.read() as connection:
            is_new = not accounts(connection)
        if is_new:
            hint = _("This database has no accounts yet. You become its duty leader and administrator.")
        login = "" if is_new else self._preferences.get(LOGIN) or (DEMO_LOGIN if facts.is_demo else "")
        page = SignInPage(
            self._theme,
            self.jobs,
            self._check_in,
            city=city,
            login=login,
            hint=hint,
            begin=self._begin if is_new else None,
        )
        page.setWindowTitle(_("Jingwei · {city}").format(city=city))
        page.signed_in.connect(self.enter)
        page.server_wanted.connect(self.ask_server)
        self._show_page(page)

    def ask_server(self) -> None:
        """Show the sign-in page of a server."""
        ear = Ear(self)
        page = ServerPage(
            self._theme,
            self.jobs,
            partial(self._take_seat, ear),
            partial(trust, self._folder),
            address=shown_address(self._server or self._preferences.get(SERVER)),
            login=self._options.user or self._preferences.get(LOGIN),
            may_choose=self._options.server is None and self._options.is_own,
        )
        page.joined.connect(partial(self._on_joined, ear))
        page.alone_wanted.connect(self._on_alone)
        self._show_page(page)

    def _show_page(self, page: SignInPage | ServerPage) -> None:
        page.theme_wanted.connect(self._on_theme)
        page.language_wanted.connect(self._on_page_language)
        # No room is there yet to tell it, be it a bug or a full disk.
        self.troubles.told.connect(page.say_trouble)
        page.resize(self._theme.px(900), self._theme.px(600))
        self._turn_to(page)

    def _turn_to(self, page: SignInPage | ServerPage | FirstStartPage) -> None:
        """Show a page in the place of the one before it."""
        old, self._page = self._page, page
        page.show()
        if old is not None:
            page.setGeometry(old.geometry())
            old.close()
            old.deleteLater()

    def _take_seat(self, ear: Ear, address: str, login: str, password: str, watch: Watcher) -> Seat | None:
        """On an asker's thread; ``None`` when the first copy was stopped."""

        def copied(progress: Progress) -> None:
            if not watch(progress.done, progress.all, copying_words(progress.table)):
                raise _Stopped

        try:
            return take_seat(
                server_address(address),
                self._folder,
                login,
                password,
                file=self._file,
                copied=copied,
                told=ear.heard.emit,
            )
        except _Stopped:
            return None

    def _on_joined(self, ear: Ear, seat: Seat) -> None:
        """Somebody was let in, by the server or by what this computer remembers."""
        page, self._server, self._seat, self._ear = self._page, seat.address, seat, ear
        if isinstance(page, ServerPage):
            self._preferences.put(LOGIN, page.login.text().strip())
            if self._options.is_own:
                self._preferences.put(SERVER, seat.address)
        if self.core is not None:
            self.core.close()
        self.core = Core(seat.local, seat.bus, SystemClock())
        self.enter(seat.actor)
        seat.station.start()

    def _on_alone(self) -> None:
        """This computer alone: its own database, or the offer to make one."""
        self._server, self._file = "", None
        self._preferences.put(SERVER, "")
        if self.core is not None:
            self.ask()
            return
        try:
            self.open()
        except Unavailable as trouble:
            if trouble.code != "database_gone":
                raise
            self.begin()
        else:
            self.ask()

    def sign_in_page(self) -> SignInPage:
        """The page that ``ask`` has shown."""
        assert isinstance(self._page, SignInPage)
        return self._page

    def server_page(self) -> ServerPage:
        """The page that ``ask_server`` has shown."""
        assert isinstance(self._page, ServerPage)
        return self._page

    def enter(self, actor: Actor, *, wall: bool = False) -> Session:
        """Open the room for a person, or the wall for everyone."""
        assert self.core is not None
        session = Session(
            self.core,
            actor,
            self._theme,
            self._preferences,
            self.jobs,
            self.troubles,
            seat=self._seat,
            ear=self._ear,
            wall=wall,
            parent=self,
        )
        session.left.connect(self._on_left)
        session.reopened.connect(lambda: self._reopen(actor))
        session.language_wanted.connect(self._on_language)
        session.window.closed.connect(self._on_closed)
        self.session = session
        if wall:
            session.window.showFullScreen()
        else:
            session.window.show()
        session.start()
        if self._page is not None:
            self._page.close()
            self._page.deleteLater()
            self._page = None
        return session

    def close(self) -> None:
        """End the session, the threads, the database."""
        if self.session is not None:
            self.session.close()
            self.session = None
        if self._page is not None:
            self._page.close()
            self._page.deleteLater()
            self._page = None
        # The web page has to go before its profile, both before Qt: now, not when Python gets round to it.
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        seat, self._seat = self._seat, None
        if seat is not None:
            # The windows are gone already: nobody waits for what the network may take.
            seat.leave()
        for leaving in self._leaving:
            leaving.join()
        self.jobs.close()
        if self.core is not None:
            self.core.close()

    async def _check_in(self, login: str, password: str) -> Actor:
        assert self.core is not None
        actor = await self.jobs.write(sign_in, self.core.database, login, password)
        self._preferences.put(LOGIN, login)
        return actor

    async def _begin(self, name: str, login: str, password: str) -> Actor:
        assert self.core is not None
        await self.jobs.write(self.core.bus.run, CreateFirstAccount(name, login, password), SYSTEM)
        return await self._check_in(login, password)

    def _reopen(self, actor: Actor) -> None:
        old = self.session
        self.enter(actor)
        if old is not None:
            old.window.closed.disconnect(self._on_closed)
            old.close()
            old.deleteLater()

    def _on_left(self) -> None:
        """Hand over: the next person signs in, then the room of the last one goes."""
        session, self.session = self.session, None
        seat, self._seat = self._seat, None
        if seat is not None:
            self.core = None
        self.ask()
        if session is not None:
            session.window.closed.disconnect(self._on_closed)
            session.close()
            session.deleteLater()
        if seat is not None:
            # The network may take its time; the next person need not wait for it.
            leaving = threading.Thread(target=seat.leave, name="leaving a seat")
            self._leaving.append(leaving)
            leaving.start()

    def _on_theme(self) -> None:
        name = "light" if self._theme.is_dark else "dark"
        self._preferences.put(THEME, name)
        self._theme.use(name=name)

    def _on_page_language(self) -> None:
        """The sign-in page in the other language, at the same place."""
        code = "en" if language() == "zh_CN" else "zh_CN"
        self._preferences.put(LANGUAGE, code)
        set_language(code)
        old = self._page
        assert isinstance(old, SignInPage | ServerPage)
        login = old.login.text()
        if isinstance(old, ServerPage):
            address = old.address.text()
            self.ask_server()
            self.server_page().address.setText(address)
        else:
            self.ask()
        page = self._page
        assert isinstance(page, SignInPage | ServerPage)
        page.login.setText(login)

    def _on_language(self, code: str) -> None:
        set_language(code)
        if self.session is not None:
            self.session.remake_window()
            self.session.window.closed.connect(self._on_closed)

    def _on_closed(self) -> None:
        QApplication.quit()


class _Stopped(Exception):
    """The person does not wait for the first copy."""


_COPIED = {
    "cases": N_("Cases"),
    "case_step": N_("Steps of the cases"),  # zh: 办理过程
    "component": N_("Components"),
    "area": N_("Areas"),
}


def copying_words(table: str) -> str:
    """What is being copied, for who waits for it."""
    if table == ELSEWHERE:
        # zh: 本机另一个程序正在进行首次同步，请稍候
        return _("Another program on this computer is making the first copy")
    if table == INDEXES:
        # zh: 首次同步：建立索引
        return _("First copy: putting it in order")
    # zh: 首次同步：{what}
    return _("First copy: {what}").format(what=_(_COPIED.get(table, N_("Registers and the rest"))))


def make_application(
    options: Options, preferences: Preferences, *, scale: float | None = None
) -> tuple[QApplication, Theme]:
    """Qt's application with our scheme, theme and language; must be called once, on the main thread."""
    set_language(options.lang or preferences.get(LANGUAGE) or None)
    sys.setswitchinterval(YIELD_S)
    register_scheme()
    QGuiApplication.setHighDpiScaleFactorRoundingPolicy(
        QGuiApplication.highDpiScaleFactorRoundingPolicy().PassThrough
    )
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    app.setApplicationName("jingwei")
    screen = app.primaryScreen()
    if scale is None and screen is not None:
        scale = Theme.scale_for(screen.availableSize(), screen.logicalDotsPerInch())
        if options.wall:
            distance = options.distance_m or preferences.get(WALL_DISTANCE)
            preferences.put(WALL_DISTANCE, distance)
            scale = wall_scale(screen.physicalSize().width(), screen.geometry().width(), distance)
    theme = Theme(options.theme or preferences.get(THEME), scale or 1.0)
    theme.apply(app)
    return app, theme


def run(options: Options) -> int:
    """Open the room until its window is closed; raises ``Trouble`` when the database cannot be opened."""
    preferences = Preferences()
    app, theme = make_application(options, preferences)
    program = Program(options, preferences, theme)
    first = program.ask
    try:
        program.open()
    except Unavailable as trouble:
        if trouble.code != "database_gone" or not options.is_own or options.wall:
            raise
        first = program.begin
    program.troubles.install()
    loop = QEventLoop(app)
    asyncio.set_event_loop(loop)
    # Python sees a signal only between its own instructions; Qt's loop gives it none while nothing happens.
    breath = QTimer()
    breath.start(200)
    breath.timeout.connect(lambda: None)
    signal.signal(signal.SIGINT, lambda *_args: app.quit())
    QTimer.singleShot(0, (lambda: program.enter(NOBODY, wall=True)) if options.wall else first)
    stopped = asyncio.Event()
    app.aboutToQuit.connect(stopped.set)
    with loop:
        loop.run_until_complete(stopped.wait())
        # While the loop is still there: what is under way is cancelled, and that needs one.
        program.close()
    return 0


def is_headless() -> bool:
    """Whether there is no screen to draw on."""
    return sys.platform.startswith("linux") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
