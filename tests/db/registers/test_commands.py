"""Drawing areas: new ones, moved borders with everything that follows, and the end of one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import shapely
from sqlalchemy import select

from db.bootstrap import Core
from db.kernel.actor import SYSTEM, Actor
from db.kernel.command import from_plain
from db.kernel.refusal import Refused
from db.registers.commands import DrawnArea, EndAreas, PutAreas, ReshapeAreas
from db.registers.locating import locator_of
from db.registers.queries import areas, base_map
from db.registers.reference import stable_id
from db.registers.tables import area, component
from db.registers.topology import check, square_metres
from tests.db.engine.kit import entries, rows_of, write
from tests.db.registers.quarter import CELLS, COUNTY, at, box

MANHOLE = stable_id("category", "GB/T 47678.5-2026|component|01001")


def outline(core: Core, area_id: int) -> shapely.Geometry:
    return shapely.from_wkb(rows_of(core.database, area)[area_id]["outline"])


def pushed() -> str:
    """The middle cell with its eastern edge pushed into the next community."""
    points = [at(*corner) for corner in ((1, 1), (2, 1), (2.4, 1.5), (2, 2), (1, 2))]
    return str(shapely.to_geojson(shapely.Polygon(points)))


def test_a_border_moves_cells_communities_and_patrol_areas(quarter: Core) -> None:
    changed = quarter.bus.run(ReshapeAreas(((35, pushed()),)), SYSTEM).result
    assert set(changed) == {35, 36, 21, 22, 25, 26}
    cells = {i: outline(quarter, i) for i in CELLS}
    assert check(cells, box(0, 0, 3, 3)).is_clean
    left = shapely.union_all([cells[i] for i in (31, 32, 34, 35, 37, 38)])
    assert square_metres(shapely.symmetric_difference(outline(quarter, 21), left)) < 0.01
    assert outline(quarter, 22).area < box(2, 0, 3, 3).area
    row = rows_of(quarter.database, area)[35]
    assert row["square_metres"] > rows_of(quarter.database, area)[36]["square_metres"]
    with quarter.database.read() as connection:
        assert locator_of(connection).locate(*at(2.2, 1.5)).cell_id == 35


def test_undo_puts_every_border_back(quarter: Core) -> None:
    before = rows_of(quarter.database, area)
    quarter.bus.run(ReshapeAreas(((35, pushed()),)), SYSTEM)
    quarter.bus.undo(SYSTEM)
    after = rows_of(quarter.database, area)
    assert {i: row["outline"] for i, row in after.items()} == {i: row["outline"] for i, row in before.items()}
    assert {i: row["square_metres"] for i, row in after.items()} == {
        i: row["square_metres"] for i, row in before.items()
    }


def test_components_on_ground_that_changed_hands_change_their_cell(quarter: Core) -> None:
    here, there = at(2.2, 1.5), at(2.8, 1.5)
    rows = [
        {"id": i, "code": f"{COUNTY}0100100000{i}", "category_id": MANHOLE, "state": "intact", "cell_id": 36,
         "lon": lon, "lat": lat}
        for i, (lon, lat) in ((1, here), (2, there))
    ]  # fmt: skip
    write(quarter.database, lambda work: work.insert(component, rows))
    quarter.bus.run(ReshapeAreas(((35, pushed()),)), SYSTEM)
    found = rows_of(quarter.database, component)
    assert (found[1]["cell_id"], found[2]["cell_id"]) == (35, 36)


def test_what_would_leave_a_gap_is_refused_with_its_size(quarter: Core) -> None:
    back = [at(*corner) for corner in ((0, 1), (1, 1), (1, 2), (0, 2), (0.5, 1.5))]
    text = shapely.to_geojson(shapely.Polygon(back))
    with pytest.raises(Refused, match="to no area, beside cell 31, cell 34") as refusal:
        quarter.bus.run(ReshapeAreas(((34, text),)), SYSTEM)
    assert refusal.value.code == "gap"
    quarter.bus.run(ReshapeAreas(((34, text),), keep_topology=False), SYSTEM)
    assert outline(quarter, 34).area < CELLS[34].area


def test_the_border_of_a_community_cannot_run_through_its_cells(quarter: Core) -> None:
    text = shapely.to_geojson(box(0, 0, 1.5, 3))
    with pytest.raises(Refused, match="cut off 3 areas inside, such as cell 3"):
        quarter.bus.run(ReshapeAreas(((21, text),)), SYSTEM)


def test_no_border_reaches_beyond_the_city(quarter: Core) -> None:
    text = shapely.to_geojson(box(-2, 1, 1, 2))
    with pytest.raises(Refused, match="beyond the border of the city"):
        quarter.bus.run(ReshapeAreas(((34, text),)), SYSTEM)


@pytest.mark.parametrize(
    "text, words",
    [
        ("{}", "not an outline"),
        ("not json", "not an outline"),
        ('{"type":"Point","coordinates":[117,35]}', "not an outline"),
        ('{"type":"Polygon","coordinates":[[[0,0],[1,1],[1,0],[0,1],[0,0]]]}', "crosses itself"),
        ('{"type":"Polygon","coordinates":[[[0,0],[1e-9,0],[0,1e-9],[0,0]]]}', "smaller than"),
    ],
)
def test_what_is_no_outline_is_refused(quarter: Core, text: str, words: str) -> None:
    with pytest.raises(Refused, match=words):
        quarter.bus.run(ReshapeAreas(((35, text),)), SYSTEM)


def test_a_new_cell_gets_what_follows_from_its_code_and_shape(quarter: Core) -> None:
    code = f"{COUNTY}001001099"
    drawn = DrawnArea(
        "cell", code, code, shapely.to_geojson(box(0, 3, 1, 3.5)), visits_per_day=3.0,
        patrol_code=f"{COUNTY}001001-01",
    )  # fmt: skip
    (area_id,) = quarter.bus.run(PutAreas((drawn,)), SYSTEM).result
    row = rows_of(quarter.database, area)[area_id]
    assert (row["parent_id"], row["patrol_id"], row["visits_per_day"]) == (21, 25, 3.0)
    assert 5_000 < row["square_metres"] < 5_200


def test_an_area_that_is_there_changes_its_name_and_plan_only(quarter: Core) -> None:
    before = outline(quarter, 31)
    drawn = DrawnArea("cell", f"{COUNTY}001001031", "车站", unit_id=1, visits_per_day=4.0)
    assert quarter.bus.run(PutAreas((drawn,)), SYSTEM).result == (31,)
    row = rows_of(quarter.database, area)[31]
    assert (row["name"], row["unit_id"], row["visits_per_day"]) == ("车站", 1, 4.0)
    assert shapely.equals(outline(quarter, 31), before)


@pytest.mark.parametrize(
    "drawn, fault",
    [
        (DrawnArea("cell", "123", "x"), "bad_code"),
        (DrawnArea("cell", "370482001001001", "x"), "foreign_code"),
        (DrawnArea("region", "123", "x"), "unknown_kind"),
        (DrawnArea("cell", f"{COUNTY}001001031", " "), "name_missing"),
        (DrawnArea("cell", f"{COUNTY}001001031", "x", unit_id=99), "no_such_unit"),
        (DrawnArea("cell", f"{COUNTY}001001031", "x", shapely.to_geojson(box(0, 0, 1, 1))), "code_taken"),
        (DrawnArea("cell", f"{COUNTY}001001098", "x", shapely.to_geojson(box(0, 0, 1, 1))), "overlap"),
    ],
)
def test_what_cannot_be_drawn_is_refused(quarter: Core, drawn: DrawnArea, fault: str) -> None:
    with pytest.raises(Refused) as refusal:
        quarter.bus.run(PutAreas((drawn,)), SYSTEM)
    assert refusal.value.code == fault
    assert refusal.value.text()


def test_an_ended_area_is_neither_drawn_nor_found_but_stays(quarter: Core) -> None:
    with pytest.raises(Refused, match="areas inside it"):
        quarter.bus.run(EndAreas((22,)), SYSTEM)
    quarter.bus.run(EndAreas((39,)), SYSTEM)
    assert rows_of(quarter.database, area)[39]["ended_on"] == datetime(2026, 3, 16, tzinfo=UTC).date()
    with quarter.database.read() as connection:
        assert 39 not in {each.id for each in areas(connection, "cell")}
        assert 39 not in base_map(connection).cells.ids
        assert locator_of(connection).locate(*at(2.5, 2.5)).cell_id is None
        assert connection.execute(select(area.c.name).where(area.c.id == 39)).scalar() == "cell 39"


def test_only_who_may_edit_registers_draws(quarter: Core) -> None:
    nobody = Actor(5, "某人", frozenset({"room.view"}))
    for command in (ReshapeAreas(((35, pushed()),)), EndAreas((39,)), PutAreas(())):
        with pytest.raises(Refused, match="may not do this"):
            quarter.bus.run(command, nobody)


def test_the_commands_come_back_from_the_journal_as_they_were(quarter: Core) -> None:
    drawn = DrawnArea("cell", f"{COUNTY}001001031", "车站", visits_per_day=4.0)
    for command in (PutAreas((drawn,)), ReshapeAreas(((35, pushed()),)), EndAreas((39,))):
        quarter.bus.run(command, SYSTEM)
        entry = entries(quarter.database)[-1]
        assert from_plain(entry.command, entry.arguments) == command
