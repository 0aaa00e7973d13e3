"""``jingwei together``: a server, a line that can be cut, and two stations, to try out on one computer."""

from __future__ import annotations

import argparse
import io
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stdout
from pathlib import Path
from typing import IO, Any

from db.bootstrap import open_core
from db.cli import demo, server
from db.demo.postgres import OwnPostgres
from db.demo.proxy import Proxy
from db.demo.staff import ACCOUNTS, PASSWORD
from db.engine.connections import address_of
from db.kernel.language import _, language
from db.server.persons import let_in
from db.server.setup import as_owner

ONE, OTHER = "zhiban", "paiqian"
"""Who sits at the two stations."""


def add(verbs: Any) -> None:
    """Declare the verb."""
    parser: argparse.ArgumentParser = verbs.add_parser(
        "together", help=_("try out two stations and a server on this computer")
    )
    parser.add_argument("--scale", choices=("small", "city", "large"), default="small")
    parser.add_argument(
        "--no-windows", action="store_true", help=_("say how to open the two windows instead of opening them")
    )
    parser.add_argument("--db", default=None, help=argparse.SUPPRESS)


def run(arguments: argparse.Namespace) -> int:
    """Set up, open the windows, and cut and mend the line until the end; then all of it is gone."""
    with _ended_like_ctrl_c(), town(arguments.scale) as (stations, line), ExitStack() as stack:
        for command in stations:
            if arguments.no_windows:
                _say("  " + " ".join(command))
            else:
                stack.enter_context(_window(command))
        # zh: 第一个窗口以 {one} 登录，第二个以 {other} 登录，密码均为 {password}。
        who = _("Sign in as {one} in the first and as {other} in the second; the password is {password}.")
        _say(who.format(one=ONE, other=OTHER, password=PASSWORD))
        try:
            turns(line, sys.stdin)
        except KeyboardInterrupt:
            _say("")
    _say(_("Server, city and stations are gone again."))
    return 0


@contextmanager
def town(scale: str) -> Iterator[tuple[list[list[str]], Proxy]]:
    """A server with the demo city: how each of the two windows is opened, and the line of the first."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="jingwei-together-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        city = f"sqlite:///{folder / 'city.db'}"
        _say(_("Making a demo city…"))
        with redirect_stdout(io.StringIO()):
            _verb(demo, "demo", "create", "--scale", scale, "--db", city)
        _say(_("Starting a server…"))
        postgres = OwnPostgres({"max_connections": "100"}, on_network=True)
        stack.callback(postgres.stop)
        postgres.start()
        _say(_("Bringing the city to the server…"))
        url = postgres.url("jingwei")
        with redirect_stdout(io.StringIO()):
            # It gives everybody a password that nobody can guess; here everybody knows it.
            _verb(server, "server", "adopt", "--db", url, "--from", city)
        core = open_core(as_owner(address_of(url)).render_as_string(hide_password=False))
        with core.database.engine.begin() as connection:
            for each in ACCOUNTS:
                let_in(connection, each.login, PASSWORD, each.roles)
        core.close()
        line = Proxy(postgres.port)
        stack.callback(line.stop)
        ports = (line.port, postgres.port)
        names = ("one", "two")
        yield (
            [
                [
                    *_program(),
                    *("--lang", language()),
                    *("--server", f"127.0.0.1:{port}/jingwei"),
                    *("--folder", str(folder / name), "--user", login),
                ]
                for port, name, login in zip(ports, names, (ONE, OTHER), strict=True)
            ],
            line,
        )


def turns(line: Proxy, keys: IO[str]) -> None:
    """Each line that is typed cuts the line or mends it; the end of them is the end."""
    while True:
        if line.is_cut:
            # zh: 第一个窗口的线路已切断；按回车恢复，Ctrl+C 结束。
            _say(_("The line of the first window is cut. Enter mends it, Ctrl+C ends everything."))
        else:
            # zh: 线路正常；按回车切断第一个窗口的线路，Ctrl+C 结束。
            _say(_("The line stands. Enter cuts that of the first window, Ctrl+C ends everything."))
        if not keys.readline():
            return
        if line.is_cut:
            line.mend()
        else:
            line.cut()


@contextmanager
def _ended_like_ctrl_c() -> Iterator[None]:
    """A terminal that is closed leaves no server behind either."""
    # Windows has no SIGHUP.
    ends = [signal.Signals[name] for name in ("SIGTERM", "SIGHUP") if name in signal.Signals.__members__]
    before = [signal.signal(each, signal.default_int_handler) for each in ends]
    try:
        yield
    finally:
        for each, was in zip(ends, before, strict=True):
            signal.signal(each, was)


def _verb(module: Any, *words: str) -> None:
    parser = argparse.ArgumentParser(prog="jingwei")
    module.add(parser.add_subparsers())
    module.run(parser.parse_args(words))


def _program() -> list[str]:
    """How this very program is started."""
    return [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "desktop"]


@contextmanager
def _window(words: Sequence[str]) -> Iterator[None]:
    window = subprocess.Popen(words, stdin=subprocess.DEVNULL)
    try:
        yield
    finally:
        window.terminate()
        window.wait()


def _say(words: str) -> None:
    print(words, flush=True)
