"""Importing map data: all or nothing, known again by its code, kept in the journal, undone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import shapely

from db.bootstrap import Core, load_reference, open_core
from db.engine import settings
from db.engine.journal import verify
from db.exchange.geography import writing
from db.exchange.geography.writing import ImportGeography, import_checked, import_of
from db.kernel.actor import SYSTEM, Actor
from db.kernel.refusal import Refused
from db.registers.commands import ReshapeAreas
from db.registers.tables import area, component, place, road, sensitive, time_rule
from tests.db.engine.kit import entries, rows_of
from tests.db.exchange.geography.drawn import checked, geojson, taken
from tests.db.registers.quarter import COUNTY, at, box, cell_box

HERE = shapely.Point(at(0.5, 0.5))


def components(path: Path, count: int, state: str = "完好") -> Path:
    return geojson(
        path,
        *(
            (
                shapely.Point(at(0.3 + number % 20 / 10, 0.5)),
                {"GLBJBSM": f"{COUNTY}01001{number:06d}", "GLBJZT": state},
            )
            for number in range(1, count + 1)
        ),
    )


def test_few_rows_stand_in_the_journal_and_are_undone(quarter: Core, tmp_path: Path) -> None:
    report = taken(quarter, components(tmp_path / "a.geojson", 3), "component")
    assert (report.new, report.taken) == (3, 3)
    entry = entries(quarter.database)[-1]
    assert entry.command == "registers.import"
    assert entry.arguments["kind"] == "component"
    assert entry.arguments["batch"] == "#"
    assert len(entry.touched["component"]) == 3
    quarter.bus.undo(SYSTEM)
    assert rows_of(quarter.database, component) == {}


def test_many_rows_are_loaded_with_one_digest(
    quarter: Core, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "LISTED", 4)
    assert taken(quarter, components(tmp_path / "a.geojson", 9), "component").new == 9
    assert entries(quarter.database)[-1].touched is None
    rows = rows_of(quarter.database, component)
    assert len(rows) == 9
    assert {row["state"] for row in rows.values()} == {"intact"}
    assert taken(quarter, components(tmp_path / "a.geojson", 9), "component").same == 9
    with quarter.database.read() as connection:
        assert verify(connection).whole


def test_a_second_import_changes_by_code_and_the_journal_knows_before_and_after(
    quarter: Core, tmp_path: Path
) -> None:
    path = tmp_path / "a.geojson"
    taken(quarter, components(path, 2), "component")
    ids = set(rows_of(quarter.database, component))
    assert taken(quarter, components(path, 2, "破损"), "component").changed == 2
    assert set(rows_of(quarter.database, component)) == ids
    changes = dict(entries(quarter.database)[-1].changes["component"])
    assert all(diff["state"] == ["intact", "damaged"] for diff in changes.values())


def test_what_is_no_longer_there_is_marked_and_comes_back_with_its_code(
    quarter: Core, tmp_path: Path
) -> None:
    path = tmp_path / "a.geojson"
    taken(quarter, components(path, 3), "component")
    report = taken(quarter, components(path, 1), "component", complete=True)
    assert (report.same, report.ended) == (1, 2)
    assert sorted(row["state"] for row in rows_of(quarter.database, component).values()) == [
        "intact",
        "removed",
        "removed",
    ]
    assert taken(quarter, components(path, 3), "component").changed == 2


def test_an_area_that_ended_stays_and_comes_back(quarter: Core, tmp_path: Path) -> None:
    path = tmp_path / "a.geojson"
    codes = [(31 + 3 * row + column, cell_box(column, row)) for row in range(3) for column in range(2)]
    rows: list[Any] = [(shape, {"code": f"{COUNTY}001001{i:03d}"}) for i, shape in codes]
    assert taken(quarter, geojson(path, *rows), "cell", complete=True).ended == 3
    assert rows_of(quarter.database, area)[39]["ended_on"].isoformat() == "2026-03-16"
    back = (cell_box(2, 2), {"code": f"{COUNTY}001002039"})
    assert taken(quarter, geojson(path, back), "cell").changed == 1
    assert rows_of(quarter.database, area)[39]["ended_on"] is None


def test_every_kind_of_place_and_shape_finds_its_table(quarter: Core, tmp_path: Path) -> None:
    path = tmp_path / "a.geojson"
    line = shapely.LineString([at(0, 0), at(3, 0)])
    taken(quarter, geojson(path, (line, {"name": "北路", "grade": "次干道"})), "road")
    taken(quarter, geojson(path, (HERE, {"name": "书院街与新兴路口", "kind": "路口"})), "place")
    taken(quarter, geojson(path, (HERE, {"name": "小学", "kind": "学校", "radius": 80})), "sensitive")
    rule = {"name": "早市", "prefix": "0900", "from": "05:30", "to": "08:30", "valid_from": "2026-01-01"}
    taken(quarter, geojson(path, (box(0, 0, 1, 1), rule)), "rule")
    (found,) = rows_of(quarter.database, road).values()
    assert (found["name"], found["grade"]) == ("北路", "side")
    assert [row["kind"] for row in rows_of(quarter.database, place).values()] == ["crossing"]
    (spot,) = rows_of(quarter.database, sensitive).values()
    assert (spot["kind"], spot["radius"], spot["visits_per_day"]) == ("school", 80.0, 2)
    (hours,) = rows_of(quarter.database, time_rule).values()
    assert (hours["from_minute"], hours["to_minute"], hours["allowed"]) == (330, 510, True)


def test_a_new_city_is_built_from_its_outline_down(database_url: str, tmp_path: Path) -> None:
    core = open_core(database_url)
    try:
        load_reference(core.database)
        path = tmp_path / "a.geojson"
        steps = [
            ("city", box(-1, -1, 4, 4), {"code": COUNTY, "name": "滕州市", "name_en": "Tengzhou"}),
            ("district", box(-1, -1, 4, 4), {"code": f"{COUNTY}001", "name": "荆河街道"}),
            ("community", box(0, 0, 1, 1), {"code": f"{COUNTY}001001", "name": "书院社区"}),
            ("patrol", box(0, 0, 1, 1), {"code": f"{COUNTY}001001-01", "name": "1号"}),
            ("cell", box(0, 0, 1, 1), {"code": f"{COUNTY}001001001", "patrol": f"{COUNTY}001001-01"}),
            ("component", HERE, {"code": f"{COUNTY}01001000001"}),
        ]
        for kind, shape, values in steps:
            assert taken(core, geojson(path, (shape, values)), kind).new == 1, kind
        with core.database.read() as connection:
            assert settings.get(connection, "city.name") == "滕州市"
            assert settings.get(connection, "city.bounds") == pytest.approx(
                [117.099, 34.999, 117.104, 35.004]
            )
        by_kind = {row["kind"]: row for row in rows_of(core.database, area).values()}
        assert by_kind["cell"]["parent_id"] == by_kind["community"]["id"]
        assert by_kind["cell"]["patrol_id"] == by_kind["patrol"]["id"]
        assert by_kind["cell"]["name"] == f"{COUNTY}001001001"
        (thing,) = rows_of(core.database, component).values()
        assert thing["cell_id"] == by_kind["cell"]["id"]
    finally:
        core.close()


def test_a_register_that_changed_since_the_check_is_not_written_over(quarter: Core, tmp_path: Path) -> None:
    path = geojson(tmp_path / "a.geojson", (cell_box(0, 3), {"code": f"{COUNTY}001001040"}))
    with checked(quarter, path, "cell") as found:
        quarter.bus.run(
            ReshapeAreas(((35, shapely.to_geojson(box(1, 1, 2, 1.9))),), keep_topology=False), SYSTEM
        )
        with pytest.raises(Refused, match="has changed since the file was checked"):
            import_checked(quarter.bus, SYSTEM, found)


def test_who_may_not_import_writes_nothing_and_a_stop_leaves_nothing(quarter: Core, tmp_path: Path) -> None:
    path = components(tmp_path / "a.geojson", 2)
    with checked(quarter, path, "component") as found:
        with pytest.raises(Refused, match="may not do this"):
            import_checked(quarter.bus, Actor(1, "某人"), found)
        with pytest.raises(Refused, match="cancelled"):
            quarter.bus.run(import_of(found, lambda *_where: False), SYSTEM)
    assert rows_of(quarter.database, component) == {}


def test_bad_rows_are_listed_beside_the_file_with_their_numbers(quarter: Core, tmp_path: Path) -> None:
    path = geojson(
        tmp_path / "a.geojson",
        (HERE, {"code": "1"}),
        (HERE, {"code": f"{COUNTY}01001000001"}),
        (None, {"code": "2"}),
    )
    with checked(quarter, path, "component") as found:
        report, listed = import_checked(quarter.bus, SYSTEM, found)
    assert (report.new, report.skipped) == (1, 2)
    assert listed == tmp_path / "a.geojson.problems.csv"
    lines = listed.read_text("utf-8-sig").splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == ["1", "3"]
    assert ImportGeography.permission == "import.run"  # type: ignore[attr-defined]
