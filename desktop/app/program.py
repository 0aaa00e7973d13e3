"""The running program: Qt, theme, sign-in, session; the room from the first window to the last."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from dataclasses import dataclass, replace

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication
from qasync import QEventLoop

from db.bootstrap import Core, city_facts, open_core
from db.cli.main import data_folder
from db.kernel.actor import SYSTEM, Actor
from db.kernel.language import _, language, set_language
from db.kernel.refusal import Unavailable
from db.people.commands import CreateFirstAccount, sign_in
from db.people.queries import accounts
from desktop.app.session import Session
from desktop.core.jobs import Jobs
from desktop.core.preferences import LANGUAGE, LOGIN, THEME, WALL_DISTANCE, Preferences
from desktop.core.trouble import Troubles
from desktop.signin.first import FirstStartPage
from desktop.signin.page import SignInPage
from desktop.wall.window import wall_scale
from desktop.widgets.theme import Theme
from desktop.widgets.webview import register_scheme

NOBODY = Actor(account_id=0, name="")
"""The wall's own: it may do nothing, and nothing personal is asked for it."""
DEMO_LOGIN = "zhiban"
DEMO_PASSWORD = "jingwei-2026"  # noqa: S105  printed in the README; the demo city has no secrets


@dataclass(frozen=True)
class Options:
    """What the command line chose; ``None`` = as remembered on this computer."""

    url: str
    lang: str | None = None
    theme: str | None = None
    user: str | None = None
    is_own: bool = False
    """The address is this computer's default one: where it is missing, the program offers to make it."""
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
        self._page: SignInPage | FirstStartPage | None = None

    def open(self) -> None:
        """Open the database; raises its ``Trouble`` before any window is there."""
        self.core = open_core(self._options.url)

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
            str(data_folder()),
        )
        page.resize(self._theme.px(900), self._theme.px(600))
        page.made.connect(self._on_made)
        self._page = page
        page.show()

    def _make_empty(self) -> None:
        """On the writer's thread: the room's own database, apart from any demo."""
        url = f"sqlite:///{data_folder() / 'jingwei.db'}"
        open_core(url, create=True).close()
        self._options = replace(self._options, url=url)

    def _on_made(self) -> None:
        page = self._page
        self.open()
        self.ask()
        if page is not None:
            page.close()
            page.deleteLater()

    def ask(self) -> None:
        """Show the sign-in page."""
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
        page.theme_wanted.connect(self._on_theme)
        page.language_wanted.connect(self._on_page_language)
        # No room is there yet to tell it, be it a bug or a full disk.
        self.troubles.told.connect(page.say_trouble)
        page.resize(self._theme.px(900), self._theme.px(600))
        self._page = page
        page.show()

    def sign_in_page(self) -> SignInPage:
        """The page that ``ask`` has shown."""
        assert isinstance(self._page, SignInPage)
        return self._page

    def enter(self, actor: Actor, *, wall: bool = False) -> Session:
        """Open the room for a person, or the wall for everyone."""
        assert self.core is not None
        session = Session(
            self.core, actor, self._theme, self._preferences, self.jobs, self.troubles, wall=wall, parent=self
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
        self.ask()
        if session is not None:
            session.window.closed.disconnect(self._on_closed)
            session.close()
            session.deleteLater()

    def _on_theme(self) -> None:
        name = "light" if self._theme.is_dark else "dark"
        self._preferences.put(THEME, name)
        self._theme.use(name=name)

    def _on_page_language(self) -> None:
        """The sign-in page in the other language, at the same place."""
        code = "en" if language() == "zh_CN" else "zh_CN"
        self._preferences.put(LANGUAGE, code)
        set_language(code)
        old, login = self._page, self.sign_in_page().login.text()
        self.ask()
        page = self.sign_in_page()
        page.login.setText(login)
        if old is not None:
            page.setGeometry(old.geometry())
            old.close()
            old.deleteLater()

    def _on_language(self, code: str) -> None:
        set_language(code)
        if self.session is not None:
            self.session.remake_window()
            self.session.window.closed.connect(self._on_closed)

    def _on_closed(self) -> None:
        QApplication.quit()


def make_application(
    options: Options, preferences: Preferences, *, scale: float | None = None
) -> tuple[QApplication, Theme]:
    """Qt's application with our scheme, theme and language; must be called once, on the main thread."""
    set_language(options.lang or preferences.get(LANGUAGE) or None)
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
