"""Every table, setting and command of the program has its place in the guard of a server."""

from __future__ import annotations

import importlib
import re
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from sqlalchemy import insert, text

from db.engine.tables import metadata
from db.kernel.clock import to_ms
from db.kernel.command import command_permissions, registered_commands
from db.people.tables import track
from db.registers.reference import read_roles
from db.server.rights import JOURNALED, KEEPING, MEASURED, ROWS, SERVERS_OWN, SETTINGS
from db.server.setup import PARTITIONED, guard
from tests.db.server.conftest import Server
from tests.kit.source import ROOT, python_files

OWNERS_OWN = {"undo", "proposal", "people.self", "search.rebuild", "sync.pull", "sync.drop"}
"""Permissions that no role holds."""


def test_every_table_was_decided_on() -> None:
    decided = [*JOURNALED, *MEASURED, *KEEPING]
    assert sorted(decided) == sorted(metadata.tables)
    assert not set(SERVERS_OWN) & set(metadata.tables)


def test_what_a_journaled_table_must_have_for_the_guard() -> None:
    for name in JOURNALED:
        assert [column.name for column in metadata.tables[name].primary_key] == ["id"], name


def test_a_table_that_is_named_for_a_permission_names_one_that_a_role_holds() -> None:
    held = {permission for row in read_roles() for permission in row.permissions}
    for name, right in JOURNALED.items():
        assert set(right.by) <= held | OWNERS_OWN, name


def test_whose_rows_a_policy_hides_is_known() -> None:
    assert set(ROWS) <= {*metadata.tables, *SERVERS_OWN}
    assert PARTITIONED.keys() <= {*JOURNALED, *MEASURED}


def test_every_setting_that_a_command_puts_was_decided_on() -> None:
    """The demo fills a file of its own; everything else may run on a server."""
    put = re.compile(r"settings\.put\(\s*\w+(?:\.\w+)?,\s*([^,]+),")
    found: dict[str, str] = {}
    for path in python_files("db"):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        if module.startswith(("db.demo", "db.sync", "db.engine", "db.server")):
            continue
        for word in put.findall(path.read_text("utf-8")):
            key = word.strip()
            value = key.strip('"') if key.startswith('"') else getattr(importlib.import_module(module), key)
            found[value] = module
    assert found
    assert set(found) <= set(SETTINGS), set(found) - set(SETTINGS)
    permissions = set(command_permissions().values())
    for key, needed in SETTINGS.items():
        assert set(needed) <= permissions, key


def test_the_guard_knows_every_command(server: Server) -> None:
    with server.owner.database.read() as connection:
        known = dict(connection.execute(text("SELECT name, permission FROM jw_command")).all())
    ours = {cls.command_name: cls.permission for cls in registered_commands() if "test" not in cls.__module__}  # type: ignore[attr-defined]
    assert {name: known.get(name) for name in ours} == ours


@pytest.mark.parametrize("table", PARTITIONED)
def test_rows_of_this_month_lie_in_its_partition(server: Server, table: str) -> None:
    with server.owner.database.engine.begin() as connection:
        assert connection.execute(text("SELECT jw_months_ahead()")).scalar() == 24
        keys = connection.execute(
            text(
                "SELECT count(*) FROM pg_constraint WHERE conrelid = CAST(:t AS regclass) AND contype = 'f'"
            ),
            {"t": table},
        ).scalar_one()
        assert keys == len(metadata.tables[table].foreign_keys)
        indexed = connection.execute(
            text("SELECT count(*) FROM pg_index WHERE indrelid = CAST(:t AS regclass)"), {"t": table}
        ).scalar_one()
        assert indexed == len(metadata.tables[table].indexes) + 1


def test_a_track_lies_in_the_partition_of_its_month(server: Server) -> None:
    now = datetime.now(UTC)
    before, between = now - timedelta(days=75), now - timedelta(days=40)
    with server.owner.database.engine.begin() as connection:
        connection.execute(
            insert(track), [{"person_id": 10, "at": at, "lon": 1.0, "lat": 2.0} for at in (before, now)]
        )
        parts = dict(connection.execute(text("SELECT at, tableoid::regclass::text FROM track")).all())
        assert parts == {to_ms(before): "track_rest", to_ms(now): f"track_{now:%Y_%m}"}
        connection.execute(text("SELECT jw_make_months_of(ARRAY['track'], 3, 0)"))
        made = text("SELECT to_regclass(:name) IS NOT NULL")
        # What stands in the rest already stays there: its month is not made, the one after it is.
        for at, is_there in ((before, False), (between, True)):
            assert connection.execute(made, {"name": f"track_{at:%Y_%m}"}).scalar() is is_there


def test_a_server_of_before_is_brought_into_partitions_with_its_rows(server: Server) -> None:
    """As ``init`` finds one that has the tables whole."""
    old = datetime.now(UTC) - timedelta(days=70)
    with server.owner.database.engine.begin() as connection:
        connection.execute(text("CREATE TABLE plain (LIKE track INCLUDING ALL)"))
        connection.execute(text("DROP TABLE track"))
        connection.execute(text("ALTER TABLE plain RENAME TO track"))
        connection.execute(text("ALTER TABLE track RENAME CONSTRAINT plain_pkey TO pk_track"))
        connection.execute(text("ALTER INDEX plain_at_idx RENAME TO ix_track_at"))
        connection.execute(insert(track), [{"person_id": 10, "at": old, "lon": 1.0, "lat": 2.0}])
    guard(server.owner.database)
    with server.owner.database.read() as connection:
        where = connection.execute(text("SELECT tableoid::regclass::text FROM track")).scalars().all()
        assert where == [f"track_{old:%Y_%m}"]
    with server.psql("zhangwei") as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(f"SELECT * FROM track_{old:%Y_%m}")


def test_partitions_never_run_out_while_somebody_signs_in(server: Server) -> None:
    with server.owner.database.engine.begin() as connection:
        for (name,) in connection.execute(
            text(
                "SELECT relname FROM pg_class WHERE relkind = 'r'"
                " AND relname ~ '^(case_step|case_timer|case_span|track)_[0-9]{4}'"
                " AND right(relname, 7) > to_char(now() + interval '2 months', 'YYYY_MM')"
            )
        ).all():
            connection.execute(text(f"DROP TABLE {name}"))
        assert connection.execute(text("SELECT jw_months_ahead()")).scalar_one() <= 3
    with server.psql("zhangwei") as connection:
        connection.execute("INSERT INTO station (number, name, token, seen_at) VALUES (1, 'x', 'y', 0)")
    with server.owner.database.read() as reading:
        assert reading.execute(text("SELECT jw_months_ahead()")).scalar() == 24
        row = reading.execute(text("SELECT login, seen_at > 0 FROM station")).one()
        assert tuple(row) == ("张伟", True)
