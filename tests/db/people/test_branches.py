"""Below a unit stands whatever hangs on it, at any depth; who is bound to a part gives cases within it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import pytest

from db.bootstrap import Core
from db.duties.tables import duty
from db.engine.unit_of_work import UnitOfWork
from db.kernel.actor import Scope
from db.people.branches import targets, units_below
from db.people.tables import unit
from db.registers.tables import area
from tests.db.engine.kit import rows_of, write


def test_all_that_hangs_on_a_unit_comes_with_it(core: Core) -> None:
    tree = ((11, 1), (12, 1), (111, 11), (3, None))
    rows = [
        {"id": i, "code": f"T{i}", "name": str(i), "kind": "squad", "parent_id": above} for i, above in tree
    ]
    write(core.database, lambda u: u.insert(unit, rows))
    with core.database.read() as connection:
        assert units_below(connection, [1]) == {1, 11, 12, 111}
        assert units_below(connection, [111, 3]) == {111, 3}
        assert units_below(connection, []) == frozenset()


def test_a_tree_that_bites_its_tail_ends_all_the_same(core: Core) -> None:
    write(core.database, lambda u: u.update(unit, {1: {"parent_id": 2}, 2: {"parent_id": 1}}))
    with core.database.read() as connection:
        assert units_below(connection, [1]) == {1, 2}


CENTRE, SQUAD, CREW, CABLES, SOUTHERN = 21, 22, 23, 24, 25
CITY, NORTH, SOUTH, STREET = 500, 501, 502, 511


@pytest.fixture
def bureau(core: Core) -> Core:
    """A centre, a squad with a crew for the north, one for the south, and a company for the whole city."""
    units = (
        (CENTRE, "centre", None),
        (SQUAD, "squad", CENTRE),
        (CREW, "squad", SQUAD),
        (CABLES, "company", CENTRE),
        (SOUTHERN, "squad", CENTRE),
    )
    areas = (
        (CITY, "city", None),
        (NORTH, "district", CITY),
        (SOUTH, "district", CITY),
        (STREET, "community", NORTH),
    )
    duties = ((SQUAD, STREET, None), (CABLES, CITY, None), (SOUTHERN, SOUTH, None))

    def fill(u: UnitOfWork) -> None:
        u.insert(
            unit,
            [
                {"id": i, "code": f"T{i}", "name": str(i), "kind": kind, "parent_id": above}
                for i, kind, above in units
            ],
        )
        u.insert(
            area,
            [
                {
                    "id": i,
                    "kind": kind,
                    "code": str(i),
                    "name": str(i),
                    "parent_id": above,
                    "lon": 117,
                    "lat": 35,
                }
                for i, kind, above in areas
            ],
        )
        put_duties(u, duties)

    write(core.database, fill)
    return core


def put_duties(u: UnitOfWork, rows: Iterable[tuple[int, int, date | None]]) -> None:
    u.insert(
        duty,
        [
            {
                "id": u.new_id(),
                "unit_id": unit_id,
                "area_id": area_id,
                "valid_from": date(2020, 1, 1),
                "valid_to": until,
            }
            for unit_id, area_id, until in rows
        ],
    )


def allowed(core: Core, **bound: Any) -> frozenset[int] | None:
    with core.database.read() as connection:
        return targets(connection, Scope(**bound))


def test_who_is_bound_to_units_gives_to_these_and_up(bureau: Core) -> None:
    assert allowed(bureau) is None
    assert allowed(bureau, prefixes=("matter 09",)) is None
    assert allowed(bureau, units=frozenset({SQUAD, CREW})) == {SQUAD, CREW, CENTRE}
    assert allowed(bureau, units=frozenset({CREW})) == {SQUAD, CREW, CENTRE}


def test_who_is_bound_to_areas_gives_to_whoever_answers_there(bureau: Core) -> None:
    north = {SQUAD, CABLES, CENTRE}
    assert allowed(bureau, areas=frozenset({NORTH})) == north
    assert allowed(bureau, areas=frozenset({STREET})) == north
    assert allowed(bureau, areas=frozenset({SOUTH})) == {SOUTHERN, CABLES, CENTRE}
    assert allowed(bureau, areas=frozenset({CITY})) == {SQUAD, SOUTHERN, CABLES, CENTRE}
    both = {"areas": frozenset({NORTH}), "units": frozenset({CABLES, SOUTHERN})}
    assert allowed(bureau, **both) == {CABLES, CENTRE}


def test_a_duty_that_has_ended_and_a_list_that_names_nobody_bind_nothing(bureau: Core) -> None:
    def end(u: UnitOfWork) -> None:
        u.update(duty, {i: {"valid_to": date(2020, 2, 1)} for i in rows_of(bureau.database, duty)})

    write(bureau.database, end)
    assert allowed(bureau, areas=frozenset({NORTH})) is None
    write(bureau.database, lambda u: put_duties(u, [(CABLES, NORTH, None)]))
    assert allowed(bureau, areas=frozenset({NORTH})) == {CABLES, CENTRE}
