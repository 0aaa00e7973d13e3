"""A person's seat at a server: this station's file found, joined, copied, opened, with a line or without.

A station has one file for each server and reading scope: rows that the server shows to one officer only never
lie in the file of another.
"""

from __future__ import annotations

import hashlib
import logging
import platform
import re
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from db.engine import schema
from db.engine.bus import Bus, Outcome, demand_permission
from db.engine.connections import Database, leaves_this_computer, open_database
from db.engine.patience import Patience
from db.engine.tables import replica
from db.engine.trust import given, places
from db.kernel.act import Act
from db.kernel.actor import Actor, Scope
from db.kernel.clock import Clock
from db.kernel.command import Reach, reach_of
from db.kernel.language import N_
from db.kernel.refusal import Refused, Unavailable
from db.people.commands import actor_of
from db.sync.authority import DISTRUST, way_to
from db.sync.copy import Progress, copy, join
from db.sync.door import open_server
from db.sync.grace import admit, forget, remember
from db.sync.standing import Standing
from db.sync.station import Station
from db.sync.turn import turn

FOLDER = "stations"
"""Where the files of stations lie, below the folder of this computer's user."""
DATABASE = "jingwei"
"""The database of a server when its address names none."""
COPY_PATIENCE_SECONDS = 30.0
"""So long the line may be silent before a first copy is given up; the next one goes on from there."""
ELSEWHERE = "elsewhere"
"""What the progress is called while another program of this computer copies into the same file."""
_log = logging.getLogger(__name__)
T = TypeVar("T")


class StationBus(Bus):
    """The bus of a station: what nobody can decide for himself is carried out on the server."""

    def __init__(self, station: Station) -> None:
        super().__init__(station.local)
        self._station = station

    def run(self, command: Any, actor: Actor, act: Act | None = None) -> Outcome:
        if act is None and reach_of(command) is Reach.SERVER:
            demand_permission(command, actor)
            return self._station.run_on_server(command, actor)
        return super().run(command, actor, act)

    def ask(self, question: Callable[[Connection], T], actor: Actor) -> T:
        return self._station.ask(actor, question)


@dataclass(frozen=True)
class Seat:
    """One person at one station; ``leave`` ends it."""

    address: str
    station: Station
    bus: StationBus
    actor: Actor

    @property
    def local(self) -> Database:
        """The file that the room reads and writes."""
        return self.station.local

    def leave(self) -> None:
        """Stop the station and close its file. May wait for the network: never on a thread that draws."""
        self.station.stop()
        self.local.close()


def server_address(text: str) -> str:
    """The address of a server as a person writes it, in full and without name and password.

    ``10.1.2.3``, ``host:5433/city``, ``one,other/city`` (a server and its standby, in any order) and
    ``postgresql://host/city?sslmode=require`` are addresses. A line that
    leaves this computer is encrypted and the server has to prove its name, unless the address says otherwise.
    Raises ``Refused("not_an_address")``.
    """
    text = text.strip()
    try:
        url = make_url(text if "://" in text else f"postgresql://{text}")
        is_server = url.get_backend_name() == "postgresql" and bool(given(url, "host"))
    except (ArgumentError, ValueError):
        is_server = False
    if not is_server:
        raise Refused(
            "not_an_address",
            N_("“{text}” is no address of a server; write for example 10.1.2.3 or server.example/jingwei."),
            text=text,
        )
    url = URL.create(
        "postgresql+psycopg", None, None, url.host, url.port, url.database or DATABASE, dict(url.query)
    )
    if "sslmode" not in url.query and leaves_this_computer(url):
        url = url.update_query_dict({"sslmode": "verify-full"})
    if "target_session_attrs" not in url.query and len(given(url, "host")) > 1:
        # Of several, the one that is not a standby at the moment.
        url = url.update_query_dict({"target_session_attrs": "read-write"})
    return url.render_as_string(hide_password=False)


def short_address(address: str) -> str:
    """What people call a server: host, port when it is not the usual one, database."""
    url = make_url(address)
    return f"{','.join(places(url) or given(url, 'host'))}/{url.database}"


def shown_address(address: str) -> str:
    """An address as a person would write it: short, when that means the same."""
    try:
        short = short_address(address)
        return short if server_address(short) == address else address
    except (ArgumentError, Refused):
        return address


def station_file(folder: Path, address: str, scope: Scope) -> Path:
    """The file for a server and a reading scope."""
    bound = [*sorted(map(str, scope.areas)), "|", *sorted(map(str, scope.units)), "|", *scope.prefixes]
    return folder / FOLDER / f"{_stem(address)}{'' if scope.is_everywhere else f'-{_digest(*bound)}'}.db"


def station_files(folder: Path, address: str) -> list[Path]:
    """The files that this computer has for a server, the one used last first."""
    known = (folder / FOLDER).glob(f"{_stem(address)}*.db")
    return sorted(known, key=lambda path: path.stat().st_mtime, reverse=True)


def server_of(database: Database) -> str | None:
    """The address of the server of which a file is a replica; ``None`` when it is a database of its own."""
    if not database.is_replica:
        return None
    with database.read() as connection:
        return str(connection.execute(select(replica.c.server)).scalar_one())


def take_seat(
    address: str,
    folder: Path,
    login: str,
    password: str,
    *,
    file: Path | None = None,
    clock: Clock | None = None,
    copied: Callable[[Progress], None] = lambda _progress: None,
    told: Callable[[Standing], None] | None = None,
) -> Seat:
    """Sign a person in by the server and bring this computer's file up; without a line, by the file alone.

    ``address`` is one of ``server_address``; ``file`` is given when it is not to be the usual one of
    ``folder``, which also holds the authority that ``trust`` has kept. The first copy tells ``copied`` how
    far it is; what that raises ends it, and the next call goes on from there. A second program of this
    computer waits until the file is there (``ELSEWHERE``). Raises ``Refused`` (name or password, versions,
    another server's file) and ``Unavailable`` (no line, or a server that does not prove itself, and nobody of
    that name has been here).
    """
    way = way_to(address, folder)
    patience = Patience(COPY_PATIENCE_SECONDS)
    try:
        server = open_server(make_url(way), login, password, patience)
    except Unavailable as trouble:
        files = station_files(folder, address) if file is None else [file]
        return _without_line(address, way, files, login, password, clock, told, trouble)
    try:
        schema.demand_same(server)
        actor = actor_of(server, login)
        path = file or station_file(folder, address, actor.scope)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with turn(path, lambda: copied(Progress(ELSEWHERE, 0, 0))):
            local = join(path, server, address, platform.node() or "?", clock)
            try:
                _Watched(copied, patience).copy(local, server)
                remember(local, login, password)
            except BaseException:
                local.close()
                raise
    finally:
        server.close()
    if file is None:
        _forget_elsewhere(station_files(folder, address), path, login)
    station = Station(local, way, told)
    try:
        actor = station.sign_in(login, password)
    except Unavailable:
        station.await_line(login, password)
    return Seat(address, station, StationBus(station), actor)


def _forget_elsewhere(files: Sequence[Path], own: Path, login: str) -> None:
    """Without a line a person opens the file of today's reading scope only, not that of an earlier one."""
    for path in files:
        if path == own:
            continue
        try:
            with closing(open_replica(path)) as local:
                forget(local, login)
        except (Refused, Unavailable) as trouble:
            _log.info("%s is left as it is: %s", path.name, trouble)


class _Watched:
    """A copy that whoever watches it may end, also while the line is silent."""

    def __init__(self, copied: Callable[[Progress], None], patience: Patience) -> None:
        self._copied = copied
        self._patience = patience
        self._ended_by: BaseException | None = None

    def copy(self, local: Database, server: Database) -> None:
        """Copy; what ``copied`` raises is raised, whatever the line says to being let go of."""
        try:
            copy(local, server, self._tell)
        except Unavailable as trouble:
            if self._ended_by is not None:
                raise self._ended_by from trouble
            raise

    def _tell(self, progress: Progress) -> None:
        try:
            self._copied(progress)
        except BaseException as error:
            self._ended_by = error
            # Nobody waits for the line any longer.
            self._patience.give_up()
            raise


def _without_line(
    address: str,
    way: str,
    files: Sequence[Path],
    login: str,
    password: str,
    clock: Clock | None,
    told: Callable[[Standing], None] | None,
    trouble: Unavailable,
) -> Seat:
    """The seat of somebody who has signed in here by the server not long ago."""
    refusal: Refused | None = None
    for path in files:
        local = open_replica(path, clock)
        try:
            with local.read() as connection:
                copying = connection.execute(select(replica.c.copying)).scalar_one()
            actor = None if copying is not None else admit(local, login, password)
        except Refused as why:
            # In another file of this server the same person may be known.
            refusal, actor = why, None
        except BaseException:
            local.close()
            raise
        if actor is None:
            local.close()
            continue
        station = Station(local, way, told)
        station.await_line(login, password)
        return Seat(address, station, StationBus(station), actor)
    if refusal is not None:
        raise refusal
    if trouble.code in DISTRUST:
        raise trouble
    raise Unavailable(
        "no_line",
        N_(
            "The server {server} does not answer, and you have not signed in on this computer before:"
            " {reason}"
        ),
        server=short_address(address),
        reason=trouble.facts.get("reason", trouble),
    ) from trouble


def open_replica(path: Path, clock: Clock | None = None) -> Database:
    """The file of a station, brought to today's shape. Raises ``Refused("no_replica")`` for another file."""
    local = open_database(f"sqlite:///{path}", clock=clock)
    try:
        schema.upgrade(local)
        schema.load_station(local)
        if not local.is_replica:
            raise Refused("no_replica", N_("{path} belongs to no server."), path=str(path))
    except BaseException:
        local.close()
        raise
    return local


def _stem(address: str) -> str:
    return f"{re.sub(r'[^A-Za-z0-9.]+', '-', short_address(address)).strip('-')}-{_digest(address)}"


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:8]
