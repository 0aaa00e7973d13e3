"""The recount is silent while the live figures are right, and names the figure that is not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection

from db.cases.queries import Recount, recount, recount_marks
from db.cases.tables import case, claim, involved, order, request, tag
from db.engine.connections import Database
from db.kernel.clock import to_ms
from db.live import recount as recount_module
from db.live.recount import differences
from db.people.tables import account
from tests.db.live.city import NOW, case_values, found_city, write

HOUR = timedelta(hours=1)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = found_city(database_url)
    write(
        database,
        (
            case,
            [
                case_values(1, unit_id=1, district_id=1, due_at=NOW - HOUR, soon_at=NOW - 2 * HOUR),
                case_values(2, unit_id=2, due_at=NOW + HOUR, soon_at=NOW),
                case_values(3, state="closed", due_at=NOW, handled_at=NOW - HOUR, closed_at=NOW),
                case_values(4, state="rejected", closed_at=NOW),
            ],
        ),
    )
    yield database
    database.close()


def test_right_figures_show_no_difference(database: Database) -> None:
    with database.read() as connection:
        assert differences(connection, to_ms(NOW)) == {}


def test_what_hangs_on_cases_is_counted_too(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    stamp = {"asked_by": 1, "asked_by_name": "张三", "asked_at": NOW, "reason": "不属我处"}
    order_row = {
        "kind": "supervise",
        "demand": "尽快",
        "given_by": 1,
        "given_by_name": "领导",
        "given_at": NOW,
    }
    lease = {"account_id": 1, "name": "王敏", "claimed_at": NOW, "expires_at": NOW + HOUR}
    write(
        database,
        (account, [{"id": 1, "login": "wang", "person_id": 1, "password_hash": "-"}]),
        (
            case,
            [
                case_values(5, state="pending_dispatch", dispatched_at=NOW - HOUR, priority=2),
                case_values(6, state="reported", filed_at=NOW - HOUR, holder_id=1),
                case_values(7, state="reported"),
            ],
        ),
        (request, [{"id": 1, "case_id": 1, "kind": "return", "state": "pending", **stamp}]),
        (request, [{"id": 2, "case_id": 2, "kind": "postpone", "state": "granted", **stamp}]),
        (order, [{"id": 1, "case_id": 2, **order_row}, {"id": 2, "case_id": 3, **order_row}]),
        (tag, [{"id": 1, "case_id": 1, "word": "占道"}, {"id": 2, "case_id": 1, "word": "两会"}]),
        (involved, [{"id": 1, "case_id": 1, "unit_id": 2, "role": "helper", "since": NOW}]),
        (claim, [{"id": 1, "case_id": 6, **lease}, {"id": 2, "case_id": 7, **lease, "expires_at": NOW}]),
    )
    with database.read() as connection:
        assert differences(connection, to_ms(NOW)) == {}
        assert recount_marks(connection, to_ms(NOW)) == {
            "requests": 1,
            "supervised": 1,
            "tags": 1,
            "helpers": 1,
            "claims": 1,
            "returned": 3,
            "holders": 1,
            "urgent": 1,
        }
    monkeypatch.setattr(recount_module, "recount_marks", lambda _connection, _now: {"tags": 5})
    with database.read() as connection:
        assert differences(connection, to_ms(NOW)) == {"marks.tags": (1, 5)}


def test_a_wrong_figure_is_named_with_both_counts(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def miscounted(connection: Connection, now_ms: int, day_start_ms: int) -> Recount:
        right = recount(connection, now_ms, day_start_ms)
        return replace(right, overdue=7, open_by_unit={**right.open_by_unit, 2: 5})

    monkeypatch.setattr(recount_module, "recount", miscounted)
    with database.read() as connection:
        assert differences(connection, to_ms(NOW)) == {"overdue": (1, 7), "open_by_unit.2": (1, 5)}
