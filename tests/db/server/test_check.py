"""What a check says of a server: each trouble in a sentence that tells what to do; of a good one nothing."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from contextlib import closing, redirect_stdout
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from db.cli.main import run_verb
from db.engine.connections import open_database
from db.server import check
from db.server.check import Finding, Weight, examine
from db.server.tending import note_backup
from tests.db.server.conftest import Server
from tests.db.server.listening import (
    HOST,
    ListeningServer,
    TlsServer,
    make_authority,
    make_certificate,
    programs_with_tls,
)

pytestmark = pytest.mark.postgres


def findings(server: Server) -> list[Finding]:
    """What the administrator is told."""
    with closing(open_database(server.url("postgres"))) as database:
        return examine(database)


def said(server: Server) -> dict[str, str]:
    return {each.code: each.text() for each in findings(server)}


def run(server: Server, statement: str) -> None:
    with psycopg.connect(
        f"host={server.postgres.folder} user=postgres dbname={server.name}", autocommit=True
    ) as admin:
        admin.execute(statement)


def test_durability_that_is_switched_off_for_one_database_or_person_is_found(server: Server) -> None:
    assert "not_durable_for" not in said(server)
    run(server, f"ALTER DATABASE {server.name} SET synchronous_commit = off")
    assert f"synchronous_commit is off for {server.name}" in said(server)["not_durable_for"]
    run(server, f"ALTER DATABASE {server.name} RESET synchronous_commit")
    run(server, f"ALTER ROLE lihua IN DATABASE {server.name} SET synchronous_commit = off")
    assert "synchronous_commit is off for lihua" in said(server)["not_durable_for"]
    run(server, f"ALTER ROLE lihua IN DATABASE {server.name} RESET synchronous_commit")
    assert "not_durable_for" not in said(server)
    # That of the tests is not made to last at all.
    assert "Write synchronous_commit = on into postgresql.conf." in " ".join(
        each.text() for each in findings(server) if each.code == "not_durable"
    )


def test_stations_need_connections(server: Server) -> None:
    run(
        server,
        "INSERT INTO station (number, name, token, seen_at)"
        " SELECT n, 'x', n::text, 0 FROM generate_series(1, 40) n",
    )
    assert "40 stations need 130 connections, max_connections is 60" in said(server)["few_connections"]


def test_versions_without_their_repairs_are_told(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    with server.owner.database.read() as connection:
        number = int(str(connection.execute(text("SHOW server_version_num")).scalar()))
    version, minor = divmod(number, 10_000)
    monkeypatch.setattr(check, "NEWEST_MINOR", {version: minor})
    monkeypatch.setattr(check, "REPAIRED_UNTIL", {version: "2999-12-31"})
    assert not {"old_minor", "no_more_repairs"} & said(server).keys()
    monkeypatch.setattr(check, "NEWEST_MINOR", {version: minor + 2})
    monkeypatch.setattr(check, "REPAIRED_UNTIL", {version: "2021-11-11"})
    found = said(server)
    assert f"PostgreSQL {version}.{minor} lacks the repairs of {version}.{minor + 2}" in found["old_minor"]
    assert f"PostgreSQL {version} has had no repairs since 2021-11-11" in found["no_more_repairs"]


def test_a_backup_is_known_and_grows_old(server: Server) -> None:
    assert "No backup of this server is known" in said(server)["no_backup"]
    note_backup(server.owner.database)
    assert "0 days old" in said(server)["backup"]
    run(server, "UPDATE tending SET backup_at = backup_at - 9 * 86400000::bigint")
    assert "9 days old" in said(server)["old_backup"]


def test_a_clock_that_is_off_is_told(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "clock" not in said(server)
    monkeypatch.setattr(check, "CLOCK_SECONDS", -1)
    assert "follow the same time server" in said(server)["clock"]


# Doors.


@pytest.fixture(scope="module")
def listening() -> Iterator[ListeningServer]:
    server = ListeningServer()
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def served(listening: ListeningServer, guarded: str) -> Iterator[str]:
    """A server with its tables, by the socket; who asks is a superuser."""
    address = listening.url("doors")
    with redirect_stdout(io.StringIO()):
        assert run_verb("server", ("server", "init", "--db", address), "db.cli.server") == 0
    yield address
    with listening.connect() as connection:
        connection.execute("DROP DATABASE doors WITH (FORCE)")


def test_doors_that_stand_open_are_told(listening: ListeningServer, served: str) -> None:
    doors = listening.folder / "data" / "pg_hba.conf"
    good = doors.read_text()

    def codes() -> dict[str, str]:
        with closing(open_database(served)) as database:
            return {each.code: each.text() for each in examine(database)}

    assert not {"open_door", "plain_door", "wide_door"} & codes().keys()
    try:
        doors.write_text(f"{good}hostssl all all 10.0.0.0/8 scram-sha-256\n")
        assert not {"open_door", "plain_door", "wide_door"} & codes().keys()
        doors.write_text(f"{good}host all all 10.0.0.0/8 scram-sha-256\n")
        assert "write hostssl instead of host" in codes()["plain_door"]
        doors.write_text(f"{good}hostssl all all 0.0.0.0/0 trust\n")
        assert "lets people in from 0.0.0.0 by “trust”" in codes()["open_door"]
        assert "the whole world" in codes()["wide_door"]
        doors.write_text(f"{good}hostssl all all all reject\n")
        assert not {"open_door", "plain_door", "wide_door"} & codes().keys()
    finally:
        doors.write_text(good)


def test_a_superuser_at_work_over_the_network_is_told(listening: ListeningServer, served: str) -> None:
    with listening.connect() as connection:
        connection.execute("ALTER ROLE postgres PASSWORD 'Abcd-1234'")
    far = listening.over_the_network("postgres", "Abcd-1234", "doors").replace("+psycopg", "")
    with psycopg.connect(far), closing(open_database(served)) as database:
        found = {each.code: each.text() for each in examine(database)}
    assert "postgres works over the network from 127.0.0.1" in found["superuser_at_work"]


# One made as the README says.


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificates")
def test_nothing_is_wrong_with_a_server_that_is_set_up_as_it_should_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if (binaries := programs_with_tls()) is None:
        pytest.skip("no PostgreSQL with TLS here: name its programs by JINGWEI_POSTGRES")
    # Whether a newer repair is out is no matter of this test's.
    monkeypatch.setattr(check, "NEWEST_MINOR", {})
    monkeypatch.setattr(check, "REPAIRED_UNTIL", {})
    certificate = make_certificate(make_authority(tmp_path / "authority"), tmp_path / "server", HOST)
    server = TlsServer(binaries, {"password_encryption": "scram-sha-256"})

    def jingwei(*words: str) -> tuple[int, str]:
        capsys.readouterr()
        code = run_verb("server", ("server", *words, "--db", address), "db.cli.server")
        return code, capsys.readouterr().out

    try:
        server.begin(certificate)
        address = server.url("jingwei")
        assert jingwei("init")[0] == 0
        assert jingwei("person", "add", "wangmin", "--name", "王敏", "--roles", "duty_leader")[0] == 0
        code, words = jingwei("keeper")
        password = words.rsplit(maxsplit=1)[-1]
        # The service comes over the network, with a login that is no superuser.
        way = f"postgresql://jw_keeper:{password}@{HOST}:{server.port}/jingwei?hostaddr=127.0.0.1"
        keeper = ("server", "tend", "--once", "--db", f"{way}&sslrootcert={tmp_path / 'authority.crt'}")
        assert run_verb("server", keeper, "db.cli.server") == 0
        with closing(open_database(address)) as database:
            note_backup(database)
            worst = [each.text() for each in examine(database) if each.weight is not Weight.NOTE]
        assert worst == []
        code, words = jingwei("check")
        assert (code, "Nothing is wrong with this server." in words) == (0, True)
    finally:
        server.stop()
