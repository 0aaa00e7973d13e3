"""Cases are read as plain values, and the figures of the screen equal a recount by plain SQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from db.cases.queries import (
    LIVE_TYPES,
    SOURCE_CODES,
    STATE_CODES,
    TEXT_COLUMNS,
    case_details,
    counts,
    live_rows,
    no_rows,
    recount,
)
from db.cases.tables import case, reporter, step
from db.engine.connections import Database
from db.kernel.clock import SetClock, from_ms, to_ms
from db.live.board import Board
from db.live.feed import Feed
from db.live.filters import EVERYTHING
from tests.db.live.city import NOW, case_values, found_city, remove, write
from tests.db.live.rows import DAY, HOUR, NOON, ZONE

HOURS = timedelta(hours=1)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = found_city(database_url)
    yield database
    database.close()


def rows(database: Database, ids: list[int] | None = None) -> dict[int, dict[str, Any]]:
    with database.read() as connection:
        columns = live_rows(connection, ids, DAY)
    assert columns.keys() == no_rows().keys()
    found = {}
    for place in range(len(columns["id"])):
        row = {name: columns[name][place].item() for name in LIVE_TYPES}
        found[row["id"]] = row | {name: columns[name][place] for name in TEXT_COLUMNS}
    return found


def test_columns_are_arrays_of_their_kind_and_nought_means_none(database: Database) -> None:
    write(database, (case, [case_values(1, source="hotline", address="平行路")]))
    with database.read() as connection:
        columns = live_rows(connection, None, DAY)
    for name, kind in LIVE_TYPES.items():
        assert np.asarray(columns[name]).dtype == kind
    row = rows(database)[1]
    assert STATE_CODES[row["state"]] == "handling"
    assert SOURCE_CODES[row["source"]] == "hotline"
    assert row["unit_id"] == row["due_at"] == row["closed_at"] == 0
    assert np.isnan(row["lon"])
    assert (row["number"], row["address"], row["version"]) == ("N1", "平行路", 1)


def test_open_cases_and_those_that_ended_since_midnight_are_read(database: Database) -> None:
    midnight = from_ms(DAY)
    ended = {"state": "closed", "reported_at": midnight - 30 * HOURS}
    write(
        database,
        (
            case,
            [
                case_values(1, reported_at=midnight - 900 * HOURS),
                case_values(2, closed_at=midnight, **ended),
                case_values(3, closed_at=midnight - timedelta(milliseconds=1), **ended),
            ],
        ),
    )
    assert sorted(rows(database)) == [1, 2]
    assert sorted(rows(database, [1, 3, 404])) == [1, 3], "asked for by name it is there whatever its state"
    assert rows(database, []) == {}


def test_a_source_that_nobody_knows_is_another_one(database: Database) -> None:
    write(database, (case, [case_values(1, source="pigeon")]))
    assert SOURCE_CODES[rows(database)[1]["source"]] == "other"


@pytest.mark.parametrize(
    "state, handed_back, closed, stopped",
    [
        ("handling", None, None, None),
        # Sent back to the unit: the clock runs though it was handed back once.
        ("handling", 9, None, None),
        ("pending_check", 9, None, 9),
        ("pending_close", 9, None, 9),
        ("closed", 9, 10, 9),
        ("forced", None, 10, 10),
        ("void", None, 10, 10),
    ],
)
def test_the_clock_stands_from_the_hand_back_on(
    database: Database, state: str, handed_back: int | None, closed: int | None, stopped: int | None
) -> None:
    def moment(hour: int | None) -> datetime | None:
        return None if hour is None else from_ms(DAY + hour * HOUR)

    values = {"state": state, "handled_at": moment(handed_back), "closed_at": moment(closed)}
    write(database, (case, [case_values(1, **values)]))
    assert rows(database)[1]["stopped_at"] == (DAY + stopped * HOUR if stopped else 0)


@pytest.mark.parametrize("ids", [None, [1]])
def test_who_helps_is_looked_up_among_those_who_help_now(sqlite_url: str, ids: list[int] | None) -> None:
    database = found_city(sqlite_url)
    write(database, (case, [case_values(1)]))
    asked: list[tuple[str, Any]] = []
    with database.read() as connection:
        event.listen(
            connection,
            "before_cursor_execute",
            lambda _c, _d, statement, values, *_: asked.append((statement, values)),
        )
        live_rows(connection, ids, DAY)
        statement, values = next(each for each in asked if "case_unit" in each[0])
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
    database.close()
    assert any("ix_case_unit_helping" in row.detail for row in plan), plan


def test_thousands_of_ids_are_read_at_once(database: Database) -> None:
    write(database, (case, [case_values(i) for i in range(1, 2001)]))
    assert sorted(rows(database, list(range(1, 3001)))) == list(range(1, 2001))


def test_a_case_is_shown_with_its_steps_and_without_its_reporter(database: Database) -> None:
    moves = [("report", "", "reported"), ("accept", "reported", "pending_register")]
    steps = [
        {
            "id": 10 + place,
            "case_id": 1,
            "at": NOW + place * HOURS,
            "verb": verb,
            "from_state": before,
            "to_state": after,
            "actor_id": 1,
            "actor_name": "王芳",
            "note": "",
        }
        for place, (verb, before, after) in enumerate(moves)
    ]
    contact = {"id": 20, "case_id": 1, "name": "李四", "phone": "13800001234"}
    write(database, (case, [case_values(1, description="垃圾", due_at=NOW)]))
    write(database, (step, steps[::-1]), (reporter, [contact]))
    with database.read() as connection:
        found = case_details(connection, 1)
        assert case_details(connection, 404) is None
    assert found is not None
    assert (found.number, found.description, found.due_at, found.unit_id) == ("N1", "垃圾", NOW, None)
    assert [(one.verb, one.at) for one in found.steps] == [("report", NOW), ("accept", NOW + HOURS)]
    assert "李四" not in repr(found)
    assert "13800001234" not in repr(found)


def test_states_without_a_case_count_nought(database: Database) -> None:
    write(database, (case, [case_values(1), case_values(2), case_values(3, state="reported")]))
    with database.read() as connection:
        found = counts(connection)
    assert found["handling"] == 2
    assert found["reported"] == 1
    assert found["closed"] == 0
    assert list(found) == list(STATE_CODES)


hours_round_noon = st.integers(-30, 12)


@st.composite
def any_case(draw: st.DrawFn) -> dict[str, Any]:
    state = draw(st.sampled_from(STATE_CODES))
    reported = draw(st.integers(-40, -1))
    ended = STATE_CODES.index(state) >= STATE_CODES.index("closed")

    def moment(hour: int | None) -> datetime | None:
        return None if hour is None else from_ms(NOON + hour * HOUR)

    due = draw(st.one_of(st.none(), st.integers(-30, 30)))
    return {
        "state": state,
        "source": draw(st.sampled_from(SOURCE_CODES)),
        "unit_id": draw(st.sampled_from([None, 1, 2])),
        "district_id": draw(st.sampled_from([None, 1])),
        "reported_at": moment(reported),
        "due_at": moment(due),
        "soon_at": moment(due),
        "handled_at": moment(draw(st.one_of(st.none(), st.integers(reported, 0)))),
        "closed_at": moment(draw(st.integers(reported, 0))) if ended else None,
        "reworks": draw(st.integers(0, 2)),
    }


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(any_case(), max_size=25))
def test_the_live_figures_equal_a_recount(database: Database, drawn: list[dict[str, Any]]) -> None:
    with database.read() as connection:
        there = [row.id for row in connection.execute(case.select())]
    if there:
        remove(database, case, there)
    write(database, (case, [case_values(i, **values) for i, values in enumerate(drawn, start=1)]))
    board = Board(ZONE, NOON)
    board.apply(Feed(database, SetClock(from_ms(NOON))).snapshot())
    board.set_filter(EVERYTHING)
    figures = board.figures()
    with database.read() as connection:
        again = recount(connection, NOON, DAY)
    assert to_ms(NOW) == NOON
    assert (figures.open, figures.due_within_2h, figures.overdue) == (
        again.open,
        again.due_within_2h,
        again.overdue,
    )
    assert (figures.arrived_today, figures.closed_today) == (again.arrived_today, again.closed_today)
    assert (figures.closed_on_time, figures.closed_late) == (again.closed_on_time, again.closed_late)
    assert figures.reworked_today == again.reworked_today
    by_unit = dict(zip(figures.by_unit.ids.tolist(), figures.by_unit.totals.tolist(), strict=True))
    assert by_unit == again.open_by_unit
    by_district = dict(
        zip(figures.by_district.ids.tolist(), figures.by_district.totals.tolist(), strict=True)
    )
    assert by_district == again.open_by_district
    assert {
        s: n for s, n in figures.by_state.items() if n and s in again.open_by_state
    } == again.open_by_state
