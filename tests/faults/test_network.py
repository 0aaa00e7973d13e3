"""Whatever befalls the line or the server: work goes on at the same pace, the strip says what is wrong in a
sentence, and afterwards every act is there, once.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import select

from db.bootstrap import open_core
from db.cases.commands.intake import Report
from db.demo.postgres import OwnPostgres
from db.demo.proxy import Proxy
from db.demo.serving import CATEGORY, ServedCity, digest, fill, journal_of, served_city
from db.engine.bus import Bus
from db.engine.connections import Database
from db.engine.outbox import DONE
from db.engine.tables import outbox
from db.kernel.clock import Clock
from db.sync import door
from db.sync.copy import Progress
from db.sync.seat import Seat, open_replica, server_address, take_seat
from db.sync.standing import Line, Standing
from db.sync.station import Station
from tests.faults.unprivileged import open_folder
from tests.kit.postgres import SETTINGS

pytestmark = pytest.mark.postgres

DEADLINE = 60.0
FEW = 12
SLOWER = 5
"""So many times as long as without any line may an act take; one that waits for a line takes thousands."""


# What was confirmed must be there after the server was killed; a power cut is not tried.
KEEPING = {**SETTINGS, "synchronous_commit": "on"}


@pytest.fixture(scope="module")
def postgres_on_network() -> Iterator[OwnPostgres]:
    server = OwnPostgres(KEEPING, on_network=True)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def line(postgres_on_network: OwnPostgres) -> Iterator[Proxy]:
    proxy = Proxy(postgres_on_network.port)
    yield proxy
    proxy.stop()


@pytest.fixture
def city(postgres_on_network: OwnPostgres, line: Proxy) -> Iterator[ServedCity]:
    with served_city(postgres_on_network.url("postgres"), people=1, at=("127.0.0.1", line.port)) as city:
        yield city


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "PATIENCE_SECONDS", 4.0)


class Room:
    """An officer at a station, who looks at the strip."""

    def __init__(self, city: ServedCity) -> None:
        self.city = city
        self.heard: list[Standing] = []
        """What the strip said, one after the other."""
        self._changed = threading.Condition()

    def sit_down(self, seat: Seat) -> None:
        """Begin to work."""
        self.seat = seat
        self._apart: Database | None = None
        self.station = seat.station
        self.station.start()

    def move(self, address: str) -> None:
        """Go on with the same file, and ask for the server at another address."""
        self.station.stop()
        self.station = Station(self.seat.local, address, self.hear)
        self.station.await_line(self.city.logins[0], self.city.password)
        self.station.start()

    def leave(self) -> None:
        self.station.stop()
        if self._apart is not None:
            self._apart.close()
        self.seat.leave()

    def hear(self, standing: Standing) -> None:
        """The strip says something else."""
        with self._changed:
            self.heard.append(standing)
            self._changed.notify_all()

    @property
    def standing(self) -> Standing:
        return self.station.standing

    def until(self, wanted: Callable[[Standing], bool]) -> Standing:
        """Wait until the strip says so."""
        found: list[Standing] = []

        def says_so() -> bool:
            # Looked at once: the station goes on meanwhile.
            found[:] = [self.standing]
            return wanted(found[0])

        with self._changed:
            came = self._changed.wait_for(says_so, DEADLINE)
        assert came, f"still {self.standing}"
        return found[0]

    @property
    def waits(self) -> bool:
        """Whether there is an act that the server has not taken."""
        with self.seat.local.read() as connection:
            return connection.execute(select(outbox.c.id).where(outbox.c.state != DONE)).first() is not None

    def work(self, acts: int = FEW) -> float:
        """Do something, again and again; how many times as long it took as the same act in a copy of the file
        that knows of no line, which is done beside each: so other work on this machine slows down both.
        """
        if self._apart is None:
            self._apart = copy_of(self.seat.local)
        desks = (self.seat.bus, Bus(self._apart))
        times: list[list[float]] = [[], []]
        for _each in range(acts):
            for bus, took in zip(desks, times, strict=True):
                begun = time.perf_counter()
                bus.run(Report("hotline", CATEGORY, "井盖破损", "学府路"), self.seat.actor)
                took.append(time.perf_counter() - begun)
        here, beside = map(statistics.median, times)
        return here / beside

    def settle(self) -> None:
        """Everything that was done here is on the server, once, and both are the same."""
        self.until(lambda now: now.line is Line.LIVE and not self.waits)
        with self.seat.local.read() as connection:
            done = set(connection.execute(select(outbox.c.id)).scalars())
            here = digest(connection)
        there = journal_of(self.city)
        assert there.operations.keys() == done
        assert set(there.operations.values()) <= {1}
        assert there.digest == here
        assert self.standing.parked == 0


def copy_of(local: Database) -> Database:
    assert local.path is not None
    path = local.path.with_name("apart.db")
    with closing(sqlite3.connect(local.path)) as source, closing(sqlite3.connect(path)) as target:
        source.backup(target)
    return open_replica(path)


@contextmanager
def room_in(city: ServedCity, folder: Path, clock: Clock | None = None) -> Iterator[Room]:
    room = Room(city)
    room.sit_down(
        take_seat(
            *(city.address, folder, city.logins[0], city.password),
            file=folder / "room.db",
            clock=clock,
            told=room.hear,
        )
    )
    try:
        room.until(lambda now: now.line is Line.LIVE)
        yield room
    finally:
        room.leave()


@pytest.fixture
def room(city: ServedCity, tmp_path: Path) -> Iterator[Room]:
    with room_in(city, tmp_path) as room:
        yield room


def sentence(standing: Standing) -> str:
    """What the strip says is wrong."""
    assert standing.trouble is not None
    said = standing.trouble.text()
    assert "{" not in said
    assert "Traceback" not in said
    return said


def test_a_server_that_is_killed_in_the_middle_of_commits(
    room: Room, postgres_on_network: OwnPostgres
) -> None:
    room.work()
    killer = threading.Timer(0.1, postgres_on_network.kill)
    killer.start()
    # Acts go up one after the other while the server dies.
    room.work(3 * FEW)
    killer.join()
    told = room.until(lambda now: now.line is Line.OFFLINE)
    assert "does not answer" in sentence(told)
    assert room.work() < SLOWER
    assert room.until(lambda now: now.waiting > 0).since_ms > 0
    postgres_on_network.start()
    room.settle()


def test_a_server_that_is_restarted(room: Room, postgres_on_network: OwnPostgres) -> None:
    room.work()
    postgres_on_network.halt()
    during = room.work()
    room.until(lambda now: now.line is Line.OFFLINE)
    postgres_on_network.start()
    assert during < SLOWER
    room.settle()


def test_a_line_that_is_cut_and_comes_back(room: Room, line: Proxy) -> None:
    room.work()
    line.cut()
    during = room.work()
    told = room.until(lambda now: now.line is Line.OFFLINE and now.waiting > 0)
    assert "does not answer" in sentence(told)
    line.mend()
    assert during < SLOWER
    room.settle()


@pytest.fixture
def patient(impatient: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Much longer than it takes to notice that a look is late, or than a line is slow."""
    monkeypatch.setattr(door, "PATIENCE_SECONDS", 12.0)


def test_a_line_that_takes_every_byte_and_brings_none(patient: None, room: Room, line: Proxy) -> None:
    room.work()
    heard = len(room.heard)
    line.swallows = True
    during = room.work()
    told = room.until(lambda now: now.line is Line.OFFLINE)
    # It had said so before it was certain.
    assert Line.BEHIND in {each.line for each in room.heard[heard:]}
    assert "does not answer" in sentence(told)
    assert room.work() < SLOWER
    assert during < SLOWER
    line.mend()
    room.settle()


class EnoughError(Exception):
    """Whoever watches the first copy has had enough."""


def test_a_first_copy_over_a_line_that_brings_nothing_is_stopped_and_goes_on(
    city: ServedCity, line: Proxy, tmp_path: Path
) -> None:
    fill(city, 400, 0)
    silent: list[str] = []

    def watch(progress: Progress) -> None:
        line.swallows = True
        silent.append(progress.table)
        if len(silent) > 3 and len(set(silent[-3:])) == 1:
            raise EnoughError

    with pytest.raises(EnoughError):
        take_seat(
            *(city.address, tmp_path, city.logins[0], city.password),
            file=tmp_path / "room.db",
            copied=watch,
        )
    line.mend()
    with room_in(city, tmp_path) as room:
        room.settle()


def test_a_slow_line(patient: None, room: Room, line: Proxy) -> None:
    room.work()
    heard = len(room.heard)
    line.delay = 0.2
    assert room.work() < SLOWER
    room.until(lambda _now: not room.waits)
    assert {each.trouble for each in room.heard[heard:]} == {None}
    line.mend()
    room.settle()


def test_a_name_that_nobody_knows_any_more(city: ServedCity, tmp_path: Path) -> None:
    with room_in(city, tmp_path) as room:
        room.work()
        room.settle()
        room.move(city.address.replace("127.0.0.1", "nowhere.invalid"))
        told = room.until(lambda now: now.line is Line.OFFLINE)
        assert "nowhere.invalid" in sentence(told)
        assert room.work() < SLOWER
        # The name is known again.
        room.move(city.address)
        room.settle()


def test_a_password_that_was_changed_on_the_server(
    room: Room, city: ServedCity, postgres_on_network: OwnPostgres
) -> None:
    room.work()
    room.settle()
    with postgres_on_network.connect() as admin:
        changed = sql.SQL("ALTER ROLE {} PASSWORD 'Other-1234'").format(sql.Identifier(city.logins[0]))
        admin.execute(changed)
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", [city.logins[0]]
        )
    told = room.until(
        lambda now: now.line is Line.OFFLINE and now.trouble is not None and now.trouble.code == "shut_out"
    )
    assert "sign in again" in sentence(told)
    assert room.work() < SLOWER
    room.station.sign_in(city.logins[0], "Other-1234")
    room.settle()


class Wrong:
    """A clock that is wrong by so much."""

    def __init__(self, ahead: timedelta) -> None:
        self.ahead = ahead

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.mark.parametrize("minutes", [-20, 20])
def test_clocks_that_do_not_agree(city: ServedCity, tmp_path: Path, minutes: int) -> None:
    with room_in(city, tmp_path, Wrong(timedelta(minutes=minutes))) as room:
        room.work()
        room.settle()
        assert abs(room.standing.skew_ms - minutes * 60_000) < 30_000
        with city.owner.database.read() as connection:
            ahead = connection.exec_driver_sql(
                "SELECT max(at) - (extract(epoch FROM clock_timestamp()) * 1000)::bigint FROM journal"
                " WHERE operation IS NOT NULL"
            ).scalar_one()
    assert ahead <= 5000


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A disk of its own that can be filled; only root can make one."""
    mount = shutil.which("mount")
    if os.geteuid() != 0 or mount is None:
        pytest.skip("only root can make a small disk")
    with open_folder() as folder:
        made = subprocess.run(
            [mount, "-t", "tmpfs", "-o", "size=400m,mode=755", "tmpfs", folder], capture_output=True
        )
        if made.returncode:
            pytest.skip(f"no small disk here: {made.stderr.decode().strip()}")
        yield folder
        subprocess.run(["umount", "-l", folder], check=True)


def test_a_server_whose_disk_is_full(
    small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(small_disk))
    postgres = OwnPostgres(KEEPING, on_network=True)
    monkeypatch.setattr("tempfile.tempdir", None)
    try:
        postgres.start()
        with (
            served_city(postgres.url("postgres"), people=1, at=("127.0.0.1", postgres.port)) as city,
            room_in(city, tmp_path) as room,
        ):
            room.work()
            room.settle()
            ballast = small_disk / "ballast"
            with ballast.open("wb") as stream:
                os.posix_fallocate(stream.fileno(), 0, shutil.disk_usage(small_disk).free - 4096)
            worst = max(room.work(3 * FEW) for _round in range(4))
            told = room.until(lambda now: now.trouble is not None)
            assert sentence(told)
            assert worst < SLOWER
            ballast.unlink()
            room.settle()
    finally:
        postgres.stop()


def test_a_statement_that_hangs_holds_up_nobody(room: Room, city: ServedCity) -> None:
    room.work()
    room.settle()
    with psycopg.connect(city.admin) as admin:
        # Somebody at the server holds what every commit needs.
        admin.execute("SELECT seq FROM journal_head FOR UPDATE")
        assert room.work() < SLOWER
        told = room.until(lambda now: now.trouble is not None)
        assert sentence(told)
        admin.rollback()
    room.settle()


def wait_for(server: OwnPostgres, standbys: str) -> None:
    """The standbys for which every commit of a server waits from now on."""
    with server.connect() as admin:
        admin.execute(sql.SQL("ALTER SYSTEM SET synchronous_standby_names = {}").format(standbys))
        admin.execute("SELECT pg_reload_conf()")


def test_a_standby_takes_over_from_a_server_that_is_gone(tmp_path: Path) -> None:
    """With a commit that waits for the standby nothing is lost, and nobody has to be told the new address."""
    following = {**KEEPING, "wal_level": "replica", "max_wal_senders": "4"}
    postgres, standby = OwnPostgres(following, on_network=True), OwnPostgres(following, on_network=True)
    try:
        postgres.start()
        with served_city(postgres.url("postgres"), people=1) as city:
            standby.follow(postgres)
            standby.start()
            wait_for(postgres, "*")
            places = f"host=127.0.0.1,127.0.0.1&port={standby.port},{postgres.port}"
            both = replace(city, address=server_address(f"postgresql:///{city.name}?{places}"))
            with room_in(both, tmp_path) as room:
                room.work()
                room.settle()
                postgres.kill()
                assert room.work() < SLOWER
                told = room.until(lambda now: now.line is Line.OFFLINE)
                assert sentence(told)
                wait_for(standby, "")
                with standby.connect() as admin:
                    admin.execute("SELECT pg_promote()")
                room.until(lambda now: now.line is Line.LIVE)
                room.work()
                with closing(open_core(standby.url(city.name))) as core:
                    room.city = replace(city, owner=core)
                    room.settle()
            # To be tidied up like any other.
            postgres.start()
            wait_for(postgres, "")
    finally:
        standby.stop()
        postgres.stop()
