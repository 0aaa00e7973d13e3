"""Collectors near a point with what they have in hand."""

from __future__ import annotations

import numpy as np

from db.bootstrap import Core
from db.cases.commands.intake import SendVerify, VerifyTrue
from db.cases.nearby import nearest_available
from db.kernel.actor import SYSTEM
from db.people.tables import person
from db.people.tracking import Fix, record_people
from tests.db.cases.office import MONDAY, ROADS, reported
from tests.db.engine.kit import write


def test_the_nearest_come_first_each_with_his_open_tasks(core: Core) -> None:
    other = {"id": 2, "code": "P2", "name": "李四", "unit_id": ROADS, "post": "collector"}
    write(core.database, lambda u: u.insert(person, [other]))
    fixes = [Fix(1, MONDAY, 117.10, 35.0), Fix(2, MONDAY, 117.11, 35.0)]
    write(core.database, lambda u: record_people(u, fixes, lambda at: np.ones(len(at), dtype=bool)))
    first, second = reported(core), reported(core)
    core.bus.run(SendVerify((first, second), 1), SYSTEM)
    core.bus.run(VerifyTrue((first,)), SYSTEM)
    with core.database.read() as connection:
        found = nearest_available(connection, 117.11, 35.0, MONDAY)
        assert nearest_available(connection, 117.11, 35.0, MONDAY, limit=1) == found[:1]
    assert [(each.person.name, each.tasks) for each in found] == [("李四", 0), ("张三", 1)]
