"""What is out on the streets of the demo city."""

from __future__ import annotations

import numpy as np
import shapely
from sqlalchemy import func, select

from db.bootstrap import Core
from db.demo.city import City
from db.demo.ground import random, to_metres
from db.demo.outdoors import DRIVING, FLEET, Drivers, fleet, hour_rules, visits_plan, watched
from db.demo.staff import read_units
from db.kernel.clock import to_ms
from db.people.tables import position, track
from db.people.tracking import Signal, thresholds, vehicles
from db.registers.patrols import density, sensitive_visits
from db.registers.sensitive import sensitive_faults
from tests.db.demo.conftest import NOW


def test_sensitive_places_and_hours_are_ones_that_the_registers_take(city: City) -> None:
    places = watched(city)
    assert {each.kind for each in places} >= {"school", "market"}
    assert not [
        fault
        for each in places
        for fault in sensitive_faults(
            each.kind, each.name, each.lon, each.lat, each.radius, each.visits_per_day
        )
    ]
    rules = hour_rules(city)
    assert any(not rule.allowed for rule in rules)
    assert (330, 510) in {(rule.from_minute, rule.to_minute) for rule in rules if rule.allowed}
    assert all(shapely.is_valid(rule.outline) and rule.from_minute < rule.to_minute for rule in rules)


def test_every_cell_is_to_be_passed_and_busy_ones_oftener(city: City) -> None:
    plan = visits_plan(city)
    assert len(plan) == len(city.partition.cells)
    assert plan.min() == 1.0
    assert plan.max() > 2.0


def test_the_fleet_belongs_to_units_of_its_kind() -> None:
    units = {unit.code: unit.kind for unit in read_units()}
    rows = fleet(read_units())
    assert len(rows) == FLEET == len({plate for plate, *_rest in rows})
    kinds = {"enforcement": "squad", "sanitation": "district", "service": "company"}
    assert all(units[owner] == kinds[kind] for _plate, _name, kind, owner in rows)
    assert {kind for _plate, _name, kind, _owner in rows} == set(kinds)


def test_vehicles_drive_along_streets_without_jumping(city: City) -> None:
    drivers = Drivers(city, 20, random(1, "test"))
    streets = shapely.union_all(np.array([street.line for street in city.streets], dtype=object))
    before = to_metres(drivers.places())
    for _second in range(120):
        drivers.drive(1.0)
        now = to_metres(drivers.places())
        # A turn leads over a crossing of 35 m at most.
        assert np.hypot(*(now - before).T).max() < 1.3 * DRIVING + 36
        before = now
    assert shapely.distance(shapely.points(before), streets).max() < 1.0


def test_the_day_of_the_demo_has_tracks_visits_and_fresh_places(tiny: Core) -> None:
    with tiny.database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(track)) > 1_000
        latest = connection.scalar(select(func.max(track.c.at)))
        newest = connection.execute(select(position.c.at)).scalars().all()
        found = density(connection, NOW.date(), NOW)
        spots = sensitive_visits(connection, NOW.date())
        cars = vehicles(connection)
        limits = thresholds(connection)
    assert latest is not None
    assert latest < NOW
    assert {limits.signal(at, NOW) for at in newest} == {Signal.ONLINE}
    assert 5 < found.percent_done <= 100
    assert found.visits.max() >= 3
    assert any(each.visits for each in spots)
    assert len(cars) == FLEET
    assert {each.at_ms for each in cars} == {to_ms(NOW)}
