"""Components come in columns, in the order of their codes, without those that were removed."""

from __future__ import annotations

from db.bootstrap import open_core
from db.registers.components import STATE_CODES, component_of, components
from db.registers.queries import categories
from db.registers.tables import component
from tests.db.engine.kit import write


def test_every_component_that_is_there_comes_once_with_class_and_state(database_url: str) -> None:
    core = open_core(database_url, create=True)
    with core.database.read() as connection:
        kinds = {
            c.code[:2]: c.id for c in categories(connection, "GB/T 47678.5-2026") if c.kind == "component"
        }
    rows = [
        {
            "id": i,
            "code": f"{10 - i:017}",
            "category_id": kinds[kind],
            "state": state,
            "lon": 117 + i,
            "lat": 35,
        }
        for i, (kind, state) in enumerate(
            (("01", "intact"), ("04", "lost"), ("05", "removed"), ("05", "derelict")), 1
        )
    ]
    write(core.database, lambda unit: unit.insert(component, rows))
    with core.database.read() as connection:
        found = components(connection)
        gone = component_of(connection, 3)
        assert component_of(connection, 99) is None
    core.close()
    assert found.ids.tolist() == [4, 2, 1]
    assert found.classes.tolist() == [4, 3, 0]
    assert [STATE_CODES[state] for state in found.states] == ["derelict", "lost", "intact"]
    assert found.codes[0] == b"00000000000000006"
    assert found.units.tolist() == [0, 0, 0]
    assert found.lon.tolist() == [121.0, 119.0, 118.0]
    assert gone is not None
    assert gone.state == "removed"


def test_a_city_without_components_has_empty_columns(database_url: str) -> None:
    core = open_core(database_url, create=True)
    with core.database.read() as connection:
        assert len(components(connection)) == 0
    core.close()
