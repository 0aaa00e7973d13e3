"""The demo database as a whole: what stands in it, that it repeats, and that it leaves nothing half-made."""

from __future__ import annotations

import sqlite3
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import func, select, text

from db.bootstrap import Core, open_core
from db.calendars.queries import load_calendar
from db.calendars.rules import Limit, LimitUnit
from db.cases.commands.moving import load_workflow
from db.cases.rules import STATES, lights
from db.cases.tables import case, reporter, step, tag
from db.demo.create import create_demo
from db.engine import journal
from db.kernel.actor import SYSTEM
from db.kernel.clock import SetClock, to_ms
from db.kernel.refusal import Refused
from db.people.commands import actor_of
from db.people.queries import accounts
from db.people.tables import person
from db.registers.locating import Locator
from db.registers.queries import areas, base_map, find_places
from db.registers.tables import area, category, component, place, road
from tests.db.demo.conftest import NOW

NOW_MS = to_ms(NOW)
TABLES = (
    "area",
    "road",
    "water",
    "place",
    "unit",
    "person",
    "component",
    "cases",
    "case_step",
    "case_tag",
    "reporter",
)


def rows(file: Path) -> dict[str, list[tuple[object, ...]]]:
    connection = sqlite3.connect(file)
    try:
        return {t: connection.execute(f"SELECT * FROM {t} ORDER BY id").fetchall() for t in TABLES}
    finally:
        connection.close()


def test_the_same_seed_and_moment_make_the_same_rows(tiny_file: Path, tmp_path: Path) -> None:
    create_demo(f"sqlite:///{tmp_path / 'again.db'}", scale="tiny", seed=1, as_of=NOW, accounts=False)
    assert rows(tmp_path / "again.db") == rows(tiny_file)


def test_every_table_has_its_share(tiny: Core) -> None:
    with tiny.database.read() as connection:
        kinds = Counter(kind for (kind,) in connection.execute(select(area.c.kind)))
        count = {
            t.name: connection.scalar(select(func.count()).select_from(t)) for t in (component, road, place)
        }
        closed = connection.scalar(select(func.count()).where(case.c.closed_at.is_not(None)))
        still_open = connection.scalar(select(func.count()).where(case.c.closed_at.is_(None)))
    assert kinds["city"] == 1
    assert kinds["district"] == 21
    assert 180 < kinds["cell"] < 280
    assert closed == 1_500
    assert still_open == 120
    assert count["component"] == 400
    assert (count["place"] or 0) > 100


def test_each_case_lies_in_the_areas_that_it_names(tiny: Core) -> None:
    c = case.c
    with tiny.database.read() as connection:
        found = connection.execute(
            select(c.lon, c.lat, c.cell_id, c.patrol_id, c.community_id, c.district_id)
        ).all()
        where = Locator(connection).locate_many(
            np.array([row.lon for row in found]), np.array([row.lat for row in found])
        )
    assert where.cell_id.tolist() == [row.cell_id for row in found]
    assert where.patrol_id.tolist() == [row.patrol_id for row in found]
    assert where.community_id.tolist() == [row.community_id for row in found]
    assert where.district_id.tolist() == [row.district_id for row in found]


def test_codes_have_the_length_of_the_standard(tiny: Core) -> None:
    with tiny.database.read() as connection:
        lengths = {
            kind: {len(a.code) for a in areas(connection, kind)} for kind in ("district", "community", "cell")
        }
        things = {len(code) for (code,) in connection.execute(select(component.c.code))}
    assert lengths == {"district": {9}, "community": {12}, "cell": {15}}
    assert things == {17}


def test_parked_bicycles_lead_the_mix_as_in_the_real_month(tiny: Core) -> None:
    with tiny.database.read() as connection:
        names = Counter(
            name
            for (name,) in connection.execute(
                select(category.c.name).join(case, case.c.category_id == category.c.id)
            )
        )
    total = sum(names.values())
    assert names.most_common(1)[0][0] == "非机动车乱停放"
    assert 0.13 < names["非机动车乱停放"] / total < 0.25
    assert 0.07 < names["违规标语宣传品"] / total < 0.18


def test_the_lights_of_open_cases_are_mostly_green(tiny: Core) -> None:
    statement = text(
        "SELECT due_at, soon_at, handled_at FROM cases WHERE closed_at IS NULL AND due_at IS NOT NULL"
    )
    with tiny.database.read() as connection:
        due, soon, handled = np.array(
            [[value or 0 for value in row] for row in connection.execute(statement)], dtype=np.int64
        ).T
    share = np.bincount(lights(NOW_MS, due, soon, handled), minlength=3) / len(due)
    assert 0.68 < share[0] < 0.92
    assert 0.04 < share[1] < 0.24
    assert 0.01 < share[2] < 0.18


def test_due_moments_are_those_of_the_working_calendar(tiny: Core) -> None:
    statement = text(
        "SELECT dispatched_at, limit_amount, limit_unit, due_at FROM cases"
        " WHERE due_at IS NOT NULL AND reworks = 0"
        " LIMIT 300"
    )
    with tiny.database.read() as connection:
        calendar = load_calendar(connection)
        for dispatched, amount, unit, due in connection.execute(statement):
            assert calendar.due(dispatched, Limit(amount, LimitUnit(unit))) == due


def test_moments_of_a_case_follow_one_another_and_none_lies_ahead(tiny: Core) -> None:
    statement = text("SELECT reported_at, filed_at, dispatched_at, handled_at, closed_at FROM cases")
    with tiny.database.read() as connection:
        for moments in connection.execute(statement):
            known = [moment for moment in moments if moment is not None]
            assert known == sorted(known)
            assert known[-1] <= NOW_MS


def test_a_case_stands_where_its_steps_led_by_allowed_moves(tiny: Core) -> None:
    with tiny.database.read() as connection:
        workflow = load_workflow(connection)
        steps = connection.execute(select(step).order_by(step.c.case_id, step.c.at, step.c.id)).all()
        states = {row.id: row.state for row in connection.execute(select(case.c.id, case.c.state))}
        still_open = {i for i, state in states.items() if STATES[state].open}
    reached: dict[int, str] = {}
    given = frozenset({"unit", "reason", "condition", "note"})
    for row in steps:
        assert reached.get(row.case_id, "") == row.from_state
        assert workflow.move(row.from_state, row.verb, SYSTEM, given).to_state == row.to_state
        reached[row.case_id] = row.to_state
    assert still_open <= set(reached)
    assert all(states[i] == state for i, state in reached.items())


def test_only_open_public_cases_keep_who_reported_them(tiny: Core) -> None:
    with tiny.database.read() as connection:
        found = connection.execute(
            select(case.c.source, case.c.closed_at, reporter.c.phone).join(
                reporter, reporter.c.case_id == case.c.id
            )
        ).all()
    assert found
    assert {row.source for row in found} <= {"hotline", "app"}
    assert all(row.closed_at is None and row.phone.startswith("120") for row in found)


def test_open_cases_have_holders_of_their_unit_priorities_and_tags(tiny: Core) -> None:
    with tiny.database.read() as connection:
        held = connection.execute(
            select(case.c.unit_id, person.c.unit_id, person.c.post, case.c.closed_at).join(
                person, person.c.id == case.c.holder_id
            )
        ).all()
        pressing = connection.execute(select(case.c.closed_at).where(case.c.priority > 0)).scalars().all()
        tagged = connection.execute(select(case.c.closed_at).join(tag, tag.c.case_id == case.c.id)).all()
    assert len(held) > 20
    assert all(of_case == of_person and post == "handler" for of_case, of_person, post, _at in held)
    assert len(pressing) > 3
    assert len(tagged) > 1
    assert {*(row[3] for row in held), *pressing, *(row[0] for row in tagged)} == {None}


def test_the_journal_of_a_new_city_is_whole(tiny: Core) -> None:
    with tiny.database.read() as connection:
        assert journal.verify(connection).whole


def test_the_base_map_has_every_shape_once(tiny: Core) -> None:
    with tiny.database.read() as connection:
        shapes = base_map(connection)
        cells = areas(connection, "cell")
    assert len(shapes.cells) == len(cells)
    assert shapes.cells.offsets[-1] == len(shapes.cells.rings) - 1
    assert shapes.cells.rings[-1] == len(shapes.cells.points)
    lon, lat = shapes.cells.points[0] + np.array(shapes.origin)
    assert shapes.bounds[0] < lon < shapes.bounds[2]
    assert shapes.bounds[1] < lat < shapes.bounds[3]
    assert not np.isnan(shapes.roads.anchors).any()
    assert not np.isnan(shapes.waters.anchors).any()
    assert {"main", "side", "lane"} == set(shapes.roads.grades)


def test_a_place_is_found_by_part_of_its_name(tiny: Core) -> None:
    with tiny.database.read() as connection:
        found = find_places(connection, "荆河路与")
        assert found
        assert all(p.name.startswith("荆河路与") for p in found if p.kind == "crossing")
        assert find_places(connection, "%") == []


def test_nothing_is_left_when_the_making_is_stopped(tmp_path: Path) -> None:
    file = tmp_path / "stopped.db"
    with pytest.raises(Refused, match="Stopped"):
        create_demo(
            f"sqlite:///{file}", scale="tiny", as_of=NOW, progress=lambda done, _total, _label: done < 900
        )
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_never_written_over(tmp_path: Path) -> None:
    file = tmp_path / "mine.db"
    file.write_text("mine")
    with pytest.raises(Refused, match="never overwrites"):
        create_demo(f"sqlite:///{file}", scale="tiny", as_of=NOW)
    assert file.read_text() == "mine"


def test_the_demo_accounts_are_there(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'accounts.db'}"
    create_demo(url, scale="tiny", as_of=NOW)
    core = open_core(url, clock=SetClock(NOW))
    try:
        with core.database.read() as connection:
            found = accounts(connection)
        scopes = {each.login: actor_of(core.database, each.login).scope for each in found}
    finally:
        core.close()
    assert {login for login, scope in scopes.items() if scope.is_everywhere} == {
        "zhiban", "paiqian", "shouli", "shouli2", "lingdao", "daping", "guanli",
    }  # fmt: skip
    bound = {"longquan": "areas", "chengguan": "units", "bujian": "prefixes"}
    for login, part in bound.items():
        assert [name for name in ("areas", "units", "prefixes") if getattr(scopes[login], name)] == [part]


def test_a_city_made_after_the_last_known_holidays_still_stands(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'later.db'}"
    create_demo(url, scale="tiny", as_of=NOW.replace(year=2027, month=2), accounts=False)


def test_the_city_fills_an_empty_server_and_no_other(empty_postgres_url: str, tiny_file: Path) -> None:
    made = create_demo(empty_postgres_url, scale="tiny", seed=1, as_of=NOW, accounts=False)
    assert made.rows["cases"] == 1_620
    core = open_core(empty_postgres_url)
    try:
        with core.database.read() as connection:
            there = connection.execute(text("SELECT number, state, due_at FROM cases ORDER BY id")).all()
    finally:
        core.close()
    local = sqlite3.connect(tiny_file)
    try:
        here = local.execute("SELECT number, state, due_at FROM cases ORDER BY id").fetchall()
    finally:
        local.close()
    assert [tuple(row) for row in there] == here
    with pytest.raises(Refused, match="holds data already"):
        create_demo(empty_postgres_url, scale="tiny", as_of=NOW)
