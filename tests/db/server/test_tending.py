"""A server where nobody sits is tended: by one process at a time, under the guard; and is told when not."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, redirect_stdout
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from db.advice.automatic import SetAutomatic
from db.bootstrap import open_core
from db.cases.commands.dispatch import Dispatch
from db.cases.commands.handling import Receive
from db.cases.commands.intake import Accept, Register, Report
from db.cases.commands.requests import AskSuspend, Grant
from db.cases.tables import case, step
from db.cli import tend as tending_verb
from db.cli.main import run_verb
from db.engine.connections import open_database
from db.engine.journal import verify
from db.engine.schema import HEAD
from db.kernel.clock import SetClock
from db.people.tables import presence, track
from db.server.check import examine
from db.server.tending import alone, last_turn
from db.sync.news import horizon
from tests.db.advice.history import write_cases
from tests.db.duties.village import (
    CHIEF,
    EAST,
    MORNING,
    SQUAD_EAST,
    SQUAD_WEST,
    WEST,
    an,
    open_village,
    settle,
)
from tests.db.engine.kit import put_setting, rows_of
from tests.flows.bureau import CONDITIONS, COVER, ROADS
from tests.kit.network import Network, Post, Server
from tests.kit.postgres import PostgresServer

pytestmark = pytest.mark.postgres

POSTS = {"east": ("li", "chen"), "west": ("zhao", "sun")}


@pytest.fixture(scope="module")
def network(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Network:
    return Network(postgres, tmp_path_factory.mktemp("tended"), POSTS)


@pytest.fixture
def tended(network: Network, tmp_path: Path) -> Iterator[tuple[Server, Post]]:
    with network.copy_to(tmp_path) as (server, posts):
        yield server, posts["east"]


def tend(server: Server, *more: str) -> tuple[int, str]:
    """What the administrator types; exit code and words."""
    said = io.StringIO()
    with redirect_stdout(said):
        words = ("server", "tend", "--once", *more, "--db", server.url("postgres"))
        code = run_verb("server", words, "db.cli.server")
    return code, said.getvalue()


def as_owner(server: Server, statement: str, **values: Any) -> Any:
    with server.owner.engine.begin() as connection:
        result = connection.execute(text(statement), values)
        return result.scalar() if result.returns_rows else result.rowcount


def findings(server: Server) -> dict[str, str]:
    return {each.code: each.text() for each in examine(server.owner)}


def suspended(server: Server) -> int:
    """A case that waits for a day which has come."""
    case_id = int(server.run(Report("hotline", COVER, "井盖丢失"), "wang"))
    ids = (case_id,)
    for command, who in (
        (Accept(ids), "wang"),
        (Register(ids, CONDITIONS[2]), "chen"),
        (Dispatch(ids, ROADS), "li"),
        (Receive(ids), "roads"),
        (AskSuspend(ids, "待预算", datetime.now(UTC) + timedelta(days=3), "批文一号"), "roads"),
        (Grant(ids, "suspend"), "li"),
    ):
        server.run(command, who)
    as_owner(server, "UPDATE case_request SET until = jw_now_ms() - 1000")
    return case_id


def test_what_time_does_is_done_where_nobody_sits_and_the_stations_hear_it(
    tended: tuple[Server, Post],
) -> None:
    server, east = tended
    case_id = suspended(server)
    east.pull()
    assert east.rows(case)[case_id]["state"] == "suspended"
    assert "not_tended" in findings(server)
    code, said = tend(server)
    assert (code, "1 case resumed" in said) == (0, True), said
    east.pull()
    assert east.rows(case)[case_id]["state"] == "handling"
    assert east.differences() == []
    with server.owner.read() as connection:
        assert verify(connection).whole
        assert last_turn(connection).ago_ms < 60_000
    assert not {"not_tended", "tending_fails"} & findings(server).keys()
    # A second turn finds nothing to do, and says nothing.
    assert tend(server) == (0, "")


def test_one_tends_at_a_time(tended: tuple[Server, Post]) -> None:
    server, _east = tended
    case_id = suspended(server)
    with alone(server.owner) as mine:
        assert mine
        code, said = tend(server)
        assert (code, said) == (0, "Somebody else is tending this server.\n")
        assert server.rows(case)[case_id]["state"] == "suspended"
    assert tend(server)[0] == 0
    assert server.rows(case)[case_id]["state"] == "handling"


def test_a_check_says_since_when_nobody_has_tended_and_what_failed(tended: tuple[Server, Post]) -> None:
    server, _east = tended
    assert "Nobody tends this server" in findings(server)["not_tended"]
    tend(server)
    as_owner(server, "UPDATE tending SET at = at - 3600000, host = 'db1'")
    assert "for 60 minutes, the last time from db1" in findings(server)["not_tended"]
    as_owner(server, "UPDATE tending SET at = jw_now_ms(), trouble = 'The disk is full.'")
    assert "The disk is full." in findings(server)["tending_fails"]


def test_old_tracks_signs_of_presence_and_news_go_and_partitions_come(tended: tuple[Server, Post]) -> None:
    server, _east = tended
    as_owner(
        server,
        "INSERT INTO track (person_id, at, lon, lat) VALUES (1, jw_now_ms() - 400 * 86400000::bigint, 1, 1)",
    )
    as_owner(
        server,
        "INSERT INTO presence (session, account_id, name, case_id, typing, at)"
        " SELECT s, (SELECT min(id) FROM account), 'x', 0, false, jw_now_ms() - d * 86400000::bigint"
        " FROM (VALUES ('old', 2), ('new', 0)) v (s, d)",
    )
    as_owner(server, "UPDATE news SET at = at - 100 * 86400000::bigint")
    empty = f"track_{datetime.now(UTC) - timedelta(days=100):%Y_%m}"
    as_owner(server, "SELECT jw_make_months_of(ARRAY['track'], 4, 0)")
    assert as_owner(server, f"SELECT count(*) FROM {empty}") == 0
    as_owner(server, "DROP TABLE case_step_" + f"{datetime.now(UTC) + timedelta(days=300):%Y_%m}")
    assert as_owner(server, "SELECT jw_months_ahead()") < 12
    code, said = tend(server)
    assert (code, "1 old track point erased" in said) == (0, True), said
    assert as_owner(server, "SELECT jw_months_ahead()") == 24
    assert as_owner(server, "SELECT to_regclass(:name)", name=empty) is None
    with server.owner.read() as connection:
        assert connection.execute(select(track.c.person_id)).all() == []
        assert connection.execute(select(presence.c.session)).scalars().all() == ["new"]
        oldest = connection.execute(text("SELECT min(xid) FROM news")).scalar()
        floor = connection.execute(text("SELECT news_from FROM tending")).scalar_one()
        assert 0 < floor <= horizon(connection)
        assert oldest is None or oldest >= floor


def test_who_was_away_for_longer_than_the_news_are_kept_takes_everything_anew(
    tended: tuple[Server, Post],
) -> None:
    server, east = tended
    mine = int(east.run(Report("hotline", COVER, "路灯不亮"), "li"))
    theirs = int(server.run(Report("hotline", COVER, "井盖丢失"), "wang"))
    as_owner(server, "UPDATE news SET at = at - 100 * 86400000::bigint")
    tend(server)
    assert as_owner(server, "SELECT count(*) FROM news WHERE seq IS NOT NULL") == 0
    east.sync()
    east.sync()
    assert {mine, theirs} <= east.rows(case).keys()
    assert east.differences() == []
    # What was done here and taken before the news were forgotten is not sent twice.
    again = int(east.run(Report("hotline", COVER, "垃圾"), "li"))
    east.push()
    with server.owner.engine.begin() as connection:
        connection.execute(text("UPDATE news SET at = at - 100 * 86400000::bigint"))
    tend(server)
    east.sync()
    assert again in east.rows(case)
    assert [row.state for row in east.acts().values()].count("done") == 2
    assert east.differences() == []


def test_cases_go_by_advice_under_the_guard(
    postgres: PostgresServer, sqlite_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(open_village(sqlite_url)) as village:
        settle(village, an(SQUAD_WEST, WEST), an(SQUAD_EAST, EAST, person_id=22))
        write_cases(village, 400, 102, SQUAD_WEST)
        limit = {"limit_amount": 4, "limit_unit": "working_hour"}
        (case_id,) = write_cases(village, 1, 102, None, state="pending_dispatch", days_ago=0, **limit)
        village.bus.run(SetAutomatic(0.97), CHIEF)
    name = postgres.create()
    postgres.drop(name)
    url = postgres.url(name)
    assert run_verb("server", ("server", "adopt", "--from", sqlite_url, "--db", url), "db.cli.server") == 0
    try:
        with closing(open_core(f"{url}&options=-c role=jw_owner", clock=SetClock(MORNING))) as core:
            assert tending_verb._take_turn(core) == ""
            assert rows_of(core.database, case)[case_id]["unit_id"] == SQUAD_WEST
            (note,) = [
                row["note"] for row in rows_of(core.database, step).values() if row["case_id"] == case_id
            ]
            assert note.startswith("As advised")
        assert "1 case dispatched as advised" in capsys.readouterr().out
    finally:
        postgres.drop(name)


def test_the_service_goes_on_after_a_server_that_was_away(
    tended: tuple[Server, Post], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server, _east = tended
    monkeypatch.setattr(tending_verb, "EVERY_SECONDS", 0.05)
    stopping = threading.Event()
    address = f"{server.url('postgres')}&options=-c role=jw_owner"
    service = threading.Thread(target=tending_verb.tend, args=(address, stopping))
    service.start()

    def turns() -> int:
        with server.owner.read() as connection:
            return int(last_turn(connection).at_ms or 0)

    def until(holds: Callable[[], bool]) -> None:
        for _look in range(2400):
            if holds():
                return
            stopping.wait(0.05)
        raise AssertionError("it did not happen")

    try:
        until(lambda: turns() > 0)
        as_owner(server, "UPDATE alembic_version SET version_num = '9999'")
        until(lambda: "newer Jingwei" in capsys.readouterr().out)
        as_owner(server, "UPDATE alembic_version SET version_num = :head", head=HEAD)
        with server.postgres.connect() as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [server.name]
            )
        before = _now(server)
        until(lambda: turns() > before)
    finally:
        stopping.set()
        service.join()


def _now(server: Server) -> int:
    with closing(open_database(server.url("postgres"))) as database, database.read() as connection:
        return int(connection.execute(text("SELECT jw_now_ms()")).scalar_one())


def test_a_setting_says_for_how_long_news_are_kept(tended: tuple[Server, Post]) -> None:
    server, _east = tended
    server.run(Report("hotline", COVER, "井盖丢失"), "wang")
    as_owner(server, "UPDATE news SET at = at - 100 * 86400000::bigint")
    put_setting(server.owner, "sync.news_days", 200)
    before = as_owner(server, "SELECT count(*) FROM news WHERE seq IS NOT NULL")
    tend(server)
    assert as_owner(server, "SELECT count(*) FROM news WHERE seq IS NOT NULL") == before > 0
