"""What a check says of each feature: new, changed, the same, or bad and why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import shapely

from db.bootstrap import Core
from db.exchange.geography.checking import same_shape
from db.exchange.geography.fields import GeographyMapping
from tests.db.exchange.geography.drawn import checked, geojson, points, remarks, taken
from tests.db.registers.quarter import COUNTY, at, box, cell_box

CODE = f"{COUNTY}01001000001"
"""A manhole of the list of 2026."""
HERE = shapely.Point(at(0.5, 0.5))


def component(**values: Any) -> dict[str, Any]:
    return {"GLBJBSM": CODE, "GLBJZT": "完好", **values}


def cell(code: int, **values: Any) -> dict[str, Any]:
    return {"code": f"{COUNTY}001001{code:03d}", "name": "", **values}


def test_a_component_of_the_new_list_is_understood(quarter: Core, tmp_path: Path) -> None:
    values = component(ZGBMDM="101", SZDYWGBSM=f"{COUNTY}001001031", CSRQ="20240229", GLBJZT="破损")
    with checked(quarter, geojson(tmp_path / "a.geojson", (HERE, values)), "component") as found:
        (draft,) = found.drafts
    assert draft.id == 0
    assert draft.values["code"] == CODE
    assert (draft.values["state"], draft.values["unit_id"], draft.values["cell_id"]) == ("damaged", 1, 31)
    assert draft.values["placed_on"].isoformat() == "2024-02-29"
    assert (draft.values["lon"], draft.values["lat"]) == at(0.5, 0.5)


def test_a_component_of_the_old_list_in_gbk_is_understood(quarter: Core, tmp_path: Path) -> None:
    row = {"ObjID": f"{COUNTY}0101000001", "ObjState": "废弃", "DeptName1": "城关中队", "ORDate": "2012/5/7"}
    path = points(tmp_path / "a.shp", "gbk", (*at(1.5, 0.5), row))
    with checked(quarter, path, "component", "CGCS2000") as found:
        (draft,) = found.drafts
    assert (draft.values["state"], draft.values["unit_id"], draft.values["cell_id"]) == ("derelict", 1, 32)
    assert draft.values["placed_on"].isoformat() == "2012-05-07"


@pytest.mark.parametrize(
    "shape, values, reason",
    [
        (HERE, component(GLBJBSM=""), "no_code"),
        (HERE, component(GLBJBSM="370481010010000"), "code_length"),
        (HERE, component(GLBJBSM="37048201001000001"), "code_foreign"),
        (HERE, component(GLBJBSM="37048199999000001"), "unknown_class"),
        (HERE, component(GLBJZT="好"), "unknown_word"),
        (HERE, component(CSRQ="20240230"), "no_such_date"),
        (HERE, component(CSRQ="gestern"), "not_a_date"),
        (HERE, component(CSRQ="17500101"), "out_of_range"),
        (HERE, component(BJDM="99"), "unknown_class"),
        (None, component(), "no_shape"),
        ({"type": "Point", "coordinates": [float("inf"), 35.0]}, component(), "no_shape"),
        (shapely.Point(121.47, 31.23), component(), "outside"),
        (shapely.Point(500.0, 31.23), component(), "not_on_earth"),
        (box(0, 0, 1, 1), component(), "wrong_shape"),
    ],
)
def test_a_bad_component_is_told_and_spoils_no_other(
    quarter: Core, tmp_path: Path, shape: Any, values: dict[str, Any], reason: str
) -> None:
    good = (HERE, component(GLBJBSM=f"{COUNTY}01001000002"))
    path = geojson(tmp_path / "a.geojson", (shape, values), good, datum="WGS-84")
    with checked(quarter, path, "component") as found:
        assert [(each.line, each.reason.code) for each in found.problems.first if each.skipped] == [
            (1, reason)
        ]
        assert (found.report.rows, found.report.new, found.report.skipped) == (2, 1, 1)
        assert found.preview[0].outcome == "skipped"
        assert found.preview[0].problems[0].text()


def test_what_is_odd_but_usable_is_taken_with_a_remark(quarter: Core, tmp_path: Path) -> None:
    path = geojson(
        tmp_path / "a.geojson",
        (HERE, component(ZGBMDM="999", SZDYWGBSM="123")),
        (HERE, component(GLBJBSM=f"{COUNTY}01001000002", SZDYWGBSM=f"{COUNTY}001001032")),
    )
    assert remarks(quarter, path, "component") == [
        (1, "unknown_keeper", False),
        (1, "unknown_cell", False),
        (2, "other_cell", False),
    ]


def test_the_same_code_twice_is_taken_once(quarter: Core, tmp_path: Path) -> None:
    path = geojson(tmp_path / "a.geojson", (HERE, component()), (shapely.Point(at(1.5, 1.5)), component()))
    assert remarks(quarter, path, "component") == [(2, "code_twice", True)]


def test_a_second_import_says_what_changed_and_what_did_not(quarter: Core, tmp_path: Path) -> None:
    second = f"{COUNTY}01001000002"
    path = tmp_path / "a.geojson"
    taken(quarter, geojson(path, (HERE, component()), (HERE, component(GLBJBSM=second))), "component")
    moved = shapely.Point(at(1.5, 0.5))
    geojson(path, (HERE, component()), (moved, component(GLBJBSM=second, GLBJZT="丢失")))
    with checked(quarter, path, "component") as found:
        assert (found.report.new, found.report.changed, found.report.same) == (0, 1, 1)
        assert found.preview[1].outcome == "changed"
        assert set(found.preview[1].changes) == {"state", "cell_id", "lon", "lat"}


def test_an_outline_that_crosses_itself_a_little_is_repaired(quarter: Core, tmp_path: Path) -> None:
    # A loop the size of a hand at one corner.
    corners = [(0, 3), (1, 3), (1, 3.9), (1.01, 3.91), (1, 3.91), (1.01, 3.9), (1, 4), (0, 4)]
    loop = {"type": "Polygon", "coordinates": [[list(at(*corner)) for corner in (*corners, corners[0])]]}
    path = geojson(tmp_path / "a.geojson", (loop, cell(40)))
    assert remarks(quarter, path, "cell") == [(1, "repaired", False)]
    with checked(quarter, path, "cell") as found:
        outline = shapely.from_wkb(found.drafts[0].values["outline"])
    assert shapely.is_valid(outline)
    assert outline.area == pytest.approx(cell_box(0, 3).area, rel=0.01)


def test_a_bow_tie_and_a_speck_are_refused(quarter: Core, tmp_path: Path) -> None:
    bow = {
        "type": "Polygon",
        "coordinates": [[list(at(*corner)) for corner in ((0, 3), (1, 4), (1, 3), (0, 4), (0, 3))]],
    }
    speck = box(0, 3, 0.005, 3.005)
    path = geojson(tmp_path / "a.geojson", (bow, cell(40)), (speck, cell(41)), (HERE, cell(42)))
    assert remarks(quarter, path, "cell") == [
        (1, "crosses_itself", True),
        (2, "too_small", True),
        (3, "wrong_shape", True),
    ]


def test_a_cell_belongs_where_its_code_says_or_nowhere(quarter: Core, tmp_path: Path) -> None:
    stray = {"code": f"{COUNTY}009001001"}
    path = geojson(
        tmp_path / "a.geojson",
        (cell_box(0, 3), cell(40)),
        (cell_box(1, 3), stray),
        (cell_box(2, 3), cell(41, patrol="x")),
    )
    with checked(quarter, path, "cell") as found:
        assert found.drafts[0].values["parent_id"] == 21
        assert [(each.line, each.reason.code) for each in found.problems.first] == [
            (2, "unknown_parent"),
            (3, "unknown_patrol"),
        ]


def test_the_check_says_whether_the_areas_would_still_tile(quarter: Core, tmp_path: Path) -> None:
    path = geojson(tmp_path / "a.geojson", (box(0.5, 2.5, 1, 4), cell(40)))
    with checked(quarter, path, "cell") as found:
        assert (found.report.overlaps, found.report.gaps) == (1, 0)


def test_what_a_complete_file_no_longer_has_is_marked(quarter: Core, tmp_path: Path) -> None:
    path = geojson(tmp_path / "a.geojson", (cell_box(0, 0), cell(31)))
    with checked(quarter, path, "cell", complete=True) as found:
        assert {row_id for row_id, _version in found.ended} == set(range(32, 40))
    with checked(quarter, path, "cell") as found:
        assert found.ended == []


def test_a_mapping_gives_words_and_what_holds_else(quarter: Core, tmp_path: Path) -> None:
    mapping = GeographyMapping(
        "m.toml", {"code": ("BH",), "state": ("ZT",)}, {"state": {"正常": "intact"}}, {"unit": "101"}
    )
    path = geojson(tmp_path / "a.geojson", (HERE, {"BH": CODE, "ZT": "正常"}))
    with checked(quarter, path, "component", mapping=mapping) as found:
        (draft,) = found.drafts
    assert (draft.values["state"], draft.values["unit_id"]) == ("intact", 1)


def test_roads_meet_their_rows_by_number_by_name_or_by_shape(quarter: Core, tmp_path: Path) -> None:
    lines = [shapely.LineString([at(0, y), at(3, y)]) for y in (0, 1, 2, 2.5)]
    path = tmp_path / "a.geojson"
    rows = [(lines[0], {"name": "北路"}), (lines[1], {"name": "南路"}), (lines[2], {"name": "南路"})]
    assert taken(quarter, geojson(path, *rows), "road").new == 3
    geojson(path, (lines[3], {"name": "北路", "grade": "主干道"}), *rows[1:])
    with checked(quarter, path, "road") as found:
        assert (found.report.new, found.report.changed, found.report.same) == (0, 1, 2)
        assert set(found.drafts[0].values) == {"grade", "line"}
    # Two of a name and neither of this shape: one cannot tell which is meant.
    geojson(path, (lines[3], {"name": "南路"}))
    with checked(quarter, path, "road") as found:
        assert found.report.new == 1


@pytest.mark.parametrize(
    "change, reason",
    [
        ({"name": ""}, "missing"),
        ({"from": "25:70"}, "not_an_hour"),
        ({"prefix": "摊"}, "bad_rule"),
        ({"weekdays": "1"}, "bad_rule"),
        ({"allowed": "maybe"}, "unknown_word"),
        ({"valid_from": "2026-02-01", "valid_to": "2026-01-01"}, "bad_rule"),
    ],
)
def test_a_rule_that_cannot_be_is_told(
    quarter: Core, tmp_path: Path, change: dict[str, str], reason: str
) -> None:
    rule = {"name": "早市", "prefix": "0900", "from": "05:30", "to": "08:30", "weekdays": "", "allowed": "是",
            "valid_from": "", "valid_to": ""}  # fmt: skip
    path = geojson(tmp_path / "a.geojson", (box(0, 0, 1, 1), {**rule, **change}), (box(0, 0, 1, 1), rule))
    assert remarks(quarter, path, "rule") == [(1, reason, True)]


def test_hours_that_end_before_they_begin_end_on_the_next_day(quarter: Core, tmp_path: Path) -> None:
    rule = {"name": "夜市", "prefix": "0900", "from": "18:00", "to": "02:00"}
    with checked(quarter, geojson(tmp_path / "a.geojson", (box(0, 0, 1, 1), rule)), "rule") as found:
        (draft,) = found.drafts
    assert (draft.values["from_minute"], draft.values["to_minute"]) == (1080, 1560)
    assert draft.values["allowed"] is True


@pytest.mark.parametrize(
    "values, reason",
    [
        ({"radius": "5"}, "out_of_range"),
        ({"radius": "far"}, "not_a_number"),
        ({"kind": "网吧"}, "unknown_word"),
        ({"visits": "99"}, "out_of_range"),
    ],
)
def test_a_sensitive_place_that_cannot_be_is_told(
    quarter: Core, tmp_path: Path, values: dict[str, str], reason: str
) -> None:
    path = geojson(tmp_path / "a.geojson", (HERE, {"name": "小学", "kind": "学校", **values}))
    assert remarks(quarter, path, "sensitive") == [(1, reason, True)]


def test_shapes_are_the_same_wherever_they_begin_and_whichever_way_they_go() -> None:
    there = box(0, 0, 1, 1)
    points = shapely.get_coordinates(there)[:-1].tolist()
    turned = shapely.Polygon([*points[2:], *points[:2]][::-1])
    assert same_shape(there, turned)
    assert same_shape(there, shapely.transform(there, lambda each: each + 4e-10))
    assert not same_shape(there, shapely.transform(there, lambda each: each + 4e-9))
    assert not same_shape(there, None)
