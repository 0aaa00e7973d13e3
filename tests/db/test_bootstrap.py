"""A database is opened, filled once with reference data, and closed again whatever happens."""

from __future__ import annotations

from datetime import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from db import bootstrap
from db.bootstrap import Core, LoadReference, city_facts, load_reference, open_core
from db.calendars.tables import calendar_day, calendar_year, working_window
from db.cases.tables import transition
from db.engine import settings
from db.engine.journal import verify
from db.engine.tables import metadata
from db.kernel.actor import Actor
from db.kernel.refusal import Refused, Unavailable
from db.people.tables import role
from db.registers import reference
from db.registers.tables import category, condition
from tests.db.engine.kit import entries, rows_of, write


def counts(core: Core) -> dict[str, int]:
    with core.database.read() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar() or 0
            for table in metadata.sorted_tables
        }


def test_a_new_database_holds_the_reference_data_in_one_entry(tmp_path: Path) -> None:
    core = open_core(f"sqlite:///{tmp_path / 'new.db'}", create=True)
    found = counts(core)
    assert found["category"] == len(reference.read_categories())
    assert found["filing_condition"] == len(reference.read_conditions())
    assert found["transition"] == len(reference.read_transitions())
    assert found["role"] == len(reference.read_roles())
    assert found["calendar_day"] == len(reference.read_days())
    assert found["cases"] == found["account"] == 0
    assert [(entry.command, entry.actor_name) for entry in entries(core.database)] == [
        ("core.load_reference", "system")
    ]
    with core.database.read() as connection:
        assert verify(connection).whole
    core.close()


def test_reference_data_are_the_same_on_both_databases(database_url: str) -> None:
    core = open_core(database_url)
    load_reference(core.database)
    for table in (category, condition, transition, role, calendar_year):
        assert all(
            row["version"] == 1 and 0 < row_id < 1 << 40
            for row_id, row in rows_of(core.database, table).items()
        )
    assert sorted({row["begins"] for row in rows_of(core.database, working_window).values()}) == [
        time(8),
        time(14),
    ]
    assert {row["kind"] for row in rows_of(core.database, calendar_day).values()} == {"holiday", "workday"}
    core.close()


def test_opening_again_adds_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new.db'}"
    core = open_core(url, create=True)
    first, station = counts(core), core.database.ids.station
    core.close()
    for create in (True, False):
        core = open_core(url, create=create)
        assert (counts(core), core.database.ids.station) == (first, station)
        core.close()


def test_a_creation_that_was_cut_off_is_finished_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'new.db'}"

    def cut(_database: object) -> None:
        raise Unavailable("disk_full", "The disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(bootstrap, "load_reference", cut)
        with pytest.raises(Unavailable):
            open_core(url, create=True)
    core = open_core(url, create=True)
    assert counts(core)["category"] > 0
    core.close()


def test_an_empty_database_is_not_filled_unless_asked_for(tmp_path: Path, empty_postgres_url: str) -> None:
    file = tmp_path / "empty.db"
    file.touch()
    for url in (f"sqlite:///{file}", empty_postgres_url):
        with pytest.raises(Refused) as caught:
            open_core(url)
        assert caught.value.code == "empty_database"
    assert file.read_bytes() == b""
    core = open_core(empty_postgres_url, create=True)
    assert counts(core)["category"] > 0
    core.close()


def test_loading_reference_data_is_no_command_for_everybody(sqlite_url: str) -> None:
    core = open_core(sqlite_url)
    with pytest.raises(Refused) as caught:
        core.bus.run(LoadReference(), Actor(1, "王敏", frozenset({"case.report"})))
    assert caught.value.code == "not_permitted"
    core.close()


def test_the_city_is_named_by_its_settings(database_url: str) -> None:
    core = open_core(database_url)
    assert city_facts(core) == bootstrap.CityFacts("", "", "Asia/Shanghai", is_demo=False)
    write(
        core.database,
        lambda u: [
            settings.put(u, key, value)
            for key, value in (
                ("city.name", "滕州"),
                ("city.name_en", "Tengzhou"),
                ("city.zone", "Asia/Urumqi"),
                ("demo.seed", 1),
            )
        ],
    )
    assert city_facts(core) == bootstrap.CityFacts("滕州", "Tengzhou", "Asia/Urumqi", is_demo=True)
    core.close()


def _permissions(core: Core, code: str) -> set[str]:
    with core.database.read() as connection:
        return set(connection.execute(select(role.c.permissions).where(role.c.code == code)).scalar_one())


def test_a_newer_program_brings_its_permissions_and_leaves_taken_what_was_taken(sqlite_url: str) -> None:
    core = open_core(sqlite_url)
    load_reference(core.database)
    ids = {row["code"]: row["id"] for row in rows_of(core.database, role).values()}
    shipped = _permissions(core, "duty_leader")

    def older(unit: Any) -> None:
        # As a program left it that knew nothing of duties, after the bureau took away an import.
        for code, row_id in ids.items():
            kept = _permissions(core, code) - {"duty.manage"}
            if code == "duty_leader":
                kept.discard("import.run")
            unit.update(role, {row_id: {"permissions": sorted(kept)}})

    write(core.database, older)
    core.close()
    for _twice in range(2):
        core = open_core(sqlite_url)
        assert _permissions(core, "duty_leader") == shipped - {"import.run"}
        assert "duty.manage" not in _permissions(core, "collector")
        core.close()
