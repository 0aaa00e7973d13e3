"""A server proves itself before anything is said to it; who is not believed is told apart in words."""

from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.engine import make_url

from db.bootstrap import open_core
from db.cases.commands.intake import Report
from db.demo.proxy import Proxy
from db.demo.serving import CATEGORY, ServedCity, served_city
from db.engine.connections import open_database
from db.engine.outbox import DONE
from db.engine.tables import outbox
from db.engine.trust import demand_certificate
from db.kernel.refusal import Refused, Unavailable
from db.people.commands import actor_of
from db.sync.authority import AUTHORITY, DISTRUST, MENDED_BY_AUTHORITY, trust, way_to
from db.sync.seat import Seat, server_address, take_seat
from db.sync.standing import Line, Standing
from tests.db.server.listening import (
    HOST,
    TlsServer,
    make_authority,
    make_certificate,
    programs_with_tls,
)
from tests.db.server.tls_door import ANSWER, TlsDoor

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificates")

PASSWORD = "Abcd-1234"
ASKS_FOR_TLS = b"\x00\x00\x00\x08\x04\xd2\x16/"
DEADLINE = 60.0


class Wiretap(Proxy):
    """Hears whatever crosses the line."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.heard = b""

    def _take(self, source: socket.socket) -> None:
        with suppress(OSError):
            self.heard += source.recv(65536, socket.MSG_PEEK)
        super()._take(source)


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority, a stranger, and certificates: for the server, for another one, and one that ran out."""
    folder = tmp_path_factory.mktemp("papers")
    authority = make_authority(folder / "authority")
    make_authority(folder / "stranger")
    make_certificate(authority, folder / "server", HOST)
    make_certificate(authority, folder / "other", "other.test")
    make_certificate(authority, folder / "old", HOST, days=-1)
    return folder


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system looks for authorities by itself there are none."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("PGSSLMODE", "PGSSLROOTCERT"):
        monkeypatch.delenv(name, raising=False)


def come(port: int, authority: Path | None, host: str = HOST) -> Unavailable:
    """What somebody is told who is not let in."""
    address = f"postgresql://wangmin:{PASSWORD}@{host}:{port}/city?hostaddr=127.0.0.1"
    more = f"&sslrootcert={authority}.crt" if authority else ""
    with pytest.raises(Unavailable) as caught:
        open_database(f"{address}{more}")
    return caught.value


@contextmanager
def door(certificate: Path) -> Iterator[TlsDoor]:
    made = TlsDoor(certificate.with_suffix(".crt"), certificate.with_suffix(".key"))
    try:
        yield made
    finally:
        made.close()


def test_tls_proves_the_server_before_anything_is_said(papers: Path) -> None:
    with door(papers / "server") as found:
        for authority, host, code, words in (
            (None, HOST, "no_authority", "get the authority's certificate"),
            (papers / "nowhere", HOST, "no_authority", "get the authority's certificate"),
            (papers / "stranger", HOST, "strange_authority", "did not sign"),
            (papers / "authority", "other.test", "other_name", "for another name"),
        ):
            trouble = come(found.port, authority, host)
            assert (trouble.code, words in trouble.text()) == (code, True), trouble.text()
            assert f"{host}:{found.port}" in trouble.text()
            assert "Nothing was sent" in trouble.text()
            assert PASSWORD not in trouble.text()
        (papers / "torn.crt").write_text("-----BEGIN CERTIFICATE-----\n")
        assert "cannot be read" in come(found.port, papers / "torn").text()
        assert found.asked == []
        assert ANSWER in come(found.port, papers / "authority").text()
        (words,) = found.asked
        assert b"wangmin" in words
        assert PASSWORD.encode() not in words


def test_a_certificate_that_ran_out_is_told_as_such(papers: Path) -> None:
    with door(papers / "old") as found:
        trouble = come(found.port, papers / "authority")
        assert (trouble.code, found.asked) == ("expired_proof", [])
        assert "has expired" in trouble.text()


def test_a_server_that_does_not_encrypt_hears_the_question_alone(papers: Path) -> None:
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            line, _where = listener.accept()
            with line:
                heard.append(line.recv(4096))
                line.sendall(b"N")
                heard.append(line.recv(4096))

        thread = threading.Thread(target=answer)
        thread.start()
        trouble = come(listener.getsockname()[1], papers / "authority")
        thread.join()
    assert (trouble.code, "does not encrypt" in trouble.text()) == ("no_tls", True)
    assert heard == [ASKS_FOR_TLS, b""]


def test_an_authority_is_kept_once_and_only_for_who_has_to_prove_something(
    papers: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "station"
    proved, own = server_address("server.example"), server_address("localhost")
    assert way_to(proved, folder) == proved
    trust(folder, papers / "authority.crt")
    assert make_url(way_to(proved, folder)).query["sslrootcert"] == str(folder / AUTHORITY)
    assert way_to(own, folder) == own
    named = server_address("postgresql://server.example/jingwei?sslrootcert=/etc/bureau.crt")
    assert way_to(named, folder) == named
    for wrong in ("server.key", "nowhere.crt"):
        with pytest.raises(Refused) as caught:
            trust(folder, papers / wrong)
        assert caught.value.code == "no_certificate"
    demand_certificate(folder / AUTHORITY)
    assert [each.name for each in folder.iterdir()] == [AUTHORITY]


# A real server.


@pytest.fixture(scope="module")
def server(papers: Path) -> Iterator[TlsServer]:
    binaries = programs_with_tls()
    if binaries is None:
        pytest.skip("no PostgreSQL with TLS here: name its programs by JINGWEI_POSTGRES")
    made = TlsServer(binaries)
    try:
        made.begin(papers / "server")
        yield made
    finally:
        made.stop()


@pytest.fixture
def city(server: TlsServer) -> Iterator[ServedCity]:
    with served_city(server.url("postgres"), people=1) as city:
        yield city


@pytest.fixture
def line(server: TlsServer) -> Iterator[Wiretap]:
    proxy = Wiretap(server.port)
    yield proxy
    proxy.stop()


def waits_at(seat: Seat) -> bool:
    """Whether an act is not on the server yet."""
    with seat.local.read() as connection:
        return connection.execute(select(outbox.c.id).where(outbox.c.state != DONE)).first() is not None


def address_by(line: Wiretap, city: ServedCity, host: str = HOST) -> str:
    return server_address(f"postgresql://{host}:{line.port}/{city.name}?hostaddr=127.0.0.1")


@pytest.mark.postgres
def test_a_station_works_over_tls_and_nothing_of_it_can_be_read_on_the_line(
    server: TlsServer, city: ServedCity, line: Wiretap, papers: Path, tmp_path: Path
) -> None:
    address, login = address_by(line, city), city.logins[0]
    with pytest.raises(Unavailable) as caught:
        take_seat(address, tmp_path, login, city.password)
    assert caught.value.code in MENDED_BY_AUTHORITY
    trust(tmp_path, papers / "authority.crt")
    live = threading.Event()

    def told(standing: Standing) -> None:
        if standing.line is Line.LIVE and not standing.waiting:
            live.set()

    seat = take_seat(address, tmp_path, login, city.password, told=told)
    try:
        seat.station.start()
        assert live.wait(DEADLINE)
        seat.bus.run(Report("hotline", CATEGORY, "井盖破损", "学府路"), seat.actor)
        # It says that all is well now and then; what it says after the act was taken counts.
        while waits_at(seat):
            live.clear()
            assert live.wait(DEADLINE)
        with server.connect() as connection:
            ways = connection.execute(
                "SELECT s.ssl FROM pg_stat_activity a JOIN pg_stat_ssl s USING (pid) WHERE a.usename = %s",
                [login],
            ).fetchall()
        assert set(ways) == {(True,)}
    finally:
        seat.leave()
    for secret in (login, city.password, "学府路", "journal"):
        assert secret.encode() not in line.heard


@pytest.mark.postgres
def test_what_is_wrong_with_a_server_is_told_in_words_and_nothing_was_said_to_it(
    server: TlsServer, city: ServedCity, line: Wiretap, papers: Path, tmp_path: Path
) -> None:
    def come_in(host: str = HOST) -> str:
        with pytest.raises(Unavailable) as caught:
            take_seat(address_by(line, city, host), tmp_path, city.logins[0], city.password)
        assert caught.value.code in DISTRUST
        assert f"{host}:{line.port}" in caught.value.text()
        return caught.value.code

    try:
        trust(tmp_path, papers / "stranger.crt")
        assert come_in() == "strange_authority"
        trust(tmp_path, papers / "authority.crt")
        assert come_in("other.test") == "other_name"
        server.show(papers / "old")
        assert come_in() == "expired_proof"
        server.show(papers / "other")
        assert come_in() == "other_name"
        server.do_tls(False)
        assert come_in() == "no_tls"
    finally:
        server.do_tls(True)
        server.show(papers / "server")
    assert city.logins[0].encode() not in line.heard
    assert city.password.encode() not in line.heard


@pytest.mark.postgres
def test_the_door_is_shut_to_lines_in_the_clear(city: ServedCity, line: Wiretap) -> None:
    clear = make_url(address_by(line, city)).update_query_dict({"sslmode": "disable"})
    address = clear.set(username=city.logins[0], password=city.password)
    with pytest.raises(Unavailable, match=r"no encryption|SSL off"):
        open_database(address.render_as_string(hide_password=False))
    assert city.password.encode() not in line.heard


@pytest.mark.postgres
def test_verbs_come_in_by_the_same_proof(city: ServedCity, line: Wiretap, papers: Path) -> None:
    address = make_url(address_by(line, city)).set(username=city.logins[0], password=city.password)
    proved = address.update_query_dict({"sslrootcert": f"{papers / 'authority'}.crt"})
    core = open_core(proved.render_as_string(hide_password=False))
    try:
        assert actor_of(core.database, city.logins[0]).name
    finally:
        core.close()
