"""Values come back from both databases as they were given, and from the journal too."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any

import pytest
from sqlalchemy import select

from db.calendars.tables import calendar_day, working_window
from db.cases.tables import case, transition
from db.engine.columns import canonical, defaults, from_plain, to_plain
from db.engine.connections import Database
from db.people.tables import account, unit
from db.registers.tables import road
from tests.db.engine.kit import rows_of, write

AT = datetime(2026, 3, 16, 2, 0, 0, 123_000, tzinfo=UTC)


def test_moments_dates_times_bytes_and_lists_survive_the_database(database: Database) -> None:
    rows: list[tuple[Any, dict[str, Any]]] = [
        (calendar_day, {"id": 1, "day": date(2026, 5, 1), "kind": "holiday", "name": "劳动节"}),
        (working_window, {"id": 2, "valid_from": date(2026, 1, 1), "begins": time(8, 30), "ends": time(12)}),
        (road, {"id": 3, "name": "平行路", "grade": "main", "line": b"\x00\xff"}),
        (
            transition,
            {
                "id": 4,
                "edition": 1,
                "from_state": "a",
                "verb": "go",
                "to_state": "b",
                "permission": "p",
                "needs": ["unit", "reason"],
            },
        ),
    ]
    write(database, lambda u: [u.insert(table, [row]) for table, row in rows])
    for table, row in rows:
        found = rows_of(database, table)[row["id"]]
        assert {name: found[name] for name in row} == row


def test_a_moment_is_kept_as_milliseconds(database: Database) -> None:
    with database.read() as connection:
        assert connection.execute(select(case.c.reported_at)).all() == []
        bound = case.c.reported_at.type.bind_processor(connection.dialect)
        assert bound is not None
        assert bound(AT) == 1_773_626_400_123


@pytest.mark.parametrize(
    "column, value",
    [
        (account.c.locked_until, AT),
        (calendar_day.c.day, date(2026, 5, 1)),
        (working_window.c.begins, time(8, 30)),
        (road.c.line, b"\x00\xff"),
        (unit.c.active, True),
        (case.c.lon, 117.25),
    ],
)
def test_what_the_journal_keeps_becomes_the_same_value_again(column: Any, value: object) -> None:
    encode = to_plain(column)
    plain = encode(value) if encode else value
    assert canonical(plain)
    assert from_plain(column, plain) == value
    assert from_plain(column, None) is None


def test_canonical_json_is_the_same_for_the_same_content() -> None:
    assert canonical({"b": 1, "a": "井盖"}) == canonical({"a": "井盖", "b": 1}) == '{"a":"井盖","b":1}'


def test_defaults_have_the_type_of_their_column() -> None:
    assert defaults(account) == {"failures": 0, "must_change": False, "active": True, "version": 1}
    assert defaults(unit)["name_en"] == ""
