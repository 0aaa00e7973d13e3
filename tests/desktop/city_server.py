"""The tiny demo city on a server, rooms that sign in at it, and a line that can be cut."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from socket import AF_UNIX, SHUT_RDWR, SOCK_STREAM, socket

import psycopg
import qasync
from PySide6.QtCore import QCoreApplication, QDeadlineTimer, QEvent, QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from db.demo.create import create_demo
from db.demo.staff import ACCOUNTS, PASSWORD
from db.engine.connections import open_database
from db.registers.reference import read_roles
from db.server.persons import let_in
from db.server.setup import guard, make_roles
from desktop.app.program import Options, Program
from desktop.app.session import Session
from desktop.shell.window import Window
from desktop.widgets.theme import Theme
from tests.desktop.open_room import NOW
from tests.desktop.seeded import preferences
from tests.kit.postgres import PostgresServer

DEADLINE_S = 120.0
"""Far beyond what anything takes on a machine with other work: only what never comes true runs into it."""
SOCKET = ".s.PGSQL.5432"


def make_city_server(postgres: PostgresServer) -> str:
    """A guarded database with the demo city in it; its name, to be copied."""
    name = postgres.create()
    admin = f"postgresql+psycopg://postgres@/{name}?host={postgres.folder}"
    owner = make_roles(admin, [row.code for row in read_roles()])
    with psycopg.connect(
        f"host={postgres.folder} user=postgres dbname={name}", autocommit=True
    ) as connection:
        connection.execute(f"ALTER DATABASE {name} OWNER TO jw_owner")
        connection.execute("ALTER SCHEMA public OWNER TO jw_owner")
    url = owner.render_as_string(hide_password=False)
    create_demo(url, scale="tiny", seed=1, as_of=NOW)
    database = open_database(url)
    guard(database)
    with database.engine.begin() as connection:
        for each in ACCOUNTS:
            let_in(connection, each.login, PASSWORD, each.roles)
    database.close()
    return name


class Wire:
    """A line to the server: it can be cut, or swallow every byte and say nothing."""

    def __init__(self, folder: Path, target: Path) -> None:
        """``folder``: where its own end is; ``target``: the socket of the server."""
        self._target = target
        self._swallows = threading.Event()
        self._pairs: list[tuple[socket, socket]] = []
        self._threads: list[threading.Thread] = []
        self._door: socket | None = None
        self._changing = threading.Lock()
        self.folder = folder
        self.mend()

    @property
    def path(self) -> Path:
        return self.folder / SOCKET

    def mend(self) -> None:
        """The line is there (again)."""
        self._swallows.clear()
        if self._door is not None:
            return
        self.path.unlink(missing_ok=True)
        self._door = socket(AF_UNIX, SOCK_STREAM)
        self._door.bind(str(self.path))
        self._door.listen(16)
        self._start(self._let_in, self._door)

    def cut(self) -> None:
        """Nothing answers any more, and everybody learns of it at once."""
        with self._changing:
            door, self._door = self._door, None
            if door is not None:
                with suppress(OSError):
                    door.shutdown(SHUT_RDWR)
                door.close()
                self.path.unlink(missing_ok=True)
            for pair in self._pairs:
                for each in pair:
                    with suppress(OSError):
                        each.shutdown(SHUT_RDWR)

    def swallow(self) -> None:
        """The black hole: it takes every byte, keeps every connection, and never says a word."""
        self._swallows.set()

    def close(self) -> None:
        self.cut()
        for thread in self._threads:
            thread.join()
        for pair in self._pairs:
            for each in pair:
                each.close()

    def _start(self, work: Callable[..., None], *given: socket) -> None:
        thread = threading.Thread(target=work, args=given, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _let_in(self, door: socket) -> None:
        while True:
            try:
                near, _where = door.accept()
            except OSError:
                return
            with self._changing:
                if door is not self._door:
                    # Cut since it knocked: nobody would cut it again.
                    near.close()
                    return
                far = socket(AF_UNIX, SOCK_STREAM)
                far.connect(str(self._target))
                self._pairs.append((near, far))
                self._start(self._pass_on, near, far)
                self._start(self._pass_on, far, near)

    def _pass_on(self, source: socket, target: socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                if not self._swallows.is_set():
                    target.sendall(data)
        for each in (source, target):
            with suppress(OSError):
                each.shutdown(SHUT_RDWR)


class Turning:
    """The one event loop that all rooms of a test share, turned piece by piece."""

    def __init__(self, application: QApplication) -> None:
        self.loop = qasync.QEventLoop(application)
        asyncio.set_event_loop(self.loop)
        asyncio.events._set_running_loop(self.loop)

    def until(self, claim: Callable[[], bool], seconds: float = DEADLINE_S) -> None:
        """Turn the loop until a claim is true."""
        if claim():
            return
        deadline = QDeadlineTimer(round(seconds * 1000))
        loop, beat = QEventLoop(), QTimer()
        beat.timeout.connect(lambda: loop.quit() if claim() or deadline.hasExpired() else None)
        beat.start(5)
        loop.exec()
        beat.stop()
        assert claim(), f"still not true after {seconds} s"

    def close(self) -> None:
        asyncio.events._set_running_loop(None)
        self.loop.close()
        asyncio.set_event_loop(None)


class StationRoom:
    """A program that signs in at a server by its page, as a person does."""

    def __init__(self, turning: Turning, application: QApplication, address: str, folder: Path) -> None:
        self._turning = turning
        self.until = turning.until
        self.preferences = preferences(folder)
        self.theme = Theme()
        self.theme.apply(application)
        self.program = Program(Options("", server=address, folder=folder), self.preferences, self.theme)
        self.program.open()
        self.told: list[tuple[str, str]] = []
        self.program.troubles.told.connect(lambda kind, words: self.told.append((kind, words)))
        self.program.ask()

    def sign_in(self, login: str, password: str = PASSWORD) -> Session:
        """Fill in the page and wait for the room with its cases."""
        self.send(login, password)
        self.until(lambda: self.program.session is not None)
        self.session.window.resize(1600, 900)
        self.until(lambda: self.session.context.board.lens.count > 0)
        # Whatever the room loads, and does of itself when it opens.
        self.until(lambda: self.session._workflow is not None and not self.program.jobs._tasks)
        return self.session

    def send(self, login: str, password: str = PASSWORD) -> None:
        """Fill in the page and press the button."""
        page = self.program.server_page()
        page.login.setText(login)
        page.password.setText(password)
        page.form.sent.emit()

    @property
    def session(self) -> Session:
        assert self.program.session is not None
        return self.program.session

    @property
    def window(self) -> Window:
        window = self.session.window
        assert isinstance(window, Window)
        return window

    def part(self, key: str) -> str:
        """What a part of the strip says."""
        return self.window.status.part(key).text()

    def close(self) -> None:
        """Close as the program does, and leave nothing behind."""
        self.program.close()
        self.until(lambda: not self.program.jobs._tasks)
        self.program.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
