"""What was checked is written whole, once, with its journal entry, or not at all."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
import shapely
from sqlalchemy import Connection, func, select

from db.bootstrap import Core, LoadReference
from db.cases.queries import live_rows
from db.cases.tables import case, reporter, step
from db.engine import journal as chain
from db.engine import settings
from db.engine.tables import journal
from db.exchange.checking import Report
from db.exchange.commands import import_of
from db.exchange.importing import check_file, import_checked
from db.exchange.mapping import CaseMapping, read_mapping
from db.kernel.actor import SYSTEM, Actor
from db.kernel.refusal import Refused
from db.people.tables import unit
from db.registers.tables import area, category
from tests.db.exchange.kit import MAPPING, real_file, row, write_mapping, write_rows

NYC = Path(__file__).parents[3] / "resources/reference/mappings/nyc311.toml"


@pytest.fixture
def mapping(tmp_path: Path) -> CaseMapping:
    return read_mapping(write_mapping(tmp_path))


def bring_in(core: Core, path: Path, mapping: CaseMapping) -> Report:
    with check_file(path, mapping, core.database) as checked:
        return import_checked(core.bus, SYSTEM, checked, path.with_suffix(".problems"))[0]


def count(connection: Connection, table: object) -> int:
    return connection.execute(select(func.count()).select_from(table)).scalar_one()  # type: ignore[arg-type]


def counts(report: Report) -> tuple[int, int, int, int]:
    return report.taken, report.skipped, report.marked, report.already


def test_a_row_becomes_a_case_with_all_it_says(core: Core, mapping: CaseMapping, tmp_path: Path) -> None:
    path = write_rows(
        tmp_path,
        row(State="Done", Closed="2024-04-17 08:00", Name="张三", Phone="13800001234", What="<img src=x>"),
    )
    assert counts(bring_in(core, path, mapping)) == (1, 0, 0, 0)
    with core.database.read() as connection:
        kept = connection.execute(select(case)).one()
        assert (kept.number, kept.state, kept.source) == ("T-1", "closed", "other")
        assert (kept.foreign_system, kept.foreign_number) == ("Town", "1")
        assert kept.reported_at == datetime(2024, 4, 15, 19, 3, 15, tzinfo=UTC)
        assert kept.closed_at == kept.handled_at == datetime(2024, 4, 17, 0, 0, tzinfo=UTC)
        assert (kept.lon, kept.lat, kept.description, kept.version) == (117.15, 35.08, "<img src=x>", 1)
        assert kept.due_at is None
        assert connection.execute(select(unit.c.name).where(unit.c.id == kept.unit_id)).scalar() == "Roads"
        assert (
            connection.execute(select(area.c.name).where(area.c.id == kept.district_id)).scalar()
            == "Longquan"
        )
        assert connection.execute(
            select(category.c.code).where(category.c.id == kept.category_id)
        ).scalar() == ("06028")
        taken = connection.execute(select(step)).one()
        assert (taken.case_id, taken.verb, taken.from_state, taken.to_state) == (
            kept.id,
            "import",
            "",
            "closed",
        )
        told = connection.execute(select(reporter)).one()
        assert (told.case_id, told.name, told.phone) == (kept.id, "张三", "13800001234")


def test_a_second_import_of_the_same_file_adds_nothing(
    core: Core, mapping: CaseMapping, tmp_path: Path
) -> None:
    path = write_rows(tmp_path, row(), row(No="2", Lon="", Lat=""), row(No="3", State="Lost"))
    assert counts(bring_in(core, path, mapping)) == (2, 1, 1, 0)
    with core.database.read() as connection:
        before = count(connection, journal)
    report = bring_in(core, path, mapping)
    assert (report.taken, report.already, report.skipped) == (0, 2, 1)
    with core.database.read() as connection:
        assert count(connection, case) == 2
        assert count(connection, step) == 2
        assert count(connection, journal) == before


def test_rows_that_came_in_since_the_check_are_there_already(
    core: Core, mapping: CaseMapping, tmp_path: Path
) -> None:
    path = write_rows(tmp_path, row(), row(No="2"))
    with check_file(path, mapping, core.database) as early:
        bring_in(core, write_rows(tmp_path, row(), name="other.csv"), mapping)
        report, _listed = import_checked(core.bus, SYSTEM, early)
    assert (report.taken, report.already) == (1, 1)
    assert (early.report.taken, early.report.already) == (2, 0)


def test_the_journal_names_file_digest_and_counts_but_no_row(
    core: Core, mapping: CaseMapping, tmp_path: Path
) -> None:
    bring_in(core, write_rows(tmp_path, row(Name="张三", Phone="13800001234")), mapping)
    with core.database.read() as connection:
        entry = connection.execute(select(journal).order_by(journal.c.seq.desc()).limit(1)).one()
        assert chain.verify(connection).whole
    assert entry.command == "case.import"
    assert entry.arguments == {
        "file": "town.csv",
        "sha256": entry.arguments["sha256"],
        "system": "Town",
        "mapping": "town.toml",
        "rows": 1,
        "taken": 1,
        "batch": "#",
    }
    assert len(entry.arguments["sha256"]) == 64
    assert entry.changes["cases*"]["rows"] == 1
    assert "13800001234" not in str(entry.changes)
    assert "张三" not in str(entry.changes)


def test_many_contacts_are_journaled_as_one_digest(
    core: Core, mapping: CaseMapping, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.exchange.commands._CONTACTS_BY_ROW", 0)
    bring_in(core, write_rows(tmp_path, row(Phone="13800001234")), mapping)
    with core.database.read() as connection:
        entry = connection.execute(select(journal.c.changes).order_by(journal.c.seq.desc()).limit(1)).scalar()
        assert count(connection, reporter) == 1
    assert entry["reporter*"]["rows"] == 1


def test_cancelling_while_it_writes_leaves_no_trace(core: Core, mapping: CaseMapping, tmp_path: Path) -> None:
    path = write_rows(tmp_path, row(), row(No="2"))
    with core.database.read() as connection:
        before = count(connection, journal)
    with check_file(path, mapping, core.database) as checked, pytest.raises(Refused, match="cancelled"):
        import_checked(core.bus, SYSTEM, checked, progress=lambda done, total, _label: done < total)
    with core.database.read() as connection:
        assert [count(connection, table) for table in (case, step, unit, area)] == [0, 0, 0, 0]
        assert count(connection, journal) == before
        assert settings.get(connection, "city.name") is None


def test_where_the_city_has_outlines_they_say_where_a_case_lies(
    core: Core, mapping: CaseMapping, tmp_path: Path
) -> None:
    square = shapely.to_wkb(shapely.box(117.1, 35.0, 117.2, 35.1))
    place = {"lon": 117.15, "lat": 35.05}
    with core.database.write(SYSTEM, LoadReference()) as work:
        work.insert(
            area, [{"id": 1, "kind": "district", "code": "D", "name": "Beixin", "outline": square, **place}]
        )
        work.insert(area, [{"id": 2, "kind": "community", "code": "C", "name": "C", "parent_id": 1, **place}])
        work.insert(area, [{"id": 3, "kind": "patrol", "code": "P", "name": "P", "parent_id": 2, **place}])
        cell = {"id": 4, "kind": "cell", "code": "X", "name": "X", "parent_id": 2, "patrol_id": 3, **place}
        work.insert(area, [{**cell, "outline": square}])
    bring_in(core, write_rows(tmp_path, row(), row(No="2", Lon="117.3"), row(No="3", Lon="")), mapping)
    with core.database.read() as connection:
        names = dict(connection.execute(select(area.c.id, area.c.name)).all())
        found = connection.execute(
            select(case.c.district_id, case.c.community_id, case.c.patrol_id, case.c.cell_id).order_by(
                case.c.number
            )
        ).all()
    assert tuple(found[0]) == (1, 2, 3, 4)
    assert [(names[each[0]], *each[1:]) for each in found[1:]] == [("Longquan", None, None, None)] * 2


def test_whoever_may_not_import_is_refused(core: Core, mapping: CaseMapping, tmp_path: Path) -> None:
    path = write_rows(tmp_path, row())
    with check_file(path, mapping, core.database) as checked, pytest.raises(Refused) as refused:
        core.bus.run(import_of(checked), Actor(7, "Visitor", frozenset({"room.view"})))
    assert refused.value.code == "not_permitted"


def test_the_city_is_named_only_where_there_is_none(core: Core, mapping: CaseMapping, tmp_path: Path) -> None:
    bring_in(core, write_rows(tmp_path, row(), row(No="2", Lon="117.25")), mapping)
    text = MAPPING.replace('name = "Town"', 'name = "Other town"').replace("滕州", "济宁").replace("T-", "O-")
    bring_in(core, write_rows(tmp_path, row()), read_mapping(write_mapping(tmp_path, text)))
    with core.database.read() as connection:
        assert settings.get(connection, "city.name") == "滕州"
        assert settings.get(connection, "city.name_en") == "Tengzhou"
        assert settings.get(connection, "city.bounds") == [117.15, 35.08, 117.25, 35.08]
        assert count(connection, case) == 3
        assert count(connection, unit) == 1
        assert sorted(connection.execute(select(area.c.kind)).scalars()) == ["city", "district"]


def test_the_thousand_requests_of_new_york(core: Core) -> None:
    mapping, path = read_mapping(NYC), real_file()
    with check_file(path, mapping, core.database) as checked:
        report = core.bus.run(import_of(checked), SYSTEM).result
    assert counts(report) == (1000, 0, 23, 0)
    with core.database.read() as connection:
        assert count(connection, case) == count(connection, step) == 1000
        assert count(connection, unit) == 11
        assert settings.get(connection, "city.name_en") == "New York"
        assert settings.get(connection, "city.zone") == "America/New_York"
        west, south, east, north = settings.get(connection, "city.bounds")
        assert -74.3 < west < east < -73.6
        assert 40.4 < south < north < 41.0
        districts = select(area.c.name_en).where(area.c.kind == "district").order_by(area.c.name_en)
        assert connection.execute(districts).scalars().all() == [
            "Bronx",
            "Brooklyn",
            "Manhattan",
            "Queens",
            "Staten Island",
        ]
        live = live_rows(connection, None, 2**62)
        assert len(live["id"]) == 707
        assert chain.verify(connection).whole
    with check_file(path, mapping, core.database) as checked:
        assert counts(checked.report) == (0, 0, 0, 1000)
        assert not len(checked.problems)
