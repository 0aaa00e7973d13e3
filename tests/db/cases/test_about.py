"""The cases about a component, the newest first."""

from __future__ import annotations

from db.bootstrap import Core
from db.cases.about import cases_about
from db.cases.commands.intake import Report
from db.kernel.actor import SYSTEM
from db.registers.tables import component
from tests.db.cases.office import COVER, advance
from tests.db.engine.kit import write


def test_the_newest_case_about_a_component_comes_first(core: Core) -> None:
    row = {"id": 5, "code": "0" * 17, "category_id": COVER, "state": "intact", "lon": 117.1, "lat": 35.1}
    write(core.database, lambda unit: unit.insert(component, [row]))
    reported = []
    for about in (5, None, 5):
        report = Report("collector", COVER, lon=117.1, lat=35.1, component_id=about)
        reported.append(core.bus.run(report, SYSTEM).result)
        advance(core, hours=1)
    with core.database.read() as connection:
        found = cases_about(connection, 5)
        assert [case.id for case in cases_about(connection, 5, limit=1)] == [reported[2]]
        assert cases_about(connection, 6) == []
    assert [case.id for case in found] == [reported[2], reported[0]]
    assert {case.state for case in found} == {"reported"}
    assert found[0].reported_at > found[1].reported_at
