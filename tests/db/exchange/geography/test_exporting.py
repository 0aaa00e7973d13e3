"""What is written is known again: every kind, both formats, every frame, to a billionth of a degree."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import shapely

from db.bootstrap import Core
from db.exchange.geography.exporting import export_geography
from db.exchange.geography.fields import REGISTERS
from db.exchange.geography.files import examine, read
from db.kernel.actor import SYSTEM
from db.kernel.refusal import Refused
from db.registers.commands import EndAreas
from db.registers.hours import PutTimeRule
from db.registers.reference import stable_id
from db.registers.sensitive import PutSensitivePlace
from db.registers.tables import area, component, place, road, water
from tests.db.engine.kit import rows_of, write
from tests.db.exchange.geography.drawn import checked, taken
from tests.db.registers.quarter import COUNTY, at, box

MANHOLE = stable_id("category", "GB/T 47678.5-2026|component|01001")
OLD_MANHOLE = stable_id("category", "GB/T 30428.2-2013|component|0101")


@pytest.fixture
def full(quarter: Core) -> Core:
    """The quarter with something of every kind."""
    # Places that no round number describes.
    lon, lat = at(1 / 3, 2 / 7)
    things = [
        {"id": 1, "code": f"{COUNTY}01001000001", "category_id": MANHOLE, "state": "damaged", "cell_id": 31,
         "unit_id": 1, "lon": lon, "lat": lat, "placed_on": None},
        {"id": 2, "code": f"{COUNTY}0101000002", "category_id": OLD_MANHOLE, "state": "removed",
         "cell_id": None, "unit_id": None, "lon": at(3.5, 3.5)[0], "lat": lat, "placed_on": None},
    ]  # fmt: skip
    line = shapely.MultiLineString([[at(0, 0), at(1 / 3, 1 / 7)], [at(2, 2), at(3, 3)]])
    pond = box(0, 0, 1, 1).difference(box(0.2, 0.2, 0.4, 0.4))
    write(
        quarter.database,
        lambda u: (
            u.insert(component, things),
            u.insert(
                road,
                [
                    {
                        "id": 1,
                        "name": "善国北路",
                        "name_en": "North Rd",
                        "grade": "main",
                        "line": shapely.to_wkb(line),
                    }
                ],
            ),
            u.insert(
                water,
                [{"id": 1, "kind": "lake", "name": "荆河", "name_en": "", "outline": shapely.to_wkb(pond)}],
            ),
            u.insert(
                place,
                [
                    {
                        "id": 1,
                        "kind": "door",
                        "name": "书院街1号",
                        "name_en": "",
                        "lon": lon,
                        "lat": lat,
                        "note": None,
                    }
                ],
            ),
        ),
    )
    quarter.bus.run(PutSensitivePlace("school", "实验小学", lon, lat, 120.5, 3), SYSTEM)
    text = shapely.to_geojson(box(0, 0, 1 / 3, 1))
    quarter.bus.run(
        PutTimeRule("夜市", "0900", text, 1080, 1560, True, "2026-01-01", weekdays="0000110"), SYSTEM
    )
    return quarter


@pytest.mark.parametrize("kind", REGISTERS)
@pytest.mark.parametrize(
    "name, datum, encoding",
    [
        ("a.geojson", "WGS-84", "utf-8"),
        ("a.geojson", "BD-09", "utf-8"),
        ("a.geojson", "EPSG:4548", "utf-8"),
        ("a.shp", "CGCS2000", "utf-8"),
        ("a.shp", "EPSG:4527", "gbk"),
        ("a.shp", "GCJ-02", "gb18030"),
    ],
)
def test_an_import_of_what_was_written_changes_nothing(
    full: Core, tmp_path: Path, kind: str, name: str, datum: str, encoding: str
) -> None:
    path = tmp_path / name
    with full.database.read() as connection:
        count = export_geography(connection, REGISTERS[kind], path, datum, encoding)
    # No .prj can name a shifted frame, so a person has to.
    asked = datum if name == "a.shp" and datum == "GCJ-02" else "auto"
    with checked(full, path, kind, asked) as found:
        assert found.report.same == found.report.rows == count > 0
        assert not found.problems.counts


@pytest.mark.parametrize("kind", ["cell", "component", "road"])
def test_what_is_written_builds_an_equal_register(full: Core, tmp_path: Path, kind: str) -> None:
    register = REGISTERS[kind]
    first, second = tmp_path / "a.geojson", tmp_path / "b.shp"
    before = rows_of(full.database, register.table)
    with full.database.read() as connection:
        export_geography(connection, register, first)
        export_geography(connection, register, second, "EPSG:4548", "gb18030")
    (left,), (right,) = read(examine(first)), read(examine(second))
    for one, other in zip(left.shapes, right.shapes, strict=True):
        assert shapely.equals_exact(one, other, 1e-9, normalize=True)
    assert [next(iter(each.values())) for each in left.values] == [
        next(iter(each.values())) for each in right.values
    ]
    assert taken(full, second, kind).taken == 0
    assert rows_of(full.database, register.table) == before


def test_what_ended_is_not_written(full: Core, tmp_path: Path) -> None:
    full.bus.run(EndAreas((39,)), SYSTEM)
    path = tmp_path / "a.geojson"
    with full.database.read() as connection:
        assert export_geography(connection, REGISTERS["cell"], path) == 8
    assert 39 in rows_of(full.database, area)


def test_components_bear_the_names_of_the_standard(full: Core, tmp_path: Path) -> None:
    path = tmp_path / "a.geojson"
    with full.database.read() as connection:
        export_geography(connection, REGISTERS["component"], path)
    first = json.loads(path.read_text("utf-8"))["features"][0]["properties"]
    assert first == {
        "GLBJBSM": f"{COUNTY}01001000001",
        "BJDM": "01001",
        "GLBJZT": "破损",
        "ZGBMDM": "101",
        "SZDYWGBSM": f"{COUNTY}001001031",
        "CSRQ": None,
    }


def test_nothing_and_nonsense_are_refused(quarter: Core, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    with quarter.database.read() as connection:
        with pytest.raises(Refused, match="nothing of this kind"):
            export_geography(connection, REGISTERS["road"], folder / "a.shp")
        with pytest.raises(Refused, match="no coordinate frame"):
            export_geography(connection, REGISTERS["cell"], folder / "a.shp", "mars")
    assert list(folder.iterdir()) == []
