"""What is allowed where and when: a stall is legal at 07:30 and a case at 08:40."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import shapely

from db.bootstrap import Core
from db.kernel.actor import SYSTEM
from db.kernel.refusal import Refused
from db.registers.hours import EndTimeRule, PutTimeRule, allowed_at, hint, rules, rules_at
from db.registers.reference import stable_id
from tests.db.registers.quarter import at, box

CITY = ZoneInfo("Asia/Shanghai")
ROAD_TRADE = stable_id("category", "GB/T 47678.5-2026|matter|09006")
OLD_ROAD_TRADE = stable_id("category", "GB/T 30428.2-2013|matter|0406")
INSIDE, OUTSIDE = at(0.5, 0.5), at(2.5, 2.5)
MORNING: dict[str, Any] = {
    "name": "早市",
    "prefix": "0900",
    "outline": shapely.to_geojson(box(0, 0, 1, 1)),
    "from_minute": 5 * 60 + 30,
    "to_minute": 8 * 60 + 30,
    "allowed": True,
    "valid_from": "2026-01-01",
}
NIGHT = {**MORNING, "name": "夜市", "from_minute": 18 * 60, "to_minute": 26 * 60, "weekdays": "0000110"}


def on(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of March 2026 in the city; the 16th is a Monday."""
    return datetime(2026, 3, day, hour, minute, tzinfo=CITY)


def named(core: Core, place: tuple[float, float], prefix: str, moment: datetime) -> list[str]:
    with core.database.read() as connection:
        return [rule.name for rule in allowed_at(connection, *place, prefix, moment)]


def test_a_stall_is_legal_at_half_past_seven_and_not_at_twenty_to_nine(quarter: Core) -> None:
    quarter.bus.run(PutTimeRule(**MORNING), SYSTEM)
    assert named(quarter, INSIDE, "09006", on(16, 7, 30)) == ["早市"]
    assert named(quarter, INSIDE, "09006", on(16, 8, 40)) == []
    assert named(quarter, INSIDE, "09006", on(16, 5, 30)) == ["早市"]
    assert named(quarter, INSIDE, "09006", on(16, 8, 30)) == []


def test_elsewhere_and_for_other_classes_the_rule_says_nothing(quarter: Core) -> None:
    quarter.bus.run(PutTimeRule(**MORNING), SYSTEM)
    assert named(quarter, OUTSIDE, "09006", on(16, 7, 30)) == []
    assert named(quarter, INSIDE, "08002", on(16, 7, 30)) == []


def test_a_night_market_belongs_to_the_day_on_which_it_began(quarter: Core) -> None:
    quarter.bus.run(PutTimeRule(**NIGHT), SYSTEM)
    # Friday the 20th and Saturday the 21st.
    assert named(quarter, INSIDE, "09006", on(20, 23)) == ["夜市"]
    assert named(quarter, INSIDE, "09006", on(22, 1, 59)) == ["夜市"]
    assert named(quarter, INSIDE, "09006", on(22, 2)) == []
    assert named(quarter, INSIDE, "09006", on(20, 1)) == []
    assert named(quarter, INSIDE, "09006", on(22, 19)) == []


def test_the_desk_is_told_until_when_and_the_stricter_rule_first(quarter: Core) -> None:
    quarter.bus.run(PutTimeRule(**MORNING), SYSTEM)
    with quarter.database.read() as connection:
        assert hint(connection, *INSIDE, ROAD_TRADE, on(16, 7, 30)) == "Allowed here until 08:30 (早市)."
        assert hint(connection, *INSIDE, ROAD_TRADE, on(16, 9)) == ""
    never = {**MORNING, "name": "严禁区", "from_minute": 0, "to_minute": 1440, "allowed": False}
    quarter.bus.run(PutTimeRule(**never), SYSTEM)
    with quarter.database.read() as connection:
        assert (
            hint(connection, *INSIDE, OLD_ROAD_TRADE, on(16, 7, 30)) == "Forbidden here until 00:00 (严禁区)."
        )
        assert [rule.name for rule in rules_at(connection, on(16, 7, 30))] == ["严禁区", "早市"]


def test_a_rule_that_was_ended_holds_on_its_last_day_and_not_after(quarter: Core) -> None:
    rule_id = quarter.bus.run(PutTimeRule(**MORNING), SYSTEM).result
    quarter.bus.run(EndTimeRule(rule_id, "2026-03-16"), SYSTEM)
    assert named(quarter, INSIDE, "09006", on(16, 7)) == ["早市"]
    assert named(quarter, INSIDE, "09006", on(17, 7)) == []
    with quarter.database.read() as connection:
        assert len(rules(connection)) == 1
        assert rules(connection, on(18, 7).date()) == []
    with pytest.raises(Refused, match="must not end before"):
        quarter.bus.run(EndTimeRule(rule_id, "2025-12-31"), SYSTEM)


def test_a_rule_can_be_changed(quarter: Core) -> None:
    rule_id = quarter.bus.run(PutTimeRule(**MORNING), SYSTEM).result
    quarter.bus.run(PutTimeRule(**{**MORNING, "to_minute": 9 * 60}, rule_id=rule_id), SYSTEM)
    assert named(quarter, INSIDE, "09006", on(16, 8, 40)) == ["早市"]


@pytest.mark.parametrize(
    "change, fault",
    [
        ({"name": ""}, "name_missing"),
        ({"prefix": "摊"}, "bad_prefix"),
        ({"weekdays": "0000000"}, "bad_weekdays"),
        ({"to_minute": 300}, "bad_hours"),
        ({"to_minute": 2000}, "bad_hours"),
        ({"valid_from": "yesterday"}, "bad_day"),
        ({"valid_to": "2025-01-01"}, "bad_time"),
        ({"outline": "{}"}, "bad_outline"),
    ],
)
def test_what_cannot_be_a_rule_is_refused(quarter: Core, change: dict[str, Any], fault: str) -> None:
    with pytest.raises(Refused) as refusal:
        quarter.bus.run(PutTimeRule(**{**MORNING, **change}), SYSTEM)
    assert refusal.value.code == fault
