"""The recount is silent while the live figures are right, and names the figure that is not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection

from db.cases.queries import Recount, recount
from db.cases.tables import case
from db.engine.connections import Database
from db.kernel.clock import to_ms
from db.live import recount as recount_module
from db.live.recount import differences
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


def test_a_wrong_figure_is_named_with_both_counts(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def miscounted(connection: Connection, now_ms: int, day_start_ms: int) -> Recount:
        right = recount(connection, now_ms, day_start_ms)
        return replace(right, overdue=7, open_by_unit={**right.open_by_unit, 2: 5})

    monkeypatch.setattr(recount_module, "recount", miscounted)
    with database.read() as connection:
        assert differences(connection, to_ms(NOW)) == {"overdue": (1, 7), "open_by_unit.2": (1, 5)}
