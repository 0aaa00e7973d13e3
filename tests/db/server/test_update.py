"""A server is brought to a newer step while stations are connected: they are told, and come back."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy import text

from db.bootstrap import open_core
from db.cases.commands.intake import Report
from db.cli.server import _send_away
from db.engine import schema
from db.kernel.refusal import Refused
from db.server.setup import guard
from db.server.stations import stations
from tests.db.server.conftest import Server
from tests.flows.bureau import COVER

pytestmark = pytest.mark.postgres


def stand_at(server: Server, step: str) -> None:
    with server.owner.database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :step"), {"step": step})


def test_a_station_is_told_and_comes_back_after_its_own_update(server: Server) -> None:
    core, who = server.core("wangmin"), server.actor("wangmin")
    inside = server.psql("lihua")
    _send_away(server.owner.database)
    with inside, pytest.raises(psycopg.OperationalError):
        inside.execute("SELECT 1")
    stand_at(server, "9999")
    for meet in (lambda: schema.demand_same(core.database), lambda: open_core(server.url("lihua"))):
        with pytest.raises(Refused, match="newer Jingwei") as caught:
            meet()
        assert "Update the program" in caught.value.text()
    # The update has come: the same connection works on.
    stand_at(server, schema.HEAD)
    guard(server.owner.database)
    schema.demand_same(core.database)
    core.bus.run(Report("hotline", COVER, "井盖破损", "学府路"), who)


def test_a_member_with_a_newer_program_does_not_shape_the_server(server: Server) -> None:
    stand_at(server, "0001")
    with pytest.raises(Refused, match="an administrator has to update it"):
        open_core(server.url("wangmin"))


def test_stations_are_told_by_the_server_itself(server: Server) -> None:
    with server.psql("zhangwei") as connection:
        connection.execute(
            "INSERT INTO station (number, name, token, program, login, waiting, seen_at)"
            " VALUES (3, '三号席', 'x', '1.0', '王敏', 2, 9000000000000000)"
        )
    with server.owner.database.read() as connection:
        (station,) = stations(connection)
    # Neither the name nor the moment is the station's to choose.
    assert (station.number, station.person, station.waiting, station.is_there) == (3, "张伟", 2, True)
    assert station.seen_at < 9_000_000_000_000
    with server.owner.database.engine.begin() as connection:
        connection.execute(text("UPDATE station SET seen_at = seen_at - 60000"))
        assert [each.is_there for each in stations(connection)] == [False]
