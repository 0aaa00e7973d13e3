"""Every table, setting and command of the program has its place in the guard of a server."""

from __future__ import annotations

import importlib
import re

import pytest
from sqlalchemy import text

from db.engine.tables import metadata
from db.kernel.command import command_permissions, registered_commands
from db.registers.reference import read_roles
from db.server.rights import JOURNALED, KEEPING, MEASURED, ROWS, SERVERS_OWN, SETTINGS
from db.server.setup import PARTITIONED
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
    assert set(PARTITIONED) <= set(JOURNALED)


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


def test_partitions_never_run_out_while_somebody_signs_in(server: Server) -> None:
    with server.owner.database.engine.begin() as connection:
        for (name,) in connection.execute(
            text(
                "SELECT relname FROM pg_class WHERE relkind = 'r'"
                " AND relname ~ '^case_(step|timer|span)_[0-9]{4}'"
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
