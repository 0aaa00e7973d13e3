"""Sensitive places: put, changed, ended."""

from __future__ import annotations

from typing import Any

import pytest

from db.bootstrap import Core
from db.kernel.actor import SYSTEM
from db.kernel.refusal import Refused
from db.registers.sensitive import EndSensitivePlace, PutSensitivePlace, sensitive_places
from db.registers.tables import sensitive
from tests.db.engine.kit import rows_of
from tests.db.registers.quarter import at

SCHOOL = {"kind": "school", "name": "实验小学", "lon": at(1, 1)[0], "lat": at(1, 1)[1]}


def test_a_place_is_put_changed_and_ended(quarter: Core) -> None:
    place_id = quarter.bus.run(PutSensitivePlace(**SCHOOL), SYSTEM).result
    quarter.bus.run(PutSensitivePlace(**SCHOOL, visits_per_day=5, place_id=place_id), SYSTEM)
    with quarter.database.read() as connection:
        (found,) = sensitive_places(connection)
    assert (found.id, found.name, found.radius, found.visits_per_day) == (place_id, "实验小学", 150.0, 5)
    quarter.bus.run(EndSensitivePlace(place_id), SYSTEM)
    with quarter.database.read() as connection:
        assert sensitive_places(connection) == []
    assert rows_of(quarter.database, sensitive)[place_id]["ended_on"].isoformat() == "2026-03-16"
    quarter.bus.undo(SYSTEM)
    with quarter.database.read() as connection:
        assert len(sensitive_places(connection)) == 1


@pytest.mark.parametrize(
    "change, fault",
    [
        ({"kind": "bar"}, "unknown_kind"),
        ({"name": " "}, "name_missing"),
        ({"lon": 500.0}, "not_on_earth"),
        ({"radius": 5.0}, "bad_radius"),
        ({"radius": float("nan")}, "bad_radius"),
        ({"visits_per_day": 49}, "bad_plan"),
    ],
)
def test_what_cannot_be_is_refused(quarter: Core, change: dict[str, Any], fault: str) -> None:
    with pytest.raises(Refused) as refusal:
        quarter.bus.run(PutSensitivePlace(**{**SCHOOL, **change}), SYSTEM)
    assert refusal.value.code == fault
